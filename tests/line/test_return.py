"""Seven words lead back to a report from any account; what they are is never told by bytes, time or number."""

import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot import settings as bot_settings
from flows import returnwords
from handlers import returning as handler
from rehearsal.driver import Person, Shown
from rehearsal.server import Rehearsal
from storage import returning
from storage.intake import Outgoing, day_sealed
from storage.secrets import Row
from tests.line import stories
from tests.line.answering import Clock, Desk, Report, has_sent, passes
from tests.line.kit import Line, Team, running, until, until_quiet

GREETING = "Please choose a language."
WAIT = "What comes next appears here by itself"
NOTHING = "Nothing opens with these words."
NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))


@pytest.fixture
async def line(
    rehearsal: Rehearsal, team: Team, settings: bot_settings.BotSettings, clock: Clock
) -> AsyncIterator[Line]:
    async with running(settings, clock=clock) as app:
        yield Line(rehearsal, app, team, settings)


@pytest.fixture
async def desk(line: Line) -> Desk:
    return await Desk.opens(line)


def other_words(report: Report) -> str:
    """Seven words of the list that belong to no report."""
    return " ".join(returnwords.words([(number + 1) % returnwords.COUNT for number in report.numbers], "en"))


async def waits_for_the_answer(
    line: Line, clock: Clock, person: Person, time: timedelta = timedelta(seconds=5)
) -> None:
    await person.sees(WAIT)
    await until_quiet(line)
    passes(line, clock, time)
    await until_quiet(line)


async def comes_back(line: Line, clock: Clock, person: Person, words: str) -> None:
    await person.sends(words)
    await waits_for_the_answer(line, clock, person)


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


async def presses(person: Person, message: int, data: str) -> None:
    """A tap with whatever data, as a client of one's own may send it."""
    own = await person.id()
    sender = {"id": own, "is_bot": False, "first_name": person.name, "language_code": "en"}
    await person.sends_raw(
        {
            "callback_query": {
                "id": uuid.uuid4().hex,
                "from": sender,
                "chat_instance": "1",
                "data": data,
                "message": {
                    "message_id": message,
                    "chat": {"id": own, "type": "private", "first_name": person.name},
                    "date": int(datetime.now(UTC).timestamp()),
                    "text": "-",
                },
            }
        }
    )
    await person.is_heard()


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


def buttons(card: Shown) -> list[str]:
    return [button.text for row in card.buttons for button in row]


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


# ---- right words ------------------------------------------------------------------------------------


async def test_the_public_status_says_little(line: Line, desk: Desk, clock: Clock) -> None:
    olha = line.person("Olha")
    report = await has_sent(line, olha)
    await comes_back(line, clock, olha, report.words())
    await olha.sees("Your message is with us; a person will read it.")
    for status, words in (
        ("in triage", "Your message is being read."),
        ("waiting for reporter", "Your message is being read."),
        ("linked", "Your message is being read."),
    ):
        await desk.sql("UPDATE reports SET status = $2 WHERE id = $1", report.id, status)
        await olha.taps("Write to the team")
        await olha.taps("Back")
        await olha.sees(words)
    await desk.closes(report)
    await olha.taps("Write to the team")
    await olha.taps("Back")
    await olha.sees("The work on this message is finished.")


async def test_answers_are_read_one_by_one_and_cannot_be_passed_on(
    line: Line, desk: Desk, clock: Clock
) -> None:
    olha = line.person("Olha")
    report = await has_sent(line, olha)
    first = await desk.answers(report, "Is there a <photo> of the camp?")
    await desk.answers(report, "And which month was it?")
    assert (await desk.sql("SELECT waiting FROM reports"))[0]["waiting"]
    await comes_back(line, clock, olha, report.words())
    await olha.sees("There is an answer.")
    await olha.taps("Read the answer")
    shown = await olha.sees("Is there a <photo> of the camp?")
    assert shown.raw["has_protected_content"]
    await olha.sees_only(1)
    read = await desk.sql("SELECT id FROM replies WHERE read_hour IS NOT NULL")
    assert [row["id"] for row in read] == [first]
    await olha.taps("Next answer")
    await olha.sees("And which month was it?")
    await olha.taps("Back")
    await olha.sees("Your message is with us")
    await olha.taps("Read the answer")  # all read: the last once more
    await olha.sees("And which month was it?")
    await olha.sees_only(1)
    assert await desk.acts(report) == ["receipt", "reply", "reply"]


async def test_a_reply_that_no_member_signed_is_not_shown(
    line: Line, desk: Desk, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 -- here alone

    olha = line.person("Olha")
    report = await has_sent(line, olha)
    await desk.answers(report, "Meet this man at the station.", Ed25519PrivateKey.generate())
    await comes_back(line, clock, olha, report.words())
    await olha.taps("Read the answer")
    await olha.sees("This answer could not be opened.")
    assert not any("station" in message.text for message in await olha.everything_seen())
    told = capsys.readouterr()
    assert "reply_refused" in told.out + told.err
    assert "station" not in told.out + told.err


async def test_words_voice_and_photos_join_the_report(line: Line, desk: Desk, clock: Clock) -> None:
    olha, other = line.person("Olha"), line.person("Somebody else's phone")
    report = await has_sent(line, olha)
    await comes_back(line, clock, other, report.words())
    await other.taps("Write to the team")
    await other.sends("She called on Sunday, see https://example.org/camp")
    await other.sees("It is with the team.")
    await other.sees_only(1)
    await other.sends_voice()
    await other.sends_photo(stories.picture("teal"), caption="at the gate")
    await other.sees_only(1)

    async def joined() -> bool:
        return len((await line.team.reports())[0]["additions"]) == 3

    await until(joined)
    (opened,) = await line.team.reports()
    words = [one["answers"] for one in opened["additions"] if "answers" in one and one["answers"]["answers"]]
    assert words[0]["answers"][0]["words"] == ["She called on Sunday, see https://example.org/camp"]
    assert words[0]["links"] == ["https://example.org/camp"]
    files = [file for addition in opened["additions"] for file in addition["files"]]
    assert sorted(file["kind"] for file in files) == ["photo", "voice"]
    assert await desk.acts(report) == ["receipt", "addition", "addition", "addition"]
    assert (
        await desk.sql("SELECT 1 FROM drafts WHERE chat <> $1", line.app.intake.chat(await other.id())) == []
    )


async def test_what_is_written_while_waiting_is_not_lost(line: Line, clock: Clock) -> None:
    olha = line.person("Olha")
    report = await has_sent(line, line.person("Petro"))
    await olha.sends(other_words(report))
    await olha.sees(WAIT)
    await olha.sends("they took the whole class")
    await waits_for_the_answer(line, clock, olha)
    await olha.sees(NOTHING)
    await olha.taps("Begin")
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    await olha.taps("Skip")
    await stories.shares(olha)
    review = await olha.sees("they took the whole class")
    assert "This is your message." in review.text


async def test_sharing_is_recorded_with_the_very_words(line: Line, clock: Clock) -> None:
    olha = line.person("Olha")
    report = await has_sent(line, olha)
    await comes_back(line, clock, olha, report.words())
    await olha.taps("Who else may have it")
    await olha.taps("For courts")
    asked = await olha.sees("May we give this to investigators")
    await olha.taps("Only the UN and the ICC")
    await olha.sees("Written down. For courts: Only the UN and the ICC.")
    ((addition,),) = [one["additions"] for one in await line.team.reports()]
    assert addition["answers"]["sharing"] == {"courts": "un_icc"}
    (answer,) = addition["answers"]["answers"]
    assert (answer["asked"], answer["consent"]) == (asked.text, 1)


async def test_a_childs_report_is_asked_nothing_about_sharing(line: Line, clock: Clock, desk: Desk) -> None:
    before = line.app.trust.current()
    routed = before.model_copy(update={"routing": {**before.routing, "child": "team"}})
    line.app.trust._manifest = routed  # as a ceremony of a team with one compartment for all
    olha = line.person("Olha")
    report = await has_sent(line, olha, form="child")
    await comes_back(line, clock, olha, report.words())
    shown = await olha.sees("Your message is with us")
    assert buttons(shown) == [
        "Write to the team",
        "Withdraw the message",
        "Clear this chat",
    ]


# ---- a visit ends -----------------------------------------------------------------------------------


async def test_a_visit_ends_by_itself_and_leaves_the_greeting(line: Line, desk: Desk, clock: Clock) -> None:
    olha = line.person("Olha")
    report = await has_sent(line, olha)
    await comes_back(line, clock, olha, report.words())
    shown = await olha.sees("Your message is with us")
    passes(line, clock, handler.STANDS)
    await until_quiet(line)
    (greeting,) = await olha.sees_only(1)
    assert GREETING in greeting.text
    await presses(olha, shown.id, "0:back.withdraw")  # and its buttons open nothing any more
    await until_quiet(line)
    (greeting,) = await olha.sees_only(1)
    assert GREETING in greeting.text
    assert await desk.sql("SELECT 1 FROM drafts") == []


@pytest.mark.parametrize("leaves", ["/start", "hide", "erase"])
async def test_a_command_ends_a_visit(leaves: str, line: Line, desk: Desk, clock: Clock) -> None:
    olha = line.person("Olha")
    report = await has_sent(line, olha)
    await olha.sends(report.words())
    await olha.sees(WAIT)
    await olha.sends(leaves)
    await olha.sees(GREETING)
    passes(line, clock, timedelta(seconds=5))
    await until_quiet(line)
    (card,) = await olha.sees_only(1)
    assert GREETING in card.text  # the answer that was on its way does not come
    assert await desk.sql("SELECT 1 FROM drafts") == []


async def test_an_open_interview_waits_for_its_two_words(line: Line, clock: Clock) -> None:
    olha = line.person("Olha")
    report = await has_sent(line, line.person("Petro"))
    await stories.begins(olha)
    await olha.taps("My family, or in my care")
    question = await olha.sees("What do you know about the child right now?")
    seen = [message.text for message in await olha.everything_seen()]
    resume = next(text.partition("write: ")[2].splitlines()[0] for text in seen if "write: " in text)
    await comes_back(line, clock, olha, report.words())
    await olha.sees("Your message is with us")
    await olha.sends(resume)
    assert (await olha.sees("What do you know about the child right now?")).text == question.text
    await olha.sees_only(1)
    assert (await line.team.reports())[0]["additions"] == []  # the two words were no message to the team


# ---- withdrawal -------------------------------------------------------------------------------------


async def withdraws(line: Line, clock: Clock, person: Person, report: Report) -> None:
    await comes_back(line, clock, person, report.words())
    await person.taps("Withdraw the message")
    await person.taps("Yes, withdraw")
    await person.taps("Withdraw it now")
    await person.sees("The message is withdrawn.")


async def test_withdrawal_is_asked_twice_and_freezes_at_once(line: Line, desk: Desk, clock: Clock) -> None:
    olha = line.person("Olha")
    report = await has_sent(line, olha, answer_here=True, push="Europe/Kyiv")
    await comes_back(line, clock, olha, report.words())
    card = await olha.sees("Your message is with us")
    await presses(olha, card.id, "0:back.withdraw.sure")  # not without being asked
    await olha.sees("Withdraw the message? From that moment")
    await olha.taps("Yes, withdraw")
    await olha.sees("To be certain")
    await olha.taps("Back")
    assert await desk.sql("SELECT 1 FROM reports WHERE withdrawn_hour IS NOT NULL") == []
    await olha.taps("Clear this chat")
    passes(line, clock, timedelta(hours=2))
    await withdraws(line, clock, olha, report)
    await olha.sees_only(1)
    assert len(await desk.sql("SELECT 1 FROM reports WHERE withdrawn_hour IS NOT NULL AND unread")) == 1
    assert await desk.sql("SELECT 1 FROM threads") == []
    assert await desk.acts(report) == ["receipt", "withdrawn"]
    await olha.taps("Clear this chat")
    passes(line, clock, timedelta(hours=2))
    await comes_back(line, clock, olha, report.words())
    await olha.sees(NOTHING)
