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
    AiogramError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramNotFound,
    TelegramRetryAfter,
)
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from handlers.conversation import RECEIPT_STANDS, RECEIPT_TAG
from storage.database import UNAVAILABLE
from storage.errors import StorageError
from storage.intake import LEASE, Intake, MessageIds, Outgoing, Queued, day_sealed
from storage.secrets import Row

log = structlog.get_logger()

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 60.0
_DELETE_AT_ONCE = 100  # ids a call, Telegram's limit
# A chat's whole queue is taken over under the chat's row, so that two processes never share one.
_WAITING_CHATS = """SELECT chat FROM chats WHERE chat IN (
  SELECT chat FROM outgoing WHERE not_before <= $1 AND (leased_until IS NULL OR leased_until < $1)
  AND chat NOT IN (SELECT chat FROM outgoing WHERE leased_until >= $1) ORDER BY place LIMIT 200)
FOR UPDATE SKIP LOCKED"""
_TAKE_OVER = """UPDATE outgoing o SET sender = $1, leased_until = $2 WHERE chat = ANY($4) AND not_before <= $3
  AND NOT EXISTS (SELECT 1 FROM outgoing e WHERE e.chat = o.chat AND e.leased_until >= $3)
RETURNING id, place, chat, version, day, salt, sealed"""
_RENEW = "UPDATE outgoing SET leased_until = $1 WHERE id = ANY($2) AND sender = $3 AND leased_until < $1"

_DONE = """WITH sent AS (DELETE FROM outgoing WHERE id = ANY($1))
SELECT EXISTS (SELECT 1 FROM outgoing WHERE chat = $2 AND leased_until IS NULL AND not_before <= $3)"""


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

    async def stop(self) -> None:
        """Ends what is under way; the rows stay."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def recover(self) -> int:
        """Takes over what is due and nobody is sending: after a restart, or when its hour has come."""
        now = self._intake.now()
        async with self._intake.connections.acquire() as connection, connection.transaction():
            chats = [row["chat"] for row in await connection.fetch(_WAITING_CHATS, now)]
            rows = await connection.fetch(_TAKE_OVER, self._intake.process, now + LEASE, now, chats)
        queues: dict[bytes, list[Queued]] = {}
        for row in sorted(rows, key=lambda row: row["place"]):
            try:
                stands = Row("outgoing", row["id"].bytes + row["chat"], row["version"])
                plain = self._intake.days.open(stands, day_sealed(row))
            except StorageError as error:
                log.error("outgoing_refused", row=str(row["id"]), error=type(error).__name__)
                await self._forget([row["id"]])
                continue
            queued = Queued(row["id"], row["chat"], Outgoing.from_json(json.loads(plain)))
            queues.setdefault(row["chat"], []).append(queued)
        for chat, queue in queues.items():
            self.hand(queue, await self._read_ids(chat))
        return len(rows)

    async def renew(self) -> None:
        """Keeps the leases of what this process is still sending."""
        ids = [one.id for waiting in self._waiting.values() for one in waiting]
        if ids:
            until = self._intake.now() + LEASE
            await self._intake.connections.execute(_RENEW, until, ids, self._intake.process)

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
                await self._patiently(chat, partial(self._done, chat, [one.id for one in batch]))
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
        wanted, delete = _condensed([one.outgoing for one in batch], tag)
        for outgoing in wanted:
            assert outgoing.show is not None  # only those are left
            before, stays = card, None
            card = await self._show(chat, outgoing.to, outgoing.show, None if outgoing.fresh else card)
            if card != before and before is not None:
                if outgoing.beside and tag.startswith(RECEIPT_TAG):
                    stays = before
                else:
                    delete.append(before)
            if card != before or outgoing.show["tag"] != tag:
                tag = outgoing.show["tag"]
                remember = partial(self._remember, chat, outgoing.to, card, tag, stays)
                await self._patiently(chat, remember)
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
            except AiogramError:  # no answer, 5xx, or an answer that is none
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

    async def _done(self, chat: bytes, ids: list[Any]) -> None:
        """Forgets what was sent, and goes on with what another process left to whoever was sending."""
        if await self._intake.connections.fetchval(_DONE, ids, chat, self._intake.now()):
            await self.recover()

    async def _forget(self, ids: list[Any]) -> None:
        await self._intake.connections.execute("DELETE FROM outgoing WHERE id = ANY($1)", ids)

    async def _forget_chat(self, chat: bytes) -> None:
        await self._intake.connections.execute("DELETE FROM outgoing WHERE chat = $1", chat)

    async def _remember(
        self, chat: bytes, address: int, card: int | None, tag: str, receipt: int | None
    ) -> None:
        """Keeps the id of a new card, so that it can be edited, erased and swept; a receipt above it goes later."""
        async with self._intake.visit(chat, address) as visit:
            messages = visit.messages
            messages.card, messages.tag = card, tag
            if card is not None:
                messages.ids[card] = self._intake.now().timestamp()
            if receipt is not None:
                visit.send(Outgoing(address, delete=(receipt,)), at=self._intake.now() + RECEIPT_STANDS)

    async def _read_ids(self, chat: bytes) -> MessageIds:
        row = await self._intake.connections.fetchrow(
            "SELECT version, day, salt, sealed FROM message_ids WHERE chat = $1", chat
        )
        return self._intake.open_ids(chat, row) if row else MessageIds()


def _condensed(queue: list[Outgoing], tag: str) -> tuple[list[Outgoing], list[int]]:
    """What a chat that fell behind is to see: the newest card, and before it a receipt that nothing may replace.

    Returns the cards and all ids to delete. `tag` is that of the card which stands.
    """
    cards: list[Outgoing] = []
    delete: list[int] = []
    for outgoing in queue:
        if outgoing.only_if and outgoing.only_if != tag:
            continue
        delete += outgoing.delete
        if outgoing.show is None:
            continue
        last = cards[-1] if cards else None
        if last is not None and last.show is not None:
            if outgoing.beside and last.show["tag"].startswith(RECEIPT_TAG):
                cards.append(outgoing)
                continue
            cards.pop()
        cards.append(replace(outgoing, fresh=outgoing.fresh or (last is not None and last.fresh)))
    return cards, delete


def _keyboard(rows: list[list[list[str]]]) -> InlineKeyboardMarkup | None:
    if not rows:
        return None
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [InlineKeyboardButton(text=label, callback_data=data) for label, data in row] for row in rows
        ]
    )
