"""To add needs no words, so it tells nothing: the same cards at the same moment, whatever this chat has sent before."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot import settings as bot_settings
from rehearsal.driver import Person
from rehearsal.server import Rehearsal
from storage import returning
from tests.line.answering import Clock, Desk, has_sent, passes
from tests.line.kit import Line, Team, running, until_quiet

THANKS = "Thank you, it is with us"
MOMENT = timedelta(seconds=2)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))


@pytest.fixture
async def line(
    rehearsal: Rehearsal, team: Team, settings: bot_settings.BotSettings, clock: Clock
) -> AsyncIterator[Line]:
    async with running(settings, clock=clock) as app:
        yield Line(rehearsal, app, team, settings)


async def adds(line: Line, desk: Desk, person: Person) -> tuple[list[Any], list[tuple[timedelta, int]]]:
    """All that the bot sends until *Send* is taken, and what then waits: in how long, and the size of its row."""
    before = (await line.rehearsal.driver.calls())[-1]["number"]
    await person.sends("/start")
    await person.taps("English")
    await person.taps("Yes, let us begin. I am 18 or older")
    await person.taps("I want to add to what I sent before")
    await person.sends("She called on Sunday.")
    await person.sees("Kept.")
    await person.taps("Done")
    await person.taps("Send")
    await person.is_heard()
    await until_quiet(line)
    shown = [
        call["params"]["reply_markup"]
        for call in await line.rehearsal.driver.calls(after=before)
        if call["method"] in {"sendMessage", "editMessageText"}
        and int(call["params"]["chat_id"]) == await person.id()
    ]
    chat = line.app.intake.chat(await person.id())
    rows = await desk.sql(
        "SELECT not_before, length(sealed) AS size FROM outgoing WHERE chat = $1 ORDER BY place", chat
    )
    return shown, [(row["not_before"] - line.app.intake.now(), row["size"]) for row in rows]


async def test_what_is_added_is_acknowledged_alike_with_and_without_a_report(
    line: Line, clock: Clock
) -> None:
    desk = await Desk.opens(line)
    linked, withdrawn, never = (line.person(name) for name in ("Olha", "Vira", "Nina"))
    await linked.sends("/start")
    report = await has_sent(line, linked, answer_here=True)
    gone = await has_sent(line, withdrawn, answer_here=True)
    async with line.app.intake.connections.acquire() as connection, connection.transaction():
        assert await returning.withdraw(connection, gone.id, clock())
    told = [await adds(line, desk, person) for person in (linked, withdrawn, never)]
    assert told[0] == told[1] == told[2]
    shown, (waiting,) = told[0]
    assert len(shown) >= 4  # the buttons of each card; texts hold words to come back with, random for each
    assert waiting[0] == MOMENT
    passes(line, clock, MOMENT)
    await until_quiet(line)
    cards = [await person.sees(THANKS) for person in (linked, withdrawn, never)]
    assert cards[0].text == cards[1].text == cards[2].text
    for person in (linked, withdrawn, never):
        await person.sees_only(1)
    # What has a report joins it; else it is one of its own, whose words nobody was ever shown.
    rows = await desk.sql(
        "SELECT form, (SELECT count(*) FROM bodies b WHERE b.report = r.id) AS bodies FROM reports r WHERE id <> $1",
        gone.id,
    )
    assert sorted(tuple(row) for row in rows) == [("family", 2), ("later", 1), ("later", 1)]
    assert await desk.acts(report) == ["receipt", "addition"]
