"""Words become tokens: each has a tag of the lexicon, so that a date is an order of tags.

[token.tag for token in tokens("5 вересня 22-го року")] == ["n", "M", "y"]
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from flows.dates.edtf import DECEMBER, Spot
from flows.dates.fold import fold
from flows.dates.lexicon import HALF_YEARS, MONTHS, ORDINAL_ENDINGS, PHRASES, WORDS
from flows.dates.numbers import TENS

_PHRASES: Final = [
    (re.compile(rf"(?<![a-zа-я])(?:{phrase})(?![a-zа-я])"), fold(word)) for phrase, word in PHRASES
]
_END = r"(?![0-9]|[./-][0-9])"
_TOKEN: Final = re.compile(
    rf"(?<![0-9./])(?P<ymd>[0-9]{{4}}([-./])[0-9]{{1,2}}\2[0-9]{{1,2}}){_END}"
    r"|(?<![0-9./])(?P<dmy>[0-9]{1,2}([-./])[0-9]{1,2}\4(?:[0-9]{4}|[0-9]{2}))(?![0-9]|[./][0-9])"
    rf"|(?<![0-9./])(?P<my>[0-9]{{1,2}}[-./][0-9]{{4}}){_END}"
    rf"|(?<![0-9./])(?P<ym>[0-9]{{4}}[-.](?:0?[1-9]|1[0-2])){_END}"
    r"|(?P<half>[0-9]{1,2})[.,]5(?=\s*(?:year|yr|р|г|л|м))"
    r"|(?<![0-9./])(?P<dm>[0-9]{1,2}\.[0-9]{1,2})(?![0-9]|\.[0-9])"
    r"|(?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)"
    r"|(?P<figures>[0-9]+)(?:-?(?P<tail>[a-zа-я]+))?"
    r"|(?P<word>[a-zа-я]+)|(?P<sign>[-~±?/])|(?P<pause>[.;:!…\n()])|(?P<comma>,)|(?P<other>[^\s\"«»“”„])"
)
_CENTURY, _PIVOT = 100, 70  # two figures are of this century up to 69
_FUZZY_LEAST = 6  # letters before one of a month's name may be wrong
_VAGUE_YEAR = frozenset({"рик", "год", "года", "р", "г", "year"})  # "22 года" may be a span of time
_SPOKEN_YEAR = _VAGUE_YEAR | {"року", "роци", "роком", "году", "годи", "годе", "годзе", "годом"}
_NOTHING = Spot()


@dataclass(frozen=True, slots=True)
class Token:
    """A word with its tag; `spot` is what a "c" or "y" says, `sure` whether it can be read one way only."""

    tag: str
    text: str = ""
    value: float = 0
    spot: Spot = _NOTHING
    sure: bool = True

    @property
    def number(self) -> int:
        """Give the value of a number."""
        return int(self.value)


def tokens(folded: str) -> list[Token]:
    """Read a folded text into tokens; years, numbers and New Year's are already put together."""
    listed = counts(folded)
    for pattern, build in _REDUCTIONS:
        listed = _reduced(listed, pattern, build)
    return listed


def counts(folded: str) -> list[Token]:
    """Read a folded text into tokens, of which only numbers are put together."""
    for phrase, word in _PHRASES:
        folded = phrase.sub(word, folded)
    listed = list(_lexed(folded))
    for pattern, build in _COUNTS:
        listed = _reduced(listed, pattern, build)
    return listed


def tags(listed: list[Token]) -> str:
    """Give the tags as one string, a letter a token."""
    return "".join(token.tag for token in listed)


def century(year: int) -> int:
    """Give the year that two figures mean; one of four is itself."""
    if year >= _CENTURY:
        return year
    return year + (2000 if year < _PIVOT else 1900)


def mended(token: Token) -> Token:
    """Give the month a misspelt word must be, never as sure; any other token is itself."""
    if token.tag != "x" or len(token.text) < _FUZZY_LEAST:
        return token
    near = {
        month for word, month in MONTHS.items() if len(word) >= _FUZZY_LEAST and _is_near(word, token.text)
    }
    return replace(token, tag="M", value=near.pop(), sure=False) if len(near) == 1 else token


def _is_near(word: str, written: str) -> bool:
    """Say whether one letter was missed, added, changed, or two exchanged; the first letter is right."""
    if word[0] != written[0] or abs(len(word) - len(written)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(word, written, strict=False)) if a != b), len(word))
    a, b = word[start:], written[start:]
    return a[1:] == b or a == b[1:] or a[1:] == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


def _lexed(folded: str) -> Iterator[Token]:
    for found in _TOKEN.finditer(folded):
        kind, text = found.lastgroup or "", found.group()
        if kind in {"ymd", "dmy", "my", "ym", "dm"}:
            yield written(kind, text)
        elif found["figures"]:
            yield from _figures(found["figures"], found["tail"] or "")
        elif kind == "half":
            yield Token("h", text, int(found["half"]) + 0.5)
        elif kind == "word":
            yield from _word(text)
        elif kind == "sign":
            yield Token({"±": "~", "/": "-"}.get(text, text))
        elif kind in {"pause", "comma"}:
            yield Token(";", text)
        elif kind == "other":
            yield Token("x")


def _word(text: str) -> Iterator[Token]:
    if text in HALF_YEARS:
        yield Token("h", text, 0.5)
        yield Token("Y", text)
        return
    tag, value = WORDS.get(text, ("x", 0))
    yield Token(tag, text, value, sure=not (tag == "h" and value == 2))  # noqa: PLR2004 - "a couple" may be three


def written(kind: str, text: str) -> Token:
    """Read a date in figures. Day before month, as is the custom; with "/" or "-" that is not sure."""
    numbers = [int(number) for number in re.split(r"[-./]", text)]
    if kind in {"ymd", "ym"}:
        year, month = numbers[:2]
        day = numbers[2] if kind == "ymd" else None
        # "2009-10" may be two years.
        sure = kind == "ymd" or month <= year % _CENTURY
        return Token("c", text, spot=Spot(year, month, day), sure=sure)
    if kind == "my":
        return Token("c", text, spot=Spot(numbers[1], numbers[0]))
    day_, month, *years = numbers
    if kind == "dm":
        if month > DECEMBER:  # "09.22"
            return Token("c", text, spot=Spot(century(month), day_), sure=False)
        return Token("c", text, spot=Spot(None, month, day_), sure=False)
    dots = "." in text
    if not dots and month > DECEMBER >= day_:
        day_, month = month, day_
    sure = dots or max(day_, month) > DECEMBER or day_ == month
    return Token("c", text, spot=Spot(century(years[0]), month, day_), sure=sure)


def _figures(figures: str, tail: str) -> Iterator[Token]:
    number = int(figures) if len(figures) <= 4 else -1  # noqa: PLR2004 - longer ones are of telephones
    ordinal = tail in ORDINAL_ENDINGS and tail not in {"г", "р"}
    behind = WORDS.get(tail, ("", 0))[0]
    if tail and not ordinal and behind not in {"Y", "D", "G", "Q", "O"}:
        yield Token("x", figures + tail)
        return
    if len(figures) == 4:  # noqa: PLR2004 - a year has four figures
        yield Token("y", figures, spot=Spot(number))
    elif 0 <= number < _CENTURY and len(figures) <= 2:  # noqa: PLR2004 - a day or a short year
        yield Token("o" if ordinal else "n", figures, number)
    else:
        yield Token("x", figures)
    if tail and not ordinal:
        yield Token(behind, tail)


def _reduced(
    listed: list[Token], pattern: re.Pattern[str], build: Callable[[list[Token]], Token | None]
) -> list[Token]:
    """Put a token in place of those that match; where `build` gives None they stay."""
    after: list[Token] = []
    last = 0
    for found in pattern.finditer(tags(listed)):
        token = build(listed[found.start() : found.end()])
        if token is not None:
            after += [*listed[last : found.start()], token]
            last = found.end()
    return after + listed[last:]


def _twenty_two(parts: list[Token]) -> Token | None:
    ten, one = parts
    if ten.text.isalpha() and one.text.isalpha() and ten.number in TENS and 0 < one.number < 10:  # noqa: PLR2004
        return replace(one, value=ten.value + one.value)
    return None


def _thousands(parts: list[Token]) -> Token | None:
    if parts[0].number != 2:  # noqa: PLR2004 - two thousand and something
        return None
    return Token("y", spot=Spot(2000 + sum(part.number for part in parts[2:])))


def _new_year(parts: list[Token]) -> Token:
    year = next((part for part in parts[1:] if part.tag in "yno"), None)
    if year is None:
        return Token("N")
    return Token("N", spot=year.spot if year.tag == "y" else Spot(century(year.number)))


def _days_number(parts: list[Token]) -> Token | None:
    number, word = parts
    if word.text in {"числах", "чисел", "днях"}:  # in the first days of …
        return Token("P", word.text)
    return replace(number, tag="e") if word.tag == "s" and number.tag != "P" else None


def _short_year(parts: list[Token]) -> Token | None:
    """Read "22 року", "22-го года" behind a month, a season or "in"; "22 роки" is a span of time and stays."""
    number, word = parts
    if word.text not in _SPOKEN_YEAR or (number.number < 10 and not number.text.startswith("0")):  # noqa: PLR2004
        return None
    return Token("y", number.text, spot=Spot(century(number.number)))


def _in_short_year(parts: list[Token]) -> Token | None:
    """Read «в 22 году»; «в 22 года» is an age."""
    return _short_year(parts) if parts[0].tag == "o" or parts[1].text != "года" else None


def _bare_short_year(parts: list[Token]) -> Token | None:
    year = _short_year(parts)
    if year is None:
        return None
    return replace(year, sure=parts[0].tag == "o" or parts[1].text not in _VAGUE_YEAR)


_Reductions = tuple[tuple[re.Pattern[str], Callable[[list[Token]], Token | None]], ...]
_COUNTS: Final[_Reductions] = (
    (re.compile(r"n[no]"), _twenty_two),
    (re.compile(r"n\+"), lambda parts: replace(parts[0], tag="h", value=parts[0].value + 0.5)),
)
_REDUCTIONS: Final[_Reductions] = (
    (re.compile(r"nk[no]?"), _thousands),
    (re.compile(r"J[yno]?Y|Jy"), _new_year),
    (re.compile(r"[noP][sD]"), _days_number),
    (re.compile(r"[no]P"), lambda parts: parts[1]),
    (re.compile(r"[cy]Y"), lambda parts: parts[0]),
    (re.compile(r"(?<=[MS])[no]Y(?!A)"), _short_year),
    (re.compile(r"(?<=I)[no]Y(?!A)"), _in_short_year),
    (re.compile(r"(?<![MSIZ])[no]Y(?!A)"), _bare_short_year),
    (re.compile(r"MO"), lambda parts: parts[0]),
)
