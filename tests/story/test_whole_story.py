"""The promise of `make run`, kept in a browser: a child is reported in a chat, and the team opens that report."""

import asyncio
import hashlib
import re
from pathlib import Path
from random import Random

from playwright.async_api import Browser, Page

from rehearsal.driver import Driver, Person
from tests.line import stories
from tests.story.kit import ACTS_WITHIN_MS, Chat, Demonstration, demonstration, free_ports, photo
from tests.story.pictures import Pictures

HOUSE = photo("#bcd9e8", "#7f9d6a", "#efe2cc")
EVENING = photo("#e8c9b0", "#8a8f63", "#e6d3c0")
PAPER = b"%PDF-1.7\n" + Random(7).randbytes(70_001)
PAPER_NAME = "permission for the trip.pdf"
LOOKS = """img => img.decode().then(() => img.naturalWidth > 0 && img.getBoundingClientRect().width > 0)"""


async def test_from_a_message_in_the_chat_to_an_opened_report(tmp_path: Path, browser: Browser) -> None:
    pictures = Pictures(tmp_path / "pictures")
    complaints: list[str] = []
    async with demonstration(tmp_path / "state", *free_ports()) as made:
        # A phone for the family, a desk for the team.
        chat = Chat(await page_of(browser, complaints, width=390, height=640))
        await chat.page.goto(made.chat)
        await chat.page.get_by_role("button", name="Start", exact=True).wait_for()
        await others_report_too(made)
        desk = await page_of(browser, complaints, width=1180, height=500)
        await the_team_comes_in(desk, made)
        before = await codes(desk)
        assert len(before) == 3
        await olha_reports(chat, pictures)
        await desk.locator("table.rows tbody tr").nth(3).wait_for()  # without a reload
        (new,) = set(await codes(desk)) - set(before)
        await pictures.takes(desk, "queue")
        await the_team_opens_it(desk, new, pictures)
        assert complaints == []  # of the pages' strict policy, of a script


async def page_of(browser: Browser, complaints: list[str], *, width: int, height: int) -> Page:
    context = await browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
    page = await context.new_page()
    page.set_default_timeout(ACTS_WITHIN_MS)
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


async def others_report_too(made: Demonstration) -> None:
    """So that the queue is one: somebody whose child is about to be moved, and two whose wait is longer."""
    async with Driver(made.chat.rstrip("/")) as driver:
        taras, nina, ihor = (driver.person(name) for name in ("Taras", "Nina", "Ihor"))

        async def in_danger() -> None:
            await stories.begins(taras)
            await taras.taps("My family, or in my care")
            await taras.taps("About to be moved, or in danger")
            await taras.sees("what is happening")
            await taras.sends("A bus is ordered for tomorrow morning, the list hangs at the school")
            await taras.taps("Send now")
            await stories.sees_receipt(taras)

        async def long_ago(person: Person, name: str) -> None:
            await stories.begins(person)
            await stories.tells_the_core(person, name=name)
            await person.taps("Skip")
            await stories.shares(person)
            await stories.sends_it(person)

        await asyncio.gather(in_danger(), long_ago(nina, "Matvii Vyhadanyi"), long_ago(ihor, "Solomiia"))


async def olha_reports(chat: Chat, pictures: Pictures) -> None:
    """The whole interview, by hand."""
    await chat.page.get_by_role("button", name="Start", exact=True).click()
    await chat.taps("English")
    await chat.sees("Here you can tell us")
    await pictures.takes(chat.page, "chat-first")
    await chat.taps("Yes, let us begin. I am 18 or older")
    await chat.taps("My family, or in my care")
    await chat.taps("I do not know where")
    await chat.sees("What is the child’s name?")
    await chat.writes("Zlata Vyhadana")
    await chat.taps("8")
    await chat.taps("Girl")
    await chat.sees("Where was the child taken from?")
    await chat.writes("Oleshky")
    await chat.sees("Which of these places?")
    await pictures.takes(chat.page, "chat-place")
    await chat.taps("Oleshky, Khersonskyi Raion, Kherson Oblast")
    await chat.sees("When was the child taken?")
    await chat.writes("autumn 2022")
    await chat.sees("send as many as you have")
    await chat.sends("photo", ("house.jpg", "image/jpeg", HOUSE), ("evening.jpg", "image/jpeg", EVENING))
    await chat.sees("files: 2")
    await chat.sends("file", (PAPER_NAME, "application/pdf", PAPER))
    await chat.sees("files: 3")
    await pictures.takes(chat.page, "chat-files")
    await chat.taps("Done")
    await chat.sees("To find the child, may we pass this")
    await chat.taps("Yes")
    await chat.taps("Only the UN and the ICC")
    await chat.taps("Yes, only I see this phone")
    await chat.taps("No, I will look myself")
    await chat.sees("This is your message.")
    await chat.taps("Send")
    await chat.sees("Thank you.")
    screen = await chat.screen()
    assert re.search(r"Code: [0-9A-Z]{4}-[0-9A-Z]{4}", screen), screen
    # Nothing that was said stands in the chat any more.
    assert "Zlata" not in screen
    assert "Oleshky" not in screen


async def the_team_comes_in(desk: Page, made: Demonstration) -> None:
    """With what `make run` printed."""
    await desk.goto(made.console)
    for label, typed in zip(("Call sign", "Passphrase", "Code from your app"), made.sign_in, strict=True):
        await desk.get_by_label(label).fill(typed)
    await desk.get_by_role("button", name="Sign in").click()
    await desk.get_by_role("heading", name="Queue").wait_for()
    # What cannot wait stands first.
    assert "critical" in await desk.locator("table.rows tbody tr").first.inner_text()


async def codes(desk: Page) -> list[str]:
    return await desk.locator("table.rows td.code a").all_inner_texts()


async def the_team_opens_it(desk: Page, code: str, pictures: Pictures) -> None:
    await desk.get_by_role("button", name=f"Claim {code}").click()
    await desk.wait_for_url("**/reports/*")
    await desk.get_by_text("Zlata Vyhadana").wait_for()
    await desk.get_by_text("Oleshky, Khersonskyi Raion, Kherson Oblast").wait_for()

    # Blurred until asked for.
    first, second = desk.locator(".frame").first, desk.locator(".frame").last
    await first.scroll_into_view_if_needed()
    await first.locator('img[src$="/blurred"]').wait_for()
    await first.get_by_role("link", name="Show").click()
    clear = first.locator('img[src$="/clear"]')
    await clear.wait_for()
    assert await clear.evaluate(LOOKS)
    await second.scroll_into_view_if_needed()
    await second.locator('img[src$="/blurred"]').wait_for()
    await desk.evaluate("window.scrollTo(0, 0)")
    await pictures.takes(desk, "report", height=1055)

    sent = hashlib.sha256(PAPER).hexdigest()
    paper = desk.locator(".files li").filter(has_text=PAPER_NAME)
    await paper.get_by_text(sent).wait_for()
    async with desk.expect_download() as coming:
        await paper.get_by_role("link", name="Download the original").click()
    download = await coming.value
    received = await asyncio.to_thread(Path(await download.path()).read_bytes)
    assert download.suggested_filename == PAPER_NAME
    assert hashlib.sha256(received).hexdigest() == sent
    await desk.get_by_role("button", name="Sign out").click()
    await desk.wait_for_url("**/sign-in")
