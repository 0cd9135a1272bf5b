"""Two analysts and a lead at one desk: who holds a report, what its status is, and what the log tells of it."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from storage import roles
from tests.console.conftest import Served, Team, rows


async def leaves(served: Served) -> list[dict[str, Any]]:
    kept = await rows(served.database.url(roles.CONSOLE), "SELECT leaf FROM custody_leaves ORDER BY id")
    return [json.loads(row["leaf"]) for row in kept]


async def report_row(served: Served, report: Any) -> dict[str, Any]:
    (row,) = await rows(served.database.url(roles.CONSOLE), "SELECT * FROM reports WHERE id = $1", report)
    return dict(row)


async def test_claiming_stops_the_clock_and_everyone_sees_who_holds_it(
    served: Served, team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report(urgency="critical")
    swift, owl = await person("swift"), await person("owl")
    page = await swift.posts(f"/reports/{report}/claim")
    assert page.path == f"/reports/{report}"
    assert "swift</span> (you)" in page.text
    row = await report_row(served, report)
    assert (row["status"], row["due_at"], row["locked_by"]) == ("in triage", None, swift.who.member)
    queue = await owl.opens("/queue")
    assert '<span class="held">swift</span>' in queue.text
    assert f"/reports/{report}/claim" not in queue.text
    refused = await owl.posts(f"/reports/{report}/claim")
    assert refused.status == 409
    assert "swift holds this report" in refused.text


async def test_two_claim_at_once_and_one_gets_it(
    served: Served, team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    people = [await person("swift"), await person("owl")]
    pages = await asyncio.gather(*(one.posts(f"/reports/{report}/claim") for one in people))
    assert sorted(page.status for page in pages) == [200, 409]
    assert [leaf["kind"] for leaf in await leaves(served)].count("claimed") == 1


async def test_taking_the_next_follows_the_clock_and_never_gives_one_report_twice(
    served: Served, team: Team, person: Callable[..., Any]
) -> None:
    now = datetime.now(UTC)
    calm = await team.takes_report(urgency="normal", at=now)
    late = await team.takes_report(urgency="normal", at=now - timedelta(hours=23))
    urgent = await team.takes_report(urgency="critical", at=now + timedelta(hours=1))
    swift, owl = await person("swift"), await person("owl")
    first, second = await asyncio.gather(swift.posts("/queue/next"), owl.posts("/queue/next"))
    assert {first.path, second.path} == {f"/reports/{late}", f"/reports/{urgent}"}
    assert (await swift.posts("/queue/next")).path == f"/reports/{calm}"
    nothing = await owl.posts("/queue/next")
    assert nothing.status == 409
    assert "Nothing is waiting" in nothing.text


async def test_a_hold_lapses_without_use_and_use_renews_it(
    served: Served, team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    swift, owl = await person("swift"), await person("owl")
    await swift.posts(f"/reports/{report}/claim")
    before = (await report_row(served, report))["locked_until"]
    await swift.opens(f"/reports/{report}")
    assert (await report_row(served, report))["locked_until"] > before
    served.clock.moves(minutes=29)
    assert (await owl.posts(f"/reports/{report}/claim")).status == 409
    await swift.opens("/queue")
    served.clock.moves(minutes=2)
    assert (await owl.posts(f"/reports/{report}/claim")).status == 200
    assert (await report_row(served, report))["assignee"] == owl.who.member


async def test_a_lead_takes_over_and_an_analyst_may_not(
    served: Served, team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    swift, owl, heron = await person("swift"), await person("owl"), await person("heron", "lead")
    await swift.posts(f"/reports/{report}/claim")
    assert (await owl.posts(f"/reports/{report}/take-over")).status == 403
    page = await heron.posts(f"/reports/{report}/take-over")
    assert "heron</span> (you)" in page.text
    assert (await report_row(served, report))["locked_by"] == heron.who.member
    (leaf,) = [leaf for leaf in await leaves(served) if leaf["kind"] == "taken over"]
    assert (leaf["actor"], leaf["before"]) == (str(heron.who.member), str(swift.who.member))


async def test_what_is_put_back_runs_again(served: Served, team: Team, person: Callable[..., Any]) -> None:
    report = await team.takes_report(urgency="high")
    swift, owl = await person("swift"), await person("owl")
    await swift.posts(f"/reports/{report}/claim")
    assert (await owl.posts(f"/reports/{report}/release")).status == 409
    assert (await swift.posts(f"/reports/{report}/release")).path == "/queue"
    row = await report_row(served, report)
    assert (row["assignee"], row["locked_by"], row["status"]) == (None, None, "in triage")
    assert timedelta(hours=3, minutes=30) < row["due_at"] - served.clock.now() <= timedelta(hours=4)
    assert (await owl.posts(f"/reports/{report}/claim")).status == 200


async def test_a_status_changes_with_its_reason_and_is_told(
    served: Served, team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    swift, owl = await person("swift"), await person("owl")
    await swift.posts(f"/reports/{report}/claim")
    address = f"/reports/{report}/status"
    page = await swift.posts(address, change="wait:question asked", seen="in triage")
    assert "waiting for reporter (a question was asked)" in page.text
    # Someone else, a page that is out of date, a step that leads nowhere, no reason, nonsense.
    assert (await owl.posts(address, change="close:hostile", seen="waiting for reporter")).status == 409
    assert (
        "changed this report meanwhile"
        in (await swift.posts(address, change="close:hostile", seen="new")).text
    )
    for change in ("wait:question asked", "close:", "close:because", "erase:hostile", ""):
        page = await swift.posts(address, change=change, seen="waiting for reporter")
        assert page.status == 409
        assert "does not lead on" in page.text
    page = await swift.posts(address, change="close:no answer", seen="waiting for reporter")
    assert "closed: no answer" in page.text
    row = await report_row(served, report)
    assert (row["status"], row["closed_reason"], row["locked_by"]) == ("closed", "no answer", None)
    assert f"/reports/{report}" not in (await swift.opens("/queue")).text
    assert f"/reports/{report}" in (await swift.opens("/queue?view=closed")).text
    await owl.posts(address, change="reopen:new information", seen="closed")
    row = await report_row(served, report)
    assert (row["status"], row["closed_reason"], row["locked_by"]) == ("in triage", None, owl.who.member)
    told = [
        (leaf["before"], leaf["after"], leaf["why"])
        for leaf in await leaves(served)
        if leaf["kind"] == "status"
    ]
    assert told == [
        ("in triage", "waiting for reporter", "question asked"),
        ("waiting for reporter", "closed", "no answer"),
        ("closed", "in triage", "new information"),
    ]


async def test_an_act_that_cannot_be_told_does_not_happen(
    served: Served, team: Team, person: Callable[..., Any], superuser: Any
) -> None:
    report = await team.takes_report()
    swift = await person("swift")
    await superuser.execute("REVOKE INSERT ON custody_leaves FROM dodomu_console")
    page = await swift.posts(f"/reports/{report}/claim")
    assert page.status == 500
    assert "did not foresee" in page.text
    assert (await report_row(served, report))["locked_by"] is None
    opened = await swift.opens(f"/reports/{report}")
    assert opened.status == 409
    assert "Vyhadana" not in opened.text


async def test_mine_are_mine(team: Team, person: Callable[..., Any]) -> None:
    mine, other = await team.takes_report(), await team.takes_report()
    swift = await person("swift")
    await swift.posts(f"/reports/{mine}/claim")
    page = await swift.opens("/queue?view=mine")
    assert str(mine) in page.text
    assert str(other) not in page.text


async def test_history_stands_on_the_report_s_page(team: Team, person: Callable[..., Any]) -> None:
    report = await team.takes_report()
    swift, owl = await person("swift"), await person("owl")
    await swift.posts(f"/reports/{report}/claim")
    await owl.opens(f"/reports/{report}")
    page = await swift.opens(f"/reports/{report}")
    past = page.text.split('<ol class="history">')[1].split("</ol>")[0]
    for told in ("received", "claimed · <strong>swift</strong>", "opened · <strong>owl</strong>"):
        assert told in past
    assert past.count("opened · <strong>swift</strong>") == 1  # once a session, however often it is read
