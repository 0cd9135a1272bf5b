"""Connections to PostgreSQL, as intake and the desk use them.

`pool` opens one process's connections as its own role; `announce` and `Listener` carry the empty NOTIFY that
says «there is something new» after a commit. A listener also polls, so a lost notification only delays.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = asyncpg.Connection | PoolConnectionProxy
Database: TypeAlias = asyncpg.Connection | PoolConnectionProxy | asyncpg.Pool

POOL_SIZE = 8  # connections a process (DESIGN: ≤ 8)
CHANNEL = "dodomu"
_ANNOUNCE_EVERY = 0.1  # seconds: at most ten notifications a second a process

UNAVAILABLE = (ConnectionError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError,
               asyncpg.OperatorInterventionError, asyncpg.InsufficientResourcesError, TimeoutError)  # fmt: skip
"""What asyncpg raises when the database is down, restarting, full or cut off: wait and try again."""


@contextlib.asynccontextmanager
async def pool(url: str, *, size: int = POOL_SIZE) -> AsyncIterator[asyncpg.Pool]:
    """A process's pool. Connections are made when first asked for, so that a database that is down can come back."""
    # Without asyncpg's RESET at each release: nothing of ours changes a session's state.
    connections = asyncpg.create_pool(
        url, min_size=0, max_size=size, command_timeout=30, connect=connect, reset=_leave_as_it_is
    )
    try:
        yield await connections
    finally:
        try:
            await asyncio.wait_for(connections.close(), 10)
        except (TimeoutError, *UNAVAILABLE):
            connections.terminate()


async def connect(url: str, **settings: Any) -> asyncpg.Connection:
    """One connection; ConnectionError when there is no server, also when its socket's file is gone."""
    try:
        return await asyncpg.connect(url, **settings)
    except OSError as error:
        raise ConnectionError("no PostgreSQL answers") from error


async def _leave_as_it_is(connection: asyncpg.Connection) -> None:
    """What asyncpg calls when a connection returns to the pool."""


class Announcer:
    """Sends the empty NOTIFY, in a transaction of its own, at most ten times a second."""

    def __init__(self, connections: asyncpg.Pool) -> None:
        self._connections = connections
        self._task: asyncio.Task[None] | None = None

    def announce(self) -> None:
        """Something new is committed. Returns at once."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._send())

    async def _send(self) -> None:
        await asyncio.sleep(_ANNOUNCE_EVERY)
        with contextlib.suppress(*UNAVAILABLE):  # who listens also polls
            await self._connections.execute(f"NOTIFY {CHANNEL}")


def _notice(noticed: asyncio.Event, *_: object) -> None:
    noticed.set()


async def changes(url: str, *, poll_every: float) -> AsyncIterator[None]:
    """Yields whenever something may have changed: at each notification, and every `poll_every` seconds besides."""
    while True:
        noticed = asyncio.Event()
        try:
            connection = await connect(url)
        except UNAVAILABLE:
            await asyncio.sleep(poll_every)
            yield
            continue
        try:
            await connection.add_listener(CHANNEL, partial(_notice, noticed))
            while not connection.is_closed():
                yield
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(noticed.wait(), poll_every)
                noticed.clear()
        finally:
            await connection.close()
