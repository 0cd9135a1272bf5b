"""A browser for a person; without one the story is not told, and `make test` says so."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

# As root, which a build machine may be, chromium has no sandbox of its own. The rest keeps it from calling home.
QUIETLY = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("the whole story is not told in a browser: there is no chromium")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=chromium or "/usr/bin/chromium", args=list(QUIETLY)
        )
        yield started
        await started.close()
