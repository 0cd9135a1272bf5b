"""A report from a place that has a compartment of its own goes there, whole, and opens with that key alone."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from bot import downloads, fetching
from rehearsal.driver import Person
from seal import HybridIdentity, WrongKeyError, open_bytes
from storage.bodies import open_body
from tests.line import stories
from tests.line.kit import Line, Team, until

IN_KHERSON_OBLAST = "Oleshky, Khersonskyi Raion, Kherson Oblast"  # its codes begin with UA65


@pytest.fixture
async def team(fresh_database: Any) -> Team:
    """A team that has the south apart, and who came to Belarus."""
    team = Team(fresh_database, places={"UA65": "south", "BY": "north"})
    team.apart |= {name: HybridIdentity.generate() for name in ("south", "north")}
    await team.holds_ceremony()
    return team


async def begins_with_the_name(person: Person) -> None:
    await stories.begins(person)
    await person.taps("My family, or in my care")
    await person.taps("I do not know where")
    await person.sees("What is the child’s name?")


async def tells_the_rest(person: Person, place: str, *, chosen: str = "") -> None:
    """From the name to the receipt; nothing is said of photos."""
    await person.sends("Olena Vyhadana")
    await person.taps("8")
    await person.taps("Girl")
    await person.sees("Where was the child taken from?")
    await person.sends(place)
    if chosen:
        await person.sees("Which of these places?")
        await person.taps(chosen)
    await person.sees("When was the child taken?")
    await person.sends("autumn 2022")
    await person.sees("send as many as you have")
    await person.taps("Skip")
    await stories.shares(person)
    await stories.sends_it(person)


async def fetched(team: Team, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(team.database.superuser_url)
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()


def opens(identity: HybridIdentity, row: asyncpg.Record) -> bool:
    try:
        open_body(["report", "addition"], row["id"], row["number"], row["sealed"], [identity])
    except WrongKeyError:
        return False
    return True


async def test_a_report_from_an_oblast_with_its_own_compartment_opens_with_its_key_only(line: Line) -> None:
    olha = line.person("Olha")
    await begins_with_the_name(olha)
    await tells_the_rest(olha, "Oleshky", chosen=IN_KHERSON_OBLAST)

    (report,) = await line.team.reports()
    assert report["compartment"] == "south"
    (place,) = [answer for answer in report["answers"]["answers"] if answer["step"] == "place"]
    assert place["understood"]["place"].startswith("UA65")
    (body,) = await fetched(line.team, "SELECT * FROM bodies")
    keys = {"team": line.team.identity, **line.team.apart}
    assert [name for name, identity in keys.items() if opens(identity, body)] == ["south"]


async def test_a_place_that_is_only_typed_leaves_the_report_with_the_team(line: Line) -> None:
    olha = line.person("Olha")
    await begins_with_the_name(olha)
    await tells_the_rest(olha, "a boarding school beyond the river")
    (report,) = await line.team.reports()
    assert report["compartment"] == "team"


async def test_what_came_before_the_place_was_named_is_listed_in_the_report_with_its_own_key(
    line: Line,
) -> None:
    olha = line.person("Olha")
    await begins_with_the_name(olha)
    photo = stories.picture("teal")
    await olha.sends_album([photo])
    await olha.sees("files: 1")
    await line.settles()
    await tells_the_rest(olha, "Oleshky", chosen=IN_KHERSON_OBLAST)
    (report,) = await line.team.reports()
    files = report["files"] + [file for more in report["additions"] for file in more["files"]]
    (file,) = files
    assert (report["compartment"], file["compartment"]) == ("south", "team")
    (row,) = await fetched(line.team, "SELECT id, blob, compartment FROM files")
    assert (row["id"], row["compartment"]) == (uuid.UUID(file["id"]), "team")
    sealed = b"".join([chunk async for chunk in line.app.blobs.get(row["blob"])])
    assert open_bytes(sealed, [line.team.identity])[: file["length"]]


async def test_what_is_still_on_its_way_joins_the_report_under_the_reports_own_key(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = asyncio.Event()

    async def fetched_later(*order: Any) -> AsyncIterator[bytes]:
        await sent.wait()
        async for chunk in fetching.original(*order):
            yield chunk

    monkeypatch.setattr(downloads, "original", fetched_later)
    olha = line.person("Olha")
    await begins_with_the_name(olha)
    await olha.sends_album([stories.picture("teal")])
    await olha.sees("files: 1")
    await tells_the_rest(olha, "Oleshky", chosen=IN_KHERSON_OBLAST)
    sent.set()

    async def joined() -> bool:
        return len(await fetched(line.team, "SELECT 1 FROM bodies")) == 2

    await until(joined)
    bodies = await fetched(line.team, "SELECT * FROM bodies")
    assert [opens(line.team.apart["south"], body) for body in bodies] == [True, True]
    assert not any(opens(line.team.identity, body) for body in bodies)
    (report,) = await line.team.reports()
    (addition,) = report["additions"]
    assert [file["compartment"] for file in addition["files"]] == ["team"]
