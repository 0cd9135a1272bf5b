"""The format of a backup: an ordinary age file that holds an ordinary tar, which says itself whether it is whole.

    head.json                     what this is, and how many rows and sealed files it holds
    tables/NAME/000000.copy …     each table's rows as PostgreSQL's COPY writes them (text), in pieces
    blobs/NAME                    each sealed file that a row of `files` names, in the order of the rows
    absent/NAME                   …or, in its place, why there is none
    SHA256SUMS                    of every member before it, as `sha256sum -c` reads them
    tail.json                     the SHA-256 of SHA256SUMS, and how many members

So `age -d -i recovery.txt FILE | tar x && sha256sum -c SHA256SUMS` opens and checks one without this program.
Nothing is believed until `Reader.end` has returned. Memory stays constant: lists that grow are files.
"""

import hashlib
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import IO, BinaryIO

from pydantic import ValidationError

from seal import (
    HybridIdentity,
    HybridRecipient,
    MalformedError,
    Opener,
    Part,
    Sealer,
    SealError,
    WrongKeyError,
)
from seal.streams import read_steps, through
from storage.backups import Absent, Head, Tail
from storage.errors import BackupError

PIECE = 1 << 20  # bytes of a table in one member, or a little more: whole rows
_BLOCK = tarfile.BLOCKSIZE
_MAX_JSON = 1 << 20  # bytes of head, tail or note
_SUMS = "SHA256SUMS"

# ---- writing ------------------------------------------------------------------------------------------


class Writer:
    """Members are added in the order of the format; `out` gets the sealed bytes as they come."""

    def __init__(self, to: HybridRecipient, out: Callable[[bytes], None]) -> None:
        self._sealer = Sealer([to])
        self._out = out
        self._sums: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._members = 0
        self._name, self._left, self._padding = "", 0, 0
        self._hash = hashlib.sha256()

    def add(self, name: str, content: bytes) -> None:
        """A whole member."""
        self.begin(name, len(content))
        self.write(content)
        self.end()

    def begin(self, name: str, size: int) -> None:
        """A member that comes in pieces, `size` bytes together."""
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        self._name, self._left, self._hash = name, size, hashlib.sha256()
        self._push(info.tobuf(tarfile.GNU_FORMAT, "ascii", "strict"))
        self._padding = -size % _BLOCK

    def write(self, piece: bytes) -> None:
        """The next piece. BackupError when it is more than was said."""
        self._left -= len(piece)
        if self._left < 0:
            raise BackupError("a sealed file is longer than its row says")
        self._hash.update(piece)
        self._push(piece)

    def end(self) -> bytes:
        """The member is whole; its SHA-256. BackupError when it is less than was said."""
        if self._left:
            raise BackupError("a sealed file is shorter than its row says")
        self._push(bytes(self._padding))
        self._sums.write(f"{self._hash.hexdigest()}  {self._name}\n".encode())
        self._members += 1
        return self._hash.digest()

    def finish(self) -> None:
        """Sums, tail, and the end of tar and age file."""
        size = self._sums.tell()
        self._sums.seek(0)
        self.begin(_SUMS, size)
        sums = self._hash
        for piece in read_steps(self._sums):  # type: ignore[arg-type]  # a temporary file is a binary file
            self.write(piece)
        self._push(bytes(self._padding))
        self.add("tail.json", Tail(sha256sums=sums.hexdigest(), members=self._members).to_bytes())
        self._push(bytes(2 * _BLOCK))
        self._out(self._sealer.finish())

    def close(self) -> None:
        """Whether it was finished or not."""
        self._sums.close()

    def _push(self, data: bytes) -> None:
        if sealed := self._sealer.update(data):
            self._out(sealed)


class Pieces:
    """Rows of one table, as COPY brings them, added as members of about `PIECE` bytes."""

    def __init__(self, writer: Writer, table: str) -> None:
        self._writer, self._table = writer, table
        self._rows: list[bytes] = []
        self._size = self._number = 0

    async def take(self, rows: bytes) -> None:
        """Some rows more."""
        self._rows.append(bytes(rows))
        self._size += len(rows)
        if self._size >= PIECE:
            self.flush()

    def flush(self) -> None:
        """What waits becomes a member."""
        if self._rows:
            self._writer.add(f"tables/{self._table}/{self._number:06}.copy", b"".join(self._rows))
            self._rows, self._size, self._number = [], 0, self._number + 1


# ---- reading ------------------------------------------------------------------------------------------


def opened(file: BinaryIO, identity: HybridIdentity, seen: Callable[[bytes], None]) -> Iterator[bytes]:
    """The tar inside a backup; `seen` gets the file's own bytes. Raises BackupError, each fault in its own words."""

    def steps() -> Iterator[bytes]:
        for step in read_steps(file):
            seen(step)
            yield step

    try:
        yield from through(Opener([identity]), steps())
    except WrongKeyError:
        raise BackupError("This recovery identity does not open the file: it is sealed to another.") from None
    except MalformedError as error:
        if error.part in (Part.HEADER, Part.ARMOR):
            raise BackupError("This is not a backup, or its beginning is missing or changed.") from None
        raise BackupError("The backup is not whole: it was cut off, or changed.") from None
    except SealError:
        raise BackupError("The backup is not whole: it was cut off, changed, or added to.") from None


class Reader:
    """What a backup holds, in its order: head, each table of it, the blobs, then `end`. Raises BackupError."""

    def __init__(self, plain: Iterable[bytes]) -> None:
        self._pieces = iter(plain)
        self._buffer = b""
        self._sums = hashlib.sha256()
        self._count = 0
        self._name, self._size = self._next()
        if self._name != "head.json":
            raise BackupError("This file is sealed to recovery, but it is not a backup.")
        try:
            self.head = Head.model_validate_json(self._small())
        except ValidationError:
            raise BackupError("This backup is of a format that this version does not read.") from None

    def table(self, name: str) -> Iterator[bytes]:
        """The rows of the next table, in pieces that end where rows end."""
        number = 0
        while self._name == f"tables/{name}/{number:06}.copy":
            yield b"".join(self._content())
            number += 1

    def blobs(self) -> Iterator[tuple[str, Absent | Iterator[bytes]]]:
        """Each blob's name, with its bytes, which are to be read to their end, or why there is none."""
        while True:
            kind, _, name = self._name.partition("/")
            if kind == "blobs":
                yield name, self._content()
            elif kind == "absent":
                try:
                    yield name, Absent.model_validate_json(self._small())
                except ValidationError:
                    raise _damaged() from None
            else:
                return

    def end(self) -> None:
        """Sums and tail are there and right, and nothing comes after them."""
        expected, members = self._sums.hexdigest(), self._count
        found = hashlib.sha256()
        if self._name != _SUMS:
            raise _damaged()
        for piece in self._content(counted=False):
            found.update(piece)
        if self._name != "tail.json":
            raise _damaged()
        try:
            tail = Tail.model_validate_json(self._small())
        except ValidationError:
            raise _damaged() from None
        if not tail.sha256sums == found.hexdigest() == expected or tail.members != members:
            raise BackupError("The backup is not what it was: a part of it is missing or changed.")
        if self._name or self._buffer or any(self._pieces):
            raise BackupError("Something was added after the end of the backup.")

    def _small(self) -> bytes:
        if self._size > _MAX_JSON:
            raise _damaged()
        return b"".join(self._content())

    def _content(self, *, counted: bool = True) -> Iterator[bytes]:
        """The member's bytes; then the next one's head is read."""
        name, left, content = self._name, self._size, hashlib.sha256()
        padding = -left % _BLOCK
        while left:
            piece = self._read(left)
            left -= len(piece)
            content.update(piece)
            yield piece
        self._exactly(padding)
        if counted:
            self._sums.update(f"{content.hexdigest()}  {name}\n".encode())
            self._count += 1
        self._name, self._size = self._next()

    def _next(self) -> tuple[str, int]:
        """Name and size of the next member; "" at the end of the tar."""
        block = self._exactly(_BLOCK)
        if not any(block):
            if any(self._exactly(_BLOCK)):
                raise _damaged()
            return "", 0
        try:
            info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        except (tarfile.HeaderError, UnicodeDecodeError):
            raise _damaged() from None
        if not info.isreg():
            raise _damaged()
        return info.name, info.size

    def _read(self, at_most: int) -> bytes:
        """Some bytes, at least one."""
        while not self._buffer:
            piece = next(self._pieces, None)
            if piece is None:
                raise _damaged()
            self._buffer = piece
        piece, self._buffer = self._buffer[:at_most], self._buffer[at_most:]
        return piece

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            found += self._read(size - len(found))
        return found


def _damaged() -> BackupError:
    return BackupError("The backup is not whole: a part of it is missing or changed.")
