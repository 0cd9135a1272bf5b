"""Where backups are kept: a folder or an S3 bucket; what stands there under a backup's name is whole.

with place.written(name) as out:    # appears when the block has ended well, and all of it is kept
out.write(b"…")
place.copy_ledger(ledger)
place.expire(now - keep)            # names of those that were removed
"""

import contextlib
import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import obstore
from obstore.store import S3Store

from storage import blobs, custody, erasures
from storage.blobs import MissingBlobError
from storage.erasures import Ledger
from storage.errors import BackupError

_NAME = re.compile(r"dodomu-([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2})\.age")
_HOUR = "%Y-%m-%dT%H"
_FORGOTTEN_AFTER = timedelta(days=1)  # what a backup that was cut off leaves in a folder
_PART = 16 * 1024 * 1024  # bytes; S3 takes 10,000 parts: backups of up to 160 GB
_PARTS_AT_ONCE = 2


class Counted:
    """What is being written, and the SHA-256 and length of what went into it."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        """The next bytes."""
        self._write(data)
        self._hash.update(data)
        self.size += len(data)

    def digest(self) -> bytes:
        """The SHA-256 of all so far."""
        return self._hash.digest()


class Place(Protocol):
    """A folder or a bucket. What fails raises BackupError, LedgerError or BlobError."""

    def written(self, name: str) -> contextlib.AbstractContextManager[Counted]:
        """A backup that stands under its name only when all of it is kept."""
        ...

    def copy_ledger(self, ledger: Ledger) -> None:
        """The ledger of erasures beside the backups has what this one has, and what it had."""
        ...

    def expire(self, before: datetime) -> list[str]:
        """Removes the backups of the hours before that moment; their names."""
        ...


def opened(to: str, s3: Mapping[str, str]) -> Place:
    """The place at a path or at `s3://bucket/prefix`. Raises BlobPlaceError."""
    return Bucket(blobs.bucket(to, s3)) if "://" in to else Folder(Path(to))


def name_of(now: datetime) -> str:
    """A backup's name says its hour, and no more."""
    return f"dodomu-{custody.hour(now):{_HOUR}}.age"


def _is_older(name: str, before: datetime) -> bool:
    ours = _NAME.fullmatch(name)
    return ours is not None and datetime.strptime(ours[1], _HOUR).replace(tzinfo=UTC) < before


def _there_already(name: str) -> BackupError:
    return BackupError(f"{name} is there already: one backup an hour, and none is overwritten.")


class Folder:
    """A folder that is there: it may be where a disk is mounted, so none is made."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def written(self, name: str) -> Iterator[Counted]:
        """Under a name that begins with a dot, brought to the disk, renamed."""
        if not self.path.is_dir():
            raise BackupError(f"There is no folder {self.path}. Is its disk mounted?")
        path, draft = self.path / name, self.path / f".{name}.{os.getpid()}.part"
        if path.exists():
            raise _there_already(name)
        with self._told():
            file = open(draft, "xb", opener=_private)  # noqa: SIM115 - closed below, however this ends

        def write(data: bytes) -> None:
            with self._told():
                file.write(data)

        try:
            with contextlib.closing(file):
                yield Counted(write)
                with self._told():
                    file.flush()
                    os.fsync(file.fileno())
            with self._told():
                draft.rename(path)
                erasures.sync_folder(self.path)
        finally:
            draft.unlink(missing_ok=True)

    def copy_ledger(self, ledger: Ledger) -> None:
        """`erasures.ndjson` beside the backups."""
        Ledger(self.path / erasures.NAME).add(ledger.read().items())

    def expire(self, before: datetime) -> list[str]:
        """What a cut-off backup left goes too."""
        gone = []
        with self._told():
            for file in sorted(self.path.iterdir()):
                if _is_older(file.name, before):
                    file.unlink()
                    gone.append(file.name)
                elif file.name.startswith(".dodomu-") and file.name.endswith(".part"):
                    written_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
                    if datetime.now(UTC) - written_at > _FORGOTTEN_AFTER:
                        file.unlink(missing_ok=True)
            erasures.sync_folder(self.path)
        return gone

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BackupError(f"The backup cannot be written to {self.path}: {error.strerror}.") from None


class Bucket:
    """A prefix of an S3 bucket. An upload that does not end leaves no object."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    @contextlib.contextmanager
    def written(self, name: str) -> Iterator[Counted]:
        """In parts that become an object together."""
        with contextlib.suppress(MissingBlobError), blobs.told_as_ours():
            obstore.head(self._store, name)
            raise _there_already(name)
        writer = obstore.open_writer(self._store, name, buffer_size=_PART, max_concurrency=_PARTS_AT_ONCE)

        def write(data: bytes) -> None:
            with blobs.told_as_ours():
                writer.write(data)

        try:
            yield Counted(write)
        except BaseException:
            writer.__exit__(*sys.exc_info())  # left so, it drops what it has
            raise
        with blobs.told_as_ours():
            writer.close()

    def copy_ledger(self, ledger: Ledger) -> None:
        """`erasures.ndjson` beside the backups."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / erasures.NAME
            with contextlib.suppress(MissingBlobError), blobs.told_as_ours():
                path.write_bytes(bytes(obstore.get(self._store, erasures.NAME).bytes()))
            Ledger(path).add(ledger.read().items())
            with blobs.told_as_ours():
                obstore.put(self._store, erasures.NAME, path.read_bytes())

    def expire(self, before: datetime) -> list[str]:
        """The bucket's own rules may hold them longer."""
        with blobs.told_as_ours():
            names = [found["path"] for page in obstore.list(self._store) for found in page]
            gone = sorted(name for name in names if _is_older(name, before))
            for name in gone:
                obstore.delete(self._store, name)
        return gone


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
