"""A preview is a plain baseline JPEG with nothing but a picture in it, whoever made it.

The maker does not decode what its child answers; it walks the markers (ITU-T T.81, annex B) and accepts only
the shape that our own writer gives: one frame, one scan, three components, no restart markers, no comment, no
application data but the 16 bytes of JFIF, nothing after the end.
"""

import re
import struct

_START = b"\xff\xd8"
_END = b"\xff\xd9"
_APP0, _DQT, _DHT, _SOF0, _SOS = 0xE0, 0xDB, 0xC4, 0xC0, 0xDA
_JFIF_LENGTH = 16  # without a thumbnail; JFIF 1.02
_SEGMENT = struct.Struct(">BBH")
_FRAME = struct.Struct(">HBHHB")  # length, bits, height, width, components
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00]")


def size_of_baseline(jpeg: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels, or None if `jpeg` is not of exactly that shape."""
    if not jpeg.startswith(_START):
        return None
    size: tuple[int, int] | None = None
    at = len(_START)
    while at + _FRAME.size + 2 <= len(jpeg):
        lead, marker, length = _SEGMENT.unpack_from(jpeg, at)
        if lead != 0xFF or length < 2:  # noqa: PLR2004 - the length counts itself
            return None
        if marker == _SOS:
            return size if _only_a_scan(jpeg, at + 2 + length) else None
        if marker == _SOF0 and size is None:
            _, bits, height, width, components = _FRAME.unpack_from(jpeg, at + 2)
            if (bits, components) != (8, 3):
                return None
            size = (width, height)
        elif not (
            marker in {_DQT, _DHT} or (marker == _APP0 and at == len(_START) and length == _JFIF_LENGTH)
        ):
            return None
        at += 2 + length
    return None


def _only_a_scan(jpeg: bytes, start: int) -> bool:
    found = _MARKER_IN_SCAN.search(jpeg, start)
    return found is not None and found.group() == _END and found.end() == len(jpeg)
