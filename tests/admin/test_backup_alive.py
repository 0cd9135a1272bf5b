"""Backups of a store that never holds still: intake, keeper, shredding and sealing anew all the while, and a kill."""

import asyncio
import contextlib
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from admin import keeper as keeping
from storage import custody, database, roles
from storage.blobs import Blobs
from storage.manifest import SeenSerial
from storage.manifest import newest as newest_manifest
from tests.admin import anew, backing
from tests.admin.backing import HOUR, Elsewhere, new_database

REPORTS, BACKUPS = 24, 4
PATIENCE_S = 120


@pytest.fixture
async def store(fresh_database: Any, tmp_path: Path) -> AsyncIterator[anew.Store]:
    (tmp_path / "here").mkdir()
    async with anew.opened_store(fresh_database, tmp_path / "here") as one:
        yield one


def keeping_of(store: anew.Store) -> backing.Store:
    """The same store, as `tests.admin.backing` sees it."""
    return backing.Store(
        store.made,
        store.database,
        store.folder,
        store.keeper,
        store.bot,
        store.superuser,
        store.blobs,
        anew.NOW,
    )


async def until_cancelled(act: Callable[[], Awaitable[object]]) -> None:
    while True:
        await act()
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def going_on(*acts: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Each again and again; none may fail."""
    tasks = [asyncio.create_task(until_cancelled(act)) for act in acts]
    try:
        yield
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended


@dataclass
class Life:
    """What goes on in a store, each act on connections of its own."""

    store: anew.Store
    kept: backing.Store
    superuser: asyncpg.Connection
    to_shred: list[uuid.UUID]
    taken: int = 0

    async def takes(self) -> None:
        self.taken += 1
        file = await self.store.file(b"more")
        async with self.store.bot.transaction():  # as intake does: body and files are kept together
            await self.store.takes(f"new {self.taken}", file)

    async def shreds(self) -> None:
        if not self.to_shred:
            await asyncio.sleep(0.05)
            return
        await is_due(self.superuser, self.to_shred.pop())
        async with database.pool(self.store.database.url(roles.KEEPER), size=2) as pool:
            await keeping.shred_due(pool, self.store.blobs, self.kept.ledger, datetime.now(UTC))

    async def reseals(self) -> None:
        await self.store.rotates()
        await self.store.reseals()

    async def sweeps(self) -> None:
        named = await self.store.named_blobs()
        for path in (self.store.folder / "blobs").glob("*/*"):
            if path.name in named:  # old enough to be swept, once its row names another
                with contextlib.suppress(FileNotFoundError):
                    os.utime(path, (0, 0))
        async with database.pool(self.store.database.url(roles.KEEPER), size=2) as pool:
            await keeping.sweep(pool, self.store.blobs, before=datetime.now(UTC) - timedelta(days=1))
            await keeping.number_leaves(pool)


async def test_every_backup_of_a_living_store_comes_back_and_every_report_in_it_opens(
    store: anew.Store, tmp_path: Path
) -> None:
    kept = keeping_of(store)
    reports = [
        await store.takes(f"report {number}", await store.file(os.urandom(40_000)))
        for number in range(REPORTS)
    ]
    superuser = await asyncpg.connect(store.database.superuser_url)
    life = Life(store, kept, superuser, reports[: REPORTS // 2])
    async with asyncio.timeout(PATIENCE_S), going_on(life.takes, life.shreds, life.reseals, life.sweeps):
        made = [await kept.backs_up(at=anew.NOW + number * HOUR) for number in range(BACKUPS)]
    await superuser.close()
    assert kept.ledger.read()
    assert await store.leaves("resealed")
    assert life.taken
    for one in made:
        await comes_back(store, kept, one.path, tmp_path / f"there-{one.path.stem}")


async def comes_back(store: anew.Store, kept: backing.Store, path: Path, folder: Path) -> None:
    """Restored elsewhere: every report opens but those erased, every file is there, and no other."""
    checked, erased = kept.checks(path), kept.ledger.read()
    async with new_database(store.database) as database_there:
        connections = [
            await asyncpg.connect(url)
            for url in (database_there.superuser_url, database_there.url(roles.KEEPER))
        ]
        superuser, keeper = connections
        place = Elsewhere(database_there, Blobs.open(str(folder / "blobs")), superuser)
        await place.restores(kept, path, erased, checked=checked)
        now = await newest_manifest(keeper, store.public, SeenSerial(folder / "seen"))
        there = anew.Store(store.made, database_there, folder, keeper, store.bot, superuser, place.blobs, now)
        epochs = await there.every_epoch()
        bodies, files = await there.plain_bodies(epochs), await there.plain_files(epochs)
        of_bodies = {row["report"] for row in await superuser.fetch("SELECT report FROM bodies")}
        assert of_bodies == {row["id"] for row in await superuser.fetch("SELECT id FROM reports")} - {*erased}
        assert len(bodies) == len(files) == len(of_bodies)
        assert await there.blob_names() == await there.named_blobs()
        while await custody.sequence(keeper):
            pass
        for connection in connections:
            await connection.close()


async def is_due(connection: asyncpg.Connection, report: uuid.UUID) -> None:
    """Withdrawn long ago, and agreed on by two."""
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        for _ in range(2):
            await connection.execute(
                "INSERT INTO shred_agreements VALUES ($1, gen_random_uuid(), now())", report
            )
        await connection.execute(
            "UPDATE reports SET withdrawn_hour = now() - interval '20 days' WHERE id = $1", report
        )
        await connection.execute(
            """INSERT INTO members (id, call_sign, role, recipient, signing_key, identity, signing_secret, totp,
               joined_hour) SELECT member, 'm-' || left(member::text, 8), 'lead', '', sha256(''), '', '', '', now()
               FROM shred_agreements WHERE report = $1""",
            report,
        )


async def test_a_backup_that_is_killed_leaves_nothing_that_looks_like_one(
    store: anew.Store, tmp_path: Path
) -> None:
    kept = keeping_of(store)
    for number in range(3):
        await store.takes(f"report {number}", await store.file(os.urandom(30 << 20)))
    kept.backups.mkdir()
    plain = {name: value for name, value in os.environ.items() if not name.startswith("DODOMU_")}
    settings = {
        "DODOMU_STATE": str(tmp_path / "state"),
        "DODOMU_BLOBS": str(store.folder / "blobs"),
        "DODOMU_KEEPER_DATABASE_URL": store.database.url(roles.KEEPER),
        "DODOMU_CEREMONY_KEY": store.made.ceremony_public_hex,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "admin", "backup", "--to", str(kept.backups),
        env=plain | settings, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE_S):
        while not any(path.stat().st_size > 1 << 20 for path in kept.backups.glob(".*.part")):
            assert process.returncode is None
            await asyncio.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        await process.wait()
    assert [path.name.endswith(".part") for path in kept.backups.iterdir()] == [True]
    assert await store.leaves("backup") == []
    # Nothing of it is in the way of the next.
    made = await kept.backs_up(at=datetime.now(UTC))
    assert kept.checks(made.path).head.blobs == 3
