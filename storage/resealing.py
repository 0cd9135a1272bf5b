"""What is sealed to an epoch that is over, or under another compartment's key; and how new ciphertext takes its place.

    for body in await bodies_due(database, key, after=NOBODY, limit=32): …
    done = await put_bodies(database, [Renewed(body.id, body.ciphertext_sha256, sealed, leaf)], epoch)
    await put_file(database, file, blob, key, leaf)

Old goes and new comes in one statement, with the leaf that says both, or nothing does (`reseal_body`, `reseal_file` of
migration 0006). What somebody else sealed anew meanwhile, what was shredded, what is locked: left as it is.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from storage import custody
from storage.blobs import Stored
from storage.database import Database
from storage.desk_material import FileRow, SealedRow

FIRST = uuid.UUID(int=0)
"""Before every id: where a walk begins."""

_BODIES = """FROM bodies b JOIN reports r ON r.id = b.report WHERE r.compartment = $1 AND b.key_epoch < $2"""
_FILES = """FROM files f JOIN reports r ON r.id = f.report
WHERE r.compartment = $1 AND (f.key_epoch < $2 OR f.compartment <> $1)"""
_BODY_COLUMNS = "b.id, b.number, b.sealed, b.ciphertext_sha256, b.key_epoch"
_FILE_COLUMNS = "f.id, f.body, f.blob, f.ciphertext_sha256, f.sealed_size, f.key_epoch, f.compartment"
_PUT_BODIES = """SELECT id FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bytea[])
AS t (id, old, sealed, new, leaf) WHERE reseal_body(id, old, sealed, new, $6, leaf)"""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a compartment's reports belong: its present epoch."""

    compartment: str
    epoch: int


@dataclass(frozen=True, slots=True)
class DueBody:
    """A body that is to be sealed anew, and its report."""

    report: uuid.UUID
    row: SealedRow


@dataclass(frozen=True, slots=True)
class DueFile:
    """A file that is to be sealed anew, its report, and the body that lists it."""

    report: uuid.UUID
    row: FileRow
    listed_by: SealedRow


@dataclass(frozen=True, slots=True)
class Renewed:
    """A body's new ciphertext and its SHA-256, and the SHA-256 of the old."""

    body: uuid.UUID
    old_sha256: bytes
    sealed: bytes = field(repr=False)
    new_sha256: bytes
    leaf: bytes = field(repr=False)


async def count(database: Database, target: Target) -> int:
    """How many bodies and files are to be sealed anew."""
    return int(
        await database.fetchval(
            f"SELECT (SELECT count(*) {_BODIES}) + (SELECT count(*) {_FILES})",
            target.compartment,
            target.epoch,
        )
    )


async def bodies_due(database: Database, target: Target, *, after: uuid.UUID, limit: int) -> list[DueBody]:
    """The next bodies by id."""
    rows = await database.fetch(
        f"SELECT b.report, {_BODY_COLUMNS} {_BODIES} AND b.id > $3 ORDER BY b.id LIMIT $4",
        target.compartment, target.epoch, after, limit,
    )  # fmt: skip
    return [DueBody(report, SealedRow(*row)) for report, *row in rows]


async def files_due(database: Database, target: Target, *, after: uuid.UUID, limit: int) -> list[DueFile]:
    """The next files by id, each with the body that lists it."""
    due = _FILES.replace("WHERE", "JOIN bodies b ON b.id = f.body WHERE")
    rows = await database.fetch(
        f"SELECT f.report, {_FILE_COLUMNS}, {_BODY_COLUMNS} {due} AND f.id > $3 ORDER BY f.id LIMIT $4",
        target.compartment, target.epoch, after, limit,
    )  # fmt: skip
    return [DueFile(report, FileRow(*row[:7]), SealedRow(*row[7:])) for report, *row in rows]


async def put_bodies(database: Database, renewed: Sequence[Renewed], epoch: int) -> set[uuid.UUID]:
    """Puts new ciphertext in the place of old, all in one transaction; the ids of those that took their place."""
    columns = zip(*((r.body, r.old_sha256, r.sealed, r.new_sha256, r.leaf) for r in renewed), strict=True)
    rows = await database.fetch(_PUT_BODIES, *map(list, columns), epoch) if renewed else []
    return {row["id"] for row in rows}


async def put_file(database: Database, file: FileRow, new: Stored, target: Target, leaf: bytes) -> bool:
    """Points a file's row to its new blob, which is complete; False when it did not take the old one's place."""
    done = await database.fetchval(
        "SELECT reseal_file($1, $2, $3, $4, $5, $6, $7, $8)",
        file.id, file.ciphertext_sha256, new.name, new.sha256, new.size, target.compartment, target.epoch, leaf,
    )  # fmt: skip
    return done is True


async def stands(database: Database, file: FileRow) -> bool:
    """Whether a file's row is still as it was read."""
    return bool(
        await database.fetchval(
            "SELECT EXISTS (SELECT 1 FROM files WHERE id = $1 AND ciphertext_sha256 = $2)",
            file.id,
            file.ciphertext_sha256,
        )
    )


def leaf(
    row: SealedRow | FileRow,
    new_sha256: bytes,
    report: uuid.UUID,
    target: Target,
    *,
    at: datetime,
    actor: str,
) -> bytes:
    """The leaf of one re-sealing, old → new."""
    return custody.leaf(
        "resealed",
        at=at,
        actor=actor,
        obj=str(row.id),
        item="file" if isinstance(row, FileRow) else "body",
        report=str(report),
        old=row.ciphertext_sha256.hex(),
        new=new_sha256.hex(),
        compartment=target.compartment,
        epoch=target.epoch,
    )


async def desk_codes(database: Database, reports: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """What the team calls these reports."""
    rows = await database.fetch("SELECT id, desk_code FROM reports WHERE id = ANY($1)", list(reports))
    return {row["id"]: row["desk_code"] for row in rows}
