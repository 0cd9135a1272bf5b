"""The starter vocabulary: facilities and organisations that sources have named, offered to who seems to mean one.

It suggests from a published list and never says more: each entry keeps its source and what the source makes of it
(`flows/data/vocabulary/README.md`). No persons are in it.

    vocabulary = Vocabulary.load()
    vocabulary.facilities("у Зубрёнку", "be")[0].id          # "zubrenok"
    vocabulary.organisations("фонд Талая", "ru")[0].id       # "talai"
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flows import placenames
from flows.placeindex import Index, Nearness
from flows.placetext import LENGTH_CAP, WORDS_CAP

MOST: Final = 5  # suggestions
SLIP_LEAST: Final = 6  # letters of a name before one may be wrong
RUN_MOST: Final = 5  # words of a name

_DATA: Final = Path(__file__).parent / "data" / "vocabulary"
_WORD: Final = re.compile(r"[^\W\d_][\w'’ʼ]*")
_BRACKETED: Final = re.compile(r"\s*\([^)]*\)")
_LANGUAGES: Final = ("uk", "ru", "be", "en")
# What kind a name is of; said beside it, it tells that a facility is meant and not a village.
_KINDS: Final = frozenset(
    placenames.key(word)
    for word in (  # noqa: SIM905 - words read as words
        "табір табору таборі лагерь лагеря лагере лагерю лагер лагеры лагєрь санаторій санаторію санаторії санаторий "
        "санатория санатории санаторыі санаторый больница больницы больнице больницу лікарня лікарні лікарню бальніца "
        "центр центру центры центре готель готелі гостиница гостинице гатэль отель оздоровчий оздоровительный "
        "реабілітаційний реабилитационный camp sanatorium hospital centre center hotel station вокзал вокзале вокзалі "
        "поезд поезде потяг потязі поїзд поїзді цягнік train"
    ).split()
)


@dataclass(frozen=True)
class Entry:
    """A facility or an organisation, as its source has it."""

    id: str
    kind: str
    name: Mapping[str, str]  # uk, ru, be, en
    status: str  # reported, alleged or planned
    source: str
    country: str = ""  # ISO 3166; "" of an organisation
    place: str = ""  # in English, as the source says
    aliases: tuple[str, ...] = ()


class Vocabulary:
    """Facilities and organisations, each list found by any spelling."""

    def __init__(self, facilities: Iterable[Entry], organisations: Iterable[Entry]) -> None:
        """Keep the two lists."""
        self._facilities = _Names(facilities)
        self._organisations = _Names(organisations)

    @classmethod
    def load(cls) -> "Vocabulary":
        """The vocabulary from flows/data/vocabulary: a few milliseconds."""
        aliases: dict[str, list[str]] = {}
        for row in _rows("aliases.csv"):
            aliases.setdefault(row["id"], []).append(row["spelling"])
        facilities = [_entry(row, aliases) for row in _rows("facilities.csv")]
        return cls(facilities, [_entry(row, aliases) for row in _rows("organisations.csv")])

    def facilities(self, text: str, lang: str) -> list[Entry]:
        """At most five facilities that a text may mean, likeliest first; none when nothing is near."""
        return [entry for _, entry in self.found(text, lang)]

    def organisations(self, text: str, lang: str) -> list[Entry]:
        """The same of organisations."""
        return [entry for _, entry in self._organisations.found(text, lang)]

    def found(self, text: str, lang: str) -> list[tuple[Nearness, Entry]]:
        """Facilities, each with how near it is."""
        return self._facilities.found(text, lang)


def names_a_kind(text: str) -> bool:
    """Whether a text says that it speaks of a camp, a sanatorium, a hospital or the like."""
    return not _KINDS.isdisjoint(_words(text))


class _Names:
    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = tuple(entries)
        own: dict[str, list[int]] = {}
        for row, entry in enumerate(self._entries):
            for name in (*entry.name.values(), *entry.aliases):
                rows = own.setdefault(placenames.joined(_words(_BRACKETED.sub("", name))), [])
                if row not in rows:
                    rows.append(row)
        self._index = Index(own, {}, towns=len(self._entries))

    def found(self, text: str, lang: str) -> list[tuple[Nearness, Entry]]:
        words = _words(text)
        near: dict[int, Nearness] = {}
        for length in range(min(RUN_MOST, len(words)), 0, -1):
            for at in range(len(words) - length + 1):
                nearness, rows = self._run(words[at : at + length], lang)
                for row in rows:
                    near[row] = min(near.get(row, Nearness.NOT), nearness)
        ranked = sorted((nearness, row) for row, nearness in near.items())
        return [(nearness, self._entries[row]) for nearness, row in ranked[:MOST]]

    def _run(self, words: tuple[str, ...], lang: str) -> tuple[Nearness, list[int]]:
        found = self._index.named(words)
        if not found[1] and lang == "be":
            found = self._index.named([placenames.belarusian(word) for word in words])
        if not found[1] and _KINDS.isdisjoint(words):
            found = self._index.misspelled_in_any_case(words, least=SLIP_LEAST)
        return found


def _words(text: str) -> tuple[str, ...]:
    found = _WORD.findall(placenames.plain(text[:LENGTH_CAP]))[:WORDS_CAP]
    return tuple(filter(None, map(placenames.from_plain, found)))


def _entry(row: Mapping[str, str], aliases: Mapping[str, Iterable[str]]) -> Entry:
    name = {lang: row[f"name_{lang}"] for lang in _LANGUAGES}
    return Entry(
        row["id"],
        row["kind"],
        name,
        row["status"],
        row["source"],
        row.get("country", ""),
        row.get("place", ""),
        tuple(aliases.get(row["id"], ())),
    )


def _rows(name: str) -> list[dict[str, str]]:
    with (_DATA / name).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))
