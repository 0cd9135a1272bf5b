"""The running line, piece by piece."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot import settings as bot_settings
from rehearsal.server import Rehearsal
from storage import roles
from tests.line.kit import TOKEN, Line, Team, running


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
async def line(rehearsal: Rehearsal, team: Team, settings: bot_settings.BotSettings) -> AsyncIterator[Line]:
    async with running(settings) as app:
        yield Line(rehearsal, app, team, settings)
