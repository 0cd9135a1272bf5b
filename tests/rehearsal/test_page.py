"""The chat page in a browser: what a person does with it, and what it does not let happen."""

from __future__ import annotations

import io
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.async_api import async_playwright, expect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp
    from playwright.async_api import Page

    from rehearsal.server import Rehearsal
    from tests.rehearsal.conftest import PlainBot

FAKE_MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
CARD = "<b>First</b> card, with <tg-spoiler>seven words</tg-spoiler>"
BUTTONS = {
    "inline_keyboard": [
        [
            {"text": "Next", "callback_data": "1:next"},
            {"text": "Erase", "callback_data": "1:erase", "style": "danger"},
        ],
        [{"text": "Copy the words", "copy_text": {"text": "seven words"}}],
    ]
}
NAMELESS = """() => [...document.querySelectorAll('button, input:not([type=file]), select, textarea, summary, img')]
  .filter((node) => node.checkVisibility())
  .filter((node) => !(node.getAttribute('aria-label') || node.textContent.trim() || node.alt || node.labels?.length))
  .map((node) => node.outerHTML)"""


def picture(colour: str) -> dict[str, object]:
    out = io.BytesIO()
    Image.new("RGB", (300, 200), colour).save(out, "PNG")
    return {"name": f"{colour}.png", "mimeType": "image/png", "buffer": out.getvalue()}


@pytest.fixture
async def page(rehearsal: Rehearsal) -> AsyncIterator[Page]:
    chromium = shutil.which("chromium")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("the chat page is not tested: there is no chromium")
    async with async_playwright() as playwright:
        # As root, which a build machine may be, chromium has no sandbox of its own.
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", *FAKE_MICROPHONE]
        )
        context = await browser.new_context(permissions=["clipboard-read", "clipboard-write", "microphone"])
        opened = await context.new_page()
        wrong: list[str] = []
        opened.on("console", lambda said: wrong.append(said.text))
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        opened.on(
            "request", lambda asked: asked.url.startswith((rehearsal.url, "blob:")) or wrong.append(asked.url)
        )
        await opened.goto(rehearsal.url)
        yield opened
        assert wrong == []
        await browser.close()


async def start(page: Page, bot: PlainBot) -> int:
    await page.get_by_role("button", name="Start", exact=True).click()
    (update,) = await bot.updates()
    chat: int = update["message"]["chat"]["id"]
    await bot.asks("sendMessage", chat_id=chat, text=CARD, parse_mode="HTML", reply_markup=BUTTONS)
    return chat


async def test_a_conversation(page: Page, bot: PlainBot) -> None:
    await bot.asks("setMyDescription", description="What this is about")
    await expect(page.get_by_text("What this is about")).to_be_visible()
    chat = await start(page, bot)
    log = page.get_by_role("log")
    await expect(log.locator("b")).to_have_text("First")
    hidden = page.get_by_role("button", name="Hidden text, press to show")
    await hidden.click()
    await expect(hidden).to_have_count(0)
    await expect(log.get_by_text("seven words", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Next", exact=True).click()
    (update,) = await bot.updates()
    query = update["callback_query"]
    assert query["data"] == "1:next"
    await bot.asks("answerCallbackQuery", callback_query_id=query["id"], text="Going on")
    await expect(page.get_by_text("Going on")).to_be_visible()
    await bot.asks(
        "editMessageText", chat_id=chat, message_id=query["message"]["message_id"], text="Second card"
    )
    await expect(log.get_by_text("Second card")).to_be_visible()
    await expect(page.get_by_role("button", name="Next", exact=True)).to_have_count(0)
    assert await page.evaluate(NAMELESS) == []


async def test_an_alert_and_a_copy(page: Page, bot: PlainBot) -> None:
    await start(page, bot)
    await page.get_by_role("button", name="Copy the words").click()
    await expect(page.get_by_text("Copied")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == "seven words"
    await page.get_by_role("button", name="Erase", exact=True).click()
    (update,) = await bot.updates()
    query = update["callback_query"]["id"]
    await bot.asks("answerCallbackQuery", callback_query_id=query, text="Really?", show_alert=True)
    await expect(page.get_by_role("dialog")).to_contain_text("Really?")
    await page.get_by_role("button", name="OK").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_writing_editing_and_deleting(page: Page, bot: PlainBot) -> None:
    await start(page, bot)
    field = page.get_by_role("textbox", name="Message")
    await field.fill("<i>Sofika</i>")
    await field.press("Enter")
    own = page.get_by_role("article", name="You").last
    await expect(own).to_contain_text("<i>Sofika</i>")
    await own.get_by_label("What to do with this message").click()
    await own.get_by_role("button", name="Edit").click()
    await field.fill("Sofiika")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(own).to_contain_text("Sofiika")
    await expect(own).to_contain_text("edited")
    await own.get_by_label("What to do with this message").click()
    await own.get_by_role("button", name="Delete").click()
    await expect(page.get_by_text("Sofiika")).to_have_count(0)
    kinds = [list(update)[1] for update in await bot.updates()]
    assert kinds == ["message", "edited_message"]


async def test_photos_files_and_the_rest(page: Page, bot: PlainBot, rehearsal: Rehearsal) -> None:
    await start(page, bot)
    await page.locator("#pick-photo").set_input_files([picture("teal"), picture("navy")])
    await page.get_by_label("Hide under a spoiler").check()
    await page.get_by_role("textbox", name="Message").fill("Two photos")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_role("button", name="Show photo")).to_have_count(2)
    await page.locator("#pick-file").set_input_files(
        {"name": "список.txt", "mimeType": "text/plain", "buffer": b"names"}
    )
    await page.get_by_role("button", name="Send", exact=True).click()
    link = page.get_by_role("link", name="список.txt")
    async with page.expect_download() as download:
        await link.click()
    assert (await download.value).suggested_filename == "список.txt"
    await page.locator("#pick-voice").set_input_files(
        {"name": "voice.ogg", "mimeType": "audio/ogg", "buffer": b"OggS"}
    )
    await expect(page.get_by_label("Voice message, 3 s")).to_be_visible()
    for name in ("Sticker", "Poll", "A file over 20 MB"):
        await page.get_by_label("Attach").click()
        await page.get_by_role("button", name=name).click()
    await expect(page.get_by_text("archive.zip")).to_be_visible()
    await page.get_by_label("Attach").click()
    await page.get_by_role("button", name="Location").click()
    await page.get_by_role("dialog").get_by_role("button", name="Send").click()
    await expect(page.get_by_role("log")).to_contain_text("48.50000, 34.50000")
    kinds = [message.kind for message in await rehearsal.person("Olha").chat() if message.own]
    assert kinds == [
        *("text", "photo", "photo", "document", "voice", "sticker", "poll", "document", "location")
    ]


async def test_a_recorded_voice(page: Page, bot: PlainBot, rehearsal: Rehearsal) -> None:
    await start(page, bot)
    await page.get_by_role("button", name="Record a voice message").click()
    await page.get_by_role("button", name="Stop and send the recording").click()
    await expect(page.get_by_label("Voice message, 1 s")).to_be_visible()
    (update,) = await bot.updates()
    assert update["message"]["voice"]["mime_type"] in ("audio/ogg", "audio/webm")
    assert await rehearsal.person("Olha").content_of((await rehearsal.person("Olha").chat())[-1])


async def attach(page: Page, what: str) -> None:
    await page.get_by_label("Attach").click()
    await page.get_by_role("button", name=what, exact=True).click()


async def test_everything_else_that_telegram_sends(page: Page, bot: PlainBot, rehearsal: Rehearsal) -> None:
    await start(page, bot)
    log, dialog = page.get_by_role("log"), page.get_by_role("dialog")
    await attach(page, "Contact")
    await dialog.get_by_label("First name").fill("Petro")
    await dialog.get_by_label("Last name").fill("Vyhadanyi")
    await dialog.get_by_label("Telephone").fill("+380000000001")
    await dialog.get_by_role("button", name="Send").click()
    await expect(log).to_contain_text("Petro Vyhadanyi")
    await attach(page, "Text with a hidden link")
    await dialog.get_by_label("Words").fill("the album")
    await dialog.get_by_label("Address").fill("https://example.org/album")
    await dialog.get_by_role("button", name="Send").click()
    await expect(log.get_by_role("link", name="the album")).to_have_attribute(
        "href", "https://example.org/album"
    )
    await attach(page, "Location")
    await dialog.get_by_label("Name of the place").fill("The school")
    await dialog.get_by_role("button", name="Send").click()
    await expect(log).to_contain_text("The school")
    await attach(page, "Location")
    await dialog.get_by_label("Name of the place").fill("")
    await dialog.get_by_label("Live, for 15 minutes").check()
    await dialog.get_by_role("button", name="Send").click()
    live = page.get_by_role("article", name="You").last
    await expect(live).to_contain_text("Live location")
    await live.get_by_label("What to do with this message").click()
    await live.get_by_role("button", name="Move").click()
    await dialog.get_by_label("Latitude").fill("49.5")
    await dialog.get_by_role("button", name="Send").click()
    await expect(live).to_contain_text("49.50000, 34.50000")
    await attach(page, "Pass on from somebody")
    await dialog.get_by_label("From").select_option("channel")
    await dialog.get_by_label("Name", exact=True).fill("Station news")
    await dialog.get_by_role("button", name="Go on").click()
    await expect(page.get_by_text("Passed on from: Station news")).to_be_visible()
    await page.get_by_role("textbox", name="Message").fill("They are here")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(log).to_contain_text("Passed on from Station news")
    await attach(page, "Dice")
    assert await page.evaluate(NAMELESS) == []
    kinds = [message.kind for message in await rehearsal.person("Olha").chat() if message.own]
    assert kinds == ["text", "contact", "text", "venue", "location", "text", "dice"]
    updates = [update.get("edited_message", update.get("message")) for update in await bot.updates()]
    assert updates[3]["location"] == {"latitude": 48.5, "longitude": 34.5, "live_period": 900}
    assert updates[4]["location"]["latitude"] == 49.5
    assert updates[5]["forward_origin"]["chat"]["title"] == "Station news"


async def test_only_what_is_new_is_put_on_the_page(page: Page, bot: PlainBot) -> None:
    chat = await start(page, bot)
    await expect(page.get_by_role("log")).to_contain_text("First card")
    await page.evaluate(
        """() => { window.put = []; new MutationObserver((seen) => seen.forEach(({ addedNodes }) =>
        window.put.push(...addedNodes))).observe(document.getElementById('log'), { childList: true }); }"""
    )
    await bot.asks("sendMessage", chat_id=chat, text="Second card")
    await expect(page.get_by_role("log")).to_contain_text("Second card")
    assert await page.evaluate("window.put.map((node) => node.querySelector('.words').textContent)") == [
        "Second card"
    ]


async def test_several_people_and_a_switch(page: Page, bot: PlainBot, rehearsal: Rehearsal) -> None:
    await start(page, bot)
    await page.get_by_label("Who you are").get_by_label("Name").fill("Taras")
    await page.get_by_role("button", name="Add and write as them").click()
    await page.get_by_role("button", name="Start", exact=True).click()
    assert [message.text for message in await rehearsal.person("Taras").chat()] == ["/start"]
    await page.get_by_role("button", name="Olha").click()
    await expect(page.get_by_role("log")).to_contain_text("First card")
    await page.get_by_label("What goes wrong").get_by_role("combobox").select_option("blocked")
    await page.get_by_label("How often").fill("2")
    await page.get_by_role("button", name="Turn on").click()
    await expect(page.get_by_text("403: blocked by the person, 2 left")).to_be_visible()
    assert [fault.kind for fault in rehearsal.faults.standing()] == ["blocked"]
    await page.get_by_role("button", name="Turn off").click()
    await expect(page.get_by_text("2 left")).to_have_count(0)
    assert rehearsal.faults.standing() == []


async def test_blocking_and_deleting_the_chat(page: Page, bot: PlainBot) -> None:
    await start(page, bot)
    await page.get_by_label("Chat actions").click()
    await page.get_by_role("button", name="Delete chat").click()
    await expect(page.get_by_role("article")).to_have_count(0)
    await page.get_by_label("Chat actions").click()
    await page.get_by_role("button", name="Block bot").click()
    await page.get_by_role("button", name="Unblock bot").click()
    await expect(page.get_by_role("textbox", name="Message")).to_be_visible()


async def test_foreign_pages_are_kept_out(rehearsal: Rehearsal, session: aiohttp.ClientSession) -> None:
    people = f"{rehearsal.url}/rehearsal/people"
    async with session.get(people, headers={"Host": "evil.example.org"}) as answer:
        assert answer.status == 403
    async with session.post(people, data='{"name": "Mallory"}') as answer:
        assert answer.status == 403
    async with session.get(rehearsal.url) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    html = await rehearsal.person("Olha").sends_file("a.html", b"<script>alert(1)</script>")
    media = f"{rehearsal.url}/rehearsal/media/{html.raw['document']['file_id']}"
    async with session.get(media) as answer:
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
