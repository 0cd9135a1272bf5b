"""A reply is the team's or nothing, a link is the chat's own, and what was withdrawn goes only by two and in time."""

import stat
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncEngine

from admin import keeper
from seal import HybridIdentity
from storage import custody, database, members, replies, returning, roles, submission, threads
from storage.blobs import Blobs
from storage.database import Connection
from storage.desk import engine
from storage.erasures import Ledger
from storage.errors import (
    NoRelayError,
    NotEndingError,
    RefusedReplyError,
    SettingError,
    SwappedRowError,
    WithdrawnError,
)
from storage.manifest import Compartment, Manifest, MemberKeys
from storage.members import Member
from storage.replies import Reply, compose, open_reply
from storage.secrets import ProcessSecret, Row

NOW = datetime(2026, 11, 24, 12, 34, tzinfo=UTC)
SECRET = ProcessSecret(bytes(range(32)))
CHAT, OTHER_CHAT = bytes(32), b"\1" * 32
OLHA = 5_000_001
RELAY, TEAM = HybridIdentity.generate(), HybridIdentity.generate()
SWIFT, HERON = uuid.uuid4(), uuid.uuid4()
KEYS = {SWIFT: Ed25519PrivateKey.generate(), HERON: Ed25519PrivateKey.generate()}
TEAM_KEY = Compartment(epoch=1, recipient=str(TEAM.recipient))
MANIFEST = Manifest(
    serial=1,
    expires=date(2031, 1, 1),
    recovery=str(HybridIdentity.generate().recipient),
    compartments={"team": TEAM_KEY},
    members={
        str(member): MemberKeys(
            recipient=str(TEAM.recipient), signing_key=key.public_key().public_bytes_raw().hex()
        )
        for member, key in KEYS.items()
    },
    routing={"family": "team"},
    relay=str(RELAY.recipient),
)


@pytest.fixture
async def bot(fresh_database: Any) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(fresh_database.url(roles.BOT))
    yield connection
    await connection.close()


@pytest.fixture
async def superuser(fresh_database: Any) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(fresh_database.superuser_url)
    for member, key in KEYS.items():
        row = Member(
            member, f"m-{member.hex[:6]}", "lead", "age1pq1", key.public_key().public_bytes_raw(), b"", b"",
            b"", totp_step=0, joined_hour=NOW, left_hour=None,
        )  # fmt: skip
        await members.add(connection, row)
    yield connection
    await connection.close()


async def sent(bot: Connection, *, answer_here: bool = False, chat: bytes = CHAT) -> submission.Receipt:
    given = submission.Given(
        "family", 1, "normal", {}, (), answer_here=answer_here, address=OLHA, chat=chat, push="Europe/Kyiv",
        lang="uk",
    )  # fmt: skip
    return await submission.submit(bot, uuid.uuid4(), given, to=("team", TEAM_KEY), secret=SECRET, now=NOW)


def mac(receipt: submission.Receipt) -> bytes:
    return submission.words_mac(SECRET, receipt.words)


# ---- replies ----------------------------------------------------------------------------------------


def a_reply(text: str = "Is there a photo?") -> Reply:
    to = [RELAY.recipient, TEAM.recipient]
    return compose(uuid.uuid4(), 1, text, member=SWIFT, key=KEYS[SWIFT], to=to, now=NOW)


@pytest.mark.parametrize("holder", [RELAY, TEAM])
def test_bot_and_team_can_read_what_a_member_wrote(holder: HybridIdentity) -> None:
    assert open_reply(a_reply(" Is there a photo? "), [holder], MANIFEST) == "Is there a photo?"


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    "change",
    [
        lambda reply: replace(reply, id=uuid.uuid4()),
        lambda reply: replace(reply, report=uuid.uuid4()),
        lambda reply: replace(reply, number=2),
        lambda reply: replace(reply, member=HERON),
        lambda reply: replace(reply, member=uuid.uuid4()),
        lambda reply: replace(reply, sealed=_flipped(reply.sealed, -1)),
        lambda reply: replace(reply, sealed=a_reply("Meet him at the station.").sealed),
        lambda reply: replace(reply, signature=_flipped(reply.signature, 0)),
        lambda reply: replace(reply, signature=KEYS[HERON].sign(reply.to_sign())),
        lambda reply: replace(reply, signature=KEYS[SWIFT].sign(reply.to_sign()[1:])),
    ],
)
def test_a_reply_that_was_changed_or_moved_is_refused(change: Any) -> None:
    with pytest.raises(RefusedReplyError):
        open_reply(change(a_reply()), [RELAY], MANIFEST)


def test_a_member_cannot_move_a_colleagues_words_to_another_thread() -> None:
    """Signed anew by another member for another report: the seal itself says where it belongs."""
    reply = a_reply()
    moved = replace(reply, report=uuid.uuid4(), member=HERON)
    moved = replace(moved, signature=KEYS[HERON].sign(moved.to_sign()))
    with pytest.raises(RefusedReplyError):
        open_reply(moved, [RELAY], MANIFEST)


def test_who_left_the_manifest_is_believed_no_more() -> None:
    with pytest.raises(RefusedReplyError):
        open_reply(a_reply(), [RELAY], MANIFEST.model_copy(update={"members": {}}))


def test_without_the_relay_identity_nothing_opens() -> None:
    for identities in ([], [HybridIdentity.generate()]):
        with pytest.raises(RefusedReplyError):
            open_reply(a_reply(), identities, MANIFEST)


@pytest.mark.parametrize("text", ["", "  \n ", "о" * 2001])
def test_a_reply_is_words_and_fits_one_message(text: str) -> None:
    with pytest.raises(ValueError, match="1 to 2000"):
        a_reply(text)


def test_lengths_of_replies_tell_little() -> None:
    assert len(a_reply("Yes.").sealed) == len(a_reply("о" * 1000).sealed)


async def test_replies_are_numbered_and_leave_a_leaf_each(
    bot: asyncpg.Connection, superuser: asyncpg.Connection, fresh_database: Any
) -> None:
    receipt = await sent(bot)
    desk = engine(fresh_database.url(roles.CONSOLE))
    try:
        for member in (SWIFT, HERON):
            async with desk.begin() as session:
                await threads.write_reply(
                    session, receipt.report, "Is there a photo?", member=member, key=KEYS[member],
                    manifest=MANIFEST, now=NOW,
                )  # fmt: skip
        async with desk.begin() as session:
            kept = await threads.written(session, receipt.report)
    finally:
        await desk.dispose()
    assert [reply.number for reply in kept] == [1, 2]
    assert {open_reply(reply, [TEAM], MANIFEST) for reply in kept} == {"Is there a photo?"}
    leaves = [
        leaf for leaf in await custody.history(superuser, str(receipt.report)) if leaf["kind"] == "reply"
    ]
    assert [(leaf["actor"], leaf["ciphertext_sha256"]) for leaf in leaves] == [
        (str(reply.member), reply.ciphertext_sha256.hex()) for reply in kept
    ]
    found = await returning.find(bot, mac(receipt))
    assert found is not None
    assert (found.status, found.answers, found.unread) == ("answer", 2, 2)
    await returning.mark_read(bot, kept[0].id, NOW)
    await returning.mark_read(bot, kept[0].id, NOW + timedelta(days=1))
    assert await superuser.fetchval("SELECT read_hour FROM replies WHERE number = 1") == custody.hour(NOW)


async def test_nothing_is_written_to_a_withdrawn_report_or_without_a_relay(
    bot: asyncpg.Connection, superuser: asyncpg.Connection, fresh_database: Any
) -> None:
    receipt = await sent(bot)
    desk = engine(fresh_database.url(roles.CONSOLE))
    nobody = MANIFEST.model_copy(update={"relay": ""})
    try:
        with pytest.raises(NoRelayError):
            await says(desk, receipt.report, nobody)
        assert await returning.withdraw(bot, receipt.report, NOW)
        with pytest.raises(WithdrawnError):
            await says(desk, receipt.report, MANIFEST)
    finally:
        await desk.dispose()
    assert await superuser.fetchval("SELECT count(*) FROM replies") == 0


async def says(desk: AsyncEngine, report: uuid.UUID, manifest: Manifest) -> None:
    async with desk.begin() as session:
        await threads.write_reply(
            session, report, "Hello", member=SWIFT, key=KEYS[SWIFT], manifest=manifest, now=NOW
        )


# ---- words and links --------------------------------------------------------------------------------


async def test_words_find_their_report_and_no_other(bot: asyncpg.Connection) -> None:
    mine, others = await sent(bot), await sent(bot)
    found = await returning.find(bot, mac(mine))
    assert found is not None
    assert (found.report, found.status, found.compartment) == (mine.report, "received", "team")
    assert (await returning.find(bot, mac(others))) != found
    assert await returning.find(bot, bytes(32)) is None
    assert await returning.withdraw(bot, mine.report, NOW)
    assert not await returning.withdraw(bot, mine.report, NOW)
    assert await returning.find(bot, mac(mine)) is None


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("new", "received"),
        ("in triage", "reading"),
        ("waiting for reporter", "reading"),
        ("linked", "reading"),
        ("closed", "closed"),
    ],
)
def test_public_status(status: str, told: str) -> None:
    assert returning.public_status(status, unread=False) == told
    assert returning.public_status(status, unread=True) == "answer"


async def test_a_chat_is_linked_to_its_newest_report_while_answers_may_come(bot: asyncpg.Connection) -> None:
    assert await threads.linked(bot, CHAT) is None
    first = await sent(bot, answer_here=True)
    assert (await threads.linked(bot, CHAT)) == threads.Linked(first.report, "team")
    second = await sent(bot, answer_here=True)
    assert (await threads.linked(bot, CHAT)) == threads.Linked(second.report, "team")
    await sent(bot)  # whoever wants no answer here has no link
    assert (await threads.linked(bot, CHAT)) == threads.Linked(second.report, "team")
    assert await threads.linked(bot, OTHER_CHAT) is None
    await returning.withdraw(bot, second.report, NOW)
    assert (await threads.linked(bot, CHAT)) == threads.Linked(first.report, "team")
    await threads.end_thread(bot, first.report)
    assert await threads.linked(bot, CHAT) is None
    assert await returning.find_by_chat(bot, CHAT) is None


async def test_a_thread_can_be_opened_later_and_is_read_where_it_stands(bot: asyncpg.Connection) -> None:
    receipt = await sent(bot)
    for push in ("", "Europe/Warsaw"):
        await threads.open_thread(
            bot, receipt.report, chat=CHAT, address=OLHA, push=push, lang="be", secret=SECRET
        )
        row = await bot.fetchrow("SELECT * FROM threads")
        assert threads.read_thread(row, SECRET) == threads.Thread(OLHA, push, "be")
    with pytest.raises(SwappedRowError):
        threads.read_thread({**dict(row), "report": uuid.uuid4()}, SECRET)


def test_a_thread_of_the_first_version_is_still_read() -> None:
    thread, report = uuid.uuid4(), uuid.uuid4()
    sealed = SECRET.seal(Row("threads", thread.bytes + report.bytes, 1), str(OLHA).encode())
    row = {"id": thread, "report": report, "version": 1, "sealed": sealed}
    assert threads.read_thread(row, SECRET) == threads.Thread(OLHA)


# ---- the end of a withdrawn report ------------------------------------------------------------------


async def agrees(url: str, report: uuid.UUID, member: uuid.UUID) -> None:
    desk = engine(url)
    try:
        async with desk.begin() as session:
            await returning.agree_to_shred(session, report, member, NOW)
    finally:
        await desk.dispose()


async def test_only_what_was_withdrawn_can_be_agreed_on(
    bot: asyncpg.Connection, superuser: asyncpg.Connection, fresh_database: Any
) -> None:
    receipt, url = await sent(bot), fresh_database.url(roles.CONSOLE)
    with pytest.raises(NotEndingError):
        await agrees(url, receipt.report, SWIFT)
    await returning.withdraw(bot, receipt.report, NOW)
    for _ in range(2):
        await agrees(url, receipt.report, SWIFT)
    kinds = [leaf["kind"] for leaf in await custody.history(superuser, str(receipt.report))]
    assert kinds == ["receipt", "withdrawn", "agreed to shred"]  # said twice, it counts once


async def test_shredding_waits_for_14_days_and_two_people(
    bot: asyncpg.Connection, superuser: asyncpg.Connection, fresh_database: Any, tmp_path: Path
) -> None:
    blobs = Blobs.open(str(tmp_path / "blobs"))
    receipt, other = await sent(bot), await sent(bot)
    blob = (await blobs.put(_some())).name
    body = await superuser.fetchval("SELECT id FROM bodies WHERE report = $1", receipt.report)
    await superuser.execute(
        "INSERT INTO files VALUES (gen_random_uuid(), $1, $2, $3, sha256(''), 1, 1, 'team')",
        receipt.report,
        body,
        blob,
    )
    url = fresh_database.url(roles.CONSOLE)

    async def left_after(change: str = "") -> int:
        if change:
            await superuser.execute(change)
        async with database.pool(fresh_database.url(roles.KEEPER), size=1) as connections:
            await keeper.shred_due(connections, blobs, Ledger(tmp_path / "erasures.ndjson"), NOW)
        return int(await superuser.fetchval("SELECT count(*) FROM bodies"))

    await returning.withdraw(bot, receipt.report, NOW)
    await agrees(url, receipt.report, SWIFT)
    assert (
        await left_after(
            "UPDATE reports SET withdrawn_hour = now() - interval '20 days' WHERE withdrawn_hour IS NOT NULL"
        )
        == 2
    )
    await agrees(url, receipt.report, HERON)
    withdrawn = "UPDATE reports SET withdrawn_hour = now() - interval '{}' WHERE withdrawn_hour IS NOT NULL"
    assert await left_after(withdrawn.format("13 days 23 hours")) == 2
    assert await left_after(f"{withdrawn.format('14 days')}; UPDATE reports SET hold = true") == 2
    assert [name async for name, _ in blobs.list_older_than(datetime.now(UTC) + timedelta(days=1))] == [blob]
    assert await left_after("UPDATE reports SET hold = false") == 1
    assert await left_after() == 1
    assert await superuser.fetchval("SELECT report FROM bodies") == other.report
    assert await superuser.fetchval("SELECT count(*) FROM files") == 0
    assert [name async for name, _ in blobs.list_older_than(datetime.now(UTC) + timedelta(days=1))] == []
    history = await custody.history(superuser, str(receipt.report))
    assert [leaf["kind"] for leaf in history][-1] == "shredded"
    assert (history[-1]["bodies"], history[-1]["files"]) == (1, 1)
    # The shell stays: its words open nothing, and nothing new can be read from it.
    assert await superuser.fetchval("SELECT count(*) FROM reports") == 2
    assert await returning.find(bot, mac(receipt)) is None


async def _some() -> AsyncIterator[bytes]:
    yield b"sealed"


async def test_a_file_that_came_after_shredding_goes_too(
    bot: asyncpg.Connection, superuser: asyncpg.Connection, fresh_database: Any, tmp_path: Path
) -> None:
    receipt, url = await sent(bot), fresh_database.url(roles.CONSOLE)
    await returning.withdraw(bot, receipt.report, NOW)
    for member in KEYS:
        await agrees(url, receipt.report, member)
    await superuser.execute("UPDATE reports SET withdrawn_hour = now() - interval '15 days'")
    async with database.pool(fresh_database.url(roles.KEEPER), size=1) as connections:
        blobs = Blobs.open(str(tmp_path / "blobs"))
        await keeper.shred_due(connections, blobs, Ledger(tmp_path / "erasures.ndjson"), NOW)
        await submission.add(bot, receipt.report, {"language": "uk"}, [], key=TEAM_KEY, now=NOW)
        assert await superuser.fetchval("SELECT count(*) FROM bodies") == 1
        await keeper.shred_due(connections, blobs, Ledger(tmp_path / "erasures.ndjson"), NOW)
    assert await superuser.fetchval("SELECT count(*) FROM bodies") == 0


# ---- the relay identity -----------------------------------------------------------------------------


def test_the_relay_identity_is_made_once_for_its_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "bot" / replies.RELAY
    made = replies.relay_identity(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert str(replies.relay_identity(path).recipient) == str(made.recipient)
    assert list(path.parent.iterdir()) == [path]
    path.chmod(0o640)
    with pytest.raises(SettingError, match="its user alone"):
        replies.relay_identity(path)


@pytest.mark.parametrize("content", [b"", b"AGE-SECRET-KEY-PQ-1NONSENSE", bytes(range(128, 160))])
def test_a_file_that_is_no_relay_identity_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / replies.RELAY
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SettingError, match="is not a relay identity"):
        replies.relay_identity(path)
