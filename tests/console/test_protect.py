"""What every answer carries, what every unsafe request must be, and what people see when something fails."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from admin.console import web
from storage import desk
from tests.console.conftest import NAME, WORDS, Page, Person, Served, Team, addresses, picture

POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
    "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'",
}  # fmt: skip


def is_guarded(page: Page) -> None:
    assert set(page.headers["content-security-policy"].split("; ")) == POLICY
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cross-origin-opener-policy"] == "same-origin"
    assert page.headers["cross-origin-resource-policy"] == "same-origin"
    assert "server" not in page.headers


async def test_every_answer_is_guarded_and_only_hashed_assets_are_kept(
    team: Team, person: Callable[..., Any], stranger: Person
) -> None:
    report = await team.takes_report(await team.file(picture()))
    swift = await person("swift")
    inside = await swift.opens(f"/reports/{report}")
    (address,) = addresses(inside.text)
    assets = re.findall(r'"(/static/[^"]+)"', inside.text)
    assert len(assets) == 5
    for path in (
        "/queue",
        f"/reports/{report}",
        address,
        f"{address}/look",
        f"{address}/blurred",
        "/nowhere",
    ):
        page = await swift.opens(path)
        is_guarded(page)
        assert page.headers["cache-control"] == "no-store", path
    for path in assets:
        page = await stranger.opens(path)
        is_guarded(page)
        assert page.status == 200
        assert "immutable" in page.headers["cache-control"]
    is_guarded(await stranger.opens("/sign-in"))


async def test_pages_run_nothing_inline_and_lead_nowhere_else(team: Team, person: Callable[..., Any]) -> None:
    report = await team.takes_report(await team.file(picture()))
    swift = await person("swift")
    for path in ("/queue", f"/reports/{report}"):
        page = await swift.opens(path)
        assert not re.search(r"<script(?![^>]*\ssrc=)", page.text)
        assert not re.search(r"\s(style|on[a-z]+|hx-on[^=]*)=", page.text)
        assert not re.search(r"(src|href|action|hx-get)=\"(?!/|#)", page.text)
        assert "<title>Dodomu · desk</title>" in page.text
        config = json.loads(re.search(r"name=\"htmx-config\" content='([^']+)'", page.text)[1])  # type: ignore[index]
        assert config["allowEval"] is False
        assert config["includeIndicatorStyles"] is False
        assert config["historyCacheSize"] == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "cross-site", "origin": "OURS"},
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"origin": ""},
        {},
    ],
)
async def test_no_act_comes_from_another_site(
    headers: dict[str, str], served: Served, team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    swift = await person("swift")
    sent = {name: served.address if value == "OURS" else value for name, value in headers.items()}
    del swift.http.headers["sec-fetch-site"]
    for route in web.ROUTES:
        if route.method == "POST":
            path = route.path.replace("{report:uuid}", str(report))
            page = await swift.posts(path, headers=sent)
            assert page.status == 403, path
            assert "did not come from a page of ours" in page.text
    swift.http.headers["origin"] = served.address  # an older browser
    assert (await swift.posts(f"/reports/{report}/claim")).status == 200


async def test_a_request_that_is_too_long_is_refused(stranger: Person) -> None:
    page = await stranger.posts("/sign-in", call_sign="x" * 100_000)
    assert page.status == 413

    async def forever() -> Any:
        yield b"call_sign="

    async with stranger.http.post(stranger.served.address + "/sign-in", data=forever()) as answer:
        assert answer.status == 413


@pytest.mark.parametrize(
    "back", ["//elsewhere.example", "/\\elsewhere.example", "https://elsewhere.example", "x"]
)
async def test_choosing_a_language_leads_nowhere_else(back: str, stranger: Person) -> None:
    address = stranger.served.address
    async with stranger.http.post(
        f"{address}/language", data={"lang": "uk", "back": back}, allow_redirects=False
    ) as a:
        assert a.headers["location"] == "/"


async def test_the_language_is_the_browser_s_until_one_is_chosen(stranger: Person) -> None:
    assert "Team sign-in" in (await stranger.opens("/sign-in")).text
    assert (
        "Вхід для команди" in (await stranger.opens("/sign-in", **{"accept-language": "de, uk;q=0.8"})).text
    )
    page = await stranger.posts("/language", lang="uk", back="/sign-in")
    assert page.path == "/sign-in"
    assert '<html lang="uk">' in page.text
    assert '<html lang="uk">' in (await stranger.posts("/language", lang="xx", back="/sign-in")).text


async def test_health_says_nothing_but_whether(served: Served, stranger: Person) -> None:
    page = await stranger.opens("/healthz")
    assert (page.status, page.data) == (204, b"")


async def test_connections_cut_off_come_back(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    swift = await person("swift")
    await swift.opens(f"/reports/{report}")
    await superuser.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = 'dodomu_console' AND datname = current_database()"
    )
    for path in ("/queue", f"/reports/{report}"):
        await swift.sees_after(path, "desk" if path == "/queue" else NAME)


async def test_a_database_that_is_down_is_told_kindly(served: Served, person: Callable[..., Any]) -> None:
    swift = await person("swift")
    nowhere = desk.engine("postgresql://nobody:nothing@127.0.0.1:1/nothing")
    served.console.desk = desk.Desk(nowhere, now=served.clock.now, holds=timedelta(minutes=1))
    page = await swift.opens("/queue")
    assert page.status == 503
    assert page.headers["retry-after"] == "5"
    assert "Nothing is lost." in page.text
    await nowhere.dispose()


async def test_logs_hold_ids_and_nothing_else(
    team: Team, person: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    photo = await team.file(picture(), "her face.jpg")
    report = await team.takes_report(photo)
    swift = await person("swift")
    await swift.signs_in(passphrase="a wrong guess of words")
    page = await swift.opens(f"/reports/{report}")
    (address,) = addresses(page.text)
    for path in (address, f"{address}/look", "/queue"):
        await swift.opens(path)
    token = next(iter(swift.http.cookie_jar)).value
    await swift.posts("/sign-out")
    out, err = capfd.readouterr()
    said = out + err
    assert "compartment_process_started" in said
    for secret in (
        NAME,
        WORDS,
        "her face",
        "a wrong guess",
        swift.added.passphrase,
        token,
        "AGE-SECRET",
        "swift",
    ):
        assert secret not in said, secret
