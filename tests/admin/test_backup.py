"""A backup holds one moment whole, while everything goes on, and only what stays; a part never looks finished."""

import asyncio
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admin import keeper as keeping
from seal import open_stream
from storage import backups, custody, database, roles
from storage.errors import BackupError, BadSignatureError
from storage.tables import metadata
from tests.admin.backing import HOUR, Meddling, Store, opened_store

MIB = 1 << 20
NEEDLE = b"Olenka by the river"


@pytest.fixture
async def store(fresh_database: Any, tmp_path: Path) -> AsyncIterator[Store]:
    async with opened_store(fresh_database, tmp_path, datetime.now(UTC)) as one:
        yield one


def meddling(store: Store, happens: Any) -> Meddling:
    blobs = Meddling.open(str(store.folder / "blobs"))
    blobs.happens = happens
    return blobs


async def leaves(store: Store, kind: str) -> list[dict[str, Any]]:
    rows = await store.superuser.fetch("SELECT leaf FROM custody_leaves ORDER BY id")
    return [leaf for row in rows if (leaf := json.loads(row["leaf"]))["kind"] == kind]


def left(store: Store) -> list[str]:
    return sorted(path.name for path in store.backups.iterdir())


# ---- what is in -------------------------------------------------------------------------------------


def test_every_table_is_either_kept_or_never_kept() -> None:
    assert set(metadata.tables) == {*backups.KEPT} | backups.NOT_KEPT
    assert not {*backups.KEPT} & backups.NOT_KEPT
    assert len({*backups.KEPT}) == len(backups.KEPT)


def test_no_row_comes_before_one_that_it_points_to() -> None:
    for place, table in enumerate(backups.KEPT):
        pointed = {key.column.table.name for key in metadata.tables[table].foreign_keys}
        assert pointed <= {*backups.KEPT[: place + 1]}


def test_what_is_erased_with_a_report_is_what_the_database_shreds() -> None:
    migration = Path("storage/migrations/versions/0006_trust_that_survives_people_leaving.py").read_text()
    shredding = migration.partition("CREATE FUNCTION shred_due()")[2].partition("END $$")[0]
    assert {*re.findall(r"DELETE FROM (\w+)", shredding)} == {*backups.ERASED_WITH}


async def test_public_tools_open_and_check_one(store: Store, tmp_path: Path) -> None:
    """What `age -d -i recovery.txt FILE | tar x` leaves, checked by `sha256sum`."""
    receipt = await store.takes("about Olenka", b"a house", b"a paper")
    made = await store.backs_up()
    plain = io.BytesIO()
    with made.path.open("rb") as file:
        open_stream(file, plain, [store.made.recovery])
    plain.seek(0)
    out = tmp_path / "out"
    with tarfile.open(fileobj=plain) as tar:
        assert not any(member.name.startswith("/") or ".." in member.name for member in tar)
        tar.extractall(out, filter="data")
    check = ["sha256sum", "--quiet", "--strict", "-c", "SHA256SUMS"]
    await asyncio.to_thread(subprocess.run, check, cwd=out, check=True, timeout=60)
    head = json.loads((out / "head.json").read_text())
    assert (head["rows"]["reports"], head["rows"]["files"], head["blobs"]) == (1, 2, 2)
    assert set(head["rows"]) == {*backups.KEPT}
    report = (out / "tables" / "reports" / "000000.copy").read_text().split("\t")
    assert report[head["columns"]["reports"].index("id")] == str(receipt.report)
    in_rows = await store.superuser.fetch("SELECT blob, ciphertext_sha256 FROM files")
    assert {row["blob"]: row["ciphertext_sha256"] for row in in_rows} == {
        path.name: hashlib.sha256(path.read_bytes()).digest() for path in (out / "blobs").iterdir()
    }


async def test_nothing_of_what_is_being_given_is_in_one(store: Store) -> None:
    await store.takes("about Olenka")
    for table in sorted(backups.NOT_KEPT - {"sessions"}):
        values = {}
        for column in metadata.tables[table].columns:
            if column.identity is None:
                values[column.name] = _any(column)
        listed = ", ".join(values)
        marks = ", ".join(f"${place}" for place in range(1, len(values) + 1))
        await store.superuser.execute(f"INSERT INTO {table} ({listed}) VALUES ({marks})", *values.values())
    made = await store.backs_up()
    plain = io.BytesIO()
    with made.path.open("rb") as file:
        open_stream(file, plain, [store.made.recovery])
    assert NEEDLE not in plain.getvalue()
    assert NEEDLE.hex().encode() not in plain.getvalue()
    assert b"tables/reports/" in plain.getvalue()


def _any(column: Any) -> Any:
    kind = column.type.python_type
    if kind is bytes:
        return NEEDLE.ljust(32, b".")
    if kind is str:
        return NEEDLE.decode()
    return {
        uuid.UUID: uuid.uuid4(), bool: True, int: 1, datetime: datetime.now(UTC),
    }.get(kind, datetime.now(UTC).date())  # fmt: skip


async def test_it_leaves_a_leaf_and_is_sealed_to_recovery_alone(store: Store) -> None:
    made = await store.backs_up()
    assert made.name == f"dodomu-{store.now:%Y-%m-%dT%H}.age"
    assert made.path.stat().st_mode & 0o777 == 0o600
    data = made.path.read_bytes()
    assert (made.size, made.sha256) == (len(data), hashlib.sha256(data).digest())
    (leaf,) = await leaves(store, "backup")
    assert (leaf["object"], leaf["sha256"], leaf["size"], leaf["manifest"]) == (
        made.name, made.sha256.hex(), len(data), 1,
    )  # fmt: skip
    head, _, _ = data.partition(b"\n---")
    assert head.count(b"-> ") == 1
    assert b"-> mlkem768x25519 " in head


async def test_rows_of_all_lengths_come_whole_in_pieces(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.backup_format.PIECE", 3000)
    for number in range(5):
        await store.takes(f"report {number} " + "x" * 5000 * number, bytes(number))
    made = await store.backs_up()
    checked = store.checks(made.path)
    assert (checked.head.rows["reports"], checked.head.rows["bodies"], checked.head.blobs) == (5, 5, 5)


# ---- while everything goes on -----------------------------------------------------------------------


async def test_it_holds_the_moment_whatever_goes_on(store: Store) -> None:
    shredded = await store.takes("goes meanwhile", b"first", b"second")
    sealed_anew = await store.takes("is sealed anew meanwhile", b"third")
    kept: dict[str, str] = {}

    async def all_at_once() -> None:
        assert all(name.startswith(".") for name in left(store))  # it does not look finished
        await store.shreds(shredded.report)
        await store.takes("came meanwhile", b"fourth")
        kept["blob"] = await store.reseals(sealed_anew.report)
        for path in (store.folder / "blobs").glob("*/*"):  # all blobs are old enough to be swept
            os.utime(path, (0, 0))
        async with database.pool(store.database.url(roles.KEEPER)) as connections:
            before = datetime.now(UTC) - keeping.ORPHAN_AFTER
            assert await keeping.sweep(connections, store.blobs, before=before) == 0

    made = await store.backs_up(blobs=meddling(store, all_at_once))
    checked = store.checks(made.path)
    assert checked.head.rows["reports"] == 2
    assert made.shredded >= 1  # what was read before it went is in
    assert checked.shredded == {shredded.report}
    # As soon as it is made, what no row names may go again.
    async with database.pool(store.database.url(roles.KEEPER)) as connections:
        before = datetime.now(UTC) - keeping.ORPHAN_AFTER
        assert await keeping.sweep(connections, store.blobs, before=before) == 1
    assert not (store.folder / "blobs" / kept["blob"][:2] / kept["blob"]).exists()


async def test_a_missing_file_whose_row_stands_is_named_and_there_is_no_backup(store: Store) -> None:
    await store.takes("about Olenka", b"a house")
    (blob,) = [row["blob"] for row in await store.superuser.fetch("SELECT blob FROM files")]
    await store.blobs.delete(blob)
    with pytest.raises(BackupError, match=f"The sealed file {blob} is missing"):
        await store.backs_up()
    assert left(store) == []
    assert await leaves(store, "backup") == []


@pytest.mark.parametrize(
    "change", [lambda data: data[:-1], lambda data: data + b"!", lambda data: b"?" + data[1:]]
)
async def test_a_changed_file_is_named_and_there_is_no_backup(store: Store, change: Any) -> None:
    await store.takes("about Olenka", b"a house")
    (blob,) = [row["blob"] for row in await store.superuser.fetch("SELECT blob FROM files")]
    path = store.folder / "blobs" / blob[:2] / blob
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(BackupError, match=f"The sealed file {blob} is not what its row says"):
        await store.backs_up()
    assert left(store) == []


async def test_a_file_sealed_anew_and_gone_is_told_as_such(store: Store) -> None:
    """Nobody removes it while a backup is made; by hand it can be."""
    receipt = await store.takes("about Olenka", b"a house")

    async def removes() -> None:
        await store.blobs.delete(await store.reseals(receipt.report))

    with pytest.raises(BackupError, match="was sealed anew and removed while the backup was made"):
        await store.backs_up(blobs=meddling(store, removes))
    assert left(store) == []


async def test_of_two_at_once_one_waits_and_then_finds_that_there_is_one(store: Store) -> None:
    await store.takes("about Olenka", b"a house")
    first, second = await asyncio.gather(store.backs_up(), store.backs_up(), return_exceptions=True)
    (refused,) = [one for one in (first, second) if isinstance(one, BackupError)]
    assert "one backup an hour" in str(refused)
    assert left(store) == [f"dodomu-{store.now:%Y-%m-%dT%H}.age", "erasures.ndjson"]
    assert len(await leaves(store, "backup")) == 1


# ---- how long they stay ------------------------------------------------------------------------------


async def test_older_ones_go_after_a_good_new_one_alone(store: Store) -> None:
    await store.takes("about Olenka", b"a house")
    start = custody.hour(store.now)
    for hours in (0, 1, 30 * 24):
        await store.backs_up(at=start + hours * HOUR)
    (store.backups / "notes.txt").write_text("not a backup")
    (store.backups / "dodomu-2020-01-01T00.age.old").write_text("nor this")
    stale = store.backups / ".dodomu-2020-01-01T00.age.77.part"
    stale.write_bytes(b"cut off")
    os.utime(stale, (0, 0))
    assert len([name for name in left(store) if name.endswith(".age")]) == 3

    (blob,) = [row["blob"] for row in await store.superuser.fetch("SELECT blob FROM files")]
    path = store.folder / "blobs" / blob[:2] / blob
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(BackupError):
        await store.backs_up(at=start + 60 * 24 * HOUR)
    assert len([name for name in left(store) if name.endswith(".age")]) == 3

    path.write_bytes(whole)
    made = await store.backs_up(at=start + 30 * 24 * HOUR + 2 * HOUR)
    assert made.removed == [f"dodomu-{start + hours * HOUR:%Y-%m-%dT%H}.age" for hours in (0, 1)]
    assert left(store) == sorted(
        [
            f"dodomu-{start + 30 * 24 * HOUR:%Y-%m-%dT%H}.age", made.name, "notes.txt",
            "dodomu-2020-01-01T00.age.old", "erasures.ndjson",
        ]
    )  # fmt: skip
    shorter = await store.backs_up(at=start + 31 * 24 * HOUR, keep=timedelta(hours=1))
    assert len(shorter.removed) == 2


# ---- what is refused ---------------------------------------------------------------------------------


async def test_it_is_sealed_to_nobody_whom_the_ceremony_key_has_not_named(store: Store) -> None:
    with pytest.raises(BadSignatureError):
        await store.backs_up(ceremony_key=Ed25519PrivateKey.generate().public_key())
    assert left(store) == []


@pytest.mark.parametrize(
    "change",
    ["CREATE TABLE more (id int)", "ALTER TABLE reports ADD COLUMN more text", "DROP TABLE used_codes"],
)
async def test_tables_of_another_version_are_not_left_out_in_silence(store: Store, change: str) -> None:
    await store.superuser.execute(change)
    with pytest.raises(BackupError, match="other tables than this version"):
        await store.backs_up()


async def test_a_folder_that_is_not_there_is_not_made(store: Store) -> None:
    """It may be where a disk is not mounted."""
    with pytest.raises(BackupError, match="There is no folder"):
        await store.backs_up(folder=store.folder / "not mounted")
    assert not (store.folder / "not mounted").exists()


# ---- memory ------------------------------------------------------------------------------------------

CHILD = """
import sys
from admin.__main__ import main
status = main(sys.argv[1:])
with open("/proc/self/status") as file:
    peak = next(line.split()[1] for line in file if line.startswith("VmHWM"))
print("peak", peak)
sys.exit(status)
"""


async def test_memory_stays_constant_whatever_is_in_the_store(store: Store, tmp_path: Path) -> None:
    recovery = tmp_path / "recovery.txt"
    recovery.write_text(store.made.recovery.reveal())
    recovery.chmod(0o600)
    settings = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DODOMU_")},
        "DODOMU_STATE": str(tmp_path / "state"),
        "DODOMU_BLOBS": str(tmp_path / "blobs"),
        "DODOMU_KEEPER_DATABASE_URL": store.database.url(roles.KEEPER),
        "DODOMU_CEREMONY_KEY": store.made.ceremony_public_hex,
    }

    def peak(*arguments: object) -> int:
        """MiB that the command had at its highest."""
        done = subprocess.run(
            [sys.executable, "-c", CHILD, *map(str, arguments)],
            env=settings, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return int(done.stdout.split()[-1]) // 1024

    def measure(folder: Path) -> tuple[int, int]:
        folder.mkdir()
        making = peak("backup", "--to", folder)
        (file,) = folder.glob("*.age")
        checking = peak("backup", "verify", file, "--recovery", recovery)
        return making, checking

    await store.takes("a short one", b"small")
    small = await asyncio.to_thread(measure, tmp_path / "small")
    await store.takes("a long one", bytes(120 * MIB))
    await store.superuser.execute(
        "INSERT INTO custody_leaves (leaf) SELECT convert_to(repeat('x', 400), 'UTF8')"
        " FROM generate_series(1, 100000)"
    )
    large = await asyncio.to_thread(measure, tmp_path / "large")
    assert large[0] - small[0] < 40
    assert large[1] - small[1] < 40
    assert sum(path.stat().st_size for path in (tmp_path / "large").glob("*.age")) > 160 * MIB
