"""Everything the server knows: bots, persons, chats. Messages are Bot API dictionaries, never changed.

A private chat's id is the person's id. Message ids count through all chats of one bot, as at Telegram. Each
chat keeps what stands in it, and for tests every version that was ever shown.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rehearsal.botapi import Upload
from rehearsal.clock import Clock
from rehearsal.faults import Faults
from rehearsal.files import Files
from rehearsal.updates import UpdateQueue

if TYPE_CHECKING:
    from rehearsal.botapi import Json
    from rehearsal.faults import Fault

TOKEN = re.compile(r"\d{1,16}:[A-Za-z0-9_-]{1,128}")
FIRST_PERSON = 5_100_000_000  # beyond 32 bits, as ids at Telegram are
CALLS_KEPT = 20_000


@dataclass(frozen=True)
class Person:
    """Somebody with a Telegram account."""

    id: int
    name: str
    language: str = "uk"
    username: str | None = None

    def user(self) -> Json:
        """Return the User of the Bot API."""
        first, _, last = self.name.partition(" ")
        user: Json = {"id": self.id, "is_bot": False, "first_name": first, "language_code": self.language}
        if last:
            user["last_name"] = last
        if self.username:
            user["username"] = self.username
        return user

    def chat(self) -> Json:
        """Return the private Chat of the Bot API."""
        user = self.user()
        chat: Json = {"id": self.id, "type": "private"}
        chat.update((name, user[name]) for name in ("first_name", "last_name", "username") if name in user)
        return chat


@dataclass
class Callback:
    """A tap that waits for answerCallbackQuery."""

    person: int
    asked: float  # seconds since 1970


@dataclass
class ChatState:
    """One person's chat with one bot."""

    person: Person
    instance: str
    started: bool = False
    blocked: bool = False
    messages: dict[int, Json] = field(default_factory=dict)
    versions: list[Json] = field(default_factory=list)
    popups: list[Json] = field(default_factory=list)
    reply_keyboard: Json | None = None
    menu_button: Json | None = None
    action: tuple[str, float] | None = None  # what the bot is doing, until when
    version: int = 0
    _watchers: set[asyncio.Future[None]] = field(default_factory=set, repr=False)

    def show(self, message: Json) -> None:
        """Put a new message or a new version of one into the chat."""
        self.messages[message["message_id"]] = message
        self.versions.append(message)
        self.changed()

    def remove(self, message_id: int) -> Json | None:
        """Take a message out on both sides."""
        message = self.messages.pop(message_id, None)
        if message is not None:
            self.changed()
        return message

    def changed(self) -> None:
        """Wake whoever looks at this chat."""
        self.version += 1
        for watcher in self._watchers:
            if not watcher.done():
                watcher.set_result(None)

    async def wait(self, after: int, seconds: float) -> None:
        """Return when the version is beyond `after`, at the latest after so many real seconds."""
        if self.version > after or seconds <= 0:
            return
        watcher = asyncio.get_running_loop().create_future()
        self._watchers.add(watcher)
        try:
            async with asyncio.timeout(seconds):
                await watcher
        except TimeoutError:
            return
        finally:
            self._watchers.discard(watcher)


@dataclass
class Webhook:
    """Where a bot wants its updates."""

    url: str
    secret: str | None = None
    max_connections: int = 40
    certificate: bool = False
    last_error: tuple[int, str] | None = None
    gone_since: float | None = None


@dataclass
class Bot:
    """One bot: its token stays here and is in no `repr`."""

    id: int
    token: str = field(repr=False)
    queue: UpdateQueue = field(repr=False)
    chats: dict[int, ChatState] = field(default_factory=dict, repr=False)
    names: dict[str, str] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    short_descriptions: dict[str, str] = field(default_factory=dict)
    commands: dict[str, list[Json]] = field(default_factory=dict)
    menu_button: Json = field(default_factory=lambda: {"type": "commands"})
    webhook: Webhook | None = None
    callbacks: dict[str, Callback] = field(default_factory=dict, repr=False)
    next_message: int = 1
    logged_out_until: float = 0.0
    poller: asyncio.Future[str] | None = field(default=None, repr=False)

    @property
    def username(self) -> str:
        """Return the @name, without the @."""
        return f"rehearsal_{self.id}_bot"

    @property
    def name(self) -> str:
        """Return the name shown above the chat."""
        return self.names.get("") or f"Rehearsal {self.id}"

    def user(self) -> Json:
        """Return the User of the Bot API."""
        return {"id": self.id, "is_bot": True, "first_name": self.name, "username": self.username}

    def new_message_id(self) -> int:
        """Count on."""
        self.next_message += 1
        return self.next_message - 1


@dataclass(frozen=True)
class Called:
    """One request a bot made, for tests to look at."""

    number: int
    bot: int
    method: str
    params: Json = field(repr=False)
    error: int | None  # what the method itself refused with
    fault: str | None  # what kind of fault struck it


class World:
    """The whole state of one server."""

    def __init__(
        self, tokens: tuple[str, ...], clock: Clock | None = None, chance: random.Random | None = None
    ) -> None:
        self.clock = clock or Clock()
        self.chance: random.Random = chance or random.SystemRandom()
        self.faults = Faults(self.chance)
        self.files = Files(self.token)
        self.persons: dict[int, Person] = {}
        self.bots: dict[int, Bot] = {}
        self.calls: deque[Called] = deque(maxlen=CALLS_KEPT)
        self.calls_made = 0
        self.changes = 0  # grows with everything worth keeping
        for token in tokens:
            self.add_bot(token)

    def token(self, size: int) -> str:
        """Return random letters for ids, URL-safe."""
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        return "".join(self.chance.choices(letters, k=size))

    def add_bot(self, token: str) -> Bot:
        """Register a bot. Raises ValueError when the token has not Telegram's form."""
        if not TOKEN.fullmatch(token):
            raise ValueError("a token has the form 123456:LETTERS")
        bot_id = int(token.partition(":")[0])

        def strikes(lane: str) -> Fault | None:
            return self.faults.strikes_update(int(lane.partition(":")[2]))

        bot = Bot(bot_id, token, UpdateQueue(self.clock, self.chance, strikes))
        self.attach(bot)
        self.bots[bot_id] = bot
        return bot

    def attach(self, bot: Bot) -> None:
        """Let whoever looks at a chat see that the bot has heard."""

        def settled(lane: str) -> None:
            chat = bot.chats.get(int(lane.partition(":")[2]))
            if chat:
                chat.changed()

        bot.queue.on_settled = settled

    def bot_of(self, token: str) -> Bot | None:
        """Return the bot of a token."""
        bot = self.bots.get(int(token.partition(":")[0])) if TOKEN.fullmatch(token) else None
        return bot if bot and bot.token == token else None

    def person_named(self, name: str, language: str = "uk", username: str | None = None) -> Person:
        """Find the person of this name, or let them arrive."""
        for person in self.persons.values():
            if person.name == name:
                return person
        person = Person(FIRST_PERSON + 7919 * (len(self.persons) + 1), name, language, username)
        self.persons[person.id] = person
        self.changes += 1
        return person

    def chat(self, bot: Bot, person: Person) -> ChatState:
        """Return the chat of a person with a bot; it exists, empty, before anybody has written."""
        if person.id not in bot.chats:
            instance = str(self.chance.randrange(-(2**63), 2**63))
            bot.chats[person.id] = ChatState(person, instance)
        return bot.chats[person.id]

    def note_call(self, bot: Bot, method: str, params: Json, error: int | None, fault: Fault | None) -> None:
        """Remember a request for tests."""
        self.changes += 1
        self.calls_made += 1
        kind = fault.kind.value if fault else None
        told = {
            name: f"{len(value.content)} bytes" if isinstance(value, Upload) else value
            for name, value in params.items()
        }
        self.calls.append(Called(self.calls_made, bot.id, method, told, error, kind))
