"""Things to send when the sender brings none: a picture, a moment of silence, a sticker."""

from __future__ import annotations

import io
import struct
from functools import cache
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from rehearsal.world import World

PHOTO_SIDE = 400  # pixels


def sample_photo(world: World) -> bytes:
    """Return a JPEG of random broad colours: every one is another picture."""
    colours = world.chance.randbytes(4 * 3 * 3)
    small = Image.frombytes("RGB", (4, 3), colours)
    out = io.BytesIO()
    small.resize((PHOTO_SIDE, PHOTO_SIDE * 3 // 4), Image.Resampling.BICUBIC).save(out, "JPEG", quality=80)
    return out.getvalue()


def sample_voice(world: World) -> bytes:
    """Return one Ogg page of an Opus stream's head (RFC 3533, RFC 7845) with a random serial: no sound."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48000, 0, 0)
    serial = world.chance.randrange(2**32)
    page = b"OggS" + struct.pack("<BBqIIIB", 0, 6, 0, serial, 0, 0, 1) + bytes([len(head)])
    return page + head


@cache
def sample_sticker() -> bytes:
    """Return a small WebP picture."""
    out = io.BytesIO()
    Image.new("RGBA", (64, 64), (120, 160, 200, 255)).save(out, "WEBP")
    return out.getvalue()
