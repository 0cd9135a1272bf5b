"""What the web process is made of: adapters built once at its edge, and nothing that was ever sealed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg

from admin.console.children import Children
from admin.console.door import Door
from admin.console.live import Live
from admin.console.pages import Pages
from admin.console.static import Static
from storage import sessions
from storage.desk import Desk


@dataclass
class Console:
    """The console's parts. `refused` are the compartments whose key a session could not open."""

    database: asyncpg.Pool
    desk: Desk
    door: Door
    children: Children
    live: Live
    pages: Pages
    static: Static
    now: Callable[[], datetime]
    idle: timedelta
    refused: dict[bytes, list[str]] = field(default_factory=dict)

    async def end(self, session: bytes) -> None:
        """Ends a session: its row, and its keys in every compartment's process."""
        await sessions.end(self.database, session)
        await self.forget(session)

    async def end_lapsed(self) -> None:
        """Ends every session that is idle, too old, or whose member has left."""
        for session in await sessions.end_lapsed(self.database, now=self.now(), idle=self.idle):
            await self.forget(session)

    async def forget(self, session: bytes) -> None:
        """A session's row is gone: so are its keys."""
        self.refused.pop(session, None)
        await self.children.dismiss(session)
        self.live.poke()
