"""Two bots behind one balancer, and fifty people who tap and type without waiting for an answer."""

import asyncio
from typing import Any

from rehearsal.driver import Person
from tests.faults import kit
from tests.line import stories

PEOPLE = 50
TEXTS = 7  # from the name to what is said beside the photos


async def test_what_fifty_people_type_and_tap_at_once_lands_in_its_order(house: kit.House) -> None:
    async with kit.bots(house, webhooks=2) as bots:
        people = [house.rehearsal.person(f"Person {number}", language="en") for number in range(PEOPLE)]
        receipts = await asyncio.gather(*(_tells_in_a_hurry(person) for person in people))
        assert not any("update_failed" in bot.log for bot in bots)

    reports = {report["code"]: report for report in await house.team.reports()}
    assert await house.asks("SELECT count(*) FROM reports") == len(reports) == PEOPLE
    for person, receipt in zip(people, receipts, strict=True):
        assert _words(reports[receipt.code]) == _texts(person)
    assert await house.asks("SELECT count(*) FROM parked") == 0


async def test_send_tapped_twice_is_one_report_and_the_receipt_stands(house: kit.House) -> None:
    async with kit.bots(house, webhooks=2):
        olha = house.rehearsal.person("Olha", language="en")
        await stories.begins(olha)
        await stories.tells_the_core(olha)
        await olha.taps("Skip")
        await stories.shares(olha)
        review = await olha.sees_button("Send")
        await asyncio.gather(
            olha.taps_at(review, "Send"), olha.taps_at(review, "Send"), olha.sends("thank you")
        )
        receipt = await stories.sees_receipt(olha)
        await olha.is_heard()
        await house.comes_true("SELECT count(*) = 0 FROM outgoing WHERE not_before <= now()")
        assert (await stories.sees_receipt(olha)) == receipt

    (report,) = await house.team.reports()
    assert report["code"] == receipt.code


async def _tells_in_a_hurry(person: Person) -> stories.Receipt:
    await stories.begins(person)
    await person.taps("My family, or in my care")
    await person.taps("I do not know where")
    name = await person.sees("What is the child’s name?")
    # A tap and a text at the same moment: whichever is first, the other finds the next question or comes too late.
    await asyncio.gather(person.taps_at(name, "I don’t know"), _types(person))
    await person.is_heard()
    # The card that stands at last is the newest: its button still works.
    await person.sees(_texts(person)[-1])
    await person.taps("Done")
    await stories.shares(person)
    return await stories.sends_it(person)


async def _types(person: Person) -> None:
    for text in _texts(person):
        await person.sends(text)


def _texts(person: Person) -> list[str]:
    return [f"xx {person.name.split()[-1]}-{number}" for number in range(TEXTS)]  # like no place and no date


def _words(report: dict[str, Any]) -> list[str]:
    """All words of a report, in the order of the questions."""
    assert not report["answers"]["beside"]
    return [text for answer in report["answers"]["answers"] for text in answer.get("words", [])]
