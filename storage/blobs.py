"""Blobs: complete or absent, named at random, sealed before they come here, never changed.

    stored = await blobs.put(chunks)            # on disk, or with S3, when this returns
    async for chunk in blobs.get(stored.name): ...

A row may name a blob as soon as `put` has returned. A put that fails leaves none; one that was cut short
by the end of the process may leave a blob without a row, which the sweeper finds by `list_older_than`.

BlobError
├── BlobPlaceError          the setting names no place that blobs can be kept in
├── BlobNameError           a name that `put` never gave
├── MissingBlobError        no such blob
└── UnavailableBlobsError   the disk or the S3 service failed; later it may work
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import sys
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping
    from typing import Self

    from obstore import AsyncWritableFile
    from obstore.store import ObjectStore

READ_CHUNK = 256 * 1024  # bytes
PART = 5 * 1024 * 1024  # bytes; the least that S3 takes as a part. At most three are in memory
_NAME = re.compile(r"[0-9a-f]{32}")
_UNFINISHED = re.compile(r"[0-9a-f]{32}#[0-9]+")  # how obstore's local store names what is being written
_SHARDS = tuple(f"{number:02x}" for number in range(256))
_PATIENCE = {"max_retries": 4, "retry_timeout": timedelta(seconds=30)}


class BlobError(StorageError):
    """A blob could not be kept or read."""


class BlobPlaceError(BlobError):
    """The setting names no place that blobs can be kept in."""


class BlobNameError(BlobError):
    """This is not the name of a blob."""


class MissingBlobError(BlobError):
    """There is no such blob."""


class UnavailableBlobsError(BlobError):
    """The place of the blobs does not work at the moment."""


@dataclass(frozen=True)
class Stored:
    """A complete blob: its name (32 hex digits), length in bytes, and SHA-256 of its bytes as they came."""

    name: str
    size: int
    sha256: bytes


class Blobs:
    """One place of blobs: a folder, or a prefix of an S3 bucket."""

    def __init__(self, store: ObjectStore, folder: Path | None = None) -> None:
        """Use `Blobs.open`; `folder` is where `store` keeps its files, if it is a folder."""
        self._store = store
        self._folder = folder

    @classmethod
    def open(cls, place: str, settings: Mapping[str, str] | None = None) -> Self:
        """The blobs at `place`: a folder, made if need be, or `s3://bucket/prefix`.

        `settings` are S3's: `endpoint`, `region`, `access_key_id`, `secret_access_key` and so on.
        Raises BlobPlaceError.
        """
        if "://" not in place:
            return cls._open_folder(Path(place).absolute())
        return cls(bucket(place, settings))

    @classmethod
    def _open_folder(cls, folder: Path) -> Self:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for shard in _SHARDS:  # all now, so that a put has no new folder to sync
                (folder / shard).mkdir(mode=0o700, exist_ok=True)
            _sync(folder)
        except OSError as error:
            raise BlobPlaceError(f"{folder} cannot be the folder of blobs: {error.strerror}.") from None
        return cls(LocalStore(folder), folder)

    async def put(self, chunks: AsyncIterable[bytes], name: str | None = None) -> Stored:
        """Keep what `chunks` yields under a new name, in constant memory; durable when this returns.

        A restore gives the `name` that the blob had. Raises UnavailableBlobsError, or whatever `chunks` raises; then
        no blob is left.
        """
        name = name or uuid.uuid4().hex
        digest, size = hashlib.sha256(), 0
        async with self._writing(name) as writer:
            async for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                with told_as_ours():
                    await writer.write(chunk)
        return Stored(name, size, digest.digest())

    @contextlib.asynccontextmanager
    async def _writing(self, name: str) -> AsyncIterator[AsyncWritableFile]:
        """A file that is complete and durable when its block ends, and dropped when that fails."""
        writer = obstore.open_writer_async(self._store, _path(name), buffer_size=PART, max_concurrency=2)
        try:
            yield writer
        except BaseException:
            await writer.__aexit__(*sys.exc_info())  # left so, it drops what it has
            raise
        try:
            with told_as_ours():
                await writer.close()
                if self._folder is not None:
                    await asyncio.to_thread(_sync_file, self._folder / _path(name))
        except BaseException:
            with contextlib.suppress(BlobError):
                await self.delete(name)
            raise

    async def get(self, name: str) -> AsyncIterator[bytes]:
        """The blob's bytes in order, in chunks of about 256 KiB.

        Raises MissingBlobError before the first chunk, UnavailableBlobsError at any.
        """
        path = _path(name)
        with told_as_ours():
            found = await obstore.get_async(self._store, path)
            async for chunk in found.stream(min_chunk_size=READ_CHUNK):
                yield bytes(chunk)

    async def delete(self, name: str) -> None:
        """Remove a blob; one that is not there is as good as removed. Raises UnavailableBlobsError."""
        path = _path(name)
        with contextlib.suppress(MissingBlobError), told_as_ours():
            await obstore.delete_async(self._store, path)
            if self._folder is not None:
                await asyncio.to_thread(_sync, (self._folder / path).parent)

    async def list_older_than(self, moment: datetime) -> AsyncIterator[tuple[str, datetime]]:
        """Name and time (UTC) of every blob last written before `moment`, in no order."""
        with told_as_ours():
            async for page in obstore.list(self._store):
                for found in page:
                    name = found["path"].rpartition("/")[2]
                    ours = _NAME.fullmatch(name) and found["path"] == _path(name)
                    if ours and found["last_modified"] < moment:
                        yield name, found["last_modified"]

    async def clear_unfinished(self, moment: datetime) -> int:
        """Remove what puts that never ended left in the folder before `moment`; how many there were.

        With S3 that is a lifecycle rule of the bucket (AbortIncompleteMultipartUpload).
        """
        return 0 if self._folder is None else await asyncio.to_thread(_clear, self._folder, moment)


def bucket(place: str, settings: Mapping[str, str] | None = None) -> S3Store:
    """What is kept at `s3://bucket/prefix`, of blobs or of anything else. Raises BlobPlaceError."""
    if not place.startswith("s3://"):
        raise BlobPlaceError("Blobs are kept in a folder or at s3://bucket/prefix.")
    settings = dict(settings or {})
    plain = settings.get("endpoint", "").startswith("http://")
    try:
        return S3Store.from_url(
            place,
            config=settings,  # type: ignore[arg-type]  # the keys come from the operator; obstore checks them
            client_options={"allow_http": plain, "connect_timeout": "5s", "timeout": "60s"},
            retry_config=_PATIENCE,  # type: ignore[arg-type]
        )
    except (BaseError, ValueError):
        # The cause may repeat values, and one of them is a secret.
        raise BlobPlaceError(
            f"The S3 settings ({', '.join(settings) or 'none'}) are not understood for that address."
        ) from None


def _path(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BlobNameError("This is not the name of a blob.")
    return f"{name[:2]}/{name}"


@contextlib.contextmanager
def told_as_ours() -> Iterator[None]:
    """Turn the store's errors into ours; their texts repeat what the service answered, so they go."""
    try:
        yield
    except FileNotFoundError:
        raise MissingBlobError("There is no such blob.") from None
    except (BaseError, OSError) as error:
        raise UnavailableBlobsError(f"The place of the blobs failed ({type(error).__name__}).") from None


def _sync_file(path: Path) -> None:
    """The local store of obstore leaves its files in the page cache: a power cut would lose them."""
    _sync(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _clear(folder: Path, moment: datetime) -> int:
    cleared = 0
    for shard in _SHARDS:
        for file in (folder / shard).iterdir():
            with contextlib.suppress(FileNotFoundError):  # a put that ended just now
                written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
                if _UNFINISHED.fullmatch(file.name) and written < moment:
                    file.unlink()
                    cleared += 1
    return cleared
