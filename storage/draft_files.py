"""Files of a report that is still being given: sealed to the team while they arrive, kept apart from evidence.

A file is first a *download* (a durable order to fetch it, sealed under the day's secret), then a row of
`draft_files` whose blob is complete; `storage.submission` moves it to `files` when the report is sent. What is
still on its way then follows as an addition. In a draft's data each file is {"name", "mime", "unique", "kind",
"step"}, and once it is safe also {"length", "sha256", "salt", "epoch"}; "also" lists {"id", "name", "kind", "step"} of
each time that the same bytes came again. "unique" is Telegram's name for the file and is never sealed with it.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
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
    report is sent, "report", "report_compartment" (the file's own may be another, chosen before a place was named) and
    "seen": the SHA-256, hex, of each file that the report holds.

    `chat` is None for what was on its way when the report was sent.
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
                sealed_meta(meta, row["compartment"], row["key_epoch"]),
            )
        )  # fmt: skip
    return ready, pending


def sealed_meta(meta: Mapping[str, Any], compartment: str, epoch: int) -> dict[str, Any]:
    """What the seal says of a file."""
    told = {key: value for key, value in meta.items() if key != "unique"}
    return {**told, "compartment": compartment, "epoch": epoch}


def same_file(draft: Draft, sha256: str) -> str | None:
    """The id of the file of this draft that has the same bytes; "" if the report that it adds to has one; else None."""
    files = draft.data["files"]
    first = next((file for file, meta in files.items() if meta.get("sha256") == sha256), None)
    if first is None and sha256 in draft.data.get("report", {}).get("seen", ()):
        return ""
    return first


def hashes(draft: Draft) -> list[str]:
    """The SHA-256, hex, of each file that a draft, or the report that it adds to, holds as received."""
    own = {meta["sha256"] for meta in draft.data["files"].values() if "sha256" in meta}
    return sorted(own | {*draft.data.get("report", {}).get("seen", ())})


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
    intake: Intake,
    connection: Connection,
    files: Sequence[uuid.UUID],
    report: uuid.UUID,
    *,
    compartment: str,
    seen: Sequence[str] = (),
) -> None:
    """The report is sent: what is still on its way belongs to it from now on, and no longer to the chat.

    `compartment` is the report's; `seen` are the hashes of the files that the report holds already.
    """
    for file in files:
        try:
            download = await read(intake, connection, file)
        except (LapsedError, SwappedRowError):  # whoever fetches it tells; the report goes without it
            continue
        if download is None:
            continue
        joins = {"report": str(report), "report_compartment": compartment, "seen": list(seen)}
        job = {**download.job, **joins}
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
