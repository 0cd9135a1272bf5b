"""The console in a real browser: one keyboard, the strict policy, a queue that moves by itself, both themes."""

import os
import shutil
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from flows import Claimed, Said, back
from storage import returning
from tests.console.conftest import NAME, Person, Team, picture

QUIET = ("--disable-gpu", "--no-first-run", "--disable-background-networking")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("the console's pages are not tested: there is no chromium")
    async with async_playwright() as playwright:
        # As root, which a build machine may be, chromium has no sandbox of its own.
        started = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", *QUIET])
        yield started
        await started.close()


async def page_of(browser: Browser, *, width: int = 1280, **other: Any) -> tuple[Page, list[str]]:
    """A page, and everything its console complains of."""
    context = await browser.new_context(
        viewport={"width": width, "height": 900}, **{"locale": "en-GB", **other}
    )
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page, complaints


async def comes_in(page: Page, someone: Person) -> None:
    """With the keyboard alone: the first field has the focus."""
    await page.goto(f"{someone.served.address}/")
    await expect(page.get_by_label("Call sign").or_(page.get_by_label("Позивний"))).to_be_focused()
    for typed in ("swift", someone.added.passphrase, someone.code()):  # type: ignore[union-attr]
        await page.keyboard.type(typed)
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/queue")


async def test_an_analyst_s_evening(team: Team, person: Callable[..., Any], browser: Browser) -> None:
    swift = await person("swift", signed_in=False)
    page, complaints = await page_of(browser)
    await comes_in(page, swift)
    await page.get_by_text("The queue is empty").wait_for()

    # A report arrives: the queue shows it without a reload.
    report = await team.takes_report(await team.file(picture()), urgency="critical")
    await team.bot.execute("NOTIFY dodomu")
    claim = page.locator(f"#c-{report}")
    await claim.wait_for()
    await claim.focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/reports/{report}")
    await page.get_by_text(NAME).wait_for()
    assert await page.title() == "Dodomu · desk"

    # Blurred of itself, clear when asked for, blurred again.
    shown = page.locator(".frame img")
    await page.locator('.frame img[src$="/blurred"]').wait_for()
    await page.get_by_role("link", name="Show").click()
    await page.locator('.frame img[src$="/clear"]').wait_for()
    assert await shown.evaluate("img => img.decode().then(() => img.naturalWidth)") == 320
    await page.get_by_role("button", name="Hide").click()
    await page.locator('.frame img[src$="/blurred"]').wait_for()

    async with page.expect_download() as coming:
        await page.get_by_role("link", name="Download the original").click()
    download = await coming.value
    assert download.suggested_filename == "from mother.jpg"

    await page.get_by_label("Change the status").select_option("wait:question asked")
    await page.get_by_role("button", name="Change", exact=True).click()
    await page.get_by_text("waiting for reporter", exact=True).wait_for()
    await page.locator('.frame img[src$="/blurred"]').wait_for()
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url("**/sign-in")
    await page.go_back()
    assert NAME not in await page.content()
    assert complaints == []


async def test_without_javascript_everything_still_works(
    team: Team, person: Callable[..., Any], browser: Browser
) -> None:
    report = await team.takes_report(await team.file(picture()))
    swift = await person("swift", signed_in=False)
    page, _ = await page_of(browser, java_script_enabled=False)
    await comes_in(page, swift)
    await page.get_by_role("button", name="Take the next one").click()
    await page.wait_for_url(f"**/reports/{report}")
    await page.locator('noscript img, .frame img[src$="/blurred"]').first.wait_for(state="attached")
    await page.get_by_role("link", name="Show").click()
    await page.locator('.frame img[src$="/clear"]').wait_for()
    await page.get_by_role("link", name="Back").click()
    await page.get_by_role("button", name="Put back into the queue").click()
    await page.wait_for_url("**/queue")
    await page.get_by_role("button", name="Українська").click()
    await page.get_by_role("heading", name="Черга").wait_for()


@pytest.mark.parametrize("width", [360, 800, 1024, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_pages_fit_every_width_and_can_be_read_in_both_themes(
    width: int, theme: str, team: Team, person: Callable[..., Any], browser: Browser
) -> None:
    report = await team.takes_report(await team.file(picture(), "a rather long name of a file " * 5 + ".jpg"))
    swift, _ = await person("swift", "lead", signed_in=False), await person("owl")
    await team.takes_report(urgency="critical", at=datetime.now(UTC) - timedelta(hours=30))
    # The longer language in one of them.
    lang = "uk-UA" if theme == "light" else "en-GB"
    page, complaints = await page_of(browser, width=width, color_scheme=theme, locale=lang)
    await comes_in(page, swift)
    swift.served.clock.moves(minutes=6)
    for path in ("/queue", f"/reports/{report}", "/sessions", "/prove?back=/queue"):
        await page.goto(swift.served.address + path)
        overflow = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, path
        assert await page.evaluate(CONTRAST) >= 4.5, path  # WCAG 2.2, 1.4.3
        unnamed = await page.evaluate(UNNAMED)
        assert unnamed == [], path
    assert complaints == []


async def test_a_download_asks_for_a_code_when_the_proof_is_old_and_then_comes(
    team: Team, person: Callable[..., Any], browser: Browser
) -> None:
    report = await team.takes_report(await team.file(picture()))
    swift = await person("swift", signed_in=False)
    page, complaints = await page_of(browser)
    await comes_in(page, swift)
    address = f"{swift.served.address}/reports/{report}"
    await page.goto(address)
    swift.served.clock.moves(minutes=6)
    await page.get_by_role("link", name="Download the original").click()
    await expect(page.get_by_label("Code from your app")).to_be_focused()
    await page.keyboard.type(swift.code())
    await page.keyboard.press("Enter")
    await page.wait_for_url(address)
    async with page.expect_download() as coming:
        await page.get_by_role("link", name="Download the original").click()
    assert (await coming.value).suggested_filename == "from mother.jpg"
    assert complaints == []


LINK = "https://t.me/camp_of_the_sun/1234567890?comment=1234567890"


async def thread(team: Team, report: uuid.UUID) -> None:
    """What can stand on a report's page, once more of it than usual."""
    photo = await team.file(
        picture(), "camp.jpg", caption="Зліва в синій куртці", forwarded=True, origin="Канал"
    )
    await team.adds_to(report, photo)
    await team.adds_to(report, content=back.said(Said(f"Ось їхня сторінка: {LINK}"), "uk"))
    await team.adds_to(
        report, content=back.said(Claimed("contact", "Ольга Вигадана\n+380 00 000 00 00"), "uk")
    )
    await team.adds_to(report, content=back.shared("courts", "un_icc", "asked", "uk"))


async def test_an_answer_is_written_with_the_keyboard_and_a_link_is_copied_not_opened(
    team: Team, person: Callable[..., Any], browser: Browser
) -> None:
    report = await team.takes_report()
    await thread(team, report)
    swift = await person("swift", signed_in=False)
    page, complaints = await page_of(browser)
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await comes_in(page, swift)
    await page.goto(f"{swift.served.address}/reports/{report}")
    await page.get_by_role("button", name="Copy link 1").click()
    await page.get_by_text("copied", exact=True).wait_for()
    assert await page.evaluate("navigator.clipboard.readText()") == LINK
    await expect(page.get_by_role("link", name="t.me")).to_have_count(0)

    await page.get_by_role("button", name="Claim", exact=True).click()
    words = page.get_by_label("Your words")
    await words.focus()
    await page.keyboard.type("Дякуємо.\n\nЧи була в неї синя куртка?")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="This is what they will read").wait_for()
    await page.get_by_role("button", name="Send").click()
    await page.wait_for_url(f"**/reports/{report}#answer-1")
    sent = page.locator("#answer-1")
    await expect(sent).to_be_in_viewport()
    assert "синя куртка" in await sent.inner_text()
    assert not [address for address in asked if not address.startswith(swift.served.address)]
    assert complaints == []


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_a_thread_an_answer_and_an_end_fit_every_width_and_can_be_read_in_both_themes(
    width: int, theme: str, team: Team, person: Callable[..., Any], browser: Browser
) -> None:
    report, gone = await team.takes_report(), await team.takes_report()
    for one in (report, gone):
        await thread(team, one)
    await returning.withdraw(team.bot, gone, datetime.now(UTC) - timedelta(days=15))
    swift = await person("swift", "lead", signed_in=False)
    lang = "uk-UA" if theme == "light" else "en-GB"
    page, complaints = await page_of(browser, width=width, color_scheme=theme, locale=lang)
    await comes_in(page, swift)
    await looks_right(page)
    await page.goto(f"{swift.served.address}/reports/{report}")
    await page.locator('form[action$="/claim"] button').click()
    for act in ("preview", "send"):
        if act == "preview":
            await page.locator("#text").fill("Дякуємо " * 60)
        await page.locator(f"button[value={act}]").first.click()
        await page.wait_for_url("**/answer" if act == "preview" else "**#answer-1")
        await looks_right(page)
    await page.goto(f"{swift.served.address}/reports/{gone}")
    await page.locator('form[action$="/shred"] button').click()
    await page.locator('form[action$="/take-back"] button').wait_for()
    await looks_right(page)
    assert complaints == []


async def looks_right(page: Page) -> None:
    """Nothing is cut off, everything can be read (WCAG 2.2, 1.4.3) and has a name, no id stands twice."""
    assert await page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert await page.evaluate(CONTRAST) >= 4.5
    assert await page.evaluate(UNNAMED) == []
    ids = await page.evaluate("[...document.querySelectorAll('[id]')].map((node) => node.id)")
    assert len(ids) == len(set(ids))


CONTRAST = """() => {
  const parse = (c) => c.match(/[\\d.]+/g).map(Number)
  const lum = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0)
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const c = parse(getComputedStyle(node).backgroundColor)
      if (c.length < 4 || c[3] > 0) return c
    }
    return [255, 255, 255]
  }
  let least = 21
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let text; text = walker.nextNode();) {
    const node = text.parentElement
    if (!text.data.trim() || ['NOSCRIPT', 'OPTION', 'OPTGROUP'].includes(node.tagName)) continue
    const [a, b] = [lum(parse(getComputedStyle(node).color)), lum(behind(node))].sort((x, y) => y - x)
    least = Math.min(least, (a + 0.05) / (b + 0.05))
  }
  return least
}"""
UNNAMED = """() => [...document.querySelectorAll('button, a, input:not([type=hidden]), select, textarea, img')]
  .filter((node) => !(node.textContent.trim() || node.ariaLabel || node.alt || node.labels?.length))
  .map((node) => node.outerHTML)"""
