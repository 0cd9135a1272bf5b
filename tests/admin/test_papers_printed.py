"""Each paper is one sheet, legible in black on white, and its page reaches for nothing outside itself."""

import os
import re
import shutil
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from admin import ceremony
from admin.papers import Files, written


@pytest.fixture
def files(now: datetime, tmp_path: Path) -> Files:
    made = ceremony.make(now.date())
    with written(made.ceremony_key, made.recovery, tmp_path / "papers") as paths:
        return paths


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("the papers are not printed: there is no chromium")
    async with async_playwright() as playwright:
        # As root, which a build machine may be, chromium has no sandbox of its own.
        started = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        await started.close()


@pytest.mark.parametrize("name", ["ceremony_page", "recovery_page"])
async def test_a_paper_is_one_sheet_and_reaches_for_nothing(
    browser: Browser, files: Files, name: str
) -> None:
    path: Path = getattr(files, name)
    page = await browser.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    await page.goto(path.as_uri())
    sheet = await page.pdf(format="A4", prefer_css_page_size=True)
    assert re.findall(rb"/Type /Pages\s+/Count (\d+)", sheet) == [b"1"]
    assert (asked, complaints) == ([path.as_uri()], [])
    # The code is a square of 50 mm, and no word is cut off by its column.
    code = await page.locator("svg").bounding_box()
    assert code is not None
    assert (round(code["width"]), round(code["height"])) == (189, 189)  # CSS pixels, 96 to the inch
    cut = await page.evaluate(
        "[...document.querySelectorAll('li')].filter(w => w.scrollWidth > w.clientWidth).length"
    )
    assert cut == 0
