"""What the makers of tables share: a settlement as it is put together, and the tables written by hand."""

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
KINDS: Final = {"K": 0, "M": 0, "X": 1, "C": 2}
# Where most children were taken from: of villages with one name, these come first.
FIRST: Final = frozenset({"01", "14", "23", "44", "65", "85"})


@dataclass
class Settlement:
    """One row to be: the codifier's, with what the other sources add."""

    code: str
    kind: str
    uk: str
    population: int = 0
    at: tuple[float, float] | None = None  # latitude, longitude
    ru: str = ""
    be: str = ""
    lately: set[str] = field(default_factory=set)  # names it is known by as well as by its own
    aliases: set[str] = field(default_factory=set)

    @property
    def rank(self) -> tuple[object, ...]:
        """City, town, village; where most reports come from; more people first; then the name."""
        near = self.code[2:4] not in FIRST
        size = -self.population
        kind = KINDS[self.kind]
        return (kind, size, near, self.uk, self.code) if kind == 0 else (kind, near, size, self.uk, self.code)


def hand_made(name: str) -> list[dict[str, str]]:
    """The rows of a table in this folder, or, as `vocabulary/NAME`, of the starter vocabulary."""
    folder = HERE.parent if name.startswith("vocabulary/") else HERE
    with (folder / name).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))
