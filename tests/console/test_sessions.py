"""A session is its member's alone: from another network or with another certificate its cookie is good for nothing."""

import contextlib
import dataclasses
import hashlib
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import asyncpg
import pytest
from fastapi import Request

from admin.ceremony import TEAM
from admin.console import web
from admin.console.network import Networks
from admin.settings import ConsoleSettings, SettingsError, load
from tests.console.conftest import Clock, Person, Served, Team, addresses, serving

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


async def leaves(team: Team, kind: str) -> list[dict[str, Any]]:
    rows = await team.connection.fetch("SELECT leaf FROM custody_leaves ORDER BY id")
    told = [json.loads(row["leaf"]) for row in rows]
    return [leaf for leaf in told if leaf["kind"] == kind]


async def refusals(team: Team) -> list[tuple[str, str]]:
    return [(leaf["what"], leaf["object"]) for leaf in await leaves(team, "refused")]


def name(someone: Person) -> str:
    assert someone.added is not None
    return str(someone.added.member.id)


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
    assert ("session from another network", name(swift)) in await refusals(team)
    assert served.console.children.pids() == {}
    assert (await swift.opens("/queue")).path == "/sign-in"
    assert (await away.opens(f"/reports/{report}")).path == "/sign-in"
    served.clock.moves(minutes=1)
    assert (await swift.signs_in()).path == "/queue"


async def test_the_code_of_the_sign_in_is_not_taken_again(team: Team, person: Member, stolen: Cookie) -> None:
    swift = await person("swift")
    assert (await stolen(swift).posts("/prove", code=swift.code())).status == 401
    assert ("code used before", name(swift)) in await refusals(team)


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
    assert ("proof of the second factor", name(swift)) in await refusals(team)
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


# ---- client certificates ----------------------------------------------------------------------------


@pytest.fixture
async def behind_a_proxy(team: Team, place: web.Place, clock: Clock) -> AsyncIterator[Served]:
    """Requests from 127.0.0.1 are the proxy's; from anywhere else they are somebody's own."""
    place = dataclasses.replace(place, proxy="127.0.0.1", certificate_header="x-certificate")
    async with serving(place, clock, team.database) as served:
        yield served


@contextlib.asynccontextmanager
async def coming_by_proxy(served: Served, team: Team) -> AsyncIterator[Person]:
    one = Person(served, await team.adds("swift"), at="127.0.0.1")
    one.http.headers.update({"x-certificate": "AB:CD", "x-forwarded-for": "203.0.113.7"})
    yield one
    await one.http.close()


@pytest.mark.parametrize("shown", ["ab:ce", ""])
async def test_another_certificate_or_none_ends_the_session(
    shown: str, behind_a_proxy: Served, team: Team
) -> None:
    async with coming_by_proxy(behind_a_proxy, team) as swift:
        assert (await swift.signs_in()).path == "/queue"
        swift.http.headers["x-certificate"] = "ab:cd"
        assert (await swift.opens("/queue")).path == "/queue"
        swift.http.headers["x-certificate"] = shown
        assert (await swift.asks("POST", "/queue/next")) == (303, "/sign-in")
        assert await refusals(team) == [("session with another certificate", name(swift))]
        assert behind_a_proxy.console.children.pids() == {}
        swift.http.headers["x-certificate"] = "ab:cd"
        assert (await swift.opens("/queue")).path == "/sign-in"


async def test_a_certificate_that_the_proxy_did_not_see_is_none(
    behind_a_proxy: Served, team: Team, stolen: Cookie
) -> None:
    async with coming_by_proxy(behind_a_proxy, team) as swift:
        await swift.signs_in()
        away = stolen(swift, "127.0.0.2")
        away.http.headers.update({"x-certificate": "AB:CD", "x-forwarded-for": "203.0.113.7"})
        assert (await away.opens("/queue")).path == "/sign-in"
        assert await refusals(team) == [("session with another certificate", name(swift))]


async def test_behind_a_proxy_the_client_s_network_counts(behind_a_proxy: Served, team: Team) -> None:
    async with coming_by_proxy(behind_a_proxy, team) as swift:
        await swift.signs_in()
        swift.http.headers["x-forwarded-for"] = "198.51.100.1, 203.0.113.99"
        assert (await swift.opens("/queue")).path == "/queue"
        swift.http.headers["x-forwarded-for"] = "203.0.113.7, 198.51.100.1"
        assert (await swift.opens("/queue")).path == "/prove?back=/queue"


def asking(peer: str, **headers: str) -> Request:
    given = [(key.replace("_", "-").encode(), value.encode()) for key, value in headers.items()]
    return Request({"type": "http", "headers": given, "client": (peer, 1)})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.7", "203.0.113.250", True),
        ("203.0.113.7", "203.0.114.7", False),
        ("::ffff:203.0.113.7", "203.0.113.9", True),
        ("2001:db8:1:2::3", "2001:db8:1:ffff::9", True),
        ("2001:db8:1::3", "2001:db8:2::3", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("not an address", "203.0.113.7", False),
    ],
)
def test_networks(one: str, other: str, *, same: bool) -> None:
    networks = Networks(bytes(32))
    assert (networks.where(asking(one)).network == networks.where(asking(other)).network) is same
    assert Networks(b"1" * 32).where(asking(one)).network != networks.where(asking(one)).network


def test_nobody_but_the_proxy_says_who_comes() -> None:
    networks = Networks(bytes(32), proxy="::1", certificate_header="x-certificate")
    said = {"x_forwarded_for": "10.0.0.1", "x_certificate": "AA"}
    assert networks.where(asking("203.0.113.7", **said)) == networks.where(asking("203.0.113.7"))
    believed = networks.where(asking("::1", **said))
    assert (believed.address, believed.certificate is None) == ("10.0.0.1", False)
    assert networks.where(asking("::1", x_forwarded_for="nonsense")).address == "::1"
    assert networks.where(asking("::1", x_certificate=" ")).certificate is None


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
        (name(swift), name(swift))
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
        (name(heron), name(swift))
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
    await served.console.end_lapsed()
    assert set(served.console.children.pids()) == {TEAM}
    assert served.console.children.sessions() == {owl.session} == served.console.factors.sessions()
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


def test_a_certificate_s_header_needs_the_proxy_that_sets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DODOMU_CEREMONY_KEY", "ab" * 32)
    monkeypatch.setenv("DODOMU_CLIENT_CERTIFICATE_HEADER", "X-Client-Certificate")
    with pytest.raises(SettingsError, match="it needs DODOMU_PROXY_ADDRESS"):
        load(ConsoleSettings)
    monkeypatch.setenv("DODOMU_PROXY_ADDRESS", "the proxy")
    with pytest.raises(SettingsError, match="DODOMU_PROXY_ADDRESS is not usable"):
        load(ConsoleSettings)
    monkeypatch.setenv("DODOMU_PROXY_ADDRESS", "127.0.0.1")
    assert load(ConsoleSettings).client_certificate_header == "X-Client-Certificate"
