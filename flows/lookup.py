"""Settlements are offered, never decided: only the single one that is named exactly is taken as meant.

picks, sure = candidates("Олешки", "uk", places)
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


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


class Places(Protocol):
    """Where settlements are looked up: at most five, best first, none when nothing is near."""

    def suggest(self, text: str, lang: str) -> Sequence[Place]:
        """Give at most five, best first."""
        ...


def candidates(
    words: str, lang: str, places: Places
) -> tuple[tuple[Mapping[str, Any], ...], Mapping[str, Any] | None]:
    """Give the places to choose from as JSON, or none and the one that is meant without doubt."""
    near = places.suggest(words, lang)
    found = tuple(
        {
            "place": place.id,
            "name": dict(place.name),
            "hromada": dict(place.hromada),
            "raion": dict(place.raion),
            "oblast": dict(place.oblast),
        }
        for place in near
    )
    if len(near) == 1 and words.strip().casefold() in {name.casefold() for name in near[0].name.values()}:
        return (), found[0]
    return found, None
