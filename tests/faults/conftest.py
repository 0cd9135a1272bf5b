"""Lines that faults may strike: in this process on the run's database, or as processes on one of their own."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import settings as bot_settings
from rehearsal.server import Rehearsal
from storage import roles
from tests.conftest import Database
from tests.faults import kit
from tests.line.kit import TOKEN, Line, Team, running

PATIENCE_S = 30.0  # of a person who looks at the chat; what a killed process had in hand is sent after ten


@pytest.fixture
async def rehearsal() -> AsyncIterator[Rehearsal]:
    server = Rehearsal([TOKEN], chance=random.Random(20261122), retry_first_s=0.1, retry_longest_s=1.0)
    async with server:
        server.driver.timeout_s = PATIENCE_S
        yield server


@pytest.fixture
async def house(rehearsal: Rehearsal, fresh_database: Database, tmp_path: Path) -> kit.House:
    """A house on the run's PostgreSQL."""
    team = Team(fresh_database)
    await team.holds_ceremony()
    return kit.House(rehearsal, fresh_database, team, tmp_path / "state")


@pytest.fixture
async def lasting_house(rehearsal: Rehearsal, tmp_path: Path) -> AsyncIterator[kit.House]:
    """A house on a durable PostgreSQL of its own."""
    async with kit.durable(tmp_path / "postgres") as database:
        team = Team(database)
        await team.holds_ceremony()
        yield kit.House(rehearsal, database, team, tmp_path / "state")


@pytest.fixture
async def line(house: kit.House) -> AsyncIterator[Line]:
    """A bot in this process, by polling."""
    settings = bot_settings.load(
        bot_token=TOKEN,
        api_base=house.rehearsal.url,
        state=house.state,
        ceremony_key=house.team.ceremony.public_key().public_bytes_raw().hex(),
        bot_database_url=house.database.url(roles.BOT),
    )
    async with running(settings) as app:
        yield Line(house.rehearsal, app, house.team, settings)
