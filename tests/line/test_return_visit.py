"""What a visit with the seven words may see and do: the status, the answers, to add, to share, to withdraw."""

from datetime import UTC, datetime, timedelta

import pytest

from handlers import returning as handler
from rehearsal.driver import Person
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
    waits_for_the_answer,
)
from tests.line.kit import Line, until, until_quiet

GREETING = "Please choose a language."
NOTHING = "Nothing opens with these words."
NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))


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
    reply = await desk.answers(report, "Meet this man at the station.", Ed25519PrivateKey.generate())
    await comes_back(line, clock, olha, report.words())
    await olha.taps("Read the answer")
    await olha.sees("This answer could not be opened.")
    assert not any("station" in message.text for message in await olha.everything_seen())
    told = capsys.readouterr()
    assert "reply_refused" in told.out + told.err
    assert await desk.refusals() == [("reply not signed by a member", str(reply))]
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
