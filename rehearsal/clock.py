"""The server's time: real seconds plus what a test has advanced, so that 48 hours pass in a moment.

    clock = Clock()
    clock.advance(48 * 3600)

Ages of messages, callbacks and file paths follow this clock. Waiting (long polls, retries, timeouts) takes
real time.
"""

from __future__ import annotations

import time


class Clock:
    """Seconds since 1970. `start` pins the first moment and stops the clock; None follows the machine."""

    def __init__(self, start: float | None = None) -> None:
        self._pinned = start
        self.ahead_s = 0.0  # what was advanced, seconds

    def now(self) -> float:
        """Return the present moment, in seconds since 1970."""
        return (time.time() if self._pinned is None else self._pinned) + self.ahead_s

    def date(self) -> int:
        """Return the present moment as the Bot API writes dates: whole seconds."""
        return int(self.now())

    def advance(self, seconds: float) -> None:
        """Let time pass. It never goes back."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self.ahead_s += seconds
