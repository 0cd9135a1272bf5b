"""The maker, and pictures made here: nothing in them was ever in a camera."""

import random
from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image
from pillow_heif import register_heif_opener

from admin.previews.maker import PreviewMaker
from admin.previews.wire import Limits

Draw = Callable[..., bytes]


@pytest.fixture
def maker() -> PreviewMaker:
    return PreviewMaker(Limits())


@pytest.fixture
def draw() -> Draw:
    """Draw four coloured quarters with some noise, written as `kind` with Pillow's `options`."""
    register_heif_opener()

    def drawn(kind: str, size: tuple[int, int] = (320, 240), mode: str = "RGB", **options: object) -> bytes:
        quarters = Image.new("RGB", (2, 2))
        quarters.putdata([(220, 30, 30), (30, 200, 30), (30, 30, 220), (230, 230, 40)])
        picture = quarters.resize(size, Image.Resampling.NEAREST)
        grain = Image.frombytes("L", (40, 40), random.Random(7).randbytes(1600)).resize(size).convert("RGB")
        out = BytesIO()
        Image.blend(picture, grain, 0.1).convert(mode).save(out, kind, **options)
        return out.getvalue()

    return drawn
