"""A header is read whole or refused: version line, stanzas, MAC (age.md, "Header" and its ABNF).

The reader takes bytes in pieces of any size and keeps at most `HEADER_LIMIT` of them.
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from seal import base64
from seal.errors import MalformedError, Part

HEADER_LIMIT = 1 << 20  # bytes: some 600 hybrid recipients; what asks for more is not ours
FILE_KEY_LENGTH = 16  # bytes
WRAPPED_KEY_LENGTH = 32  # bytes: a file key and its Poly1305 tag

NAME = b"age-encryption.org/"
_VERSION_LINE = NAME + b"v1"
_MAC_MARK = b"---"
_COLUMNS = 64
_MAC_LENGTH = 32
_VCHARS = re.compile(rb"[!-~]+")


@dataclass(frozen=True, slots=True)
class Stanza:
    """The file key wrapped for one recipient: its type, further arguments, and the body (raw bytes)."""

    kind: str
    arguments: tuple[str, ...]
    body: bytes

    def argument_bytes(self, index: int, length: int) -> bytes:
        """Argument `index`, which must be the canonical Base 64 of `length` bytes."""
        try:
            raw = base64.decode(self.arguments[index].encode("ascii"))
        except ValueError:
            raw = b""
        if len(raw) != length:
            raise MalformedError(Part.HEADER, f"Argument {index + 1} of a {self.kind} stanza is malformed.")
        return raw

    def check(self, arguments: int) -> None:
        """Raises MalformedError unless there are so many arguments and a body as long as a wrapped file key.

        The body is measured before anything is decrypted: a longer one could hold a plaintext that
        opens under several keys, which tells a sender who holds which (age.md, "partitioning oracle").
        """
        if len(self.arguments) != arguments:
            raise MalformedError(Part.HEADER, f"A {self.kind} stanza has the wrong number of arguments.")
        if len(self.body) != WRAPPED_KEY_LENGTH:
            raise MalformedError(Part.HEADER, f"A {self.kind} stanza holds something that is no file key.")


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says: its stanzas, and the MAC over the bytes that it covers."""

    stanzas: tuple[Stanza, ...]
    covered: bytes
    mac: bytes

    def made_with(self, file_key: bytes) -> bool:
        """Whether the MAC is the one that `file_key` gives, compared in constant time."""
        return hmac.compare_digest(self.mac, _mac(file_key, self.covered))


def write_header(stanzas: Sequence[Stanza], file_key: bytes) -> bytes:
    """The header that carries `stanzas`, up to and including the line feed after its MAC."""
    lines = [_VERSION_LINE]
    for stanza in stanzas:
        lines.append(b"-> " + " ".join((stanza.kind, *stanza.arguments)).encode("ascii"))
        body = base64.encode(stanza.body)
        # The last line is always shorter than the others, so it is empty when the body fills its lines.
        lines += [body[start : start + _COLUMNS] for start in range(0, len(body) + 1, _COLUMNS)]
    covered = b"\n".join([*lines, _MAC_MARK])
    if len(covered) > HEADER_LIMIT - _COLUMNS:
        raise ValueError("so many recipients do not fit into one header")
    return covered + b" " + base64.encode(_mac(file_key, covered)) + b"\n"


class HeaderReader:
    """Reads one header line by line, from pieces of any size.

    `feed` returns None until the header is complete, then the bytes that came after it.
    """

    def __init__(self) -> None:
        self._raw = bytearray()
        self._line_start = 0
        self._scanned = 0
        self._stanzas: list[Stanza] = []
        self._opening: list[str] | None = None  # arguments of the stanza whose body is being read
        self._body = bytearray()  # Base 64, joined
        self._mac: bytes | None = None

    def feed(self, piece: bytes) -> bytes | None:
        """Take `piece`; raises MalformedError at the first line that is not as age.md has it."""
        self._raw += piece
        while (end := self._raw.find(b"\n", self._scanned)) >= 0 and end < HEADER_LIMIT:
            line, start = bytes(self._raw[self._line_start : end]), self._line_start
            self._line_start = self._scanned = end + 1
            self._read(line, is_first=start == 0)
            if self._mac is not None:
                rest = bytes(self._raw[end + 1 :])
                del self._raw[start + len(_MAC_MARK) :]
                return rest
        self._scanned = len(self._raw)
        if len(self._raw) > HEADER_LIMIT:
            raise _malformed("The header does not end.")
        return None

    @property
    def header(self) -> Header:
        """The header, once `feed` has returned what came after it."""
        if self._mac is None:
            raise _malformed("The file ends inside its header.")
        return Header(tuple(self._stanzas), bytes(self._raw), self._mac)

    def _read(self, line: bytes, *, is_first: bool) -> None:
        if is_first:
            if line != _VERSION_LINE:
                raise _malformed("This is not an age file of version 1.")
        elif self._opening is not None:
            self._read_body_line(line)
        elif line.startswith(b"-> "):
            self._opening = [_argument(word) for word in line[3:].split(b" ")]
        elif line.startswith(_MAC_MARK) and self._stanzas:
            self._mac = _mac_from(line)
        else:
            raise _malformed("A header line is neither a stanza nor a MAC.")

    def _read_body_line(self, line: bytes) -> None:
        if len(line) > _COLUMNS:
            raise _malformed("A stanza line is too long.")
        self._body += line
        if len(line) < _COLUMNS and self._opening is not None:
            try:
                body = base64.decode(bytes(self._body))
            except ValueError:
                raise _malformed("A stanza body is not canonical Base 64.") from None
            self._stanzas.append(Stanza(self._opening[0], tuple(self._opening[1:]), body))
            self._opening = None
            self._body.clear()


def _argument(word: bytes) -> str:
    """A stanza argument: one or more visible ASCII signs (VCHAR)."""
    if not _VCHARS.fullmatch(word):
        raise _malformed("A stanza argument is empty or has a sign that does not belong there.")
    return word.decode("ascii")


def _mac_from(line: bytes) -> bytes:
    mark, _, text = line.partition(b" ")
    try:
        mac = base64.decode(text)
    except ValueError:
        mac = b""
    if mark != _MAC_MARK or len(mac) != _MAC_LENGTH:
        raise _malformed("The header's MAC is malformed.")
    return mac


def _mac(file_key: bytes, covered: bytes) -> bytes:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"header").derive(file_key)
    return hmac.digest(key, covered, "sha256")


def _malformed(sentence: str) -> MalformedError:
    return MalformedError(Part.HEADER, sentence)
