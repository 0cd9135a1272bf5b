"""Backups in an S3 bucket: whole or not there, no older than asked, with the ledger beside them."""

import urllib.request
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import obstore
import pytest
from moto.server import ThreadedMotoServer

from admin.backup_places import Bucket, opened
from storage.blobs import BlobPlaceError, UnavailableBlobsError, bucket
from storage.erasures import Ledger
from storage.errors import BackupError
from tests.admin.backing import HOUR, Store, opened_store

KEYS = {"region": "us-east-1", "access_key_id": "invented", "secret_access_key": "an invented secret"}


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 service on this machine, with a bucket "bucket"."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    request = urllib.request.Request(f"http://{host}:{port}/bucket", method="PUT")
    urllib.request.urlopen(request, timeout=10).close()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def where(s3: str, tmp_path: Path) -> tuple[str, dict[str, str]]:
    return f"s3://bucket/{tmp_path.name}", KEYS | {"endpoint": s3}


@pytest.fixture
async def store(fresh_database: Any, tmp_path: Path) -> AsyncIterator[Store]:
    async with opened_store(fresh_database, tmp_path, datetime.now(UTC)) as one:
        await one.takes("about Olenka", bytes(20 << 20))
        yield one


def names(where: tuple[str, dict[str, str]]) -> list[str]:
    return sorted(found["path"] for page in obstore.list(bucket(*where)) for found in page)


async def test_a_backup_there_is_the_same_file(
    store: Store, where: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    place = opened(*where)
    assert isinstance(place, Bucket)
    made = await store.backs_up(to=place)
    assert names(where) == [made.name, "erasures.ndjson"]
    file = tmp_path / "downloaded.age"
    file.write_bytes(bytes(obstore.get(bucket(*where), made.name).bytes()))
    checked = store.checks(file)
    assert (checked.sha256, file.stat().st_size) == (made.sha256, made.size)
    with pytest.raises(BackupError, match="one backup an hour"):
        await store.backs_up(to=place)


async def test_one_that_fails_is_not_there_and_older_ones_stay(
    store: Store, where: tuple[str, dict[str, str]]
) -> None:
    first = await store.backs_up(to=opened(*where))
    blob = await store.superuser.fetchval("SELECT blob FROM files")
    path = store.folder / "blobs" / blob[:2] / blob
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BackupError, match="is not what its row says"):
        await store.backs_up(to=opened(*where), at=store.now + 1000 * HOUR)
    assert names(where) == [first.name, "erasures.ndjson"]


async def test_older_ones_go_and_the_ledger_only_grows(
    store: Store, where: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    gone = (await store.takes("goes")).report
    first = await store.backs_up(to=opened(*where))
    await store.shreds(gone)
    second = await store.backs_up(to=opened(*where), at=store.now + 31 * 24 * HOUR)
    assert second.removed == [first.name]
    (store.folder / "ledger" / "erasures.ndjson").unlink()  # the machine's own is lost
    other = (await store.takes("goes too")).report
    await store.shreds(other)
    await store.superuser.execute("DELETE FROM reports WHERE id = $1", gone)
    await store.backs_up(to=opened(*where), at=store.now + 32 * 24 * HOUR)
    copy = tmp_path / "copy.ndjson"
    copy.write_bytes(bytes(obstore.get(bucket(*where), "erasures.ndjson").bytes()))
    assert set(Ledger(copy).read()) == {gone, other}
    assert len(names(where)) == 3


async def test_a_service_that_is_away_is_told(store: Store, unused_tcp_port: int) -> None:
    away = opened("s3://bucket/x", KEYS | {"endpoint": f"http://127.0.0.1:{unused_tcp_port}"})
    with pytest.raises(UnavailableBlobsError):
        await store.backs_up(to=away)
    with pytest.raises(BlobPlaceError):
        opened("ftp://example.org/x", {})
