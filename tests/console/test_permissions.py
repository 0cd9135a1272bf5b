"""Every way in names the act that it needs, and every role is let in or refused as the table says."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from admin.console import web
from admin.console.permissions import Act, Role, may
from storage.tables import ROLES
from tests.console.conftest import Person, Served, Team, addresses, picture

EXPECTED = {
    Act.COME_IN: set(Role),
    Act.STAY: set(Role),
    Act.SEE_QUEUE: {Role.OBSERVER, Role.ANALYST, Role.LEAD, Role.AUDITOR, Role.SAFEGUARDING},
    Act.OPEN: {Role.ANALYST, Role.LEAD, Role.SAFEGUARDING},
    Act.WORK: {Role.ANALYST, Role.LEAD, Role.SAFEGUARDING},
    Act.ANSWER: {Role.ANALYST, Role.LEAD, Role.SAFEGUARDING},
    Act.SHRED: {Role.LEAD, Role.SAFEGUARDING},
    Act.TAKE_OVER: {Role.LEAD},
}


def test_the_roles_are_the_schema_s() -> None:
    assert tuple(Role) == ROLES


@pytest.mark.parametrize("act", Act)
def test_each_act_is_open_to_exactly_these_roles(act: Act) -> None:
    assert {role for role in Role if may(role, act)} == EXPECTED[act]


def test_the_app_has_no_way_in_but_the_table_s(served: Served) -> None:
    app = web.build(served.console)._app
    ways = {(method, route.path) for route in app.routes for method in route.methods}  # type: ignore[attr-defined]
    assert ways == {(route.method, route.path) for route in web.ROUTES}


def paths(report: uuid.UUID) -> list[tuple[web.Route, str]]:
    """Every route with the ids filled in; signing out comes last, for nothing works after it."""
    filled = [
        (
            route,
            route.path.replace("{report:uuid}", str(report))
            .replace("{file:uuid}", str(uuid.uuid4()))
            .replace("{name}", "none.css"),
        )
        for route in web.ROUTES
        if route.path != "/queue/changes"  # never ends; tests/console/test_live.py follows it
    ]
    return sorted(filled, key=lambda one: one[1] == "/sign-out")


async def asked(person: Person, route: web.Route, path: str) -> int:
    async with person.http.request(
        route.method,
        person.served.address + path,
        data={} if route.method == "POST" else None,
        allow_redirects=False,
    ) as answer:
        return answer.status


@pytest.mark.parametrize("role", Role)
async def test_each_role_walks_every_route(role: Role, team: Team, person: Callable[..., Any]) -> None:
    report = await team.takes_report()
    someone = await person("someone", role)
    for route, path in paths(report):
        status = await asked(someone, route, path)
        assert (status == 403) is not may(role, route.act), (route.method, path, status)


async def test_a_stranger_is_led_to_the_door_from_every_route(team: Team, stranger: Person) -> None:
    report = await team.takes_report()
    for route, path in paths(report):
        async with stranger.http.request(
            route.method, stranger.served.address + path, data={} if route.method == "POST" else None,
            allow_redirects=False,
        ) as answer:  # fmt: skip
            if route.act != Act.COME_IN:
                assert (answer.status, answer.headers["location"]) == (303, "/sign-in"), path


async def test_an_observer_sees_the_queue_and_nothing_inside(team: Team, person: Callable[..., Any]) -> None:
    report = await team.takes_report(await team.file(picture()))
    analyst, observer = await person("swift"), await person("owl", "observer")
    inside = await analyst.opens(f"/reports/{report}")
    queue = await observer.opens("/queue")
    assert f"/reports/{report}" not in queue.text
    assert "<tr" in queue.text
    for path in (f"/reports/{report}", *addresses(inside.text)):
        assert (await observer.opens(path)).status == 403
