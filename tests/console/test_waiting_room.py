"""What looks scripted waits apart, as a whole: seen in one line, counted by the clocks, let in by whoever works."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from storage import roles
from tests.console.conftest import Served, Team, rows


async def waits(superuser: asyncpg.Connection, *reports: uuid.UUID) -> None:
    """As intake marks them."""
    await superuser.execute("UPDATE reports SET waiting_room = true WHERE id = ANY($1)", list(reports))


async def let_in(served: Served) -> list[str]:
    """Which reports the log says were let in."""
    kept = await rows(served.database.url(roles.CONSOLE), "SELECT leaf FROM custody_leaves ORDER BY id")
    told = [json.loads(row["leaf"]) for row in kept]
    return [leaf["object"] for leaf in told if leaf["kind"] == "let in"]


async def test_a_flood_is_one_line_above_the_queue_and_opens_as_a_whole(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    honest = await team.takes_report()
    flood = [await team.takes_report(urgency="critical") for _ in range(2)] + [await team.takes_report()]
    await waits(superuser, *flood)
    swift = await person("swift")
    queue = (await swift.opens("/queue")).text
    assert "Waiting room: 3 (critical: 2, the first: " in queue
    assert [str(report) in queue for report in (honest, *flood)] == [True, False, False, False]
    room = (await swift.opens("/queue?view=waiting_room")).text
    assert [str(report) in room for report in (honest, *flood)] == [False, True, True, True]


async def test_its_clocks_run_and_are_counted(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    late = await team.takes_report(urgency="critical", at=datetime.now(UTC) - timedelta(hours=3))
    await waits(superuser, late)
    assert "Overdue: 1" in (await (await person("swift")).opens("/queue")).text


async def test_the_next_report_is_never_taken_from_the_waiting_room(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    honest = await team.takes_report(urgency="normal")
    await waits(superuser, await team.takes_report(urgency="critical"))
    swift = await person("swift")
    assert (await swift.posts("/queue/next")).path == f"/reports/{honest}"
    assert "Nothing is waiting" in (await swift.posts("/queue/next")).text


async def test_all_are_let_in_with_their_clocks_and_a_leaf_each(
    served: Served, team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    flood = [await team.takes_report() for _ in range(3)]
    due = await superuser.fetch("SELECT id, due_at FROM reports ORDER BY id")
    await waits(superuser, *flood)
    page = await (await person("heron", "lead")).posts("/queue/waiting-room")
    assert "Waiting room" not in page.text
    assert all(f"/reports/{report}" in page.text for report in flood)
    assert await superuser.fetch("SELECT id, due_at FROM reports ORDER BY id") == due
    assert sorted(await let_in(served)) == sorted(map(str, flood))


async def test_one_is_let_in_and_the_others_wait_on(
    served: Served, team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    one, other = await team.takes_report(), await team.takes_report()
    await waits(superuser, one, other)
    swift = await person("swift")
    for _ in range(2):  # a button pressed twice lets nobody else in
        room = (await swift.posts(f"/reports/{one}/let-in")).text
        assert (str(one) in room, str(other) in room) == (False, True)
    assert await let_in(served) == [str(one)]


async def test_who_claims_a_report_there_takes_it_out(
    served: Served, team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    await waits(superuser, report)
    swift = await person("swift")
    await swift.posts(f"/reports/{report}/claim")
    await swift.posts(f"/reports/{report}/release")
    queue = (await swift.opens("/queue")).text
    assert f"/reports/{report}" in queue
    assert "Waiting room" not in queue
    assert await let_in(served) == []  # its leaf says that it was claimed


async def test_a_flood_does_not_lengthen_what_is_read_for_the_queue(
    team: Team, superuser: asyncpg.Connection
) -> None:
    for _ in range(3):
        await team.takes_report()
    plan = "\n".join(
        row[0]
        for row in await superuser.fetch(
            "EXPLAIN SELECT id FROM reports WHERE compartment = 'team' AND status <> 'closed' AND NOT waiting_room"
            " AND due_at IS NOT NULL ORDER BY due_at LIMIT 50"
        )
    )
    assert "reports_by_clock" in plan
