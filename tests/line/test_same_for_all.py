"""Never told, by bytes or by time: whether a child, a place, a file or this chat is known to anybody here.

What the bot asks Telegram for, and the moments that it plans, are compared between those of whom something is known and
those of whom nothing is. The clock stands still, so a moment is a figure.
"""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from handlers import conversation, sending
from rehearsal.driver import Person
from storage import returning
from tests.line import answering, stories
from tests.line.kit import GREETING, Line, until, until_quiet

KNOWN, UNKNOWN = "Olena Vyhadana", "Daryna Nichyia"
KNOWN_HOUSE, UNKNOWN_HOUSE = "a boarding school beyond the river", "a sanatorium under the third hill"
NO_WORDS = "No, I will come with the words"
HOSTILE = "I know where you sit, we come for you"
KIND = "I know who could say, I will ask her "
Act = Callable[[Person], Awaitable[Any]]
SHOWS = {"sendMessage", "editMessageText", "editMessageReplyMarkup", "answerCallbackQuery"}
QUIET = {
    *("getUpdates", "getFile", "file", "deleteMessage", "deleteMessages"),
    *("getMe", "deleteWebhook"),  # once, when the bot starts; so are those that introduce it
    *(f"{act}My{what}" for act in ("get", "set") for what in ("Commands", "Description", "ShortDescription")),
}


@pytest.fixture
def clock() -> answering.Clock:
    return answering.Clock(datetime.now(UTC))


@pytest.fixture(autouse=True)
def _same_two_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """The words to come back to a draft are chance; here it falls alike for all."""
    for module in (conversation, sending):
        monkeypatch.setattr(module, "secrets", SimpleNamespace(randbelow=lambda _: 1234))


class Watch:
    """What the bot does in answer to an act: its calls without ids and code, and how far off it plans to do them."""

    def __init__(self, line: Line, clock: answering.Clock, connection: asyncpg.Connection) -> None:
        self.line = line
        self.clock = clock
        self.connection = connection

    async def sees(self, person: Person, act: Act) -> tuple[list[str], list[timedelta]]:
        calls = await self.line.rehearsal.driver.calls()
        before = calls[-1]["number"] if calls else 0
        await self.connection.execute("DELETE FROM planned")
        await act(person)
        await person.is_heard()
        await until(self._has_all_files)
        await until_quiet(self.line)
        rows = await self.connection.fetch("SELECT DISTINCT not_before FROM planned ORDER BY 1")
        asked = await self.line.rehearsal.driver.calls(after=before)
        told = sorted(filter(None, map(plainly, asked)))
        return told, [row["not_before"] - self.clock() for row in rows]

    async def _has_all_files(self) -> bool:
        return not await self.connection.fetchval("SELECT count(*) FROM downloads")


def plainly(call: dict[str, Any]) -> str:
    """What a person gets of a call, without what is chance: ids, the code, the seven words."""
    if call["method"] not in SHOWS:
        assert call["method"] in QUIET, "a call that this test does not know"
        return ""
    params = {name: value for name, value in call["params"].items() if not name.endswith("_id")}
    said = json.dumps(params, ensure_ascii=False, sort_keys=True)
    masked = re.sub(r"<(code|tg-spoiler)>.*?</\1>", r"<\1>", said)
    return f"{call['method']} {call['error']} {masked}"


@pytest.fixture
async def watch(line: Line, clock: answering.Clock, fresh_database: Any) -> AsyncIterator[Watch]:
    connection = await asyncpg.connect(fresh_database.superuser_url)
    await connection.execute(
        """CREATE TABLE planned (not_before timestamptz);
        CREATE FUNCTION plan() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
            BEGIN INSERT INTO public.planned VALUES (NEW.not_before); RETURN NULL; END $$;
        CREATE TRIGGER plan AFTER INSERT ON outgoing FOR EACH ROW EXECUTE FUNCTION plan()"""
    )
    yield Watch(line, clock, connection)
    await connection.close()


# ---- the way of a whole report -----------------------------------------------------------------------


async def tells_all(person: Person) -> None:
    """One child, one house, one photo: from /start to the receipt."""
    await stories.begins(person)
    await stories.tells_the_core(person, name=KNOWN)
    await person.sends_photo(stories.picture("teal"))
    await person.sees("files: 1")
    await person.taps("Done")
    await stories.shares(person, answer=NO_WORDS)
    await stories.sends_it(person)


async def comes_to(question: str, person: Person) -> None:
    await stories.begins(person)
    await person.taps("My family, or in my care")
    await person.taps("I do not know where")
    await person.sees("What is the child’s name?")
    if question == "name":
        return
    await person.sends("Olenka")
    await person.taps("8")
    await person.taps("Girl")
    await person.sees("Where was the child taken from?")
    if question == "place":
        return
    await person.taps("I don’t know")
    await person.sees("When was the child taken?")
    await person.taps("I don’t know")
    await person.sees("send as many as you have")


# ---- /start ------------------------------------------------------------------------------------------


async def begins_and_stops(person: Person) -> None:
    await stories.begins(person)
    await stories.tells_the_core(person)


async def hides(person: Person) -> None:
    await begins_and_stops(person)
    await person.taps("Hide")
    await person.sees(GREETING)


async def erases(person: Person) -> None:
    await begins_and_stops(person)
    await person.sends("erase")
    await person.sees(GREETING)


async def allows_an_answer(person: Person) -> None:
    await begins_and_stops(person)
    await person.taps("Skip")
    await stories.shares(person)
    await stories.sends_it(person)


async def goes_through_the_childs_door(person: Person) -> None:
    await person.sends("/start")
    await person.taps("English")
    await person.taps("I am under 18")
    await person.taps("I was taken")
    await person.sends("I would like to go home")
    await person.taps(NO_WORDS)
    await person.taps("Send")
    await person.sees("Thank you for writing.")


async def shuts_the_childs_door(person: Person) -> None:
    await person.sends("/start")
    await person.taps("English")
    await person.taps("I am under 18")
    await person.taps("Clear this chat")
    await person.sees(GREETING)


async def blocks_and_comes_back(person: Person) -> None:
    await tells_all(person)
    await person.blocks()
    await person.unblocks()


async def does_nothing(person: Person) -> None:
    await person.id()


PASTS: dict[str, Act] = {
    "Nothing": does_nothing,
    "Draft": begins_and_stops,
    "Hidden": hides,
    "Erased": erases,
    "Report": tells_all,
    "Thread": allows_an_answer,
    "Child": goes_through_the_childs_door,
    "Door": shuts_the_childs_door,
    "Blocked": blocks_and_comes_back,
}


async def test_what_lies_behind_a_chat_is_not_told(line: Line, watch: Watch) -> None:
    """/start, two words that open nothing, hide: the same greeting at once, whatever was before."""
    seen = {}
    for past, lives in PASTS.items():
        person = line.person(past)
        await lives(person)
        await until_quiet(line)
        for words in ("/start", "lantern river", "/hide"):
            seen[past, words] = await watch.sees(person, lambda person, words=words: person.sends(words))
            (card,) = await person.sees_only(1)
            assert GREETING in card.text
    told, planned = seen["Nothing", "/start"]
    assert {past: answer for past, answer in seen.items() if answer != (told, planned)} == {}
    assert [call.partition(" ")[0] for call in told] == ["sendMessage"]
    assert planned == [timedelta(0)]


# ---- what the store knows ------------------------------------------------------------------------------


async def test_the_same_story_is_answered_alike_when_it_is_known(line: Line, watch: Watch) -> None:
    """The first to tell of a child, the second, and the third: every byte of every answer, from /start on."""
    first, second, third = [
        await watch.sees(line.person(name), tells_all) for name in ("Nina", "Olha", "Petro")
    ]
    assert second == first
    assert third == first
    assert len(first[0]) > 20
    assert first[1] == [timedelta(0), timedelta(minutes=15)]
    assert len(await line.team.reports()) == 3


async def says(words: str, person: Person) -> None:
    await person.sends(words)


async def shows(colour: str, person: Person) -> None:
    await person.sends_photo(stories.picture(colour))
    await person.sees("files: 1")


async def shows_twice(colour: str, person: Person) -> None:
    await shows(colour, person)
    await person.sends_photo(stories.picture(colour))


@pytest.mark.parametrize(
    ("question", "act", "known", "unknown"),
    [
        ("name", says, KNOWN, UNKNOWN),
        ("place", says, KNOWN_HOUSE, UNKNOWN_HOUSE),
        ("photo", shows, "teal", "olive"),
        ("name", says, HOSTILE, KIND),
    ],
    ids=["a child", "a place", "a photo", "hostile words"],
)
async def test_what_others_told_is_answered_like_what_nobody_did(
    question: str,
    act: Callable[[str, Person], Awaitable[None]],
    known: str,
    unknown: str,
    line: Line,
    watch: Watch,
) -> None:
    await tells_all(line.person("Nina"))
    answers = []
    for name, said in (("Olha", known), ("Petro", unknown)):
        person = line.person(name)
        await comes_to(question, person)
        await until_quiet(line)
        answers.append(await watch.sees(person, lambda person, said=said: act(said, person)))
    assert answers[0] == answers[1]
    assert answers[0][0]


async def test_a_photo_that_comes_twice_ends_on_the_same_card_whoever_else_sent_it(
    line: Line, watch: Watch
) -> None:
    """How many cards come on the way depends on how fast the file does; the last one, and the moments, do not."""
    await tells_all(line.person("Nina"))
    answers = []
    for name, colour in (("Olha", "teal"), ("Petro", "olive")):
        person = line.person(name)
        await comes_to("photo", person)
        await until_quiet(line)
        _, planned = await watch.sees(person, lambda person, colour=colour: shows_twice(colour, person))
        (card,) = await person.sees_only(1)
        answers.append((card.text, card.labels(), set(planned)))
    assert answers[0] == answers[1]
    assert "files: 1" in answers[0][0]


async def test_a_place_of_the_published_lists_comes_no_sooner(line: Line, watch: Watch) -> None:
    """Whether the lists have it is no secret; it is answered at the same moment all the same."""
    planned = []
    for name, said in (("Olha", "Oleshky"), ("Petro", "Skadovsk"), ("Nina", UNKNOWN_HOUSE)):
        person = line.person(name)
        await comes_to("place", person)
        await until_quiet(line)
        planned.append((await watch.sees(person, lambda person, said=said: person.sends(said)))[1])
    assert planned == [[timedelta(0)]] * 3


# ---- to add without the words ----------------------------------------------------------------------------


async def test_whoever_adds_is_thanked_alike_and_at_the_same_moment(
    line: Line, watch: Watch, clock: answering.Clock
) -> None:
    """With a thread, a report, a draft, a withdrawn report, a child's, or nothing: thanked after two seconds."""
    seen = {}
    for past in ("Nothing", "Hidden", "Report", "Thread", "Withdrawn", "Child"):
        person = line.person(past)
        await PASTS.get(past, allows_an_answer)(person)
        await until_quiet(line)
        if past == "Withdrawn":
            await withdraws(line, person)
        seen[past] = await watch.sees(person, adds)
        clock.at += timedelta(seconds=2)
        thanks = await watch.sees(person, does_nothing)
        shown = await person.sees("Thank you, it is with us")
        await person.sees_only(1)
        seen[past] = (*seen[past], thanks[0], shown.text, shown.labels())
    assert {past: answer for past, answer in seen.items() if answer != seen["Nothing"]} == {}
    assert seen["Nothing"][1] == [timedelta(0), timedelta(seconds=2)]


async def adds(person: Person) -> None:
    await stories.begins(person)
    await person.taps("I want to add to what I sent before")
    await person.sees("Write what you want to add")
    await person.sends("She called on Sunday")
    await person.taps("Done")
    await person.sees("This is your message.")
    await person.taps("Send")


async def withdraws(line: Line, person: Person) -> None:
    chat = line.app.intake.chat(await person.id())
    async with line.app.intake.connections.acquire() as connection, connection.transaction():
        found = await returning.find_by_chat(connection, chat)
        assert found is not None
        assert await returning.withdraw(connection, found.report, line.app.intake.now())
