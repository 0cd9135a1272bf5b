"""Whatever was changed in a log, by whomever, is found offline by its dump and by what was published, and named."""

import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from admin.custody_heads import PublishedError, Trust
from admin.custody_leaves import read
from admin.custody_verify import NoDumpError, verify
from storage import custody, notes, roles
from storage.notes import Checkpoint, Signer
from tests.admin.custody_kit import ORIGIN, Keeping, faults, lines, write

# ---- a log that holds ----------------------------------------------------------------------------


async def test_a_log_that_nobody_changed_holds(grown: Keeping, dumped: Path) -> None:
    found = grown.verifies(dumped)
    assert found.holds, found.text()
    assert found.remarks == []
    assert "Checkpoints: 3, 3 of them as published; 27 leaves are as they were signed for." in found.text()
    assert "Newer than the last checkpoint: 4 leaves" in found.text()
    assert found.text().endswith("The log holds: nothing was changed, dropped, doubled or reordered.")


async def test_the_empty_log_holds(keeping: Keeping) -> None:
    await keeping.meddles("DELETE FROM custody_leaves")
    await keeping.round()
    found = verify(await keeping.dumps(), [], Trust(log_keys=[keeping.log.vkey]))
    assert found.holds, found.text()
    assert not keeping.published.exists()


async def test_leaves_without_any_checkpoint_are_vouched_for_by_nobody(keeping: Keeping) -> None:
    await keeping.acts(1)
    await custody.sequence(keeping.team.connection)
    found = verify(await keeping.dumps(), [], keeping.trust())
    assert faults(found) == ["no checkpoint"]


async def test_acts_of_the_last_second_are_in_the_dump_before_they_have_a_number(grown: Keeping) -> None:
    await grown.acts(3)
    found = grown.verifies(await grown.dumps())
    assert found.holds, found.text()
    assert "6 waiting for their number" in found.text()


async def test_without_anything_from_outside_the_reader_is_told_what_that_is_worth(
    grown: Keeping, dumped: Path
) -> None:
    found = verify(dumped, [], grown.trust())
    assert found.holds
    assert "no checkpoint from outside was given" in found.text()


async def test_a_shredded_report_and_one_sealed_anew_are_as_their_leaves_say(grown: Keeping) -> None:
    console = await grown.by(roles.CONSOLE)
    gone, stays = grown.reports[:2]
    await grown.meddles(f"DELETE FROM bodies WHERE report = '{gone}'")
    shredded = custody.leaf("shredded", at=grown.now, actor="keeper", obj=str(gone), bodies=1, files=0)
    await custody.write(console, shredded)
    (body,) = await grown.rows("SELECT id, ciphertext_sha256 FROM bodies WHERE report = $1", stays)
    new = hashlib.sha256(b"sealed anew").digest()
    await custody.write(
        console,
        custody.leaf(
            "resealed", at=grown.now, actor="keeper", obj=str(body["id"]), item="body", report=str(stays),
            old=body["ciphertext_sha256"].hex(), new=new.hex(), compartment="team", epoch=2,
        ),
    )  # fmt: skip
    await grown.meddles(
        f"UPDATE bodies SET sealed = 'sealed anew', ciphertext_sha256 = '\\x{new.hex()}' WHERE id = '{body['id']}'"
    )
    await grown.round()
    found = grown.verifies(await grown.dumps())
    assert found.holds, found.text()
    assert "1 reports were shredded" in found.text()


# ---- what is changed in a dump -------------------------------------------------------------------


def _dropped(dump: Path) -> None:
    kept = lines(dump / "leaves.ndjson")
    write(dump / "leaves.ndjson", kept[:5] + kept[6:])


def _doubled(dump: Path) -> None:
    kept = lines(dump / "leaves.ndjson")
    write(dump / "leaves.ndjson", [*kept[:5], kept[4], *kept[5:]])


def _reordered(dump: Path) -> None:
    kept = lines(dump / "leaves.ndjson")
    write(dump / "leaves.ndjson", [*kept[:5], kept[6], kept[5], *kept[7:]])


def _appended(dump: Path) -> None:
    kept = lines(dump / "leaves.ndjson")
    write(dump / "leaves.ndjson", [*kept, kept[-1]])


def _cut(dump: Path) -> None:
    path = dump / "leaves.ndjson"
    path.write_bytes(path.read_bytes()[:-20])


def _unfinished(dump: Path) -> None:
    (dump / "dump.json").unlink()


def _without_items(dump: Path) -> None:
    (dump / "items.ndjson").unlink()


def _fewer_items(dump: Path) -> None:
    write(dump / "items.ndjson", lines(dump / "items.ndjson")[:-1])


def _broken_items(dump: Path) -> None:
    write(dump / "items.ndjson", [b"{}\n", *lines(dump / "items.ndjson")[1:]])


def _broken_manifests(dump: Path) -> None:
    write(dump / "manifests.ndjson", [*lines(dump / "manifests.ndjson"), b"{}\n"])


def _not_canonical(dump: Path) -> None:
    kept = lines(dump / "waiting.ndjson") or [b"{}\n"]
    write(dump / "waiting.ndjson", [b'{"v": 1}\n', *kept])


def _renamed_checkpoint(dump: Path) -> None:
    (dump / "checkpoints" / "000000000011.note").rename(dump / "checkpoints" / "000000000012.note")


def _stray_stamp(dump: Path) -> None:
    (dump / "timestamps" / "000000000013.tsa.tsr").write_bytes(b"no token")


DUMP: dict[str, tuple[Callable[[Path], None], str]] = {
    "a leaf is dropped": (_dropped, "changed log"),
    "a leaf is doubled": (_doubled, "changed log"),
    "two leaves are reordered": (_reordered, "changed log"),
    "a leaf is appended": (_appended, "cut off"),
    "the last leaf is cut off": (_cut, "cut off"),
    "the dump was not finished": (_unfinished, "cut off"),
    "the items are not there": (_without_items, "cut off"),
    "an item is not there": (_fewer_items, "missing item"),
    "an item is none": (_broken_items, "cut off"),
    "a manifest is none": (_broken_manifests, "cut off"),
    "a leaf is no RFC 8785 JSON": (_not_canonical, "changed leaf"),
    "a checkpoint stands under another size": (_renamed_checkpoint, "forged checkpoint"),
}


@pytest.mark.parametrize("what", DUMP)
async def test_what_is_changed_in_a_dump_is_found(grown: Keeping, dumped: Path, what: str) -> None:
    change, word = DUMP[what]
    change(dumped)
    found = grown.verifies(dumped)
    assert word in faults(found), found.text()


async def test_a_time_stamp_that_belongs_to_nothing_is_found(grown: Keeping, dumped: Path) -> None:
    _stray_stamp(dumped)
    certificate = [object()]
    assert faults(grown.verifies(dumped, roots=certificate)) == ["wrong time stamp"]
    assert "time stamps were not checked" in grown.verifies(dumped).text()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=some.data())
async def test_any_flipped_bit_below_a_checkpoint_is_found(grown: Keeping, dumped: Path, data: Any) -> None:
    path = dumped / "leaves.ndjson"
    whole = path.read_bytes()
    signed_for = len(b"".join(whole.splitlines(keepends=True)[:27]))
    at = data.draw(some.integers(0, signed_for * 8 - 1))
    changed = bytearray(whole)
    changed[at // 8] ^= 1 << at % 8
    path.write_bytes(bytes(changed))
    try:
        found = verify(dumped, [], grown.trust())
    finally:
        path.write_bytes(whole)
    assert "changed log" in faults(found) or "missing leaves" in faults(found), found.text()


async def test_each_change_of_a_published_note_is_found(grown: Keeping, dumped: Path) -> None:
    note = (grown.published / "000000000019.note").read_bytes()
    for at in range(len(note) - 1):
        changed = bytearray(note)
        changed[at] ^= 1
        path = grown.folder / "copied.txt"
        path.write_bytes(bytes(changed))
        assert faults(grown.verifies(dumped, path)) == ["forged checkpoint"], (at, bytes(changed))


# ---- what is published ---------------------------------------------------------------------------


async def test_two_published_checkpoints_that_contradict_are_a_fork(grown: Keeping, dumped: Path) -> None:
    other = notes.sign(Checkpoint(ORIGIN, 19, bytes(32)).text(), grown.log.signer)
    (grown.published / "shown-to-somebody-else.note").write_bytes(other)
    found = grown.verifies(dumped)
    assert "fork" in faults(found)
    assert "two checkpoints over 19 leaves contradict: checkpoints/000000000019.note and" in found.text()


async def test_a_checkpoint_of_another_key_is_forged(grown: Keeping, dumped: Path) -> None:
    stranger = Signer(ORIGIN, Ed25519PrivateKey.generate())
    note = notes.sign(Checkpoint(ORIGIN, 5, bytes(32)).text(), stranger)
    (grown.published / "forged.note").write_bytes(note)
    found = grown.verifies(dumped)
    assert faults(found) == ["forged checkpoint"]
    assert "no key that we know has signed this note" in found.text()


async def test_a_key_that_the_ceremony_did_not_sign_is_believed_only_if_it_is_said(
    keeping: Keeping,
) -> None:
    await keeping.acts(2)
    await keeping.round()
    dumped = await keeping.dumps()
    assert set(faults(keeping.verifies(dumped))) == {"forged checkpoint", "no checkpoint"}
    assert keeping.verifies(dumped, log_keys=[keeping.log.vkey]).holds


async def test_what_stood_in_a_channel_is_read_with_all_that_stands_around_it(
    grown: Keeping, dumped: Path
) -> None:
    notes_ = [path.read_text().rstrip() for path in sorted(grown.published.glob("*.note"))]
    said = (
        "Checkpoints of Dodomu\n\n[06.05.2031 10:09]\n" + "\n\n[06.05.2031 11:09]\n".join(notes_) + "\n\nbye"
    )
    path = grown.folder / "channel.txt"
    path.write_bytes(said.replace("\n", "\r\n").encode())
    found = grown.verifies(dumped, path)
    assert found.holds, found.text()
    assert "3 of them as published" in found.text()
    path.write_text(said.replace(notes_[1], notes_[1].replace("\n19\n", "\nnineteen\n")))
    assert faults(grown.verifies(dumped, path)) == ["forged checkpoint"]


async def test_nothing_that_was_asked_for_is_passed_over_in_silence(grown: Keeping, dumped: Path) -> None:
    with pytest.raises(PublishedError, match="cannot be read"):
        grown.verifies(dumped, grown.folder / "nowhere")
    (grown.folder / "empty").mkdir()
    with pytest.raises(PublishedError, match="holds no checkpoints"):
        grown.verifies(dumped, grown.folder / "empty")
    (grown.folder / "prose.txt").write_text("nothing was ever published")
    assert faults(grown.verifies(dumped, grown.folder / "prose.txt")) == ["forged checkpoint"]
    with pytest.raises(NoDumpError, match="holds no dump"):
        verify(grown.folder, [], grown.trust())


async def test_an_older_dump_than_what_was_published_is_not_taken_for_whole(grown: Keeping) -> None:
    older = await grown.dumps()
    await grown.acts(3)
    await grown.round()
    found = grown.verifies(older)
    assert faults(found)[0] == "missing leaves"
    assert "it is older than that, or leaves were dropped" in found.text()


async def test_a_restored_backup_is_named_where_what_was_published_does_not_fit(grown: Keeping) -> None:
    newest = grown.published / "000000000027.note"
    kept = newest.read_bytes()
    await grown.meddles(
        "DELETE FROM custody_checkpoints WHERE size = 27", 'DELETE FROM custody_sequence WHERE "index" > 20',
        "DELETE FROM custody_leaves l WHERE NOT EXISTS (SELECT 1 FROM custody_sequence s WHERE s.leaf = l.id)",
        "DELETE FROM bodies b WHERE NOT EXISTS (SELECT 1 FROM custody_leaves l WHERE"
        " position(convert_to(b.id::text, 'UTF8') IN l.leaf) > 0)",
    )  # fmt: skip
    await custody.write(
        grown.team.connection, custody.leaf("restored", at=grown.now, actor="keeper", obj="backup")
    )
    await grown.acts(5)
    await custody.sequence(grown.team.connection)
    newest.write_bytes(kept)
    found = grown.verifies(await grown.dumps())
    assert faults(found) == ["changed log"], found.text()
    assert "leaf 21 tells of a restored backup" in found.text()


# ---- leaves --------------------------------------------------------------------------------------

GOOD = b'{"actor":"bot","hour":"2031-05-06T07Z","kind":"opened","object":"r","v":1}'


def test_a_leaf_is_read_as_it_was_written() -> None:
    content = read(GOOD)
    assert content is not None
    assert content["kind"] == "opened"
    assert (
        read(custody.leaf("status", at=custody.hour(NOON), actor="швидкий", obj='\u2028\x7f"\\\n'))
        is not None
    )


NOON = datetime(2031, 5, 6, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{}", b"[]", b"null", b"\xff", b"[" * 100_000,
        GOOD.replace(b'"v":1', b'"v":2'),
        GOOD.replace(b'"v":1', b'"v":1.0'),
        GOOD.replace(b'"v":1', b'"v":1,"z":NaN'),
        GOOD.replace(b'"v":1', b'"v":1,"v":1'),
        GOOD.replace(b",", b", ", 1),
        GOOD.replace(b"opened", b"peeked"),
        GOOD.replace(b"07Z", b"07:08Z"),
        GOOD.replace(b'"r"', b"7"),
        GOOD.replace(b'"bot"', b'"\\ud800"'),
        GOOD.replace(b'"actor":"bot",', b""),
        GOOD + b" ",
    ],
    ids=range(17),
)  # fmt: skip
def test_what_is_no_leaf_is_not_taken_for_one(data: bytes) -> None:
    assert read(data) is None


# ---- items ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("receipt", {}),
        ("receipt", {"items": [{"id": "x", "ciphertext_sha256": "00"}]}),
        ("resealed", {"old": "00" * 32, "new": "11" * 32}),
        ("shredded", {}),
    ],
)
async def test_a_leaf_that_does_not_say_what_its_kind_says_is_found(
    grown: Keeping, kind: str, facts: dict[str, Any]
) -> None:
    obj = "not an id" if kind == "shredded" else str(uuid.uuid4())
    await custody.write(
        grown.team.connection, custody.leaf(kind, at=grown.now, actor="keeper", obj=obj, **facts)
    )
    await grown.round()
    found = grown.verifies(await grown.dumps())
    assert faults(found) == ["changed leaf"], found.text()


async def test_an_item_cannot_come_twice_nor_stay_when_its_report_is_shredded(grown: Keeping) -> None:
    (first, *_), report = (
        await grown.rows("SELECT leaf FROM custody_leaves WHERE leaf LIKE '%receipt%'"),
        None,
    )
    await custody.write(grown.team.connection, first["leaf"])
    report = grown.reports[-1]
    shredded = custody.leaf(
        "shredded again", at=grown.now, actor="keeper", obj=str(report), bodies=1, files=0
    )
    await custody.write(grown.team.connection, shredded)
    await grown.round()
    found = grown.verifies(await grown.dumps())
    assert faults(found) == ["changed leaf", "changed item"], found.text()
    assert re.search(r"item [0-9a-f-]{36} is there, and its report was shredded", found.text())


def test_the_first_faults_of_a_kind_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    dump.mkdir()
    write(dump / "leaves.ndjson", [b"{}\n"] * 1000)
    found = verify(dump, [], Trust())
    assert found.text().count("changed leaf: leaf") == 3
    assert "changed leaf: and 997 more" in found.text()
    shutil.rmtree(dump)


def test_a_dump_says_of_itself_how_much_it_holds(tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    dump.mkdir()
    (dump / "leaves.ndjson").write_bytes(b"")
    (dump / "dump.json").write_text(json.dumps({"format": "dodomu custody dump 1"}))
    assert faults(verify(dump, [], Trust())) == ["cut off"]
