"""What a bot is to be told: one queue per bot, in the order of each chat, until acknowledged.

Polling confirms by `offset`, a webhook by 2xx for the head of a *lane*: the messages of one chat are one
lane, the callback queries of one person another (so a tap and a text of one person can arrive at once).
Messages wait 24 hours, callback queries 150 seconds. After a quiet week the next update_id is random.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict, deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from rehearsal.faults import Fault, Kind

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from rehearsal.botapi import Json
    from rehearsal.clock import Clock

MESSAGE_LIFE_S = 24 * 3600
CALLBACK_LIFE_S = 150
QUIET_S = 7 * 24 * 3600
REORDER_WAIT_S = 1.0  # an update set aside comes anyway when no other follows it
# Without being asked for, a bot is told everything but these (getUpdates, allowed_updates).
ASKED_ONLY = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


@dataclass
class Waiting:
    """One update that the bot has not acknowledged."""

    update: Json
    lane: str
    expires: float  # seconds since 1970, by the server's clock
    copies: int = 1


@dataclass
class _Coming:
    """An update before it enters the queue."""

    kind: str
    payload: Json
    lane: str
    life_s: float
    copies: int = 1


class UpdateQueue:
    """The updates of one bot. `strikes` says which fault meets an update of a lane."""

    def __init__(self, clock: Clock, chance: random.Random, strikes: Callable[[str], Fault | None]) -> None:
        self._clock = clock
        self._chance = chance
        self._strikes = strikes
        self._waiting: OrderedDict[int, Waiting] = OrderedDict()
        self._lanes: dict[str, deque[int]] = {}
        self._held: dict[str, list[_Coming]] = {}
        self._aside: list[_Coming] = []
        self._timers: set[asyncio.TimerHandle] = set()
        self._watchers: set[asyncio.Future[None]] = set()
        self.next_id = chance.randrange(100_000_000, 900_000_000)
        self._last_put = clock.now()
        self._soonest = math.inf  # nothing expires before, so nothing need be looked through before
        self.allowed: list[str] = []
        self.on_put: Callable[[str], None] = lambda _lane: None
        self.on_settled: Callable[[str], None] = lambda _lane: None

    # Putting in

    def put(self, kind: str, payload: Json, lane: str) -> None:
        """Add an update of `kind` (message, callback_query, …) unless the bot did not ask for such."""
        if not self.wants(kind):
            return
        life_s = CALLBACK_LIFE_S if kind == "callback_query" else MESSAGE_LIFE_S
        coming = _Coming(kind, payload, lane, life_s)
        if lane in self._held:
            self._held[lane].append(coming)
            return
        fault = self._strikes(lane)
        if fault is None:
            self._enter(coming)
            self._release_aside()
        elif fault.kind is Kind.DUPLICATE:
            coming.copies = 2
            self._enter(coming)
            self._release_aside()
        elif fault.kind is Kind.LATE:
            self._held[lane] = [coming]
            self._later(fault.hold_s, lambda: self._release_lane(lane))
        else:
            self._aside.append(coming)
            self._later(REORDER_WAIT_S, self._release_aside)

    def put_raw(self, update: Json, lane: str) -> None:
        """Add an update as it is, whatever is in it; only its update_id is given here."""
        payload = {name: value for name, value in update.items() if name != "update_id"}
        self._add(payload, lane, MESSAGE_LIFE_S, copies=1)

    def wants(self, kind: str) -> bool:
        """Tell whether the bot is told of this kind of update."""
        return kind in self.allowed if self.allowed else kind not in ASKED_ONLY

    def _enter(self, coming: _Coming) -> None:
        self._add({coming.kind: coming.payload}, coming.lane, coming.life_s, coming.copies)

    def _add(self, payload: Json, lane: str, life_s: float, copies: int) -> None:
        now = self._clock.now()
        if now - self._last_put > QUIET_S:
            self.next_id = self._chance.randrange(100_000_000, 900_000_000)
        self._last_put = now
        while self.next_id in self._waiting:
            self.next_id += 1
        self._soonest = min(self._soonest, now + life_s)
        self._waiting[self.next_id] = Waiting(
            {"update_id": self.next_id, **payload}, lane, now + life_s, copies
        )
        self._lanes.setdefault(lane, deque()).append(self.next_id)
        self.next_id += 1
        self._wake()
        self.on_put(lane)

    def _release_aside(self) -> None:
        aside, self._aside = self._aside, []
        for coming in aside:
            self._enter(coming)

    def _release_lane(self, lane: str) -> None:
        for coming in self._held.pop(lane, []):
            self._enter(coming)

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        def due() -> None:
            self._timers.discard(handle)
            act()

        handle = asyncio.get_running_loop().call_later(seconds, due)
        self._timers.add(handle)

    # Taking out

    def poll(self, offset: int | None, limit: int) -> list[Json]:
        """Confirm what lies before `offset` and return what is next, oldest first.

        A negative offset forgets all but that many of the newest.
        """
        self._expire()
        if offset is not None and offset < 0:
            for update_id in list(self._waiting)[:offset]:
                self._remove(update_id)
        elif offset:
            for update_id in [known for known in self._waiting if known < offset]:
                self.acknowledge(update_id)
        return [waiting.update for waiting in islice(self._waiting.values(), limit)]

    def head(self, lane: str) -> Json | None:
        """Return the update of a lane that is to be delivered now."""
        self._expire()
        ids = self._lanes.get(lane)
        return self._waiting[ids[0]].update if ids else None

    def acknowledge(self, update_id: int) -> None:
        """The bot has it. An update that a fault doubled is given once more."""
        waiting = self._waiting.get(update_id)
        if waiting is None:
            return
        waiting.copies -= 1
        if waiting.copies < 1:
            self._remove(update_id)

    def drop_all(self) -> None:
        """Forget everything that waits (drop_pending_updates)."""
        for update_id in list(self._waiting):
            self._remove(update_id)

    def _expire(self) -> None:
        now = self._clock.now()
        if now < self._soonest:
            return
        for update_id in [known for known, waiting in self._waiting.items() if waiting.expires <= now]:
            self._remove(update_id)
        self._soonest = min((waiting.expires for waiting in self._waiting.values()), default=math.inf)

    def _remove(self, update_id: int) -> None:
        waiting = self._waiting.pop(update_id)
        ids = self._lanes[waiting.lane]
        ids.remove(update_id)
        if not ids:
            del self._lanes[waiting.lane]
        self.on_settled(waiting.lane)

    # Looking

    def lanes(self) -> list[str]:
        """Return the lanes in which something waits."""
        return list(self._lanes)

    def __len__(self) -> int:
        return len(self._waiting)

    def unheard(self, lane: str) -> int:
        """Count what a lane still has to tell, held back by faults or not."""
        aside = sum(coming.lane == lane for coming in self._aside)
        return len(self._lanes.get(lane, ())) + len(self._held.get(lane, ())) + aside

    async def wait(self, seconds: float) -> None:
        """Return when something waits, at the latest after so many real seconds."""
        if self._waiting or seconds <= 0:
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

    def _wake(self) -> None:
        for watcher in self._watchers:
            if not watcher.done():
                watcher.set_result(None)

    # Keeping between runs

    def to_json(self) -> Json:
        """Return what waits and how to go on counting."""
        rows = [[waiting.update, waiting.lane, waiting.expires] for waiting in self._waiting.values()]
        return {
            "next_id": self.next_id,
            "last_put": self._last_put,
            "allowed": self.allowed,
            "waiting": rows,
        }

    def restore(self, kept: Json) -> None:
        """Take up what an earlier run left."""
        self.next_id = kept["next_id"]
        self._last_put = kept["last_put"]
        self.allowed = kept["allowed"]
        for update, lane, expires in kept["waiting"]:
            self._waiting[update["update_id"]] = Waiting(update, lane, expires)
            self._soonest = min(self._soonest, expires)
            self._lanes.setdefault(lane, deque()).append(update["update_id"])

    def close(self) -> None:
        """Stop the timers of held updates."""
        for handle in self._timers:
            handle.cancel()
