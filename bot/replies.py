"""One neutral word when an answer waits: only where the reporter allowed it, by their clock, once for what is unread.

What is due is computed from PostgreSQL at each tick, so it survives restarts; a word that Telegram does not take (the
bot is blocked, the chat is gone, or belongs to the bot before this one) is not noted as told: the answer waits for
the seven words. No reply is told of that is not signed by a member whom the manifest names.
"""

import asyncio
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramRetryAfter
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from flows import back
from handlers.line import FALLBACK, Line
from storage import threads
from storage.custody import hour
from storage.database import UNAVAILABLE
from storage.errors import ManifestError, RefusedReplyError, StorageError, SwappedRowError
from storage.intake import SWEEP_AFTER, Intake
from storage.refusals import Refusal
from storage.replies import Reply, open_reply
from storage.threads import Thread

log = structlog.get_logger()

FROM_HOUR, TO_HOUR = 10, 18  # by the reporter's clock
TICK_S = 5.0
_SLOW_EVERY = 120  # ticks
_AGAIN = timedelta(hours=1)  # for a word that was not taken
_PATIENCE_S = 10  # the chat's row is locked meanwhile
# Not while an earlier word may still stand in the chat.
_TO_TELL = """SELECT t.id, t.report, t.version, t.sealed FROM threads t JOIN reports r ON r.id = t.report
WHERE r.withdrawn_hour IS NULL
  AND EXISTS (SELECT 1 FROM replies p WHERE p.report = t.report AND p.read_hour IS NULL AND p.told_at IS NULL)
  AND NOT EXISTS (SELECT 1 FROM replies p WHERE p.report = t.report AND p.read_hour IS NULL AND p.told_at > $1)"""
_TELL = """UPDATE replies SET told_at = $2 WHERE report = $1 AND read_hour IS NULL AND told_at IS NULL
RETURNING id, report, number, member, sealed, signature, written_hour, read_hour, told_at"""


class _Untold(Exception):  # noqa: N818 -- not an error: nothing is noted, and it is tried again
    """The word was not sent; `again` is when to try."""

    def __init__(self, again: timedelta) -> None:
        super().__init__()
        self.again = again


class Replies:
    """Tells of answers. Built once a process; any number may run."""

    def __init__(self, intake: Intake, bot: Bot, line: Line, *, thread_ttl: timedelta) -> None:
        self._intake = intake
        self._bot = bot
        self._line = line
        self._thread_ttl = thread_ttl
        self._not_before: dict[uuid.UUID, datetime] = {}  # by thread; a restart tries once more

    async def run(self) -> None:
        """Ticks until cancelled."""
        tick = 0
        while True:
            try:
                await self.tell()
                if tick % _SLOW_EVERY == 0:
                    await self.end_closed()
            except UNAVAILABLE:
                log.warning("database_away")
            except (StorageError, asyncpg.PostgresError) as error:  # the next tick tries again
                log.error("replies_failed", error=type(error).__name__)
            tick += 1
            await asyncio.sleep(TICK_S)

    async def end_closed(self) -> None:
        """Forgets addresses and links of reports that have been closed long enough."""
        ended = await threads.end_closed(
            self._intake.connections, self._intake.now().date(), self._thread_ttl
        )
        if ended:
            log.info("threads_ended", count=ended)

    async def tell(self) -> int:
        """Sends the word wherever it is due; how many were sent."""
        now = self._intake.now()
        rows = await self._intake.connections.fetch(_TO_TELL, now - SWEEP_AFTER)
        self._not_before = {thread: at for thread, at in self._not_before.items() if at > now}
        told = 0
        for row in rows:
            if row["id"] in self._not_before:
                continue
            try:
                told += await self._tell(row, now)
            except _Untold as untold:
                self._not_before[row["id"]] = now + untold.again
            except StorageError as error:  # a row that somebody changed stops the word to no other
                log.error("thread_refused", thread=str(row["id"]), error=type(error).__name__)
                if isinstance(error, SwappedRowError):
                    await self._on_record(Refusal.SEALED_ROW, row["id"])
                self._not_before[row["id"]] = now + _AGAIN
        return told

    async def _tell(self, row: Mapping[str, Any], now: datetime) -> bool:
        thread = threads.read_thread(row, self._intake.secret)
        if not _is_welcome(thread.push, now):
            return False
        # Sent before the commit: to be told twice is better than never.
        async with self._intake.visit(self._intake.chat(thread.address), thread.address) as visit:
            due = [
                Reply(*reply.values())
                for reply in await visit.connection.fetch(_TELL, row["report"], hour(now))
            ]
            if not due:
                return False  # another process was faster
            if not any([await self._is_ours(reply) for reply in due]):
                raise _Untold(_AGAIN)
            message = await self._say(thread)
            visit.messages.ids[message] = now.timestamp()
        return True

    async def _is_ours(self, reply: Reply) -> bool:
        """Whether a reply is signed by a member, and opens; told in the log and on record when not."""
        identities = [] if self._line.relay is None else [self._line.relay]
        try:
            open_reply(reply, identities, self._line.manifest())
        except (RefusedReplyError, ManifestError) as error:
            log.error("reply_refused", reply=str(reply.id), error=type(error).__name__)
            if isinstance(error, RefusedReplyError):
                await self._on_record(Refusal.REPLY, reply.id)
            return False
        return True

    async def _on_record(self, what: Refusal, row: uuid.UUID) -> None:
        """Outside the visit, which may come to nothing."""
        await self._line.on_record.refused(self._intake.connections, what, str(row), self._intake.now())

    async def _say(self, thread: Thread) -> int:
        lang = thread.lang if thread.lang in self._line.texts else FALLBACK
        shown = self._line.render(back.hello(), lang)
        keyboard = InlineKeyboardMarkup(
            inline_keyboard=[
                [InlineKeyboardButton(text=label, callback_data=data) for label, data in row]
                for row in shown["buttons"]
            ]
        )
        try:
            sent = await self._bot.send_message(
                thread.address, shown["text"], reply_markup=keyboard, request_timeout=_PATIENCE_S
            )
        except TelegramRetryAfter as limit:
            raise _Untold(timedelta(seconds=limit.retry_after)) from None
        except AiogramError as error:
            log.info("word_not_taken", error=type(error).__name__)
            raise _Untold(_AGAIN) from None
        return sent.message_id


def _is_welcome(zone: str, now: datetime) -> bool:
    """Whether a word may come now; never where no clock is known."""
    if not zone:
        return False
    try:
        local = now.astimezone(ZoneInfo(zone))
    except (KeyError, ValueError):  # ZoneInfoNotFoundError is a KeyError
        log.error("zone_unknown")
        return False
    return FROM_HOUR <= local.hour < TO_HOUR
