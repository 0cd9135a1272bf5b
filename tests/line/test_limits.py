"""What one chat may give: beyond it a clear word, nothing lost of what was kept, and nothing told of where it waits."""

import contextlib
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from bot import limits
from bot.app import now as real_now
from bot.settings import BotSettings
from handlers.conversation import FILES_AT_MOST
from rehearsal.driver import Person
from rehearsal.server import Rehearsal
from storage.intake import Draft, Intake
from tests.line import stories
from tests.line.kit import Line, Team, running

MIB = 1024 * 1024


class Clock:
    """The bot's clock: real, and moved on at will."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return real_now() + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@contextlib.asynccontextmanager
async def a_line(
    rehearsal: Rehearsal, team: Team, settings: BotSettings, clock: Clock, **own: Any
) -> AsyncIterator[Line]:
    """A line with some settings of its own."""
    changed = settings.model_copy(update=own)
    async with running(changed, clock=clock) as app:
        yield Line(rehearsal, app, team, changed)


async def tells(person: Person) -> stories.Receipt:
    """A whole interview, as fast as a script."""
    await stories.begins(person)
    await stories.tells_the_core(person)
    await person.taps("Skip")
    await stories.shares(person)
    return await stories.sends_it(person)


async def asks(team: Team, question: str) -> list[tuple[Any, ...]]:
    """Rows from the database, asked as nobody of the line may ask."""
    connection = await asyncpg.connect(team.database.superuser_url)
    try:
        return [tuple(row) for row in await connection.fetch(question)]
    finally:
        await connection.close()


class TestTheWaitingRoom:
    """Reports that look scripted are kept whole, with class and clock; who sent them sees what everybody sees."""

    async def test_who_is_faster_than_a_person_waits_there_and_is_told_what_everybody_is(
        self, rehearsal: Rehearsal, team: Team, settings: BotSettings, clock: Clock
    ) -> None:
        async with a_line(rehearsal, team, settings, clock, human_pace_s=1.0) as line:
            script, olha = line.person("Script"), line.person("Olha")
            await tells(script)
            await stories.begins(olha)
            await line.settles()
            clock.ahead = timedelta(minutes=3)  # she reads
            await stories.tells_the_core(olha)
            await olha.taps("Skip")
            await stories.shares(olha)
            await stories.sends_it(olha)
            await line.settles()
            seen = [await everything_told(who) for who in (script, olha)]
            assert seen[0] == seen[1]
            planned = await asks(team, "SELECT count(*) FROM outgoing GROUP BY chat ORDER BY 1")
            assert planned[0] == planned[1]
        kept = await asks(
            team, "SELECT waiting_room, class, due_at IS NOT NULL FROM reports ORDER BY waiting_room"
        )
        assert kept == [(False, "normal", True), (True, "normal", True)]
        assert len(await team.reports()) == 2  # both are sealed and open alike

    async def test_nobody_is_too_fast_when_the_pace_is_nought(
        self, rehearsal: Rehearsal, team: Team, settings: BotSettings, clock: Clock
    ) -> None:
        async with a_line(rehearsal, team, settings, clock, human_pace_s=0) as line:
            await tells(line.person("Olha"))
        assert await asks(team, "SELECT waiting_room FROM reports") == [(False,)]

    async def test_more_reports_in_a_day_than_one_person_writes_wait_there_until_tomorrow(
        self, rehearsal: Rehearsal, team: Team, settings: BotSettings, clock: Clock
    ) -> None:
        async with a_line(rehearsal, team, settings, clock, human_pace_s=0, reports_a_day=1) as line:
            person = line.person("A list")
            codes = [(await tells(person)).code for _ in range(2)]
            await line.settles()
            clock.ahead = timedelta(days=1)
            codes.append((await tells(person)).code)
            other = await tells(line.person("Olha"))
        rows = await asks(team, "SELECT public_code, waiting_room FROM reports")
        assert dict(rows) == {codes[0]: False, codes[1]: True, codes[2]: False, other.code: False}

    async def test_a_tally_leads_to_no_chat(
        self, rehearsal: Rehearsal, team: Team, settings: BotSettings, clock: Clock
    ) -> None:
        async with a_line(rehearsal, team, settings, clock) as line:
            await tells(line.person("Olha"))
            await line.settles()
            clock.ahead = timedelta(days=1)
            await tells(line.person("Olha"))
        (first, second) = await asks(team, "SELECT tally FROM tallies")
        assert first != second
        assert await asks(team, "SELECT 1 FROM tallies JOIN chats ON chat = tally") == []


class TestQuotas:
    """Full is full, kindly: what came before stays, and the rest is said in words."""

    async def test_of_two_hundred_files_sixty_are_kept_and_each_other_is_answered(self, line: Line) -> None:
        olha = line.person("Olha")
        await stories.begins(olha)
        await stories.tells_the_core(olha)
        for album in range(20):
            files = [(f"{album}-{number}.pdf", f"%PDF-1.4 {album} {number}".encode()) for number in range(10)]
            await olha.sends_files(files)
        await olha.is_heard()
        await olha.sees("No more files fit here; all the earlier ones are kept.", timeout_s=30)
        await line.settles()
        await olha.taps("Done")
        await stories.shares(olha)
        await stories.sends_it(olha)
        await line.settles()
        (report,) = await line.team.reports()
        kept = [*report["files"], *(file for addition in report["additions"] for file in addition["files"])]
        assert len(kept) == FILES_AT_MOST

    async def test_large_files_end_with_a_clear_word_and_their_captions_are_kept(
        self, rehearsal: Rehearsal, team: Team, settings: BotSettings, clock: Clock
    ) -> None:
        async with a_line(rehearsal, team, settings, clock, max_report_mib=1) as line:
            olha = line.person("Olha")
            await stories.begins(olha)
            await stories.tells_the_core(olha)
            await olha.sends_file("first.bin", bytes(MIB // 2))
            await olha.sees("files: 1")
            await olha.sends_file("second.bin", bytes(MIB), "She is on the left")
            await olha.sees("So many large files do not fit here; all the earlier ones are kept.")
            await olha.taps("Done")
            await stories.shares(olha)
            await stories.sends_it(olha)
            await line.settles()
        (report,) = await team.reports()
        assert [file["name"] for file in report["files"]] == ["first.bin"]
        (photo,) = [one for one in report["answers"]["answers"] if one["step"] == "photo"]
        assert photo["words"] == ["She is on the left"]

    async def test_a_day_holds_so_much_and_the_next_day_as_much_again(
        self, rehearsal: Rehearsal, team: Team, settings: BotSettings, clock: Clock
    ) -> None:
        async with a_line(rehearsal, team, settings, clock, max_day_mib=1) as line:
            olha = line.person("Olha")
            await stories.begins(olha)
            await stories.tells_the_core(olha)
            await olha.sends_file("first.bin", bytes(MIB // 2))
            await olha.sees("files: 1")
            await olha.sends_file("second.bin", b"2" * (MIB // 2))
            await olha.sees("So many large files do not fit here")
            await line.settles()
            clock.ahead = timedelta(days=1)
            await olha.sends_file("third.bin", b"3" * (MIB // 2))
            await olha.sees("files: 2")

    async def test_a_story_without_end_keeps_what_fits_and_can_be_sent(
        self, line: Line, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "REPORT_CHARACTERS", 20_000)
        olha = line.person("Olha")
        await stories.begins(olha)
        await stories.tells_the_core(olha)
        pages = [f"page {number} " + "and then " * 400 for number in range(6)]
        for page in pages:
            await olha.sends(page)
        await olha.sees("This message is full; everything before is kept.")
        await olha.taps("Done")
        await stories.shares(olha)
        await stories.sends_it(olha)
        (report,) = await line.team.reports()
        (photo,) = [one for one in report["answers"]["answers"] if one["step"] == "photo"]
        kept = photo["words"]
        assert kept == [page.strip() for page in pages[: len(kept)]]
        assert 3 < len(kept) < len(pages)

    async def test_who_cannot_write_more_can_still_erase(
        self, line: Line, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        olha = line.person("Olha")
        await stories.begins(olha)
        await stories.tells_the_core(olha)
        monkeypatch.setattr(limits, "REPORT_CHARACTERS", 10)
        await olha.sends("There is more to tell")
        await olha.sees("This message is full")
        await olha.sends("erase")
        await olha.sees("Please choose a language.")
        await olha.is_heard()
        await line.settles()
        assert await asks(line.team, "SELECT count(*) FROM drafts") == [(0,)]

    async def test_of_too_many_hidden_messages_the_oldest_goes_and_nobody_is_told(
        self, line: Line, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "HIDDEN_DRAFTS", 2)
        olha = line.person("Olha")
        told = []
        for number in range(4):
            await stories.begins(olha)
            await stories.tells_the_core(olha, name=f"Olena {number}")
            before = len(await olha.everything_seen())
            await olha.sends("hide")
            await olha.sees("Please choose a language.")
            await olha.is_heard()
            await line.settles()
            told.append([one.text for one in (await olha.everything_seen())[before:] if not one.own])
        assert told[0] == told[1] == told[2] == told[3]
        drafts = await hidden(line.app.intake, await olha.id())
        names = sorted(draft.data["interview"]["answers"]["name"]["parts"][0][0] for draft in drafts)
        assert names == ["Olena 2", "Olena 3"]


async def everything_told(person: Person) -> list[str]:
    """All that the bot ever showed, without what is random: a code, and words to come back with."""
    shown = [one.text for one in await person.everything_seen() if not one.own]
    secret = re.compile(r"(?<=Code: )\S+|(?<=come back: ).*?(?=\. )|(?<=write: )[^\n]*")
    return [secret.sub("…", text) for text in shown]


async def hidden(intake: Intake, address: int) -> list[Draft]:
    """The hidden drafts of a chat, opened."""
    async with intake.visit(intake.chat(address), address) as visit:
        return list(visit.hidden)
