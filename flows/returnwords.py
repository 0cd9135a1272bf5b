"""Return words: numbers a person can carry home in their head or on paper.

Each language has a list of 2,048 common words; the line of a word, counted from 0, is its number (11 bits). A list,
once published, is never changed: its version is in its file name, and a new list is a new file. Numbers belong to no
language: words of two lists that begin with the same four letters (folded) have the same number in both.

    words([7, 2047], "en")             # ["action", "zoo"], say
    numbers("ACTION, zoo.", None)      # (7, 2047)

Forgiven: case, punctuation, і for и, у for ў, a soft sign between consonants (сьнег), a slip of a letter, whatever
follows the first four letters by a little. A list is read from its file when it is first needed.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

COUNT: Final = 2048  # words in a list: 11 bits each
LENGTH_CAP: Final = 400  # characters; nothing longer is a phrase: 7 words of at most 8 letters, with room
TOKEN_CAP: Final = 24  # no phrase of ours is longer
KEY: Final = 4  # letters that tell a word from all others of its list
LONGEST: Final = 8  # letters of a word
TAIL_SLIPS: Final = 2  # letters that may differ after those

_FILES: Final = MappingProxyType({lang: f"return-words-{lang}-1.txt" for lang in ("uk", "ru", "be", "en")})
_DATA: Final = Path(__file__).parent / "data"
# Latin i stands in for the Ukrainian letter on many phones; the others are neighbours that people swap.
_SAME: Final = str.maketrans(
    {"і": "и", "ї": "и", "ы": "и", "ў": "у", "ё": "е", "є": "е", "э": "е", "ґ": "г"}
    | dict.fromkeys("'’ʼ`´‘", ""),
)
_LATIN_IN_CYRILLIC: Final = str.maketrans("aceikopxy", "асеикорху")
_CYRILLIC: Final = re.compile(r"[а-яґєіїёў]")
_TOKEN: Final = re.compile(r"[^\W\d_]+")
# Before 1933, and after it abroad, Belarusian wrote what is said: сьнег, песьня, калосьсе. Whoever does is understood.
_SOFTENED: Final = re.compile("(?<=[дзлнсц])ь(?=[бвгджзклмнпрстфхцчшщ])")
_CYRILLIC_FOLDED: Final = "абвгдежзийклмнопрстуфхцчшщьюя"
_LETTERS: Final = MappingProxyType(
    {"en": "abcdefghijklmnopqrstuvwxyz"} | dict.fromkeys(("uk", "ru", "be"), _CYRILLIC_FOLDED),
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
    text = text.strip()
    if len(text) > LENGTH_CAP:
        return None
    tokens = [_fold(token) for token in _TOKEN.findall(_plain(text))]
    if not 0 < len(tokens) <= TOKEN_CAP:
        return None
    lists = [_entries(lang)] if lang in _FILES else [_entries(each) for each in _FILES]
    shortened = max(map(len, tokens)) <= KEY  # whoever notes four letters does so for every word
    for read in (_Entries.shortened if shortened else _Entries.whole, _Entries.forgivingly):
        readings = [meant for entries in lists if (meant := _meant(entries, tokens, read))]
        found = {tuple(number for one in reading for number in one) for reading in readings}
        if found:
            sure = len(found) == 1 and all(len(one) == 1 for reading in readings for one in reading)
            return found.pop() if sure else None
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


def _meant(
    entries: "_Entries", tokens: Sequence[str], read: Callable[["_Entries", str], set[int]]
) -> list[set[int]]:
    """What each token can mean in one list; empty when one of them means nothing there."""
    meant: list[set[int]] = []
    for token in tokens:
        numbers_of = read(entries, token)
        if not numbers_of:
            return []
        meant.append(numbers_of)
    return meant


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFC", text).casefold()
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

    def whole(self, token: str) -> set[int]:
        """The number of a word."""
        return {self.by_fold[token]} if token in self.by_fold else set()

    def shortened(self, token: str) -> set[int]:
        """The number of a word, or of the one that begins with these four letters."""
        found = self.by_fold.get(token, self.by_key.get(token))
        return set() if found is None else {found}

    def forgivingly(self, token: str) -> set[int]:
        """The same, or of every word that a slip of a letter or another ending can make of it."""
        hardened = _SOFTENED.sub("", token)
        if whole := self.whole(token) or self.whole(hardened):
            return whole
        return self._near(token) | (self._near(hardened) if hardened != token else set())

    def _near(self, token: str) -> set[int]:
        near = {self.by_fold[other] for other in one_slip(token, self.lang) if other in self.by_fold}
        begun = self.by_key.get(token[:KEY])
        if begun is not None:
            tail, due = token[KEY:], fold(self.words[begun])[KEY:]
            if not tail or _slips(tail, due) <= TAIL_SLIPS:
                near.add(begun)
        return near


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
