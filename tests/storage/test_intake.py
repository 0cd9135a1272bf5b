"""One update, one transaction: taken once, in its chat's order, and what somebody moved in the database is refused."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from seal import HybridIdentity
from storage import draft_files, roles, submission
from storage.database import Connection, pool
from storage.errors import LapsedError, SwappedRowError
from storage.intake import SWEEP_AFTER, Draft, Intake, MessageIds, Outgoing, day_sealed
from storage.manifest import Compartment
from storage.secrets import DaySecrets, ProcessSecret, Row

NOON = datetime(2031, 5, 6, 12, tzinfo=UTC)
OLHA, PETRO = 111_222_333, 444_555_666
TTL = timedelta(days=30)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def intake(fresh_database: Any, tmp_path: Path, clock: Clock) -> AsyncIterator[Intake]:
    async with pool(fresh_database.url(roles.BOT)) as connections:
        secret, days = ProcessSecret.at(tmp_path / "secret"), DaySecrets(tmp_path / "days")
        yield Intake(connections, secret, days, now=clock, draft_ttl=TTL)


@pytest.fixture
async def attacker(fresh_database: Any) -> AsyncIterator[asyncpg.Connection]:
    """Somebody who may change every row, past every trigger, and has no secret."""
    connection = await asyncpg.connect(fresh_database.superuser_url)
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


async def begins(intake: Intake, address: int, words: str) -> Draft:
    """A draft, a card, something to send and a file to fetch, in one visit."""
    draft = Draft(uuid.uuid4(), {"early": [words], "files": {}})
    async with intake.visit(intake.chat(address), address) as visit:
        visit.draft = draft
        visit.keep(draft)
        visit.messages = MessageIds(None, 7, "", {7: NOON.timestamp()}, visit.messages.version)
        visit.send(Outgoing(address, show={"text": words, "buttons": [], "tag": ""}))
        visit.downloads[uuid.uuid4()] = {"to": address, "file_id": words}
    return draft


async def swap(attacker: asyncpg.Connection, table: str, key: str, columns: str) -> None:
    """Exchanges these columns of the two rows of a table, everything else as it was."""
    one, other = await attacker.fetch(f"SELECT * FROM {table} ORDER BY {key}")
    names = columns.split(", ")
    await attacker.execute(f"DELETE FROM {table}")
    for row, source in ((one, other), (other, one)):
        new = {**dict(row), **{name: source[name] for name in names}}
        listed = ", ".join(f'"{name}"' for name in new)
        marks = ", ".join(f"${place}" for place in range(1, len(new) + 1))
        await attacker.execute(
            f"INSERT INTO {table} ({listed}) OVERRIDING SYSTEM VALUE VALUES ({marks})", *new.values()
        )


# ---- once, whole, in order ----------------------------------------------------------------------


async def test_an_update_is_taken_once(intake: Intake) -> None:
    async with intake.take(1, OLHA) as visit:
        assert visit is not None
    async with intake.take(1, OLHA) as again:
        assert again is None
    async with intake.take(2, OLHA) as other:
        assert other is not None


async def test_the_same_update_twice_at_once_is_taken_once(intake: Intake) -> None:
    async def take() -> bool:
        async with intake.take(1, OLHA) as visit:
            return visit is not None

    assert sorted(await asyncio.gather(*(take() for _ in range(6)))) == [False] * 5 + [True]


async def test_what_fails_leaves_nothing_and_may_come_again(
    intake: Intake, attacker: asyncpg.Connection
) -> None:
    async def fails() -> None:
        async with intake.take(1, OLHA) as visit:
            assert visit is not None
            visit.keep(Draft(uuid.uuid4(), {"early": ["words"]}))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    for table in ("drafts", "updates_taken", "chats"):
        assert await attacker.fetchval(f"SELECT count(*) FROM {table}") == 0
    async with intake.take(1, OLHA) as again:
        assert again is not None


async def test_visits_of_one_chat_wait_for_each_other(intake: Intake) -> None:
    order = []
    inside = asyncio.Event()

    async def first() -> None:
        async with intake.take(1, OLHA):
            inside.set()
            order.append("first in")
            async with intake.take(2, PETRO):  # another chat does not wait
                order.append("other chat")
            order.append("first out")

    async def second() -> None:
        await inside.wait()
        async with intake.take(3, OLHA):
            order.append("second in")

    await asyncio.gather(first(), second())
    assert order == ["first in", "other chat", "first out", "second in"]


async def test_what_a_visit_leaves_the_next_one_finds(intake: Intake) -> None:
    draft = await begins(intake, OLHA, "about Olenka")
    async with intake.take(1, OLHA) as visit:
        assert visit is not None
        assert visit.draft is not None
        assert (visit.draft.id, visit.draft.data) == (draft.id, draft.data)
        assert visit.messages.card == 7
        assert visit.messages.address == OLHA
        assert not visit.queue_is_empty
    async with intake.take(2, PETRO) as other:
        assert other is not None
        assert other.draft is None
        assert other.messages.card is None


async def test_no_row_shows_what_it_holds(intake: Intake, attacker: asyncpg.Connection) -> None:
    await begins(intake, OLHA, "about Olenka")
    for table in ("chats", "drafts", "message_ids", "outgoing", "downloads", "updates_taken"):
        rows = repr([dict(row) for row in await attacker.fetch(f"SELECT * FROM {table}")])
        assert "Olenka" not in rows
        assert str(OLHA) not in rows


async def test_every_write_is_a_new_version_with_a_fresh_salt(
    intake: Intake, attacker: asyncpg.Connection
) -> None:
    await begins(intake, OLHA, "about Olenka")
    salts = []
    for number in range(3):
        salts.append(await attacker.fetchval("SELECT salt FROM drafts"))
        async with intake.take(number, OLHA) as visit:
            assert visit is not None
            assert visit.draft is not None
            visit.keep(visit.draft)
    assert len(set(salts)) == 3
    assert await attacker.fetchval("SELECT version FROM drafts") == 4


# ---- rows that somebody moved ----------------------------------------------------------------------


async def goes_on(intake: Intake, address: int, table: str) -> None:
    """The chat is served as if the row were not there, its refusal is told, and a new draft can be kept."""
    with capture_logs() as logs:
        async with intake.visit(intake.chat(address), address) as visit:
            assert (visit.draft if table == "drafts" else visit.messages.card) is None
            fresh = Draft(uuid.uuid4(), {"early": ["anew"], "files": {}})
            if visit.draft is None:
                visit.draft = fresh
                visit.keep(fresh)
            visit.messages.card = 9
    told = [(entry["event"], entry["table"], entry["error"]) for entry in logs]
    assert ("row_refused", table, "SwappedRowError") in told
    async with intake.visit(intake.chat(address), address) as visit:
        assert visit.draft is not None
        assert visit.messages.card == 9


@pytest.mark.parametrize("columns", ["sealed", "version, day, salt, sealed", "chat"])
async def test_drafts_swapped_between_chats_are_refused(
    columns: str, intake: Intake, attacker: asyncpg.Connection
) -> None:
    await begins(intake, OLHA, "about Olenka")
    await begins(intake, PETRO, "about Petryk")
    await swap(attacker, "drafts", "id", columns)
    for address in (OLHA, PETRO):
        await goes_on(intake, address, "drafts")


async def test_a_draft_given_to_another_chat_is_refused(intake: Intake, attacker: asyncpg.Connection) -> None:
    """Whoever writes to the bot and to its database cannot read in a chat of their own what others began."""
    await begins(intake, OLHA, "about Olenka")
    async with intake.visit(intake.chat(PETRO), PETRO):
        pass
    await attacker.execute("UPDATE drafts SET chat = $1", intake.chat(PETRO))
    with capture_logs() as logs:
        async with intake.visit(intake.chat(PETRO), PETRO) as visit:
            assert visit.draft is None
            assert visit.hidden == []
    assert [entry["error"] for entry in logs] == ["SwappedRowError"]


async def test_an_older_draft_under_a_newer_version_is_refused(
    intake: Intake, attacker: asyncpg.Connection
) -> None:
    await begins(intake, OLHA, "about Olenka")
    await attacker.execute("UPDATE drafts SET version = version + 1")
    await goes_on(intake, OLHA, "drafts")


@pytest.mark.parametrize("columns", ["sealed", "version, day, salt, sealed"])
async def test_message_ids_swapped_between_chats_are_refused(
    columns: str, intake: Intake, attacker: asyncpg.Connection
) -> None:
    await begins(intake, OLHA, "about Olenka")
    await begins(intake, PETRO, "about Petryk")
    await swap(attacker, "message_ids", "chat", columns)
    for address in (OLHA, PETRO):
        await goes_on(intake, address, "message_ids")


@pytest.mark.parametrize("columns", ["sealed", "version, day, salt, sealed", "chat"])
async def test_outgoing_messages_swapped_are_refused(
    columns: str, intake: Intake, attacker: asyncpg.Connection
) -> None:
    await begins(intake, OLHA, "about Olenka")
    await begins(intake, PETRO, "about Petryk")
    await swap(attacker, "outgoing", "id", columns)
    for row in await attacker.fetch("SELECT * FROM outgoing"):
        with pytest.raises(SwappedRowError):
            intake.days.open(Row("outgoing", row["id"].bytes + row["chat"], row["version"]), day_sealed(row))


@pytest.mark.parametrize("columns", ["sealed", "version, day, salt, sealed", "chat"])
async def test_downloads_swapped_are_refused(
    columns: str, intake: Intake, attacker: asyncpg.Connection
) -> None:
    await begins(intake, OLHA, "about Olenka")
    await begins(intake, PETRO, "about Petryk")
    await swap(attacker, "downloads", "id", columns)
    ids = [row["id"] for row in await attacker.fetch("SELECT id FROM downloads")]
    async with intake.connections.acquire() as connection, connection.transaction():
        for file in ids:
            with pytest.raises(SwappedRowError):
                await draft_files.read(intake, connection, file)
        # A report that is sent now goes without the file, and is not held up.
        await draft_files.hand_over(intake, connection, ids, uuid.uuid4(), compartment="team")


async def test_a_download_that_is_handed_over_still_opens(
    intake: Intake, attacker: asyncpg.Connection
) -> None:
    await begins(intake, OLHA, "about Olenka")
    file, report = await attacker.fetchval("SELECT id FROM downloads"), uuid.uuid4()
    async with intake.connections.acquire() as connection, connection.transaction():
        await draft_files.hand_over(intake, connection, [file], report, compartment="south")
        download = await draft_files.read(intake, connection, file)
    assert download is not None
    assert download.chat is None
    handed = {"report": str(report), "report_compartment": "south", "seen": []}
    assert download.job == {"to": OLHA, "file_id": "about Olenka", **handed}


async def test_a_chat_address_moved_to_another_report_is_refused(
    intake: Intake, attacker: asyncpg.Connection
) -> None:
    """An answer can never be sent to somebody else: thread, report and address are sealed together."""
    async with intake.connections.acquire() as connection:
        reports = [await _sends(connection, address, intake) for address in (OLHA, PETRO)]
        before = [await submission.thread_address(connection, report, intake.secret) for report in reports]
        assert before == [OLHA, PETRO]
        for columns in ("report", "sealed"):
            await swap(attacker, "threads", "id", columns)
            for report in reports:
                with pytest.raises(SwappedRowError):
                    await submission.thread_address(connection, report, intake.secret)
            await swap(attacker, "threads", "id", columns)  # and back
        await attacker.execute("DELETE FROM threads WHERE report = $1", reports[1])
        await attacker.execute("UPDATE threads SET report = $1", reports[1])
        with pytest.raises(SwappedRowError):
            await submission.thread_address(connection, reports[1], intake.secret)
        assert await submission.thread_address(connection, reports[0], intake.secret) is None


async def _sends(connection: Connection, address: int, intake: Intake) -> uuid.UUID:
    """A report whose sender may be answered in the chat."""
    given = submission.Given("family", 1, "normal", {}, (), answer_here=True, address=address)
    team = Compartment(epoch=1, recipient=str(HybridIdentity.generate().recipient))
    receipt = await submission.submit(
        connection, uuid.uuid4(), given, to=("team", team), secret=intake.secret, now=intake.now()
    )
    return receipt.report


# ---- days that have ended ------------------------------------------------------------------------


async def test_what_a_destroyed_day_sealed_stops_no_chat(
    intake: Intake, attacker: asyncpg.Connection, clock: Clock
) -> None:
    """The secrets may be gone before the rows are: lost with a disk, or destroyed by another process."""
    await begins(intake, OLHA, "about Olenka")
    row = await attacker.fetchrow("SELECT * FROM drafts")
    clock.at += timedelta(days=1)
    assert intake.days.destroy_before(clock.at.date()) == [NOON.date()]
    with pytest.raises(LapsedError):
        intake.days.open(Row("drafts", row["id"].bytes + intake.chat(OLHA), row["version"]), day_sealed(row))
    for number in (1, 2):
        async with intake.take(number, OLHA) as visit:
            assert visit is not None
            if number == 1:
                assert (visit.draft, visit.hidden, visit.messages.card) == (None, [], None)
                visit.draft = Draft(uuid.uuid4(), {"early": ["anew"], "files": {}})
                visit.keep(visit.draft)
            else:
                assert visit.draft is not None


def test_messages_are_swept_before_47_hours() -> None:
    ids = MessageIds(ids={5: (NOON + timedelta(hours=1)).timestamp(), 4: NOON.timestamp()})
    assert ids.sweep_at == NOON + SWEEP_AFTER
    assert timedelta(hours=47) > SWEEP_AFTER
    assert MessageIds().sweep_at is None


def test_an_outgoing_message_survives_its_json() -> None:
    one = Outgoing(5, {"text": "«так»", "buttons": [], "tag": "t"}, fresh=True, delete=(1, 2), only_if="x")
    assert Outgoing.from_json(json.loads(json.dumps(one.to_json()))) == one
