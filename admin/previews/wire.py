"""What maker and child say to each other, byte for byte; nothing else crosses between them.

Request, on the child's standard input: one header of fixed size (`Request`), then the file as chunks, each a
big-endian 32-bit length and that many bytes, then a length of 0. Answer, on its standard output: one header
of fixed size (`Answer`), then the JPEG, then the end of the stream. The maker trusts no field of an answer.

    PreviewRefused
      .reason: Refusal
"""

import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Self

MIB = 1024 * 1024

_REQUEST = struct.Struct(">4s?QIIQI")
_ANSWER = struct.Struct(">4sB?HHI")
_CHUNK = struct.Struct(">I")
_REQUEST_MAGIC = b"DPQ1"
_ANSWER_MAGIC = b"DPA1"

ANSWER_LENGTH = _ANSWER.size  # bytes
END_OF_FILE = _CHUNK.pack(0)


class Refusal(StrEnum):
    """Why there is no preview. The values are text keys; the order is the wire's: it grows at its end."""

    NEEDS_LINUX = "needs_linux"
    NO_FILTER = "no_filter"  # libseccomp is missing, or the filter did not load or did not hold
    NO_LIMITS = "no_limits"  # the limits could not be set, or root could not be given up
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NOT_A_PICTURE = "not_a_picture"
    TOO_MANY_PIXELS = "too_many_pixels"
    DAMAGED = "damaged"
    OUT_OF_MEMORY = "out_of_memory"
    TOOK_TOO_LONG = "took_too_long"
    FAILED = "failed"  # the child died, or answered what no honest child answers


class PreviewRefused(Exception):  # noqa: N818 - a refusal is an answer, not a fault
    """No preview of this file can be shown; the original can still be downloaded."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


class WireError(Exception):
    """These bytes are not in the protocol between maker and child."""


@dataclass(frozen=True)
class Limits:
    """What one preview may cost. Every limit is met by a refusal, never by a smaller check."""

    max_bytes: int = 64 * MIB  # of the file handed in
    max_pixels: int = 64 * MIB  # of the picture, before anything is decoded; 9,248 × 6,936 phones still pass
    longest_side: int = 1600  # pixels, of the preview
    max_preview_bytes: int = 4 * MIB  # more than 1,600 × 1,600 of noise needs
    memory_bytes: int = 1024 * MIB  # address space of the child
    cpu_s: int = 10
    wall_s: float = 15.0


@dataclass(frozen=True)
class Request:
    """The first thing a child reads: what to make and within which limits."""

    blurred: bool
    max_pixels: int
    longest_side: int
    max_preview_bytes: int
    memory_bytes: int
    cpu_s: int

    @classmethod
    def within(cls, limits: Limits, *, blurred: bool) -> Self:
        """Return the request that asks for a preview within `limits`."""
        return cls(
            blurred=blurred,
            max_pixels=limits.max_pixels,
            longest_side=limits.longest_side,
            max_preview_bytes=limits.max_preview_bytes,
            memory_bytes=limits.memory_bytes,
            cpu_s=limits.cpu_s,
        )

    def pack(self) -> bytes:
        """Return the header's bytes."""
        return _REQUEST.pack(
            _REQUEST_MAGIC,
            self.blurred,
            self.max_pixels,
            self.longest_side,
            self.max_preview_bytes,
            self.memory_bytes,
            self.cpu_s,
        )

    @classmethod
    def read(cls, source: BinaryIO) -> Self:
        """Read one header from `source`. Raise `WireError` if it is not one."""
        head = source.read(_REQUEST.size)
        if len(head) != _REQUEST.size:
            raise WireError("the request ended early")
        magic, *fields = _REQUEST.unpack(head)
        if magic != _REQUEST_MAGIC:
            raise WireError("not a request of this version")
        return cls(*fields)


@dataclass(frozen=True)
class Answer:
    """The head of what a child answers: a refusal, or a JPEG of `length` bytes that follows."""

    refusal: Refusal | None
    partial: bool = False
    width: int = 0  # pixels
    height: int = 0
    length: int = 0  # bytes

    def pack(self) -> bytes:
        """Return the header's bytes, `ANSWER_LENGTH` of them."""
        verdict = 0 if self.refusal is None else 1 + list(Refusal).index(self.refusal)
        return _ANSWER.pack(_ANSWER_MAGIC, verdict, self.partial, self.width, self.height, self.length)

    @classmethod
    def unpack(cls, head: bytes) -> Self:
        """Return the answer in `head` (`ANSWER_LENGTH` bytes). Raise `WireError` if it is none."""
        magic, verdict, partial, width, height, length = _ANSWER.unpack(head)
        if magic != _ANSWER_MAGIC or verdict > len(Refusal):
            raise WireError("not an answer of this version")
        refusal = list(Refusal)[verdict - 1] if verdict else None
        if refusal is not None and (partial or width or height or length):
            raise WireError("a refusal carries nothing")
        return cls(refusal, partial, width, height, length)


def frame(chunk: bytes) -> bytes:
    """Return the length prefix of a chunk; `chunk` is not empty, for an empty one ends the file."""
    return _CHUNK.pack(len(chunk))


def read_file(source: BinaryIO, into: BinaryIO) -> int:
    """Read framed chunks from `source` into `into` up to the end mark; return the number of bytes.

    Raise `WireError` if `source` ends first: a maker that vanished is not a shorter file.
    """
    total = 0
    while True:
        prefix = source.read(_CHUNK.size)
        if len(prefix) != _CHUNK.size:
            raise WireError("the file ended early")
        (length,) = _CHUNK.unpack(prefix)
        if not length:
            return total
        chunk = source.read(length)
        if len(chunk) != length:
            raise WireError("the file ended early")
        into.write(chunk)
        total += length
