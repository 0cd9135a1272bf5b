"""How fast each chat is served: a flood waits for itself, and for nobody else.

    async with pace.turn(chat):   # an update of this chat is taken
        …
    await pace.rest(chat)         # before this chat's next card

Every chat has a bucket of `BURST` tokens that fills by `A_SECOND`; an update takes one. While there are tokens nothing
is different: an album, a story typed in sixty short lines, a tap each half second. Beyond them updates of all flooding
chats are taken one at a time, and cards come after a pause that grows with what the chat owes. No update is refused:
over webhooks, when enough wait here, Telegram is asked to bring the next one later (`later`).
"""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable

BURST = 120.0  # tokens of a chat that was calm
A_SECOND = 2.0  # tokens that come back
OWED_AT_MOST = 16.0  # tokens: no card waits longer than 8 s
WAITING_AT_MOST = 8  # updates of floods that wait here; each holds one of Telegram's connections


class Pace:
    """One for a process, by the chats' names in the store. `clock` gives seconds of a clock that never goes back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: dict[bytes, tuple[float, float]] = {}  # tokens, and when they were counted
        self._resting: dict[bytes, asyncio.Event] = {}
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0

    @contextlib.asynccontextmanager
    async def turn(self, chat: bytes) -> AsyncIterator[None]:
        """Takes one token; a chat that has none waits until no other flood is served."""
        tokens = self._tokens(chat) - 1
        self._buckets[chat] = (max(tokens, -OWED_AT_MOST), self._clock())
        if tokens >= 0:
            yield
            return
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                yield
        finally:
            self._waiting -= 1

    def later(self, chat: bytes) -> int:
        """After how many seconds Telegram should bring this chat's update again; 0: it is taken now."""
        if self._waiting < WAITING_AT_MOST or self._tokens(chat) >= 1:
            return 0
        return max(1, math.ceil(self.pause(chat)))

    def pause(self, chat: bytes) -> float:
        """How long this chat's next card waits, in seconds; 0 while it has tokens."""
        return max(0.0, -self._tokens(chat) / A_SECOND)

    async def rest(self, chat: bytes) -> None:
        """Returns when this chat may be shown its next card."""
        pause = self.pause(chat)
        if pause == 0:
            return
        hurried = self._resting.setdefault(chat, asyncio.Event())
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(hurried.wait(), pause)
        finally:
            self._resting.pop(chat, None)

    def hurry(self, chat: bytes) -> None:
        """Who hides or erases does not wait, whatever was sent before."""
        if self.pause(chat) > 0:
            self._buckets[chat] = (0.0, self._clock())
        if chat in self._resting:
            self._resting[chat].set()

    def forget(self) -> None:
        """Forgets the chats whose buckets are full again; call it at times."""
        for chat in [chat for chat in self._buckets if self._tokens(chat) >= BURST]:
            del self._buckets[chat]

    def __len__(self) -> int:
        """How many chats are remembered."""
        return len(self._buckets)

    def _tokens(self, chat: bytes) -> float:
        """What a chat has at this moment; below zero: what it owes."""
        tokens, counted = self._buckets.get(chat, (BURST, 0.0))
        return min(BURST, tokens + (self._clock() - counted) * A_SECOND)
