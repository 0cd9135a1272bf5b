"""The README's pictures: taken on the way of the story, in both themes, small enough for a page.

    PICTURES=1 make test ARGS="tests/story/test_whole_story.py"

writes them to `docs/pictures`; without it they go to the test's own folder, and only their making is tried.
"""

import asyncio
import io
import os
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.async_api import Page

from tests.story.kit import ROOT

PLACE = ROOT / "docs" / "pictures"
MOST_BYTES = 150_000
COLOURS = 256
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
NAMES = ("chat-first", "chat-place", "chat-files", "queue", "report")


class Pictures:
    """Takes them, one file a theme."""

    def __init__(self, elsewhere: Path) -> None:
        self._folder = PLACE if os.environ.get("PICTURES") else elsewhere

    async def takes(self, page: Page, name: str, *, height: int | None = None) -> None:
        """What stands on the page now, or its first `height` pixels where the page is longer."""
        assert name in NAMES
        await page.mouse.move(0, 0)  # no button looks as if it were pressed
        for theme in THEMES:
            await page.emulate_media(color_scheme=theme)
            shot = await page.screenshot(animations="disabled", full_page=height is not None)
            await asyncio.to_thread(self._keep, shot, f"{name}-{theme}.png", height)
        await page.emulate_media(color_scheme="light")

    def _keep(self, shot: bytes, name: str, height: int | None) -> None:
        taken = Image.open(io.BytesIO(shot)).convert("RGB")
        if height is not None:
            taken = taken.crop((0, 0, taken.width, min(taken.height, height)))
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / name
        taken.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
        assert path.stat().st_size < MOST_BYTES, name
