"""A file that is written is there whole or not at all.

The bytes go to a nameless neighbour in the same folder and take the name only once they are on the disk;
so a fault, a full disk or an interruption leaves what stood under the name before, or nothing.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A stream whose bytes stand under `path` after the block ended well; only the owner can read them."""
    if path.exists() and not path.is_file():
        # A device or a pipe: there is nothing to replace.
        with path.open("wb") as stream:
            yield stream
        return
    target = path.resolve()  # a link stays a link
    handle, name = tempfile.mkstemp(prefix=".seal-", dir=target.parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def write_new(path: Path, data: bytes) -> None:
    """Put `data` under `path`, readable by its owner only; raises FileExistsError if the name is taken."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        path.unlink()
        raise
    _sync_folder(path.resolve().parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
