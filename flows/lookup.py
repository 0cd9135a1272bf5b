"""Settlements and facilities are offered, never decided: only the single settlement named exactly is taken as meant.

picks, sure = candidates("Олешки", "uk", places)
picks = facility_candidates("у Зубрёнку", "be", vocabulary)
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

# What a settlement belongs to, as its candidate says it; a gazetteer that knows less leaves it out.
HOME: Final = ("UA",)
EVERYWHERE: Final = ("UA", "BY", "RU")
LEVELS: Final = ("name", "hromada", "raion", "raion_before", "oblast")


class Place(Protocol):
    """A settlement, with its names and those of what it belongs to, by language."""

    @property
    def id(self) -> str:
        """The code of the codifier."""
        ...

    @property
    def name(self) -> Mapping[str, str]:
        """Its name in each language."""
        ...

    @property
    def hromada(self) -> Mapping[str, str]:
        """Its hromada; may be empty."""
        ...

    @property
    def raion(self) -> Mapping[str, str]:
        """Its raion; may be empty."""
        ...

    @property
    def oblast(self) -> Mapping[str, str]:
        """Its oblast; may be empty."""
        ...


class Near(Protocol):
    """The settlement nearest to a point."""

    @property
    def place(self) -> Place:
        """Which."""
        ...


class Settlements(Protocol):
    """Where settlements are looked up: at most five, best first, none when nothing is near."""

    def suggest(self, text: str, lang: str, countries: Collection[str] = ...) -> Sequence[Place]:
        """Give at most five of these countries (ISO 3166), best first."""
        ...

    def nearest(self, latitude: float, longitude: float) -> Near | None:
        """Give the one nearest to a point in degrees, if any is near."""
        ...


class Entry(Protocol):
    """A facility of the vocabulary, with its names by language."""

    @property
    def id(self) -> str:
        """Its id in the vocabulary."""
        ...

    @property
    def name(self) -> Mapping[str, str]:
        """Its name in each language."""
        ...

    @property
    def country(self) -> str:
        """ISO 3166 code; may be empty."""
        ...


class Facilities(Protocol):
    """Where facilities and organisations are looked up: at most five, best first, none when nothing is near."""

    def facilities(self, text: str, lang: str) -> Sequence[Entry]:
        """Give at most five, best first."""
        ...

    def organisations(self, text: str, lang: str) -> Sequence[Entry]:
        """The same of organisations."""
        ...


class Places(Settlements, Facilities, Protocol):
    """Both, as the interview asks for them."""


@dataclass(frozen=True)
class Atlas:
    """Settlements and facilities together."""

    settlements: Settlements
    vocabulary: Facilities

    def suggest(self, text: str, lang: str, countries: Collection[str] = HOME) -> Sequence[Place]:
        """Give at most five settlements, best first."""
        return self.settlements.suggest(text, lang, countries)

    def nearest(self, latitude: float, longitude: float) -> Near | None:
        """Give the settlement nearest to a point in degrees."""
        return self.settlements.nearest(latitude, longitude)

    def facilities(self, text: str, lang: str) -> Sequence[Entry]:
        """Give at most five facilities, best first."""
        return self.vocabulary.facilities(text, lang)

    def organisations(self, text: str, lang: str) -> Sequence[Entry]:
        """Give at most five organisations, best first."""
        return self.vocabulary.organisations(text, lang)


def candidates(
    words: str, lang: str, places: Settlements, countries: Collection[str] = HOME
) -> tuple[tuple[Mapping[str, Any], ...], Mapping[str, Any] | None]:
    """Give the places to choose from as JSON, or none and the one that is meant without doubt."""
    near = places.suggest(words, lang, countries)
    found = tuple(map(as_json, near))
    alone = len(near) == 1 and not (hasattr(near[0], "mistakable") and near[0].mistakable)
    if alone and words.strip().casefold() in {name.casefold() for name in near[0].name.values()}:
        return (), found[0]
    return found, None


def facility_candidates(words: str, lang: str, vocabulary: Facilities) -> tuple[Mapping[str, Any], ...]:
    """Give the facilities to choose from as JSON; none is ever taken as meant without a tap."""
    return tuple(
        {"facility": one.id, "name": dict(one.name), "country": one.country}
        for one in vocabulary.facilities(words, lang)
    )


def organisation_candidates(words: str, lang: str, vocabulary: Facilities) -> tuple[Mapping[str, Any], ...]:
    """Give the organisations to choose from as JSON; none is ever taken as meant without a tap."""
    return tuple(
        {"organisation": one.id, "name": dict(one.name)} for one in vocabulary.organisations(words, lang)
    )


def as_json(place: Place) -> Mapping[str, Any]:
    """Give one settlement as an answer keeps it."""
    levels = {level: dict(getattr(place, level)) for level in LEVELS if hasattr(place, level)}
    country = {"country": place.country} if hasattr(place, "country") else {}
    return {"place": place.id, **levels, **country}
