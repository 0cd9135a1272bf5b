"""The queue is live: whoever watches hears that something may have changed, at most twice a second.

One listener on the database serves all browsers; `poke` says it at once for what this process did itself.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

GAP_S = 0.5


class Live:
    """Built once in the web process."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Event] = set()
        self._closed = False

    async def follow(self, changes: AsyncIterator[None]) -> None:
        """Passes on what the database says (`storage.database.changes`), until cancelled."""
        async for _ in changes:
            self.poke()

    def poke(self) -> None:
        """Something may have changed."""
        for event in self._watchers:
            event.set()

    def close(self) -> None:
        """Ends all streams, so that the server can stop."""
        self._closed = True
        self.poke()

    async def watch(self, *, at_least_every: float) -> AsyncIterator[None]:
        """Yields at each change, several close together as one, and every so many seconds besides."""
        event = asyncio.Event()
        self._watchers.add(event)
        try:
            while await self._open_after(event, at_least_every):
                yield
                await asyncio.sleep(GAP_S)
        finally:
            self._watchers.discard(event)

    async def _open_after(self, event: asyncio.Event, longest: float) -> bool:
        """Waits for a change, or as long as that; False once all streams are to end."""
        if not self._closed:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), longest)
            event.clear()
        return not self._closed
