"""The tables of places as they lie in flows/data: Ukraine by its codifier, Belarus and Russia by GeoNames.

Each is a list of rows, best known first: a row's number is its rank. Names, areas and positions are read from a row
when they are asked for.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final

from flows import placenames
from flows.nearby import Point
from flows.placeindex import Index
from flows.placesearch import same_area

CODE_LENGTH: Final = 19  # of KATOTTG
RAION: Final = 6  # characters of its code that tell the raion
OBLAST: Final = 4
CHIEF_MOST: Final = 5
FOREIGN_TOWNS: Final = 600  # known well enough to be guessed at

_DATA: Final = Path(__file__).parent / "data"
_KINDS: Final = MappingProxyType({"K": "city", "M": "city", "X": "settlement", "C": "village"})

_AREA_WORDS: Final = frozenset(
    placenames.key(word)
    for word in (  # noqa: SIM905 - words read as words
        "область район громада вобласць раён край округ акруга oblast raion hromada region krai okrug republic "
        "автономна автономная аўтаномная республіка республика рэспубліка autonomous of"
    ).split()
)

Names = Mapping[str, str]  # by language: uk, ru, be, en
NOWHERE: Final[Names] = MappingProxyType(dict.fromkeys(("uk", "ru", "be", "en"), ""))


def _lines(name: str) -> list[str]:
    return (_DATA / name).read_text(encoding="utf-8").splitlines()


def _area_keys(names: Iterable[str]) -> frozenset[str]:
    """Keys of the words of an area's name, but what kind of area it is."""
    words = {placenames.key(word) for name in names for word in name.split(" ")}
    return frozenset(words - _AREA_WORDS - {""})


def _add(keys: dict[str, list[int]], key: str, row: int) -> None:
    rows = keys.setdefault(key, [])
    if not rows or rows[-1] != row:
        rows.append(row)


def _keys_of(names: str) -> list[str]:
    """Keys of spellings parted by semicolons; most are Cyrillic, and folded all at once."""
    if names.isascii():
        return [placenames.key(name) for name in names.split(";")]
    return placenames.keys_of_lines(names.replace(";", "\n"))


class Ukraine:
    """Every settlement of Ukraine; a row is `code,kind,uk,ru,be,position,lately,others`."""

    def __init__(self) -> None:
        self._rows = _lines("settlements.csv")
        self._numbers = {row[:CODE_LENGTH]: number for number, row in enumerate(self._rows)}
        self._areas: dict[str, Names] = {}
        for line in _lines("areas.csv"):
            code, uk, en, ru, be = line.split(",")
            self._areas[code] = {"uk": uk, "ru": ru or uk, "be": be or uk, "en": en}
        self._area_keys: dict[str, frozenset[str]] = {}  # filled as areas are asked for
        self.index = self._indexed()

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, code: str) -> int | None:
        """The row of this code."""
        return self._numbers.get(code)

    def code(self, row: int) -> str:
        """Its KATOTTG code."""
        return self._rows[row][:CODE_LENGTH]

    def kind(self, row: int) -> str:
        """City, settlement or village."""
        return _KINDS[self._cells(row)[1]]

    def country(self, row: int) -> str:  # noqa: ARG002 - of any row
        """ISO 3166 code."""
        return "UA"

    def names(self, row: int) -> Names:
        """Its name in four languages: in Ukrainian where no source spells it in that language."""
        uk, ru, be = self._cells(row)[2:5]
        return {"uk": uk, "ru": ru or uk, "be": be or uk, "en": placenames.romanised(uk)}

    def spellings(self, row: int) -> tuple[str, ...]:
        """Names it had, and other spellings."""
        *_, lately, others = self._cells(row)
        return tuple(name for name in (*lately.split(";"), *others.split(";")) if name)

    def hromada(self, row: int) -> Names:
        """Its hromada: empty names for Kyiv and Sevastopol, as of its raion."""
        return self._areas.get(self._rows[row][:9], NOWHERE)

    def raion(self, row: int) -> Names:
        """Today's, of 2020."""
        return self._areas.get(self._rows[row][:RAION], NOWHERE)

    def oblast(self, row: int) -> Names:
        """Its oblast; Crimea, Kyiv and Sevastopol are on the same level."""
        return self._areas[self._rows[row][:OBLAST]]

    def area(self, code: str) -> Names | None:
        """What the beginning of a code stands for: an oblast, raion, hromada or one settlement; None if nothing."""
        row = self._numbers.get(code)
        return self._areas.get(code) if row is None else self.names(row)

    def raion_before(self, row: int) -> Names:
        """The raion before 2020; empty where none is known, or the town lay apart."""
        number = self._before.get(self.code(row))
        return {} if number is None else self._raions_before[number][0]

    def mistakable(self, row: int) -> bool:
        """Whether its name may mean a place that is not in the codifier: a town abroad, or a village renamed since."""
        return self.code(row) in self._mistakable

    def position(self, row: int) -> Point | None:
        """Latitude and longitude, to about a kilometre."""
        at = self._cells(row)[5]
        if not at:
            return None
        north, east = at.split(" ")
        return float(north), float(east)

    def areas_of(self, row: int) -> Iterator[tuple[frozenset[str], bool]]:
        """Keys of the words of each area's name."""
        code = self._rows[row]
        for length in (OBLAST, RAION, 9):
            yield self._keyed(code[:length], self._areas.get(code[:length], NOWHERE)), length == OBLAST
        number = self._before.get(code[:CODE_LENGTH])
        if number is not None:
            yield self._keys_before[number], False

    def near(self, row: int) -> str:
        """The raion: those of one raion are near."""
        return self._rows[row][:RAION]

    def chief(self, area: str) -> list[int]:
        """The centres of the old raions so named, then of today's, with the largest settlements beside them."""
        centres: list[int] = []
        found: list[int] = []
        for number, (_, centre, codes) in enumerate(self._raions_before):
            if any(same_area(area, name) for name in self._keys_before[number]):
                centres.append(self._numbers[centre])
                found += sorted(self._numbers[code] for code in codes)[:CHIEF_MOST]
        for code, names in self._areas.items():
            if len(code) == RAION and any(same_area(area, name) for name in self._keyed(code, names)):
                inside = [row for row, line in enumerate(self._rows) if line.startswith(code)]
                inside.sort(key=lambda row: (not same_area(area, placenames.key(self._cells(row)[2])), row))
                found += inside[:CHIEF_MOST]
        return list(dict.fromkeys([*centres, *found]))

    def _cells(self, row: int) -> list[str]:
        return self._rows[row].split(",", 7)

    def _keyed(self, code: str, names: Names) -> frozenset[str]:
        if code not in self._area_keys:
            self._area_keys[code] = _area_keys(names.values())
        return self._area_keys[code]

    @cached_property
    def _mistakable(self) -> frozenset[str]:
        return frozenset(_lines("mistakable.txt"))

    @cached_property
    def _raions_before(self) -> list[tuple[Names, str, list[str]]]:
        """Each raion of before 2020: its name, the code of its centre, codes of what lay in it."""
        found: list[tuple[Names, str, list[str]]] = []
        for line in _lines("raions-before.csv"):
            uk, en, ru, be, _, _, centre, codes = line.split(",")
            found.append(({"uk": uk, "ru": ru, "be": be, "en": en}, centre, codes.split(" ")))
        return found

    @cached_property
    def _keys_before(self) -> list[frozenset[str]]:
        older = [line.split(",")[4].split(";") for line in _lines("raions-before.csv")]
        pairs = zip(self._raions_before, older, strict=True)
        return [_area_keys([*names.values(), *old]) for (names, _, _), old in pairs]

    @cached_property
    def _before(self) -> Mapping[str, int]:
        return {code: number for number, (_, _, codes) in enumerate(self._raions_before) for code in codes}

    def _indexed(self) -> Index:
        cells = [row.split(",", 7) for row in self._rows]
        keys = placenames.keys_of_lines("\n".join([cell[2] for cell in cells]))
        russian = placenames.russian_keys(keys)
        own: dict[str, list[int]] = {}
        other: dict[str, list[int]] = {}
        towns = 0
        for number, (_, kind, _, ru, be, _, lately, others) in enumerate(cells):
            towns += kind in "KM"
            key, regular = keys[number], russian[number]
            own.setdefault(key, []).append(number)
            if regular != key:
                own.setdefault(regular, []).append(number)
            if ru or be or lately:
                for name in _keys_of(";".join(name for name in (ru, be, lately) if name)):
                    _add(own, name, number)
            if others:
                for name in _keys_of(others):
                    _add(other, name, number)
        return Index(own, other, towns=towns)


class Abroad:
    """Towns of Belarus and Russia; a row is `geonameid,region,kind,uk,ru,be,en,position,others`."""

    def __init__(self) -> None:
        self._rows = _lines("abroad.csv")
        self._regions = {}
        for line in _lines("abroad-regions.csv"):
            code, uk, en, ru, be = line.split(",")
            self._regions[code] = {"uk": uk, "ru": ru, "be": be, "en": en}
        self._region_keys = {code: _area_keys(names.values()) for code, names in self._regions.items()}
        self.index = self._indexed()

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        return {self.code(row): row for row in range(len(self._rows))}

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, code: str) -> int | None:
        """The row of this code."""
        return self._numbers.get(code)

    def code(self, row: int) -> str:
        """GeoNames' id, said to be one."""
        return f"geonames:{self._cells(row)[0]}"

    def kind(self, row: int) -> str:
        """City or settlement."""
        return _KINDS[self._cells(row)[2]]

    def country(self, row: int) -> str:
        """ISO 3166 code."""
        return self._cells(row)[1][:2]

    def names(self, row: int) -> Names:
        """Its name in four languages: where none is known, in that of the country, else in Latin letters."""
        uk, ru, be, en = self._cells(row)[3:7]
        return {"uk": uk or ru or be or en, "ru": ru or be or en, "be": be or ru or en, "en": en}

    def spellings(self, row: int) -> tuple[str, ...]:
        """Other spellings."""
        return tuple(name for name in self._cells(row)[8].split(";") if name)

    def hromada(self, row: int) -> Names:  # noqa: ARG002 - of no row
        """Unknown."""
        return NOWHERE

    def raion(self, row: int) -> Names:  # noqa: ARG002 - of no row
        """Unknown."""
        return NOWHERE

    def raion_before(self, row: int) -> Names:  # noqa: ARG002 - of no row
        """None."""
        return {}

    def mistakable(self, row: int) -> bool:  # noqa: ARG002 - of any row
        """Always: the list is of towns only."""
        return True

    def oblast(self, row: int) -> Names:
        """The region."""
        return self._regions[self._cells(row)[1]]

    def position(self, row: int) -> Point | None:
        """Latitude and longitude, to about a kilometre."""
        north, east = self._cells(row)[7].split(" ")
        return float(north), float(east)

    def areas_of(self, row: int) -> Iterator[tuple[frozenset[str], bool]]:
        """Keys of the words of the region's name."""
        yield self._region_keys[self._cells(row)[1]], True

    def near(self, row: int) -> str:
        """The region."""
        return self._cells(row)[1]

    def chief(self, area: str) -> list[int]:  # noqa: ARG002 - of no area
        """None: districts are unknown."""
        return []

    def _cells(self, row: int) -> list[str]:
        return self._rows[row].split(",", 8)

    def _indexed(self) -> Index:
        own: dict[str, list[int]] = {}
        other: dict[str, list[int]] = {}
        for row in range(len(self._rows)):
            *_, uk, ru, be, en, _, others = self._cells(row)
            for name in {placenames.key(name) for name in (uk, ru, be, en) if name}:
                _add(own, name, row)
            for name in _keys_of(others) if others else ():
                _add(other, name, row)
        return Index(own, other, towns=FOREIGN_TOWNS)
