"""What a reporter withdrew is frozen at once, and goes when 14 days have passed and two members agreed."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from admin import keeper
from storage import database, returning, roles
from storage.erasures import Ledger
from tests.console.conftest import NAME, Person, Served, Team, picture, rows

AGREE = "Agree to shred"
TAKE_BACK = "Take my agreement back"


async def withdrawn(team: Team, superuser: asyncpg.Connection, *, days: int, file: bool = False) -> uuid.UUID:
    """A report that was withdrawn so many days ago."""
    report = await team.takes_report(*([await team.file(picture())] if file else []))
    await returning.withdraw(team.bot, report, datetime.now(UTC))
    await superuser.execute(
        "UPDATE reports SET withdrawn_hour = withdrawn_hour - $2::interval WHERE id = $1",
        report,
        timedelta(days=days),
    )
    return report


async def told(served: Served) -> list[tuple[str, str]]:
    """The acts on the end of reports: kind and actor."""
    kept = await rows(served.database.url(roles.CONSOLE), "SELECT leaf FROM custody_leaves ORDER BY id")
    leaves = [json.loads(row["leaf"]) for row in kept]
    kinds = {"withdrawn", "agreed to shred", "took back agreement", "shredded"}
    return [(leaf["kind"], leaf["actor"]) for leaf in leaves if leaf["kind"] in kinds]


async def keeper_passes(team: Team) -> None:
    async with database.pool(team.database.url(roles.KEEPER), size=1) as connections:
        await keeper.shred_due(
            connections, team.blobs, Ledger(team.folder / "erasures.ndjson"), datetime.now(UTC)
        )


async def agrees(someone: Person, report: uuid.UUID) -> str:
    return str((await someone.posts(f"/reports/{report}/shred")).text)


async def test_a_withdrawn_report_is_marked_and_frozen(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    report = await withdrawn(team, superuser, days=0)
    other = await team.takes_report()
    swift = await person("swift", "lead")
    queue = (await swift.opens("/queue")).text
    marked = [row for row in queue.split("<tr") if ">withdrawn<" in row]
    assert len(marked) == 1
    assert str(report) in marked[0]
    page = (await swift.posts(f"/reports/{report}/claim")).text
    for sentence in (
        "Withdrawn by the reporter",
        "nothing is passed on",
        NAME,
        "It is possible to agree from",
    ):
        assert sentence in page
    for absent in (AGREE, TAKE_BACK, "Answer the reporter", "<textarea"):
        assert absent not in page
    refused = await swift.posts(f"/reports/{report}/answer", text="?", seen="0", do="send")
    assert refused.status == 409
    assert "has withdrawn this report" in refused.text
    assert "Withdrawn by the reporter" not in (await swift.opens(f"/reports/{other}")).text


async def test_two_members_agree_and_the_keeper_shreds(
    served: Served, team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    report = await withdrawn(team, superuser, days=15, file=True)
    swift, owl = await person("swift", "lead"), await person("owl", "safeguarding")
    assert AGREE in (await swift.opens(f"/reports/{report}")).text
    page = await agrees(swift, report)
    assert "Agreed: <strong>swift</strong>" in page
    assert AGREE not in page
    await agrees(swift, report)  # said twice, it counts once
    await keeper_passes(team)
    assert NAME in (await swift.opens(f"/reports/{report}")).text
    assert "<strong>owl</strong>" in await agrees(owl, report)
    await keeper_passes(team)
    page = (await swift.opens(f"/reports/{report}")).text
    assert "Shredded" in page
    for absent in (NAME, AGREE, TAKE_BACK, "Delete nothing"):
        assert absent not in page
    members = [str(one.who.member) for one in (swift, owl)]
    assert await told(served) == [
        ("withdrawn", "bot"),
        ("agreed to shred", members[0]),
        ("agreed to shred", members[1]),
        ("shredded", "keeper"),
    ]
    for path in ("shred", "shred/take-back"):
        assert (await swift.posts(f"/reports/{report}/{path}")).status == 409


async def test_an_agreement_is_taken_back_until_it_is_done(
    served: Served, team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    report = await withdrawn(team, superuser, days=15)
    swift, owl = await person("swift", "lead"), await person("owl", "lead")
    await agrees(swift, report)
    assert TAKE_BACK not in (await owl.opens(f"/reports/{report}")).text
    await owl.posts(f"/reports/{report}/shred/take-back")  # there is none of theirs
    assert TAKE_BACK in (await swift.opens(f"/reports/{report}")).text
    page = await swift.posts(f"/reports/{report}/shred/take-back")
    assert AGREE in page.text
    await agrees(owl, report)
    await keeper_passes(team)
    assert NAME in (await swift.opens(f"/reports/{report}")).text
    assert [kind for kind, _ in await told(served)] == [
        "withdrawn", "agreed to shred", "took back agreement", "agreed to shred",
    ]  # fmt: skip


@pytest.mark.parametrize(("days", "sentence"), [(13, "too early"), (None, "changed this report meanwhile")])
async def test_nobody_agrees_before_its_time_or_on_what_stands(
    days: int | None, sentence: str, served: Served, team: Team, superuser: asyncpg.Connection,
    person: Callable[..., Any],
) -> None:  # fmt: skip
    report = await team.takes_report() if days is None else await withdrawn(team, superuser, days=days)
    swift = await person("swift", "lead")
    page = await swift.posts(f"/reports/{report}/shred")
    assert page.status == 409
    assert sentence in page.text
    assert not [kind for kind, _ in await told(served) if kind == "agreed to shred"]


async def test_who_may_not_decide_sees_what_was_decided(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    report = await withdrawn(team, superuser, days=15)
    swift, wren = await person("swift", "lead"), await person("wren", "analyst")
    await agrees(swift, report)
    page = (await wren.opens(f"/reports/{report}")).text
    assert "Agreed: <strong>swift</strong>" in page
    assert AGREE not in page
    for path in ("shred", "shred/take-back"):
        assert (await wren.posts(f"/reports/{report}/{path}")).status == 403


async def test_a_withdrawn_report_that_somebody_emptied_is_no_shredded_one(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    report = await withdrawn(team, superuser, days=15)
    await superuser.execute("DELETE FROM bodies")
    page = await (await person("swift")).opens(f"/reports/{report}")
    assert page.status == 409
    assert "has no part at all" in page.text
