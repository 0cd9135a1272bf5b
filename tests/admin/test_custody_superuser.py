"""What a superuser changes in the database, for whom no trigger holds, is found by a dump and what was published."""

import pytest

from admin.custody_verify import verify
from storage import merkle, notes
from storage.notes import Checkpoint
from tests.admin.custody_kit import ORIGIN, Keeping, faults

LEAF = """UPDATE custody_leaves SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'), '{was}', '{becomes}'), 'UTF8')
WHERE id = (SELECT leaf FROM custody_sequence WHERE "index" = {index});"""
HASH = """UPDATE custody_sequence s SET leaf_hash = sha256('\\x00'::bytea || l.leaf) FROM custody_leaves l
WHERE l.id = s.leaf AND s."index" = {index};"""
LOST = """DELETE FROM custody_leaves l WHERE NOT EXISTS (SELECT 1 FROM custody_sequence s WHERE s.leaf = l.id);"""
TIME_BACK = LEAF.format(was="2031", becomes="2030", index=7)

SUPERUSER: dict[str, tuple[str, set[str]]] = {
    "a leaf is changed": (
        LEAF.format(was='"actor":"', becomes='"actor":"0', index=7),
        {"changed leaf", "changed log"},
    ),
    "a leaf and its kept hash are changed": (
        LEAF.format(was='"actor":"', becomes='"actor":"0', index=7) + HASH.format(index=7),
        {"changed log"},
    ),
    "the time of a leaf is set back": (TIME_BACK, {"changed leaf", "time goes back", "changed log"}),
    "the time of a new leaf is set back, before any checkpoint holds it": (
        LEAF.format(was="2031", becomes="2030", index=30) + HASH.format(index=30),
        {"time goes back"},
    ),
    "a leaf is deleted": (
        'DELETE FROM custody_leaves WHERE id = (SELECT leaf FROM custody_sequence WHERE "index" = 8)',
        {"changed leaf", "changed log"},
    ),
    "a leaf is deleted and those after it are renumbered": (
        'DELETE FROM custody_sequence WHERE "index" = 8;'
        + LOST
        + """UPDATE custody_sequence SET "index" = "index" + 1000000 WHERE "index" > 8;
        UPDATE custody_sequence SET "index" = "index" - 1000001 WHERE "index" > 8;""",
        {"changed log"},
    ),
    "two leaves change places": (
        """UPDATE custody_sequence SET "index" = 1000000 WHERE "index" = 7;
        UPDATE custody_sequence SET "index" = 7 WHERE "index" = 8;
        UPDATE custody_sequence SET "index" = 8 WHERE "index" = 1000000;""",
        {"changed log"},
    ),
    "the newest leaves are cut off": (
        'DELETE FROM custody_sequence WHERE "index" > 20;' + LOST,
        {"missing leaves", "item without leaf"},
    ),
    "a body is changed": (
        "UPDATE bodies SET sealed = sealed || '0'::bytea WHERE id = (SELECT id FROM bodies LIMIT 1)",
        {"changed item"},
    ),
    "a body and its hash are changed": (
        """UPDATE bodies SET sealed = 'other', ciphertext_sha256 = sha256('other'::bytea)
        WHERE id = (SELECT id FROM bodies LIMIT 1)""",
        {"changed item"},
    ),
    "a body is gone": ("DELETE FROM bodies WHERE id = (SELECT id FROM bodies LIMIT 1)", {"missing item"}),
    "a body goes to another report": (
        """UPDATE bodies SET number = 9, report = (SELECT max(report::text)::uuid FROM bodies)
        WHERE report::text = (SELECT min(report::text) FROM bodies)""",
        {"changed item"},
    ),
    "a body is slipped in": (
        """INSERT INTO bodies (id, report, number, sealed, ciphertext_sha256, key_epoch)
        SELECT gen_random_uuid(), report, 9, sealed, ciphertext_sha256, key_epoch FROM bodies LIMIT 1""",
        {"item without leaf"},
    ),
    "a manifest is removed": ("DELETE FROM manifests WHERE serial = 1", {"changed manifest"}),
    "a manifest is changed": (
        "UPDATE manifests SET body = body || ' '::bytea WHERE serial = 1",
        {"changed manifest"},
    ),
    "a checkpoint is changed": (
        """UPDATE custody_checkpoints SET note = overlay(note PLACING 'x'::bytea FROM 50) WHERE size = 11""",
        {"forged checkpoint"},
    ),
}


@pytest.mark.parametrize("what", SUPERUSER)
async def test_what_a_superuser_changes_is_found_and_named(grown: Keeping, what: str) -> None:
    statements, words = SUPERUSER[what]
    await grown.meddles(statements)
    found = grown.verifies(await grown.dumps())
    assert set(faults(found)) == words, found.text()
    assert not found.holds
    assert found.text().count("THE LOG DOES NOT HOLD") == 1


async def test_the_first_changed_leaf_is_named_by_its_number(grown: Keeping) -> None:
    await grown.meddles(TIME_BACK)
    text = grown.verifies(await grown.dumps()).text()
    assert "changed leaf: leaf 7 is not what it was when it was numbered" in text
    assert "time goes back: leaf 7 says 2030-05-06T07Z" in text
    assert "changed log: the first 11 leaves are not those of" in text


async def test_between_which_leaves_a_change_is_told_when_its_trace_was_removed_too(grown: Keeping) -> None:
    await grown.meddles(LEAF.format(was='"actor":"', becomes='"actor":"0', index=14) + HASH.format(index=14))
    text = grown.verifies(await grown.dumps()).text()
    assert "between leaf 11 and leaf 18 one was changed, dropped, doubled or reordered" in text


async def test_a_superuser_with_the_logs_key_is_found_by_what_was_published(grown: Keeping) -> None:
    """Leaf, hash and each checkpoint are made anew and all fit: only what somebody else kept tells."""
    await grown.meddles(LEAF.format(was='"actor":"', becomes='"actor":"0', index=7) + HASH.format(index=7))
    await grown.meddles("DELETE FROM custody_tiles")
    hashes = [row["leaf_hash"] for row in await grown.rows('SELECT * FROM custody_sequence ORDER BY "index"')]
    superuser = await grown.by("superuser")
    for (size,) in await grown.rows("SELECT size FROM custody_checkpoints"):
        forged = notes.sign(Checkpoint(ORIGIN, size, merkle.root(hashes[:size])).text(), grown.log.signer)
        await superuser.execute("UPDATE custody_checkpoints SET note = $2 WHERE size = $1", size, forged)
    dumped = await grown.dumps()
    assert verify(dumped, [], grown.trust()).holds
    found = grown.verifies(dumped)
    assert set(faults(found)) == {"fork"}, found.text()
    assert "two checkpoints over 11 leaves contradict" in found.text()
