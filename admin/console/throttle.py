"""Guessing is slow and nobody is locked out: who failed waits before the next attempt, a little longer each time.

    async with throttle.turn((address, call_sign)) as turn:
        if not right: turn.failed()

A wait is never longer than `LONGEST_S`, ends by itself, and belongs to one address and call sign: a stranger who
guesses elsewhere does not slow down the member. Attempts of one key follow one another. Kept in memory only.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

FREE = 3  # failures before the waits begin: people mistype
FIRST_S = 1.0
LONGEST_S = 30.0
FORGET_S = 900.0  # after this long without a failure
MOST_KEYS = 10_000  # remembered at once; then the oldest go
WAITING_MOST = 32  # attempts waiting at once, of everybody
WAITING_EACH = 3  # of one key: nobody holds all places


class BusyError(Exception):
    """Too many people are signing in at this moment."""


@dataclass
class _Past:
    failures: int = 0
    last: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class Turn:
    """One attempt, counted as a success unless `failed` is called."""

    def __init__(self) -> None:
        self.wrong = False

    def failed(self) -> None:
        """Counts this attempt as a failure."""
        self.wrong = True


class Throttle:
    """`clock` is monotonic seconds; `sleep` waits that many."""

    def __init__(
        self, *, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._past: dict[tuple[str, str], _Past] = {}
        self._waiting = 0

    @contextlib.asynccontextmanager
    async def turn(self, key: tuple[str, str]) -> AsyncIterator[Turn]:
        """Waits as long as this key has earned, then lets one attempt through. BusyError at once when full."""
        if self._waiting >= WAITING_MOST:
            raise BusyError
        past = self._remembered(key)
        if past.users >= WAITING_EACH:
            raise BusyError
        self._waiting += 1
        past.users += 1
        try:
            async with past.lock:
                if wait := self._wait(past):
                    await self._sleep(wait)
                turn = Turn()
                try:
                    yield turn
                    past.failures = past.failures if turn.wrong else 0
                finally:  # a failure mostly leaves as an exception; any other exception counts as nothing
                    if turn.wrong:
                        past.failures += 1
                        past.last = self._clock()
        finally:
            self._waiting -= 1
            past.users -= 1
            if not past.users and not past.failures:
                self._past.pop(key, None)

    def _wait(self, past: _Past) -> float:
        over = past.failures - FREE
        return min(FIRST_S * 2**over, LONGEST_S) if over >= 0 else 0.0

    def _remembered(self, key: tuple[str, str]) -> _Past:
        now = self._clock()
        past = self._past.get(key)
        if past is not None and not past.users and now - past.last > FORGET_S:
            past = None
        if past is None:
            for other in [k for k, p in self._past.items() if not p.users][: len(self._past) - MOST_KEYS + 1]:
                del self._past[other]
            past = self._past[key] = _Past()
        return past
