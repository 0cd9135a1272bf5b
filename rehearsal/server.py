"""The server as an object: tests start it in their own process, `python -m rehearsal` in one of its own.

    async with Rehearsal(["1:TEST"]) as rehearsal:
        olha = rehearsal.person("Olha")
        await olha.sends("/start")          # a bot that polls rehearsal.url is told

It listens on this machine only unless told otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
from typing import TYPE_CHECKING, Self

from aiohttp import web

from rehearsal.acts import Acts
from rehearsal.botapi import BotApi
from rehearsal.control import Control, guarded
from rehearsal.driver import Driver, Person
from rehearsal.errors import PortTakenError
from rehearsal.keeping import load, save
from rehearsal.pages import add_page_routes
from rehearsal.serving import BotApiServer
from rehearsal.webhook import Webhooks
from rehearsal.wire import REQUEST_LIMIT
from rehearsal.world import World

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence
    from pathlib import Path

    from rehearsal.clock import Clock
    from rehearsal.faults import Faults

SAVE_EVERY_S = 0.5
SHUTDOWN_S = 0.2  # long polls and event streams are cut, not awaited


class Rehearsal:
    """One server. `port` 0 takes a free one; `state` is a folder that keeps chats between runs."""

    def __init__(
        self,
        tokens: Sequence[str],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Clock | None = None,
        chance: random.Random | None = None,
        state: Path | None = None,
        webhook_targets: Sequence[str] = (),
        retry_first_s: float = 1.0,
        retry_longest_s: float = 60.0,
    ) -> None:
        self.world = World(tuple(tokens), clock, chance)
        self._host = host
        self._port = port
        self._state = state
        self._webhooks = Webhooks(self.world, tuple(webhook_targets), retry_first_s, retry_longest_s)
        self._runner: web.AppRunner | None = None
        self._saver: asyncio.Task[None] | None = None
        self._driver: Driver | None = None

    @property
    def url(self) -> str:
        """Return the base URL for bots and browsers, without a slash at its end."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def faults(self) -> Faults:
        """Return the switches."""
        return self.world.faults

    @property
    def clock(self) -> Clock:
        """Return the server's time."""
        return self.world.clock

    @property
    def driver(self) -> Driver:
        """Return the driver of this server. Raises RuntimeError before `start`."""
        if self._driver is None:
            raise RuntimeError("the rehearsal server has not started")
        return self._driver

    def person(self, name: str, *, language: str = "uk", bot: int | None = None) -> Person:
        """Return somebody with a Telegram account; the same name is the same person."""
        return self.driver.person(name, language=language, bot=bot)

    async def start(self) -> None:
        """Listen. Raises PortTakenError or StateError."""
        if self._state:
            load(self.world, self._state)
        api = BotApi.load()
        app = web.Application(client_max_size=REQUEST_LIMIT, middlewares=[guarded(self._local_hosts())])
        BotApiServer(self.world, api, self._webhooks).add_routes(app.router)
        Control(self.world, Acts(self.world, api), self._webhooks).add_routes(app.router)
        add_page_routes(app.router)
        # No access log: its lines would hold the token. A caller that goes away ends its long poll.
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_S
        )
        await self._runner.setup()
        await self._listen(self._runner)
        self._driver = Driver(self.url)
        for bot in self.world.bots.values():
            self._webhooks.start(bot)
        if self._state:
            self._saver = asyncio.create_task(self._save_changes(self._state))

    async def _listen(self, runner: web.AppRunner) -> None:
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            await runner.cleanup()
            if error.errno == errno.EADDRINUSE:
                raise PortTakenError(
                    f"Port {self._port} is taken by another program. Stop it, or choose another with --port."
                ) from None
            raise
        self._port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and delivering, and write the state."""
        if self._driver:
            await self._driver.close()
        await self._webhooks.close()
        for bot in self.world.bots.values():
            bot.queue.close()
        if self._runner:
            await self._runner.cleanup()
        if self._saver and self._state:
            self._saver.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._saver
            save(self.world, self._state)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _save_changes(self, folder: Path) -> None:
        saved = -1
        while True:
            if self.world.changes != saved:
                saved = self.world.changes
                save(self.world, folder)
            await asyncio.sleep(SAVE_EVERY_S)

    def _local_hosts(self) -> frozenset[str]:
        """Return the names by which a browser may call this server."""
        return frozenset({"localhost", "127.0.0.1", "::1", self._host})
