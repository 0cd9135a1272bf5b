"""After Send: the receipt, and below it that this is no official search request; both go together."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

from rehearsal.driver import Person
from tests.line import stories
from tests.line.kit import GREETING, Clock, Line, blobs_of, passes, until, until_quiet

OFFICIAL = "not an official search request"


async def sends_a_report(line: Line) -> Person:
    olha = line.person("Olha")
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    await olha.taps("Skip")
    await stories.shares(olha)
    await stories.sends_it(olha)
    return olha


async def test_the_receipt_is_followed_and_not_replaced(line: Line) -> None:
    olha = await sends_a_report(line)
    await olha.sees(OFFICIAL)
    receipt, official = await olha.sees_only(2)
    assert "Seven words to come back" in receipt.text
    assert OFFICIAL in official.text
    assert "1648" in official.text


async def test_both_go_when_the_chat_is_cleared(line: Line) -> None:
    olha = await sends_a_report(line)
    await olha.sees(OFFICIAL)
    await olha.taps("I have the words, clear this chat")
    await olha.sees(GREETING)
    (greeting,) = await olha.sees_only(1)
    assert GREETING in greeting.text


async def test_both_go_after_15_minutes(line: Line, clock: Clock) -> None:
    olha = await sends_a_report(line)
    await olha.sees(OFFICIAL)
    await line.settles()
    await passes(line, clock, timedelta(minutes=15, seconds=2))
    await olha.sees(GREETING)
    (greeting,) = await olha.sees_only(1)
    assert GREETING in greeting.text


async def test_the_words_stand_while_something_is_added(line: Line, clock: Clock) -> None:
    """Who adds at once may still be writing the seven words down."""
    olha = await sends_a_report(line)
    await olha.taps("The journey")
    await olha.sees("What reason was given for the trip?")
    await olha.taps("Rest")
    await olha.sees("Who took the child")
    await olha.taps("To the message")
    await olha.sees("This will join what you have sent.")
    await olha.taps("Send")
    await olha.sees("it has joined your message")
    await olha.is_heard()
    await until_quiet(line)
    receipt, _ = await olha.sees_only(2)
    assert "Seven words to come back" in receipt.text
    await passes(line, clock, timedelta(minutes=15, seconds=2))
    await olha.sees_no_more("Seven words to come back")


async def test_files_that_were_taken_back_are_neither_kept_nor_sent(line: Line, rows: Any) -> None:
    olha = line.person("Olha")
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    await olha.sends_photo(stories.picture("teal"))
    await olha.sends_file("someone else.pdf", b"%PDF invented")
    await olha.sees("files: 2")
    await until(lambda: _equals(rows("draft_files"), 2))
    await olha.taps("Take the files back")
    await olha.sees("The files are taken back.")
    await until(lambda: _equals(rows("draft_files"), 0))
    await until(lambda: _nothing(line))
    await olha.sends_file("own.txt", b"invented")
    await olha.sees("files: 1")
    await olha.taps("Done")
    await stories.shares(olha)
    await stories.sends_it(olha)
    (report,) = await line.team.reports()
    files = report["files"] + [file for addition in report["additions"] for file in addition["files"]]
    assert [file["name"] for file in files] == ["own.txt"]
    assert [file["id"] for file in report["answers"]["files"]] == [file["id"] for file in files]


async def _equals(counted: Awaitable[int], number: int) -> bool:
    return await counted == number


async def _nothing(line: Line) -> bool:
    return blobs_of(line) == []
