"""`python -m bot parked`: the shapes of updates that could not be taken, and another try. Contents are never shown."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from bot.updates import Updates
from storage.errors import SwappedRowError
from storage.intake import Intake
from storage.secrets import Row

_DEEP = 6  # levels of a shape


@dataclass(frozen=True, slots=True, repr=False)
class Parked:
    """One parked update. `raw` is None when its row was swapped or changed."""

    id: uuid.UUID
    hour: str
    error: str
    attempts: int
    raw: dict[str, Any] | None


async def read(intake: Intake) -> list[Parked]:
    """All parked updates, oldest first, opened with the bot's secret."""
    found = []
    for row in await intake.connections.fetch(
        "SELECT id, version, sealed, error, attempts, parked_hour FROM parked ORDER BY parked_hour, id"
    ):
        try:
            raw = json.loads(
                intake.secret.open(Row("parked", row["id"].bytes, row["version"]), row["sealed"])
            )
        except SwappedRowError:
            raw = None
        found.append(
            Parked(row["id"], f"{row['parked_hour']:%Y-%m-%d %H:00}Z", row["error"], row["attempts"], raw)
        )
    return found


def shape(value: Any, depth: int = 0) -> str:
    """What a value is made of: keys and types, never a value."""
    if isinstance(value, dict):
        if depth == _DEEP:
            return "{…}"
        return "{" + ", ".join(f"{key}: {shape(inner, depth + 1)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{shape(value[0], depth + 1)} × {len(value)}]" if value else "[]"
    return type(value).__name__


async def retry(intake: Intake, updates: Updates) -> tuple[int, int]:
    """Tries all of them again: (taken, still parked)."""
    taken = left = 0
    for parked in await read(intake):
        if parked.raw is not None and await updates.retry_parked(parked.id, parked.raw):
            taken += 1
        else:
            left += 1
    await updates.idle()
    return taken, left
