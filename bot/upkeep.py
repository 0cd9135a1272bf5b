"""The silent work of intake: sweeping chats before 47 h, forgetting drafts, destroying the secrets of past days.

What is due is computed from PostgreSQL at each tick, so a restart or an outage only delays; any process may do it.
"""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import structlog

from bot.delivery import Delivery
from bot.downloads import Downloads
from bot.updates import Updates
from storage import pace
from storage.blobs import Blobs
from storage.database import UNAVAILABLE
from storage.errors import StorageError, SwappedRowError
from storage.intake import Intake, Outgoing

log = structlog.get_logger()

TICK_S = 1.0
_SLOW_EVERY = 60  # ticks
_UPDATES_KEPT = timedelta(hours=72)  # Telegram repeats an update for 24 h


async def run(
    intake: Intake, delivery: Delivery, downloads: Downloads, blobs: Blobs, updates: Updates
) -> None:
    """Ticks until cancelled."""
    tick = 0
    while True:
        try:
            await delivery.recover()
            await downloads.recover()
            await updates.end_the_wait()
            updates.pace.forget()
            if tick % _SLOW_EVERY == 0:
                await sweep(intake, delivery)
                await expire(intake, blobs)
        except UNAVAILABLE:
            log.warning("database_away")
        except (StorageError, asyncpg.PostgresError) as error:  # the next tick tries again
            log.error("upkeep_failed", error=type(error).__name__)
        tick += 1
        await asyncio.sleep(TICK_S)


async def sweep(intake: Intake, delivery: Delivery) -> int:
    """Deletes from chats what is nearly 47 hours old; a card that goes takes its draft out of sight. How many chats."""
    now = intake.now()
    rows = await intake.connections.fetch(
        "SELECT chat, version, day, salt, sealed FROM message_ids WHERE sweep_at <= $1 LIMIT 500", now
    )
    for row in rows:
        try:
            await _sweep_chat(intake, delivery, row)
        except SwappedRowError as error:  # a row that somebody changed stops the sweep of no other chat
            log.error("sweep_refused", error=type(error).__name__)
    return len(rows)


async def _sweep_chat(intake: Intake, delivery: Delivery, row: Any) -> None:
    address = intake.open_ids(row["chat"], row).address
    if address is None:
        await intake.connections.execute("DELETE FROM message_ids WHERE chat = $1", row["chat"])
        return
    async with intake.visit(row["chat"], address) as visit:
        gone = tuple(visit.messages.ids)
        visit.messages.ids.clear()
        visit.messages.asked.clear()
        visit.messages.albums.clear()
        visit.messages.card, visit.messages.tag = None, ""
        if visit.draft is not None and "interview" in visit.draft.data:
            visit.draft.active = False
            visit.keep(visit.draft)
        visit.send(Outgoing(address, delete=gone, fresh=True))
    delivery.hand(visit.queued, visit.messages)


async def expire(intake: Intake, blobs: Blobs) -> None:
    """Forgets drafts whose time is over, their files, chats that hold nothing, and the secrets of their days."""
    today = intake.now().date()
    database = intake.connections
    await database.execute("DELETE FROM drafts WHERE expires_on < $1", today)
    await database.execute("DELETE FROM updates_taken WHERE taken_hour < $1", intake.now() - _UPDATES_KEPT)
    await database.execute(
        "DELETE FROM message_ids WHERE sweep_at IS NULL AND chat NOT IN (SELECT chat FROM drafts)"
    )
    await pace.forget(database, today)
    for row in await database.fetch("DELETE FROM draft_files WHERE expires_on < $1 RETURNING blob", today):
        await blobs.delete(row["blob"])
    await _forget_chats(intake)
    destroyed = intake.days.destroy_before(today - intake.draft_ttl)
    if destroyed:
        log.info("day_secrets_destroyed", days=len(destroyed))


async def _forget_chats(intake: Intake) -> None:
    """Removes chats that nothing hangs on. Locked first and looked at again, for one may just have come back."""
    empty = """NOT EXISTS (SELECT 1 FROM drafts d WHERE d.chat = c.chat)
        AND NOT EXISTS (SELECT 1 FROM message_ids m WHERE m.chat = c.chat)
        AND NOT EXISTS (SELECT 1 FROM outgoing o WHERE o.chat = c.chat)
        AND NOT EXISTS (SELECT 1 FROM downloads w WHERE w.chat = c.chat)"""
    async with intake.connections.acquire() as connection, connection.transaction():
        rows = await connection.fetch(
            f"SELECT chat FROM chats c WHERE {empty} LIMIT 1000 FOR UPDATE SKIP LOCKED"  # noqa: S608 -- constant
        )
        await connection.execute(
            f"DELETE FROM chats c WHERE chat = ANY($1) AND {empty}",  # noqa: S608 -- constant
            [row["chat"] for row in rows],
        )
