"""A report's time ends by the policy: warned of before, stopped by a hold, done by two people, on record."""

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg

from admin import keeper
from storage import custody, database, retention, roles
from storage.erasures import Ledger
from tests.console.conftest import NAME, Person, Team

AGREE, HOLD, LIFT = "Agree to shred", "Hold it against shredding", "Lift the hold"


async def closed(team: Team, member: Person, why: str = "hostile") -> uuid.UUID:
    report = await team.takes_report()
    await member.posts(f"/reports/{report}/status", change=f"close:{why}", seen="new")
    return report


async def keeper_passes(team: Team) -> None:
    """Every job of the keeper that touches the end of reports, once."""
    async with database.pool(team.database.url(roles.KEEPER), size=1) as connections:
        async with connections.acquire() as connection:
            await retention.mark(connection, retention.DEFAULT, datetime.now(UTC))
        await keeper.shred_due(
            connections, team.blobs, Ledger(team.folder / "erasures.ndjson"), datetime.now(UTC)
        )


async def last_day(superuser: asyncpg.Connection, report: uuid.UUID) -> date | None:
    found: date | None = await superuser.fetchval("SELECT retain_until FROM reports WHERE id = $1", report)
    return found


async def ends_in(superuser: asyncpg.Connection, report: uuid.UUID, days: int) -> None:
    day = datetime.now(UTC).date() + timedelta(days=days)
    await superuser.execute("UPDATE reports SET retain_until = $2 WHERE id = $1", report, day)


async def bodies(superuser: asyncpg.Connection, report: uuid.UUID) -> int:
    return int(await superuser.fetchval("SELECT count(*) FROM bodies WHERE report = $1", report))


async def kinds(superuser: asyncpg.Connection, report: uuid.UUID) -> list[str]:
    told = {"retention", "hold set", "hold lifted", "agreed to shred", "took back agreement", "shredded"}
    return [leaf["kind"] for leaf in await custody.history(superuser, str(report)) if leaf["kind"] in told]


async def test_a_hostile_report_ends_after_a_year_by_two_people(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    swift, owl = await person("swift", "lead"), await person("owl", "safeguarding")
    report = await closed(team, swift)
    other = await closed(team, swift, "no answer")
    await keeper_passes(team)
    assert await last_day(superuser, report) == datetime.now(UTC).date() + timedelta(days=365)
    assert await last_day(superuser, other) is None
    ending = (await swift.opens("/queue?view=ending")).text
    assert (str(report) in ending, str(other) in ending) == (True, False)
    page = (await swift.opens(f"/reports/{report}")).text
    assert "Its time ends" in page
    assert AGREE not in page
    assert "too early" in (await swift.posts(f"/reports/{report}/shred")).text

    await ends_in(superuser, report, 10)
    assert AGREE in (await swift.opens(f"/reports/{report}")).text
    await swift.posts(f"/reports/{report}/shred")
    await owl.posts(f"/reports/{report}/shred")
    await keeper_passes(team)
    assert await bodies(superuser, report) == 1  # its last day is not past

    await ends_in(superuser, report, -1)
    await keeper_passes(team)
    assert (await bodies(superuser, report), await bodies(superuser, other)) == (0, 1)
    page = (await swift.opens(f"/reports/{report}")).text
    assert NAME not in page
    assert "shredded" in page
    assert await kinds(superuser, report) == ["retention", "agreed to shred", "agreed to shred", "shredded"]


async def test_one_person_ends_nothing(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    swift, wren = await person("swift", "lead"), await person("wren")
    report = await closed(team, swift)
    await ends_in(superuser, report, -1)
    await swift.posts(f"/reports/{report}/shred")
    await swift.posts(f"/reports/{report}/shred")
    assert (await wren.posts(f"/reports/{report}/shred")).status == 403
    await keeper_passes(team)
    assert await bodies(superuser, report) == 1


async def test_a_hold_stops_it_until_it_is_lifted(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    """And then two people look at it anew: what was agreed before the hold counts no more."""
    swift, owl, wren = (
        await person("swift", "lead"),
        await person("owl", "safeguarding"),
        await person("wren"),
    )
    report = await closed(team, swift)
    await ends_in(superuser, report, -1)
    await swift.posts(f"/reports/{report}/shred")
    assert HOLD in (await owl.opens(f"/reports/{report}")).text
    assert HOLD not in (await wren.opens(f"/reports/{report}")).text
    assert (await wren.posts(f"/reports/{report}/hold", why="court")).status == 403
    assert (await owl.posts(f"/reports/{report}/hold", why="because")).status == 409
    await owl.posts(f"/reports/{report}/hold", why="court")
    assert (await swift.posts(f"/reports/{report}/hold", why="court")).status == 409  # it is held already
    page = (await owl.opens(f"/reports/{report}")).text
    assert "It is held" in page
    assert AGREE not in page
    refused = await owl.posts(f"/reports/{report}/shred")
    assert (refused.status, "held against shredding" in refused.text) == (409, True)
    for someone in (swift, owl):
        await superuser.execute(
            "INSERT INTO shred_agreements VALUES ($1, $2, now())", report, someone.who.member
        )
    await keeper_passes(team)
    assert await bodies(superuser, report) == 1  # not even with two who agreed
    await superuser.execute("DELETE FROM shred_agreements")

    await swift.posts(f"/reports/{report}/hold/lift")
    await swift.posts(f"/reports/{report}/shred")
    await keeper_passes(team)
    assert await bodies(superuser, report) == 1  # the one agreement of before the hold is gone
    await owl.posts(f"/reports/{report}/shred")
    await keeper_passes(team)
    assert await bodies(superuser, report) == 0
    assert await kinds(superuser, report) == [
        "agreed to shred", "hold set", "took back agreement", "hold lifted", "agreed to shred", "agreed to shred",
        "shredded",
    ]  # fmt: skip


async def test_what_is_taken_up_again_is_not_shredded_by_what_was_agreed_before(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    swift, owl = await person("swift", "lead"), await person("owl", "safeguarding")
    report = await closed(team, swift)
    await ends_in(superuser, report, 10)
    await swift.posts(f"/reports/{report}/shred")
    await owl.posts(f"/reports/{report}/shred")
    await swift.posts(f"/reports/{report}/status", change="reopen:new information", seen="closed")
    await ends_in(superuser, report, -1)  # the day passes before the keeper has looked
    async with database.pool(team.database.url(roles.KEEPER), size=1) as connections:
        await keeper.shred_due(
            connections, team.blobs, Ledger(team.folder / "erasures.ndjson"), datetime.now(UTC)
        )
    assert await bodies(superuser, report) == 1
    await swift.posts(f"/reports/{report}/status", change="close:hostile", seen="in triage")
    await ends_in(superuser, report, -1)
    await keeper_passes(team)
    assert await bodies(superuser, report) == 1  # nobody was asked since it was closed again


async def test_a_report_that_is_taken_up_again_has_no_last_day(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    swift = await person("swift", "lead")
    report = await closed(team, swift)
    await keeper_passes(team)
    assert await last_day(superuser, report)
    await swift.posts(f"/reports/{report}/status", change="reopen:new information", seen="closed")
    await keeper_passes(team)
    assert await last_day(superuser, report) is None
    assert await kinds(superuser, report) == ["retention", "retention"]
