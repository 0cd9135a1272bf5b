"""What a person does reaches the bot as Telegram would tell it, and the driver sees what the person sees."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from rehearsal.driver import NotSeenError
from rehearsal.errors import ActError

if TYPE_CHECKING:
    from rehearsal.server import Rehearsal
    from tests.rehearsal.conftest import PlainBot

GO = {"inline_keyboard": [[{"text": "Go", "callback_data": "1:go"}]]}
NEXT = {"inline_keyboard": [[{"text": "Next", "callback_data": "2:next"}]]}


def jpeg(width: int, height: int, *, camera: str = "") -> bytes:
    picture = Image.new("RGB", (width, height), (90, 120, 60))
    exif = Image.Exif()
    if camera:
        exif[0x0110] = camera
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif)
    return out.getvalue()


async def test_a_photo_comes_in_three_sizes_without_exif(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    sent = await olha.sends_photo(jpeg(2000, 1000, camera="Somebody's phone"), "At the station")
    (update,) = await bot.updates()
    message = update["message"]
    assert message["caption"] == "At the station"
    sizes = [(size["width"], size["height"]) for size in message["photo"]]
    assert sizes == [(90, 45), (320, 160), (1280, 640)]
    kept = await olha.content_of(sent)
    assert b"Somebody" not in kept
    assert not Image.open(io.BytesIO(kept)).getexif()
    assert len({size["file_unique_id"] for size in message["photo"]}) == 3


async def test_a_small_photo_is_not_made_larger(rehearsal: Rehearsal) -> None:
    sent = await rehearsal.person("Olha").sends_photo(jpeg(200, 60))
    assert [size["width"] for size in sent.raw["photo"]] == [90, 200]


async def test_what_is_no_photo_is_refused_and_sent_as_a_file(rehearsal: Rehearsal) -> None:
    olha = rehearsal.person("Olha")
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    for content in (b"no picture", bomb.getvalue(), b""):
        with pytest.raises(ActError, match="no photo that Telegram takes"):
            await olha.sends_photo(content)
        sent = await olha.sends_file("bomb.png", content)
        assert await olha.content_of(sent) == content
        assert sent.raw["document"]["file_size"] == len(content)


async def test_an_album_is_separate_updates_of_one_group(rehearsal: Rehearsal, bot: PlainBot) -> None:
    await rehearsal.person("Olha").sends_album([None, jpeg(50, 50), None], "Three")
    messages = [update["message"] for update in await bot.updates()]
    assert len({message["media_group_id"] for message in messages}) == 1
    assert [message.get("caption") for message in messages] == ["Three", None, None]
    assert len({message["photo"][-1]["file_unique_id"] for message in messages}) == 3


async def test_every_other_thing_that_can_be_sent(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    await olha.sends_voice()
    await olha.sends_sticker()
    await olha.sends_poll()
    await olha.shares_contact()
    await olha.shares_location(48.5, 34.5)
    await olha.sends_file("walk.mp4", b"not really", kind="video")
    await olha.sends_files([("a.txt", b"a"), ("b.txt", b"b")], "Two files")
    kinds = [message.kind for message in await olha.chat()]
    assert kinds == ["voice", "sticker", "poll", "contact", "location", "video", "document", "document"]
    messages = [update["message"] for update in await bot.updates()]
    assert messages[4]["location"] == {"latitude": 48.5, "longitude": 34.5}
    assert messages[0]["voice"]["mime_type"] == "audio/ogg"


async def test_edits_and_deletions(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    sent = await olha.sends("Sofika")
    photo = await olha.sends_photo(caption="one")
    await olha.edits(sent, "Sofiika")
    await olha.edits(photo, "two")
    edited = [update["edited_message"] for update in await bot.updates() if "edited_message" in update]
    assert [message.get("text", message.get("caption")) for message in edited] == ["Sofiika", "two"]
    assert edited[0]["message_id"] == sent.id
    await olha.deletes(sent)
    assert [message.text for message in await olha.history()] == ["two"]
    assert [message.text for message in await olha.everything_seen()] == ["Sofika", "one", "Sofiika", "two"]
    rehearsal.clock.advance(48 * 3600)
    with pytest.raises(ActError, match="48 hours"):
        await olha.edits(photo, "three")
    await olha.clears_chat()
    assert await olha.chat() == []


async def test_a_text_too_long_for_one_message_goes_in_parts(rehearsal: Rehearsal, bot: PlainBot) -> None:
    await rehearsal.person("Olha").sends("я" * 5000)
    assert [len(update["message"]["text"]) for update in await bot.updates()] == [4096, 904]


async def test_a_stale_button_tells_the_old_data(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    await olha.sends("/start")
    chat = await olha.id()
    card = (await bot.asks("sendMessage", chat_id=chat, text="First", reply_markup=GO)).result["message_id"]
    with pytest.raises(NotSeenError, match="no button"):
        await olha.taps_stale("Go")
    first = await olha.sees_button("Go")
    await bot.asks("editMessageText", chat_id=chat, message_id=card, text="Second", reply_markup=NEXT)
    await olha.taps_stale("Go")
    await bot.asks("deleteMessage", chat_id=chat, message_id=card)
    await olha.taps_stale("Next")
    await olha.taps_at(first, "Go")
    queries = [update["callback_query"] for update in await bot.updates() if "callback_query" in update]
    assert [query["data"] for query in queries] == ["1:go", "2:next", "1:go"]
    assert queries[0]["message"]["text"] == "Second"
    assert queries[1]["message"] == {
        "chat": {"id": chat, "type": "private", "first_name": "Olha"},
        "message_id": card,
        "date": 0,
    }


async def test_buttons_that_do_not_ask_the_bot(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    await olha.sends("/start")
    markup = {
        "inline_keyboard": [
            [
                {"text": "Copy", "copy_text": {"text": "two words"}},
                {"text": "Site", "url": "https://example.org"},
            ]
        ]
    }
    await bot.asks("sendMessage", chat_id=await olha.id(), text="a", reply_markup=markup)
    assert await olha.taps("Copy") == {"copied": "two words"}
    assert await olha.taps("Site") == {"url": "https://example.org"}
    assert len(await bot.updates()) == 1


async def test_looks_wait_and_say_what_is_there(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    await olha.sends("/start")
    looking = asyncio.create_task(olha.sees("Second card"))
    sent = await bot.asks("sendMessage", chat_id=await olha.id(), text="First card", reply_markup=GO)
    with pytest.raises(NotSeenError, match=r"(?s)Olha does not see 'Third'.*bot 2: First card.*\[Go\]"):
        await olha.sees("Third", timeout_s=0)
    card = sent.result["message_id"]
    await bot.asks("editMessageText", chat_id=await olha.id(), message_id=card, text="Second card")
    assert (await looking).id == card
    gone = asyncio.create_task(olha.sees_no_more("Second card"))
    await bot.asks("deleteMessage", chat_id=await olha.id(), message_id=card)
    await gone
    with pytest.raises(NotSeenError, match=r"a button \[Go\]"):
        await olha.taps("Go", timeout_s=0)


async def test_a_popup_is_of_the_last_tap(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    await olha.sends("/start")
    await bot.asks("sendMessage", chat_id=await olha.id(), text="a", reply_markup=GO)
    for text in ("first", "second"):
        query = (await olha.taps("Go"))["query"]
        with pytest.raises(NotSeenError, match="a pop-up"):
            await olha.sees_popup(timeout_s=0)
        await bot.asks("answerCallbackQuery", callback_query_id=query, text=text)
        assert await olha.sees_popup() == text


async def test_somebody_blocked_cannot_write(rehearsal: Rehearsal) -> None:
    olha = rehearsal.person("Olha")
    await olha.sends("/start")
    await olha.blocks()
    with pytest.raises(ActError, match="unblock it first"):
        await olha.sends("hello")


async def test_each_bot_has_its_own_chat(rehearsal: Rehearsal, bot: PlainBot) -> None:
    await rehearsal.person("Olha", bot=2000).sends("to the other")
    assert await rehearsal.person("Olha").chat() == []
    assert (await bot.asks("getUpdates")).result == []


async def test_a_raw_update_comes_as_it_is(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    await olha.sends_raw({"message": {"message_id": "not a number"}})
    (update,) = await bot.updates()
    assert update["message"] == {"message_id": "not a number"}


def test_the_driver_brings_no_bot_library() -> None:
    code = "import sys, rehearsal.driver; sys.exit(bool({'aiogram', 'telegram'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
