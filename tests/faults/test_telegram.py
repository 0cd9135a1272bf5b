"""Telegram's own faults: it refuses, it is slow, it is cut off, it says things twice or in another order."""

import asyncio

import pytest

from rehearsal.faults import Kind
from tests.faults import kit
from tests.line import stories
from tests.line.kit import Line

CALLS = [
    {"kind": Kind.TOO_MANY_REQUESTS, "retry_after_s": 1, "probability": 0.2},
    {"kind": Kind.SERVER_ERROR, "probability": 0.3},
    {"kind": Kind.SERVER_ERROR, "probability": 0.2, "done": True},
    {"kind": Kind.TIMEOUT, "hold_s": 0.2, "probability": 0.3},
    {"kind": Kind.TIMEOUT, "hold_s": 0.2, "probability": 0.2, "done": True},
    {"kind": Kind.CUT, "probability": 0.3},
    {"kind": Kind.CUT, "probability": 0.2, "done": True},
    {"kind": Kind.SERVER_ERROR, "method": "getUpdates", "probability": 0.3},
    {"kind": Kind.CUT, "method": "getUpdates", "probability": 0.3},
    {"kind": Kind.CUT, "method": "file", "times": 2},
]
UPDATES = [
    {"kind": Kind.DUPLICATE},
    {"kind": Kind.REORDERED, "probability": 0.4},
    {"kind": Kind.LATE, "hold_s": 0.5, "probability": 0.4},
]


def _named(fault: dict[str, object]) -> str:
    return "-".join(str(fault[name]) for name in ("kind", "method", "done") if name in fault)


@pytest.mark.parametrize("fault", CALLS + UPDATES, ids=_named)
async def test_a_whole_interview_gets_through(line: Line, house: kit.House, fault: dict[str, object]) -> None:
    line.rehearsal.driver.timeout_s = 60.0
    switch = line.rehearsal.faults.add(**fault)  # type: ignore[arg-type]
    olha, photo = line.person("Olha"), stories.picture("teal")
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    await olha.sends_file("photo.jpg", photo)
    await olha.sees("files: 1")
    await olha.taps("Done")
    await stories.shares(olha)
    receipt = await stories.sends_it(olha)
    await house.comes_true("SELECT count(*) = 1 FROM files", within_s=60)
    assert switch.struck > 0

    (report,) = await house.team.reports()
    assert report["code"] == receipt.code
    answers = {answer["step"]: answer for answer in report["answers"]["answers"]}
    assert answers["name"]["words"] == ["Olena Vyhadana"]
    assert answers["age"]["understood"] == {"age": 8}
    assert answers["when"]["words"] == ["autumn 2022"]
    assert not report["answers"]["beside"]
    (entry,) = report["files"] or report["additions"][0]["files"]
    assert await house.team.file(entry, line.app.blobs) == photo
    assert await house.asks("SELECT count(*) FROM parked") == 0


async def test_a_chat_that_must_wait_holds_up_no_other(line: Line) -> None:
    olha, petro = line.person("Olha"), line.person("Petro")
    await stories.begins(olha)
    wait = line.rehearsal.faults.add(
        Kind.TOO_MANY_REQUESTS, method="editMessageText", chat=await olha.id(), times=1, retry_after_s=4
    )
    await olha.taps("My family, or in my care")
    await stories.begins(petro)
    await petro.taps("My family, or in my care")
    await petro.sees("What do you know about the child right now?")
    assert wait.struck == 1
    assert "How do you know" in (await olha.chat())[-1].text  # still waiting
    await olha.sees("What do you know about the child right now?")


async def test_who_blocks_the_bot_loses_nothing_and_can_come_back(line: Line, house: kit.House) -> None:
    olha = line.person("Olha")
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    await olha.taps("Skip")
    await stories.shares(olha)
    review = await olha.sees_button("Send")
    await olha.taps_at(review, "Send")
    await olha.blocks()
    await olha.is_heard()
    await house.comes_true("SELECT count(*) = 0 FROM outgoing WHERE not_before <= now()")
    assert len(await house.team.reports()) == 1
    await olha.unblocks()
    await olha.sends("/start")
    await olha.sees("Please choose a language.")


async def test_many_at_once_under_every_fault_lose_nothing(line: Line, house: kit.House) -> None:
    line.rehearsal.driver.timeout_s = 60.0
    for fault in ({"kind": Kind.TOO_MANY_REQUESTS}, *CALLS[1:7], *UPDATES):
        line.rehearsal.faults.add(**{**fault, "probability": 0.04})  # type: ignore[arg-type]
    people = [line.person(f"Person {number}") for number in range(12)]
    receipts = await asyncio.gather(*(_tells(person) for person in people))
    reports = await house.team.reports()
    assert sorted(report["code"] for report in reports) == sorted(receipt.code for receipt in receipts)


async def _tells(person: stories.Person) -> stories.Receipt:
    await stories.begins(person)
    await stories.tells_the_core(person)
    await person.taps("Skip")
    await stories.shares(person)
    return await stories.sends_it(person)
