"""What stands in a chat is the card alone; hide keeps and shows nothing, erase shreds, and time takes the rest."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest

from bot import upkeep
from bot.settings import BotSettings
from rehearsal.driver import Person
from rehearsal.server import Rehearsal
from tests.line import stories
from tests.line.kit import GREETING, Clock, Line, Team, blobs_of, passes, running, until


async def hides(person: Person) -> str:
    """Taps Hide; the two words of the pop-up."""
    await person.taps("Hide")
    shown = await person.sees_popup("To come back, write here: ")
    await person.sees(GREETING)
    await person.sees_only(1)
    return shown.partition("write here: ")[2].partition(".")[0]


# ---- nothing but the card --------------------------------------------------------------------------


async def test_after_each_answer_only_the_card_stands(line: Line) -> None:
    olha = line.person("Olha")
    await olha.sends("/start")
    await olha.sees_only(1)
    await olha.taps("English")
    await olha.taps("Yes, let us begin. I am 18 or older")
    await olha.taps("My family, or in my care")
    await olha.taps("I do not know where")
    for question, answer in (
        ("What is the child’s name?", "Olenka"),
        ("How old was the child", "about 8"),
        ("Is the child a girl or a boy?", "girl"),
        ("Where was the child taken from?", "a boarding school beyond the river"),
        ("When was the child taken?", "autumn 2022"),
    ):
        await olha.sees(question)
        await olha.sends(answer)
        await olha.sees_only(1)
    await olha.sees("send as many as you have")
    await olha.sends_photo(stories.picture("teal"))
    await olha.sends_voice()
    await olha.sends_file("permission.pdf", b"%PDF invented")
    await olha.sees("files: 3")
    (card,) = await olha.sees_only(1)
    assert not card.own


# ---- hide -------------------------------------------------------------------------------------------


async def test_hide_clears_and_two_words_bring_it_back(line: Line, rows: Any) -> None:
    olha = line.person("Olha")
    await stories.begins(olha)
    await stories.tells_the_core(olha, name="Olenka")
    await olha.sends_photo(stories.picture("teal"))
    await olha.sees("files: 1")
    words = await hides(olha)
    assert len(words.split()) == 2
    (greeting,) = await olha.chat()
    assert "Olenka" not in greeting.text
    assert await rows("drafts") == 1

    await olha.sends(f" {words.upper()}. ")
    await olha.sees("files: 1")
    await olha.sees_only(1)
    await olha.taps("Done")
    await stories.shares(olha)
    review = await olha.sees("This is your message.")
    assert "Olenka" in review.text
    await stories.sends_it(olha)
    (report,) = await line.team.reports()
    assert len(report["files"]) == 1


@pytest.mark.parametrize("word", ["hide", "/hide", "Сховати!", "скрыть", "схаваць"])
async def test_hide_as_a_plain_word(word: str, line: Line, rows: Any) -> None:
    olha = line.person("Olha")
    await stories.begins(olha)
    await olha.taps("My family, or in my care")
    shown = await olha.sees("What do you know about the child right now?")
    await olha.sends(word)
    await olha.sees(GREETING)
    await olha.sees_only(1)
    assert await rows("drafts") == 1
    # The two words stood on an earlier card, and so the draft is not lost.
    seen = [message.text for message in await olha.everything_seen()]
    (card,) = [text for text in seen if "To come back to what you began, write: " in text]
    await olha.sends(card.partition("write: ")[2].splitlines()[0])
    assert (await olha.sees("What do you know about the child right now?")).text == shown.text


async def test_words_of_another_open_nothing(line: Line) -> None:
    """The two words are for the chat in which they were given, and no other."""
    olha, petro = line.person("Olha"), line.person("Petro")
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    words = await hides(olha)
    await petro.sends("/start")
    await petro.sees(GREETING)
    await petro.sends(words)
    await petro.is_heard()
    await line.settles()
    (card,) = await petro.sees_only(1)
    assert GREETING in card.text


async def test_what_was_written_before_a_language_is_not_lost(line: Line) -> None:
    """Words, a caption, a point and a file may be all that somebody can send; a second tap loses nothing either."""
    olha = line.person("Olha")
    await olha.sends("they were taken from the school in Vyhadanka")
    await olha.sees(GREETING)
    await olha.sends_file("list.txt", b"invented", caption="the list of that class")
    await olha.shares_location(48.567, 34.567)
    await olha.sends("/start")
    await olha.is_heard()
    greeting = await olha.sees(GREETING)
    await olha.taps_at(greeting, "English")
    await olha.taps_at(greeting, "English")
    await olha.taps("Yes, let us begin. I am 18 or older")
    await stories.tells_the_core(olha)
    await olha.taps("Skip")
    await stories.shares(olha)
    review = await olha.sees("This is your message.")
    for told in ("they were taken from the school in Vyhadanka", "the list of that class", "files: 1"):
        assert told in review.text
    await stories.sends_it(olha)
    (report,) = await line.team.reports()
    early = [kept for kept in report["answers"]["beside"] if kept["step"] == "before"]
    assert [words for kept in early for words in kept.get("words", [])] == [
        "they were taken from the school in Vyhadanka",
        "the list of that class",
        "48.6, 34.6",
    ]
    assert [file for kept in early for file in kept.get("files", [])] == [
        file["id"] for file in report["answers"]["files"]
    ]
    files = report["files"] + [file for addition in report["additions"] for file in addition["files"]]
    assert [file["name"] for file in files] == ["list.txt"]


# ---- erase --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["erase", "Стерти!", "/erase"])
async def test_erase_shreds_drafts_files_and_blobs(word: str, line: Line, rows: Any) -> None:
    olha = line.person("Olha")
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    await olha.sends_album([stories.picture("teal"), stories.picture("olive")])
    await olha.sees("files: 2")
    await hides(olha)  # an earlier draft goes too
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    await olha.sends_file("permission.pdf", b"invented")
    await olha.sees("files: 1")
    await until(lambda: _equals(rows("draft_files"), 3))
    assert len(blobs_of(line)) == 3

    await olha.sends(word)
    await olha.sees(GREETING)
    await olha.sees_only(1)
    for table in ("drafts", "draft_files", "downloads"):
        assert await rows(table) == 0
    await until(lambda: _holds(not blobs_of(line)))


async def test_erase_drops_what_is_still_on_its_way(line: Line, rows: Any) -> None:
    olha = line.person("Olha")
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    await line.rehearsal.driver.fault("server_error", method="getFile")
    await olha.sends_file("permission.pdf", b"invented")
    await olha.sees("files: 1")
    assert await rows("downloads") == 1
    await olha.sends("erase")
    await olha.sees(GREETING)
    await olha.sees_only(1)
    assert await rows("downloads") == 0
    await line.rehearsal.driver.clear_faults()
    await line.app.downloads.recover()
    assert (await rows("draft_files"), blobs_of(line)) == (0, [])


async def _equals(count: Awaitable[int], number: int) -> bool:
    return await count == number


async def _holds(true: bool) -> bool:  # noqa: FBT001 - a condition already looked at
    return true


async def test_under_18_leads_to_helplines_and_keeps_nothing(line: Line, rows: Any) -> None:
    olha = line.person("Olha")
    await olha.sends("something was written first")
    await olha.sends_photo(stories.picture("teal"))
    await olha.taps("English")
    await until(lambda: _equals(rows("draft_files"), 1))
    await olha.taps("I am under 18")
    await olha.sees("116 111")
    await olha.taps("Clear this chat")
    await olha.sees(GREETING)
    await olha.sees_only(1)
    for table in ("drafts", "draft_files", "downloads"):
        assert await rows(table) == 0
    await until(lambda: _holds(not blobs_of(line)))
    # And no mark on a later visit.
    await stories.begins(olha)


async def test_not_now_writes_nothing_down(line: Line, rows: Any) -> None:
    olha = line.person("Olha")
    await olha.sends("/start")
    await olha.taps("English")
    await olha.taps("Not now")
    await olha.sees("nothing was written down")
    assert await rows("drafts") == 0


# ---- time -------------------------------------------------------------------------------------------------


async def test_the_receipt_gives_way_after_15_minutes(line: Line, clock: Clock) -> None:
    olha = line.person("Olha")
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    await olha.taps("Skip")
    await stories.shares(olha)
    receipt = await stories.sends_it(olha)
    await passes(line, clock, timedelta(minutes=14))
    await line.app.delivery.recover()
    await line.settles()
    await olha.sees(receipt.words)
    await passes(line, clock, timedelta(minutes=1, seconds=1))
    await olha.sees(GREETING)
    await olha.sees_no_more(receipt.words)
    await olha.sees_only(1)


async def test_a_receipt_cleared_by_hand_is_not_cleared_again(line: Line, clock: Clock, rows: Any) -> None:
    olha = line.person("Olha")
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    await olha.taps("Skip")
    await stories.shares(olha)
    await stories.sends_it(olha)
    await olha.taps("I have the words, clear this chat")
    await stories.begins(olha)
    await passes(line, clock, timedelta(minutes=16))
    await until(lambda: _equals(rows("outgoing"), 0))
    (card,) = await olha.sees_only(1)
    assert "How do you know about the child?" in card.text


async def test_a_chat_is_swept_before_47_hours(line: Line, clock: Clock, rows: Any) -> None:
    olha = line.person("Olha")
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    words = next(
        text.partition("write: ")[2].splitlines()[0]
        for text in [message.text for message in await olha.everything_seen()]
        if "To come back to what you began, write: " in text
    )
    await passes(line, clock, timedelta(hours=45))
    assert await upkeep.sweep(line.app.intake, line.app.delivery) == 0
    await passes(line, clock, timedelta(hours=1, minutes=59))
    await upkeep.sweep(line.app.intake, line.app.delivery)
    await olha.sees_only(0)
    assert await rows("drafts") == 1
    await olha.sends(words)  # what was begun is kept, and comes back
    await olha.sees("send as many as you have")


@pytest.mark.parametrize("method", ["deleteMessage", "deleteMessages"])
async def test_the_sweep_outlives_a_restart_and_an_outage(
    method: str, rehearsal: Rehearsal, team: Team, settings: BotSettings, clock: Clock
) -> None:
    """The bot is away for almost two days; when it is back, Telegram is in trouble at first."""
    async with running(settings, clock=clock) as app:
        line = Line(rehearsal, app, team, settings)
        olha = line.person("Olha")
        await stories.begins(olha)
        await stories.tells_the_core(olha)
        await olha.sees_only(1)
    clock.ahead += timedelta(hours=47) - timedelta(minutes=5)
    rehearsal.clock.advance(clock.ahead.total_seconds())
    await rehearsal.driver.fault("server_error", method=method, status=502, times=1)
    async with running(settings, clock=clock) as app:
        await upkeep.sweep(app.intake, app.delivery)
        await olha.sees_only(0)


async def test_after_its_lifetime_nothing_is_left_of_a_draft(line: Line, clock: Clock, rows: Any) -> None:
    olha = line.person("Olha")
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    await olha.sends_photo(stories.picture("teal"))
    await until(lambda: _equals(rows("draft_files"), 1))
    await olha.sees("files: 1")
    await hides(olha)
    days = line.settings.state / "bot" / "days"
    first = [path.name for path in days.iterdir()]
    await passes(line, clock, line.settings.draft_ttl + timedelta(days=1))
    await upkeep.expire(line.app.intake, line.app.blobs)
    assert await rows("drafts") == 0
    assert [name for name in first if (days / name).exists()] == []
    await passes(line, clock, line.settings.draft_ttl)
    await upkeep.sweep(line.app.intake, line.app.delivery)
    await until(lambda: _equals(rows("outgoing"), 0))
    await upkeep.expire(line.app.intake, line.app.blobs)
    for table in ("draft_files", "message_ids", "chats", "updates_taken"):
        assert await rows(table) == 0, table
    assert blobs_of(line) == []


async def test_when_the_receipt_has_gone_by_itself_nothing_tells_that_something_was_sent(
    line: Line, clock: Clock
) -> None:
    olha = line.person("Olha")
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    await olha.taps("Skip")
    await stories.shares(olha)
    await stories.sends_it(olha)
    await line.settles()
    clock.ahead += timedelta(minutes=16)
    await olha.sees_only(1)
    taras = line.person("Taras")
    for person in (olha, taras):
        await person.sends("is anybody there")
        await person.sees_no_more("is anybody there")
    (shown,), (other,) = await olha.sees_only(1), await taras.sees_only(1)
    assert GREETING in shown.text
    assert shown.text == other.text
