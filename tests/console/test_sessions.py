"""A session is its member's alone: from another network its cookie is good for nothing."""

import hashlib
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import asyncpg
import pytest

from admin.ceremony import TEAM
from admin.console import web
from tests.console.conftest import Clock, Person, Served, Team, addresses, serving, until
from tests.console.record import leaves, name_of, refusals

Member = Callable[..., Awaitable[Person]]
Cookie = Callable[..., Person]


@pytest.fixture
async def stolen() -> AsyncIterator[Cookie]:
    """The same cookie in another browser, elsewhere unless told."""
    people: list[Person] = []

    def steal(someone: Person, at: str | None = "127.0.9.9") -> Person:
        one = Person(someone.served, someone.added, at=at)
        one.http.headers["cookie"] = f"__Host-session={someone.token}"
        people.append(one)
        return one

    yield steal
    for one in people:
        await one.http.close()


# ---- another network --------------------------------------------------------------------------------


async def test_from_another_network_nothing_is_shown_or_done_until_the_second_factor_is_proved(
    served: Served, team: Team, person: Member, stolen: Cookie
) -> None:
    report = await team.takes_report()
    swift = await person("swift")
    away = stolen(swift)
    assert (await away.asks("GET", "/queue?view=mine")) == (303, "/prove?back=/queue%3Fview%3Dmine")
    assert (await away.asks("POST", f"/reports/{report}/claim")) == (303, f"/prove?back=/reports/{report}")
    assert await team.connection.fetchval("SELECT assignee FROM reports") is None
    asked = await away.opens("/queue")
    assert asked.path == "/prove?back=/queue"
    assert "another network" in asked.text
    assert "swift" not in asked.text

    served.clock.moves(minutes=1)
    page = await away.posts("/prove", code=away.code(), back="/queue")
    assert (page.path, page.status) == ("/queue", 200)
    assert (await away.posts(f"/reports/{report}/claim")).path == f"/reports/{report}"
    # It is there now: at home it is asked in turn.
    assert (await swift.asks("GET", "/queue")) == (303, "/prove?back=/queue")


async def test_the_same_network_is_not_asked(person: Member, stolen: Cookie) -> None:
    swift = await person("swift")
    assert (await stolen(swift, "127.0.0.77").opens("/queue")).path == "/queue"


async def test_a_part_of_a_page_leads_the_whole_page_to_the_proof(
    served: Served, person: Member, stolen: Cookie
) -> None:
    away = stolen(await person("swift"))
    page = await away.opens(
        "/queue/rows?view=open",
        **{"hx-request": "true", "hx-current-url": f"{served.address}/queue?view=open"},
    )
    assert (page.status, page.headers["hx-redirect"]) == (204, "/prove?back=/queue%3Fview%3Dopen")


async def test_a_stolen_cookie_ends_with_its_session_after_three_wrong_codes(
    served: Served, team: Team, person: Member, stolen: Cookie
) -> None:
    report = await team.takes_report()
    swift = await person("swift")
    away = stolen(swift)
    for _ in range(2):
        page = await away.posts("/prove", code="000000", back="/queue")
        assert (page.status, "not right" in page.text) == (401, True)
    page = await away.posts("/prove", code="000000", back="/queue")
    assert (page.status, "This session has ended" in page.text) == (403, True)
    assert ("session from another network", name_of(swift)) in await refusals(team)
    assert served.console.children.pids() == {}
    assert (await swift.opens("/queue")).path == "/sign-in"
    assert (await away.opens(f"/reports/{report}")).path == "/sign-in"
    served.clock.moves(minutes=1)
    assert (await swift.signs_in()).path == "/queue"


async def test_the_code_of_the_sign_in_is_not_taken_again(team: Team, person: Member, stolen: Cookie) -> None:
    swift = await person("swift", signed_in=False)
    code = swift.code()
    await swift.signs_in(code=code)
    assert (await stolen(swift).posts("/prove", code=code)).status == 401
    assert ("code used before", name_of(swift)) in await refusals(team)


async def test_one_can_sign_out_from_anywhere(person: Member, stolen: Cookie) -> None:
    swift = await person("swift")
    assert (await stolen(swift).posts("/sign-out")).path == "/sign-in"
    assert (await swift.opens("/queue")).path == "/sign-in"


# ---- a fresh proof ----------------------------------------------------------------------------------


async def test_before_an_original_is_taken_out_the_second_factor_is_asked_again(
    served: Served, team: Team, person: Member
) -> None:
    data = os.urandom(3000)
    report = await team.takes_report(await team.file(data, "note.bin", "document"))
    swift = await person("swift")
    inside = await swift.opens(f"/reports/{report}")
    (original,) = addresses(inside.text)
    assert (await swift.opens(original)).data == data
    served.clock.moves(minutes=5, seconds=1)
    assert await swift.asks("GET", original) == (303, f"/prove?back=/reports/{report}")
    assert len(await leaves(team, "downloaded")) == 1
    assert (await swift.posts("/prove", code="123", back=f"/reports/{report}")).status == 401
    assert (await swift.opens(original)).path.startswith("/prove")
    page = await swift.posts("/prove", code=swift.code(), back=f"/reports/{report}")
    assert page.path == f"/reports/{report}"
    assert (await swift.opens(original)).data == data
    assert (await swift.opens("/prove?back=/sessions")).path == "/sessions"


@pytest.mark.parametrize(
    "back", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "/\t/elsewhere", ""]
)
async def test_the_way_back_is_one_of_ours(served: Served, person: Member, back: str) -> None:
    swift = await person("swift")
    served.clock.moves(minutes=6)
    async with swift.http.get(f"{served.address}/prove", params={"back": back}) as answer:
        assert 'name="back" value="/"' in await answer.text()
    page = await swift.posts("/prove", code=swift.code(), back=back)
    assert page.path == "/queue"


async def test_wrong_codes_at_home_wait_and_end_the_session_at_the_tenth(
    served: Served, team: Team, person: Member
) -> None:
    swift = await person("swift")
    served.clock.moves(minutes=6)
    for _ in range(9):
        assert (await swift.posts("/prove", code="000000")).status == 401
    assert served.clock.slept[-6:] == [1, 2, 4, 8, 16, 30]
    assert (await swift.posts("/prove", code=swift.code())).path == "/queue"
    served.clock.moves(minutes=6)
    served.clock.slept.clear()
    assert (await swift.posts("/prove", code="000000")).status == 401
    assert served.clock.slept == []  # the success was remembered, and no failure
    for _ in range(8):
        assert (await swift.posts("/prove", code="000000")).status == 401
    assert (await swift.posts("/prove", code="000000")).status == 403
    assert ("proof of the second factor", name_of(swift)) in await refusals(team)
    assert served.console.factors.sessions() == set()


async def test_the_door_slows_down_who_guesses_and_forgets_it_at_a_success(
    served: Served, person: Member
) -> None:
    swift = await person("swift", signed_in=False)
    for _ in range(6):
        assert (await swift.signs_in(passphrase="wrong")).status == 401
    assert [one for one in served.clock.slept if one in (1, 2, 4)] == [1, 2, 4]
    assert (await swift.signs_in()).path == "/queue"
    assert served.clock.slept[-1] == 8
    served.clock.slept.clear()
    assert (await swift.signs_in(passphrase="wrong")).status == 401
    assert 1 not in served.clock.slept


# ---- seen and ended ---------------------------------------------------------------------------------


def handles(page: str, action: str) -> list[str]:
    return re.findall(rf'action="{action}"><input type="hidden" name="session" value="([0-9a-f]+)"', page)


async def test_one_sees_one_s_own_sessions_and_ends_them(
    served: Served, team: Team, person: Member, stolen: Cookie
) -> None:
    swift, _ = await person("swift"), await person("owl")
    served.clock.moves(minutes=1)
    other = Person(served, swift.added)
    assert (await other.signs_in()).path == "/queue"
    served.clock.moves(minutes=6)
    page = await swift.opens("/sessions")
    assert "owl" not in page.text
    assert page.text.count("this one") == 1
    mine = handles(page.text, "/sessions/end")
    assert len(mine) == 2
    assert not {swift.token, swift.session.hex(), other.session.hex()} & set(mine)
    page = await swift.posts("/sessions/end", session=mine[0])  # the newest first: the other browser
    assert len(handles(page.text, "/sessions/end")) == 1
    assert (await other.opens("/queue")).path == "/sign-in"
    assert other.session not in served.console.children.sessions()
    assert [(leaf["actor"], leaf["object"]) for leaf in await leaves(team, "session ended")] == [
        (name_of(swift), name_of(swift))
    ]
    await other.http.close()


async def test_a_lead_ends_anybody_s_session_at_once(served: Served, team: Team, person: Member) -> None:
    report = await team.takes_report()
    swift, heron = await person("swift"), await person("heron", "lead")
    assert (await swift.opens(f"/reports/{report}")).status == 200
    page = await heron.opens("/sessions")
    assert "swift" in page.text
    (handle,) = handles(page.text, "/sessions/others/end")
    served.clock.moves(minutes=6)
    assert (await heron.posts("/sessions/others/end", session=handle)).path == "/prove?back=/sessions"
    assert (await swift.opens(f"/reports/{report}")).status == 200
    assert (await heron.posts("/prove", code=heron.code(), back="/sessions")).path == "/sessions"
    page = await heron.posts("/sessions/others/end", session=handle)
    assert "Nobody else is signed in" in page.text
    assert served.console.children.sessions() == {heron.session}
    assert (await swift.opens(f"/reports/{report}")).path == "/sign-in"
    assert [(leaf["actor"], leaf["object"]) for leaf in await leaves(team, "session ended")] == [
        (name_of(heron), name_of(swift))
    ]


@pytest.mark.parametrize("role", ["observer", "analyst", "keeper", "auditor", "safeguarding"])
async def test_nobody_else_sees_or_ends_the_sessions_of_others(
    role: str, served: Served, person: Member
) -> None:
    heron, someone = await person("heron", "lead"), await person("someone", role)
    (theirs,) = handles((await heron.opens("/sessions")).text, "/sessions/end")
    assert "heron" not in (await someone.opens("/sessions")).text
    await someone.posts("/sessions/end", session=theirs)
    assert (await someone.asks("POST", "/sessions/others/end"))[0] == 403
    assert (await heron.opens("/sessions")).path == "/sessions"


async def test_a_session_that_is_idle_or_too_old_is_on_no_list(served: Served, person: Member) -> None:
    swift, heron = await person("swift"), await person("heron", "lead")
    for _ in range(2):
        served.clock.moves(minutes=16)
        page = await heron.opens("/sessions")
    assert "swift" not in page.text
    assert (await swift.opens("/sessions")).path == "/sign-in"
    for _ in range(24):
        served.clock.moves(minutes=29)
        page = await heron.opens("/sessions")
    assert page.path == "/sign-in"


async def test_what_the_keeper_ends_is_forgotten_by_every_process(
    served: Served, team: Team, person: Member
) -> None:
    swift, owl = await person("swift", compartments=(TEAM, "child")), await person("owl")
    assert set(served.console.children.pids()) == {TEAM, "child"}
    await team.connection.execute("DELETE FROM sessions WHERE member = $1", swift.added.member.id)  # type: ignore[union-attr]
    children = served.console.children
    await until(lambda: children.sessions() == {owl.session})  # of itself, within seconds
    await until(lambda: set(children.pids()) == {TEAM})
    assert served.console.factors.sessions() == {owl.session}
    assert (await swift.opens("/queue")).path == "/sign-in"


async def test_what_streams_breaks_off_when_its_session_ends(
    served: Served, team: Team, person: Member
) -> None:
    data = os.urandom(1 << 20) * 32
    report = await team.takes_report(await team.file(data, "film.mp4", "video"))
    swift = await person("swift")
    (original,) = addresses((await swift.opens(f"/reports/{report}")).text)
    async with swift.http.get(served.address + original) as answer:
        taken = await answer.content.readany()
        await served.console.end(swift.session)
        with pytest.raises(aiohttp.ClientPayloadError):  # noqa: PT012 - it breaks at some piece
            while piece := await answer.content.readany():
                taken += piece
    assert hashlib.sha256(taken).digest() != hashlib.sha256(data).digest()


async def test_a_restart_ends_every_session_and_says_nothing_of_it(
    team: Team, place: web.Place, clock: Clock
) -> None:
    added = await team.adds("swift")
    async with serving(place, clock, team.database) as served:
        swift = Person(served, added)
        await swift.signs_in()
        token = swift.token
        await swift.http.close()
    async with serving(place, clock, team.database) as served:
        again = Person(served, added)
        again.http.headers["cookie"] = f"__Host-session={token}"
        assert (await again.opens("/queue")).path == "/sign-in"
        await again.http.close()
    assert await refusals(team) == []


async def test_the_store_holds_neither_token_nor_address(
    superuser: asyncpg.Connection, person: Member
) -> None:
    swift = await person("swift")
    row = await superuser.fetchrow("SELECT * FROM sessions")
    assert row is not None
    assert row["token_sha256"] == hashlib.sha256(swift.token.encode()).digest()
    assert row["network"] not in (bytes(32), hashlib.sha256(b"127.0.0.0/24").digest())
