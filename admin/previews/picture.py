"""From an untrusted file to one small, plain JPEG: only pixels come through.

This runs in the contained child alone. The formats are a list, the number of pixels is known before anything
is decoded, what the camera said about how to hold the picture is applied, and then everything but the pixels
is left behind.
"""

import warnings
from dataclasses import dataclass, field
from io import BytesIO

# Pillow imports these at the moment it needs them; by then the child can open no file.
from PIL import (
    GifImagePlugin,  # noqa: F401
    Image,
    ImageFile,
    ImageFilter,
    ImagePalette,  # noqa: F401
    JpegImagePlugin,
    MpoImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401 - the reader of EXIF; the format itself is not on the list
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)
from pillow_heif import register_heif_opener

from admin.previews.wire import PreviewRefused, Refusal

# What phones send. No TIFF, BMP, JPEG 2000, PSD, …: their readers are the ones that break, and no phone
# writes them.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "HEIF")
_ORIENTATION = 0x0112  # EXIF 2.32, 4.6.4 A
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_PAPER = (255, 255, 255)  # stands behind what is transparent
_QUALITY = 82
_BLURRED_SIDE = 16  # pixels: all that a blurred preview knows of the picture


@dataclass(frozen=True)
class Picture:
    """A JPEG and its size in pixels; `partial` says that the file broke off and the rest is missing."""

    jpeg: bytes = field(repr=False)
    width: int
    height: int
    partial: bool


def prepare() -> None:
    """Load and register every reader, while files can still be opened."""
    Image.preinit()
    register_heif_opener(decode_threads=2, thumbnails=False, depth_images=False, aux_images=False)


def make(file: BytesIO, *, max_pixels: int, longest_side: int, max_bytes: int, blurred: bool) -> Picture:
    """Return the preview of `file`. Raise `PreviewRefused`, or what a broken file makes a decoder raise."""
    Image.MAX_IMAGE_PIXELS = max_pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    image, partial = _decoded(file, max_pixels, longest_side)
    orientation = _orientation(image)
    small = _opaque(_resized(image, _within(longest_side, image.size)))
    if orientation in _UPRIGHT:
        small = small.transpose(_UPRIGHT[orientation])
    if blurred:
        small = _beyond_recognition(small)
    # A fresh image: `info` of the old one holds comments and profiles that the writer would copy.
    clean = Image.new("RGB", small.size)
    clean.paste(small)
    out = BytesIO()
    clean.save(out, "JPEG", quality=_QUALITY, subsampling="4:2:0")
    if out.tell() > max_bytes:
        raise PreviewRefused(Refusal.FAILED)  # the limits do not fit each other
    return Picture(out.getvalue(), *clean.size, partial)


def _decoded(file: BytesIO, max_pixels: int, longest_side: int) -> tuple[Image.Image, bool]:
    image = _opened(file, max_pixels, longest_side)
    try:
        image.load()
    except MemoryError:
        raise
    except Exception:
        # A decoder over hostile bytes raises what it likes. Of a broken HEIC nothing can be shown: its reader
        # would give a black picture.
        if image.format == "HEIF":
            raise
        return _what_arrived(file, max_pixels, longest_side), True
    return image, False


def _what_arrived(file: BytesIO, max_pixels: int, longest_side: int) -> Image.Image:
    """Half a picture may still show a face. It is marked as partial, so nobody takes it for the whole."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    image = _opened(file, max_pixels, longest_side)
    image.load()
    return image


def _opened(file: BytesIO, max_pixels: int, longest_side: int) -> Image.Image:
    file.seek(0)
    try:
        image = Image.open(file, formats=_FORMATS)
    except UnidentifiedImageError as error:
        raise PreviewRefused(Refusal.NOT_A_PICTURE) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PreviewRefused(Refusal.TOO_MANY_PIXELS) from error
    if image.width * image.height > max_pixels:
        raise PreviewRefused(Refusal.TOO_MANY_PIXELS)
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        # It can leave out detail that would be scaled away. (HEIC would take the thumbnail the file brings
        # along, which may show another picture.)
        image.draft(None, _within(longest_side, image.size))
    return image


def _within(longest_side: int, size: tuple[int, int]) -> tuple[int, int]:
    """Return `size` scaled so that no side is longer than `longest_side`; never enlarged, never 0."""
    width, height = size
    scale = min(1.0, longest_side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _orientation(image: Image.Image) -> int | None:
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - broken EXIF is no reason to hide the picture
        return None
    return orientation if isinstance(orientation, int) else None


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    if image.mode.startswith("I;16"):
        image.info.pop("transparency", None)  # a 16-bit value that nothing below would understand
        image = image.point(lambda value: value * (1 / 256)).convert(
            "L"
        )  # which alone would cut off, not scale
    elif image.mode in {"1", "P", "PA"} or "transparency" in image.info:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)


def _opaque(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    paper = Image.new("RGBA", image.size, (*_PAPER, 255))
    paper.alpha_composite(image.convert("RGBA"))
    return paper.convert("RGB")


def _beyond_recognition(image: Image.Image) -> Image.Image:
    few = image.resize(_within(_BLURRED_SIDE, image.size), Image.Resampling.BOX)
    soft = few.filter(ImageFilter.GaussianBlur(1))
    return soft.resize(image.size, Image.Resampling.BICUBIC)
