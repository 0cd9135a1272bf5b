"""Commit first, then send: what is queued for a chat is sent in order, survives restarts, and obeys Telegram.

A row of `outgoing` is leased to the process that committed it; whoever finds a lease lapsed goes on. For each
chat one task of one process sends at a time: 429 makes that chat wait and no other, 5xx and time-outs are tried
again, 403 (blocked) drops what was queued, and any other refusal is logged by its method alone.
"""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from aiogram import Bot
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from storage.database import UNAVAILABLE
from storage.errors import LapsedError, StorageError
from storage.intake import LEASE, Intake, MessageIds, Outgoing, Queued, day_sealed
from storage.secrets import Row

log = structlog.get_logger()

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 60.0
_DELETE_AT_ONCE = 100  # ids a call, Telegram's limit
_RECOVER = """UPDATE outgoing SET sender = $1, leased_until = $2 WHERE id IN (
  SELECT id FROM outgoing o WHERE not_before <= $3 AND (leased_until IS NULL OR leased_until < $3)
  AND NOT EXISTS (SELECT 1 FROM outgoing e WHERE e.chat = o.chat AND e.leased_until >= $3 AND e.not_before <= $3)
  ORDER BY place LIMIT 200 FOR UPDATE SKIP LOCKED)
RETURNING id, place, chat, version, day, salt, sealed"""


class _Blocked(Exception):  # noqa: N818 -- an answer of Telegram's, not an error of ours
    """The person has blocked the bot, or the chat is gone."""


class Delivery:
    """Sends what was committed. `hand` gives it a visit's queue right after the commit."""

    def __init__(self, intake: Intake, bot: Bot) -> None:
        self._intake = intake
        self._bot = bot
        self._waiting: dict[bytes, deque[Queued]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def hand(self, queued: list[Queued], messages: MessageIds) -> None:
        """Begins to send. Returns at once; what fails stays queued."""
        for one in queued:
            waiting = self._waiting.get(one.chat)
            if waiting is not None:
                waiting.append(one)
                continue
            self._waiting[one.chat] = deque([one])
            task = asyncio.create_task(self._serve(one.chat, messages.card, messages.tag))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Returns when nothing handed over is still being sent."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def recover(self) -> int:
        """Takes over what is due and nobody is sending: after a restart, or when its hour has come."""
        now = self._intake.now()
        rows = await self._intake.connections.fetch(_RECOVER, self._intake.process, now + LEASE, now)
        for row in sorted(rows, key=lambda row: row["place"]):
            try:
                plain = self._intake.days.open(
                    Row("outgoing", row["id"].bytes, row["version"]), day_sealed(row)
                )
            except (LapsedError, StorageError) as error:
                log.error("outgoing_refused", row=str(row["id"]), error=type(error).__name__)
                await self._forget([row["id"]])
                continue
            messages = await self._read_ids(row["chat"])
            self.hand([Queued(row["id"], row["chat"], Outgoing.from_json(json.loads(plain)))], messages)
        return len(rows)

    async def _serve(self, chat: bytes, card: int | None, tag: str) -> None:
        """Sends one chat's queue until it is empty."""
        waiting = self._waiting[chat]
        try:
            while waiting:
                batch = list(waiting)
                # A chat that has fallen behind sees the newest card only.
                card, tag = await self._act(chat, batch, card, tag)
                for _ in batch:
                    waiting.popleft()
                await self._patiently(chat, partial(self._forget, [one.id for one in batch]))
        except _Blocked:
            log.info("chat_unreachable")
            await self._patiently(chat, lambda: self._forget_chat(chat))
        except Exception as error:  # noqa: BLE001 -- one chat's trouble stops no other; the rows stay and are tried again
            log.error("delivery_failed", error=type(error).__name__)
        finally:
            del self._waiting[chat]

    async def _act(
        self, chat: bytes, batch: list[Queued], card: int | None, tag: str
    ) -> tuple[int | None, str]:
        wanted: Outgoing | None = None
        delete: list[int] = []
        for one in batch:
            if one.outgoing.only_if and one.outgoing.only_if != tag:
                continue
            delete += one.outgoing.delete
            if one.outgoing.show is not None:
                fresh = one.outgoing.fresh or (wanted is not None and wanted.fresh)
                wanted = replace(one.outgoing, fresh=fresh)
        if wanted is not None and wanted.show is not None:
            address, shown = wanted.to, wanted.show
            before = card
            card = await self._show(chat, address, shown, None if wanted.fresh else card)
            if card != before:
                await self._patiently(chat, lambda: self._remember(chat, address, card, shown["tag"]))
                if before is not None:
                    delete.append(before)
            elif shown["tag"] != tag:
                await self._patiently(chat, lambda: self._remember(chat, address, card, shown["tag"]))
            tag = shown["tag"]
        left = [message for message in dict.fromkeys(delete) if message != card]
        for start in range(0, len(left), _DELETE_AT_ONCE):
            ids = left[start : start + _DELETE_AT_ONCE]
            await self._call(chat, partial(self._delete, batch[0].outgoing.to, ids))
        return card, tag

    async def _show(self, chat: bytes, address: int, shown: dict[str, Any], card: int | None) -> int:
        keyboard = _keyboard(shown["buttons"])
        if card is not None:
            edited = await self._call(
                chat,
                lambda: self._bot.edit_message_text(
                    text=shown["text"], chat_id=address, message_id=card, reply_markup=keyboard
                ),
            )
            if edited is not None:
                return card
            # Telegram refuses the edit (gone, too old, or already so): a new card stands in its place.
        sent = await self._call(
            chat, lambda: self._bot.send_message(address, shown["text"], reply_markup=keyboard)
        )
        if sent is None:
            raise _Blocked
        return int(sent.message_id)

    async def _delete(self, address: int, ids: list[int]) -> bool:
        if len(ids) == 1:
            return await self._bot.delete_message(address, ids[0])
        return await self._bot.delete_messages(address, ids)

    async def _call(self, chat: bytes, call: Callable[[], Awaitable[Any]]) -> Any:
        """One call of the Bot API, tried until it is answered; None when Telegram refuses it for good."""
        pause = _FIRST_PAUSE_S
        while True:
            try:
                return await call()
            except TelegramRetryAfter as limit:
                await self._wait(chat, float(limit.retry_after))
            except TelegramForbiddenError:
                raise _Blocked from None
            except (TelegramBadRequest, TelegramNotFound) as refused:
                log.info("telegram_refused", method=type(refused.method).__name__)
                return None
            except (TelegramNetworkError, TelegramServerError, TelegramAPIError):
                await self._wait(chat, pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _wait(self, chat: bytes, seconds: float) -> None:
        """Waits, and keeps the lease of what waits."""
        ids = [one.id for one in self._waiting[chat]]
        until = self._intake.now() + timedelta(seconds=seconds) + LEASE
        with contextlib.suppress(*UNAVAILABLE):
            await self._intake.connections.execute(
                "UPDATE outgoing SET leased_until = $2, attempts = attempts + 1 WHERE id = ANY($1)",
                ids,
                until,
            )
        await asyncio.sleep(seconds)

    async def _patiently(self, chat: bytes, work: Callable[[], Awaitable[None]]) -> None:
        """Does a piece of database work, waiting while the database is away."""
        while True:
            try:
                return await work()
            except UNAVAILABLE:
                await self._wait(chat, 1.0)

    async def _forget(self, ids: list[Any]) -> None:
        await self._intake.connections.execute("DELETE FROM outgoing WHERE id = ANY($1)", ids)

    async def _forget_chat(self, chat: bytes) -> None:
        await self._intake.connections.execute("DELETE FROM outgoing WHERE chat = $1", chat)

    async def _remember(self, chat: bytes, address: int, card: int | None, tag: str) -> None:
        """Keeps the id of a new card, so that it can be edited, erased and swept."""
        async with self._intake.visit(chat, address) as visit:
            messages = visit.messages
            messages.card, messages.tag = card, tag
            if card is not None:
                messages.ids[card] = self._intake.now().timestamp()

    async def _read_ids(self, chat: bytes) -> MessageIds:
        row = await self._intake.connections.fetchrow(
            "SELECT version, day, salt, sealed FROM message_ids WHERE chat = $1", chat
        )
        return self._intake.open_ids(chat, row) if row else MessageIds()


def _keyboard(rows: list[list[list[str]]]) -> InlineKeyboardMarkup | None:
    if not rows:
        return None
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [InlineKeyboardButton(text=label, callback_data=data) for label, data in row] for row in rows
        ]
    )
