"""The running line, piece by piece."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bot import settings as bot_settings
from rehearsal.server import Rehearsal
from storage import roles
from tests.line.answering import Desk
from tests.line.kit import TOKEN, Clock, Line, Team, running


@pytest.fixture
async def rehearsal() -> AsyncIterator[Rehearsal]:
    async with Rehearsal([TOKEN]) as server:
        yield server


@pytest.fixture
async def team(fresh_database: Any) -> Team:
    team = Team(fresh_database)
    await team.holds_ceremony()
    return team


@pytest.fixture
def settings(
    rehearsal: Rehearsal, team: Team, fresh_database: Any, tmp_path: Path
) -> bot_settings.BotSettings:
    return bot_settings.load(
        bot_token=TOKEN,
        api_base=rehearsal.url,
        state=tmp_path,
        ceremony_key=team.ceremony.public_key().public_bytes_raw().hex(),
        bot_database_url=fresh_database.url(roles.BOT),
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def line(
    rehearsal: Rehearsal, team: Team, settings: bot_settings.BotSettings, clock: Clock
) -> AsyncIterator[Line]:
    async with running(settings, clock=clock) as app:
        yield Line(rehearsal, app, team, settings)


@pytest.fixture
async def rows(line: Line, fresh_database: Any) -> AsyncIterator[Callable[[str], Awaitable[int]]]:
    """Counts the rows of a table."""
    connection = await asyncpg.connect(fresh_database.superuser_url)

    async def count(table: str) -> int:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))

    yield count
    await connection.close()


@pytest.fixture
async def desk(line: Line) -> Desk:
    return await Desk.opens(line)
