"""A backup holds one moment: the rows of one snapshot and every sealed file that they name, whatever goes on.

    made = await make(connection, blobs, ledger, Folder(path), terms, say)

Intake, desk and shredding go on. What loses its row meanwhile because it was sealed anew stays until the backup is made
(`storage.backups.hold_still`); what was shredded is gone, and the backup says so. Any other missing or changed
file is an error by its name, and then there is no backup. A file under its own name is whole: it is written under
another, brought to the disk, and renamed.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from admin.backup_places import Place, name_of
from seal import HybridRecipient, SealError, parse_recipient
from storage import backups, custody, erasures, manifest, setup
from storage.backup_format import Pieces, Writer
from storage.backups import Absent, Blob, BlobList, Head
from storage.blobs import Blobs, MissingBlobError
from storage.erasures import Ledger
from storage.errors import BackupError, ManifestError
from storage.manifest import Manifest, SeenSerial

_TENTHS = 10

_COLUMNS = """SELECT c.relname AS of_table, a.attname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped"""
_BLOBS = "SELECT id, report, blob, ciphertext_sha256, sealed_size FROM files ORDER BY id"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one backup."""

    ceremony_key: Ed25519PublicKey
    seen: SeenSerial
    now: datetime
    keep: timedelta  # older ones go after a good new one
    lost: frozenset[str] = frozenset()  # names of sealed files without which it is made all the same


@dataclass(frozen=True, slots=True)
class Made:
    """A backup in its place. `shredded`: files whose report was shredded meanwhile; `removed`: older backups."""

    name: str
    sha256: bytes
    size: int
    head: Head
    shredded: int
    removed: list[str]


async def make(
    connection: asyncpg.Connection, blobs: Blobs, ledger: Ledger, to: Place, terms: Terms, say: Say
) -> Made:
    """Makes one, with its leaf; then older ones go. The connection is the keeper's, and should end afterwards.

    Raises BackupError, ManifestError, LedgerError, UnavailableBlobsError.
    """
    name = name_of(terms.now)
    await connection.execute("SET statement_timeout = 0")
    await connection.execute("SET idle_in_transaction_session_timeout = 0")
    await check_schema(connection)
    await backups.hold_still(connection)
    await erasures.keep_up(connection, ledger, terms.now)
    with to.written(name) as out:
        dump = Dump(connection, blobs, out.write, say, terms.lost)
        head = await dump.run(terms, backups.kept_columns(), setup.newest_revision())
    leaf = custody.leaf(
        "backup", at=terms.now, actor="keeper", obj=name, sha256=out.digest().hex(), size=out.size,
        manifest=head.manifest, schema=head.schema_revision, lost=dump.left_out,
    )  # fmt: skip
    await custody.write(connection, leaf)
    to.copy_ledger(ledger)
    removed = to.expire(terms.now - terms.keep)
    return Made(name, out.digest(), out.size, head, dump.shredded, removed)


async def check_schema(connection: asyncpg.Connection) -> None:
    """Raises BackupError when the database has other tables or columns than this version knows."""
    found: dict[str, set[str]] = {}
    for row in await connection.fetch(_COLUMNS):
        found.setdefault(row["of_table"], set()).add(row["name"])
    kept = {table: set(columns) for table, columns in backups.kept_columns().items()}
    known = kept.keys() | backups.NOT_KEPT | {"alembic_version"}
    if found.keys() != known or any(found[table] != columns for table, columns in kept.items()):
        raise BackupError(
            "The database has other tables than this version of the program: nothing is backed up, for something"
            " would be left out. Update the program, or run: python -m admin database prepare"
        )


class Dump:
    """Writes one backup's content: the tables in one snapshot, then the blobs that it names."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        blobs: Blobs,
        out: Callable[[bytes], None],
        say: Say,
        lost: frozenset[str] = frozenset(),
    ) -> None:
        self._connection, self._blobs, self._out, self._say, self._lost = connection, blobs, out, say, lost
        self.shredded = 0
        self.left_out: list[str] = []  # of those that are lost

    async def run(self, terms: Terms, columns: dict[str, list[str]], revision: str) -> Head:
        """The whole of it. Returns what it says of itself first."""
        async with contextlib.AsyncExitStack() as stack:
            listed = stack.enter_context(contextlib.closing(BlobList()))
            snapshot = self._connection.transaction(isolation="repeatable_read", readonly=True)
            async with snapshot:
                current = await manifest.newest(self._connection, terms.ceremony_key, terms.seen)
                writer = stack.enter_context(contextlib.closing(Writer(recipient(current), self._out)))
                head = await self._head(current.serial, columns, revision, terms.now)
                writer.add("head.json", head.to_bytes())
                for table in columns:
                    await self._table(writer, table, head)
                async for row in self._connection.cursor(_BLOBS, prefetch=1000):
                    listed.add(Blob(*row))
            await self._files(writer, listed, head)
            writer.finish()
        return head

    async def _head(self, serial: int, columns: dict[str, list[str]], revision: str, now: datetime) -> Head:
        rows = {
            table: await self._connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - our own names
            for table in columns
        }
        size = await self._connection.fetchval("SELECT coalesce(sum(sealed_size), 0)::bigint FROM files")
        return Head(
            hour=f"{custody.hour(now):%Y-%m-%dT%HZ}", schema_revision=revision, manifest=serial,
            tables=list(columns), columns=columns, rows=rows, blobs=rows["files"], blob_bytes=size,
        )  # fmt: skip

    async def _table(self, writer: Writer, table: str, head: Head) -> None:
        pieces = Pieces(writer, table)
        query = backups.query(table, head.columns[table])
        await self._connection.copy_from_query(query, output=pieces.take, format="text")
        pieces.flush()
        self._say(f"{table}: {head.rows[table]}")

    async def _files(self, writer: Writer, listed: BlobList, head: Head) -> None:
        done, told = 0, 0
        for blob in listed:
            await self._file(writer, blob)
            done += blob.size
            if done * _TENTHS // head.blob_bytes > told:
                told = done * _TENTHS // head.blob_bytes
                self._say(f"sealed files: {told * 100 // _TENTHS} % of {head.blob_bytes / 1e6:.1f} MB")

    async def _file(self, writer: Writer, blob: Blob) -> None:
        if blob.name in self._lost:
            self.left_out.append(blob.name)
            writer.add(f"absent/{blob.name}", Absent(report=blob.report, why="lost").to_bytes())
            return
        content = self._blobs.get(blob.name)
        try:
            first = await anext(content, b"")
        except MissingBlobError:
            await self._missing(writer, blob)
            return
        name = f"blobs/{blob.name}"
        writer.begin(name, blob.size)
        try:
            writer.write(first)
            async for piece in content:
                writer.write(piece)
            found = writer.end()
        except (BackupError, MissingBlobError):
            found = b""
        if found != blob.sha256:
            raise BackupError(
                f"The sealed file {blob.name} is not what its row says: it was changed, or cut off. No backup was made."
                " docs/backup.md tells what to do."
            )

    async def _missing(self, writer: Writer, blob: Blob) -> None:
        now = await self._connection.fetchval("SELECT blob FROM files WHERE id = $1", blob.file)
        if now == blob.name:
            raise BackupError(
                f"The sealed file {blob.name} is missing, though its row is there. No backup was made."
                " docs/backup.md tells what to do."
            )
        if now is not None:
            raise BackupError(
                f"The sealed file {blob.name} was sealed anew and removed while the backup was made. Make it again."
            )
        self.shredded += 1
        writer.add(f"absent/{blob.name}", Absent(report=blob.report).to_bytes())


def recipient(current: Manifest) -> HybridRecipient:
    """The recovery identity's public half, as a manifest names it."""
    try:
        found = parse_recipient(current.recovery)
    except SealError:
        found = None
    if not isinstance(found, HybridRecipient):
        raise ManifestError("the manifest's recovery recipient is malformed")
    return found
