"""A security key in a real browser: added, signed in with, removed; pages fit and can be read in both themes."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from admin.console import web
from tests.console.conftest import Clock, Person, Served, Team, until
from tests.console.test_browser import browser, looks_right, page_of

__all__ = ["browser"]  # a fixture


@pytest.fixture
async def served(team: Team, place: web.Place, clock: Clock) -> AsyncIterator[Served]:
    """At a name that browsers know security keys under."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://localhost:{listening.getsockname()[1]}"
    async with web.opened(replace(place, url=url), now=clock.now, sleep=clock.sleep) as console:
        server = web.Server(console)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        await until(lambda: server.started)
        yield Served(url, console, clock, team.database)
        server.should_exit = True
        await task


async def with_a_key(page: Page) -> Any:
    """Chromium's own virtual security key, with a counter and room for discoverable credentials."""
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    made = await devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2", "transport": "usb", "hasResidentKey": True, "hasUserVerification": True,
                "isUserVerified": True, "automaticPresenceSimulation": True,
            }
        },
    )  # fmt: skip
    return devtools, made["authenticatorId"]


async def types(page: Page, someone: Person, code: str = "") -> None:
    assert someone.added is not None
    await page.goto(f"{someone.served.address}/sign-in")
    await page.locator("#call_sign").fill("swift")
    await page.locator("#passphrase").fill(someone.added.passphrase)
    await page.locator("#code").fill(code)


async def test_a_security_key_is_added_signs_in_and_is_removed(
    team: Team, person: Any, browser: Browser
) -> None:
    swift = await person("swift", signed_in=False)
    page, complaints = await page_of(browser)
    await with_a_key(page)
    await types(page, swift, swift.code())
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.wait_for_url("**/queue")

    await page.get_by_role("link", name="Keys and codes").click()
    await page.get_by_label("Name of the new key").fill("the blue one")
    await page.get_by_role("button", name="Add a security key").click()
    await page.get_by_role("button", name="Remove the blue one").wait_for()
    await page.get_by_role("button", name="Add a security key").click()  # the same once more
    await page.get_by_text("it is added already").wait_for()

    await page.get_by_role("button", name="Sign out").click()
    for _ in range(2):
        await types(page, swift)
        await page.get_by_role("button", name="Use a security key").click()
        await page.wait_for_url("**/queue")

    await page.goto(f"{swift.served.address}/factors")
    await page.get_by_role("button", name="Remove the blue one").click()
    await page.get_by_text("You have none yet").wait_for()
    await types(page, swift)
    await page.get_by_role("button", name="Use a security key").click()
    await page.get_by_text("That did not work").wait_for()
    assert [text for text in complaints if "401" not in text] == []


async def test_a_key_that_is_not_there_is_told_and_a_code_still_does(
    team: Team, person: Any, browser: Browser
) -> None:
    swift = await person("swift", signed_in=False)
    page, _ = await page_of(browser)
    await with_a_key(page)
    await types(page, swift, swift.code())
    await page.get_by_role("button", name="Use a security key").click()
    await page.get_by_text("The key did not answer").wait_for()
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.wait_for_url("**/queue")


async def test_without_scripts_or_at_another_address_there_is_the_code(
    team: Team, person: Any, browser: Browser
) -> None:
    swift = await person("swift", signed_in=False)
    for page, address in (
        ((await page_of(browser, java_script_enabled=False))[0], swift.served.address),
        ((await page_of(browser))[0], swift.served.address.replace("localhost", "127.0.0.1")),
    ):
        await page.goto(f"{address}/sign-in")
        await page.wait_for_load_state("load")
        await expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
        await expect(page.get_by_role("button", name="Use a security key")).to_be_hidden()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_door_and_one_s_keys_fit_every_width_and_can_be_read_in_both_themes(
    width: int, theme: str, team: Team, person: Any, browser: Browser
) -> None:
    swift = await person("swift", signed_in=False)
    lang = "uk-UA" if theme == "light" else "en-GB"
    page, complaints = await page_of(browser, width=width, color_scheme=theme, locale=lang)
    await with_a_key(page)
    await types(page, swift, swift.code())
    await expect(page.locator("[data-key] button")).to_be_visible()
    await looks_right(page)
    await page.locator("button.main").click()
    await page.wait_for_url("**/queue")
    await page.goto(f"{swift.served.address}/factors")
    await looks_right(page)
    await page.locator("#key").fill("a rather long name of a key, as people do")
    await page.locator("[data-key] button").click()
    await page.locator(".owned li").wait_for()
    await page.locator('form[action="/factors/codes"] button').click()
    await page.locator(".codes").wait_for()
    assert len(re.findall(r"\d{4}-\d{4}-\d{4}-\d{4}", await page.locator(".codes").inner_text())) == 10
    await looks_right(page)
    assert complaints == []
