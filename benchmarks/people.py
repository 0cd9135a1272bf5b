"""People who tell something to the bot in a rehearsal: they answer whatever is asked, by what the buttons do.

    teller = Teller(stage, "Olha 1", random.Random(1), about="family")
    code = await teller.tells(think)         # from /start to the receipt's code
    teller.waits                             # seconds from each act to the next card

They act in the server's own process, so that measuring costs little; the bot is reached over HTTP as always.
"""

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rehearsal.acts import Acts
from rehearsal.botapi import BotApi
from rehearsal.server import Rehearsal
from rehearsal.world import Bot, World

PATIENCE_S = 60.0
CODE = re.compile(r"\b[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}\b")
ABOUT = {"family": "o.family", "witness": "o.saw"}
SAID = (
    "Olena Vyhadana",
    "a boarding school beyond the river",
    "autumn 2022",
    "She had a blue coat, and her hair was short.",
    "8",
)
MOST_CARDS = 60
# What leads away from the message, or into another form.
_AWAY = frozenset(
    {"back", "hide", "clear", "review", "o.minor", "o.later", "o.list", "o.home", "clear_chat", "o.again"}
)

Think = Callable[[], Awaitable[None]]
Fingerprint = tuple[int, str, tuple[str, ...]]


class NoAnswerError(Exception):
    """Somebody was not answered; the text says who, and after which act."""


@dataclass
class Stage:
    """Where people act: one rehearsal server and its first bot."""

    world: World
    bot: Bot
    acts: Acts

    @classmethod
    def of(cls, rehearsal: Rehearsal) -> "Stage":
        """The stage of a server in this process."""
        bot = next(iter(rehearsal.world.bots.values()))
        return cls(rehearsal.world, bot, Acts(rehearsal.world, BotApi.load()))


@dataclass
class Card:
    """The newest message with buttons: what it says, and what each button does."""

    message: int
    text: str
    buttons: dict[str, Any] = field(repr=False)

    @property
    def fingerprint(self) -> Fingerprint:
        """What tells one card from another."""
        return self.message, self.text, tuple(button["callback_data"] for button in self.buttons.values())


class Teller:
    """One person. `chance` decides everything that is theirs to decide."""

    def __init__(
        self,
        stage: Stage,
        name: str,
        chance: random.Random,
        *,
        about: str,
        files: float = 0.3,
        lang: str = "en",
    ) -> None:
        self.name = name
        self.waits: list[float] = []
        self._stage = stage
        self._chance = chance
        self._about = about
        self._files = files
        self._lang = lang
        self._said = 0  # texts
        self.chat = stage.world.chat(stage.bot, stage.world.person_named(name, lang))

    async def tells(self, think: Think) -> str:
        """One report, from /start to its receipt; the public code. NoAnswerError when it does not come."""
        card = await self.after("/start", lambda: self.says("/start"), None)
        for _ in range(MOST_CARDS):
            await think()
            what, act = self._chooses(card)
            card = await self.after(what, act, card)
            if (code := self.receipt()) is not None:
                return code
        raise NoAnswerError(f"{self.name} was asked for ever: {card}")

    def says(self, text: str) -> None:
        """Sends a text."""
        self._stage.acts.say(self._stage.bot, self.chat, text)

    def sends_file(self, content: bytes) -> None:
        """Sends a file."""
        self._stage.acts.files(self._stage.bot, self.chat, [("from a phone.jpg", content)])

    def taps(self, card: Card, key: str) -> None:
        """Taps a button of a card."""
        self._stage.acts.tap(self._stage.bot, self.chat, card.message, card.buttons[key])

    async def taps_through(self, card: Card, key: str) -> Card:
        """Taps a button, and gives the card that follows."""
        return await self.after(key, lambda: self.taps(card, key), card)

    async def is_heard(self) -> None:
        """Waits until the bot has acknowledged everything this person did."""
        lanes = [f"{kind}:{self.chat.person.id}" for kind in ("chat", "callback")]
        while any(self._stage.bot.queue.unheard(lane) for lane in lanes):
            await self.chat.wait(self.chat.version, PATIENCE_S)

    def card(self) -> Card | None:
        """The newest card that can be tapped."""
        for message in sorted(self.chat.messages.values(), key=lambda one: -int(one["message_id"])):
            rows = message.get("reply_markup", {}).get("inline_keyboard")
            if rows and message["from"]["is_bot"]:
                buttons = [button for row in rows for button in row if "callback_data" in button]
                keyed = {button["callback_data"].partition(":")[2]: button for button in buttons}
                return Card(message["message_id"], message.get("text", ""), keyed)
        return None

    def receipt(self) -> str | None:
        """The code of the receipt that stands in the chat."""
        for message in self.chat.messages.values():
            if message["from"]["is_bot"] and (found := CODE.search(message.get("text", ""))):
                return found[0]
        return None

    def _chooses(self, card: Card) -> tuple[str, Callable[[], None]]:
        keys = list(card.buttons)
        for wanted in (f"lang.{self._lang}", "o.adult", "send", ABOUT[self._about], "pick.0"):
            if wanted in keys:
                return self._tap(card, wanted)
        if options := [key for key in keys if key.startswith("o.") and key not in _AWAY]:
            # Somebody in ten is in a hurry: what comes first on such a card is the most urgent.
            calm = options[1:] if len(options) > 1 and self._chance.random() < 0.9 else options[:1]
            return self._tap(card, self._chance.choice(calm))
        if "keep" in keys:
            return self._tap(card, "keep")
        # The first words are the name; without it there may be too little to send.
        if "skip" in keys and self._said and self._about == "family" and self._chance.random() < 0.2:
            return self._tap(card, "skip")
        if self._chance.random() < self._files:
            self._files = 0.0
            content = self._chance.randbytes(20_000)
            return "a file", lambda: self.sends_file(content)
        return self._types()

    def _tap(self, card: Card, key: str) -> tuple[str, Callable[[], None]]:
        return f"a tap on {key}", lambda: self.taps(card, key)

    def _types(self) -> tuple[str, Callable[[], None]]:
        text = self._chance.choice(SAID)
        self._said += 1
        return "words", lambda: self.says(text)

    async def after(self, what: str, act: Callable[[], None], before: Card | None) -> Card:
        """Acts, and waits until another card stands, or the same one says something else."""
        began = time.monotonic()
        act()
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    version, card = self.chat.version, self.card()
                    if card is not None and (before is None or card.fingerprint != before.fingerprint):
                        self.waits.append(time.monotonic() - began)
                        return card
                    await self.chat.wait(version, PATIENCE_S)
        except TimeoutError:
            raise NoAnswerError(f"{self.name} was not answered after {what} at {before}") from None


def p95(seconds: Sequence[float]) -> float:
    """The value that 95 of 100 do not exceed."""
    return sorted(seconds)[int(len(seconds) * 0.95)] if seconds else 0.0
