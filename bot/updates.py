"""One update, taken once: decoded inside a fence, committed, and only then acknowledged by whoever brought it.

`take` returns when what the update changed is committed (or it is parked, or was taken before). It raises
`DatabaseAwayError` when nothing could be committed: then the update must not be acknowledged, and comes again.
"""

import asyncio
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
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
from aiogram.types import Update
from pydantic import ValidationError

from bot.delivery import Delivery
from bot.downloads import Downloads
from bot.limits import Limits
from bot.pace import Pace
from flows import Card, Said, Text, Unusable
from flows.words import command_of
from handlers import messages, routers
from handlers.chat import Came
from handlers.conversation import Conversation
from handlers.line import Line
from storage.blobs import BlobError, Blobs
from storage.custody import hour
from storage.database import UNAVAILABLE, Announcer
from storage.intake import Intake, Outgoing, Visit
from storage.secrets import Row

log = structlog.get_logger()

ALLOWED = ["message", "edited_message", "callback_query"]
TRIES = 3  # before an update is parked
ANSWER_TRIES = 5
_PARK = """INSERT INTO parked (id, update_mac, version, sealed, error, attempts, parked_hour)
VALUES ($1, $2, 1, $3, $4, $5, $6)"""
_OTHER_CHATS = {"group", "supergroup", "channel"}


class DatabaseAwayError(Exception):
    """The database is away: nothing was committed, nothing may be acknowledged."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who an update is from, read from its raw JSON: the private chat and Telegram's language code."""

    chat: int
    language_code: str | None
    message: int | None


def is_ours(raw: Mapping[str, Any]) -> bool:
    """Whether an update may hold what somebody tells us: all but what comes from groups and channels."""
    found: Any = next((raw[kind] for kind in ALLOWED if kind in raw), None)
    message: Any = found.get("message", found) if isinstance(found, dict) else {}
    chat: Any = message.get("chat") if isinstance(message, dict) else {}
    return found is not None and not (isinstance(chat, dict) and chat.get("type") in _OTHER_CHATS)


def sender_of(raw: Mapping[str, Any]) -> Sender | None:
    """The sender of an update in a private chat; None for anything else."""
    query: Any = raw.get("callback_query")
    tapped = isinstance(query, dict)
    message: Any = query.get("message") if tapped else raw.get("message", raw.get("edited_message"))
    origin: Any = query if tapped else message
    try:
        chat = message["chat"]
        if chat["type"] != "private" or not isinstance(chat["id"], int):
            return None
        code = origin.get("from", {}).get("language_code")
        of_theirs = message.get("message_id") if query is None else None
    except (AttributeError, KeyError, TypeError):
        return None
    return Sender(
        chat["id"], code if isinstance(code, str) else None, of_theirs if isinstance(of_theirs, int) else None
    )


def _hides(raw: Mapping[str, Any]) -> bool:
    """Whether an update hides or erases: that is done at once."""
    query, message = raw.get("callback_query"), raw.get("message")
    if isinstance(query, dict):
        return str(query.get("data")).endswith((":hide", ":erase"))
    return isinstance(message, dict) and command_of(str(message.get("text", ""))) in {"hide", "erase"}


class Updates:
    """Takes raw updates. Built once a process."""

    def __init__(
        self,
        bot: Bot,
        intake: Intake,
        line: Line,
        delivery: Delivery,
        downloads: Downloads,
        blobs: Blobs,
        announcer: Announcer,
        pace: Pace,
        limits: Limits,
    ) -> None:
        self._bot = bot
        self._intake = intake
        self._line = line
        self._delivery = delivery
        self._downloads = downloads
        self._blobs = blobs
        self._announcer = announcer
        self._limits = limits
        self.pace = pace
        self._router = routers.build()
        self._told_to_wait: dict[int, int | None] = {}  # by chat: our message, None while it is being sent
        self._answers: set[asyncio.Task[None]] = set()

    async def take(self, raw: Mapping[str, Any]) -> None:
        """Takes one update, whole or not at all."""
        sender = sender_of(raw)
        update_id = raw.get("update_id")
        if not isinstance(update_id, int) or not is_ours(raw):
            log.info("update_ignored")
            return
        if sender is None:
            await self._park(raw, update_id, None, "NoChatError", 1)
            return
        for attempt in range(1, TRIES + 1):
            try:
                async with self.pace.turn(self._intake.chat(sender.chat)):
                    await self._take(raw, update_id, sender)
                return
            except UNAVAILABLE as error:
                await self._tell_to_wait(sender)
                raise DatabaseAwayError from error
            except Exception as error:  # noqa: BLE001 -- an update that cannot be taken is parked, never lost
                log.warning("update_failed", error=type(error).__name__, attempt=attempt)
                if attempt == TRIES or isinstance(error, ValidationError):
                    await self._park(raw, update_id, sender, type(error).__name__, attempt)
                    return

    def later(self, raw: Mapping[str, Any]) -> int:
        """After how many seconds an update of a flood should come again, when many wait; 0: take it now."""
        sender = sender_of(raw)
        if sender is None or _hides(raw):
            return 0
        return self.pace.later(self._intake.chat(sender.chat))

    async def _take(self, raw: Mapping[str, Any], update_id: int, sender: Sender) -> None:
        update = Update.model_validate(raw, context={"bot": self._bot})
        async with self._intake.take(update_id, sender.chat) as visit:
            if visit is None:
                return
            stood = visit.draft is not None
            talk, blobs = await self._feed(update, visit, sender)
        if not talk.wants_to_send and (visit.shredded or (stood and visit.draft is None)):
            self.pace.hurry(visit.chat)  # somebody hides or erases: this does not wait
        await self._after(visit, talk, update, blobs)

    async def _feed(self, update: Update, visit: Visit, sender: Sender) -> tuple[Conversation, list[str]]:
        """What the handlers make of an update, inside the visit's transaction."""
        talk = Conversation(visit, self._line, sender.language_code)
        message = update.message or update.edited_message
        if message is not None and (refused := await self._limits.refuses(message, visit)):
            words = messages.says(message) if refused != "too_long" else ""
            if words:  # what stands with a file may be what was to be said
                talk.takes(Came(Said(words, message.message_id), message.message_id))
            talk.takes(Came(Unusable(refused), message.message_id))
        else:
            # Straight to the router: a dispatcher would add its own state, locks and warnings, which quote updates.
            await self._router.propagate_event(update.event_type, update.event, talk=talk)
        blobs = await self._limits.counts(message, visit)
        if talk.wants_to_send:
            visit.waiting_room = await self._limits.looks_scripted(visit)
        return talk, blobs + await talk.does()

    async def _after(self, visit: Visit, talk: Conversation, update: Update, blobs: list[str]) -> None:
        """The commit is done: send, fetch, tell the desk, delete what nothing points to any more."""
        self._delivery.hand(visit.queued, visit.messages)
        if visit.downloads:
            self._downloads.begin(list(visit.downloads))
        if talk.wants_to_send or talk.returning.told_team:
            self._announcer.announce()
        # A flood's taps get their cards; a spinner that nobody looks at ends by itself.
        if update.callback_query is not None and (talk.chat.popup or self.pace.pause(visit.chat) == 0):
            task = asyncio.create_task(self._answer(update.callback_query.id, talk.chat.popup))
            self._answers.add(task)
            task.add_done_callback(self._answers.discard)
        try:
            for blob in blobs:
                await self._blobs.delete(blob)
        except BlobError as error:  # the sweeper removes them
            log.warning("blobs_left", error=type(error).__name__)

    async def _answer(self, query: str, popup: str) -> None:
        """Ends the tap's spinner; tried again, for a pop-up may hold the words to come back with.

        Not kept: Telegram forgets a tap after 150 s anyway.
        """
        for attempt in range(ANSWER_TRIES):
            try:
                await self._bot.answer_callback_query(query, text=popup or None, show_alert=bool(popup))
            except (TelegramBadRequest, TelegramForbiddenError, TelegramNotFound):
                return
            except AiogramError as error:
                pause = error.retry_after if isinstance(error, TelegramRetryAfter) else 0.25 * 2**attempt
                await asyncio.sleep(pause)
            else:
                return

    async def idle(self) -> None:
        """Returns when every tap is answered and everything handed over is sent."""
        while self._answers:
            await asyncio.wait(self._answers)
        await self._delivery.idle()

    async def stop(self) -> None:
        """Ends what is under way; what was committed is sent after the next start."""
        answers = list(self._answers)
        for task in answers:
            task.cancel()
        await asyncio.gather(*answers, return_exceptions=True)
        await self._delivery.stop()

    # ---- what cannot be taken ----------------------------------------------------------------

    async def _park(
        self, raw: Mapping[str, Any], update_id: int, sender: Sender | None, error: str, attempts: int
    ) -> None:
        """Keeps an update under the bot's secret for a person to look at, and tells its sender plainly."""
        row = uuid.uuid4()
        sealed = self._intake.secret.seal(Row("parked", row.bytes, 1), json.dumps(raw).encode())
        values = (row, self._intake.update_mac(update_id), sealed, error, attempts, hour(self._intake.now()))
        try:
            if sender is None:
                await self._intake.connections.execute(f"{_PARK} ON CONFLICT DO NOTHING", *values)
                log.error("update_parked", parked=str(row), error=error)
                return
            async with self._intake.take(update_id, sender.chat) as visit:
                if visit is None:
                    return
                await visit.connection.execute(_PARK, *values)
                if sender.message is not None:
                    visit.messages.ids[sender.message] = self._intake.now().timestamp()
                shown = self._line.render(
                    Card((Text("notice.parked"),), ()),
                    self._line.language(sender.language_code),
                    tag="parked",
                )
                visit.send(Outgoing(sender.chat, show=shown, fresh=True))
        except UNAVAILABLE as away:
            raise DatabaseAwayError from away
        log.error("update_parked", parked=str(row), error=error)
        self._delivery.hand(visit.queued, visit.messages)

    async def retry_parked(self, row: uuid.UUID, raw: Mapping[str, Any]) -> bool:
        """Takes a parked update again; True when it is done and no longer parked."""
        sender = sender_of(raw)
        if sender is None:
            return False
        try:
            update = Update.model_validate(raw, context={"bot": self._bot})
            async with self._intake.visit(self._intake.chat(sender.chat), sender.chat) as visit:
                if not await visit.connection.fetchval("DELETE FROM parked WHERE id = $1 RETURNING 1", row):
                    return True  # somebody else was faster
                talk, blobs = await self._feed(update, visit, sender)
        except UNAVAILABLE:
            raise
        except Exception as error:  # noqa: BLE001 -- it stays parked
            log.warning("parked_still_fails", parked=str(row), error=type(error).__name__)
            await self._intake.connections.execute(
                "UPDATE parked SET attempts = attempts + 1, error = $2 WHERE id = $1",
                row,
                type(error).__name__,
            )
            return False
        await self._after(visit, talk, update, blobs)
        return True

    async def _tell_to_wait(self, sender: Sender) -> None:
        """Once an outage: nothing is lost, please wait. Sent directly, since nothing can be queued."""
        if sender.chat in self._told_to_wait:
            return
        self._told_to_wait[sender.chat] = None
        words = self._line.say(Text("notice.wait"), self._line.language(sender.language_code))
        try:
            sent = await self._bot.send_message(sender.chat, words)
        except AiogramError:
            del self._told_to_wait[sender.chat]  # told at the next try
        else:
            self._told_to_wait[sender.chat] = sent.message_id

    async def end_the_wait(self) -> None:
        """The database is back: takes away what was said while it was not."""
        for chat, message in list(self._told_to_wait.items()):
            if message is not None:
                async with self._intake.visit(self._intake.chat(chat), chat) as visit:
                    visit.send(Outgoing(chat, delete=(message,)))
                del self._told_to_wait[chat]
                self._delivery.hand(visit.queued, visit.messages)
