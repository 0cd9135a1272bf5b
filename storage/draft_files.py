"""Files of a report that is still being given: sealed to the team while they arrive, kept apart from evidence.

A file is first a *download* (a durable order to fetch it, sealed under the day's secret), then a row of
`draft_files` whose blob is complete; `storage.submission` moves it to `files` when the report is sent. What is
still on its way then follows as an addition. In a draft's data each file is {"name", "mime", "kind", "step"}, and
once it is safe also {"length", "sha256", "salt", "epoch"}.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from storage.blobs import Stored
from storage.database import Connection
from storage.errors import LapsedError, SwappedRowError
from storage.intake import Draft, Intake, day_sealed
from storage.secrets import Row
from storage.submission import SealedFile

_EXPIRES_WITH_MARGIN = 2  # lifetimes: a draft that is written again lives on, and its files with it


@dataclass(slots=True)
class Download:
    """One file to fetch. `job` is {"to", "draft", "message", "compartment", "lang", "file_id", "meta"} and, once its
    report is sent, "report". `chat` is None from then on.
    """

    id: uuid.UUID
    chat: bytes | None
    version: int
    attempts: int
    job: dict[str, Any]


async def files_of(connection: Connection, draft: Draft) -> tuple[list[SealedFile], list[uuid.UUID]]:
    """A draft's files: those that are safe, and the ids of those still on their way."""
    listed = draft.data["files"]
    rows = {
        row["id"]: row
        for row in await connection.fetch(
            "SELECT id, blob, ciphertext_sha256, sealed_size, compartment, key_epoch FROM draft_files"
            " WHERE id = ANY($1)",
            [uuid.UUID(file) for file in listed],
        )
    } if listed else {}  # fmt: skip
    ready, pending = [], []
    for key, meta in listed.items():
        row = rows.get(uuid.UUID(key))
        if row is None or "sha256" not in meta:
            if not meta.get("lost"):
                pending.append(uuid.UUID(key))
            continue
        ready.append(
            SealedFile(
                row["id"], row["blob"], row["ciphertext_sha256"], row["sealed_size"], row["key_epoch"],
                {**meta, "compartment": row["compartment"], "epoch": row["key_epoch"]},
            )
        )  # fmt: skip
    return ready, pending


async def add(
    connection: Connection, file: uuid.UUID, stored: Stored, compartment: str, epoch: int, expires: date
) -> None:
    """Keeps the row of a file whose blob is complete."""
    await connection.execute(
        "INSERT INTO draft_files (id, blob, ciphertext_sha256, sealed_size, compartment, key_epoch, expires_on)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        file, stored.name, stored.sha256, stored.size, compartment, epoch, expires,
    )  # fmt: skip


def expires_on(today: date, draft_ttl: timedelta) -> date:
    """When a draft's file is swept if its report was never sent."""
    return today + _EXPIRES_WITH_MARGIN * draft_ttl


async def erase(connection: Connection, files: Sequence[uuid.UUID]) -> list[str]:
    """Removes the rows of erased drafts' files and what is still to be fetched; returns the blobs to delete."""
    await connection.execute("DELETE FROM downloads WHERE id = ANY($1)", list(files))
    rows = await connection.fetch("DELETE FROM draft_files WHERE id = ANY($1) RETURNING blob", list(files))
    return [row["blob"] for row in rows]


async def hand_over(
    intake: Intake, connection: Connection, files: Sequence[uuid.UUID], report: uuid.UUID
) -> None:
    """The report is sent: what is still on its way belongs to it from now on, and no longer to the chat."""
    for file in files:
        try:
            download = await read(intake, connection, file)
        except (LapsedError, SwappedRowError):  # whoever fetches it tells; the report goes without it
            continue
        if download is None:
            continue
        job = {**download.job, "report": str(report)}
        value = intake.days.seal(
            intake.now().date(), Row("downloads", file.bytes, download.version + 1), json.dumps(job).encode()
        )
        await connection.execute(
            "UPDATE downloads SET chat = NULL, version = $2, day = $3, salt = $4, sealed = $5 WHERE id = $1",
            file, download.version + 1, value.day, value.salt, value.sealed,
        )  # fmt: skip


async def read(intake: Intake, connection: Connection, file: uuid.UUID) -> Download | None:
    """A download as it stands now, its row locked; None when it was erased.

    LapsedError after its day's end, SwappedRowError when it is not what was written here.
    """
    row = await connection.fetchrow(
        "SELECT id, chat, version, attempts, day, salt, sealed FROM downloads WHERE id = $1 FOR UPDATE", file
    )
    if row is None:
        return None
    stands = Row("downloads", row["id"].bytes + (row["chat"] or b""), row["version"])
    plain = intake.days.open(stands, day_sealed(row))
    return Download(row["id"], row["chat"], row["version"], row["attempts"], json.loads(plain))
