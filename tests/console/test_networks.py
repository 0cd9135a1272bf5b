"""Whence a request comes: the proxy alone is believed, and a session stays with its certificate."""

import contextlib
import dataclasses
from collections.abc import AsyncIterator

import pytest
from fastapi import Request

from admin.console import web
from admin.console.network import Networks
from admin.settings import ConsoleSettings, SettingsError, load
from tests.console.conftest import Clock, Person, Served, Team, serving
from tests.console.record import name_of, refusals


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
        assert await refusals(team) == [("session with another certificate", name_of(swift))]
        assert behind_a_proxy.console.children.pids() == {}
        swift.http.headers["x-certificate"] = "ab:cd"
        assert (await swift.opens("/queue")).path == "/sign-in"


async def test_a_certificate_that_the_proxy_did_not_see_is_none(behind_a_proxy: Served, team: Team) -> None:
    async with coming_by_proxy(behind_a_proxy, team) as swift:
        await swift.signs_in()
        away = Person(behind_a_proxy, None, at="127.0.0.2")
        away.http.headers.update({**swift.http.headers, "cookie": f"__Host-session={swift.token}"})
        assert (await away.opens("/queue")).path == "/sign-in"
        await away.http.close()
        assert await refusals(team) == [("session with another certificate", name_of(swift))]


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
    assert (believed.address, believed.certificate is None) == ("10.0.0.0/24", False)
    for ported in ("10.0.0.1:5678", "192.0.2.9, 10.0.0.1:5678"):
        assert networks.where(asking("::1", x_forwarded_for=ported)).network == believed.network
    six = networks.where(asking("::1", x_forwarded_for="2001:db8::1"))
    assert networks.where(asking("::1", x_forwarded_for="[2001:db8::1]:443")).network == six.network


def test_when_the_proxy_names_no_client_everybody_is_elsewhere() -> None:
    """Else one network for all would make a stolen cookie at home everywhere."""
    networks = Networks(bytes(32), proxy="::1", certificate_header="x-certificate")
    for said in ({"x_forwarded_for": "nonsense"}, {}):
        first, second = (networks.where(asking("::1", **said)) for _ in range(2))
        assert first.network != second.network
        assert first.address == second.address  # who guesses waits all the same


def test_a_blank_certificate_is_none() -> None:
    networks = Networks(bytes(32), proxy="::1", certificate_header="x-certificate")
    assert networks.where(asking("::1", x_certificate=" ")).certificate is None


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
