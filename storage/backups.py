"""What a backup holds: every table that stays, in one order, and each sealed file that their rows name.

`storage.backup_format` says how it lies in its file. One list says what is in and one what never is; a test holds them
against all tables. While a backup is being made, sealed files that only just lost their row stay (`hold_still`).
"""

import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Literal

import rfc8785
from pydantic import BaseModel, ConfigDict

from storage.database import Database
from storage.tables import metadata

KEPT = (
    "manifests", "members", "reports", "bodies", "files", "receipts", "threads", "replies", "shred_agreements",
    "team_keys", "factors", "used_codes", "attendance",
    "custody_checkpoints", "custody_publications", "custody_cosignatures", "custody_timestamps",
    "custody_leaves", "custody_sequence", "custody_tiles",
)  # fmt: skip
"""What stays, in the order in which it is kept and restored: a row never comes before one that it points to."""

NOT_KEPT = frozenset(
    {
        "chats", "updates_taken", "drafts", "message_ids", "outgoing", "downloads", "draft_files", "parked",
        "tallies", "sessions",
    }
)  # fmt: skip
"""What is being given now, what leads to a chat, and who is signed in: in no backup, ever."""

ERASED_WITH = ("bodies", "files", "threads", "replies")
"""The tables in which nothing stays of a report that is shredded; each has a column `report`."""

_ORDER = {  # where the order tells something; else rows come as they lie
    "files": "id",
    "manifests": "serial",
    "custody_checkpoints": "size",
    "custody_sequence": '"index"',
    "custody_tiles": 'level, "index"',
}
_LEAVES = """SELECT {columns} FROM custody_leaves LEFT JOIN custody_sequence s ON s.leaf = custody_leaves.id
ORDER BY s."index" NULLS LAST, custody_leaves.id"""

_BEING_MADE = 0xBAC0  # the advisory lock that a backup holds


def _columns(table: str) -> list[str]:
    return [column.name for column in metadata.tables[table].columns]


def kept_columns() -> dict[str, list[str]]:
    """The columns of each table that is kept, in order."""
    return {table: _columns(table) for table in KEPT}


def query(table: str, columns: Sequence[str]) -> str:
    """The rows of a table as a backup holds them; leaves in the order of the log, those without a number last."""
    listed = ", ".join(f'{table}."{column}"' for column in columns)
    if table == "custody_leaves":
        return _LEAVES.format(columns=listed)
    order = f" ORDER BY {_ORDER[table]}" if table in _ORDER else ""
    return f"SELECT {listed} FROM {table}{order}"  # noqa: S608 - our own names


async def hold_still(connection: Database) -> None:
    """From now on, until this connection ends, nobody removes sealed files that a row only just stopped naming.

    Waits for another backup to end. What is shredded goes at once all the same.
    """
    await connection.execute("SELECT pg_advisory_lock($1)", _BEING_MADE)


async def being_made(connection: Database) -> bool:
    """Whether a backup is being made. Asked after it was seen that no row names a blob: if not, the blob may go, for a
    backup that begins later sees no such row either.
    """
    return not await connection.fetchval("SELECT pg_try_advisory_xact_lock_shared($1)", _BEING_MADE)


# ---- head, tail, notes --------------------------------------------------------------------------------


class _Json(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_bytes(self) -> bytes:
        """RFC 8785 JSON."""
        return rfc8785.dumps(self.model_dump(mode="json"))


class Head(_Json):
    """What a backup says of itself first. `rows` and `blobs` are how many; `blob_bytes` their length together."""

    format: Literal["dodomu backup"] = "dodomu backup"
    version: Literal[1] = 1
    hour: str  # when its snapshot was taken, like 2031-05-06T07Z
    schema_revision: str
    manifest: int  # the newest manifest's serial
    tables: list[str]  # in their order
    columns: dict[str, list[str]]
    rows: dict[str, int]
    blobs: int
    blob_bytes: int


class Tail(_Json):
    """What a backup says last."""

    sha256sums: str
    members: int


class Absent(_Json):
    """Why a sealed file is not there: its report was shredded while the backup was made; or it was lost, and whoever
    made the backup said so.
    """

    report: uuid.UUID
    why: Literal["shredded", "lost"] = "shredded"


@dataclass(frozen=True, slots=True)
class Blob:
    """What a row of `files` says of its blob."""

    file: uuid.UUID
    report: uuid.UUID
    name: str
    sha256: bytes
    size: int


class BlobList:
    """The blobs of a snapshot, in order, in a file that is gone when it is closed: there may be millions."""

    _RECORD = 16 + 16 + 16 + 32 + 8

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by its own `close`

    def add(self, blob: Blob) -> None:
        """One more, at the end."""
        name = bytes.fromhex(blob.name)
        self._file.write(
            blob.file.bytes + blob.report.bytes + name + blob.sha256 + blob.size.to_bytes(8, "big")
        )

    def __iter__(self) -> Iterator[Blob]:
        self._file.seek(0)
        while record := self._file.read(self._RECORD):
            yield Blob(
                uuid.UUID(bytes=record[:16]), uuid.UUID(bytes=record[16:32]), record[32:48].hex(),
                record[48:80], int.from_bytes(record[80:], "big"),
            )  # fmt: skip

    def close(self) -> None:
        """Forgets them."""
        self._file.close()


# ---- rows ---------------------------------------------------------------------------------------------


def rows(pieces: Iterable[bytes], columns: Sequence[str]) -> Iterator[Mapping[str, bytes]]:
    """Each row of a table as COPY's text: column → value. No value that is read here holds what COPY escapes."""
    for piece in pieces:
        for line in piece.splitlines():
            yield dict(zip(columns, line.split(b"\t"), strict=True))


def unhex(value: bytes) -> bytes:
    """A `bytea` as COPY's text writes it."""
    return bytes.fromhex(value.removeprefix(rb"\\x").decode("ascii"))


def without(pieces: Iterable[bytes], column: int, values: frozenset[bytes]) -> Iterator[bytes]:
    """The rows whose column, by its place, has none of these values."""
    for piece in pieces:
        kept = [line for line in piece.split(b"\n") if line and line.split(b"\t")[column] not in values]
        if kept:
            yield b"\n".join(kept) + b"\n"
