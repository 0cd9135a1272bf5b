"""Signing in: the honest come in, everyone else hears the same, and a session ends when it should."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from admin.console import web
from admin.console.door import ANSWER_GRID_S
from admin.console.throttle import FREE, LONGEST_S, WAITING_MOST, BusyError, Throttle
from storage import roles, sessions
from tests.console.conftest import Clock, Served, Team, rows

WRONG = [
    {"call_sign": "nobody-here"},
    {"passphrase": "entirely-other-words"},
    {"code": "000000"},
    {"code": "12"},
]


async def test_whatever_is_wrong_the_answer_is_the_same(served: Served, person: Callable[..., Any]) -> None:
    swift = await person("swift", signed_in=False)
    pages = [await swift.signs_in(**wrong) for wrong in WRONG]
    assert {page.status for page in pages} == {401}
    assert len({page.text for page in pages}) == 1
    assert "That did not work" in pages[0].text
    assert "nobody-here" not in pages[0].text
    grid = [slept for slept in served.clock.slept if 0 < slept <= ANSWER_GRID_S]
    assert len(grid) >= len(WRONG)


async def test_the_honest_come_in_after_many_wrong_attempts(person: Callable[..., Any]) -> None:
    swift = await person("swift", signed_in=False)
    for _ in range(6):
        assert (await swift.signs_in(passphrase="wrong")).status == 401
    assert (await swift.signs_in()).path == "/queue"


async def test_a_code_works_once(served: Served, person: Callable[..., Any]) -> None:
    swift = await person("swift", signed_in=False)
    code = swift.code()
    assert (await swift.signs_in(code=code)).path == "/queue"
    assert (await swift.signs_in(code=code)).status == 401
    served.clock.moves(seconds=31)
    assert (await swift.signs_in()).path == "/queue"


async def test_two_at_once_with_one_code_and_one_comes_in(person: Callable[..., Any]) -> None:
    swift = await person("swift", signed_in=False)
    code = swift.code()
    pages = await asyncio.gather(*(swift.signs_in(code=code) for _ in range(3)))
    assert sorted(page.status for page in pages) == [200, 401, 401]


async def test_the_cookie_is_kept_from_scripts_and_other_sites(
    served: Served, person: Callable[..., Any]
) -> None:
    swift = await person("swift", signed_in=False)
    added = swift.added
    fields = {"call_sign": "swift", "passphrase": added.passphrase, "code": swift.code()}
    async with swift.http.post(f"{served.address}/sign-in", data=fields, allow_redirects=False) as answer:
        cookie = answer.headers["set-cookie"]
        token = answer.cookies["__Host-session"].value
    for word in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"):
        assert word in cookie
    assert "Domain" not in cookie
    assert len(token) == 43  # 32 bytes in base64url
    (kept,) = await rows(served.database.url(roles.CONSOLE), "SELECT token_sha256 FROM sessions")
    assert kept["token_sha256"] == hashlib.sha256(token.encode()).digest()


async def test_after_signing_out_the_keys_are_gone_with_their_process(
    served: Served, team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    swift = await person("swift")
    assert (await swift.opens(f"/reports/{report}")).status == 200
    child = served.console.children._children["team"].process
    folder = served.console.children._children["team"].folder
    assert (await swift.posts("/sign-out")).path == "/sign-in"
    assert child.returncode == 0
    assert not folder.exists()
    assert (await swift.opens(f"/reports/{report}")).path == "/sign-in"
    assert await rows(served.database.url(roles.CONSOLE), "SELECT 1 FROM sessions") == []


async def test_the_process_stays_while_another_session_lives(
    served: Served, team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    swift, owl = await person("swift"), await person("owl")
    process = served.console.children._children["team"].process
    await swift.posts("/sign-out")
    assert process.returncode is None
    assert (await owl.opens(f"/reports/{report}")).status == 200


async def test_an_idle_session_ends_and_watching_does_not_keep_it(
    served: Served, person: Callable[..., Any]
) -> None:
    swift = await person("swift")
    for _ in range(2):
        served.clock.moves(minutes=14)
        assert "Nothing is overdue" in (await swift.opens("/queue/rows")).text
    served.clock.moves(minutes=3)
    assert (await swift.opens("/queue")).path == "/sign-in"
    await served.console.end_lapsed()
    assert served.console.children.pids() == {}


async def test_a_busy_session_ends_too(served: Served, person: Callable[..., Any]) -> None:
    swift = await person("swift")
    for _ in range(12 * 3 - 1):
        served.clock.moves(minutes=20)
        assert (await swift.opens("/queue")).path == "/queue"
    served.clock.moves(minutes=21)
    assert (await swift.opens("/queue")).path == "/sign-in"


async def test_who_leaves_the_team_is_out_at_once(
    served: Served, team: Team, person: Callable[..., Any]
) -> None:
    swift = await person("swift")
    await team.connection.execute("UPDATE members SET left_hour = now() WHERE call_sign = 'swift'")
    assert (await swift.opens("/queue")).path == "/sign-in"
    await served.console.end_lapsed()
    assert served.console.children.pids() == {}


async def test_a_member_s_row_changed_in_the_database_lets_nobody_in(
    superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    swift, owl = await person("swift", signed_in=False), await person("owl", signed_in=False)
    # The keys of owl under the call sign of swift: the passphrase is right, the manifest knows better.
    await superuser.execute("UPDATE members SET call_sign = 'gone' WHERE call_sign = 'swift'")
    await superuser.execute(
        "UPDATE members SET recipient = (SELECT recipient FROM members WHERE call_sign = 'gone')"
        " WHERE call_sign = 'owl'"
    )
    assert (await owl.signs_in()).status == 401
    assert (await swift.signs_in()).status == 401


async def test_a_team_key_swapped_in_the_database_is_refused_by_name(
    superuser: asyncpg.Connection, team: Team, person: Callable[..., Any]
) -> None:
    await team.takes_report()
    swift, owl = await person("swift", signed_in=False), await person("owl", signed_in=False)
    await superuser.execute(
        "UPDATE team_keys SET sealed = (SELECT sealed FROM team_keys WHERE holder = $1) WHERE holder = $2",
        owl.added.member.id,
        swift.added.member.id,
    )
    page = await swift.signs_in()
    assert "The key of compartment “team” was refused" in page.text
    assert "<tr" not in page.text


async def test_a_manifest_changed_in_the_database_closes_the_door(
    superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    swift = await person("swift", signed_in=False)
    await superuser.execute("UPDATE manifests SET signature = $1", bytes(64))
    page = await swift.signs_in()
    assert page.status == 503
    assert "does not pass its check" in page.text
    await swift.signs_in()
    assert await on_record(superuser) == ["changed manifest"]  # once, however often somebody knocks


async def test_an_old_manifest_put_back_closes_the_door(
    superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    swift = await person("swift")
    await person("owl")  # each new member makes the next manifest
    await superuser.execute("DELETE FROM manifests WHERE serial = (SELECT max(serial) FROM manifests)")
    page = await swift.signs_in()
    assert page.status == 503
    assert await on_record(superuser) == ["old manifest"]


async def on_record(superuser: asyncpg.Connection) -> list[str]:
    leaves = [
        json.loads(row["leaf"])
        for row in await superuser.fetch("SELECT leaf FROM custody_leaves ORDER BY id")
    ]
    return [leaf["what"] for leaf in leaves if leaf["kind"] == "refused"]


async def test_sessions_of_an_earlier_process_are_ended_at_the_start(team: Team, place: web.Place) -> None:
    added = await team.adds("swift")
    connection = await asyncpg.connect(place.database)
    try:
        await sessions.start(
            connection, bytes(32), added.member.id, datetime.now(UTC), timedelta(hours=1),
            network=bytes(32), certificate=None,
        )  # fmt: skip
        async with web.opened(place):
            assert await connection.fetch("SELECT 1 FROM sessions") == []
    finally:
        await connection.close()


# ---- the throttle by itself -------------------------------------------------------------------------


@pytest.fixture
def throttle(clock: Clock) -> Throttle:
    return Throttle(clock=clock.seconds, sleep=clock.sleep)


async def attempt(throttle: Throttle, key: tuple[str, str], *, wrong: bool) -> None:
    async with throttle.turn(key) as turn:
        if wrong:
            turn.failed()


async def test_waits_grow_and_end_at_the_longest(throttle: Throttle, clock: Clock) -> None:
    for _ in range(FREE + 8):
        await attempt(throttle, ("here", "swift"), wrong=True)
    assert clock.slept == sorted(clock.slept)
    assert clock.slept[0] == 1.0
    assert max(clock.slept) == LONGEST_S


async def test_another_address_does_not_slow_the_member_down(throttle: Throttle, clock: Clock) -> None:
    for _ in range(FREE + 8):
        await attempt(throttle, ("elsewhere", "swift"), wrong=True)
    clock.slept.clear()
    await attempt(throttle, ("here", "swift"), wrong=False)
    assert clock.slept == []


async def test_a_success_and_time_forget_failures(throttle: Throttle, clock: Clock) -> None:
    for _ in range(FREE + 1):
        await attempt(throttle, ("here", "swift"), wrong=True)
    await attempt(throttle, ("here", "swift"), wrong=False)
    clock.slept.clear()
    await attempt(throttle, ("here", "swift"), wrong=True)
    assert clock.slept == []
    for _ in range(FREE + 1):
        await attempt(throttle, ("here", "swift"), wrong=True)
    clock.moves(hours=1)
    clock.slept.clear()
    await attempt(throttle, ("here", "swift"), wrong=True)
    assert clock.slept == []


async def test_too_many_at_once_are_told_so(throttle: Throttle) -> None:
    async def holds(number: int, free: asyncio.Event) -> None:
        async with throttle.turn(("here", str(number))):
            await free.wait()

    free = asyncio.Event()
    waiting = [asyncio.create_task(holds(number, free)) for number in range(WAITING_MOST)]
    await asyncio.sleep(0)
    with pytest.raises(BusyError):
        await attempt(throttle, ("here", "one more"), wrong=False)
    free.set()
    await asyncio.gather(*waiting)
    await attempt(throttle, ("here", "one more"), wrong=False)
