"""What faults need: bots as processes of their own, killed by their own pid, and a database that forgets nothing.

bot = BotProcess(house, port=free_port())
await bot.starts()
await bot.is_killed()               # SIGKILL: no farewell
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from rehearsal.server import Rehearsal
from seal import HybridIdentity
from storage import local, manifest, roles, setup
from storage.blobs import Blobs
from tests.conftest import PASSWORDS, Database
from tests.line.kit import HOOK, TOKEN, Team

REPOSITORY = Path(__file__).parents[2]
DATABASE = "dodomu"
START_WITHIN_S = 60.0  # the slowest part is the import of the bot's framework
LOOK_EVERY_S = 0.05


@dataclass
class House:
    """One line from end to end: Telegram's stand-in, the team, the database and the bots' private folder."""

    rehearsal: Rehearsal
    database: Database
    team: Team
    state: Path

    @property
    def environment(self) -> dict[str, str]:
        """The settings of every bot process here."""
        return {
            "PATH": "/usr/bin:/bin",
            "DODOMU_BOT_TOKEN": TOKEN,
            "DODOMU_API_BASE": self.rehearsal.url,
            "DODOMU_STATE": str(self.state),
            "DODOMU_CEREMONY_KEY": self.team.ceremony.public_key().public_bytes_raw().hex(),
            "DODOMU_BOT_DATABASE_URL": self.database.url(roles.BOT),
        }

    @property
    def blobs(self) -> Blobs:
        return Blobs.open(str(self.state / "blobs"))

    async def asks(self, question: str, *values: Any) -> Any:
        """One value from the database, asked as nobody of the line may ask."""
        connection = await asyncpg.connect(self.database.superuser_url)
        try:
            return await connection.fetchval(question, *values)
        finally:
            await connection.close()

    async def comes_true(self, question: str, *, within_s: float = 30.0) -> None:
        """Waits until a question to the database is answered by true."""
        async with asyncio.timeout(within_s):
            while True:
                if await self.asks(question):
                    return
                await asyncio.sleep(LOOK_EVERY_S)


class BotProcess:
    """`python -m bot`. With a `port` it takes updates by webhook, else by polling."""

    def __init__(self, house: House, *, port: int | None = None) -> None:
        self.port = port
        self.environment = house.environment
        if port is not None:
            self.environment |= {
                "DODOMU_WEBHOOK_URL": self.address,
                "DODOMU_WEBHOOK_PORT": str(port),
                "DODOMU_WEBHOOK_SECRET": HOOK["webhook_secret"],
            }
        self._log = house.state.parent / f"bot-{port or 'polling'}.log"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        """Where it takes updates."""
        return f"http://127.0.0.1:{self.port}/webhook"

    @property
    def log(self) -> str:
        """What all its lives wrote."""
        return self._log.read_text(encoding="utf-8")

    async def starts(self) -> None:
        """Starts it, and again if it gives up (no database at that moment), until it takes updates."""
        async with asyncio.timeout(START_WITHIN_S):
            while True:
                if await self._starts_once():
                    return
                await asyncio.sleep(LOOK_EVERY_S)

    async def _starts_once(self) -> bool:
        lives = self._lives()
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", cwd=REPOSITORY, env=self.environment, stdout=log, stderr=log
            )
        while self._process.returncode is None:
            if self._lives() > lives:
                return True
            await asyncio.sleep(LOOK_EVERY_S)
        return False

    def _lives(self) -> int:
        return self.log.count('"bot_started"') if self._log.exists() else 0

    async def is_killed(self) -> None:
        """Kills it at once, as a power cut would."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


async def says(house: House, *arguments: str, **environment: str | None) -> tuple[int, str, str]:
    """Runs `python -m bot …` to its end: exit status, output, errors. A setting of None is not set."""
    settings = {
        name: value for name, value in {**house.environment, **environment}.items() if value is not None
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments, cwd=REPOSITORY, env=settings,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), START_WITHIN_S)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def publishes(team: Team, *, serial: int, routing: dict[str, str]) -> None:
    """Publishes another manifest, which sends forms elsewhere."""
    another = manifest.Manifest(
        serial=serial,
        expires=date(2099, 1, 1),
        recovery=str(HybridIdentity.generate().recipient),
        compartments={"team": manifest.Compartment(epoch=1, recipient=str(team.identity.recipient))},
        members={},
        routing=routing,
    )
    connection = await asyncpg.connect(team.database.url(roles.KEEPER))
    try:
        await manifest.keep(connection, another, manifest.sign(another, team.ceremony))
    finally:
        await connection.close()


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def bots(house: House, *, webhooks: int = 0) -> AsyncIterator[list[BotProcess]]:
    """So many bots behind webhooks, used in turn; or one that polls. None is left when the test ends."""
    found = [BotProcess(house, port=free_port()) for _ in range(webhooks)] or [BotProcess(house)]
    if webhooks:
        await house.rehearsal.driver.use_targets([bot.address for bot in found])
    try:
        await asyncio.gather(*(bot.starts() for bot in found))
        yield found
    finally:
        for bot in found:
            await bot.is_killed()


@contextlib.asynccontextmanager
async def durable(folder: Path) -> AsyncIterator[Database]:
    """A database on a PostgreSQL of one's own that syncs every commit to disk, and may be restarted."""
    server = await asyncio.to_thread(local.acquire, folder)
    try:
        await setup.prepare(server.superuser_url(), DATABASE, PASSWORDS)
        yield Database(server, DATABASE)
    finally:
        await asyncio.to_thread(server.close)


async def posts(address: str, body: bytes, secret: bytes) -> tuple[int, bytes]:
    """Posts raw bytes to a webhook with raw bytes as its secret; HTTP's status and the answer's body."""
    host, port = address.removeprefix("http://").partition("/")[0].split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = b"POST /webhook HTTP/1.1\r\nHost: bot\r\nConnection: close\r\nContent-Type: application/json\r\n"
    lines = b"X-Telegram-Bot-Api-Secret-Token: %s\r\nContent-Length: %d\r\n\r\n" % (secret, len(body))
    writer.write(head + lines + body)
    await writer.drain()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    status, _, rest = answer.partition(b"\r\n")
    return int(status.split()[1]), rest.partition(b"\r\n\r\n")[2]


async def is_healthy(bot: BotProcess) -> bool:
    """Whether a bot behind a webhook says that it lives."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(bot.address.replace("webhook", "healthz")) as answer,
    ):
        return await answer.text() == "ok"
