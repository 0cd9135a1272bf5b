"""Everything that is kept of one report, sealed as it is: its bodies in their order, and its rows of files."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.desk_queue import Row
from storage.tables import bodies, files


@dataclass(frozen=True, slots=True)
class SealedRow:
    """A row of `bodies`."""

    id: uuid.UUID
    number: int
    sealed: bytes
    ciphertext_sha256: bytes
    key_epoch: int


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of `files`. `sealed_size` in bytes."""

    id: uuid.UUID
    body: uuid.UUID
    blob: str
    ciphertext_sha256: bytes
    sealed_size: int
    key_epoch: int
    compartment: str  # whose key sealed it


@dataclass(frozen=True, slots=True)
class Material:
    """What is kept of one report, sealed."""

    row: Row
    bodies: Sequence[SealedRow]
    files: Sequence[FileRow]


async def material_of(connection: AsyncConnection, row: Row) -> Material:
    """What is sealed of this report."""
    sealed = await connection.execute(
        sa.select(
            bodies.c.id,
            bodies.c.number,
            bodies.c.sealed,
            bodies.c.ciphertext_sha256,
            bodies.c.key_epoch,
        )
        .where(bodies.c.report == row.id)
        .order_by(bodies.c.number)
    )
    kept = await connection.execute(
        sa.select(
            files.c.id, files.c.body, files.c.blob, files.c.ciphertext_sha256, files.c.sealed_size,
            files.c.key_epoch, files.c.compartment,
        ).where(files.c.report == row.id)
    )  # fmt: skip
    return Material(row, [SealedRow(*one) for one in sealed.all()], [FileRow(*one) for one in kept.all()])
