"""Faults by switch: what goes wrong, for which method and chat, how often.

    faults.add(Kind.TOO_MANY_REQUESTS, method="sendMessage", times=3, retry_after_s=1)
    faults.add(Kind.DUPLICATE, probability=0.2)

A call fault strikes a request of the bot; an update fault strikes what the bot is sent. A fault with `times`
ends when it has struck so often; without, it stays until cleared.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random


class Kind(StrEnum):
    """What goes wrong."""

    TOO_MANY_REQUESTS = "too_many_requests"  # 429 with retry_after
    BLOCKED = "blocked"  # 403, as if the person had blocked the bot
    SERVER_ERROR = "server_error"  # 5xx
    TIMEOUT = "timeout"  # no answer for hold_s seconds, then the connection ends
    CUT = "cut"  # the connection ends at once; a download ends in its middle
    DUPLICATE = "duplicate"  # the bot is given the update twice
    REORDERED = "reordered"  # the update comes after the next one, whatever chat that is in
    LATE = "late"  # the update and those after it in its chat come hold_s seconds later


CALL_KINDS = frozenset({Kind.TOO_MANY_REQUESTS, Kind.BLOCKED, Kind.SERVER_ERROR, Kind.TIMEOUT, Kind.CUT})
UPDATE_KINDS = frozenset(Kind) - CALL_KINDS


@dataclass
class Fault:
    """One switch that is on. `done` true: the call is performed first and only its answer lost or refused."""

    id: int
    kind: Kind
    method: str | None = None  # a Bot API method, or "file" for downloads; None is any but getUpdates
    chat: int | None = None
    probability: float = 1.0
    times: int | None = None
    retry_after_s: int = 1
    status: int = 502
    hold_s: float = 5.0
    done: bool = False
    struck: int = 0


class Faults:
    """All switches that are on; the first that matches strikes."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._faults: list[Fault] = []
        self._next_id = 1

    def add(
        self,
        kind: Kind | str,
        *,
        method: str | None = None,
        chat: int | None = None,
        probability: float = 1.0,
        times: int | None = None,
        retry_after_s: int = 1,
        status: int = 502,
        hold_s: float = 5.0,
        done: bool = False,
    ) -> Fault:
        """Turn a fault on and return it. Raises ValueError for an unknown kind."""
        fault = Fault(
            self._next_id, Kind(kind), method, chat, probability, times, retry_after_s, status, hold_s, done
        )
        self._next_id += 1
        self._faults.append(fault)
        return fault

    def clear(self, fault_id: int | None = None) -> None:
        """Turn one fault off, or all."""
        self._faults = [] if fault_id is None else [fault for fault in self._faults if fault.id != fault_id]

    def standing(self) -> list[Fault]:
        """Return the faults that are on."""
        return list(self._faults)

    def strikes_call(self, method: str, chat: int | None) -> Fault | None:
        """Return the fault that strikes this call, if any, and count it."""
        return self._strike(CALL_KINDS, method, chat)

    def strikes_update(self, chat: int | None) -> Fault | None:
        """Return the fault that strikes this update, if any, and count it."""
        return self._strike(UPDATE_KINDS, None, chat)

    def _strike(self, kinds: frozenset[Kind], method: str | None, chat: int | None) -> Fault | None:
        for fault in self._faults:
            if fault.kind not in kinds or not _meant(fault, method, chat):
                continue
            if fault.probability < 1 and self._chance.random() >= fault.probability:
                continue
            fault.struck += 1
            if fault.times is not None and fault.struck >= fault.times:
                self._faults.remove(fault)
            return fault
        return None


def _meant(fault: Fault, method: str | None, chat: int | None) -> bool:
    if fault.chat is not None and fault.chat != chat:
        return False
    if fault.method is None:
        # A poll that fails delays updates; who wants that names the method.
        return method != "getUpdates"
    return method is None or fault.method.lower() == method.lower()
