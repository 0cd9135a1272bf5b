"""Whatever a person sends gets a clear, kind answer, the question stays, and nothing that was given is lost."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from bot import parked
from flows import forms
from handlers import conversation
from rehearsal.driver import Person
from tests.line import stories
from tests.line.kit import Line

NAME = "What is the child’s name?"
NOT_READ = "This could not be read. Words are best."
GREETING = "Please choose a language."


async def comes_to_the_name(line: Line) -> Person:
    person = line.person("Olha")
    await stories.begins(person)
    await person.taps("My family, or in my care")
    await person.taps("I do not know where")
    await person.sees(NAME)
    return person


async def goes_on_from_the_name(person: Person, name: str = "Olenka") -> None:
    """The rest of the interview, from a name that is typed now to the receipt."""
    await person.sends(name)
    await goes_on_from_the_age(person)


async def goes_on_from_the_age(person: Person) -> None:
    await comes_to_the_review(person)
    await stories.sends_it(person)


async def comes_to_the_review(person: Person) -> None:
    await person.sees("How old was the child")
    await person.taps("8")
    await person.taps("Girl")
    await person.sees("Where was the child taken from?")
    await person.taps("I don’t know")
    await person.sees("When was the child taken?")
    await person.taps("I don’t know")
    await person.taps("Skip")
    await stories.shares(person)


async def the_report(line: Line) -> dict[str, Any]:
    (report,) = await line.team.reports()
    return report


async def answer(line: Line, step: str) -> dict[str, Any]:
    found = [one for one in (await the_report(line))["answers"]["answers"] if one["step"] == step]
    assert len(found) == 1
    return dict(found[0])


async def raw_message(person: Person, message: int, **content: Any) -> dict[str, Any]:
    """A message as Telegram might send it, with whatever content."""
    own = await person.id()
    return {
        "message_id": message,
        "from": {"id": own, "is_bot": False, "first_name": person.name, "language_code": "en"},
        "chat": {"id": own, "type": "private", "first_name": person.name},
        "date": int(datetime.now(UTC).timestamp()),
        **content,
    }


# ---- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "Оленка " * 585 + "О",  # 4,096 characters, Telegram's limit
        "👧🏽" * 1024,  # 4,096 UTF-16 units
        "\u202eakneloO\u202c אולנה",
        "O\u200bl\u200de\u2060n\ufeffka",
        "Оленка" * 83 + "О!",  # 500 characters, a name without end
        "Zalgo " + "e\u0301\u0302\u0303\u0304\u0305" * 40,
        "<b>Olenka</b> & <script>alert(1)</script> &lt;i&gt;",
        "{team} %s \\x00 '; DROP TABLE drafts; --",
        "*Olenka* _[link](tg://user?id=1)_ `code`",
    ],
    ids=["4096", "emoji", "right to left", "zero width", "500", "marks", "markup", "braces", "markdown"],
)
async def test_words_are_kept_as_they_are(words: str, line: Line) -> None:
    olha = await comes_to_the_name(line)
    sent = await olha.sends(words)
    await goes_on_from_the_age(olha)
    assert (await answer(line, "name"))["words"] == [sent.text]  # Telegram itself takes some signs out
    assert sent.text


async def test_half_a_character_breaks_nothing(line: Line) -> None:
    olha = await comes_to_the_name(line)
    await olha.sends_raw({"message": await raw_message(olha, 902, text="Olenka \ud83d")})
    await goes_on_from_the_age(olha)
    assert (await answer(line, "name"))["words"][0].startswith("Olenka ")


async def test_markup_is_shown_as_it_was_written(line: Line) -> None:
    olha = await comes_to_the_name(line)
    await olha.sends("<b>Olenka</b> & <i>Petryk")
    await olha.sees("How old was the child")
    await olha.taps("Back")
    card = await olha.sees("Here now: “<b>Olenka</b> & <i>Petryk”")
    assert not any(entity["type"] == "italic" for entity in card.raw.get("entities", []))


async def test_words_that_cannot_be_seen_are_no_answer(line: Line) -> None:
    olha = await comes_to_the_name(line)
    await olha.sends("\u200b\u200d\u2060")
    shown = await olha.sees(NOT_READ)
    assert NAME in shown.text
    await olha.sees_only(1)
    await goes_on_from_the_name(olha)
    assert (await answer(line, "name"))["words"] == ["Olenka"]


async def test_a_name_of_500_characters_is_shown_short_and_sealed_whole(line: Line) -> None:
    olha = await comes_to_the_name(line)
    name = "Оленка " * 71 + "Ола"
    assert len(name) == 500
    await olha.sends(name)
    await comes_to_the_review(olha)
    review = await olha.sees("This is your message.")
    row = next(row for row in review.text.splitlines() if row.startswith("Name: "))
    assert len(row) < 200
    await stories.sends_it(olha)
    assert (await answer(line, "name"))["words"] == [name]


@pytest.mark.parametrize("words", ["40", "40 years", "сорок"])
async def test_a_child_aged_40_is_kept_in_words_and_never_as_an_age(words: str, line: Line) -> None:
    olha = await comes_to_the_name(line)
    await olha.sends("Olenka")
    await olha.sees("How old was the child")
    await olha.sends(words)
    await olha.taps("Girl")
    await ends_from_the_place(olha)
    age = await answer(line, "age")
    assert age["words"] == [words]
    assert not age.get("understood")


@pytest.mark.parametrize("words", ["3000", "autumn 3000", "06.09.3000"])
async def test_the_year_3000_is_kept_in_words_and_never_as_a_date(words: str, line: Line) -> None:
    olha = await comes_to_the_name(line)
    await olha.sends("Olenka")
    await olha.taps("8")
    await olha.taps("Girl")
    await ends_from_the_place(olha, when=words)
    when = await answer(line, "when")
    assert when["words"] == [words]
    assert not when.get("understood")


async def ends_from_the_place(person: Person, when: str = "autumn 2022") -> None:
    await person.sees("Where was the child taken from?")
    await person.taps("I don’t know")
    await person.sees("When was the child taken?")
    await person.sends(when)
    await person.sees("send as many as you have")
    await person.taps("Skip")
    await stories.shares(person)
    await stories.sends_it(person)


@pytest.mark.parametrize("code", ["xx", "zz-Hant-CN", "uk_UA\r\n", "klingon" * 20])
async def test_an_unknown_language_code_is_english_and_breaks_nothing(code: str, line: Line) -> None:
    """A client's own word for its language may be anything."""
    olha = line.person("Olha", code)
    await olha.sends_big_file()
    await olha.sees("This file is over 20 MB")
    await stories.begins(olha)


# ---- what is no answer -----------------------------------------------------------------------------


async def test_stickers_and_polls_change_nothing(line: Line) -> None:
    olha = await comes_to_the_name(line)
    for sends in (olha.sends_sticker, olha.sends_poll):
        await sends()
        shown = await olha.sees(NOT_READ)
        assert NAME in shown.text
        await olha.sees_only(1)
    await goes_on_from_the_name(olha)
    assert (await answer(line, "name"))["words"] == ["Olenka"]


async def test_a_file_over_20_mb_is_told_at_once(line: Line) -> None:
    olha = await comes_to_the_name(line)
    await olha.sends_big_file("evidence.mp4")
    shown = await olha.sees("over 20 MB and cannot come through")
    assert NAME in shown.text
    await olha.sees_only(1)
    await goes_on_from_the_name(olha)
    assert (await the_report(line))["files"] == []


async def test_an_empty_file_is_told(line: Line) -> None:
    olha = await comes_to_the_name(line)
    await olha.sends_file("list.pdf", b"")
    shown = await olha.sees("This file is empty.")
    assert NAME in shown.text
    await olha.sees_only(1)
    await goes_on_from_the_name(olha)
    assert (await the_report(line))["files"] == []


async def test_more_files_than_fit_are_told_and_leave_the_chat(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "FILES_AT_MOST", 2)
    olha = await comes_to_the_name(line)
    for number in range(3):
        await olha.sends_file(f"{number}.txt", b"invented %d" % number)
    await olha.sees("No more files fit here; all the earlier ones are kept.")
    await olha.sees_only(1)
    await goes_on_from_the_name(olha)
    report = await the_report(line)
    files = report["files"] + [file for addition in report["additions"] for file in addition["files"]]
    assert sorted(file["name"] for file in files) == ["0.txt", "1.txt"]


async def test_a_file_that_telegram_lost_is_told(line: Line) -> None:
    olha = await comes_to_the_name(line)
    await line.rehearsal.driver.fault("cut", method="file", times=1)  # the first try ends in the middle
    await olha.sends_file("whole.txt", b"invented" * 500)
    await olha.sees("Kept.")
    await olha.sees_only(1, timeout_s=20)
    await goes_on_from_the_name(olha)
    report = await the_report(line)
    (file,) = report["files"] + [file for addition in report["additions"] for file in addition["files"]]
    assert await line.team.file(file, line.app.blobs) == b"invented" * 500


# ---- what is kept though nobody asked -----------------------------------------------------------------


async def test_a_location_is_kept_and_no_finer_than_a_settlement(line: Line) -> None:
    olha = await comes_to_the_name(line)
    await olha.shares_location(48.51234, 34.51234)
    shown = await olha.sees("Kept.")
    assert NAME in shown.text
    await olha.sees_only(1)
    await goes_on_from_the_name(olha)
    told = repr((await the_report(line))["answers"])
    assert "48.5" in told
    assert "48.51" not in told


async def test_a_forwarded_message_is_kept_as_forwarded(line: Line) -> None:
    olha = await comes_to_the_name(line)
    origin = {"type": "hidden_user", "sender_user_name": "Somebody", "date": 1_700_000_000}
    await olha.sends_raw(
        {"message": await raw_message(olha, 900, text="they are in Vyhadanka now", forward_origin=origin)}
    )
    shown = await olha.sees("Kept.")
    assert NAME in shown.text  # somebody else's words are not taken for the answer
    await goes_on_from_the_name(olha)
    told = repr((await the_report(line))["answers"])
    assert "they are in Vyhadanka now" in told
    assert "'forwarded': True" in told
    assert (await answer(line, "name"))["words"] == ["Olenka"]


async def test_an_edit_replaces_the_answer_it_gave(line: Line) -> None:
    olha = await comes_to_the_name(line)
    # Telegram makes us wait with the deletion: the message still stands, and can be edited.
    await line.rehearsal.driver.fault("too_many_requests", method="deleteMessage", times=1, retry_after_s=1)
    sent = await olha.sends("Olenko")
    await olha.sees("How old was the child")
    await olha.edits(sent, "Olenka")
    await olha.sees("Changed.")
    await olha.sees_only(1)
    await goes_on_from_the_age(olha)
    assert (await answer(line, "name"))["words"] == ["Olenka"]


async def test_an_edit_of_something_unknown_is_told(line: Line) -> None:
    olha = await comes_to_the_name(line)
    edited = await raw_message(olha, 901, text="Olenka", edit_date=1_700_000_000)
    await olha.sends_raw({"edited_message": edited})
    shown = await olha.sees("That message can no longer be changed. The correction can be written here.")
    assert NAME in shown.text
    await goes_on_from_the_name(olha)


# ---- buttons -----------------------------------------------------------------------------------------


async def test_a_stale_button_changes_nothing(line: Line) -> None:
    olha = await comes_to_the_name(line)
    await olha.taps_stale("From my work, or I have a document")
    shown = await olha.sees("That button no longer works; nothing was changed.")
    assert NAME in shown.text
    await goes_on_from_the_name(olha)
    assert (await answer(line, "know"))["option"] == "family"


async def test_two_taps_at_once_are_one_answer(line: Line) -> None:
    olha = line.person("Olha")
    await stories.begins(olha)
    await olha.taps("My family, or in my care")
    card = await olha.sees("What do you know about the child right now?")
    await asyncio.gather(
        olha.taps_at(card, "I know where"),
        olha.taps_at(card, "I know where"),
        olha.taps_at(card, "I do not know where"),
    )
    await olha.is_heard()
    await olha.sees(NAME)
    await goes_on_from_the_name(olha)
    assert (await answer(line, "where"))["option"] in {"known", "unknown"}


async def test_send_tapped_twice_is_one_report(line: Line) -> None:
    olha = await comes_to_the_name(line)
    await olha.sends("Olenka")
    await comes_to_the_review(olha)
    card = await olha.sees("This is your message.")
    await asyncio.gather(*(olha.taps_at(card, "Send") for _ in range(3)))
    await olha.is_heard()
    receipt = await stories.sees_receipt(olha)
    assert (await the_report(line))["code"] == receipt.code


@pytest.mark.parametrize(
    "data", ["", "zz:o.adult", "0:", "0:o.nothing", "ffffffff:send", "0:lang.xx", "0:change.x#9"]
)
async def test_a_button_of_another_time_is_stale(data: str, line: Line) -> None:
    olha = await comes_to_the_name(line)
    card = await olha.sees(NAME)
    query = {
        "id": "1",
        "from": (await raw_message(olha, 1))["from"],
        "message": await raw_message(olha, card.id),
        "chat_instance": "1",
        "data": data,
    }
    await olha.sends_raw({"callback_query": query})
    await olha.is_heard()
    await line.settles()
    (shown,) = await olha.sees_only(1)
    assert NAME in shown.text
    await goes_on_from_the_name(olha)


# ---- what cannot be taken ------------------------------------------------------------------------------


async def test_what_cannot_be_taken_is_parked_and_told(line: Line) -> None:
    olha = await comes_to_the_name(line)
    broken = {"date": "not a date", "text": "a secret word"}
    await olha.sends_raw({"message": await raw_message(olha, 902, **broken)})
    await olha.sees("This message could not be read yet. We have it, locked; a person will look.")
    (kept,) = await parked.read(line.app.intake)
    assert kept.raw is not None
    assert kept.raw["message"]["text"] == broken["text"]
    told = parked.shape(kept.raw)
    assert "text: str" in told
    assert "secret" not in told
    assert str(await olha.id()) not in told
    assert await parked.retry(line.app.intake, line.app.updates) == (0, 1)
    # The interview goes on where it stood: the next answer is for the same question.
    await goes_on_from_the_name(olha)
    assert (await answer(line, "name"))["words"] == ["Olenka"]


async def test_a_form_that_the_program_lacks_loses_nothing(line: Line) -> None:
    """After a step back to an older program: what was begun waits, and what is said now is kept too."""
    olha = await comes_to_the_name(line)
    words = next(
        text.partition("write: ")[2].splitlines()[0]
        for text in [message.text for message in await olha.everything_seen()]
        if "To come back to what you began, write: " in text
    )
    await set_version(line, olha, 99)
    await olha.sends("they are in Vyhadanka now")
    await olha.sees(GREETING)
    await olha.sees_only(1)
    await olha.sends(words)  # they cannot bring it back yet, and nothing breaks
    await olha.is_heard()
    await line.settles()
    await olha.sees_only(1)
    await set_version(line, olha, forms.newest("family").version)
    await olha.sends(words)
    await olha.sees(NAME)
    await goes_on_from_the_name(olha)
    report = await the_report(line)
    beside = [words for kept in report["answers"]["beside"] for words in kept.get("words", [])]
    assert "they are in Vyhadanka now" in beside
    assert (await answer(line, "know"))["option"] == "family"


async def test_a_language_that_the_program_lacks_loses_nothing(line: Line) -> None:
    """After a step back to an older program: what is said to a draft in that language waits for the newer one."""
    olha = await comes_to_the_name(line)
    await olha.sends("Olenka")
    await olha.sees("How old was the child")
    await changes_interviews(line, olha, "lang", "xx")
    await olha.sends("8")
    await olha.sees("This message could not be read yet. We have it, locked; a person will look.")
    await changes_interviews(line, olha, "lang", "en")
    assert await parked.retry(line.app.intake, line.app.updates) == (1, 0)
    await olha.taps("Girl")
    await ends_from_the_place(olha)
    assert (await answer(line, "name"))["words"] == ["Olenka"]
    assert (await answer(line, "age"))["understood"]["age"] == 8


async def set_version(line: Line, person: Person, version: int) -> None:
    """Makes the interview of this chat follow another version of its form."""
    await changes_interviews(line, person, "version", version)


async def changes_interviews(line: Line, person: Person, name: str, value: object) -> None:
    """Makes the interviews of this chat hold another value."""
    address = await person.id()
    async with line.app.intake.visit(line.app.intake.chat(address), address) as visit:
        for draft in [*visit.hidden, *([visit.draft] if visit.draft else [])]:
            if "interview" in draft.data:
                draft.data["interview"][name] = value
                visit.keep(draft)


async def test_a_file_that_cannot_be_kept_is_told_before_a_language_too(line: Line) -> None:
    olha = line.person("Olha", "uk")
    await olha.sends_big_file()
    await olha.sees("Цей файл понад 20 МБ, так він не дійде.")
    (card,) = await olha.sees_only(1)
    assert card.button("English")
    await olha.taps("English")
    await olha.taps("Yes, let us begin. I am 18 or older")
    await olha.sees("How do you know about the child?")
