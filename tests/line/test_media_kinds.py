"""Whatever Telegram can send is kept where it came, under the name of whoever is said to have sent it."""

import asyncio
from typing import Any

import pytest

from rehearsal.driver import Person
from tests.line import stories
from tests.line.kit import Line

NAME = "What is the child’s name?"
AGE = "How old was the child"
NOT_READ = "This could not be read."


async def comes_to_the_name(line: Line) -> Person:
    olha = line.person("Olha")
    await stories.begins(olha)
    await olha.taps("My family, or in my care")
    await olha.taps("I do not know where")
    await olha.sees(NAME)
    return olha


async def sends_the_rest(person: Person, *, named: bool = False) -> None:
    """From the name, or once it is given, to the receipt; with nothing more told than needed."""
    if not named:
        await person.sends("Olenka")
    await person.sees(AGE)
    await person.taps("8")
    await person.taps("Girl")
    await person.sees("Where was the child taken from?")
    await person.taps("I don’t know")
    await person.sees("When was the child taken?")
    await person.taps("I don’t know")
    await person.taps("Skip")
    await stories.shares(person)
    await stories.sends_it(person)


async def told(line: Line) -> dict[str, Any]:
    """What is sealed of the one report: its answers' body."""
    (report,) = await line.team.reports()
    body: dict[str, Any] = report["answers"]
    return body


async def beside(line: Line) -> dict[str, Any]:
    (entry,) = (await told(line))["beside"]
    return dict(entry)


async def sealed_files(line: Line, count: int) -> list[dict[str, Any]]:
    """The files of the one report, once so many are there: those on their way when it was sent join it."""
    async with asyncio.timeout(30):
        while True:
            (report,) = await line.team.reports()
            files: list[dict[str, Any]] = report["files"] + [
                file for more in report["additions"] for file in more["files"]
            ]
            if len(files) >= count:
                return files
            await asyncio.sleep(0.05)


# ---- forwards ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("forward", "origin"),
    [
        ({"kind": "user", "name": "Petro V."}, "Petro V."),
        ({"kind": "hidden", "name": "Somebody"}, "Somebody"),
        ({"kind": "chat", "name": "The street", "signature": "Its admin"}, "The street, Its admin"),
        ({"kind": "channel", "name": "Station news", "post": 7}, "Station news"),
        (
            {"kind": "channel", "name": "Station news", "username": "station_news", "post": 7},
            "Station news, https://t.me/station_news/7",
        ),
        ({"kind": "hidden", "name": "\u202eevil\u202c\r\n(the police)\t\x07"}, "evil (the police)"),
    ],
    ids=["user", "hidden", "chat", "channel", "public channel", "hostile"],
)
async def test_a_forward_is_kept_with_the_name_it_bears(
    forward: dict[str, Any], origin: str, line: Line
) -> None:
    olha = await comes_to_the_name(line)
    await olha.sends("they were put on a bus", forward=forward)
    await olha.sees("Kept.")
    await olha.sees(NAME)
    await sends_the_rest(olha)
    entry = await beside(line)
    assert (entry["step"], entry["words"], entry["forwarded"]) == ("name", ["they were put on a bus"], True)
    assert entry["origin"] == origin
    assert not any(character.isdigit() for character in entry["origin"].replace("/7", ""))


async def test_a_forwarded_photo_answers_nothing_and_names_its_origin(line: Line) -> None:
    olha = await comes_to_the_name(line)
    await olha.sends_photo(caption="at the station", forward={"kind": "hidden", "name": "A person"})
    await olha.sees("Kept.")
    await olha.sees(NAME)
    await sends_the_rest(olha)
    (file,) = (await told(line))["files"]
    assert (file["forwarded"], file["origin"], file["caption"]) == (True, "A person", "at the station")


# ---- links, contacts, places ---------------------------------------------------------------------------


async def test_a_link_behind_words_is_told_below_them(line: Line) -> None:
    olha = await comes_to_the_name(line)
    await olha.sends("Olenka, see her page", links=[("her page", "https://example.org/o?x=1&y=2")])
    await sends_the_rest(olha, named=True)
    body = await told(line)
    (name,) = [answer for answer in body["answers"] if answer["step"] == "name"]
    assert name["words"] == ["Olenka, see her page\nhttps://example.org/o?x=1&y=2"]
    assert body["links"] == ["https://example.org/o?x=1&y=2"]


async def test_a_link_that_stands_in_the_words_is_not_told_twice(line: Line) -> None:
    olha = await comes_to_the_name(line)
    address = "https://example.org/olenka"
    await olha.sends(address, links=[(address, address)])
    await sends_the_rest(olha, named=True)
    assert (await told(line))["links"] == [address]


async def test_an_address_that_is_none_harms_nothing(line: Line) -> None:
    olha = await comes_to_the_name(line)
    links = [
        {"type": "text_link", "offset": 0, "length": 6, "url": "java\nscript:\u202ealert(1)<b>"},
        {"type": "text_link", "offset": 0, "length": 6},
        {"type": "text_link", "offset": 900, "length": 9000, "url": "http://"},
    ]
    await olha.sends_raw({"message": await raw(olha, 901, text="Olenka", entities=links)})
    await sends_the_rest(olha, named=True)
    (name,) = [answer for answer in (await told(line))["answers"] if answer["step"] == "name"]
    assert name["words"] == ["Olenka\njava script:alert(1)<b>\nhttp://"]


async def test_the_longest_caption_is_kept_whole(line: Line) -> None:
    caption = "Оленка 👧 " * 409  # more than 4,096 units, as an account that pays may send
    olha = await comes_to_the_name(line)
    shown = await olha.sends_photo(caption=caption)
    await sends_the_rest(olha, named=True)
    (file,) = (await told(line))["files"]
    assert file["caption"] == shown.text


async def test_a_contact_is_somebody_elses_claim(line: Line) -> None:
    olha = await comes_to_the_name(line)
    await olha.shares_contact(
        "+380 00 000 00 01", "Petro\u202e", last_name="Vyhadanyi\nCaptain", vcard="BEGIN:VCARD"
    )
    await olha.sees("Kept.")
    await olha.sees_only(1)
    await sends_the_rest(olha)
    entry = await beside(line)
    assert entry["claim"] == "contact"
    assert entry["words"] == ["Petro Vyhadanyi Captain\n+380 00 000 00 01"]


async def test_a_contact_may_be_all_that_comes_before_the_first_question(line: Line) -> None:
    olha = line.person("Olha")
    await olha.shares_contact("+380000000001", "Petro")
    await olha.sees("Please choose a language.")
    await olha.taps("English")
    await olha.taps("Yes, let us begin. I am 18 or older")
    await olha.taps("My family, or in my care")
    await olha.taps("I do not know where")
    await sends_the_rest(olha)
    assert "Petro\n+380000000001" in (await beside(line))["words"]


async def test_the_name_of_a_place_is_kept_with_its_point(line: Line) -> None:
    olha = await comes_to_the_name(line)
    await olha.shares_venue("The old school\n\u202e", "Long street 5", 48.123456, 38.123456)
    await olha.sees("Kept.")
    await sends_the_rest(olha)
    kept = (await told(line))["beside"]
    assert [entry["words"] for entry in kept if "words" in entry] == [["The old school, Long street 5"]]
    assert [entry["understood"] for entry in kept if "understood" in entry] == [{"point": [48.1, 38.1]}]


async def test_a_live_location_is_its_first_point_and_never_followed(line: Line) -> None:
    olha = await comes_to_the_name(line)
    live = await olha.shares_location(48.123456, 38.123456, live_period=900)
    await olha.moves(live, 47.5, 37.5)
    await olha.is_heard()
    await olha.sees("Kept.")
    await olha.sees_only(1)  # and so it is over: nothing goes on to tell where somebody is
    await sends_the_rest(olha)
    entry = await beside(line)
    assert entry["understood"]["point"] == [48.1, 38.1]


# ---- what is no answer ---------------------------------------------------------------------------------


async def test_what_cannot_be_read_gets_a_kind_word_and_the_question_stays(line: Line) -> None:
    olha = await comes_to_the_name(line)
    for sends in (olha.sends_sticker, olha.sends_poll, olha.throws_dice, olha.shows_story):
        await sends()
        await olha.sees(NOT_READ)
        await olha.sees_only(1)
    await sends_the_rest(olha)
    assert (await told(line))["beside"] == []


async def test_what_telegram_itself_says_is_no_answer_and_leaves_the_chat(line: Line) -> None:
    olha = await comes_to_the_name(line)
    (card,) = await olha.sees_only(1)
    await olha.pins(card)
    await olha.sets_timer()
    (still,) = await olha.sees_only(1)
    assert (still.id, still.text) == (card.id, card.text)
    await sends_the_rest(olha)
    assert (await told(line))["beside"] == []


# ---- at a question of each sort ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["photo", "document", "video", "video_note", "audio", "voice", "animation"])
async def test_a_file_at_any_question_is_in_what_is_sealed(kind: str, line: Line) -> None:
    olha = line.person("Olha")
    contents: dict[str, bytes] = {}

    async def sends(step: str) -> None:
        content = stories.picture("teal", (60 + len(contents), 60)) if kind == "photo" else step.encode() * 9
        if kind == "photo":
            shown = await olha.sends_photo(content)
        elif kind == "voice":
            shown = await olha.sends_voice(content)
        else:
            shown = await olha.sends_file("a.bin", content, kind=kind)
        contents[step] = await olha.content_of(shown)
        await olha.is_heard()

    spoken = kind in {"voice", "audio", "video_note"}
    await stories.begins(olha)
    await sends("know")  # a question with buttons alone
    await olha.taps("My family, or in my care")
    await olha.taps("I do not know where")
    await olha.sees(NAME)
    await sends("name")
    if not spoken:
        await olha.sees("Kept.")
        await olha.sends("Olenka")
    await olha.sees(AGE)
    await olha.taps("8")
    await olha.taps("Girl")
    await sends("place")
    if not spoken:
        await olha.sees("Here now: files: 1")
        await olha.taps("I don’t know")
    await olha.sees("When was the child taken?")
    await olha.taps("I don’t know")
    await olha.sees("send as many as you have")
    await sends("photo")
    await olha.taps("Done")
    await stories.shares(olha)
    await stories.sends_it(olha)
    sealed = await sealed_files(line, len(contents))
    kept = {file["step"]: await line.team.file(file, line.app.blobs) for file in sealed}
    assert kept == contents
    assert {file["kind"] for file in sealed} == {kind}
    assert all("unique" not in file for file in sealed)


async def test_an_album_of_photos_and_videos_is_one_answer(line: Line) -> None:
    olha = line.person("Olha")
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    await olha.sends_mixed([("photo", "", None), ("video", "walk.mp4", b"not really")], "both of that day")
    await olha.sees("files: 2")
    await olha.taps("Done")
    await stories.shares(olha)
    await stories.sends_it(olha)
    files = (await told(line))["files"]
    assert [file["kind"] for file in files] == ["photo", "video"]
    assert len({file["album"] for file in files}) == 1
    assert files[0]["caption"] == "both of that day"


async def test_what_was_said_of_a_file_too_big_is_kept(line: Line) -> None:
    olha = await comes_to_the_name(line)
    await olha.sends_big_file(caption="Olenka")
    await olha.sees(AGE)
    await sends_the_rest(olha, named=True)
    (name,) = [answer for answer in (await told(line))["answers"] if answer["step"] == "name"]
    assert name["words"] == ["Olenka"]


# ---- replies and edits ---------------------------------------------------------------------------------


async def test_a_reply_to_an_earlier_answer_belongs_to_its_question(line: Line) -> None:
    olha = await comes_to_the_name(line)
    answered = await raw(olha, 901, text="Olenka")
    await olha.sends_raw({"message": answered})
    await olha.sees(AGE)
    await olha.sends_raw({"message": await raw(olha, 902, text="at home Olya", reply_to_message=answered)})
    await olha.sees("Kept.")
    await olha.sees(AGE)
    await sends_the_rest(olha, named=True)
    entry = await beside(line)
    assert (entry["step"], entry["words"]) == ("name", ["at home Olya"])


async def test_a_reply_to_what_is_gone_is_an_answer_like_any(line: Line) -> None:
    olha = await comes_to_the_name(line)
    (card,) = await olha.sees_only(1)
    await olha.deletes(card)
    await olha.sends("Olenka", reply_to=card)
    await sends_the_rest(olha, named=True)
    (name,) = [answer for answer in (await told(line))["answers"] if answer["step"] == "name"]
    assert name["words"] == ["Olenka"]


async def test_an_edit_replaces_the_words_and_the_link_behind_them(line: Line) -> None:
    olha = await comes_to_the_name(line)
    first = await raw(olha, 901, text="Olenka")
    await olha.sends_raw({"message": first})
    await olha.sees(AGE)
    link = {"type": "text_link", "offset": 0, "length": 6, "url": "https://example.org/o"}
    edited = {**first, "text": "Olesia", "entities": [link], "edit_date": first["date"] + 1}
    await olha.sends_raw({"edited_message": edited})
    await olha.sees("Changed")
    await sends_the_rest(olha, named=True)
    body = await told(line)
    (name,) = [answer for answer in body["answers"] if answer["step"] == "name"]
    assert name["words"] == ["Olesia\nhttps://example.org/o"]


async def test_a_photo_put_in_the_place_of_another_is_one_more(line: Line) -> None:
    olha = line.person("Olha")
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    await line.rehearsal.driver.fault("server_error", method="getFile", status=502, times=2)
    first = await olha.sends_photo(stories.picture("teal"), "of 2022")
    await olha.sees("files: 1")
    second = await olha.replaces_photo(first, stories.picture("olive"))
    await olha.sees("files: 2")
    await olha.taps("Done")
    await stories.shares(olha)
    await stories.sends_it(olha)
    kept = [await line.team.file(file, line.app.blobs) for file in await sealed_files(line, 2)]
    assert sorted(kept) == sorted([await olha.content_of(first), await olha.content_of(second)])


async def raw(person: Person, message: int, **content: Any) -> dict[str, Any]:
    """A message as Telegram tells it, whose id is known beforehand."""
    own = await person.id()
    return {
        "message_id": message,
        "from": {"id": own, "is_bot": False, "first_name": person.name, "language_code": "en"},
        "chat": {"id": own, "type": "private", "first_name": person.name},
        "date": 1_700_000_000,
        **content,
    }
