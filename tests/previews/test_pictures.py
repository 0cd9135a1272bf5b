"""What a preview shows, of real files made here, and what it never carries over."""

import random
import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageOps, PngImagePlugin

from admin.previews.baseline import size_of_baseline
from admin.previews.maker import Preview, PreviewMaker
from admin.previews.wire import Limits, PreviewRefused, Refusal

RED, GREEN, BLUE, YELLOW = "red", "green", "blue", "yellow"


def seen(preview: Preview) -> Image.Image:
    return Image.open(BytesIO(preview.jpeg))


def quarters(image: Image.Image) -> list[str]:
    """Name the colour in the middle of each quarter: top left, top right, bottom left, bottom right."""
    middles = ((1, 1), (3, 1), (1, 3), (3, 3))
    return [colour(image, image.width * x // 4, image.height * y // 4) for x, y in middles]


def colour(image: Image.Image, x: int, y: int) -> str:
    pixel = image.convert("RGB").getpixel((x, y))
    assert isinstance(pixel, tuple)
    red, green, blue = (level > 110 for level in pixel)
    return {(1, 0, 0): RED, (0, 1, 0): GREEN, (0, 0, 1): BLUE, (1, 1, 0): YELLOW}[red, green, blue]


async def refusal(maker: PreviewMaker, file: bytes) -> Refusal:
    with pytest.raises(PreviewRefused) as refused:
        await maker.preview(file, blurred=False)
    return refused.value.reason


async def outcome(maker: PreviewMaker, file: bytes) -> str:
    try:
        await maker.preview(file, blurred=False)
    except PreviewRefused as refused:
        return refused.reason
    return "shown"


@pytest.mark.parametrize("kind", ["JPEG", "MPO", "PNG", "WEBP", "GIF", "HEIF"])
async def test_what_phones_send_is_shown(maker: PreviewMaker, draw: Any, kind: str) -> None:
    shown = await maker.preview(draw(kind), blurred=False)
    assert (shown.width, shown.height, shown.partial) == (320, 240, False)
    assert quarters(seen(shown)) == [RED, GREEN, BLUE, YELLOW]


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("JPEG", "CMYK"), ("PNG", "P"), ("PNG", "RGBA"), ("WEBP", "RGBA"), ("HEIF", "RGBA")],
)
async def test_every_way_to_write_a_colour_is_read(
    maker: PreviewMaker, draw: Any, kind: str, mode: str
) -> None:
    shown = await maker.preview(draw(kind, mode=mode), blurred=False)
    assert quarters(seen(shown)) == [RED, GREEN, BLUE, YELLOW]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16"])
async def test_grey_is_read_without_being_cut_off(maker: PreviewMaker, mode: str) -> None:
    ramp = Image.linear_gradient("L")  # black above, white below
    grey = (
        ramp.convert("I").point(lambda value: value * 257).convert("I;16")
        if mode == "I;16"
        else ramp.convert(mode)
    )
    out = BytesIO()
    grey.save(out, "PNG")
    shown = seen(await maker.preview(out.getvalue(), blurred=True)).convert("L")
    levels = [shown.getpixel((128, y)) for y in (5, 128, 250)]
    assert levels == [pytest.approx(level, abs=30) for level in (5, 128, 250)]


async def test_what_is_transparent_shows_paper(maker: PreviewMaker) -> None:
    out = BytesIO()
    Image.new("RGBA", (20, 20), (200, 0, 0, 0)).save(out, "PNG")
    assert seen(await maker.preview(out.getvalue(), blurred=False)).getpixel((10, 10)) == (255, 255, 255)


async def test_only_the_first_picture_of_a_moving_one_is_shown(maker: PreviewMaker) -> None:
    first, second = (Image.new("RGB", (40, 40), colour) for colour in ("white", "black"))
    for kind in ("GIF", "WEBP"):
        out = BytesIO()
        first.save(out, kind, save_all=True, append_images=[second] * 3)
        assert seen(await maker.preview(out.getvalue(), blurred=False)).getpixel((20, 20)) == (255, 255, 255)


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_it_stands_upright(maker: PreviewMaker, draw: Any, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = draw("JPEG", exif=exif)
    upright = ImageOps.exif_transpose(Image.open(BytesIO(file)))
    shown = await maker.preview(file, blurred=False)
    assert (shown.width, shown.height) == upright.size
    assert quarters(seen(shown)) == quarters(upright)


async def test_heic_stands_upright(maker: PreviewMaker, draw: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    shown = await maker.preview(draw("HEIF", exif=exif.tobytes()), blurred=False)
    assert (shown.width, shown.height) == (240, 320)
    assert quarters(seen(shown)) == [BLUE, RED, YELLOW, GREEN]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
@pytest.mark.parametrize("blurred", [False, True])
async def test_where_and_with_what_it_was_taken_is_gone(
    maker: PreviewMaker, draw: Any, kind: str, *, blurred: bool
) -> None:
    exif = Image.Exif()
    exif[0x010F] = "InventedMaker"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 27.0, 0.0), 3: "E", 4: (35.0, 3.0, 0.0)})
    file = draw(kind, exif=exif.tobytes(), icc_profile=b"InventedProfile" * 20, xmp=b"<x:xmpmeta/>")
    assert b"InventedMaker" in file
    shown = await maker.preview(file, blurred=blurred)
    assert size_of_baseline(shown.jpeg) == (320, 240)
    assert not seen(shown).getexif()
    assert b"Invented" not in shown.jpeg
    assert b"xmpmeta" not in shown.jpeg


async def test_comments_are_gone(maker: PreviewMaker, draw: Any) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", "Invented Name")
    texts.add_itxt("Place", "Invented Town", lang="uk", tkey="місто")
    for file in (
        draw("JPEG", comment=b"Invented"),
        draw("GIF", comment=b"Invented"),
        draw("PNG", pnginfo=texts),
    ):
        assert b"Invented" in file
        assert b"Invented" not in (await maker.preview(file, blurred=False)).jpeg


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((4000, 3000), (1600, 1200)),
        ((3000, 4000), (1200, 1600)),
        ((1600, 1), (1600, 1)),
        ((1, 20000), (1, 1600)),
        ((5, 7), (5, 7)),
    ],
)
async def test_no_side_is_longer_than_agreed_and_none_is_enlarged(
    maker: PreviewMaker, draw: Any, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    for blurred in (False, True):
        shown = await maker.preview(draw("JPEG", size), blurred=blurred)
        assert (shown.width, shown.height) == expected == seen(shown).size


async def test_blurred_keeps_colours_and_no_detail(maker: PreviewMaker) -> None:
    board = Image.new("L", (2, 2))
    board.putdata([0, 255, 255, 0])
    squares = Image.new("L", (1024, 1024))
    for x in range(0, 1024, 64):
        for y in range(0, 1024, 64):
            squares.paste(board.resize((64, 64), Image.Resampling.NEAREST), (x, y))
    out = BytesIO()
    squares.save(out, "PNG")
    clear = seen(await maker.preview(out.getvalue(), blurred=False)).convert("L")
    blurred = seen(await maker.preview(out.getvalue(), blurred=True)).convert("L")
    assert clear.getextrema() == (0, 255)
    darkest, lightest = blurred.getextrema()
    assert isinstance(darkest, (int, float))
    assert isinstance(lightest, (int, float))
    assert lightest - darkest < 10
    assert blurred.size == clear.size


async def test_noise_at_full_size_still_fits(maker: PreviewMaker) -> None:
    out = BytesIO()
    Image.frombytes("RGB", (1600, 1600), random.Random(3).randbytes(1600 * 1600 * 3)).save(out, "PNG")
    shown = await maker.preview(out.getvalue(), blurred=False)
    assert len(shown.jpeg) < Limits().max_preview_bytes


def png(width: int, height: int, *, bits: int, colour: int, row: bytes) -> bytes:
    """A PNG whose every row has the same bytes, packed as it is made: the picture is never in memory."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(b"\0" + row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def test_a_picture_that_unfolds_without_end_is_refused(maker: PreviewMaker, draw: Any) -> None:
    bomb = png(30000, 30000, bits=1, colour=0, row=bytes(3750))
    assert len(bomb) < 1_000_000
    assert await refusal(maker, bomb) is Refusal.TOO_MANY_PIXELS
    gif = bytearray(draw("GIF"))
    gif[6:10] = b"\xff\xff\xff\xff"  # its screen: 65,535 × 65,535
    assert await refusal(maker, bytes(gif)) is Refusal.TOO_MANY_PIXELS


async def test_texts_that_unfold_without_end_are_no_danger(maker: PreviewMaker) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", "x" * 200_000_000, zip=True)
    out = BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG", pnginfo=texts)
    assert len(out.getvalue()) < 1_000_000
    assert await refusal(maker, out.getvalue()) is Refusal.DAMAGED


async def test_the_largest_picture_that_is_allowed_fits_into_the_memory_that_is(maker: PreviewMaker) -> None:
    largest = png(8192, 8192, bits=8, colour=6, row=bytes(8192 * 4))
    assert Limits().max_pixels == 8192 * 8192
    assert (await maker.preview(largest, blurred=True)).width == 1600
    assert await refusal(maker, png(8193, 8192, bits=1, colour=0, row=bytes(1025))) is Refusal.TOO_MANY_PIXELS


@pytest.mark.parametrize(
    "file",
    [
        b"\0",
        b"just words, no picture",
        "Просто слова".encode(),
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>1</script></svg>',
        b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n",
        b"<!doctype html><img src=x>",
        b"PK\x03\x04" + bytes(100),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"\0\0\0\x18ftypheic\0\0\0\0heicmif1",
        bytes(100_000),
    ],
    ids=lambda file: repr(file[:12]),
)
async def test_what_is_no_picture_is_refused(maker: PreviewMaker, file: bytes) -> None:
    assert await refusal(maker, file) in {Refusal.NOT_A_PICTURE, Refusal.DAMAGED}


@pytest.mark.parametrize(
    "kind", ["TIFF", "BMP", "ICO", "PPM", "TGA", "JPEG2000", "PDF", "EPS", "AVIF", "ICNS", "PCX"]
)
async def test_other_pictures_are_not_even_tried(maker: PreviewMaker, draw: Any, kind: str) -> None:
    assert await refusal(maker, draw(kind, (64, 64))) is Refusal.NOT_A_PICTURE


async def test_an_empty_file_is_said_to_be_empty(maker: PreviewMaker) -> None:
    assert await refusal(maker, b"") is Refusal.EMPTY


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
async def test_half_a_picture_is_shown_and_said_to_be_half(maker: PreviewMaker, draw: Any, kind: str) -> None:
    whole = draw(kind, (800, 800))
    shown = await maker.preview(whole[: len(whole) * 6 // 10], blurred=False)
    assert shown.partial
    assert (shown.width, shown.height) == (800, 800)
    assert [colour(seen(shown), x, 200) for x in (200, 600)] == [RED, GREEN]


@pytest.mark.parametrize("kind", ["WEBP", "HEIF"])
async def test_half_a_picture_that_cannot_be_read_is_refused(
    maker: PreviewMaker, draw: Any, kind: str
) -> None:
    whole = draw(kind, (800, 800))
    assert await refusal(maker, whole[: len(whole) * 6 // 10]) in {Refusal.DAMAGED, Refusal.NOT_A_PICTURE}


async def test_what_hangs_on_to_a_picture_does_not_come_through(maker: PreviewMaker, draw: Any) -> None:
    archive = b"PK\x03\x04invented archive"
    shown = await maker.preview(draw("JPEG") + archive, blurred=False)
    assert b"invented" not in shown.jpeg
    script = draw("GIF", comment=b"*/=1;alert('invented')//")
    assert b"alert" not in (await maker.preview(script, blurred=False)).jpeg
    assert await refusal(maker, b"%PDF-1.7\n" + draw("JPEG")) is Refusal.NOT_A_PICTURE


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "HEIF"])
async def test_broken_files_break_nothing(maker: PreviewMaker, draw: Any, kind: str) -> None:
    whole = draw(kind, (64, 48))
    chance = random.Random(kind)
    for _ in range(6):
        broken = bytearray(whole)
        for _ in range(chance.randrange(1, 30)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        assert await outcome(maker, bytes(broken)) in {
            "shown",
            Refusal.DAMAGED,
            Refusal.NOT_A_PICTURE,
            Refusal.TOO_MANY_PIXELS,
            Refusal.OUT_OF_MEMORY,
        }


async def test_broken_exif_does_not_hide_the_picture(maker: PreviewMaker, draw: Any) -> None:
    for broken in (b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" + bytes(range(200))):
        assert (await maker.preview(draw("JPEG", exif=broken), blurred=False)).width == 320
