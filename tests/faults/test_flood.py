"""One chat floods, a hundred are scripts, and twenty people tell what happened: they are answered as on a quiet day."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from benchmarks.people import Stage, Teller, p95
from bot import settings as bot_settings
from storage import roles
from tests.faults import kit
from tests.line.kit import HOOK, TOKEN, Line, running

FLOOD = 2000  # messages of one chat
SCRIPTS, PEOPLE = 100, 20
WITHIN_S = 120.0


@pytest.fixture
async def hooked(house: kit.House) -> AsyncIterator[Line]:
    """A bot in this process, behind a webhook."""
    port = kit.free_port()
    settings = bot_settings.load(
        bot_token=TOKEN,
        api_base=house.rehearsal.url,
        state=house.state,
        ceremony_key=house.team.ceremony.public_key().public_bytes_raw().hex(),
        bot_database_url=house.database.url(roles.BOT),
        webhook_url=f"http://127.0.0.1:{port}/webhook",
        webhook_port=port,
        **HOOK,
    )
    async with running(settings) as app:
        yield Line(house.rehearsal, app, house.team, settings)


def tellers(stage: Stage, name: str, count: int) -> list[Teller]:
    return [
        Teller(stage, f"{name} {number}", random.Random(number), about="family", files=0.0)
        for number in range(count)
    ]


async def at_once() -> None:
    """Nobody thinks, and everybody gets a turn."""
    await asyncio.sleep(0)


async def tell(people: list[Teller]) -> set[str]:
    """All tell at once; the codes of their receipts."""
    return set(await asyncio.gather(*(teller.tells(at_once) for teller in people)))


async def begins(flooder: Teller) -> None:
    """As far as the first question that words answer."""
    card = await flooder.after("/start", lambda: flooder.says("/start"), None)
    for key in ("lang.en", "o.adult", "o.family", "o.unknown"):
        card = await flooder.taps_through(card, key)


async def test_a_flood_takes_nothing_from_anyone(hooked: Line, capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage.of(hooked.rehearsal)
    quiet, people = tellers(stage, "Quiet", PEOPLE), tellers(stage, "Person", PEOPLE)
    assert len(await tell(quiet)) == PEOPLE

    (flooder,) = tellers(stage, "Flood", 1)
    await begins(flooder)
    texts = [f"flood {number}" for number in range(FLOOD)]
    for text in texts:
        flooder.says(text)
    async with asyncio.timeout(WITHIN_S):
        scripts = asyncio.create_task(tell(tellers(stage, "Script", SCRIPTS)))
        codes = await tell(people)
        remembered = len(hooked.app.updates.pace)
        script_codes = await scripts
        await flooder.is_heard()

    assert len(codes) == PEOPLE
    assert len(script_codes) == SCRIPTS  # nobody is refused, whoever they are
    reports = {report["code"] for report in await hooked.team.reports()}
    assert codes | script_codes <= reports
    assert len(reports) == 2 * PEOPLE + SCRIPTS
    assert remembered <= 2 * PEOPLE + SCRIPTS + 1
    assert sorted(await words_of(hooked, flooder)) == sorted(texts)  # nothing of the flood is lost either
    cards = [message for message in flooder.chat.versions if message["from"]["is_bot"]]
    assert len(cards) < FLOOD / 10  # it sees the newest of what stood in between
    with capsys.disabled():
        before, during = (p95([wait for one in some for wait in one.waits]) for some in (quiet, people))
        print(f"\n  p95 of an answer: {before * 1000:.0f} ms quiet, {during * 1000:.0f} ms in the flood")  # noqa: T201 - looked at, never asserted


async def words_of(line: Line, teller: Teller) -> list[str]:
    """All that somebody's open draft holds."""
    intake, address = line.app.intake, teller.chat.person.id
    async with intake.visit(intake.chat(address), address) as visit:
        assert visit.draft is not None
        interview: dict[str, Any] = visit.draft.data["interview"]
    answers = [part[0] for answer in interview["answers"].values() for part in answer.get("parts", ())]
    return [*answers, *(note[1] for note in interview.get("notes", ()))]
