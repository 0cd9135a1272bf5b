"""Whole bytes, binary streams and async iterators: three ways to the same Sealer and Opener.

What is given is taken in steps of `STEP` bytes, so memory stays constant whatever the source hands over.
Plaintext from `open_stream` and `open_chunks` is authentic, and complete only when they end without an error.
"""

import io
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sequence
from typing import BinaryIO, Protocol

from seal.files import Bytes, Opener, Sealer
from seal.keys import Identity, Recipient
from seal.payload import CHUNK

STEP = 4 * CHUNK  # bytes: fits a processor's cache, so that what is moved twice is moved cheaply


class Machine(Protocol):
    """What bytes are pushed through: a Sealer, an Opener, an Armorer or a Dearmorer."""

    def update(self, data: Bytes, /) -> bytes: ...  # noqa: D102 - as the classes say
    def finish(self) -> bytes: ...  # noqa: D102 - as the classes say


def seal_bytes(plaintext: Bytes, recipients: Sequence[Recipient]) -> bytes:
    """The age file of `plaintext`; ValueError if there is no recipient, or a passphrase is one of many."""
    return Sealer(recipients).finish(plaintext)


def open_bytes(ciphertext: Bytes, identities: Sequence[Identity]) -> bytes:
    """The plaintext of a whole age file, armored or not; all of it, or WrongKeyError, TamperedError or
    MalformedError and nothing.
    """
    buffer = io.BytesIO()
    # Made as large as it can get beforehand: growing would copy it again and again.
    buffer.seek(len(ciphertext))
    buffer.write(b"\0")
    buffer.seek(0)
    buffer.writelines(through(Opener(identities), [ciphertext]))
    buffer.truncate()
    return buffer.getvalue()


def seal_stream(src: BinaryIO, dst: BinaryIO, recipients: Sequence[Recipient]) -> None:
    """Seal what `src` holds, to its end, into `dst`. Both are buffered; neither is closed."""
    dst.writelines(through(Sealer(recipients), read_steps(src)))


def open_stream(src: BinaryIO, dst: BinaryIO, identities: Sequence[Identity]) -> None:
    """Open what `src` holds, to its end, into `dst`. On an error `dst` holds a part: do not use it."""
    dst.writelines(through(Opener(identities), read_steps(src)))


async def seal_chunks(source: AsyncIterable[bytes], recipients: Sequence[Recipient]) -> AsyncIterator[bytes]:
    """The sealed file, piece by piece. With a passphrase the first step blocks as long as scrypt takes."""
    sealer = Sealer(recipients)
    async for data in source:
        for piece in _updates(sealer, data):
            yield piece
    yield sealer.finish()


async def open_chunks(source: AsyncIterable[bytes], identities: Sequence[Identity]) -> AsyncIterator[bytes]:
    """The plaintext, piece by piece; complete only when the iteration ends without an error."""
    opener = Opener(identities)
    async for data in source:
        for piece in _updates(opener, data):
            yield piece
    if last := opener.finish():
        yield last


def through(machine: Machine, source: Iterable[Bytes]) -> Iterator[bytes]:
    """What `machine` makes of all that `source` yields, piece by piece."""
    for data in source:
        yield from _updates(machine, data)
    yield machine.finish()


def _updates(machine: Machine, data: Bytes) -> Iterator[bytes]:
    view = memoryview(data)
    for start in range(0, len(view), STEP):
        if piece := machine.update(view[start : start + STEP]):
            yield piece


def read_steps(src: BinaryIO) -> Iterator[bytes]:
    """What `src` still holds, in steps of at most `STEP` bytes."""
    while data := src.read(STEP):
        yield data
