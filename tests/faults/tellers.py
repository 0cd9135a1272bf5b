"""People who tell what happened while everything breaks, and remember what was acknowledged to them.

A teller looks at the newest card, does what it asks, and waits for the next card; when none comes, does it
again, as a person does. So a text sent twice may answer the next question too: that is kept, not wrong. What a
teller holds the line to:

* a button that was tapped and followed by the next question is the answer in the report;
* every text that was sent is in the report, word for word;
* the receipt that was seen has a report.
"""

import asyncio
import random
import re
from dataclasses import dataclass, field

from rehearsal.driver import Person
from rehearsal.screen import Json, Shown, messages_of, screen
from tests.line.stories import Receipt

BEGIN = "Yes, let us begin. I am 18 or older"
CLEAR = "I have the words, clear this chat"
PATIENCE_S = 4.0
GIVES_UP_S = 120.0

# What each card asks, by its words: the step, and the buttons with the answers they stand for; none: words are sent.
Asked = dict[str, tuple[str, dict[str, str]]]
URGENT: Asked = {
    "How do you know about the child?": (
        "know",
        {"My family, or in my care": "family", "I saw it myself": "saw"},
    ),
    "What do you know about the child right now?": ("where", {"About to be moved, or in danger": "danger"}),
    "When is it: did it happen earlier": (
        "when",
        {"It is happening now": "now", "It is being prepared": "going"},
    ),
    "what is happening, where": ("urgent", {}),
    "You can send it right now": ("", {"Send now": ""}),
}
CORE: Asked = {
    "How do you know about the child?": (
        "know",
        {"My family, or in my care": "family", "I heard it from others": "heard"},
    ),
    "When is it: did it happen earlier": ("when", {"It happened earlier": "earlier"}),
    "Which place is this about?": ("site", {}),
    "How many children is this about?": ("how_many", {"3": "3", "7": "7"}),
    "What do you know about the child right now?": (
        "where",
        {"I do not know where": "unknown", "I know where": "known"},
    ),
    "What is the child’s name?": ("name", {}),
    "How old was the child": ("age", {"4": "4", "11": "11"}),
    "girl or a boy": ("sex", {"Girl": "girl", "Boy": "boy"}),
    "Where was the child taken from?": ("place", {}),
    "Which of these places?": ("", {"None of these": ""}),
    "When was the child taken?": ("when", {}),
    "send as many as you have": ("", {"Skip": "", "Next": "", "Done": ""}),
    "may we pass this to those who search": ("find", {"Yes": "yes", "Ask me first": "ask"}),
    "May we give this to investigators": ("courts", {"Yes, all": "all", "Only the UN and the ICC": "un_icc"}),
    "May we answer you in this chat?": ("answer", {"Yes, only I see this phone": "chat"}),
    "may one word come from this bot": (
        "push",
        {"Yes, 10–18 Kyiv time": "kyiv", "No, I will look myself": "no"},
    ),
    "This is your message.": ("", {"Send": ""}),
}


class Turnstile:
    """Lets so many acts through as the breaking wants, in a random order, so that people are at different points."""

    def __init__(self, chance: random.Random) -> None:
        self.passed = 0
        self._limit = 0.0
        self._chance = chance
        self._waiting: list[asyncio.Future[None]] = []
        self._moved = asyncio.Condition()

    async def passes(self) -> None:
        """Waits for a turn to act."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await self._admit()
        await turn

    async def opens_to(self, limit: float) -> None:
        """Lets people through until `limit` acts were begun."""
        self._limit = limit
        await self._admit()

    async def has_passed(self, count: int) -> None:
        """Waits until so many acts were begun."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.passed >= count)

    async def _admit(self) -> None:
        while self._waiting and self.passed < self._limit:
            turn = self._waiting.pop(self._chance.randrange(len(self._waiting)))
            turn.set_result(None)
            self.passed += 1
        async with self._moved:
            self._moved.notify_all()


@dataclass
class Story:
    """One interview: what was sent and tapped, and the receipt that was seen."""

    said: list[str] = field(default_factory=list)
    tapped: dict[str, str] = field(default_factory=dict)  # by step, only what the next question followed
    receipt: Receipt | None = None


class Teller:
    """One person, telling one story after another while `goes_on` is set."""

    def __init__(self, person: Person, number: int, turnstile: Turnstile, goes_on: asyncio.Event) -> None:
        self.person = person
        self.number = number
        self.stories: list[Story] = []
        self.repeats = 0
        self._chance = random.Random(number)
        self._turnstile = turnstile
        self._goes_on = goes_on

    async def tells(self) -> None:
        """From /start to as many receipts as there is time for."""
        await self._turnstile.passes()
        await self.person.sends("/start")
        card = await self._next_card(None, GIVES_UP_S)
        while True:
            card = await self._tells_one(card)
            if not self._goes_on.is_set():
                return
            card = await self._taps(card, CLEAR)

    async def _tells_one(self, card: Shown) -> Shown:
        story = Story()
        self.stories.append(story)
        asks = CORE if self.number % 10 == 0 else URGENT
        card = await self._taps(card, "English")
        card = await self._taps(card, BEGIN)
        while "Thank you." not in card.text:
            asked = next((asked for words, asked in asks.items() if words in card.text), None)
            if asked is None:
                raise await self._is_lost(f"did not expect this card:\n{card}")
            step, options = asked
            if not options:
                card = await self._says(card, story)
                continue
            label = self._chance.choice([label for label in options if card.button(label)])
            card = await self._taps(card, label)
            if step:
                story.tapped[step] = options[label]
        story.receipt = _receipt_on(card)
        return card

    async def _says(self, card: Shown, story: Story) -> Shown:
        while True:
            await self._turnstile.passes()
            words = f"beyond the river {self.number}-{len(self.stories)}-{len(story.said)}"
            story.said.append(words)
            await self.person.sends(words)
            if (after := await self._next_card(card, PATIENCE_S)) is not card:
                return after
            self.repeats += 1

    async def _taps(self, card: Shown, label: str) -> Shown:
        if label.startswith("Send"):
            await self.person.is_heard(timeout_s=GIVES_UP_S)  # so that every text belongs to this story
        for _ in range(int(GIVES_UP_S / PATIENCE_S)):
            await self._turnstile.passes()
            await self.person.taps_at(card, label)
            after = await self._next_card(card, PATIENCE_S)
            if after is not card:
                return after
            self.repeats += 1
        raise await self._is_lost(f"got no answer to [{label}]")

    async def _is_lost(self, why: str) -> AssertionError:
        view = await self.person.view()
        seen = "\n".join(map(str, await self.person.everything_seen()))
        told = f"{view['unheard']} acts are not heard. On the screen:\n{screen(view)}\nAll seen:\n{seen}"
        return AssertionError(f"{self.person.name} {why}\n{told}")

    async def _next_card(self, card: Shown | None, patience_s: float) -> Shown:
        """The newest card once another question stands on it; the same again when patience ends."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + patience_s
        view = await self.person.view()
        while (now := _newest(view)) is None or (card is not None and _question(now) == _question(card)):
            left = ends - loop.time()
            if left <= 0:
                if card is None:
                    raise AssertionError(f"{self.person.name} was never greeted")
                return card
            view = await self.person.view(view["version"], left)
        return now


def _newest(view: Json) -> Shown | None:
    """The card that is asking; a receipt, wherever it stands: below it more may be added."""
    cards = [message for message in messages_of(view) if not message.own and message.buttons]
    receipt = next((card for card in cards if "Thank you." in card.text), None)
    return receipt or (cards[-1] if cards else None)


def _question(card: Shown) -> tuple[str, ...]:
    """What tells one question from another: what its buttons do, which a notice above it does not change."""
    return tuple(button.raw.get("callback_data", "") for row in card.buttons for button in row)


def _receipt_on(card: Shown) -> Receipt:
    code = re.search(r"Code: (\S+)", card.text)
    words = re.search(r"come back: (.*?)\. ", card.text)
    assert code is not None
    assert words is not None
    return Receipt(code[1], words[1])
