"""A text becomes the settlements that it may mean, likeliest first, and how near they are.

What was written is first taken for a name, then for a name among other words; last, Latin letters are read otherwise.
Areas named beside it leave only the settlements that lie there, if any does.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from flows import placenames
from flows.placeindex import NOTHING, Found, Index, Nearness, Skipped
from flows.placetext import NOT_A_NAME, PREPOSITIONS, Area, Asked, Words, otherwise, read

CORE_MOST: Final = 3  # words of a name among others
GUESSED_MOST: Final = 6  # words of a sentence guessed at
BESIDE_MOST: Final = 2
ADJECTIVE: Final = re.compile(r"[сц]к(а|ая|ии|ои|аи|ого|ога|ому|аму|ое|ае|у|ую|им|ом)$")
BEGUN_LEAST: Final = 6  # letters after a preposition before a name may be completed: «у тети» is an aunt
SKIPPED: Final = Skipped(NOT_A_NAME | PREPOSITIONS, PREPOSITIONS)
STEM_LEAST: Final = 4  # letters that an area's name keeps in all cases


class Ground(Protocol):
    """A gazetteer's settlements, as rows: how they are named and where they lie."""

    @property
    def index(self) -> Index:
        """Their names."""
        ...

    def areas_of(self, row: int) -> Iterator[tuple[frozenset[str], bool]]:
        """Keys of the name of each area that it lies in, and whether that is an oblast."""
        ...

    def near(self, row: int) -> str:
        """What is the same for all that lie near it."""
        ...

    def chief(self, area: str) -> list[int]:
        """The chief settlements of the raions of this name."""
        ...


def search(text: str, lang: str, ground: Ground) -> Found:
    """Give the rows, likeliest first, and how near they are; none when nothing is near."""
    best = _search(read(text), lang, ground)
    for other, exactly in otherwise(text, lang) if best[0] > Nearness.INFLECTED else ():
        found = _search(read(other), lang, ground)
        if found[0] < best[0] and (found[0] <= Nearness.INFLECTED or not exactly):
            best = found
    return best


def same_area(asked: str, name: str) -> bool:
    """Whether an area's name, in any case, is this adjective: «донецкая», «донецькій», “Donetsk”."""
    stem = max(STEM_LEAST, min(len(asked), len(name)) - 3)
    return bool(name) and asked[:stem] == name[:stem]


def _search(asked: Asked, lang: str, ground: Ground) -> Found:
    if not asked.bare:
        chief = [row for area in asked.areas if not area.oblast for row in ground.chief(area.key)]
        return (Nearness.INFLECTED, chief) if chief else NOTHING
    nearness, rows = _named(asked, lang, ground.index)
    if nearness > Nearness.INFLECTED and (found := _of_an_area(asked, ground)):
        return Nearness.INFLECTED, found
    if nearness is Nearness.NOT:
        # «Антрацитовская школа»: the town by which a raion is named.
        chief = [row for word in asked.words if ADJECTIVE.search(word) for row in ground.chief(word)[:1]]
        return (Nearness.GUESSED, chief) if chief else NOTHING
    rows = _there(rows, asked.areas, ground)
    close = [row for words in asked.beside[:BESIDE_MOST] for row in _close(words, rows[0], ground)]
    rows = [*close, *rows] if asked.near else [*rows[:1], *close, *rows[1:]]
    return nearness, list(dict.fromkeys(rows))


def _of_an_area(asked: Asked, ground: Ground) -> list[int]:
    """«Ивановка Херсонская»: a name beside the adjective of its oblast or raion."""
    for name, adjective in ((asked.bare[:-1], asked.bare[-1]), (asked.bare[1:], asked.bare[0])):
        if name and ADJECTIVE.search(adjective):
            rows = ground.index.named(name, oblique=asked.near)[1]
            if inside := [row for row in rows if _lies_in(row, Area(adjective), ground)]:
                return inside
    return []


def _named(asked: Asked, lang: str, index: Index) -> Found:
    found = index.named(asked.written) if asked.written != asked.bare else NOTHING
    if found[0] is not Nearness.EXACT:
        # In Russian and Belarusian -ске ends a locative; a Ukrainian village of that name is not what is meant first.
        oblique = asked.near or (lang in {"ru", "be"} and asked.bare[-1].endswith("ске"))
        found = min(index.named(asked.bare, oblique=oblique), found)
    ordinary = placenames.joined(asked.bare) in NOT_A_NAME
    if found[0] is Nearness.EXACT or (found is not NOTHING and not ordinary):
        return found
    return NOTHING if ordinary else _beyond(asked, lang, index)


def _beyond(asked: Asked, lang: str, index: Index) -> Found:
    """What is not a name as it stands: Belarusian letters, slips, words around it."""
    for words in _readings(asked.bare, lang):
        key = placenames.joined(words)
        begun = not asked.near or len(key) >= BEGUN_LEAST
        for found in (index.named(words), index.alike(key) if begun else index.misspelled(key)):
            if found is not NOTHING:
                return found
    core = tuple(word for word in asked.words if word not in NOT_A_NAME and word not in PREPOSITIONS)
    if 0 < len(core) <= CORE_MOST and core != asked.bare:
        found = index.named(core, oblique=True)
        if found is not NOTHING:
            return found
    found = index.within(asked.words, SKIPPED, asked.marked)
    return found if found is not NOTHING else index.guessed(core[:GUESSED_MOST])


def _readings(words: Words, lang: str) -> Iterator[Words]:
    yield words
    if lang == "be" or any("дз" in word for word in words):
        hard = tuple(map(placenames.belarusian, words))
        if hard != words:
            yield hard


def _close(words: Words, row: int, ground: Ground) -> list[int]:
    """The rows exactly so named that lie near this one."""
    return [
        other
        for other in ground.index.exact(placenames.joined(words))
        if ground.near(other) == ground.near(row)
    ]


def _there(rows: list[int], areas: Iterable[Area], ground: Ground) -> list[int]:
    """The rows that lie in the areas named beside them, if any does; all of them else."""
    for area in areas:
        inside = [row for row in rows if _lies_in(row, area, ground)]
        if not inside and area.town:
            towns = ground.index.exact(area.key) or ground.index.inflected((area.key,))
            around = {ground.near(min(towns))} if towns else set()
            inside = [row for row in rows if ground.near(row) in around]
        rows = inside or rows
    return rows


def _lies_in(row: int, area: Area, ground: Ground) -> bool:
    return any(
        same_area(area.key, name)
        for names, oblast in ground.areas_of(row)
        if oblast or not area.oblast
        for name in names
    )
