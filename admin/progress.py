"""How far a long act is: a bar that is drawn over and over on a terminal, a line now and then anywhere else.

    with Progress(total, sys.stdout, time.monotonic) as progress:
        progress.advance(32)

Whoever watches a terminal or reads a log sees how much is left.
"""

from collections.abc import Callable
from typing import Self, TextIO

_WIDTH = 30  # signs of the bar
_DRAW_EVERY_S = 0.2
_LINE_EVERY_S = 10.0
_MINUTE_S, _HOUR_S = 60, 3600


class Progress:
    """Counts what is done of `total`. `seconds` is a clock that only goes forward."""

    def __init__(self, total: int, out: TextIO, seconds: Callable[[], float]) -> None:
        self._total, self._out, self._seconds = total, out, seconds
        self._bar = out.isatty()
        self._done = 0
        self._began = self._told = seconds()

    def __enter__(self) -> Self:
        self._tell()
        return self

    def __exit__(self, *_: object) -> None:
        self._tell()
        if self._bar:
            self._out.write("\n")

    def advance(self, count: int) -> None:
        """So many more are done."""
        self._done += count
        if self._seconds() - self._told >= (_DRAW_EVERY_S if self._bar else _LINE_EVERY_S):
            self._tell()

    def _tell(self) -> None:
        self._told = self._seconds()
        share = min(1.0, self._done / self._total) if self._total else 1.0
        told = f"{self._done} / {self._total}  {share:4.0%}{self._left(share)}"
        if self._bar:
            filled = round(share * _WIDTH)
            # Erases to the end of the line: what was there may have been longer.
            self._out.write(f"\r[{'#' * filled}{'.' * (_WIDTH - filled)}]  {told}\x1b[K")
        else:
            self._out.write(f"{told}\n")
        self._out.flush()

    def _left(self, share: float) -> str:
        if not 0 < share < 1:
            return ""
        seconds = (self._told - self._began) * (1 - share) / share
        if seconds < _MINUTE_S:
            return f"  about {seconds:.0f} s left"
        if seconds < _HOUR_S:
            return f"  about {seconds / _MINUTE_S:.0f} min left"
        return f"  about {seconds / _HOUR_S:.1f} h left"
