"""The log: every leaf in its act's transaction, numbered once after it, and openable by whoever opened the report."""

import hashlib
import json
import os
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import asyncpg
import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from admin.console.reading import RefusedError, read
from seal import HybridIdentity
from storage import custody, desk, merkle, roles, submission
from storage.bodies import open_body
from storage.errors import SwappedRowError
from storage.manifest import Compartment
from storage.secrets import ProcessSecret
from storage.submission import Given, Receipt, SealedFile
from storage.tables import APPEND_ONLY, metadata

NOW = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
TEAM = HybridIdentity.generate()
KEY = Compartment(epoch=1, recipient=str(TEAM.recipient))
SECRET = ProcessSecret(bytes(32))
ADDRESS = 7_111_222_333_444


@pytest.fixture
async def connections(fresh_database: Any) -> AsyncIterator[dict[str, asyncpg.Connection]]:
    opened = {role: await asyncpg.connect(fresh_database.url(role)) for role in roles.LOGIN_ROLES}
    opened["superuser"] = await asyncpg.connect(fresh_database.superuser_url)
    yield opened
    for connection in opened.values():
        await connection.close()


def a_leaf(number: int) -> bytes:
    return custody.leaf("opened", at=NOW, actor="swift", obj=f"report {number}")


# ---- leaves --------------------------------------------------------------------------------------


def test_a_leaf_is_canonical_and_says_the_hour_only() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=3)))
    written = custody.leaf("status", at=there, actor="swift", obj="r", why="duplicate")
    assert written == (
        b'{"actor":"swift","hour":"2031-05-06T07Z","kind":"status","object":"r","v":1,"why":"duplicate"}'
    )


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), anything, max_size=5))
@example({"a": '\x00\x1f\x7f"\\/\b\f\n\r\t\u2028é😀', "A": 2**53 - 1, "b": -(2**53 - 1), "": True})
@example({"\U0001f600": 1, "\ufb33": 2, "é": 3, "z": 4})
@example({"a": 2**53, "b": 1})
@example({"a": "\ud800"})
def test_canonical_is_rfc_8785(content: dict[str, Any]) -> None:
    """The quick way and the standard's are one; what the standard refuses is refused."""
    try:
        expected = rfc8785.dumps(content)
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            custody.canonical(content)
    else:
        assert custody.canonical(content) == expected


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        custody.leaf("peeked", at=NOW, actor="swift", obj="r")


def test_the_hash_of_a_leaf_is_that_of_rfc_6962() -> None:
    empty = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"  # the RFC's own implementation
    assert merkle.leaf_hash(b"").hex() == empty


async def test_a_leaf_goes_with_its_act(connections: dict[str, asyncpg.Connection]) -> None:
    bot = connections[roles.BOT]
    transaction = bot.transaction()
    await transaction.start()
    await custody.write(bot, a_leaf(1))
    await transaction.rollback()
    assert await connections[roles.KEEPER].fetchval("SELECT count(*) FROM custody_leaves") == 0


async def test_a_leaf_that_commits_late_is_numbered_after(connections: dict[str, asyncpg.Connection]) -> None:
    """Ids are handed out before the commit; the order of the log is that of the sequencer, and no leaf is skipped."""
    bot, console, keeper = (connections[role] for role in (roles.BOT, roles.CONSOLE, roles.KEEPER))
    slow = bot.transaction()
    await slow.start()
    await custody.write(bot, a_leaf(1))
    await custody.write(console, a_leaf(2))
    assert await custody.sequence(keeper) == 1
    await slow.commit()
    assert await custody.sequence(keeper) == 1
    assert await custody.sequence(keeper) == 0
    rows = await keeper.fetch('SELECT "index", leaf_hash FROM custody_sequence ORDER BY "index"')
    assert [tuple(row) for row in rows] == [
        (0, merkle.leaf_hash(a_leaf(2))),
        (1, merkle.leaf_hash(a_leaf(1))),
    ]


async def test_one_sequencer_at_a_time(
    connections: dict[str, asyncpg.Connection], fresh_database: Any
) -> None:
    keeper, console = connections[roles.KEEPER], connections[roles.CONSOLE]
    await custody.write(console, a_leaf(1))
    other = await asyncpg.connect(fresh_database.url(roles.KEEPER))
    try:
        async with other.transaction():
            await custody.sequence(other)
            assert await custody.sequence(keeper) == 0  # it does not wait, and numbers nothing twice
    finally:
        await other.close()
    assert await keeper.fetchval("SELECT count(*) FROM custody_sequence") == 1


async def test_a_leaf_that_commits_very_late_is_found_by_looking_at_the_whole(
    connections: dict[str, asyncpg.Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its id lies further behind than is looked each time: it waits for the round that looks at everything."""
    monkeypatch.setattr(custody, "_LOOK_BACK", 10)
    bot, console, keeper = (connections[role] for role in (roles.BOT, roles.CONSOLE, roles.KEEPER))
    slow = bot.transaction()
    await slow.start()
    await custody.write(bot, a_leaf(1))
    for number in range(2, 30):
        await custody.write(console, a_leaf(number))
    assert await custody.sequence(keeper, whole=True) == 28
    await slow.commit()
    assert await custody.sequence(keeper) == 0
    assert await custody.sequence(keeper, whole=True) == 1
    assert await custody.sequence(keeper, whole=True) == 0
    newest = await keeper.fetchval('SELECT leaf_hash FROM custody_sequence ORDER BY "index" DESC LIMIT 1')
    assert newest == merkle.leaf_hash(a_leaf(1))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xff\xfe", b"[]", b"7", b"{", b"[" * 100_000, b'{"object":7}', b'{"object":"\\u0000"}',
        b'{"object":"\\ud800"}', b'{"object":"' + b"x" * 5000 + b'"}',
    ],
)  # fmt: skip
async def test_whatever_stands_in_a_leaf_is_numbered_and_stops_nobody(
    data: bytes, connections: dict[str, asyncpg.Connection]
) -> None:
    """Intake may add leaves; one of bytes that are no leaf of ours keeps no other from its place."""
    bot, keeper = connections[roles.BOT], connections[roles.KEEPER]
    await custody.write(bot, data)
    await custody.write(bot, a_leaf(1))
    assert await custody.sequence(keeper) == 2
    rows = await keeper.fetch('SELECT leaf_hash, object FROM custody_sequence ORDER BY "index"')
    assert [tuple(row) for row in rows] == [
        (merkle.leaf_hash(data), None),
        (merkle.leaf_hash(a_leaf(1)), "report 1"),
    ]
    assert len(await custody.history(keeper, "report 1")) == 1


async def test_a_leaf_is_one_line(connections: dict[str, asyncpg.Connection]) -> None:
    """So a file with a leaf a line can be read in one way only."""
    with pytest.raises(asyncpg.CheckViolationError):
        await custody.write(connections[roles.BOT], b'{"object":\n"r"}')


async def test_the_history_of_a_thing_is_told_with_what_has_no_number_yet(
    connections: dict[str, asyncpg.Connection],
) -> None:
    console, keeper = connections[roles.CONSOLE], connections[roles.KEEPER]

    async def act(kind: str, obj: str, **facts: str) -> None:
        await custody.write(console, custody.leaf(kind, at=NOW, actor="swift", obj=obj, **facts))

    await act("opened", "r1")
    await act("claimed", "r2", after="r1")  # it names r1 and is not about it
    await custody.sequence(keeper)
    await act("claimed", "r1")
    await act("opened", "r2", after="r1")
    assert [told["kind"] for told in await custody.history(console, "r1")] == ["opened", "claimed"]
    await custody.sequence(keeper)
    assert [told["kind"] for told in await custody.history(console, "r1")] == ["opened", "claimed"]
    assert await custody.history(console, "r3") == []


LOG_TABLES = sorted(table for table in APPEND_ONLY if table.startswith("custody_"))


@pytest.mark.parametrize("table", LOG_TABLES)
async def test_no_login_role_changes_the_log_even_if_the_right_were_given(
    table: str, connections: dict[str, asyncpg.Connection]
) -> None:
    superuser = connections["superuser"]
    await superuser.execute(
        """INSERT INTO custody_leaves (leaf) VALUES ('{}');
        INSERT INTO custody_sequence SELECT 0, id, sha256(leaf) FROM custody_leaves;
        INSERT INTO custody_tiles VALUES (0, 0, decode(repeat('00', 8192), 'hex'), sha256(''));
        INSERT INTO custody_checkpoints VALUES (1, '', now());
        INSERT INTO custody_publications VALUES (1, 'here', now());
        INSERT INTO custody_cosignatures VALUES (1, 'witness', '');
        INSERT INTO custody_timestamps VALUES (1, 'authority', '')"""
    )
    column = metadata.tables[table].columns.keys()[-1]
    for role in roles.LOGIN_ROLES:
        statements = (
            f'UPDATE {table} SET "{column}" = "{column}"', f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE",
        )  # fmt: skip
        for _ in range(2):
            for statement in statements:
                with pytest.raises(asyncpg.InsufficientPrivilegeError) as refused:
                    await connections[role].execute(statement)
            # The second time it is the triggers alone that refuse.
            await superuser.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
        assert "only grows" in str(refused.value)
    assert await superuser.fetchval(f"SELECT count(*) FROM {table}") == 1


# ---- what a receipt's leaf promises --------------------------------------------------------------


def a_file(name: str, original: bytes) -> SealedFile:
    meta = {
        "name": name,
        "length": len(original),
        "sha256": hashlib.sha256(original).hexdigest(),
        "salt": os.urandom(32).hex(),
        "compartment": "team",
    }
    return SealedFile(uuid.uuid4(), uuid.uuid4().hex, hashlib.sha256(b"sealed").digest(), 9000, 1, meta)


async def submits(connection: asyncpg.Connection, words: str, *files: SealedFile) -> Receipt:
    given = Given(
        "family", 1, "normal", {"answers": {"name": words}}, files, answer_here=True, address=ADDRESS
    )
    async with connection.transaction():
        return await submission.submit(
            connection, uuid.uuid4(), given, to=("team", KEY), secret=SECRET, now=NOW
        )


async def test_who_opened_the_report_can_open_the_leaf(connections: dict[str, asyncpg.Connection]) -> None:
    original = b"a scanned permission"
    receipt = await submits(connections[roles.BOT], "Olenka", a_file("permission.pdf", original))
    superuser = connections["superuser"]
    leaf = json.loads(await superuser.fetchval("SELECT leaf FROM custody_leaves"))
    row = await superuser.fetchrow("SELECT * FROM bodies")
    content = open_body(["report"], row["id"], 1, row["sealed"], [TEAM])

    body, file = leaf["items"]
    assert leaf["object"] == str(receipt.report)
    assert body["ciphertext_sha256"] == hashlib.sha256(row["sealed"]).hexdigest()
    said = {key: value for key, value in content.items() if key not in {"kind", "id", "version", "salt"}}
    canonical = custody.canonical(said)
    promise = custody.commitment(
        bytes.fromhex(content["salt"]), hashlib.sha256(canonical).digest(), len(canonical)
    )
    assert body["commitment"] == promise.hex()
    (entry,) = content["files"]
    salt, sha256 = bytes.fromhex(entry["salt"]), hashlib.sha256(original).digest()
    assert file["commitment"] == custody.commitment(salt, sha256, len(original)).hex()
    assert entry["name"] == "permission.pdf"


async def test_a_leaf_tells_nothing_of_what_was_received(connections: dict[str, asyncpg.Connection]) -> None:
    original = b"a scanned permission"
    await submits(connections[roles.BOT], "Olenka", a_file("permission.pdf", original))
    leaf = await connections["superuser"].fetchval("SELECT leaf FROM custody_leaves")
    telling = (
        b"Olenka",
        b"permission",
        hashlib.sha256(original).hexdigest().encode(),
        str(ADDRESS).encode(),
        b"family",
    )
    assert [word for word in telling if word in leaf] == []
    assert set(json.loads(leaf)) == {"v", "kind", "hour", "actor", "object", "items"}


def test_a_commitment_needs_its_salt() -> None:
    sha256 = hashlib.sha256(b"original").digest()
    promise = custody.commitment(bytes(32), sha256, 8)
    assert promise == custody.commitment(bytes(32), sha256, 8)
    assert promise != custody.commitment(bytes([1] * 32), sha256, 8)
    assert promise != custody.commitment(bytes(32), sha256, 9)


# ---- bodies that somebody moved --------------------------------------------------------------------


async def test_a_body_moved_to_another_report_is_refused(
    connections: dict[str, asyncpg.Connection], fresh_database: Any
) -> None:
    first = await submits(connections[roles.BOT], "Olenka")
    second = await submits(connections[roles.BOT], "Petryk")
    who = desk.Who(uuid.uuid4(), ("team",))
    engine = desk.engine(fresh_database.url(roles.CONSOLE))
    try:
        at_desk = desk.Desk(engine, now=lambda: NOW, holds=timedelta(minutes=30))
        attacker = connections["superuser"]
        await attacker.execute("SET session_replication_role = replica")

        before = await at_desk.material(first.report, who)
        history = await at_desk.history(first.report)
        assert read(before, [TEAM], history).parts[0].content["answers"] == {"name": "Olenka"}
        other = (await at_desk.material(second.report, who)).bodies[0]

        # The sealed bytes of another row, with their right hash.
        await attacker.execute(
            "UPDATE bodies SET sealed = $1, ciphertext_sha256 = $2 WHERE report = $3",
            other.sealed,
            other.ciphertext_sha256,
            first.report,
        )
        with pytest.raises(RefusedError, match="swapped"):
            read(await at_desk.material(first.report, who), [TEAM], history)
        # The whole row, under another report.
        await attacker.execute("DELETE FROM bodies WHERE report = $1", first.report)
        await attacker.execute("UPDATE bodies SET report = $1", first.report)
        with pytest.raises(RefusedError, match="swapped"):
            read(await at_desk.material(first.report, who), [TEAM], history)
        with pytest.raises(RefusedError, match="empty"):
            read(await at_desk.material(second.report, who), [TEAM], history)
    finally:
        await engine.dispose()
    # In storage itself: another row, another number, another kind.
    for kinds, row, number in (
        (["report"], before.bodies[0].id, 1),
        (["report"], other.id, 2),
        (["addition"], other.id, 1),
    ):
        with pytest.raises(SwappedRowError):
            open_body(kinds, row, number, other.sealed, [TEAM])


async def test_a_body_with_changed_bytes_is_refused(
    connections: dict[str, asyncpg.Connection], fresh_database: Any
) -> None:
    receipt = await submits(connections[roles.BOT], "Olenka")
    engine = desk.engine(fresh_database.url(roles.CONSOLE))
    try:
        at_desk = desk.Desk(engine, now=lambda: NOW, holds=timedelta(minutes=30))
        material = await at_desk.material(receipt.report, desk.Who(uuid.uuid4(), ("team",)))
    finally:
        await engine.dispose()
    (body,) = material.bodies
    changed = body.sealed[:-1] + bytes([body.sealed[-1] ^ 1])
    for kept in (body.ciphertext_sha256, hashlib.sha256(changed).digest()):
        torn = replace(material, bodies=[replace(body, sealed=changed, ciphertext_sha256=kept)])
        with pytest.raises(RefusedError, match="tampered"):
            read(torn, [TEAM], [])


async def test_a_report_is_kept_whole_or_not_at_all(connections: dict[str, asyncpg.Connection]) -> None:
    bot = connections[roles.BOT]
    twice = a_file("one.pdf", b"one")
    with pytest.raises(asyncpg.UniqueViolationError):
        await submits(bot, "Olenka", twice, twice)
    for table in ("reports", "bodies", "files", "receipts", "threads", "custody_leaves"):
        assert await connections["superuser"].fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_a_receipt_keeps_its_words_as_a_keyed_hash(connections: dict[str, asyncpg.Connection]) -> None:
    receipt = await submits(connections[roles.BOT], "Olenka")
    kept = await connections["superuser"].fetchval("SELECT words_mac FROM receipts")
    assert kept == submission.words_mac(SECRET, receipt.words)
    assert kept != submission.words_mac(ProcessSecret(bytes([1] * 32)), receipt.words)
    assert len(receipt.words) == submission.RECEIPT_WORDS


def test_codes_are_random_and_can_be_read_aloud() -> None:
    codes = {submission.new_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert not set("".join(codes)) & set("01OIL")


@pytest.mark.parametrize(
    ("added", "claimed", "stands", "runs_until"),
    [
        ("critical", False, "critical", NOW + timedelta(hours=1)),  # what was added cannot wait a day
        ("normal", False, "normal", NOW + timedelta(hours=24)),
        ("critical", True, "critical", None),  # somebody holds it already
    ],
)
async def test_what_is_added_can_make_a_report_more_urgent_and_never_less(
    added: str, claimed: bool, stands: str, runs_until: datetime | None,  # noqa: FBT001 - a table's column
    connections: dict[str, asyncpg.Connection],
) -> None:  # fmt: skip
    bot, superuser = connections[roles.BOT], connections["superuser"]
    receipt = await submits(bot, "Olenka")
    await superuser.execute("UPDATE reports SET waiting = true")
    if claimed:
        await superuser.execute("UPDATE reports SET due_at = NULL")
    for urgency in (added, "normal"):
        async with bot.transaction():
            await submission.add(bot, receipt.report, {}, (), key=KEY, now=NOW, urgency=urgency)
    row = await superuser.fetchrow("SELECT class, due_at, unread, waiting FROM reports")
    grain = timedelta(minutes=15)
    assert (row["class"], row["unread"], row["waiting"]) == (stands, True, False)
    assert row["due_at"] is None if runs_until is None else runs_until - grain < row["due_at"] <= runs_until
