"""What the web process is made of: adapters built once at its edge, and nothing that was ever sealed."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg

from admin.console.children import Children
from admin.console.door import Door
from admin.console.factors import Factors
from admin.console.live import Live
from admin.console.network import Networks
from admin.console.pages import Pages
from admin.console.static import Static
from admin.console.throttle import Throttle
from storage import custody, sessions
from storage.desk import Desk
from storage.refusals import Refusal, refused


@dataclass
class Console:
    """The console's parts. `refused` are the compartments whose key a session could not open."""

    database: asyncpg.Pool
    desk: Desk
    door: Door
    throttle: Throttle
    networks: Networks
    factors: Factors
    children: Children
    live: Live
    pages: Pages
    static: Static
    now: Callable[[], datetime]
    idle: timedelta
    refused: dict[bytes, list[str]] = field(default_factory=dict)
    told: set[Refusal] = field(default_factory=set)
    unproved: dict[bytes, int] = field(default_factory=dict)  # failures since the last proof, by session

    async def end(self, session: bytes, by: uuid.UUID | None = None) -> None:
        """Ends a session: its row, and its keys in every compartment's process. `by` is on record as who ended it."""
        async with self.database.acquire() as connection, connection.transaction():
            member = await sessions.end(connection, session)
            if member and by:
                act = custody.leaf("session ended", at=self.now(), actor=str(by), obj=str(member))
                await custody.write(connection, act)
        await self.forget(session)

    async def end_refused(self, session: bytes, why: Refusal) -> None:
        """Ends a session that somebody else seems to use; what was refused is on record."""
        async with self.database.acquire() as connection, connection.transaction():
            member = await sessions.end(connection, session)
            if member:
                await refused(connection, why, obj=str(member), actor="", now=self.now())
        await self.forget(session)

    async def on_record(self, what: Refusal) -> None:
        """What a stranger at the door can bring about is told once, while this process lives."""
        if what not in self.told:
            self.told.add(what)
            await refused(self.database, what, obj="", actor="", now=self.now())

    async def end_lapsed(self) -> None:
        """Ends every session that is idle, too old, or whose member has left, and forgets the keys of all that ended.

        The keeper takes rows away too, when a member leaves or their keys change.
        """
        await sessions.end_lapsed(self.database, now=self.now(), idle=self.idle)
        known = (
            self.children.sessions() | self.factors.sessions() | self.refused.keys() | self.unproved.keys()
        )
        for session in await sessions.gone(self.database, known):
            await self.forget(session)

    async def forget(self, session: bytes) -> None:
        """A session's row is gone: so are its keys."""
        self.factors.forget(session)
        self.refused.pop(session, None)
        self.unproved.pop(session, None)
        await self.children.dismiss(session)
        self.live.poke()
