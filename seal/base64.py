"""One text for one byte string: canonical Base 64 without padding (RFC 4648, sections 3.5 and 4).

age.md, "Conventions": decoders refuse padding and encodings that are not canonical.
"""

import binascii


def encode(raw: bytes) -> bytes:
    """Base 64 of `raw`, without `=` and without line breaks."""
    return binascii.b2a_base64(raw, newline=False).rstrip(b"=")


def decode(text: bytes) -> bytes:
    """The bytes that `encode` would turn into exactly `text`; raises ValueError if there are none."""
    raw = binascii.a2b_base64(text + b"=" * (-len(text) % 4))
    # The decoder skips what it does not know; only the one canonical text survives this comparison.
    if encode(raw) != text:
        raise ValueError("not canonical Base 64")
    return raw
