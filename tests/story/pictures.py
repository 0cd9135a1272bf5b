"""The guides' pictures: taken on the way of the stories, in both themes, small enough for a page.

    PICTURES=1 make test ARGS="tests/story"

writes them to `docs/pictures`; without it they go to the test's own folder, and only their making is tried.
"""

import asyncio
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.async_api import Page

from locales import LANGUAGES
from tests.story.kit import ROOT

PLACE = ROOT / "docs" / "pictures"
MOST_BYTES = 150_000
COLOURS = 256
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
NAMES = ("chat-first", "chat-place", "chat-files", "queue", "report")
STRIPS = tuple(f"interview-{lang}" for lang in LANGUAGES)  # of one conversation, several moments side by side
BETWEEN, BEHIND = 16, {"light": "#ffffff", "dark": "#0d1117"}  # pixels; a page's own colour


class Pictures:
    """Takes them, one file a theme."""

    def __init__(self, elsewhere: Path) -> None:
        self._folder = PLACE if os.environ.get("PICTURES") else elsewhere
        self._moments: dict[str, list[Image.Image]] = {theme: [] for theme in THEMES}

    async def takes(self, page: Page, name: str, *, height: int | None = None) -> None:
        """What stands on the page now, or its first `height` pixels where the page is longer."""
        assert name in NAMES
        for theme, taken in await self._looks(page, full_page=height is not None):
            if height is not None:
                taken = taken.crop((0, 0, taken.width, min(taken.height, height)))  # noqa: PLW2901 - its upper part
            await asyncio.to_thread(self._keep, taken, f"{name}-{theme}.png")

    async def remembers(self, page: Page, part: str) -> None:
        """What stands in a part of the page now is the next moment of the strip."""
        for theme, taken in await self._looks(page, part=part):
            self._moments[theme].append(taken)

    async def keeps_the_strip(self, name: str) -> None:
        """The moments side by side; the next strip begins."""
        assert name in STRIPS
        for theme, moments in self._moments.items():
            await asyncio.to_thread(self._keep, side_by_side(moments, BEHIND[theme]), f"{name}-{theme}.png")
            moments.clear()

    async def _looks(
        self, page: Page, *, part: str = "", full_page: bool = False
    ) -> list[tuple[str, Image.Image]]:
        await page.mouse.move(0, 0)  # no button looks as if it were pressed
        seen = []
        for theme in THEMES:
            await page.emulate_media(color_scheme=theme)
            if part:
                shot = await page.locator(part).screenshot(animations="disabled")
            else:
                shot = await page.screenshot(animations="disabled", full_page=full_page)
            seen.append((theme, Image.open(io.BytesIO(shot)).convert("RGB")))
        await page.emulate_media(color_scheme="light")
        return seen

    def _keep(self, taken: Image.Image, name: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / name
        taken.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
        assert path.stat().st_size < MOST_BYTES, name


def side_by_side(moments: Sequence[Image.Image], behind: str) -> Image.Image:
    width = sum(moment.width for moment in moments) + BETWEEN * (len(moments) - 1)
    strip = Image.new("RGB", (width, max(moment.height for moment in moments)), behind)
    left = 0
    for moment in moments:
        strip.paste(moment, (left, 0))
        left += moment.width + BETWEEN
    return strip
