"""The gazetteer: what a person wrote of a place becomes at most five settlements to choose from, or none.

It knows only what is published: every settlement of the codifier (KATOTTG), Crimea and Sevastopol among them, with old
names and other languages' spellings where a source has them; and, when asked, towns of Belarus and Russia. It
suggests, it never decides, and nothing it answers depends on what anyone reported.

    places = Places.load()
    places.suggest("біля Харцизька", "uk")[0].name["en"]    # "Khartsyzk"
    places.suggest("не знаю", "uk")                         # []
    places.suggest("у Мядзеле", "be", countries=("UA", "BY"))[0].country    # "BY"
    places.nearest(48.01, 37.81)                            # Nearest(Place Donetsk, km=2)
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from flows.gazetteer import Abroad, Ukraine
from flows.nearby import Points
from flows.placeindex import Nearness
from flows.placesearch import search

LANGUAGES: Final = ("uk", "ru", "be", "en")
MOST: Final = 5  # suggestions
NEAREST_KM: Final = 30  # beyond it a settlement says nothing of a point
HOME: Final = "UA"
COUNTRIES: Final = (HOME, "BY", "RU")


@dataclass(frozen=True)
class Place:
    """A settlement, named in uk, ru, be and en: in Ukrainian where no source spells it in that language.

    Its raion before 2020 is empty where no source tells it or the town lay apart from raions; abroad all raions are.
    """

    id: str  # KATOTTG code, 19 characters; abroad "geonames:" and a number
    kind: str  # city, settlement or village
    name: Mapping[str, str]
    hromada: Mapping[str, str]  # "" for Kyiv and Sevastopol, as is raion
    raion: Mapping[str, str]
    oblast: Mapping[str, str]
    country: str = HOME  # ISO 3166
    raion_before: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()  # names it had and other spellings
    mistakable: bool = False  # its name alone may mean another place: a town abroad, a village renamed since


@dataclass(frozen=True)
class Nearest:
    """A settlement near a point, and how far, in whole km."""

    place: Place
    km: int


class Places:
    """All settlements. Those abroad, and the map, are read when they are first asked for."""

    def __init__(self, ukraine: Ukraine) -> None:
        """Keep the gazetteer of Ukraine."""
        self._ukraine = ukraine

    @classmethod
    def load(cls) -> "Places":
        """The gazetteer from flows/data: read once by a process, some tens of milliseconds."""
        return cls(Ukraine())

    def __len__(self) -> int:
        return len(self._ukraine)

    def get(self, code: str) -> Place | None:
        """The settlement with this KATOTTG code, or with this id abroad."""
        ground = self._abroad if code.startswith("geonames:") else self._ukraine
        row = ground.find(code)
        return None if row is None else _place(ground, row)

    def suggest(self, text: str, lang: str, countries: Collection[str] = (HOME,)) -> list[Place]:
        """At most five settlements that a text may mean, likeliest first; none when nothing is near."""
        return [place for _, place in self.found(text, lang, countries)][:MOST]

    def found(self, text: str, lang: str, countries: Collection[str]) -> list[tuple[Nearness, Place]]:
        """The same, each with how near it is; Ukraine's first where they are equally near."""
        near: list[tuple[Nearness, Place]] = []
        for ground in self._grounds(countries):
            nearness, rows = search(text, lang, ground)
            rows = [row for row in rows if ground.country(row) in countries][:MOST]
            near += [(nearness, _place(ground, row)) for row in rows]
        near.sort(key=lambda pair: pair[0])
        return [pair for pair in near if pair[0] <= max(Nearness.INFLECTED, near[0][0])][:MOST]

    def nearest(self, latitude: float, longitude: float) -> Nearest | None:
        """The settlement nearest to a point, among those whose position is known; None beyond 30 km."""
        found = self._map[0].nearest((latitude, longitude), within_km=NEAREST_KM)
        if found is None:
            return None
        ground, row = self._map[1][found[0]]
        return Nearest(_place(ground, row), round(found[1]))

    def _grounds(self, countries: Collection[str]) -> "list[Ukraine | Abroad]":
        home: list[Ukraine | Abroad] = [self._ukraine] if HOME in countries else []
        return [*home, self._abroad] if set(countries) - {HOME} else home

    @cached_property
    def _abroad(self) -> Abroad:
        return Abroad()

    @cached_property
    def _map(self) -> "tuple[Points, list[tuple[Ukraine | Abroad, int]]]":
        points, rows = [], []
        for ground in self._grounds(COUNTRIES):
            for row in range(len(ground)):
                if (at := ground.position(row)) is not None:
                    points.append(at)
                    rows.append((ground, row))
        return Points(points), rows


def _place(ground: Ukraine | Abroad, row: int) -> Place:
    return Place(
        ground.code(row),
        ground.kind(row),
        ground.names(row),
        ground.hromada(row),
        ground.raion(row),
        ground.oblast(row),
        ground.country(row),
        ground.raion_before(row),
        ground.spellings(row),
        ground.mistakable(row),
    )
