"""A backup comes back whole, into an empty place, without what was erased since; or nothing of it does.

    await refuse_full(superuser_url, blobs)
    restored = await restore(path, recovery, checked, Target(superuser_url, blobs), erased, now, say)

Rows come in one transaction, which ends last: until then no process finds a manifest, and serves nothing. The sealed
files are on the disk before. Rows of reports that were erased are never written, and their files neither.
"""

import contextlib
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
from sqlalchemy import Identity

from admin.backup_checks import Checked, Weighed, blob_of
from seal import HybridIdentity
from storage import backups, custody, setup
from storage.backup_format import Reader, opened
from storage.backups import Absent, BlobList, Head, rows
from storage.blobs import Blobs
from storage.errors import BackupError
from storage.tables import metadata

Say = Callable[[str], None]

_TABLES = """SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
AND c.relname <> 'alembic_version'"""
_BODY_AND_FILES = ("bodies", "files")


@dataclass(frozen=True, slots=True)
class Target:
    """Where to: a prepared database, as its superuser, and a place of blobs; both empty."""

    superuser_url: str
    blobs: Blobs


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back, and the erased reports of which something would have."""

    files: int
    shredded_again: list[uuid.UUID]


async def refuse_full(superuser_url: str, blobs: Blobs) -> None:
    """Raises BackupError unless the database holds no row, or is not made yet, and there is no blob."""
    with contextlib.suppress(asyncpg.InvalidCatalogNameError):
        connection = await asyncpg.connect(superuser_url)
        try:
            for row in await connection.fetch(_TABLES):
                if await connection.fetchval(f'SELECT EXISTS (SELECT 1 FROM "{row["relname"]}")'):  # noqa: S608 - its own names
                    raise BackupError(
                        "The database is not empty: a backup is restored into an empty one, and nothing is overwritten."
                    )
        finally:
            await connection.close()
    async for _ in blobs.list_older_than(datetime.now(UTC) + timedelta(days=1)):
        raise BackupError(
            "The place of sealed files is not empty. If a restore into it was cut off, empty it; else choose another."
        )


async def restore(
    path: Path,
    recovery: HybridIdentity,
    checked: Checked,
    target: Target,
    erased: Iterable[uuid.UUID],
    now: datetime,
    say: Say,
) -> Restored:
    """Restores a backup that was checked, except `erased` reports; the leaves "restored" and "shredded again" tell it.

    Raises BackupError; then the database is as empty as before, and so is the place of blobs.
    """
    head = checked.head
    older = head.schema_revision != setup.newest_revision()
    if older:
        await setup.migrate(target.superuser_url, head.schema_revision)
    connection = await asyncpg.connect(target.superuser_url)
    try:
        await connection.execute("SET statement_timeout = 0")
        await connection.execute("SET idle_in_transaction_session_timeout = 0")
        async with _no_blobs_left_behind(target.blobs), connection.transaction():
            weighed = Weighed()
            with path.open("rb") as file:
                reader = Reader(opened(file, recovery, weighed.take))
                loading = _Loading(reader, connection, target.blobs, {*erased, *checked.shredded}, say)
                done = await loading.run()
                reader.end()
            if weighed.digest() != checked.sha256:
                raise BackupError("The backup was changed while it was read.")
            await _count_on(connection, head)
            await _write_leaves(connection, path.name, checked, loading, now)
    finally:
        await connection.close()
    if older:
        await setup.migrate(target.superuser_url)
    return done


@contextlib.asynccontextmanager
async def _no_blobs_left_behind(blobs: Blobs) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        async for name, _ in blobs.list_older_than(datetime.now(UTC) + timedelta(days=1)):
            await blobs.delete(name)
        raise


class _Loading:
    """Brings a backup's rows and blobs to where they belong."""

    def __init__(
        self,
        reader: Reader,
        connection: asyncpg.Connection,
        blobs: Blobs,
        erased: set[uuid.UUID],
        say: Say,
    ) -> None:
        self._reader, self._connection, self._blobs, self._say = reader, connection, blobs, say
        self._erased = frozenset(str(report).encode() for report in erased)
        self.left_out: Counter[tuple[str, bytes]] = Counter()  # rows, by table and report

    async def run(self) -> Restored:
        with closing(BlobList()) as listed:
            for table in self._reader.head.tables:
                columns = self._reader.head.columns[table]
                pieces = self._without_erased(table, columns)
                if table == "files":
                    pieces = _noting(pieces, columns, listed)
                await self._connection.copy_to_table(
                    table, source=_asynchronous(pieces), columns=columns, format="text"
                )
                self._say(f"{table}: {self._reader.head.rows[table]}")
            files = await self._files(listed)
        return Restored(files, sorted({uuid.UUID(report.decode()) for _, report in self.left_out}))

    def _without_erased(self, table: str, columns: Sequence[str]) -> Iterator[bytes]:
        if table not in backups.ERASED_WITH:
            yield from self._reader.table(table)
            return
        at = columns.index("report")
        for piece in self._reader.table(table):
            kept = []
            for line in piece.splitlines(keepends=True):
                report = line.rstrip(b"\n").split(b"\t")[at]
                if report in self._erased:
                    self.left_out[table, report] += 1
                else:
                    kept.append(line)
            yield b"".join(kept)

    async def _files(self, listed: BlobList) -> int:
        count = 0
        expected = iter(listed)
        blob = next(expected, None)
        for name, content in self._reader.blobs():
            if blob is None or blob.name != name:  # an erased report's
                if not isinstance(content, Absent):
                    for _ in content:
                        continue
                continue
            if isinstance(content, Absent):  # lost before: its row says what it was
                blob = next(expected, None)
                continue
            stored = await self._blobs.put(_asynchronous(content), name)
            if (stored.sha256, stored.size) != (blob.sha256, blob.size):
                raise BackupError(f"The sealed file {name} is not what its row says.")
            count += 1
            blob = next(expected, None)
        if blob is not None:
            raise BackupError(f"The sealed file {blob.name} is missing from the backup.")
        self._say(f"sealed files: {count}")
        return count


def _noting(pieces: Iterable[bytes], columns: Sequence[str], listed: BlobList) -> Iterator[bytes]:
    for piece in pieces:
        for row in rows([piece], columns):
            listed.add(blob_of(row))
        yield piece


async def _asynchronous(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _count_on(connection: asyncpg.Connection, head: Head) -> None:
    """New rows get numbers after those that came back."""
    for table in head.tables:
        for column in metadata.tables[table].columns:
            if isinstance(column.identity, Identity):
                await connection.execute(
                    f"""SELECT setval(pg_get_serial_sequence('{table}', '{column.name}'),
                        (SELECT coalesce(max("{column.name}"), 0) + 1 FROM {table}), false)"""  # noqa: S608 - our own names
                )


async def _write_leaves(
    connection: asyncpg.Connection, name: str, checked: Checked, loading: _Loading, now: datetime
) -> None:
    """That it was restored, from what; and of each erased report how much stayed out."""
    restored = custody.leaf(
        "restored", at=now, actor="keeper", obj=name, sha256=checked.sha256.hex(), taken=checked.head.hour,
        manifest=checked.head.manifest,
    )  # fmt: skip
    await custody.write(connection, restored)
    for report in sorted({report for _, report in loading.left_out}):
        bodies, files = (loading.left_out[table, report] for table in _BODY_AND_FILES)
        leaf = custody.leaf(
            "shredded again", at=now, actor="keeper", obj=report.decode(), bodies=bodies, files=files
        )
        await custody.write(connection, leaf)
