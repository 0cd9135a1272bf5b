"""Keys as text that notices a slip of the pen: Bech32 (BIP 173), without its length limit.

age.md, "Conventions": a string is all upper or all lower case; the checksum is over the lower-case form.
"""

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUE = {letter: value for value, letter in enumerate(_ALPHABET)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_LENGTH = 6


def encode(prefix: str, raw: bytes) -> str:
    """The lower-case Bech32 text of `raw` under the lower-case human-readable `prefix`."""
    values = _regroup(raw, 8, 5, pad=True)
    remainder = _polymod([*_expanded(prefix), *values, *bytes(_CHECKSUM_LENGTH)]) ^ 1
    checksum = [(remainder >> shift) & 31 for shift in range(25, -1, -5)]
    return prefix + "1" + "".join(_ALPHABET[value] for value in [*values, *checksum])


def decode(text: str) -> tuple[str, bytes]:
    """The lower-case prefix and the bytes of `text`; raises ValueError, never naming what it was given."""
    if text not in (text.lower(), text.upper()):
        raise ValueError("mixed case")
    prefix, separator, data = text.lower().rpartition("1")
    if not separator or not prefix or not all("!" <= sign <= "~" for sign in prefix):
        raise ValueError("no readable prefix")
    if len(data) < _CHECKSUM_LENGTH or not all(sign in _VALUE for sign in data):
        raise ValueError("a sign outside the Bech32 alphabet, or too short")
    values = [_VALUE[sign] for sign in data]
    if _polymod([*_expanded(prefix), *values]) != 1:
        raise ValueError("the checksum does not fit")
    return prefix, bytes(_regroup(values[:-_CHECKSUM_LENGTH], 5, 8, pad=False))


def _expanded(prefix: str) -> list[int]:
    return [ord(sign) >> 5 for sign in prefix] + [0] + [ord(sign) & 31 for sign in prefix]


def _polymod(values: list[int]) -> int:
    """The BCH remainder of BIP 173; 1 for a text with its right checksum."""
    remainder = 1
    for value in values:
        top = remainder >> 25
        remainder = (remainder & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            if top >> bit & 1:
                remainder ^= generator
    return remainder


def _regroup(values: bytes | list[int], width: int, to: int, *, pad: bool) -> list[int]:
    """`values` of `width` bits as groups of `to` bits; without `pad`, what is left over must be zeros."""
    accumulator = bits = 0
    groups = []
    for value in values:
        accumulator = (accumulator << width | value) & 0xFFF
        bits += width
        while bits >= to:
            bits -= to
            groups.append(accumulator >> bits & ((1 << to) - 1))
    rest = accumulator & ((1 << bits) - 1)
    if pad and bits:
        groups.append(rest << (to - bits))
    elif not pad and (bits >= width or rest):
        raise ValueError("the last sign holds bits that belong to nothing")
    return groups
