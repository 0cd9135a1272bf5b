"""A store after its ceremony, as the keeper's role sees it; scrypt is quick here."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from admin import ceremony, members
from admin.ceremony import TEAM, Made
from admin.keys import Unlocked, unlock
from admin.members import Added, Opener
from storage import custody, roles
from storage.manifest import SeenSerial
from storage.members import RECOVERY
from tests.admin.custody_kit import Keeping

NOW = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
WORK_FACTOR = 4


@dataclass(frozen=True)
class Team:
    """What the ceremony's people hold, and the database as the keeper."""

    made: Made
    connection: asyncpg.Connection
    serials: Path

    def seen(self) -> SeenSerial:
        return SeenSerial(self.serials)

    async def adds(
        self,
        call_sign: str,
        role: str = "analyst",
        by: Unlocked | None = None,
        connection: asyncpg.Connection | None = None,
        compartments: Sequence[str] = (TEAM,),
    ) -> Added:
        opener = Opener(by.member, by.identity) if by else Opener(RECOVERY, self.made.recovery)
        return await members.add(
            connection or self.connection,
            call_sign,
            role,
            signer=self.made.ceremony_key,
            opener=opener,
            seen=self.seen(),
            work_factor=WORK_FACTOR,
            now=NOW,
            compartments=compartments,
        )

    async def adds_and_unlocks(self, call_sign: str) -> Unlocked:
        added = await self.adds(call_sign)
        return unlock(added.member, added.passphrase)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
async def connect(fresh_database: Any) -> AsyncIterator[Callable[[str], Awaitable[asyncpg.Connection]]]:
    """Opens a connection as a role, or as the superuser, who changes what nobody may; closed after the test."""
    opened: list[asyncpg.Connection] = []

    async def open_as(role: str) -> asyncpg.Connection:
        url = fresh_database.superuser_url if role == "superuser" else fresh_database.url(role)
        connection = await asyncpg.connect(url)
        opened.append(connection)
        if role == "superuser":
            await connection.execute("SET session_replication_role = replica")  # no trigger, no foreign key
        return connection

    yield open_as
    for connection in opened:
        await connection.close()


@pytest.fixture
async def keeper(connect: Callable[[str], Awaitable[asyncpg.Connection]]) -> asyncpg.Connection:
    return await connect(roles.KEEPER)


@pytest.fixture
async def team(keeper: asyncpg.Connection, tmp_path: Path) -> Team:
    made = ceremony.make(NOW.date())
    await ceremony.keep(keeper, made, NOW)
    return Team(made, keeper, tmp_path / "seen")


@pytest.fixture
async def keeping(team: Any, fresh_database: Any, connect: Any, tmp_path: Path, now: Any) -> Keeping:
    return Keeping(team, fresh_database, tmp_path, connect, now)


@pytest.fixture
async def grown(keeping: Keeping) -> Keeping:
    """A log with three checkpoints, all published, and three acts that are newer."""
    await keeping.names_log()
    for _ in range(3):
        await keeping.acts(4)
        await keeping.round()
    await keeping.acts(2)
    await custody.sequence(keeping.team.connection)
    return keeping


@pytest.fixture
async def dumped(grown: Keeping) -> Path:
    return await grown.dumps()
