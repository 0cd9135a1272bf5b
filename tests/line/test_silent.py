"""Who begins while the team is away is told so, before anything else; and everyone is told the same."""

from datetime import timedelta

import asyncpg

from tests.line.kit import Line

SAID = "The team last opened messages"


async def _nobody_came_for(line: Line, hours: int) -> None:
    connection = await asyncpg.connect(line.team.database.superuser_url)
    came = line.app.intake.now() - timedelta(hours=hours)
    try:
        await connection.execute(
            "INSERT INTO attendance VALUES ('team', $1)"
            " ON CONFLICT (compartment) DO UPDATE SET opened_hour = excluded.opened_hour",
            came,
        )
    finally:
        await connection.close()
    await line.app.attendance.read()


async def _begins(line: Line, name: str) -> str:
    person = line.person(name)
    await person.sends("/start")
    await person.taps("English")
    return (await person.sees("You may skip anything.")).text


async def test_when_nobody_has_opened_the_queue_for_long_the_first_screen_says_so(line: Line) -> None:
    await _nobody_came_for(line, 50)
    first = await _begins(line, "Olha")
    assert first.startswith(f"{SAID} 50 hours ago.")
    assert "We cannot protect your phone" in first  # what must be read stands whole below it
    assert await _begins(line, "Taras") == first


async def test_while_somebody_looks_nothing_is_said_of_it(line: Line) -> None:
    assert SAID not in await _begins(line, "Olha")  # a line that nobody has opened yet
    await _nobody_came_for(line, 47)
    assert SAID not in await _begins(line, "Taras")
