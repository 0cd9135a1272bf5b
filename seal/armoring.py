"""Armor is one exact text for one file, so that it cannot be changed unseen: strict PEM (RFC 7468, 3).

age.md, "ASCII armor": label "AGE ENCRYPTED FILE", 64 columns, padded canonical Base 64. White space before
and after is let through, and CRLF for LF; nothing else is.
"""

import binascii

from seal.errors import MalformedError, Part

BEGIN = b"-----BEGIN AGE ENCRYPTED FILE-----"
END = b"-----END AGE ENCRYPTED FILE-----"

_LINE = 48  # bytes of the file in a full line
_WHITESPACE_LIMIT = 1024  # bytes before and after
_WHITESPACE = b" \t\r\n\v\f"


def armor(sealed: bytes) -> bytes:
    """The armored text of a whole file."""
    armorer = Armorer()
    return armorer.update(sealed) + armorer.finish()


def dearmor(text: bytes) -> bytes:
    """The file inside an armored text; raises MalformedError unless it is exactly one such text."""
    dearmorer = Dearmorer()
    return dearmorer.update(text) + dearmorer.finish()


class Armorer:
    """Armors what it is fed; keeps less than a line."""

    def __init__(self) -> None:
        self._pending = b""
        self._begin = BEGIN + b"\n"

    def update(self, data: bytes | bytearray | memoryview) -> bytes:
        """The lines that are now full."""
        data = self._pending + data
        whole = len(data) // _LINE * _LINE
        self._pending = data[whole:]
        lines = [binascii.b2a_base64(data[start : start + _LINE]) for start in range(0, whole, _LINE)]
        begin, self._begin = self._begin, b""
        return begin + b"".join(lines)

    def finish(self) -> bytes:
        """The last line, if it is not empty, and the end."""
        last = binascii.b2a_base64(self._pending) if self._pending else b""
        return self._begin + last + END + b"\n"


class Dearmorer:
    """Reads an armored text from pieces of any size; keeps less than a line."""

    def __init__(self) -> None:
        self._pending = b""
        self._read = self._read_begin
        self._whitespace = 0

    def update(self, text: bytes | bytearray | memoryview) -> bytes:
        """The bytes of the lines that are now complete; raises MalformedError at the first wrong line."""
        *lines, self._pending = (self._pending + text).split(b"\n")
        opened = b"".join([self._read(line) for line in lines])
        if len(self._pending) > _WHITESPACE_LIMIT:
            raise _malformed("A line of the armor is too long.")
        return opened

    def finish(self) -> bytes:
        """What an unterminated last line held; raises MalformedError if the text ends before its end line."""
        opened = self._read(self._pending)
        if self._read != self._read_after:
            raise _malformed("The armored text ends before its end line.")
        return opened

    def _read_begin(self, line: bytes) -> bytes:
        if line.strip(_WHITESPACE):
            if line.removesuffix(b"\r") != BEGIN:
                raise _malformed("This is neither an age file nor an armored one.")
            self._read = self._read_body
        else:
            self._count_whitespace(line)
        return b""

    def _read_body(self, line: bytes) -> bytes:
        line = line.removesuffix(b"\r")
        if line == END:
            return self._end()
        try:
            raw = binascii.a2b_base64(line)
        except ValueError:
            raw = b""
        # The decoder skips what it does not know; only the one canonical line survives this comparison.
        if not raw or len(raw) > _LINE or binascii.b2a_base64(raw, newline=False) != line:
            raise _malformed("A line of the armor is malformed.")
        if len(raw) < _LINE:
            self._read = self._read_end
        return raw

    def _read_end(self, line: bytes) -> bytes:
        if line.removesuffix(b"\r") != END:
            raise _malformed("The armor goes on after its last line.")
        return self._end()

    def _end(self) -> bytes:
        self._whitespace = 0
        self._read = self._read_after
        return b""

    def _read_after(self, line: bytes) -> bytes:
        if line.strip(_WHITESPACE):
            raise _malformed("There is something after the armored text.")
        self._count_whitespace(line)
        return b""

    def _count_whitespace(self, line: bytes) -> None:
        self._whitespace += len(line) + 1
        if self._whitespace > _WHITESPACE_LIMIT:
            raise _malformed("There is too much white space around the armored text.")


def _malformed(sentence: str) -> MalformedError:
    return MalformedError(Part.ARMOR, sentence)
