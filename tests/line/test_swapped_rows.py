"""Rows that somebody moved in the database are refused by name, told in the log, and the line goes on."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from bot import parked, upkeep
from rehearsal.driver import Person
from seal import HybridIdentity
from storage import manifest, submission
from storage.errors import BadSignatureError, OldManifestError, SwappedRowError
from storage.intake import Outgoing
from tests.line import stories
from tests.line.kit import Line, running

GREETING = "Please choose a language."


@pytest.fixture
async def attacker(fresh_database: Any) -> AsyncIterator[asyncpg.Connection]:
    """Somebody who may change every row, past every trigger, and has no secret."""
    connection = await asyncpg.connect(fresh_database.superuser_url)
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


async def exchange(attacker: asyncpg.Connection, table: str, key: str) -> None:
    """What is sealed in the two rows of a table changes places, each with its salt, day and version."""
    await attacker.execute(
        f"""UPDATE {table} t SET version = o.version, day = o.day, salt = o.salt, sealed = o.sealed
            FROM {table} o WHERE o.{key} <> t.{key}"""
    )


async def refusals(attacker: asyncpg.Connection) -> list[str]:
    """What the log says was refused."""
    leaves = [json.loads(row["leaf"]) for row in await attacker.fetch("SELECT leaf FROM custody_leaves")]
    return [leaf["what"] for leaf in leaves if leaf["kind"] == "refused"]


async def begins_two(line: Line) -> tuple[Person, Person]:
    people = line.person("Olha"), line.person("Petro")
    for person, name in zip(people, ("Olenka", "Petryk"), strict=True):
        await stories.begins(person)
        await stories.tells_the_core(person, name=name)
    await line.settles()
    return people


async def reports_anew(line: Line, person: Person, name: str) -> None:
    """A whole report, from /start to the receipt."""
    await stories.begins(person)
    await stories.tells_the_core(person, name=name)
    await person.taps("Skip")
    await stories.shares(person)
    await stories.sends_it(person)
    names = [
        answer["words"]
        for report in await line.team.reports()
        for answer in report["answers"]["answers"]
        if answer["step"] == "name"
    ]
    assert [name] in names


def told(logs: Any, event: str) -> set[str]:
    return {entry["error"] for entry in logs if entry["event"] == event}


async def test_drafts_of_two_persons(line: Line, attacker: asyncpg.Connection) -> None:
    olha, petro = await begins_two(line)
    await exchange(attacker, "drafts", "id")
    with capture_logs() as logs:
        for person in (olha, petro):
            await person.taps("Skip")
            shown = await person.sees(GREETING)
            assert "Petryk" not in shown.text
    assert told(logs, "row_refused") == {"SwappedRowError"}
    for message in await olha.everything_seen():
        assert "Petryk" not in message.text
    await reports_anew(line, olha, "Olenka")
    await reports_anew(line, petro, "Petryk")


async def test_message_ids_of_two_chats(line: Line, attacker: asyncpg.Connection) -> None:
    """The card of a chat is lost with its row; a new one comes, and another chat is never written to or swept."""
    olha, petro = await begins_two(line)
    await exchange(attacker, "message_ids", "chat")
    with capture_logs() as logs:
        await olha.taps("Skip")
        await olha.sees("may we pass this to those who search for children")
        await attacker.execute("UPDATE message_ids SET sweep_at = now() - interval '1 hour'")
        await upkeep.sweep(line.app.intake, line.app.delivery)
        await line.settles()
    assert told(logs, "row_refused") == {"SwappedRowError"}
    (card,) = await petro.chat()
    assert "send as many as you have" in card.text
    await petro.taps("Skip")
    await petro.sees("may we pass this to those who search for children")


async def test_messages_that_wait_to_be_sent(line: Line, attacker: asyncpg.Connection) -> None:
    olha, petro = await begins_two(line)
    for person, words in ((olha, "about Olenka"), (petro, "about Petryk")):
        own = await person.id()
        chat = line.app.intake.chat(own)
        async with line.app.intake.visit(chat, own) as visit:
            shown = {"text": words, "buttons": [], "tag": ""}
            visit.send(Outgoing(own, show=shown), at=line.app.intake.now() + timedelta(days=1))
    await attacker.execute("UPDATE outgoing t SET chat = o.chat FROM outgoing o WHERE o.id <> t.id")
    with capture_logs() as logs:
        await attacker.execute("UPDATE outgoing SET not_before = now() - interval '1 s'")
        await line.app.delivery.recover()
        await line.settles()
        for person in (olha, petro):
            await person.taps("Skip")
            await person.sees("may we pass this to those who search for children")
    assert told(logs, "outgoing_refused") == {"SwappedRowError"}
    for person in (olha, petro):
        assert [one for one in await person.everything_seen() if one.text.startswith("about")] == []


async def test_files_that_are_on_their_way(line: Line, attacker: asyncpg.Connection) -> None:
    olha, petro = await begins_two(line)
    await line.rehearsal.driver.fault("server_error", method="getFile")
    for person in (olha, petro):
        await person.sends_file("paper.txt", b"invented for " + person.name.encode())
        await person.sees("files: 1")
        await person.taps("Done")
    await exchange(attacker, "downloads", "id")
    with capture_logs() as logs:
        await line.rehearsal.driver.clear_faults()
        for person in (olha, petro):
            await stories.shares(person)
            await stories.sends_it(person)  # the report is not held up
        await attacker.execute(
            "UPDATE downloads SET not_before = now() - interval '1 s', leased_until = NULL"
        )
        while await attacker.fetchval("SELECT count(*) FROM downloads"):
            await line.app.downloads.recover()
            await asyncio.sleep(0.02)
    assert told(logs, "download_refused") == {"SwappedRowError"}
    for report in await line.team.reports():
        assert report["files"] == report["additions"] == []  # nobody's file is in another's report


async def test_a_parked_update(line: Line, attacker: asyncpg.Connection) -> None:
    for person in (line.person("Olha"), line.person("Petro")):
        own = await person.id()
        message = {
            "message_id": 900,
            "date": "never",
            "chat": {"id": own, "type": "private"},
            "text": "words",
        }
        await person.sends_raw({"message": message})
        await person.sees("This message could not be read yet.")
    await attacker.execute("UPDATE parked t SET sealed = o.sealed FROM parked o WHERE o.id <> t.id")
    found = await parked.read(line.app.intake)
    assert [one.raw for one in found] == [None, None]
    assert await parked.retry(line.app.intake, line.app.updates) == (0, 2)


async def test_a_recipient_in_the_manifest(line: Line, attacker: asyncpg.Connection) -> None:
    """A running bot goes on sealing to the key it trusts; one that starts does not start."""
    mine = HybridIdentity.generate()
    row = await attacker.fetchrow("SELECT * FROM manifests")
    body = row["body"].replace(str(line.team.identity.recipient).encode(), str(mine.recipient).encode())
    assert body != row["body"]
    await attacker.execute("UPDATE manifests SET body = $1", body)
    for _ in range(3):
        with pytest.raises(BadSignatureError):
            await line.app.trust.read()
    assert await refusals(attacker) == ["changed manifest"]
    await reports_anew(line, line.person("Olha"), "Olenka")  # and the team opens it
    with pytest.raises(BadSignatureError):
        async with running(line.settings):
            pass


async def test_an_older_manifest_put_back(line: Line, attacker: asyncpg.Connection) -> None:
    first = line.app.trust.current()
    second = first.model_copy(update={"serial": 2})
    await manifest.keep(attacker, second, manifest.sign(second, line.team.ceremony))
    await line.app.trust.read()
    await attacker.execute("DELETE FROM manifests WHERE serial = 2")
    for _ in range(3):
        with pytest.raises(OldManifestError):
            await line.app.trust.read()
    assert await refusals(attacker) == ["old manifest"]
    assert line.app.trust.current() == second
    with pytest.raises(OldManifestError):
        async with running(line.settings):
            pass


async def test_the_address_of_a_thread(line: Line, attacker: asyncpg.Connection) -> None:
    people = await begins_two(line)
    for person in people:
        await person.taps("Skip")
        await stories.shares(person)
        await stories.sends_it(person)
    reports: list[uuid.UUID] = [row["id"] for row in await attacker.fetch("SELECT id FROM reports")]
    intake = line.app.intake
    async with intake.connections.acquire() as connection:
        addresses = {await submission.thread_address(connection, report, intake.secret) for report in reports}
        assert addresses == {await person.id() for person in people}
        await attacker.execute("UPDATE threads t SET sealed = o.sealed FROM threads o WHERE o.id <> t.id")
        for report in reports:
            with pytest.raises(SwappedRowError):
                await submission.thread_address(connection, report, intake.secret)
