"""After a new epoch the whole store can be sealed anew: every byte says what it said, and nothing is in between."""

import asyncio
import hashlib
import io
import json
import tracemalloc
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from admin import members, reseal
from admin.ceremony import CHILD, TEAM, WHEREABOUTS
from admin.keys import unlock
from admin.members import Opener
from admin.progress import Progress
from seal import WrongKeyError, seal_bytes
from storage import backups, custody, manifest
from storage.blobs import Blobs, Stored
from storage.bodies import seal_body
from storage.manifest import SeenSerial
from tests.admin import anew
from tests.admin.anew import NOW, Store
from tests.conftest import Database

PHOTO, LARGE = b"a house with a blue door" * 40, bytes(range(256)) * 3000
MIB = 1 << 20


@pytest.fixture
async def store(fresh_database: Database, tmp_path: Path) -> AsyncIterator[Store]:
    async with anew.opened_store(fresh_database, tmp_path) as opened:
        yield opened


async def some_reports(store: Store) -> list[uuid.UUID]:
    """Of each compartment, with and without files, added to, held, withdrawn, in the waiting room."""
    reports = [
        await store.takes("one"),
        await store.takes("two", await store.file(PHOTO), await store.file(LARGE)),
        await store.takes("held", await store.file(b"")),
        await store.takes("withdrawn", await store.file(b"x")),
        await store.takes("scripted", waiting_room=True),
        await store.takes("child", await store.file(PHOTO, CHILD), form="child"),
        await store.takes("with me", await store.file(PHOTO, TEAM), form="with_me"),
    ]
    await store.adds_to(reports[1], "and more", await store.file(PHOTO))
    await store.superuser.execute("UPDATE reports SET hold = true WHERE id = $1", reports[2])
    await store.superuser.execute("UPDATE reports SET withdrawn_hour = now() WHERE id = $1", reports[3])
    return reports


async def test_all_is_sealed_to_the_present_epochs_and_says_the_same(store: Store) -> None:
    reports = await some_reports(store)
    before = await store.every_epoch()
    bodies, files = await store.plain_bodies(before), await store.plain_files(before)
    ciphertexts = {
        row["id"]: row["ciphertext_sha256"].hex()
        for row in await store.superuser.fetch(
            "SELECT id, ciphertext_sha256 FROM bodies UNION ALL SELECT id, ciphertext_sha256 FROM files"
        )
    }
    old_blobs = await store.blob_names()
    await store.rotates()
    with pytest.raises(WrongKeyError):
        await store.plain_bodies(await store.present())

    outcome = await store.reseals()

    assert (outcome.bodies, outcome.files) == (len(bodies), len(files)) == (8, 7)
    assert not outcome.refused
    assert outcome.left == 0
    assert await store.plain_bodies(await store.present()) == bodies
    assert await store.plain_files(await store.present()) == files
    # The old blobs are gone, and each new one has its row.
    assert not old_blobs & await store.blob_names()
    assert await store.blob_names() == await store.named_blobs()
    # Each row tells which key sealed it, and each leaf what stood there before.
    rows = await store.superuser.fetch(
        """SELECT 'body' AS item, b.id, b.report, b.ciphertext_sha256, b.key_epoch, r.compartment, r.compartment AS home
           FROM bodies b JOIN reports r ON r.id = b.report
           UNION ALL SELECT 'file', f.id, f.report, f.ciphertext_sha256, f.key_epoch, f.compartment, r.compartment
           FROM files f JOIN reports r ON r.id = f.report"""
    )
    leaves = {leaf["object"]: leaf for leaf in await store.leaves("resealed")}
    assert len(leaves) == len(rows) == len(await store.leaves("resealed"))
    for row in rows:
        assert (row["key_epoch"], row["compartment"]) == (2, row["home"])
        leaf = leaves[str(row["id"])]
        assert leaf["report"] == str(row["report"])
        assert (leaf["item"], leaf["old"], leaf["new"]) == (
            row["item"], ciphertexts[row["id"]], row["ciphertext_sha256"].hex()
        )  # fmt: skip
        assert (leaf["compartment"], leaf["epoch"], leaf["actor"]) == (row["home"], 2, "recovery")
    assert {row["report"] for row in rows} == set(reports)

    again = await store.reseals()
    assert (again.bodies, again.files, again.left) == (0, 0, 0)
    assert len(await store.leaves("resealed")) == len(rows)


async def test_what_the_receipt_committed_to_still_opens(store: Store) -> None:
    report = await store.takes("one", await store.file(PHOTO))
    await store.rotates()
    await store.reseals()
    (plain,) = (await store.plain_bodies(await store.present())).values()
    content = json.loads(plain)
    (receipt,) = await store.leaves("receipt")
    assert receipt["object"] == str(report)
    body, file = receipt["items"]
    answers = custody.canonical(
        {key: value for key, value in content.items() if key not in ("kind", "id", "version", "salt")}
    )
    opening = bytes.fromhex(content["salt"]), hashlib.sha256(answers).digest(), len(answers)
    assert custody.commitment(*opening).hex() == body["commitment"]
    (entry,) = content["files"]
    opening = bytes.fromhex(entry["salt"]), hashlib.sha256(PHOTO).digest(), len(PHOTO)
    assert custody.commitment(*opening).hex() == file["commitment"]


async def test_a_file_under_another_compartments_key_moves_to_its_report_s(store: Store) -> None:
    """It came before the compartment was known; no new epoch is needed to put that right."""
    await store.takes("with me", await store.file(PHOTO, TEAM), form="with_me")
    with pytest.raises(WrongKeyError):
        await store.plain_files(await store.present())
    outcome = await store.reseals()
    assert (outcome.bodies, outcome.files, outcome.left) == (0, 1, 0)
    (plain,) = (await store.plain_files(await store.present())).values()
    assert plain.startswith(PHOTO)
    (row,) = await store.superuser.fetch("SELECT compartment, key_epoch FROM files")
    assert tuple(row) == (WHEREABOUTS, 1)


async def test_a_third_epoch_seals_anew_what_was_sealed_anew(store: Store) -> None:
    await store.takes("one", await store.file(PHOTO))
    before = await store.plain_files(await store.present())
    for _ in range(2):
        await store.rotates(TEAM)
        await store.reseals()
    assert await store.plain_files(await store.present()) == before
    chain = [leaf for leaf in await store.leaves("resealed") if leaf["item"] == "file"]
    assert [leaf["epoch"] for leaf in chain] == [2, 3]
    assert chain[0]["new"] == chain[1]["old"]


def file_on_disk(store: Store, blob: str) -> Path:
    return store.folder / "blobs" / blob[:2] / blob


async def test_a_file_that_is_not_as_received_is_refused_named_and_left(store: Store) -> None:
    whole = await store.file(PHOTO)
    changed, missing, one, other = [await store.file(PHOTO + bytes([n])) for n in range(4)]
    await store.takes("many", whole, changed, missing, one, other)
    path = file_on_disk(store, changed.blob)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    file_on_disk(store, missing.blob).unlink()
    # Two rows whose sealed files were swapped, ciphertext hashes and all.
    for row, to in ((one, other), (other, one)):
        await store.superuser.execute(
            "UPDATE files SET blob = $2, ciphertext_sha256 = $3, sealed_size = $4 WHERE id = $1",
            row.id, f"swapping {to.blob}", to.ciphertext_sha256, to.sealed_size,
        )  # fmt: skip
    await store.superuser.execute("UPDATE files SET blob = replace(blob, 'swapping ', '')")
    was = await store.superuser.fetch("SELECT * FROM files WHERE id <> $1 ORDER BY id", whole.id)
    await store.rotates()

    outcome = await store.reseals()

    assert (outcome.bodies, outcome.files, outcome.left) == (1, 1, 0)
    assert {one.id: one.why for one in outcome.refused.values()} == {
        changed.id: "tampered", missing.id: "missing", one.id: "swapped", other.id: "swapped",
    }  # fmt: skip
    assert await store.superuser.fetch("SELECT * FROM files WHERE id <> $1 ORDER BY id", whole.id) == was
    assert {leaf["object"] for leaf in await store.leaves("refused")} == {
        str(file.id) for file in (changed, one, other)
    }
    kept = {changed.blob, one.blob, other.blob}
    assert await store.blob_names() == kept | (await store.named_blobs() - {missing.blob})


async def test_a_swapped_file_that_claims_a_later_epoch_is_refused(store: Store) -> None:
    """Whoever writes rows can claim that a file was sealed anew; what it holds must be what was received."""
    mine, other = await store.file(PHOTO), await store.file(PHOTO[::-1])
    await store.takes("one", mine)
    await store.rotates()
    await store.superuser.execute(
        "UPDATE files SET key_epoch = 2, blob = $2, ciphertext_sha256 = $3, sealed_size = $4 WHERE id = $1",
        mine.id, other.blob, other.ciphertext_sha256, other.sealed_size,
    )  # fmt: skip
    await store.rotates()
    outcome = await store.reseals()
    assert [one.why for one in outcome.refused.values()] == ["tampered"]


async def test_a_body_that_is_not_as_it_was_sealed_is_refused_named_and_left(store: Store) -> None:
    changed, swapped, whole = [await store.takes(words) for words in ("a", "b", "c")]
    sealed = bytearray(await store.superuser.fetchval("SELECT sealed FROM bodies WHERE report = $1", changed))
    sealed[-1] ^= 1
    await store.superuser.execute(
        "UPDATE bodies SET sealed = $2, ciphertext_sha256 = sha256($2) WHERE report = $1",
        changed,
        bytes(sealed),
    )
    await store.superuser.execute(
        "UPDATE bodies b SET (sealed, ciphertext_sha256) = (SELECT sealed, ciphertext_sha256 FROM bodies"
        " WHERE report = $2) WHERE report = $1",
        swapped, whole,
    )  # fmt: skip
    await store.rotates()
    outcome = await store.reseals()
    assert (outcome.bodies, outcome.left) == (1, 0)
    assert {one.report: one.why for one in outcome.refused.values()} == {
        changed: "tampered",
        swapped: "swapped",
    }
    assert {leaf["what"] for leaf in await store.leaves("refused")} == {"changed or swapped row"}
    epochs = await store.superuser.fetch("SELECT report, key_epoch FROM bodies")
    assert {row["report"]: row["key_epoch"] for row in epochs} == {changed: 1, swapped: 1, whole: 2}


async def test_two_at_once_do_no_harm(store: Store) -> None:
    for number in range(60):
        await store.takes(f"number {number}", *([await store.file(PHOTO)] if number % 3 == 0 else []))
    bodies = await store.plain_bodies(await store.present())
    await store.rotates()
    one, other = await asyncio.gather(store.reseals(), store.reseals())
    assert not one.refused
    assert not other.refused
    assert one.bodies + other.bodies == 60
    assert one.files + other.files == 20
    assert await store.plain_bodies(await store.present()) == bodies
    assert len(await store.plain_files(await store.present())) == 20
    assert len(await store.leaves("resealed")) == 80
    assert await store.blob_names() == await store.named_blobs()


async def test_reports_that_come_meanwhile_are_taken_and_kept(store: Store) -> None:
    for number in range(40):
        await store.takes(f"before {number}")
    await store.rotates()

    async def comes() -> None:
        for number in range(20):
            await store.takes(f"meanwhile {number}", await store.file(PHOTO))

    outcome, _ = await asyncio.gather(store.reseals(), comes())
    assert (outcome.bodies, outcome.left) == (40, 0)
    assert len(await store.plain_bodies(await store.present())) == 60
    assert len(await store.plain_files(await store.present())) == 20


class Meddling(Blobs):
    """A place of blobs in which something happens to the store while a file is sealed anew."""

    happens: Callable[[], Awaitable[None]] | None = None

    async def put(self, chunks: AsyncIterable[bytes]) -> Stored:
        stored = await super().put(chunks)
        if self.happens:
            await self.happens()
        return stored


async def test_a_report_shredded_meanwhile_stays_shredded(store: Store) -> None:
    file = await store.file(PHOTO)
    report = await store.takes("one", file)
    await store.rotates()
    meddling = Meddling.open(str(store.folder / "blobs"))

    async def is_shredded() -> None:
        for table in ("files", "bodies"):
            await store.superuser.execute(f"DELETE FROM {table} WHERE report = $1", report)
        await store.blobs.delete(file.blob)

    meddling.happens = is_shredded
    outcome = await store.reseals(blobs=meddling)
    assert (outcome.files, outcome.left, outcome.refused) == (0, 0, {})
    assert await store.blob_names() == set()
    assert "file" not in {leaf["item"] for leaf in await store.leaves("resealed")}


async def test_a_backup_that_is_being_made_keeps_the_old_blobs(store: Store) -> None:
    file = await store.file(PHOTO)
    await store.takes("one", file)
    await store.rotates()
    await backups.hold_still(store.keeper)
    outcome = await store.reseals()
    assert outcome.files == 1
    assert await store.blob_names() == {file.blob, *await store.named_blobs()}
    await store.keeper.execute("SELECT pg_advisory_unlock_all()")


async def test_what_was_sealed_anew_wrongly_never_takes_its_place(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine whose memory fails is noticed before the only copy is gone."""
    await store.takes("one")
    before = await store.plain_bodies(await store.present())
    old = await store.present()
    await store.rotates()
    honest = reseal.seal_bytes
    monkeypatch.setattr(reseal, "seal_bytes", lambda plain, to: honest(plain[:-1] + b"?", to))
    outcome = await store.reseals()
    assert outcome.bodies == 0
    assert len(outcome.refused) == 1
    assert await store.plain_bodies(old) == before


async def test_a_large_file_takes_little_memory(store: Store) -> None:
    await store.takes("film", await store.file(bytes(24 * MIB)))
    await store.rotates()
    keys = await store.keys()
    assert keys[TEAM].keys() == {1, 2}
    tracemalloc.start()
    try:
        outcome = await store.reseals()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert outcome.files == 1
    assert peak < 8 * MIB


# ---- what the database itself holds to ------------------------------------------------------------------


async def put(store: Store, connection: asyncpg.Connection, **facts: object) -> object:
    """Calls the database's function for the only body; `facts` replace what the leaf says."""
    row = await store.superuser.fetchrow("SELECT * FROM bodies")
    new = b"age-encryption.org/v1 and so on"
    told = {
        "item": "body", "old": row["ciphertext_sha256"].hex(), "new": hashlib.sha256(new).hexdigest(), "epoch": 2,
        "obj": str(row["id"]), "kind": "resealed", **facts,
    }  # fmt: skip
    leaf = custody.leaf(str(told.pop("kind")), at=NOW, actor="keeper", obj=str(told.pop("obj")), **told)
    return await connection.fetchval(
        "SELECT reseal_body($1, $2, $3, $4, $5, $6)",
        row["id"], row["ciphertext_sha256"], new, hashlib.sha256(new).digest(), 2, leaf,
    )  # fmt: skip


@pytest.mark.parametrize(
    "lie", [{"old": "00" * 32}, {"new": "00" * 32}, {"epoch": 3}, {"obj": "another"}, {"kind": "opened"}]
)
async def test_a_body_changes_only_with_the_leaf_that_says_so(store: Store, lie: dict[str, object]) -> None:
    await store.takes("one")
    before = await store.superuser.fetch("SELECT * FROM bodies")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only grows"):
        await put(store, store.keeper, **lie)
    assert await store.superuser.fetch("SELECT * FROM bodies") == before
    assert not await store.leaves("resealed")
    assert await put(store, store.keeper) is True


async def test_a_leaf_of_an_earlier_transaction_permits_nothing(store: Store) -> None:
    await store.takes("one")
    row = await store.superuser.fetchrow("SELECT id, ciphertext_sha256 FROM bodies")
    facts = {"old": row["ciphertext_sha256"].hex(), "new": "11" * 32, "epoch": 2}
    leaf = custody.leaf("resealed", at=NOW, actor="keeper", obj=str(row["id"]), **facts)
    change = "UPDATE bodies SET ciphertext_sha256 = $2, sealed = '', key_epoch = 2 WHERE id = $1"
    owner = await asyncpg.connect(store.database.superuser_url)
    try:
        await custody.write(owner, leaf)
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only grows"):
            await owner.execute(change, row["id"], b"\x11" * 32)
        async with owner.transaction():
            await custody.write(owner, leaf)
            await owner.execute(change, row["id"], b"\x11" * 32)
    finally:
        await owner.close()


async def test_what_changed_meanwhile_or_is_in_hand_is_left_without_a_leaf(store: Store) -> None:
    await store.takes("one")
    other = await asyncpg.connect(store.database.superuser_url)
    try:
        async with other.transaction():
            await other.execute("SELECT 1 FROM bodies FOR UPDATE")
            assert await put(store, store.keeper) is False  # and does not wait
    finally:
        await other.close()
    assert not await store.leaves("resealed")
    await store.superuser.execute("DELETE FROM files")
    assert await put(store, store.keeper) is True


# ---- the bar ---------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_a_bar_and_the_time_that_is_left() -> None:
    seconds, out = [0.0], Terminal()
    with Progress(200, out, lambda: seconds[0]) as progress:
        for _ in range(4):
            seconds[0] += 30
            progress.advance(25)
    drawn = out.getvalue().split("\r")
    assert drawn[1] == f"[{'.' * 30}]  0 / 200    0%\x1b[K"
    assert drawn[2] == f"[{'#' * 4}{'.' * 26}]  25 / 200   12%  about 4 min left\x1b[K"
    assert drawn[-1] == f"[{'#' * 15}{'.' * 15}]  100 / 200   50%  about 2 min left\x1b[K\n"


def test_anything_else_gets_a_line_now_and_then() -> None:
    seconds, out = [0.0], io.StringIO()
    with Progress(1000, out, lambda: seconds[0]) as progress:
        for _ in range(100):
            seconds[0] += 1
            progress.advance(10)
    lines = out.getvalue().splitlines()
    assert lines[0] == "0 / 1000    0%"
    assert lines[1] == "100 / 1000   10%  about 2 min left"
    assert lines[-1] == "1000 / 1000  100%"
    assert len(lines) == 12


async def test_who_holds_one_compartment_reseals_that_and_says_what_is_left(store: Store) -> None:
    await store.takes("one")
    await store.takes("child", form="child")
    await store.rotates()
    added = await members.add(
        store.keeper, "swift", "analyst", signer=store.made.ceremony_key, opener=store.recovery,
        seen=SeenSerial(store.folder / "seen"), work_factor=4, now=NOW,
    )  # fmt: skip
    store.manifest = await manifest.newest(store.keeper, store.public, SeenSerial(store.folder / "seen"))
    me = unlock(added.member, added.passphrase)
    outcome = await store.reseals(Opener(me.member, me.identity))
    assert (outcome.bodies, outcome.left, outcome.refused) == (1, 1, {})
    (leaf,) = await store.leaves("resealed")
    assert leaf["compartment"] == TEAM


async def test_a_forged_or_misshapen_body_is_refused_named_and_left(store: Store) -> None:
    """Anyone can seal to the public recipient: only the log's commitment tells it from what was received."""
    forged, misshapen, whole = [await store.takes(words) for words in ("a", "b", "c")]
    key = store.manifest.compartments[TEAM].key()
    (row,) = await store.superuser.fetch("SELECT id FROM bodies WHERE report = $1", forged)
    content = {
        "report": str(forged),
        "received": NOW.isoformat(),
        "answers": {"words": "not so"},
        "files": [],
    }
    body = seal_body("report", row["id"], 1, {**content, "salt": bytes(32).hex()}, [key])
    for report, sealed in ((forged, body.sealed), (misshapen, seal_bytes(b"\xff no JSON", [key]))):
        await store.superuser.execute(
            "UPDATE bodies SET sealed = $2, ciphertext_sha256 = sha256($2) WHERE report = $1", report, sealed
        )
    await store.rotates()
    outcome = await store.reseals()
    assert (outcome.bodies, outcome.left) == (1, 0)
    whys = {one.report: one.why for one in outcome.refused.values()}
    assert whys == {forged: "swapped", misshapen: "malformed"}
    assert await store.superuser.fetchval("SELECT key_epoch FROM bodies WHERE report = $1", whole) == 2
