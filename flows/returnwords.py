"""Return words: numbers a person can carry home in their head or on paper.

Each language has a list of 2,048 common words; the line of a word, counted from 0, is its number (11 bits). A list,
once published, is never changed: its version is in its file name, and a new list is a new file. Numbers belong to no
language: a spelling that stands in two lists has the same number in both.

    words([7, 2047], "en")             # ["action", "zoo"], say
    numbers("ACTION, zoo.", None)      # (7, 2047)

Forgiven: case, punctuation, і for и, у for ў, a slip of a letter, whatever follows the first four letters by a little.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

COUNT: Final = 2048  # words in a list: 11 bits each
LENGTH_CAP: Final = 400  # characters read of a text: 7 words of at most 8 letters, with room
TOKEN_CAP: Final = 24  # no phrase of ours is longer
KEY: Final = 4  # letters that tell a word from all others of its list
LONGEST: Final = 8  # letters of a word
TAIL_SLIPS: Final = 2  # letters that may differ after those

_FILES: Final = MappingProxyType({lang: f"return-words-{lang}-1.txt" for lang in ("uk", "en")})
_DATA: Final = Path(__file__).parent / "data"
# Latin i stands in for the Ukrainian letter on many phones; the others are neighbours that people swap.
_SAME: Final = str.maketrans(
    {"і": "и", "ї": "и", "ы": "и", "ў": "у", "ё": "е", "є": "е", "э": "е", "ґ": "г"}
    | dict.fromkeys("'’ʼ`´‘", ""),
)
_LATIN_IN_CYRILLIC: Final = str.maketrans("aceikopxy", "асеикорху")
_CYRILLIC: Final = re.compile(r"[а-яґєіїёў]")
_TOKEN: Final = re.compile(r"[^\W\d_]+")
_LETTERS: Final = MappingProxyType(
    {"en": "abcdefghijklmnopqrstuvwxyz", "uk": "абвгдежзийклмнопрстуфхцчшщьюя"},
)


def languages() -> tuple[str, ...]:
    """The languages that have a list, in the order in which a phrase of unknown language is tried."""
    return tuple(_FILES)


def words(numbers: Sequence[int], lang: str) -> list[str]:
    """The words of these numbers (0..2047) in a language.

    IndexError: a number that no word has. LookupError: a language without a list.
    """
    entries = _entries(lang).words
    if any(number not in range(COUNT) for number in numbers):
        raise IndexError("a return word's number is from 0 to 2047")
    return [entries[number] for number in numbers]


def numbers(text: str, lang: str | None = None) -> tuple[int, ...] | None:
    """The numbers of the words in a text, one for each word in it, or None when any is not a return word.

    `lang` None tries every list; when two lists read the text differently, it is None too: never a guess.
    """
    tokens = [_fold(token) for token in _TOKEN.findall(_plain(text))]
    if not 0 < len(tokens) <= TOKEN_CAP:
        return None
    lists = [_entries(lang)] if lang in _FILES else [_entries(each) for each in _FILES]
    for read in (_Entries.exactly, _Entries.forgivingly):
        found = {
            tuple(number for number in line if number is not None)
            for line in ([read(entries, token) for token in tokens] for entries in lists)
            if None not in line
        }
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def fold(word: str) -> str:
    """A word with its forgiven letters made one: two words of a list never fold to the same."""
    return _fold(_plain(word))


def one_slip(folded: str, lang: str) -> set[str]:
    """Every spelling one slip away from a folded word: a letter lost, added or changed, or two neighbours swapped."""
    if len(folded) > LONGEST + 1:
        return set()
    letters = _LETTERS[lang]
    cuts = [(folded[:at], folded[at:]) for at in range(len(folded) + 1)]
    return (
        {left + right[1:] for left, right in cuts if right}
        | {left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1}
        | {left + letter + right[1:] for left, right in cuts if right for letter in letters}
        | {left + letter + right for left, right in cuts for letter in letters}
    )


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFC", text[:LENGTH_CAP]).casefold()
    return plain.translate(dict.fromkeys(map(ord, "'’ʼ`´‘\u0301\u00ad\u200b\u200c\u200d\u2060\ufeff")))


def _fold(token: str) -> str:
    if _CYRILLIC.search(token):
        token = token.translate(_LATIN_IN_CYRILLIC)
    return token.translate(_SAME)


@dataclass(frozen=True)
class _Entries:
    words: tuple[str, ...]
    by_fold: Mapping[str, int]
    by_key: Mapping[str, int]
    lang: str

    def exactly(self, token: str) -> int | None:
        """The number of a whole word, or of its first four letters alone."""
        found = self.by_fold.get(token)
        return self.by_key.get(token) if found is None else found

    def forgivingly(self, token: str) -> int | None:
        """The same, with a slip of a letter or an ending that differs, when only one word explains it."""
        exact = self.exactly(token)
        if exact is not None:
            return exact
        meant = {self.by_fold[other] for other in one_slip(token, self.lang) if other in self.by_fold}
        begun = self.by_key.get(token[:KEY])
        if begun is not None and _slips(token[KEY:], fold(self.words[begun])[KEY:]) <= TAIL_SLIPS:
            meant.add(begun)
        return meant.pop() if len(meant) == 1 else None


@cache
def _entries(lang: str) -> _Entries:
    if lang not in _FILES:
        raise LookupError(f"no return words in {lang!r}")
    lines = tuple((_DATA / _FILES[lang]).read_text(encoding="utf-8").split())
    folded = {fold(word): number for number, word in enumerate(lines)}
    keys = {word[:KEY]: number for word, number in folded.items()}
    if not len(lines) == len(folded) == len(keys) == COUNT:
        raise LookupError(f"{_FILES[lang]} does not hold {COUNT} distinct words")
    return _Entries(lines, folded, keys, lang)


def _slips(left: str, right: str) -> int:
    """Levenshtein distance of two short strings."""
    row = list(range(len(right) + 1))
    for above, letter in enumerate(left):
        previous, row[0] = row[0], above + 1
        for at, other in enumerate(right, 1):
            previous, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, previous + (letter != other))
    return row[-1]
