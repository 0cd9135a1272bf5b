"""Whatever is wrong with a backup is found by reading it, and told in a sentence; a right one is read to its end."""

import io
import shutil
import tarfile
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seal import HybridIdentity, open_bytes, seal_bytes
from storage import backup_format, custody, manifest, merkle
from storage.errors import BackupError, BadSignatureError, ForgedNoteError, StorageError
from storage.notes import Checkpoint, Signer, sign
from tests.admin.backing import Store, opened_store

NOT_WHOLE = r"not whole|missing or changed|beginning is missing"


@pytest.fixture
async def store(fresh_database: Any, tmp_path: Path) -> AsyncIterator[Store]:
    async with opened_store(fresh_database, tmp_path, datetime.now(UTC)) as one:
        await one.takes("about Olenka", b"a house", b"a paper")
        await one.takes("about Maksym", bytes(200_000))
        while await custody.sequence(one.keeper):
            pass
        yield one


@pytest.fixture
async def file(store: Store) -> Path:
    return (await store.backs_up()).path


def changed(file: Path, change: Callable[[bytes], bytes]) -> Path:
    other = file.with_name("changed.age")
    other.write_bytes(change(file.read_bytes()))
    return other


def test_a_whole_one_tells_what_it_holds(store: Store, file: Path) -> None:
    checked = store.checks(file)
    assert (checked.head.rows["reports"], checked.head.blobs, checked.manifest.serial) == (2, 3, 1)
    assert checked.checkpoint is None
    assert checked.shredded == frozenset()


# ---- the file ----------------------------------------------------------------------------------------


def test_every_cut_is_noticed(store: Store, file: Path) -> None:
    size = file.stat().st_size
    for length in (0, 1, 30, 2000, size // 2, size - 65_536, size - 17, size - 1):
        with pytest.raises(BackupError, match=NOT_WHOLE):
            store.checks(changed(file, lambda data, to=length: data[:to]))


def test_every_flipped_bit_is_noticed(store: Store, file: Path) -> None:
    size = file.stat().st_size
    for at in (0, 25, 60, 1400, 1900, 2600, size // 3, size // 2, size - 1):
        with pytest.raises(BackupError, match=rf"{NOT_WHOLE}|does not open"):
            store.checks(
                changed(file, lambda data, at=at: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            )


def test_bytes_after_the_end_are_noticed(store: Store, file: Path) -> None:
    for more in (b"\n", bytes(16), bytes(70_000), file.read_bytes()):
        with pytest.raises(BackupError, match=NOT_WHOLE):
            store.checks(changed(file, lambda data, more=more: data + more))


def test_another_key_is_told_as_such(store: Store, file: Path) -> None:
    with pytest.raises(BackupError, match="sealed to another"):
        store.checks(file, HybridIdentity.generate())


def test_what_is_no_backup_is_told_as_such(store: Store, file: Path) -> None:
    for other in (b"hello", b"", file.read_bytes()[100:]):
        with pytest.raises(BackupError, match="not a backup"):
            store.checks(changed(file, lambda _, other=other: other))
    with pytest.raises(BackupError, match="cannot be read"):
        store.checks(file.with_name("nothing.age"))


# ---- inside the seal: anyone can seal to recovery ----------------------------------------------------


def repacked(store: Store, file: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The members changed by someone who can open and seal, and put together as a backup is."""
    plain = open_bytes(file.read_bytes(), [store.made.recovery])
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        members = {one.name: tar.extractfile(one).read() for one in tar}  # type: ignore[union-attr]
    for name in ("SHA256SUMS", "tail.json"):
        del members[name]
    change(members)
    other = file.with_name("repacked.age")
    with other.open("wb") as out:
        writer = backup_format.Writer(store.made.recovery.recipient, lambda data: out.write(data) and None)
        for name, content in members.items():
            writer.add(name, content)
        writer.finish()
        writer.close()
    return other


def only(members: dict[str, bytes], prefix: str) -> str:
    return next(name for name in members if name.startswith(prefix))


def without(prefix: str) -> Callable[[dict[str, bytes]], None]:
    return lambda members: members.pop(only(members, prefix)) and None


def put(prefix: str, change: Callable[[bytes], bytes]) -> Callable[[dict[str, bytes]], None]:
    def act(members: dict[str, bytes]) -> None:
        name = only(members, prefix)
        members[name] = change(members[name])

    return act


def moved(prefix: str) -> Callable[[dict[str, bytes]], None]:
    def act(members: dict[str, bytes]) -> None:
        name = only(members, prefix)
        members[name] = members.pop(name)

    return act


def test_put_together_unchanged_it_is_whole(store: Store, file: Path) -> None:
    store.checks(repacked(store, file, lambda _: None))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (without("head.json"), "not a backup"),
        (put("head.json", lambda _: b"{}"), "format that this version does not read"),
        (put("head.json", lambda head: head.replace(b'"version":1', b'"version":2')), "format that this version"),
        (put("head.json", lambda head: head.replace(b'_revision":"0', b'_revision":"9')), "newer version"),
        (put("head.json", lambda head: head.replace(b'"attendance"', b'"pg_authid"')), "does not know"),
        (put("head.json", lambda head: head.replace(b'"desk_code"', b'"desk_code; --"')), "does not know"),
        (without("tables/reports"), "0 rows of reports"),
        (without("tables/custody_sequence"), "0 rows of custody_sequence"),
        (put("tables/reports", lambda rows: rows * 2), "4 rows of reports"),
        (put("tables/files", lambda rows: rows.replace(b"\t", b" ", 1)), "A row of files"),
        (moved("tables/reports"), "0 rows of reports"),
        (without("blobs/"), "belongs to no row"),
        (moved("blobs/"), "belongs to no row"),
        (put("blobs/", lambda data: data[:-1] + b"!"), "is not what its row says"),
        (put("tables/bodies", lambda rows: rows.replace(b"6167652d", b"6167652e", 1)), "sealed body"),
        (put("tables/custody_leaves", lambda rows: rows[rows.index(b"\n") + 1 :]), "missing or changed|rows of"),
        (put("tables/custody_sequence", lambda rows: rows.replace(b"0\t", b"7\t", 1)), "leaf 0 is missing or changed"),
    ],
)  # fmt: skip
def test_whoever_can_seal_to_recovery_changes_nothing_unseen(
    store: Store, file: Path, change: Any, told: str
) -> None:
    with pytest.raises(StorageError, match=told):
        store.checks(repacked(store, file, change))


def test_sums_and_tail_hold_the_rest(store: Store, file: Path) -> None:
    """Bytes that no check looks into, changed past the sums."""
    plain = open_bytes(file.read_bytes(), [store.made.recovery])
    for forged in (
        plain.replace(b"family\t", b"familY\t", 1),
        plain[:-1024],
        plain + bytes(512),
        plain + b"x",
    ):
        other = changed(file, lambda _, forged=forged: seal_bytes(forged, [store.made.recovery.recipient]))
        with pytest.raises(BackupError, match=rf"{NOT_WHOLE}|Something was added"):
            store.checks(other)


async def test_a_manifest_that_the_ceremony_key_has_not_signed_is_refused(store: Store, file: Path) -> None:
    with pytest.raises(BadSignatureError):
        store.checks(repacked(store, file, put("tables/manifests", lambda row: row[:-5] + b"0000\n")))
    stranger = Ed25519PrivateKey.generate()
    forged = manifest.sign(store.made.manifest, stranger)
    await store.superuser.execute("UPDATE manifests SET signature = $1", forged.signature)
    shutil.move(file, file.with_name("before.age"))
    with pytest.raises(BadSignatureError):
        await store.backs_up()


def test_one_of_another_team_is_refused(store: Store, file: Path) -> None:
    """Its manifest names another recovery identity than the one that opens it."""
    plain = open_bytes(file.read_bytes(), [store.made.recovery])
    other = HybridIdentity.generate()
    file.write_bytes(seal_bytes(plain, [other.recipient]))
    with pytest.raises(BackupError, match="another recovery identity"):
        store.checks(file, other)


# ---- the log ----------------------------------------------------------------------------------------


async def with_checkpoint(store: Store, signer: Signer, *, root: bytes | None = None, more: int = 0) -> int:
    rows = await store.superuser.fetch('SELECT leaf_hash FROM custody_sequence ORDER BY "index"')
    hashes = [row["leaf_hash"] for row in rows]
    size = len(hashes) + more
    note = sign(Checkpoint(signer.name, size, root or merkle.root(hashes)).text(), signer)
    await store.superuser.execute(
        "INSERT INTO custody_checkpoints VALUES ($1, $2, $3)", size, note, store.now
    )
    return size


@pytest.fixture
async def log(store: Store) -> Signer:
    """The log's key, named by a manifest."""
    signer = Signer("example.org/dodomu", Ed25519PrivateKey.generate())
    named = store.made.manifest.model_copy(update={"serial": 2, "log": signer.vkey})
    signed = manifest.sign(named, store.made.ceremony_key)
    await manifest.keep(store.superuser, named, signed)
    return signer


async def test_the_log_gives_the_root_of_its_checkpoint(store: Store, log: Signer) -> None:
    size = await with_checkpoint(store, log)
    await store.takes("came after the checkpoint")
    await custody.sequence(store.keeper)
    await store.takes("is not numbered yet")
    assert store.checks((await store.backs_up()).path).checkpoint == size


async def test_what_a_superuser_changed_in_the_log_is_found(store: Store, log: Signer) -> None:
    await with_checkpoint(store, log)
    (leaf, *_) = await store.superuser.fetch(
        "SELECT l.id, l.leaf FROM custody_leaves l JOIN custody_sequence s ON s.leaf = l.id"
    )
    forged = leaf["leaf"].replace(b'"v":1', b'"v":2')
    await store.superuser.execute("UPDATE custody_leaves SET leaf = $2 WHERE id = $1", leaf["id"], forged)
    with pytest.raises(BackupError, match=r"leaf 0 is missing or changed|not the one of checkpoint"):
        store.checks((await store.backs_up()).path)
    await store.superuser.execute(
        "UPDATE custody_sequence SET leaf_hash = $2 WHERE leaf = $1", leaf["id"], merkle.leaf_hash(forged)
    )
    shutil.rmtree(store.backups)
    with pytest.raises(BackupError, match="not the one of checkpoint"):
        store.checks((await store.backs_up()).path)


async def test_a_log_that_lost_its_end_is_found(store: Store, log: Signer) -> None:
    await with_checkpoint(store, log, root=bytes(32), more=1)
    with pytest.raises(BackupError, match="shorter than it was"):
        store.checks((await store.backs_up()).path)


async def test_a_forged_checkpoint_is_found(store: Store, log: Signer) -> None:
    await with_checkpoint(store, log)
    await store.superuser.execute(
        "UPDATE custody_checkpoints SET note = convert_to(replace(convert_from(note, 'UTF8'), $1, $2), 'UTF8')",
        "\n\n", "\nmore\n\n",
    )  # fmt: skip
    with pytest.raises(ForgedNoteError):
        store.checks((await store.backs_up()).path)


async def test_a_checkpoint_of_a_key_that_no_manifest_names_yet_is_counted(store: Store) -> None:
    """Its root is compared all the same."""
    stranger = Signer("example.org/dodomu", Ed25519PrivateKey.generate())
    size = await with_checkpoint(store, stranger)
    checked = store.checks((await store.backs_up()).path)
    assert (checked.checkpoint, checked.unnamed) == (size, 1)
    await store.superuser.execute("DELETE FROM custody_checkpoints")
    await with_checkpoint(store, stranger, root=bytes(32))
    shutil.rmtree(store.backups)
    with pytest.raises(BackupError, match="not the one of checkpoint"):
        store.checks((await store.backs_up()).path)


async def test_tiles_of_every_level_are_those_of_the_leaves(store: Store) -> None:
    await store.superuser.execute(
        """INSERT INTO custody_leaves (leaf) SELECT convert_to(format('{"object":"%s"}', n), 'UTF8')
           FROM generate_series(1, 66000) n"""
    )
    while await custody.sequence(store.keeper):
        pass
    assert await store.superuser.fetchval("SELECT max(level) FROM custody_tiles") == 1
    assert store.checks((await store.backs_up()).path).head.rows["custody_tiles"] == 258
    for act in (
        "UPDATE custody_tiles SET root = sha256(root) WHERE level = 1",
        "UPDATE custody_tiles SET hashes = set_byte(hashes, 8191, 255 - get_byte(hashes, 8191)) WHERE index = 7",
        "DELETE FROM custody_tiles WHERE level = 1",
        "DELETE FROM custody_tiles WHERE level = 0 AND index = 256",
    ):
        before = await store.superuser.fetch("SELECT * FROM custody_tiles")
        await store.superuser.execute(act)
        shutil.rmtree(store.backups)
        with pytest.raises(BackupError, match=r"[Tt]ile"):
            store.checks((await store.backs_up()).path)
        await store.superuser.execute("DELETE FROM custody_tiles")
        await store.superuser.executemany(
            "INSERT INTO custody_tiles (level, index, hashes, root) VALUES ($1, $2, $3, $4)",
            [(row["level"], row["index"], row["hashes"], row["root"]) for row in before],
        )
