"""Padding makes a length say little: at least 4 KiB, then Padmé. A layer inside the seal, not a part of age.

Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PETS
2019, section 4) rounds a length up so that only O(log log) of its bits remain, at a cost of at most 12 %.

Example:
    sealed = seal_bytes(pad_json(body), recipients)            # JSON reads past its trailing spaces
    sealed = seal_bytes(photo + bytes(pad_tail(len(photo))), recipients)  # the body holds len(photo)

`python -m seal` never pads: it seals exactly what it is given.
"""

MINIMUM = 4096  # bytes


def padme(length: int) -> int:
    """`length` (bytes) rounded up to the next length that Padmé allows."""
    if length < 2:  # noqa: PLR2004 - nothing to round, and the logarithm of the logarithm is undefined
        return length
    exponent = length.bit_length() - 1
    kept_bits = exponent.bit_length()
    mask = (1 << (exponent - kept_bits)) - 1
    return (length + mask) & ~mask


def padded_length(length: int) -> int:
    """The length (bytes) that something of `length` bytes is padded to."""
    return padme(max(length, MINIMUM))


def pad_tail(length: int) -> int:
    """How many zero bytes to append to a file of `length` bytes."""
    return padded_length(length) - length


def pad_json(data: bytes) -> bytes:
    """A JSON text with spaces behind it, which no reader of JSON minds (RFC 8259, section 2)."""
    return data.ljust(padded_length(len(data)), b" ")
