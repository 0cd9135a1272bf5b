"""The keeper: committed leaves get their index within a second, withdrawn reports and blobs without a row go.

    python -m admin keeper

It waits while the database or the place of the blobs is away, and goes on when they are back. Any number may
run: one numbers the log at a time, and a blob deleted twice is deleted. It holds the log's key, which signs
checkpoints (`admin.checkpoints`), and none that opens anything.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog

from admin import logs
from admin.checkpoints import Checkpoints
from admin.custody_settings import CustodySettings
from admin.settings import KeeperSettings
from storage import backups, custody, database, erasures, retention, returning
from storage.blobs import Blobs, UnavailableBlobsError
from storage.erasures import Ledger
from storage.errors import LedgerError

LOOK_EVERY_S = 0.4  # seconds: leaves are numbered within one
LOOK_AT_ALL_EVERY_S = 60.0  # seconds: also those whose transaction was very long
WAIT_S = 1.0  # seconds until the database is tried again
SWEEP_EVERY_S = 3600.0  # seconds
ORPHAN_AFTER = timedelta(days=1)  # a blob without a row is this old before it goes: its row may yet come
PUBLISH_EVERY_S = 60.0  # seconds: what could not be published or stamped is tried again
_CONNECTIONS = 4
_PAGE = 1000  # blobs whose rows are asked for at once

AWAY = (
    *database.UNAVAILABLE,
    asyncpg.OperatorInterventionError,  # shutting down, starting, a statement cut off
    asyncpg.InsufficientResourcesError,  # no connection or no space left
    UnavailableBlobsError,
    LedgerError,
)
"""Faults of others that pass: wait, then do the same again."""

log = structlog.get_logger()


def run(settings: KeeperSettings, custody_log: CustodySettings) -> None:
    """Keeps until SIGTERM or SIGINT. Raises BlobPlaceError, LocalError, SettingError when it cannot begin."""
    logs.start()
    signing = Checkpoints.of(custody_log, settings.state)
    blobs = Blobs.open(settings.blobs_at, settings.s3())
    with settings.database() as url:
        asyncio.run(_until_signal(url, blobs, Ledger(settings.ledger), settings.retention_policy(), signing))


async def _until_signal(
    url: str, blobs: Blobs, ledger: Ledger, policy: retention.Policy, signing: Checkpoints
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    log.info("keeper started")
    await keep(url, blobs, ledger, stop=stop, policy=policy, signing=signing)
    log.info("keeper stopped")


async def keep(
    url: str,
    blobs: Blobs,
    ledger: Ledger,
    *,
    stop: asyncio.Event,
    policy: retention.Policy = retention.DEFAULT,
    signing: Checkpoints | None = None,
    now: Callable[[], datetime] | None = None,
) -> None:
    """Does the keeper's jobs until `stop` is set. A fault that does not pass ends it."""
    clock = now or (lambda: datetime.now(UTC))
    async with database.pool(url, size=_CONNECTIONS) as connections:
        jobs = [
            asyncio.create_task(_number_leaves(connections)),
            asyncio.create_task(_number_late_leaves(connections)),
            asyncio.create_task(_sweep(connections, blobs, clock)),
            asyncio.create_task(_shred(connections, blobs, ledger, clock)),
            asyncio.create_task(_mark(connections, policy, clock)),
        ]
        if signing is not None:
            jobs.append(asyncio.create_task(_sign(connections, signing, clock)))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([*jobs, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*jobs, stopping):
                task.cancel()
        for ended in await asyncio.gather(*jobs, stopping, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended


async def _number_leaves(connections: asyncpg.Pool) -> None:
    await _for_ever("leaves", lambda: number_leaves(connections), pause_s=LOOK_EVERY_S)


async def _number_late_leaves(connections: asyncpg.Pool) -> None:
    await _for_ever(
        "late leaves", lambda: number_leaves(connections, whole=True), pause_s=LOOK_AT_ALL_EVERY_S
    )


async def number_leaves(connections: asyncpg.Pool, *, whole: bool = False) -> None:
    """Gives every committed leaf its index; of the whole log, or of its newest part."""
    async with connections.acquire() as connection:
        while await custody.sequence(connection, whole=whole):
            pass


async def _sign(connections: asyncpg.Pool, signing: Checkpoints, now: Callable[[], datetime]) -> None:
    await _for_ever("checkpoints", lambda: signing.round(connections, now()), pause_s=PUBLISH_EVERY_S)


async def _mark(connections: asyncpg.Pool, policy: retention.Policy, now: Callable[[], datetime]) -> None:
    async def once() -> None:
        async with connections.acquire() as connection:
            changed = await retention.mark(connection, policy, now())
        if changed:
            log.info("last days changed", count=changed)

    await _for_ever("retention", once, pause_s=SWEEP_EVERY_S)


async def _sweep(connections: asyncpg.Pool, blobs: Blobs, now: Callable[[], datetime]) -> None:
    async def once() -> None:
        swept = await sweep(connections, blobs, before=now() - ORPHAN_AFTER)
        if swept:
            log.info("blobs swept", count=swept)

    await _for_ever("sweep", once, pause_s=SWEEP_EVERY_S)


async def _shred(
    connections: asyncpg.Pool, blobs: Blobs, ledger: Ledger, now: Callable[[], datetime]
) -> None:
    await _for_ever("shred", lambda: shred_due(connections, blobs, ledger, now()), pause_s=SWEEP_EVERY_S)


async def shred_due(connections: asyncpg.Pool, blobs: Blobs, ledger: Ledger, now: datetime) -> None:
    """Shreds reports that were withdrawn 14 days ago and that two members agreed on; the database decides which.

    The ledger then names each report of which nothing is left, so that no restore brings it back.
    """
    async with connections.acquire() as connection, connection.transaction():
        gone = await returning.shred(connection, now)
    for blob in gone:  # what is left, if this is cut off, the sweep removes
        await blobs.delete(blob)
    if gone:
        log.info("withdrawn reports shredded", files=len(gone))
    await erasures.keep_up(connections, ledger, now)


async def sweep(connections: asyncpg.Pool, blobs: Blobs, *, before: datetime) -> int:
    """Removes blobs last written before that moment to which no row points, and unfinished ones; how many."""
    swept = await blobs.clear_unfinished(before)
    page: list[str] = []
    async for name, _ in blobs.list_older_than(before):
        page.append(name)
        if len(page) == _PAGE:
            swept += await _remove_orphans(connections, blobs, page)
            page = []
    return swept + await _remove_orphans(connections, blobs, page)


async def _remove_orphans(connections: asyncpg.Pool, blobs: Blobs, names: list[str]) -> int:
    # One statement sees both tables at one moment, so a row that moves from one to the other is seen.
    rows = await connections.fetch(
        """SELECT blob FROM files WHERE blob = ANY($1)
           UNION ALL SELECT blob FROM draft_files WHERE blob = ANY($1)""",
        names,
    )
    orphans = set(names) - {row["blob"] for row in rows}
    if orphans and await backups.being_made(connections):
        return 0  # rows that it saw may still name them: another time
    for name in orphans:
        await blobs.delete(name)
    return len(orphans)


async def _for_ever(job: str, do: Callable[[], Awaitable[None]], *, pause_s: float) -> None:
    """Does a job again and again; what is away is waited for, and told once."""
    away = False
    while True:
        try:
            await do()
        except AWAY as fault:
            if not away:
                log.warning("waiting for what is away", job=job, fault=type(fault).__name__)
            away = True
            await asyncio.sleep(WAIT_S)
        else:
            away = False
            await asyncio.sleep(pause_s)
