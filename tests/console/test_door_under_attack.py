"""Somebody who has a passphrase, many addresses or much patience: guessing stays slow, and nobody is locked out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from admin.console import web
from admin.console.throttle import WAITING_EACH, BusyError, Throttle
from storage import members, roles
from tests.console.conftest import Clock, Person, Served, Team
from tests.console.test_networks import behind_a_proxy

__all__ = ["behind_a_proxy"]


async def test_a_stolen_passphrase_guesses_codes_slowly_from_however_many_networks(
    behind_a_proxy: Served, team: Team
) -> None:
    added = await team.adds("swift")
    clock = behind_a_proxy.clock
    clock.slept.clear()
    for number in range(6):
        thief = Person(behind_a_proxy, added, at="127.0.0.1")
        thief.http.headers.update({"x-forwarded-for": f"203.0.{number}.7"})
        assert (await thief.signs_in(code="000000")).status == 401
        await thief.http.close()
    assert [wait for wait in clock.slept if wait in (1.0, 2.0, 4.0)] == [
        1.0,
        2.0,
        4.0,
    ]  # beside the answers' grid
    honest = Person(behind_a_proxy, added, at="127.0.0.1")
    honest.http.headers.update({"x-forwarded-for": "198.51.100.7"})
    assert (await honest.signs_in()).path == "/queue"
    await honest.http.close()


async def test_whoever_waits_in_crowds_takes_no_place_from_others() -> None:
    clock = Clock()
    throttle = Throttle(clock=clock.seconds, sleep=clock.sleep)
    free = asyncio.Event()

    async def holds() -> None:
        async with throttle.turn(("there", "swift")):
            await free.wait()

    crowd = [asyncio.create_task(holds()) for _ in range(WAITING_EACH)]
    await asyncio.sleep(0)
    with pytest.raises(BusyError):
        async with throttle.turn(("there", "swift")):
            pass
    async with throttle.turn(("here", "swift")):
        pass  # at once
    free.set()
    await asyncio.gather(*crowd)


@pytest.fixture
async def console(place: web.Place) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(place.database)
    yield connection
    await connection.close()


@pytest.mark.parametrize(
    "change",
    [
        "left_hour = now()",
        "role = 'observer'",
        "recipient = 'age1pq1another'",
    ],
)
async def test_a_sign_in_that_is_overtaken_by_leaving_or_a_reset_comes_to_nothing(
    change: str, team: Team, console: asyncpg.Connection, superuser: asyncpg.Connection
) -> None:
    added = await team.adds("swift")
    async with console.transaction():
        assert await members.is_still(console, added.member)
    await superuser.execute(f"UPDATE members SET {change} WHERE id = $1", added.member.id)
    async with console.transaction():
        assert not await members.is_still(console, added.member)


async def test_a_member_who_was_reset_while_the_passphrase_was_tried_is_not_let_in(
    served: Served, team: Team, person: Callable[..., Any], superuser: asyncpg.Connection, monkeypatch: Any
) -> None:
    swift = await person("swift", signed_in=False)
    check = served.console.factors.check

    async def slow(*given: Any) -> Any:
        await superuser.execute("UPDATE members SET left_hour = $1", datetime.now(UTC))
        return await check(*given)

    monkeypatch.setattr(served.console.factors, "check", slow)
    assert (await swift.signs_in()).status == 401
    connection = await asyncpg.connect(team.database.url(roles.CONSOLE))
    assert await connection.fetch("SELECT 1 FROM sessions") == []
    await connection.close()
