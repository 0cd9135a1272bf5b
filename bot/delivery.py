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
from datetime import datetime
from functools import partial
from itertools import takewhile
from typing import Any

import asyncpg
import structlog
from aiogram import Bot
from aiogram.exceptions import (
    AiogramError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramNotFound,
    TelegramRetryAfter,
)
from aiogram.types import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup

from bot.pace import Pace
from handlers.sending import RECEIPT_STANDS, RECEIPT_TAG
from storage.database import UNAVAILABLE, Connection
from storage.errors import StorageError
from storage.intake import LEASE, Intake, MessageIds, Outgoing, Queued, day_sealed
from storage.secrets import Row

log = structlog.get_logger()

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 60.0
_DATABASE_PAUSE_S = 0.5
_TOGETHER_S = 0.01  # what is sent within this time is forgotten in one statement
_UNCHANGED = "message is not modified"
_DELETE_AT_ONCE = 100  # ids a call, Telegram's limit
# A chat's whole queue is taken over, in order and under the chat's row, so that two processes never share one.
_UNSENT = "(leased_until IS NULL OR leased_until < $1 OR (sender = $2 AND chat = ANY($3)))"
_WAITING_CHATS = f"""SELECT chat FROM chats WHERE chat IN (
  SELECT chat FROM outgoing WHERE not_before <= $1 AND chat <> ALL($4)
  GROUP BY chat HAVING bool_and({_UNSENT}) ORDER BY min(place) LIMIT 200)
FOR UPDATE SKIP LOCKED"""  # noqa: S608 -- constant
_TAKE_OVER = f"""UPDATE outgoing SET sender = $2, leased_until = $4 WHERE chat = ANY($5) AND not_before <= $1
  AND chat NOT IN (SELECT chat FROM outgoing WHERE chat = ANY($5) AND not_before <= $1 AND NOT {_UNSENT})
RETURNING id, place, chat, version, day, salt, sealed"""  # noqa: S608 -- constant
_RENEW = """UPDATE outgoing SET leased_until = greatest(leased_until, $1) WHERE id = ANY($2) AND sender = $3
RETURNING chat"""
# Need not be durable: what is deleted and comes back after a crash is only sent once more.
_DONE = """WITH sent AS (DELETE FROM outgoing WHERE id = ANY($1)),
lazily AS (SELECT set_config('synchronous_commit', 'off', true))
SELECT DISTINCT chat FROM outgoing, lazily WHERE chat = ANY($2) AND leased_until IS NULL AND not_before <= $3"""


class _Blocked(Exception):  # noqa: N818 -- an answer of Telegram's, not an error of ours
    """The person has blocked the bot, or the chat is gone."""


class _LapsedLease(Exception):  # noqa: N818 -- not an error: another process may be sending this by now
    """This process could not renew its lease in time."""


class Delivery:
    """Sends what was committed. `hand` gives it a visit's queue right after the commit."""

    def __init__(self, intake: Intake, bot: Bot, pace: Pace) -> None:
        self._intake = intake
        self._pace = pace
        self._bot = bot
        self._waiting: dict[bytes, deque[Queued]] = {}
        self._ours_until: dict[bytes, datetime] = {}
        self._sent: dict[bytes, list[Any]] = {}
        self._forgetting: asyncio.Task[set[bytes]] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def hand(self, queued: list[Queued], messages: MessageIds) -> None:
        """Begins to send. Returns at once; what fails stays queued."""
        for one in queued:
            if one.chat in self._intake.unsure:
                continue  # something older may lie unsent: the next take-over sends both in order
            self._intake.in_hand.add(one.id)
            waiting = self._waiting.get(one.chat)
            if waiting is not None:
                waiting.append(one)
                continue
            self._waiting[one.chat] = deque([one])
            self._ours_until[one.chat] = self._intake.now() + LEASE / 2
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

    async def recover(self, going_on: bytes | None = None) -> int:
        """Takes over what is due and nobody is sending: after a restart, or when its hour has come.

        `going_on` is a chat that this process has just done with.
        """
        now, process = self._intake.now(), self._intake.process
        busy = [chat for chat in self._waiting if chat != going_on]
        unsure = [chat for chat in self._intake.unsure if chat not in self._waiting]
        chats: list[bytes] = []
        try:
            async with self._intake.connections.acquire() as connection, connection.transaction():
                found = await connection.fetch(_WAITING_CHATS, now, process, unsure, busy)
                chats = [row["chat"] for row in found]
                now = self._intake.now()  # also what was queued up to the moment of the lock
                rows = await connection.fetch(_TAKE_OVER, now, process, unsure, now + LEASE, chats)
                # While the chats are locked: what is queued after this knows another card.
                ids = await self._read_ids(connection, chats)
            queues = await self._open_queues(rows)
        except UNAVAILABLE:
            self._intake.unsure.update(chats)
            raise
        self._intake.unsure.difference_update(unsure)
        for chat, queue in queues.items():
            self.hand(queue, ids[chat])
        return len(rows)

    async def _open_queues(self, rows: list[Any]) -> dict[bytes, list[Queued]]:
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
        return queues

    async def renew(self) -> None:
        """Keeps the leases of what this process is still sending."""
        ids = [one.id for waiting in self._waiting.values() for one in waiting]
        if not ids:
            return
        now = self._intake.now()
        for row in await self._intake.connections.fetch(_RENEW, now + LEASE, ids, self._intake.process):
            if row["chat"] in self._waiting:
                self._ours_until[row["chat"]] = now + LEASE / 2

    async def keep_leases(self) -> None:
        """Renews until cancelled; nothing else may hold this up, and no refusal by the database ends it."""
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 8)
            with contextlib.suppress(*UNAVAILABLE, asyncpg.PostgresError):
                await self.renew()

    async def _serve(self, chat: bytes, card: int | None, tag: str) -> None:
        """Sends one chat's queue until it is empty."""
        waiting = self._waiting[chat]
        try:
            while waiting:
                await self._pace.rest(chat)
                batch = list(waiting)
                # A chat that has fallen behind sees the newest card only.
                card, tag = await self._act(chat, batch, card, tag)
                await self._patiently(partial(self._done, chat, [one.id for one in batch]))
                for one in batch:
                    waiting.popleft()
                    self._intake.in_hand.discard(one.id)
        except _LapsedLease:
            self._intake.unsure.add(chat)
            log.info("lease_lapsed")
        except _Blocked:
            log.info("chat_unreachable")
            await self._patiently(partial(self._forget_chat, chat))
        except Exception as error:  # noqa: BLE001 -- one chat's trouble stops no other; the rows stay and are tried again
            self._intake.unsure.add(chat)
            log.error("delivery_failed", error=type(error).__name__)
        finally:
            self._intake.in_hand.difference_update(one.id for one in waiting)
            del self._waiting[chat], self._ours_until[chat]

    async def _act(
        self, chat: bytes, batch: list[Queued], card: int | None, tag: str
    ) -> tuple[int | None, str]:
        wanted, delete = _condensed([one.outgoing for one in batch], tag)
        receipts: set[int] = set()
        for outgoing in wanted:
            assert outgoing.show is not None  # only those are left
            before, stays = card, None
            card = await self._show(chat, outgoing.to, outgoing.show, None if outgoing.fresh else card)
            if card != before and before is not None:
                if outgoing.beside and tag.startswith(RECEIPT_TAG):
                    stays = before
                    receipts.add(before)
                else:
                    delete.append(before)
            if card != before or outgoing.show["tag"] != tag:
                tag = outgoing.show["tag"]
                remember = partial(self._remember, chat, outgoing.to, card, tag, stays)
                await self._patiently(remember)
        swept = card in _swept(batch)
        kept = receipts if swept else {*receipts, card}
        left = [message for message in dict.fromkeys(delete) if message not in kept]
        for start in range(0, len(left), _DELETE_AT_ONCE):
            ids = left[start : start + _DELETE_AT_ONCE]
            await self._call(chat, partial(self._delete, batch[0].outgoing.to, ids))
        if swept:
            card, tag = None, ""
            await self._patiently(partial(self._remember, chat, batch[0].outgoing.to, card, tag, None))
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
            chat,
            lambda: self._bot.send_message(
                address, shown["text"], reply_markup=keyboard, protect_content=shown.get("protect")
            ),
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
            if self._intake.now() > self._ours_until[chat]:
                raise _LapsedLease
            try:
                return await call()
            except TelegramRetryAfter as limit:
                await asyncio.sleep(limit.retry_after)
            except TelegramForbiddenError:
                raise _Blocked from None
            except (TelegramBadRequest, TelegramNotFound) as refused:
                if _UNCHANGED in refused.message:  # what was to be shown stands there already
                    return True
                log.info("telegram_refused", method=type(refused.method).__name__)
                return None
            except AiogramError:  # no answer, 5xx, or an answer that is none
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> None:
        """Does a piece of database work, waiting while the database is away."""
        while True:
            try:
                return await work()
            except UNAVAILABLE:
                await asyncio.sleep(_DATABASE_PAUSE_S)

    async def _done(self, chat: bytes, ids: list[Any]) -> None:
        """Forgets what was sent, and goes on with what another process left to whoever was sending."""
        self._sent[chat] = ids
        if self._forgetting is None:
            self._forgetting = asyncio.create_task(self._forget_sent())
            self._tasks.add(self._forgetting)
            self._forgetting.add_done_callback(self._tasks.discard)
        if chat in await asyncio.shield(self._forgetting):
            await self.recover(chat)

    async def _forget_sent(self) -> set[bytes]:
        """Deletes the rows of all chats that were served in the same moment; gives those where more waits."""
        await asyncio.sleep(_TOGETHER_S)
        sent, self._sent, self._forgetting = self._sent, {}, None
        ids = [row for rows in sent.values() for row in rows]
        left = await self._intake.connections.fetch(_DONE, ids, list(sent), self._intake.now())
        return {row["chat"] for row in left}

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
                messages.receipt = receipt
                visit.send(Outgoing(address, delete=(receipt,)), at=self._intake.now() + RECEIPT_STANDS)

    async def _read_ids(self, connection: Connection, chats: list[bytes]) -> dict[bytes, MessageIds]:
        rows = await connection.fetch(
            "SELECT chat, version, day, salt, sealed FROM message_ids WHERE chat = ANY($1)", chats
        )
        found = {row["chat"]: self._intake.open_ids(row["chat"], row) for row in rows}
        return {chat: found.get(chat, MessageIds()) for chat in chats}


def _condensed(queue: list[Outgoing], tag: str) -> tuple[list[Outgoing], list[int]]:
    """What a chat that fell behind is to see: the newest card, and before it a receipt that nothing may replace.

    Returns the cards and all ids to delete. `tag` is that of the card which stands.
    """
    cards: list[Outgoing] = []
    delete: list[int] = []
    for outgoing in queue:
        if outgoing.only_if and outgoing.only_if != _standing(cards, tag):
            continue
        delete += outgoing.delete
        if outgoing.show is None:
            if outgoing.fresh:
                cards = [card for card in cards if _is_receipt(card)]
            continue
        last = cards[-1] if cards else None
        if last is not None and last.show is not None:
            if outgoing.beside and last.show["tag"].startswith(RECEIPT_TAG):
                cards.append(outgoing)
                continue
            cards.pop()
        cards.append(replace(outgoing, fresh=outgoing.fresh or (last is not None and last.fresh)))
    return cards, delete


def _is_receipt(card: Outgoing) -> bool:
    return card.show is not None and str(card.show["tag"]).startswith(RECEIPT_TAG)


def _swept(batch: list[Queued]) -> set[int]:
    """What is deleted after the last card was asked for: that card too, if it stood already."""
    trailing = takewhile(lambda one: one.outgoing.show is None, reversed(batch))
    return {message for one in trailing for message in one.outgoing.delete}


def _standing(cards: list[Outgoing], tag: str) -> str:
    """The tag that the next card will find: of the last one on its way, unless that is a receipt nobody saw yet."""
    shown = cards[-1].show if cards else None
    return tag if shown is None or shown["tag"].startswith(RECEIPT_TAG) else str(shown["tag"])


def _keyboard(rows: list[list[list[str]]]) -> InlineKeyboardMarkup | None:
    if not rows:
        return None
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [
                InlineKeyboardButton(text=label, copy_text=CopyTextButton(text=copied[0]))
                if copied
                else InlineKeyboardButton(text=label, callback_data=data)
                for label, data, *copied in row
            ]
            for row in rows
        ]
    )
