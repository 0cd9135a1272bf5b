"""One neutral word, only where and when it was allowed; an answer that cannot be told of waits for the words."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from bot import settings as bot_settings
from rehearsal.driver import Person
from rehearsal.server import Rehearsal
from storage import threads
from tests.line.answering import Clock, Desk, Report, has_sent, passes
from tests.line.kit import TOKEN, Line, Team, running, until_quiet

SUCCESSOR = "1000000002:DEMO-token-of-the-next-bot"
WORD, OPEN = "Hello", "Open"
GREETING = "Please choose a language."
HIDDEN = "Is there a photo of the gate?"


@pytest.fixture
def rehearsal_tokens() -> list[str]:
    return [TOKEN, SUCCESSOR]


@pytest.fixture
async def rehearsal(rehearsal_tokens: list[str]) -> AsyncIterator[Rehearsal]:
    async with Rehearsal(rehearsal_tokens) as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    """Six in the morning in Kyiv, on a winter's day."""
    return Clock(datetime.now(UTC).replace(month=12, day=3, hour=4, minute=0, second=0, microsecond=0))


async def words_told(line: Line, person: Person) -> int:
    """How often the word was sent to this person."""
    await line.app.replies.tell()
    calls = await line.rehearsal.driver.calls("sendMessage")
    own = await person.id()
    return sum(call["params"].get("text") == WORD and int(call["params"]["chat_id"]) == own for call in calls)


async def test_the_word_comes_by_the_reporters_clock_and_once(line: Line, desk: Desk, clock: Clock) -> None:
    olha = line.person("Olha")
    await olha.sends("/start")
    await olha.sees(GREETING)
    report = await has_sent(line, olha, answer_here=True, push="Europe/Kyiv")
    await desk.answers(report, HIDDEN)
    seen = []
    for _ in range(13):  # 6 to 18 o'clock in Kyiv
        seen.append(await words_told(line, olha))
        passes(line, clock, timedelta(hours=1))
    assert seen == [0, 0, 0, 0, *[1] * 9]
    await desk.answers(report, "And which month?")
    assert await words_told(line, olha) == 1  # it is 19 o'clock, and the first word still stands
    assert HIDDEN not in str(await line.rehearsal.driver.calls())
    told = await olha.sees(WORD)
    assert [button.text for row in told.buttons for button in row] == [OPEN]


async def test_to_the_minute(line: Line, desk: Desk, clock: Clock) -> None:
    olha = line.person("Olha")
    await olha.sends("/start")
    report = await has_sent(line, olha, answer_here=True, push="Europe/Kyiv")
    await desk.answers(report, HIDDEN)
    passes(line, clock, timedelta(hours=3, minutes=59))
    assert await words_told(line, olha) == 0
    passes(line, clock, timedelta(minutes=1))
    assert await words_told(line, olha) == 1


async def test_no_word_where_none_was_allowed(line: Line, desk: Desk, clock: Clock) -> None:
    passes(line, clock, timedelta(hours=8))
    for name, answer_here, push in (
        ("Olha", True, ""),
        ("Petro", False, ""),
        ("Daryna", False, "Europe/Kyiv"),
        ("Roman", True, "Europe/Nowhere"),
    ):
        person = line.person(name)
        await person.sends("/start")
        report = await has_sent(line, person, answer_here=answer_here, push=push)
        await desk.answers(report, HIDDEN)
        assert await words_told(line, person) == 0


async def test_open_shows_the_answer_to_who_alone_sees_the_phone(
    line: Line, desk: Desk, clock: Clock
) -> None:
    olha = line.person("Olha")
    await olha.sends("/start")
    report = await has_sent(line, olha, answer_here=True, push="Europe/Kyiv")
    await desk.answers(report, HIDDEN)
    passes(line, clock, timedelta(hours=8))
    await line.app.replies.tell()
    await olha.taps(OPEN)
    shown = await olha.sees(HIDDEN)
    assert shown.raw["has_protected_content"]
    await olha.sees_only(1)  # the word went with the tap
    await until_quiet(line)
    assert await desk.sql("SELECT 1 FROM replies WHERE read_hour IS NULL") == []
    await olha.taps("Back")
    await olha.sees("Your message is with us")
    await olha.taps("Write to the team")
    await olha.sends("In May.")
    await olha.sees("It is with the team.")
    ((addition,),) = [one["additions"] for one in await line.team.reports()]
    assert addition["answers"]["answers"][0]["words"] == ["In May."]


async def test_open_asks_for_the_words_once_the_link_is_gone(line: Line, desk: Desk, clock: Clock) -> None:
    olha = line.person("Olha")
    await olha.sends("/start")
    report = await has_sent(line, olha, answer_here=True, push="Europe/Kyiv")
    await desk.answers(report, HIDDEN)
    passes(line, clock, timedelta(hours=8))
    await line.app.replies.tell()
    await olha.sees_button(OPEN)
    async with line.app.intake.connections.acquire() as connection:
        await threads.end_thread(connection, report.id)
    await olha.taps(OPEN)
    await olha.sees("write here the seven words, as on the paper")
    await olha.sees_only(1)
    assert await desk.sql("SELECT 1 FROM drafts") == []
    await reads_with_words(line, clock, olha, report)


async def reads_with_words(line: Line, clock: Clock, person: Person, report: Report) -> None:
    await person.sends(report.words())
    await person.sees("What comes next appears here by itself")
    await until_quiet(line)
    passes(line, clock, timedelta(seconds=5))
    await until_quiet(line)
    await person.sees("There is an answer.")
    await person.taps("Read the answer")
    await person.sees(HIDDEN)


async def test_the_word_vanishes_like_everything(line: Line, desk: Desk, clock: Clock) -> None:
    olha = line.person("Olha")
    await olha.sends("/start")
    await olha.sees(GREETING)
    report = await has_sent(line, olha, answer_here=True, push="Europe/Kyiv")
    await desk.answers(report, HIDDEN)
    passes(line, clock, timedelta(hours=8))
    await line.app.replies.tell()
    await olha.sees_button(OPEN)
    await olha.sends("hide")
    (card,) = await olha.sees_only(1)
    assert GREETING in card.text


async def test_a_forged_reply_is_not_told_of(line: Line, desk: Desk, clock: Clock) -> None:
    olha = line.person("Olha")
    await olha.sends("/start")
    report = await has_sent(line, olha, answer_here=True, push="Europe/Kyiv")
    reply = await desk.answers(report, HIDDEN)
    await desk.sql("UPDATE replies SET signature = decode(repeat('00', 64), 'hex')")
    passes(line, clock, timedelta(hours=8))
    for _ in range(3):
        assert await words_told(line, olha) == 0
        passes(line, clock, timedelta(minutes=61))
    assert await desk.refusals() == [("reply not signed by a member", str(reply))]


async def test_a_word_that_was_due_in_an_outage_comes_after_a_restart(
    rehearsal: Rehearsal, team: Team, settings: bot_settings.BotSettings, clock: Clock
) -> None:
    async with running(settings, clock=clock) as app:
        line = Line(rehearsal, app, team, settings)
        olha = line.person("Olha")
        await olha.sends("/start")
        await olha.sees(GREETING)
        report = await has_sent(line, olha, answer_here=True, push="Europe/Kyiv")
        await (await Desk.opens(line)).answers(report, HIDDEN)
        await until_quiet(line)
    passes(line, clock, timedelta(hours=8))
    async with running(settings, clock=clock) as app:
        assert await words_told(Line(rehearsal, app, team, settings), olha) == 1
        await olha.sees(WORD)
    async with running(settings, clock=clock) as app:  # and is not said again
        assert await words_told(Line(rehearsal, app, team, settings), olha) == 1


async def test_who_blocked_the_bot_reads_with_the_words_at_its_successor(
    rehearsal: Rehearsal, team: Team, settings: bot_settings.BotSettings, clock: Clock
) -> None:
    """Same private folder, another token: the words open what they opened before."""
    async with running(settings, clock=clock) as app:
        line = Line(rehearsal, app, team, settings)
        olha = line.person("Olha")
        await olha.sends("/start")
        await olha.sees(GREETING)
        await until_quiet(line)
        report = await has_sent(line, olha, answer_here=True, push="Europe/Kyiv")
        desk = await Desk.opens(line)
        await desk.answers(report, HIDDEN)
        await olha.blocks()
        passes(line, clock, timedelta(hours=8))
        for _ in range(3):
            assert await app.replies.tell() == 0
        assert await desk.sql("SELECT 1 FROM replies WHERE told_at IS NOT NULL") == []
    successor = settings.model_copy(update={"bot_token": SecretStr(SUCCESSOR)})
    async with running(successor, clock=clock) as app:
        line = Line(rehearsal, app, team, successor)
        assert await app.replies.tell() == 0  # this bot does not know the chat yet
        assert await desk.sql("SELECT 1 FROM replies WHERE told_at IS NOT NULL") == []
        back = rehearsal.driver.person("Olha", language="en", bot=int(SUCCESSOR.partition(":")[0]))
        assert await back.id() == await olha.id()
        await back.sends("/start")
        await back.sees(GREETING)
        await reads_with_words(line, clock, back, report)


async def test_90_days_after_closing_address_and_link_are_gone(line: Line, desk: Desk, clock: Clock) -> None:
    olha = line.person("Olha")
    report = await has_sent(line, olha, answer_here=True, push="Europe/Kyiv")
    chat = line.app.intake.chat(await olha.id())

    async def linked() -> bool:
        await line.app.replies.end_closed()
        async with line.app.intake.connections.acquire() as connection:
            return await threads.linked(connection, chat) is not None

    passes(line, clock, timedelta(days=200))
    assert await linked()  # open reports keep theirs
    await desk.closes(report)
    assert await linked()
    passes(line, clock, timedelta(days=60))
    await desk.sql("UPDATE reports SET status = 'in triage', closed_reason = NULL")
    assert await linked()
    await desk.closes(report)  # the time begins anew
    assert await linked()
    passes(line, clock, timedelta(days=89))
    assert await linked()
    passes(line, clock, timedelta(days=1))
    assert not await linked()
    assert await desk.sql("SELECT 1 FROM threads") == []
