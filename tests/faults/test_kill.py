"""The bot is killed again and again, and the database with it, while two hundred people tell what happened.

Every receipt that somebody saw has exactly one report that opens, nothing that was acknowledged is lost, and
nothing is there twice.
"""

import asyncio
import random
from collections import Counter
from typing import Any

import asyncpg

from flows import returnwords
from storage.secrets import ProcessSecret
from storage.submission import words_mac
from tests.faults import kit
from tests.faults.tellers import Story, Teller, Turnstile

PEOPLE = 200
KILLS = 26
RESTARTS = {6: True, 13: False, 20: True}  # after so many kills: immediate (as a power cut) or fast
ACTS_BETWEEN = (10, 45)  # two kills
SEED = 20261122


async def test_two_hundred_interviews_outlive_every_kill(lasting_house: kit.House) -> None:
    house, chance = lasting_house, random.Random(SEED)
    turnstile, goes_on = Turnstile(chance), asyncio.Event()
    goes_on.set()
    people = [
        Teller(house.rehearsal.person(f"Person {number}", language="en"), number, turnstile, goes_on)
        for number in range(PEOPLE)
    ]
    async with kit.bots(house, webhooks=2) as bots:
        async with asyncio.TaskGroup() as group:
            for person in people:
                group.create_task(person.tells())
            await _breaks_everything(house, bots, turnstile, chance, group)
            goes_on.clear()
            await turnstile.opens_to(float("inf"))
        await house.comes_true("SELECT count(*) = 0 FROM outgoing WHERE not_before <= now()")

    stories = [story for person in people for story in person.stories]
    assert len(stories) > PEOPLE  # some told more than one while it went on
    assert sum(person.repeats for person in people) > KILLS  # and many had to do something again
    reports = {report["code"]: report for report in await house.team.reports()}
    assert await house.asks("SELECT count(*) FROM reports") == len(reports) == len(stories)
    for story in stories:
        assert story.receipt is not None
        _holds(reports[story.receipt.code], story)
    await _every_receipt_leads_to_its_report(house, stories)
    assert await house.asks("SELECT count(*) FROM parked") == 0


async def _breaks_everything(
    house: kit.House,
    bots: list[kit.BotProcess],
    turnstile: Turnstile,
    chance: random.Random,
    group: asyncio.TaskGroup,
) -> None:
    """Kills one bot after the other, each while people are in the middle of something."""
    starting: dict[kit.BotProcess, asyncio.Task[None]] = {}
    await turnstile.opens_to(2 * PEOPLE)  # everybody has begun
    await turnstile.has_passed(2 * PEOPLE)
    for kill in range(1, KILLS + 1):
        point = turnstile.passed + chance.randint(*ACTS_BETWEEN)
        victim = chance.choice(bots)
        if victim in starting:
            await starting.pop(victim)
        await turnstile.opens_to(point + ACTS_BETWEEN[1])
        await turnstile.has_passed(point)
        await victim.is_killed()
        starting[victim] = group.create_task(victim.starts())
        if kill in RESTARTS:
            await asyncio.to_thread(house.database.server.restart, immediate=RESTARTS[kill])
    for start in starting.values():
        await start


def _holds(report: dict[str, Any], story: Story) -> None:
    """The report has each text of its story exactly once, and each answer that was acknowledged."""
    given = report["answers"]
    parts = [*given["answers"], *given["beside"]]
    words = Counter(text for part in parts for text in part.get("words", []))
    assert words == Counter(story.said)
    answers = {answer["step"]: answer for answer in given["answers"]}
    for step, option in story.tapped.items():
        # A text that was sent twice may have answered before the tap came; then the tap was too late.
        assert answers[step].get("option") == option or "words" in answers[step]


async def _every_receipt_leads_to_its_report(house: kit.House, stories: list[Story]) -> None:
    secret = ProcessSecret.at(house.state / "bot" / "secret")
    connection = await asyncpg.connect(house.database.superuser_url)
    try:
        rows = await connection.fetch(
            "SELECT words_mac, public_code FROM receipts JOIN reports ON reports.id = receipts.report"
        )
    finally:
        await connection.close()
    codes = {row["words_mac"]: row["public_code"] for row in rows}
    for story in stories:
        assert story.receipt is not None
        numbers = returnwords.numbers(story.receipt.words)
        assert numbers is not None
        assert codes[words_mac(secret, numbers)] == story.receipt.code
