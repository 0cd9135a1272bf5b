"""A date in words is understood only when it can be; what may be wrong is never given as certain.

understand("восени 22-го", today=date(2026, 11, 22)) == Understood("2022-23", certain=True)
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from flows.dates import grammar
from flows.dates.calendar import Calendar, Reading
from flows.dates.edtf import OPEN, SPRING, WINTER, Spot, parse
from flows.dates.fold import fold
from flows.dates.tokens import Token, mended, tags, tokens

_LONGEST: Final = 400  # characters; anything longer is a story, to be read by a person
_MOST_TOKENS: Final = 80
_MENDED_MOST: Final = 6  # in so few words a misspelt month is looked for
_EARLIEST_YEAR: Final = 1990  # of a child's birth, with room to spare
_AHEAD_YEARS: Final = 5
_MONTH_LEAST: Final = 5  # letters of a name that is surely a month
_RUN_MOST: Final = 10  # tokens of one date
_EDTF: Final = re.compile(r"^[0-9]{4}[-0-9~?/.]*$|^\.\./[0-9]{4}[-0-9~?]*$")
_UNREAD: Final = frozenset("cyMSWTKANnoehvQYDGOB")  # left beside a date, these make another one of it
_STRONG: Final = frozenset("cyMSWTKAN")  # without one of these there is no date in a story
_KEYBOARD_YEARS: Final = re.compile(r"^([0-9]{4})-([0-9]{2})$")


@dataclass(frozen=True, slots=True)
class Understood:
    """What a date in words means, as EDTF; `certain` when the words leave one reading."""

    edtf: str
    certain: bool


def understand(words: str, *, today: date, ahead: bool = False) -> Understood | None:
    """Understand a date of any precision, said on the day `today`; None when it is better left to a person.

    `ahead`: one speaks of what is going to happen. Else a date that begins after `today` is None. None too is
    what does not exist, lies before 1990, or says two dates that are no interval. A date inside a longer
    sentence is understood when it is the only one there, and is never certain; nor is a year or a month that
    had to be inferred, a corrected slip, an order of day and month that customs differ on, or a week.
    """
    if len(words) > _LONGEST:
        return None
    folded = fold(words).strip()
    calendar = Calendar(today, ahead)
    if _EDTF.match(folded):
        typed = _typed(folded)
        if typed is not None:
            return _checked(typed, calendar)
    listed = tokens(folded)
    if not listed or len(listed) > _MOST_TOKENS:
        return None
    reading = _whole(listed, calendar) or _within(listed, calendar)
    return _checked(reading, calendar) if reading else None


def _typed(text: str) -> Reading | None:
    """Read EDTF written by hand; "?" there is doubt. "2022-23" is two years to most people, so not sure."""
    if (years := _KEYBOARD_YEARS.match(text)) and int(years[2]) > 12:  # noqa: PLR2004 - no month
        first, last = int(years[1]), int(years[2])
        if first % 100 < last and first // 100 == 20:  # noqa: PLR2004 - a year in two figures, this century
            return Reading((Spot(first), Spot(2000 + last)), sure=False)
        return Reading((Spot(first, last),)) if SPRING <= last <= WINTER else None
    try:
        return Reading(parse(text.replace("?", "")), sure="?" not in text)
    except ValueError:
        return None


def _whole(listed: list[Token], calendar: Calendar) -> Reading | None:
    """Read all the words as one date; words of doubt make it uncertain, words of no meaning are passed over."""
    kept, doubt = _plain(listed)
    if not kept or any(token.tag == "!" for token in kept):
        return None
    if len(kept) <= _MENDED_MOST:
        kept = [mended(token) for token in kept]
    reading = grammar.read(kept, calendar)
    doubt = doubt or kept[0].text == "марта"  # a girl's name too
    return reading.doubted() if reading and doubt else reading


def _plain(listed: list[Token]) -> tuple[list[Token], bool]:
    """Drop pauses, words of no meaning and of doubt, "not sure" too; say whether there was doubt."""
    doubt = False
    kept: list[Token] = []
    for token in listed:
        if token.tag == "m":
            if kept and kept[-1].tag == "!":
                kept.pop()
            doubt = True
        elif token.tag == "?":
            doubt = True
        elif token.tag not in ".;":
            kept.append(token)
    return kept, doubt


def _within(listed: list[Token], calendar: Calendar) -> Reading | None:
    """Find the one date in a longer text; None when there are two, one denied or one that cannot be read."""
    found: list[Reading] = []
    for run in _runs(listed):
        if not _STRONG & set(tags(run)):
            continue
        if _is_weak(run):
            if any(token.tag == "M" and len(token.text) >= _MONTH_LEAST for token in run):
                return None  # "вересень, жовтень 2022"
            continue
        reading = _longest(run, calendar)
        if reading is None or found:
            return None
        found.append(reading)
    return found[0].doubted() if found else None


def _runs(listed: list[Token]) -> Iterator[list[Token]]:
    """Part a text where other words or pauses stand; what is denied is a date that cannot be read."""
    run: list[Token] = []
    for token in listed:
        if token.tag in "x;":
            yield run
            run = []
        elif token.tag not in ".?m":
            run.append(token)
    yield run


def _is_weak(run: list[Token]) -> bool:
    """Say whether it may well be no date: a name, a number, "may", "сидів у неділю" without its "у"."""
    said = tags(run).strip("I~&|EFBaZ-PQ!+dvsJYDGO")
    if said in {"y", "M", "W"} or (said == "S" and run[-1].text in {"fall", "spring"}):
        return len(run) == 1 or run[0].tag not in "IFEBaPL~" or (said == "y" and len(run) > 2)  # noqa: PLR2004
    return said == "A" and not set("YDGQO") & set(tags(run))


def _longest(run: list[Token], calendar: Calendar) -> Reading | None:
    """Read the longest part of a run that is a date, when nothing else in it could be one."""
    if len(run) > 2 * _RUN_MOST:
        return None
    for length in range(min(len(run), _RUN_MOST), 0, -1):
        for start in range(len(run) - length + 1):
            part = run[start : start + length]
            if not _STRONG & set(tags(part)):
                continue
            reading = grammar.read(part, calendar)
            if reading is not None:
                rest = run[:start] + run[start + length :]
                denied = start > 0 and run[start - 1].tag == "!"
                return None if denied or _UNREAD & set(tags(rest)) else reading
    return None


def _checked(reading: Reading, calendar: Calendar) -> Understood | None:
    """Write it, if it exists and lies where it can."""
    known = [spot for spot in reading.spots if spot is not None]
    if not known or not all(spot.exists() for spot in known):
        return None
    spans = [spot.span() for spot in known]
    if any(first.year < _EARLIEST_YEAR for first, _ in spans) or spans[0][0] > spans[-1][1]:
        return None
    latest = calendar.today
    if calendar.ahead:
        latest = date(min(latest.year + _AHEAD_YEARS, date.max.year), 12, 31)
    if any(first > latest for first, _ in spans):
        return None
    # Of what is going to happen, a date that has passed is more likely a slip.
    passed = calendar.ahead and spans[-1][1] < calendar.today and reading.spots[-1] is not None
    edtf = "/".join(spot.edtf if spot else OPEN for spot in reading.spots)
    return Understood(edtf, certain=reading.sure and not passed)
