"""Every way in names the act that it needs: each role is let in or refused as the table says, whatever else is true."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from admin.ceremony import TEAM
from admin.console import web
from admin.console.opened import ROUTES
from admin.console.permissions import Act, Role, may, needs_proof
from storage.tables import ROLES
from tests.console.conftest import Person, Served, Team, addresses, picture

WORKING = {Role.ANALYST, Role.LEAD, Role.SAFEGUARDING}
EXPECTED = {
    Act.COME_IN: set(Role),
    Act.PROVE: set(Role),
    Act.STAY: set(Role),
    Act.FACTORS: set(Role),
    Act.END_SESSIONS: {Role.LEAD},
    Act.SEE_QUEUE: set(Role) - {Role.KEEPER},
    Act.OPEN: WORKING,
    Act.WORK: WORKING,
    Act.DOWNLOAD: WORKING,
    Act.ANSWER: WORKING,
    Act.SHRED: {Role.LEAD, Role.SAFEGUARDING},
    Act.HOLD: {Role.LEAD, Role.SAFEGUARDING},
    Act.TAKE_OVER: {Role.LEAD},
}
FRESH = {Act.FACTORS, Act.END_SESSIONS, Act.DOWNLOAD, Act.SHRED, Act.HOLD}
FROM_ANYWHERE = {Act.COME_IN, Act.PROVE}


def test_the_roles_are_the_schema_s() -> None:
    assert tuple(Role) == ROLES


@pytest.mark.parametrize("act", Act)
def test_each_act_is_open_to_exactly_these_roles(act: Act) -> None:
    assert {role for role in Role if may(role, act)} == EXPECTED[act]


def test_what_takes_out_ends_or_cannot_be_undone_asks_for_a_fresh_proof() -> None:
    assert {act for act in Act if needs_proof(act)} == FRESH


def test_the_app_has_no_way_in_but_the_table_s(served: Served) -> None:
    app = web.build(served.console)._app
    ways = {(method, route.path) for route in app.routes for method in route.methods}  # type: ignore[attr-defined]
    assert ways == {(route.method, route.path) for route in web.ROUTES}


def test_what_a_compartment_serves_needs_the_same_act_on_the_way_to_it() -> None:
    before = {(route.method, route.path.replace(":uuid", "")): route.act for route in web.ROUTES}
    assert {(method, path): act for method, path, act, _ in ROUTES}.items() <= before.items()


def filled(path: str, report: uuid.UUID) -> str:
    """A route's path with the ids in it."""
    ids = {"report": str(report), "file": str(uuid.uuid4()), "name": "none.css"}
    return path.replace(":uuid", "").format(**ids)


def walk(report: uuid.UUID) -> list[tuple[web.Route, str]]:
    """Every route; signing out comes last, for nothing works after it."""
    ways = [(route, filled(route.path, report)) for route in web.ROUTES]
    return sorted(ways, key=lambda one: one[1] == "/sign-out")


@pytest.mark.parametrize("role", Role)
async def test_each_role_walks_every_route(role: Role, team: Team, person: Callable[..., Any]) -> None:
    report = await team.takes_report()
    someone = await person("someone", role)
    for route, path in walk(report):
        status, leads = await someone.asks(route.method, path)
        assert (status == 403) is not may(role, route.act), (route.method, path, status)
        assert not leads.startswith("/prove"), path


@pytest.mark.parametrize("role", Role)
async def test_each_role_walks_every_route_some_time_after_its_proof(
    role: Role, served: Served, team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    someone = await person("someone", role)
    served.clock.moves(minutes=6)
    for route, path in walk(report):
        status, leads = await someone.asks(route.method, path)
        asked = may(role, route.act) and route.act in FRESH
        assert leads.startswith("/prove?back=/") is asked, (route.method, path, status, leads)
        assert (status == 403) is not may(role, route.act), (route.method, path, status)
    assert await team.connection.fetch("SELECT 1 FROM shred_agreements") == []
    assert not await team.connection.fetchval("SELECT hold FROM reports")


@pytest.mark.parametrize("role", Role)
async def test_from_another_network_each_role_proves_itself_before_anything(
    role: Role, served: Served, team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    someone = await person("someone", role)
    elsewhere = Person(served, someone.added, at="127.9.9.9")
    elsewhere.http.headers["cookie"] = f"__Host-session={someone.token}"
    for route, path in walk(report):
        status, leads = await elsewhere.asks(route.method, path)
        assert leads.startswith("/prove") is (route.act not in FROM_ANYWHERE), (route.method, path, status)
    assert await team.connection.fetchval("SELECT assignee FROM reports") is None
    await elsewhere.http.close()


@pytest.mark.parametrize("role", Role)
async def test_another_compartment_s_report_is_there_for_nobody(
    role: Role, team: Team, person: Callable[..., Any]
) -> None:
    report, nothing = await team.takes_report(), uuid.uuid4()
    someone = await person("someone", role, ("child",))
    before = await team.connection.fetch("SELECT * FROM reports")
    inside = [route for route in web.ROUTES if "{report" in route.path]
    assert len(inside) > len(ROUTES)
    for route in inside:
        status, leads = await someone.asks(route.method, filled(route.path, report))
        other, leads_else = await someone.asks(route.method, filled(route.path, nothing))
        assert (status, leads) == (other, leads_else), route
        assert may(role, route.act) or status == 403, route
        assert status not in (200, 206), route
    assert await team.connection.fetch("SELECT * FROM reports") == before


async def test_a_stranger_is_led_to_the_door_from_every_route(team: Team, stranger: Person) -> None:
    report = await team.takes_report()
    for route, path in walk(report):
        if route.act != Act.COME_IN:
            assert await stranger.asks(route.method, path) == (303, "/sign-in"), path


@pytest.mark.parametrize("role", Role)
async def test_a_compartment_s_process_asks_each_role_itself(
    role: Role, served: Served, team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    someone = await person("someone", role)
    children = served.console.children
    if role in {Role.KEEPER, Role.AUDITOR}:  # they are given no key at all
        assert children.compartments(someone.session) == ()
        return
    for method, path, act, _ in ROUTES:
        answer = await children.ask(TEAM, someone.session, filled(path, report), {}, method=method)
        assert (answer.status == 403) is not may(role, act), (method, path, answer.status)
        answer.close()
        for headers in ({"authorization": "guessed"}, {"x-session": "00" * 32}):
            answer = await children.ask(TEAM, someone.session, filled(path, report), headers, method=method)
            assert answer.status == 401, (method, path)
            answer.close()


async def test_an_observer_sees_the_queue_and_nothing_inside(team: Team, person: Callable[..., Any]) -> None:
    report = await team.takes_report(await team.file(picture()))
    analyst, observer = await person("swift"), await person("owl", "observer")
    inside = await analyst.opens(f"/reports/{report}")
    queue = await observer.opens("/queue")
    assert f"/reports/{report}" not in queue.text
    assert "<tr" in queue.text
    for path in (f"/reports/{report}", *addresses(inside.text)):
        assert (await observer.opens(path)).status == 403
