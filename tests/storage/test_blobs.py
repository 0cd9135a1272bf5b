"""A folder and an S3 bucket keep the same promises."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import os
import random
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from moto.server import ThreadedMotoServer

from storage.blobs import (
    PART,
    BlobNameError,
    BlobPlaceError,
    Blobs,
    MissingBlobError,
    UnavailableBlobsError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

PROJECT = Path(__file__).parents[2]
TOMORROW = datetime.now(UTC) + timedelta(days=1)
YESTERDAY = datetime.now(UTC) - timedelta(days=1)

# Puts and gets 48 MiB and prints how much memory that took at its peak, in KiB. The peak is the kernel's for this
# address space (VmHWM): `ru_maxrss` also counts what the parent had before exec, and would hide any growth.
BIG = """
import asyncio, json, os, re, sys
from pathlib import Path
from storage.blobs import Blobs

async def chunks(count):
    for number in range(count):
        yield bytes([number]) * 1048576

async def keep_and_read(blobs, count):
    stored = await blobs.put(chunks(count))
    assert stored.size == count * 1048576
    assert sum([len(chunk) async for chunk in blobs.get(stored.name)]) == stored.size

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

async def main():
    blobs = Blobs.open(*json.loads(sys.argv[1]))
    await keep_and_read(blobs, 1)
    before = peak()
    await keep_and_read(blobs, 48)
    print(peak() - before, flush=True)

asyncio.run(main())
os._exit(0)  # a thread of obstore's that still lets go of its last answer may abort an interpreter that is ending
"""


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 service on this machine, with a bucket "bucket"."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    ask_s3(f"http://{host}:{port}", "PUT", "bucket")
    yield f"http://{host}:{port}"
    server.stop()


def ask_s3(endpoint: str, method: str, path: str) -> str:
    request = urllib.request.Request(f"{endpoint}/{path}", method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def settings(endpoint: str) -> dict[str, str]:
    return {
        "endpoint": endpoint,
        "region": "us-east-1",
        "access_key_id": "invented",
        "secret_access_key": "an invented secret",
    }


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, dict[str, str]]:
    if request.param == "folder":
        return str(tmp_path / "blobs"), {}
    return f"s3://bucket/{tmp_path.name}", settings(request.getfixturevalue("s3"))


@pytest.fixture
def blobs(place: tuple[str, dict[str, str]]) -> Blobs:
    return Blobs.open(*place)


@pytest.fixture
def folder(tmp_path: Path) -> Blobs:
    return Blobs.open(str(tmp_path / "blobs"))


@pytest.fixture
def leftovers(place: tuple[str, dict[str, str]]) -> Callable[[], bool]:
    """Whether the place itself holds anything at all, finished or not."""

    def look() -> bool:
        where, keys = place
        if not keys:
            return bool(files(Path(where)))
        prefix = where.removeprefix("s3://bucket/")
        objects = ask_s3(keys["endpoint"], "GET", f"bucket?list-type=2&prefix={prefix}/")
        return "<Key>" in objects or prefix in ask_s3(keys["endpoint"], "GET", "bucket?uploads")

    return look


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def pieces(data: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def read(blobs: Blobs, name: str) -> bytes:
    return b"".join([chunk async for chunk in blobs.get(name)])


async def names(blobs: Blobs, moment: datetime) -> set[str]:
    return {name async for name, _ in blobs.list_older_than(moment)}


@pytest.mark.parametrize("size", [0, 1, 4096, PART - 1, PART, PART + 1, 3 * PART + 7])
async def test_a_blob_comes_back_as_it_went(size: int, blobs: Blobs) -> None:
    data = random.Random(size).randbytes(size)
    stored = await blobs.put(pieces(data))
    assert (stored.size, stored.sha256) == (size, hashlib.sha256(data).digest())
    assert await read(blobs, stored.name) == data


async def test_the_same_bytes_twice_are_two_blobs(blobs: Blobs) -> None:
    first, second = await blobs.put(pieces(b"sealed")), await blobs.put(pieces(b"sealed"))
    assert first.name != second.name
    assert first.sha256 == second.sha256
    await blobs.delete(first.name)
    assert await read(blobs, second.name) == b"sealed"


async def test_many_at_once_do_not_mix(blobs: Blobs) -> None:
    data = [f"sealed {number}".encode() for number in range(60)]
    stored = await asyncio.gather(*(blobs.put(pieces(one)) for one in data))
    assert [await read(blobs, one.name) for one in stored] == data
    assert await names(blobs, TOMORROW) == {one.name for one in stored}


async def test_what_is_removed_is_gone_and_may_be_removed_again(blobs: Blobs) -> None:
    stored = await blobs.put(pieces(b"sealed"))
    await blobs.delete(stored.name)
    await blobs.delete(stored.name)
    with pytest.raises(MissingBlobError):
        await read(blobs, stored.name)


@pytest.mark.parametrize("size", [0, 10, 3 * PART])
async def test_a_source_that_fails_leaves_nothing(
    size: int, blobs: Blobs, leftovers: Callable[[], bool]
) -> None:
    class ConnectionLostError(OSError):
        pass

    async def breaks() -> AsyncIterator[bytes]:
        async for chunk in pieces(bytes(size)):
            yield chunk
        raise ConnectionLostError

    with pytest.raises(ConnectionLostError):
        await blobs.put(breaks())
    assert not leftovers()


@pytest.mark.parametrize("size", [10, 3 * PART])
async def test_a_put_that_is_cancelled_leaves_nothing(
    size: int, blobs: Blobs, leftovers: Callable[[], bool]
) -> None:
    given = asyncio.Event()

    async def hangs() -> AsyncIterator[bytes]:
        async for chunk in pieces(bytes(size)):
            yield chunk
        given.set()
        await asyncio.Event().wait()

    put = asyncio.create_task(blobs.put(hangs()))
    await given.wait()
    assert await names(blobs, TOMORROW) == set()
    put.cancel()
    with pytest.raises(asyncio.CancelledError):
        await put
    assert not leftovers()


@pytest.mark.parametrize(
    "name",
    ["", "../../../etc/passwd", "0" * 31, "0" * 33, "0" * 32 + "\n", "A" * 32, "0" * 30 + "/.", "é" * 32],
)
async def test_only_names_that_were_given_are_names(name: str, blobs: Blobs) -> None:
    with pytest.raises(BlobNameError):
        await blobs.delete(name)
    with pytest.raises(BlobNameError):
        await read(blobs, name)


async def test_the_sweeper_is_shown_old_blobs_only(blobs: Blobs) -> None:
    stored = await blobs.put(pieces(b"sealed"))
    [(name, modified)] = [found async for found in blobs.list_older_than(TOMORROW)]
    assert name == stored.name
    assert modified.utcoffset() == timedelta(0)
    assert await names(blobs, modified) == set()
    assert await names(blobs, YESTERDAY) == set()


def test_memory_stays_small_however_big_the_blob(place: tuple[str, dict[str, str]]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BIG, json.dumps(place)],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
        timeout=300,  # the S3 service runs in this very process, which may share its processor with many
    )
    assert 0 < int(done.stdout) < 32 * 1024  # KiB: three parts and their way out


async def test_other_files_in_the_folder_are_nobodys(folder: Blobs, tmp_path: Path) -> None:
    (tmp_path / "blobs" / "README").write_text("kept by the operator")
    (tmp_path / "blobs" / "ab" / ("0" * 32)).write_text("in a folder that is not its own")
    assert await names(folder, TOMORROW) == set()


async def test_file_and_folder_are_on_disk_before_the_name_is_told(
    folder: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    really = os.fsync

    def fsync(descriptor: int) -> None:
        really(descriptor)
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    monkeypatch.setattr(os, "fsync", fsync)
    stored = await folder.put(pieces(b"sealed"))
    shard = tmp_path / "blobs" / stored.name[:2]
    assert synced == [shard / stored.name, shard]
    await folder.delete(stored.name)
    assert synced[2:] == [shard]


async def test_a_disk_that_fails_leaves_nothing(
    folder: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(errno.EIO, "the disk is broken")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(UnavailableBlobsError):
        await folder.put(pieces(b"sealed"))
    assert not files(tmp_path)


async def test_what_a_killed_put_left_is_cleared_a_day_later(folder: Blobs, tmp_path: Path) -> None:
    stored = await folder.put(pieces(b"sealed"))
    shard = tmp_path / "blobs" / stored.name[:2]
    old, new = shard / f"{stored.name[:2]}{'0' * 30}#1", shard / f"{stored.name[:2]}{'1' * 30}#2"
    for path in (old, new):
        path.write_bytes(b"half")
    for path in (old, shard / stored.name):
        os.utime(path, (time.time() - 3 * 86400, time.time() - 3 * 86400))
    assert await folder.clear_unfinished(YESTERDAY) == 1
    assert {path.name for path in shard.iterdir()} == {stored.name, new.name}


async def test_a_place_that_is_down_says_so_and_tells_no_secret(unused_tcp_port: int) -> None:
    blobs = Blobs.open("s3://bucket/prefix", settings(f"http://127.0.0.1:{unused_tcp_port}"))
    for failing in (blobs.put(pieces(b"sealed")), read(blobs, "0" * 32), names(blobs, TOMORROW)):
        with pytest.raises(UnavailableBlobsError) as failure:
            await failing
        assert failure.value.__suppress_context__
        assert "invented" not in str(failure.value)


@pytest.mark.parametrize(
    ("place", "keys"),
    [
        ("ftp://somewhere", {}),
        ("s3://", {}),
        ("s3://bucket", {"secret_key_for_all": "an invented secret"}),
        ("/dev/null/blobs", {}),
    ],
)
def test_a_place_that_is_none_is_refused(place: str, keys: dict[str, str]) -> None:
    with pytest.raises(BlobPlaceError) as refusal:
        Blobs.open(place, keys)
    assert "invented" not in str(refusal.value)
