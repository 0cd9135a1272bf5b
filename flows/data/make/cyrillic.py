"""Which of the spellings that GeoNames lists without their languages is Ukrainian, Russian or Belarusian.

A spelling is taken for a language's only if it has what tells that language and nothing that it never writes. Of
several, the one nearest to what is expected is kept; where none is left, nothing is.
"""

import re
from collections.abc import Iterable
from typing import Final

from flows.placenames import key, skeleton, slips

CYRILLIC: Final = re.compile(r"[А-ЩЬЮЯЄІЇҐЁЎЫЪЭа-щьюяєіїґёўыъэ’'ʼ \-]+")
MOST: Final = 8  # letters counted between two spellings
SLIPS: Final = 3  # letters by which a spelling may differ from the expected one
# What no Russian spelling has: letters of its neighbours, and syllables that its orthography never writes.
NOT_RUSSIAN: Final = re.compile(
    r"(?i)[іїєґў’'ʼ]|[зсц]ьк|[зс]ь[цдн]|дз(?:[яі]|е(?!рж))|ць|[кгхжшщчц][ыэ]|\Bэ|ъ[^еёюя]|ъ$|йо|ьо"
)
NOT_UKRAINIAN: Final = re.compile(r"(?i)[ыэёъўґ]|дз[іея]|ці$")
UKRAINIAN: Final = re.compile(r"(?i)[іїєґ]|[зсц]ьк|ць$|ьо|йо")
NOT_BELARUSIAN: Final = re.compile(r"(?i)[ищъїєґ]|[зсц]ьк")
BELARUSIAN: Final = re.compile(r"(?i)[іў]|\Bэ|дз[еяіь]|[жшчцр]ы")
TELLING: Final = re.compile(r"[ыьёіўє]")  # letters that other alphabets of the neighbourhood lack
# What is “town” in neighbours' languages, beside a name.
NICKNAME: Final = re.compile(r"(?i)^горад | (ош|оштё|ола|хот|шаары)$")
ENDINGS: Final = (
    ("([зсц])ьк", r"\1к"),
    (r"ивка\b", "овка"),
    (r"иив\b", "иев"),
    (r"и\b", "ы"),
    (r"не\b", "ное"),
    (r"ве\b", "во"),
)
RUSSIAN_LETTERS: Final = str.maketrans("іїєґ", "ииег", "’")


def russian_of(uk: str, spellings: Iterable[str]) -> str:
    """The Russian spelling among these of a name that is the same in both languages but for its letters."""
    folded, guess = key(uk), uk.lower().translate(RUSSIAN_LETTERS)
    for theirs, ours in ENDINGS:
        guess = re.sub(theirs, ours, guess)
    near = [
        (slips(name.lower(), guess, SLIPS), name)
        for name in spellings
        if CYRILLIC.fullmatch(name)
        and not NOT_RUSSIAN.search(name)
        and skeleton(key(name)) == skeleton(folded)
    ]
    close = sorted(pair for pair in near if pair[0] <= SLIPS)
    return close[0][1] if close and close[0][1] != uk else ""


def three(name: str, spellings: Iterable[str]) -> dict[str, str]:
    """Ukrainian, Russian, Belarusian spellings of a name abroad, given in Latin letters; "" where none is certain."""
    cyrillic = sorted(one for one in spellings if CYRILLIC.fullmatch(one))
    around = [key(name), *map(key, cyrillic)]
    russian = _midmost([one for one in cyrillic if not NOT_RUSSIAN.search(one)], around)
    expected = [key(russian or name)]
    ukrainian = [one for one in cyrillic if UKRAINIAN.search(one) and not NOT_UKRAINIAN.search(one)]
    belarusian = [one for one in cyrillic if BELARUSIAN.search(one) and not NOT_BELARUSIAN.search(one)]
    both = set(ukrainian) & set(belarusian)  # of a spelling that is either, which one is not told
    return {
        "uk": _midmost([one for one in ukrainian if one not in both] or ukrainian, expected),
        "ru": russian,
        "be": _midmost([one for one in belarusian if one not in both] or belarusian, expected),
    }


def _midmost(names: Iterable[str], around: list[str]) -> str:
    """The one that differs least from all around: languages of the neighbourhood lie round the common spelling."""
    return min(
        names,
        key=lambda one: (
            sum(slips(key(one), other, MOST) for other in around),
            -one.count("-"),
            -len(TELLING.findall(one)),
            one,
        ),
        default="",
    )
