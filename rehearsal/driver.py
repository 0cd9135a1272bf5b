"""A person at the chat, for tests, benchmarks and demonstrations: every act is one call, every look waits.

    async with Driver("http://127.0.0.1:8081") as driver:
        olha = driver.person("Olha")
        await olha.sends("/start")
        await olha.taps("English")
        await olha.sees("What is the child’s name?")

It speaks HTTP with a rehearsal server, in this process or another, and knows nothing of bot libraries. A look
that does not come true within `timeout_s` real seconds raises NotSeenError with what stands on the screen.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Self

import aiohttp

from rehearsal.errors import ActError
from rehearsal.person import Person
from rehearsal.screen import Button, NotSeenError, Shown

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Button", "Driver", "NotSeenError", "Person", "Shown"]

Json = dict[str, Any]
OK = 200


class Driver:
    """The connection to one rehearsal server."""

    def __init__(self, base_url: str, timeout_s: float = 10.0) -> None:
        self.base_url = base_url.rstrip("/")
        self.timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    def person(self, name: str, *, language: str = "uk", bot: int | None = None) -> Person:
        """Return somebody with a Telegram account, by name. `bot` is an id; None is the first bot."""
        return Person(self, name, language, bot)

    async def fault(self, kind: str, **fields: Any) -> Json:
        """Turn a fault on; the fields are those of `rehearsal.faults.Fault`."""
        done: Json = await self.ask("POST", "faults", json={"kind": str(kind), **fields})
        return done

    async def clear_faults(self) -> None:
        """Turn all faults off."""
        await self.ask("DELETE", "faults")

    async def advance(self, seconds: float) -> None:
        """Let the server's time pass."""
        await self.ask("POST", "clock", json={"advance_s": seconds})

    async def calls(self, method: str | None = None, after: int = 0) -> list[Json]:
        """Return the requests bots made, oldest first: number, bot, method, params, error, fault."""
        query = {"after": str(after)} | ({"method": method} if method else {})
        done: list[Json] = await self.ask("GET", "calls", params=query)
        return done

    async def use_targets(self, urls: Sequence[str]) -> None:
        """Deliver webhooks to these addresses in turn, as a balancer would; none returns to setWebhook's."""
        await self.ask("POST", "targets", json={"targets": list(urls)})

    async def upload(self, content: bytes) -> str:
        """Put bytes at the server for one following act."""
        done = await self.ask("POST", "uploads", data=io.BytesIO(content))
        key: str = done["upload"]
        return key

    async def download(self, file_id: str) -> bytes:
        """Return a file's bytes as the server keeps them."""
        async with self._open().get(f"{self.base_url}/rehearsal/media/{file_id}") as answer:
            answer.raise_for_status()
            return await answer.read()

    async def ask(self, verb: str, what: str, **more: Any) -> Any:
        """Ask the server. Raises ActError with its sentence when it refuses."""
        headers = {"X-Rehearsal": "driver"}
        url = f"{self.base_url}/rehearsal/{what}"
        async with self._open().request(verb, url, headers=headers, **more) as answer:
            if answer.status != OK:
                raise ActError(str((await answer.json())["error"]))
            return await answer.json()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            # Every waiting look holds a connection: there must be no limit on them.
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self._session

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
