"""In which order words make a date: the rules whole, as tags of the lexicon.

read(tokens, Calendar(today)) gives a Reading when all the tokens together are one date, and None otherwise.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from flows.dates.calendar import Calendar, Reading
from flows.dates.edtf import WINTER, Spot
from flows.dates.lexicon import MANY
from flows.dates.tokens import Token, century, tags, written

_WAR: Final = 14  # a smaller number behind "in" is rather an hour
_SURE_YEAR: Final = 20  # a smaller number behind a month may be a day, or of something else
_YEAR: Final = re.compile(r"[ycK]|LY")
_Rule = Callable[[list[Token], Calendar], Reading | None]


def read(listed: list[Token], calendar: Calendar) -> Reading | None:
    """Read all the tokens as one date or interval. It may not exist, or lie where it cannot: `sound` says so."""
    reading = _point(listed, calendar)
    if reading is not None:
        return _completed(reading, calendar)
    reading = _interval(listed, calendar)
    # A side whose year was not said may take it from one that was, not from "yesterday".
    said = tags(listed)
    return reading.doubted() if reading and set("MS") & set(said) and not _YEAR.search(said) else reading


def _interval(listed: list[Token], calendar: Calendar) -> Reading | None:
    if len(listed) > 1 and listed[0].tag == "~":
        reading = read(listed[1:], calendar)
        return reading and reading.roughly()
    said = tags(listed)
    for pattern, certain in _RANGES:
        for cut in (index for index, tag in enumerate(said) if tag in "E-&|"):
            if pattern.match(said[:cut] + "_" + said[cut:]):
                left, right = listed[said[0] in "Fw" : cut], listed[cut + 1 :]
                first, last = _side(left, right, calendar), _side(right, left, calendar)
                found = _between(first, last, calendar) if first and last else None
                if found is not None:
                    if certain:
                        return found
                    return found.doubted() if _are_alike(found) else None
    return _open_ended(listed, said, calendar)


def _open_ended(listed: list[Token], said: str, calendar: Calendar) -> Reading | None:
    if said[:1] not in set("FEBa") or said[1:2] == "I":
        return None
    reading = _point(listed[1:], calendar)
    if reading is None or len(reading.spots) > 1:
        return None
    whole = _completed(reading, calendar)
    if said[0] in "EB":
        return Reading((None, whole.spots[-1]), whole.sure)
    # After a day is not that day itself.
    # «З початку вересня» may be since then, or in its beginning.
    return Reading((whole.spots[0], None), whole.sure and said[0] == "F" and "P" not in said)


def _point(listed: list[Token], calendar: Calendar) -> Reading | None:
    """Read one date; what was not said of it is None still."""
    about = any(token.tag == "~" for token in listed)
    bare = [token for token in listed if token.tag != "~"] if about else listed
    said = tags(bare)
    if said[:1] == "P" or said[:2] == "IP":
        reading = _part(bare[said.index("P") + 1 :], calendar)
        return reading and reading.roughly()
    for pattern, rule in _POINTS:
        if pattern.fullmatch(said):
            reading = rule([token for token in bare if token.tag != "I"], calendar)
            if reading is None:
                return None
            sure = reading.sure and all(token.sure for token in bare)
            reading = replace(reading, sure=sure)
            return reading.roughly() if about else reading
    return None


def _part(rest: list[Token], calendar: Calendar) -> Reading | None:
    """Read what "the beginning", "the end" is of: a month, a season, a year."""
    while rest and rest[0].tag in "I-":
        rest = rest[1:]
    if tags(rest) in {"Mn", "Mo", "n", "o"}:  # a number here is no day: "the end of August 22"
        rest = [Token("I"), *rest]
    reading = _point(rest, calendar) if rest and rest[0].tag != "P" else None
    if reading is None or any(spot is None or spot.day for spot in reading.spots):
        return None
    return reading


def _side(listed: list[Token], other: list[Token], calendar: Calendar) -> Reading | None:
    """Read one side of an interval: a date, or a bare number that the month or year of the other explains."""
    if tags(listed) in {"n", "o", "e", "In", "Io"}:
        return Reading((Spot(day=listed[-1].number),)) if set("Mcy") & set(tags(other)) else None
    return _point(listed, calendar)


def _between(first: Reading, last: Reading, calendar: Calendar) -> Reading | None:
    """Put two sides together; each explains what the other left out."""
    if len(first.spots) > 1 or len(last.spots) > 1:
        return None
    a, b = first.spots[0], last.spots[0]
    assert a is not None
    assert b is not None
    # A winter has two ends of a year: which of them an interval begins or ends with is not said.
    sure = first.sure and last.sure and WINTER not in {a.month, b.month}
    a, b = _short_years(a, b)
    if a.day and a.month is None:
        a = replace(a, month=b.month, year=b.year) if b.day and b.month else a
    if (a.month is None and a.year is None) or (b.month is None and b.year is None):
        return None
    if a.year is None or b.year is None:
        a, b, inferred = _years(a, b, calendar)
        sure = sure and not inferred
    if not (a.exists() and b.exists()) or a.span()[0] >= b.span()[1]:
        return None
    return Reading((a, b), sure)


def _are_alike(reading: Reading) -> bool:
    """Say whether both sides are as precise: "summer 2022 or 2023" is two summers, not an interval."""
    shapes = {(spot.month is None, spot.day is None) for spot in reading.spots if spot}
    return len(shapes) == 1


def _short_years(a: Spot, b: Spot) -> tuple[Spot, Spot]:
    """Read "2022-23" and "22-23 роки" as years: a bare number beside a bare year is one."""
    if a.year and not a.month and _is_bare(b):
        b = Spot(century(b.day or 0), about=b.about)
    if b.year and not b.month and _is_bare(a):
        a = Spot(century(a.day or 0), about=a.about)
    return a, b


def _is_bare(spot: Spot) -> bool:
    return spot.day is not None and spot.month is None and spot.year is None


def _years(a: Spot, b: Spot, calendar: Calendar) -> tuple[Spot, Spot, bool]:
    """Give both sides their years, and say whether a year had to be inferred."""
    if b.year is None and a.year is None:
        known = _known(a if calendar.ahead else b, calendar)
        a, b = (known, b) if calendar.ahead else (a, known)
        a, b, _ = _years(a, b, calendar)
        return a, b, True
    if a.year is None:
        a = replace(a, year=b.year)
        if a.exists() and b.exists() and a.span()[0] > b.span()[0] and b.month != WINTER:
            return replace(a, year=(b.year or 0) - 1), b, True
        return a, b, False
    b = replace(b, year=a.year)
    if a.exists() and b.exists() and a.span()[0] > b.span()[0]:
        return a, replace(b, year=a.year + 1), True
    return a, b, True


def _known(spot: Spot, calendar: Calendar) -> Spot:
    completed = calendar.complete(spot).spots
    if len(completed) > 1:  # a winter of two years; its season stands for it here
        return replace(spot, year=calendar.today.year)
    assert completed[0] is not None
    return completed[0]


def _completed(reading: Reading, calendar: Calendar) -> Reading:
    if len(reading.spots) == 1 and reading.spots[0] is not None:
        whole = calendar.complete(reading.spots[0])
        return replace(whole, sure=whole.sure and reading.sure)
    return reading


def _one(listed: list[Token], tag: str) -> Token:
    return next(token for token in listed if token.tag in tag)


def _in_figures(listed: list[Token], calendar: Calendar) -> Reading | None:  # noqa: ARG001 - one signature
    return Reading((_one(listed, "c").spot,))


def _in_spaced_figures(listed: list[Token], calendar: Calendar) -> Reading | None:  # noqa: ARG001 - one signature
    """Read "06 09 2022" as "06/09/2022"."""
    if not all(token.text.isdigit() for token in listed):
        return None
    token = written("dmy", "/".join(token.text for token in listed))
    return Reading((token.spot,), token.sure)


def _day(listed: list[Token], calendar: Calendar) -> Reading | None:  # noqa: ARG001 - one signature
    """Read a day and month, a year beside it or none."""
    day, month = _one(listed, "noe"), _one(listed, "M")
    year = next((token.spot.year for token in listed if token.tag == "y"), None)
    return Reading((Spot(year, int(month.value), day.number),))


def _day_short_year(listed: list[Token], calendar: Calendar) -> Reading | None:  # noqa: ARG001 - one signature
    day, month, year = listed
    if year.number < 10:  # noqa: PLR2004 - two figures
        return None
    return Reading((Spot(century(year.number), int(month.value), day.number),), year.number >= _SURE_YEAR)


def _month_number(listed: list[Token], calendar: Calendar) -> Reading | None:  # noqa: ARG001 - one signature
    """Read "September 22", a day; «вересень 22», a year, though not surely."""
    month, number = listed
    if month.text.isascii() or number.number < 10:  # noqa: PLR2004 - two figures
        return Reading((Spot(None, int(month.value), number.number),), sure=False)
    return Reading((Spot(century(number.number), int(month.value)),), sure=False)


def _in_month_number(listed: list[Token], calendar: Calendar) -> Reading | None:
    """Read «у вересні 22»: behind "in" the number is a year."""
    reading = _month_number(listed, calendar)
    sure = not listed[0].text.isascii() and listed[1].number >= _SURE_YEAR
    return reading and replace(reading, sure=sure)


def _month_or_season(listed: list[Token], calendar: Calendar) -> Reading | None:  # noqa: ARG001 - one signature
    word = _one(listed, "MS")
    year = next((token for token in listed if token.tag in "yno"), None)
    if year is None:
        return Reading((Spot(None, int(word.value)),))
    if year.tag != "y" and year.number < 10:  # noqa: PLR2004 - two figures
        return None
    sure = year.tag == "y" or year.number >= _SURE_YEAR
    return Reading((Spot(year.spot.year or century(year.number), int(word.value)),), sure)


def _of_last_year(listed: list[Token], calendar: Calendar) -> Reading | None:
    word = _one(listed, "MS")
    return Reading((Spot(calendar.today.year + _shift(listed), int(word.value)),))


def _day_of_last_year(listed: list[Token], calendar: Calendar) -> Reading | None:
    day, month = _one(listed, "noe"), _one(listed, "M")
    return Reading((Spot(calendar.today.year + _shift(listed), int(month.value), day.number),))


def _shift(listed: list[Token]) -> int:
    return int(_one(listed, "LK").value)


def _last(listed: list[Token], calendar: Calendar) -> Reading | None:
    """Read "last September", "last autumn", "this summer"."""
    word, by = _one(listed, "MS"), _shift(listed)
    read_ = calendar.month if word.tag == "M" else calendar.season
    return read_(int(word.value), by)


def _that(listed: list[Token], calendar: Calendar) -> Reading | None:
    """Read «в том году», «в тому році»: mostly last year, never surely; a season of it likewise."""
    season = next((int(token.value) for token in listed if token.tag in "MS"), None)
    return Reading((Spot(calendar.today.year - 1, season),), sure=False)


def _winter(listed: list[Token], calendar: Calendar) -> Reading | None:  # noqa: ARG001 - one signature
    """Read a winter by both its years, which follow each other."""
    season, first, _, last = listed
    starts, ends = (token.spot.year or century(token.number) for token in (first, last))
    if season.value != WINTER or ends != starts + 1:
        return None
    return Reading((Spot(starts, 12), Spot(ends, 2)))


def _year(listed: list[Token], calendar: Calendar) -> Reading | None:
    """Read a year; "last year 2025" must be last year to be sure."""
    year = next((token.spot for token in listed if token.tag == "y"), None)
    shift = next((int(token.value) for token in listed if token.tag in "LK"), None)
    if year is None:
        return Reading((Spot(calendar.today.year + (shift or 0)),))
    return Reading((year,), sure=shift is None or calendar.today.year + shift == year.year)


def _year_in_two_figures(listed: list[Token], calendar: Calendar) -> Reading | None:  # noqa: ARG001 - one signature
    number = listed[0].number
    return Reading((Spot(century(number)),), sure=False) if number >= _WAR else None


def _days_off(listed: list[Token], calendar: Calendar) -> Reading | None:
    return Reading((calendar.day(int(listed[0].value)),))


def _ago(listed: list[Token], calendar: Calendar) -> Reading | None:
    """Read "two years ago"; «неделя», which is Sunday too, is never sure."""
    unit = _one(listed, "YDGQO")
    if any(token.tag == "v" for token in listed):  # some weeks ago
        return None
    count = next((token.value for token in listed if token.tag in "nh"), 1.0)
    count += 0.5 * any(token.tag == "+" for token in listed)
    if unit is listed[0] and len(listed) == 2 and unit.text in MANY:  # noqa: PLR2004 - «років тому»: how many?
        return None
    sign = -1 if listed[-1].tag == "A" else 1
    if sign > 0 and not calendar.ahead:
        return None
    spot = calendar.ago(count, unit.tag, sign=sign)
    return Reading((spot,), sure=unit.tag != "Q") if spot else None


def _between_agos(listed: list[Token], calendar: Calendar) -> Reading | None:
    """Read "two or three years ago": from three to two; not sure, as the person is not."""
    unit = _one(listed, "YDGQO").tag
    least, most = (token.value for token in listed if token.tag in "nh")
    sides = (calendar.ago(most, unit), calendar.ago(least, unit))
    return Reading(sides, sure=False) if least < most and None not in sides else None


def _near(listed: list[Token], calendar: Calendar) -> Reading | None:
    """Read "last week", «на тому тижні»: the one before this."""
    by = _shift(listed) if listed[0].tag == "L" else -1
    return calendar.near(listed[1].tag, by)


def _day_of_month(listed: list[Token], calendar: Calendar) -> Reading | None:
    """Read "on the 5th", "the 5th of last month"."""
    day = _one(listed, "noe").number
    if not any(token.tag == "L" for token in listed):
        return Reading((Spot(day=day),), sure=False)
    month = calendar.near("O", _shift(listed)).spots[0]
    return Reading((replace(month, day=day),)) if month else None


def _weekday(listed: list[Token], calendar: Calendar) -> Reading | None:
    """Read a day of the week; «неділя» is one of two things, and is taken for Sunday here."""
    word = next(token for token in listed if token.tag in "WQ")
    by = _shift(listed) if len(listed) > 2 else None  # noqa: PLR2004 - "Friday of last week"
    return calendar.weekday(int(word.value) if word.tag == "W" else 6, by)


def _weekday_and_day(listed: list[Token], calendar: Calendar) -> Reading | None:
    """Read a date with its day of the week: sure only when they agree."""
    weekday = _one(listed, "W")
    reading = _point([token for token in listed if token.tag != "W"], calendar)
    whole = _completed(reading, calendar) if reading else None
    spot = whole.spots[0] if whole and len(whole.spots) == 1 else None
    if whole is None or spot is None or not spot.day or not spot.exists():
        return None
    return whole if spot.span()[0].weekday() == weekday.value else whole.doubted()


def _new_year(listed: list[Token], calendar: Calendar) -> Reading | None:
    """Read "before", "at" and "after New Year": December, 1 January, January, roughly."""
    year = listed[-1].spot.year  # «новий 2023 рік», «новый год 2023»
    sure = year is not None
    if year is None:
        year = calendar.today.year + calendar.ahead
    where = listed[0].tag
    if where in "BE":
        return Reading((Spot(year - 1, 12, about=True),), sure)
    return Reading((Spot(year, 1, None if where == "a" else 1, about=True),), sure)


# A date is one of these, whole. "I" may stand where people put it and is dropped, but where it says something.
_POINTS: Final[tuple[tuple[re.Pattern[str], _Rule], ...]] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        (r"I?c", _in_figures),
        (r"I?nny", _in_spaced_figures),
        (r"I?W[^W]*[noec][^W]*|I?[noec][^W]*W", _weekday_and_day),
        (r"I?[noe]I?MI?y|I?MI?e|I?MI?[noe]y|I?yI?[noe]M|I?[noe]I?M", _day),
        (r"I?[noe]M[no]", _day_short_year),
        (r"IM[no]", _in_month_number),
        (r"M[no]", _month_number),
        (r"I?[MS]I?y|I?yI?[MS]|I?[MS]|I?SI?[no]", _month_or_season),
        (r"I?[MS]I?(LY|K)|I?(LY|K)I?[MS]", _of_last_year),
        (r"I?[noe]I?MI?(LY|K)|I?(LY|K)I?[noe]M", _day_of_last_year),
        (r"I?L[MS]", _last),
        (r"I?dS|I?[Ad]Y|I?[MS]I?dY", _that),
        (r"I?SI?y-[yn]|I?SI?n-[ny]", _winter),
        (r"I?y|I?LY|I?K|I?LyY?", _year),
        (r"I[no]", _year_in_two_figures),
        (r"T", _days_off),
        (r"[nhv]?I?[YDGQO]A+|[YDGQO]nA+|[YO]\+A|Z[nh]?I?[YDGQO]|I[nh]I?[YDGQO]", _ago),
        (r"F?[nh][-|E][nh][YDGQO]A+|[YDGQO]n[-|]nA+", _between_agos),
        (r"I?L[GQO]|I?[dA][GQ]", _near),
        (r"I?[noe]I?LO|I?e", _day_of_month),
        (r"I?L?W|I?WI?L[GQ]|I[Q]", _weekday),
        (r"[BEIa]?N(I?y)?", _new_year),
    )
)
# Intervals: "_" stands before the word that parts their sides; whether the words say that it is one.
_RANGES: Final = tuple(
    (re.compile(pattern), certain)
    for pattern, certain in (
        (r"F[^_]+_E[^F]", True),
        (r"w[^_]+_[&-]", True),
        (r"[^Fw_][^_]*_-[^F]", True),
        (r"[^FEBaw_][^_]*_E[^F]", True),
        (r"[^Fw_][^_]*_\|", False),
    )
)
