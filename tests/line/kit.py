"""A whole line for a story: rehearsal server, bot and database, with a team key that only the test holds."""

import asyncio
import contextlib
import hashlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot import settings as bot_settings
from bot.app import App, build, now
from flows import forms
from rehearsal.driver import Person
from rehearsal.server import Rehearsal
from seal import HybridIdentity, open_bytes
from storage import manifest, roles
from storage.bodies import open_body

TOKEN = "1000000001:DEMO-token-for-tests"
HOOK = {"webhook_secret": "a-secret-of-the-tests"}
GREETING = "Please choose a language."
APART = {"child": "child", "with_me": "whereabouts"}  # by form; all others go to the team
PATIENCE_S = 15


class Clock:
    """The bot's clock: real seconds, and what a test lets pass."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Team:
    """The receiving side: its keys, and what it can open."""

    database: Any
    blobs: Any = None
    ceremony: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    identity: HybridIdentity = field(default_factory=HybridIdentity.generate)
    apart: dict[str, HybridIdentity] = field(
        default_factory=lambda: {name: HybridIdentity.generate() for name in APART.values()}
    )
    places: dict[str, str] = field(default_factory=dict)  # by the beginning of a place's code

    async def holds_ceremony(self) -> None:
        """Publishes the first manifest."""
        first = manifest.Manifest(
            serial=1,
            expires=date(2099, 1, 1),
            recovery=str(HybridIdentity.generate().recipient),
            compartments={
                name: manifest.Compartment(epoch=1, recipient=str(identity.recipient))
                for name, identity in {"team": self.identity, **self.apart}.items()
            },
            members={},
            routing={form.name: APART.get(form.name, "team") for form in forms.every()},
            places=self.places,
        )
        connection = await asyncpg.connect(self.database.url(roles.KEEPER))
        try:
            await manifest.keep(connection, first, manifest.sign(first, self.ceremony))
        finally:
            await connection.close()

    async def reports(self) -> list[dict[str, Any]]:
        """All reports, each opened with its own compartment's key; its additions are under "additions"."""
        connection = await asyncpg.connect(self.database.superuser_url)
        try:
            rows = await connection.fetch(
                "SELECT b.*, r.public_code, r.class, r.compartment"
                " FROM bodies b JOIN reports r ON r.id = b.report ORDER BY b.number"
            )
        finally:
            await connection.close()
        opened: dict[uuid.UUID, dict[str, Any]] = {}
        for row in rows:
            content = open_body(
                ["report", "addition"],
                row["id"],
                row["number"],
                row["sealed"],
                [self.apart.get(row["compartment"], self.identity)],
            )
            if row["number"] == 1:
                opened[row["report"]] = {
                    **content,
                    "code": row["public_code"],
                    "class": row["class"],
                    "compartment": row["compartment"],
                    "additions": [],
                }
            else:
                opened[row["report"]]["additions"].append(content)
        return list(opened.values())

    async def file(self, entry: dict[str, Any], blobs: Any) -> bytes:
        """An original, opened and cut to its length; its hash is checked."""
        connection = await asyncpg.connect(self.database.superuser_url)
        try:
            name = await connection.fetchval("SELECT blob FROM files WHERE id = $1", uuid.UUID(entry["id"]))
        finally:
            await connection.close()
        sealed = b"".join([chunk async for chunk in blobs.get(name)])
        original = open_bytes(sealed, [self.identity])[: entry["length"]]
        assert hashlib.sha256(original).hexdigest() == entry["sha256"]
        return original


@dataclass
class Line:
    """The running line."""

    rehearsal: Rehearsal
    app: App
    team: Team
    settings: bot_settings.BotSettings

    def person(self, name: str, language: str = "en") -> Person:
        return self.rehearsal.person(name, language=language)

    async def settles(self) -> None:
        """Everything committed is sent."""
        await self.app.updates.idle()


@contextlib.asynccontextmanager
async def running(
    settings: bot_settings.BotSettings, *, clock: Callable[[], datetime] = now
) -> AsyncIterator[App]:
    async with build(settings, clock=clock) as app:
        task = asyncio.create_task(app.run())
        try:
            yield app
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


# ---- time, and what a store holds -------------------------------------------------------------------


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await true():  # noqa: ASYNC110 - what a database holds sets no event
            await asyncio.sleep(0.02)


async def until_quiet(line: Line) -> None:
    """Nothing is committed that was not sent."""
    connections = line.app.intake.connections

    async def sent() -> bool:
        await line.settles()
        return not await connections.fetchval(
            "SELECT count(*) FROM outgoing WHERE not_before <= $1", line.app.intake.now()
        )

    await until(sent)


async def passes(line: Line, clock: Clock, time: timedelta) -> None:
    """Time passes at Telegram and at the bot, when nothing is under way: no lease lapses by the jump."""
    await line.settles()
    clock.ahead += time
    line.rehearsal.clock.advance(time.total_seconds())


def blobs_of(line: Line) -> list[str]:
    folder = line.settings.state / "blobs"
    return [path.name for path in folder.rglob("*") if path.is_file()]
