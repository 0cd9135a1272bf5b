"""A rehearsal server in this process, and a bot that speaks to it without any library."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from rehearsal.clock import Clock
from rehearsal.server import Rehearsal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = "1000:TRY"


@dataclass
class Answered:
    status: int
    body: dict[str, Any]

    @property
    def result(self) -> Any:
        assert self.body["ok"], self.body
        return self.body["result"]

    @property
    def refusal(self) -> tuple[int, str]:
        assert not self.body["ok"], self.body
        assert self.status == self.body["error_code"]
        return self.body["error_code"], self.body["description"]


class PlainBot:
    """Calls methods as JSON, form or multipart, and keeps the offset."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session = session
        self._base = f"{url}/bot{token}"
        self._files = f"{url}/file/bot{token}"
        self._offset = 0

    async def asks(self, method: str, **params: Any) -> Answered:
        async with self._session.post(f"{self._base}/{method}", json=params) as answer:
            return Answered(answer.status, await answer.json())

    async def posts(self, method: str, data: Any) -> Answered:
        async with self._session.post(f"{self._base}/{method}", data=data) as answer:
            return Answered(answer.status, await answer.json())

    async def gets(self, method: str, **params: str) -> Answered:
        async with self._session.get(f"{self._base}/{method}", params=params) as answer:
            return Answered(answer.status, await answer.json())

    async def updates(self, timeout: int = 5) -> list[dict[str, Any]]:  # noqa: ASYNC109 - Telegram's name for it
        """Wait for updates, and confirm them with the next call."""
        found: list[dict[str, Any]] = (
            await self.asks("getUpdates", offset=self._offset, timeout=timeout)
        ).result
        if found:
            self._offset = found[-1]["update_id"] + 1
        return found

    async def downloads(self, file_path: str, **headers: str) -> tuple[int, bytes]:
        async with self._session.get(f"{self._files}/{file_path}", headers=headers) as answer:
            return answer.status, await answer.read()


@pytest.fixture
async def rehearsal() -> AsyncIterator[Rehearsal]:
    clock = Clock(start=1_800_000_000.0)
    async with Rehearsal(
        [TOKEN, "2000:DUTY"], clock=clock, chance=random.Random(7), retry_first_s=0.01, retry_longest_s=0.05
    ) as server:
        yield server


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def bot(rehearsal: Rehearsal, session: aiohttp.ClientSession) -> PlainBot:
    return PlainBot(session, rehearsal.url, TOKEN)
