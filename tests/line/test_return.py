"""Seven words lead back to a report from any account; what they are is never told by bytes, time or number."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot import settings as bot_settings
from flows import returnwords
from rehearsal.driver import Person
from rehearsal.server import Rehearsal
from storage import returning
from storage.intake import Outgoing, day_sealed
from storage.secrets import Row
from tests.line import stories
from tests.line.answering import (
    WAIT,
    Clock,
    Desk,
    Report,
    buttons,
    comes_back,
    has_sent,
    other_words,
    passes,
    presses,
)
from tests.line.kit import Line, Team, running, until_quiet

GREETING = "Please choose a language."
NOTHING = "Nothing opens with these words."
NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))


async def queued(desk: Desk, line: Line, person: Person) -> list[tuple[timedelta, int, Outgoing]]:
    """What waits to be sent to a person, in order: in how long, the size of its row, and what it is."""
    chat = line.app.intake.chat(await person.id())
    rows = await desk.sql("SELECT * FROM outgoing WHERE chat = $1 ORDER BY place", chat)
    return [
        (
            row["not_before"] - line.app.intake.now(),
            len(row["sealed"]),
            Outgoing.from_json(
                json.loads(
                    line.app.intake.days.open(
                        Row("outgoing", row["id"].bytes + chat, row["version"]), day_sealed(row)
                    )
                )
            ),
        )
        for row in rows
    ]


# ---- the same for all -------------------------------------------------------------------------------


async def test_words_of_every_kind_get_the_same_card_and_the_same_moment(
    line: Line, desk: Desk, clock: Clock
) -> None:
    """Right, wrong, of a withdrawn report; in chats that have a report, a draft, a thread, or nothing at all."""
    known, thread, drafted, nothing, withdrawn = (
        line.person(name) for name in ("Kateryna", "Taras", "Daryna", "Nina", "Vira")
    )
    report = await has_sent(line, known)
    await has_sent(line, thread, answer_here=True)
    gone = await has_sent(line, withdrawn)
    async with line.app.intake.connections.acquire() as connection, connection.transaction():
        assert await returning.withdraw(connection, gone.id, clock())
    await stories.begins(drafted)
    await drafted.taps("My family, or in my care")
    await until_quiet(line)

    told, waiting = [], []
    for person, words in (
        (known, report.words()),
        (thread, other_words(report)),
        (drafted, other_words(report)),
        (nothing, gone.words()),
        (withdrawn, other_words(gone)),
    ):
        told.append(await answer_to(line, person, words))
        waiting.append(await queued(desk, line, person))
    assert [one for one in told if one != told[0]] == []
    (card,) = told[0]
    assert WAIT in card["text"]
    # One answer at one moment, then the greeting: the same rows for all; for all but the right words of the same size.
    schedules = [[at for at, _, _ in one] for one in waiting]
    assert schedules == [[timedelta(minutes=15, seconds=5), timedelta(seconds=5)]] * 5
    sizes = [[size for _, size, _ in one] for one in waiting]
    assert sizes[1:] == [sizes[1]] * 4
    shown = [[outgoing.show and outgoing.show["text"] for _, _, outgoing in one] for one in waiting]
    assert shown[1:] == [shown[1]] * 4
    drafts = await desk.sql("SELECT length(sealed) AS size, expires_on FROM drafts WHERE active")
    assert len({tuple(row) for row in drafts}) == 1
    assert len(drafts) == 5

    passes(line, clock, timedelta(seconds=5))
    await until_quiet(line)
    await known.sees("Your message is with us")
    for person in (thread, drafted, nothing, withdrawn):
        answered = await person.sees(NOTHING)
        await person.sees_only(1)
        assert buttons(answered) == ["Begin", "Clear this chat"]


async def answer_to(line: Line, person: Person, words: str) -> list[dict[str, Any]]:
    """Everything but deletions that the bot asks Telegram for at once, without the chat's id."""
    before = (await line.rehearsal.driver.calls())[-1]["number"]
    await person.sends(words)
    await person.is_heard()
    await until_quiet(line)
    calls = [
        call
        for call in await line.rehearsal.driver.calls(after=before)
        if call["method"] not in {"getUpdates", "deleteMessage", "deleteMessages"}
    ]
    assert {call["method"] for call in calls} == {"sendMessage"}
    assert {int(call["params"].pop("chat_id")) for call in calls} == {await person.id()}
    (card,) = await person.sees_only(1)
    assert WAIT in card.text
    return [call["params"] for call in calls]


async def test_each_time_is_slower_right_or_wrong_for_this_account_alone(
    line: Line, desk: Desk, clock: Clock
) -> None:
    olha, petro = line.person("Olha"), line.person("Petro")
    report = await has_sent(line, olha)
    seen = []
    for attempt in range(9):
        await olha.sends(report.words() if attempt % 2 else other_words(report))
        await olha.is_heard()
        await until_quiet(line)
        (*_, (at, _, answer)) = await queued(desk, line, olha)
        assert answer.only_if
        seen.append(at.total_seconds())
    # Asked again before the answer: only the newest card is answered.
    assert seen == [5, 10, 20, 40, 80, 160, 320, 600, 600]
    await petro.sends(report.words())  # nobody locks a family out
    await petro.is_heard()
    await until_quiet(line)
    assert [at.total_seconds() for at, _, _ in await queued(desk, line, petro)] == [905, 5]
    passes(line, clock, timedelta(minutes=61))
    await until_quiet(line)
    await olha.sends(report.words())
    await olha.is_heard()
    await until_quiet(line)
    assert [at.total_seconds() for at, _, _ in await queued(desk, line, olha)] == [905, 5]


async def test_no_button_opens_anything_before_the_moment(line: Line, desk: Desk, clock: Clock) -> None:
    """A client of one's own can press any button at once: it gets nothing sooner than the answer."""
    olha = line.person("Olha")
    report = await has_sent(line, olha)
    await desk.answers(report, "Please come again on Monday.")
    await olha.sends(report.words())
    card = await olha.sees(WAIT)
    await until_quiet(line)
    before = (await line.rehearsal.driver.calls())[-1]["number"]
    for button in ("back.read", "back.home", "back.withdraw", "back.share.find.yes"):
        await presses(olha, card.id, f"0:{button}")
    await until_quiet(line)
    methods = {call["method"] for call in await line.rehearsal.driver.calls(after=before)}
    assert methods <= {"getUpdates", "answerCallbackQuery"}
    passes(line, clock, timedelta(seconds=5))
    await until_quiet(line)
    await olha.sees("There is an answer.")


async def test_the_answer_comes_after_a_restart_too(
    line: Line, clock: Clock, settings: bot_settings.BotSettings
) -> None:
    olha = line.person("Olha")
    report = await has_sent(line, olha)
    await olha.sends(report.words())
    await olha.sees(WAIT)
    await until_quiet(line)
    async with running(settings, clock=clock) as again:
        passes(line, clock, timedelta(seconds=5))
        await again.delivery.recover()
        await again.updates.idle()
        await olha.sees("Your message is with us")


async def test_a_chat_that_fell_behind_gets_the_answer_once(
    rehearsal: Rehearsal, team: Team, settings: bot_settings.BotSettings, clock: Clock
) -> None:
    """The bot stops before the card that asks for patience is out, and comes back when the answer is due."""
    async with running(settings, clock=clock) as app:
        line = Line(rehearsal, app, team, settings)
        olha = line.person("Olha")
        report = await has_sent(line, olha)
        await rehearsal.driver.fault("server_error", method="sendMessage")
        await olha.sends(report.words())
        await olha.is_heard()
    await rehearsal.driver.clear_faults()
    passes(line, clock, timedelta(seconds=30))
    async with running(settings, clock=clock) as app:
        await olha.sees("Your message is with us")
        await until_quiet(Line(rehearsal, app, team, settings))
        await olha.sees_only(1)


async def test_the_words_of_the_receipt_lead_back_from_another_phone(line: Line, clock: Clock) -> None:
    olha, elsewhere = line.person("Olha"), line.person("Olha on her sister's phone")
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    await olha.taps("Skip")
    await stories.shares(olha, answer="No, I will come with the words")
    receipt = await stories.sends_it(olha)
    await comes_back(line, clock, elsewhere, receipt.words)
    await elsewhere.sees("Your message is with us; a person will read it.")
    await olha.sees_no_more(WAIT)


# ---- how words are written --------------------------------------------------------------------------


@pytest.mark.parametrize("lang", returnwords.languages())
async def test_another_case_commas_and_a_slip_are_forgiven(lang: str, line: Line, clock: Clock) -> None:
    olha = line.person("Olha")
    report = await has_sent(line, olha)
    await olha.sends(", ".join(with_a_slip(report, lang)).upper() + ".")
    await olha.is_heard()
    await until_quiet(line)
    passes(line, clock, timedelta(seconds=5))
    await until_quiet(line)
    (card,) = await olha.sees_only(1)
    assert len(buttons(card)) == 4  # write, share, withdraw, clear: it is the report


def with_a_slip(report: Report, lang: str) -> list[str]:
    """The words, one of them with its last letter lost, where that still tells it from all others."""
    words = report.words(lang).split()
    for at in range(7):
        slipped = [*words[:at], words[at][:-1], *words[at + 1 :]]
        if returnwords.numbers(" ".join(slipped)) == report.numbers:
            return slipped
    raise AssertionError("every one of these words is near another")


@pytest.mark.parametrize("change", ["six", "eight", "one unreadable"])
async def test_almost_seven_words_are_told_how_to_write_them(change: str, line: Line) -> None:
    olha, petro = line.person("Olha"), line.person("Petro")
    report = await has_sent(line, olha)
    told = []
    for person, words in ((olha, report.words()), (petro, other_words(report))):
        changed = {
            "six": words.rsplit(maxsplit=1)[0],
            "eight": f"{words} {words.split()[0]}",
            "one unreadable": f"xxxxxxxx {words.split(maxsplit=1)[1]}",
        }[change]
        await person.sends(changed)
        told.append((await person.sees("Seven words are needed, as on the paper, in one message.")).text)
        await person.sees_only(1)
    assert told[0] == told[1]


async def test_a_story_of_seven_common_words_stays_an_answer(line: Line) -> None:
    olha = line.person("Olha")
    await stories.begins(olha)
    await olha.taps("My family, or in my care")
    await olha.taps("I do not know where")
    await olha.sees("What is the child’s name?")
    await olha.sends("her mother wore that green winter coat")
    await olha.sees("How old was the child")
