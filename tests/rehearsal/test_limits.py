"""The limits and refusals of Telegram, in its words."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import aiohttp
import pytest

if TYPE_CHECKING:
    from rehearsal.server import Rehearsal
    from tests.rehearsal.conftest import PlainBot

HOUR = 3600
NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are exactly the "
    "same as a current content and reply markup of the message"
)


def keyboard(*buttons: dict[str, object]) -> dict[str, object]:
    return {"inline_keyboard": [list(buttons)]}


async def started(rehearsal: Rehearsal) -> int:
    olha = rehearsal.person("Olha")
    await olha.sends("/start")
    return await olha.id()


async def test_a_wrong_token_and_an_unknown_method(
    rehearsal: Rehearsal, session: aiohttp.ClientSession
) -> None:
    for path, status in (
        ("bot1000:OTHER/getMe", 401),
        ("botnonsense/getMe", 401),
        ("bot1000:TRY/sendTea", 404),
    ):
        async with session.get(f"{rehearsal.url}/{path}") as answer:
            assert answer.status == status
            assert (await answer.json())["error_code"] == status


async def test_a_known_method_that_is_not_served_says_so(bot: PlainBot) -> None:
    refusal = (await bot.asks("sendDice", chat_id=1)).refusal
    assert refusal == (
        400,
        "Bad Request: rehearsal: sendDice is a method of the Bot API that is not served here",
    )


async def test_requests_are_checked_against_the_documentation(rehearsal: Rehearsal, bot: PlainBot) -> None:
    chat = await started(rehearsal)
    for params, sentence in (
        ({"text": "a"}, "chat_id is empty"),
        ({"chat_id": chat}, "message text is empty"),
        ({"chat_id": chat, "text": " \u200b"}, "message text is empty"),
        ({"chat_id": chat, "text": "a", "txet": "b"}, "rehearsal: sendMessage has no parameter txet"),
        (
            {"chat_id": chat, "text": "a", "protect_content": "perhaps"},
            "rehearsal: protect_content must be Boolean",
        ),
        (
            {"chat_id": chat, "text": "a", "reply_parameters": {"message": 1}},
            "rehearsal: reply_parameters must be ReplyParameters with message_id",
        ),
        ({"chat_id": 77, "text": "a"}, "chat not found"),
        ({"chat_id": "@somebody", "text": "a"}, "chat not found"),
        (
            {"chat_id": chat, "text": "a", "reply_parameters": {"message_id": 999}},
            "message to be replied not found",
        ),
    ):
        assert (await bot.asks("sendMessage", **params)).refusal == (400, f"Bad Request: {sentence}")
    markup = (await bot.asks("sendMessage", chat_id=chat, text="a", reply_markup="no JSON")).refusal
    assert markup[1].startswith("Bad Request: object expected as reply markup")


async def test_requests_come_in_four_shapes(rehearsal: Rehearsal, bot: PlainBot) -> None:
    chat = await started(rehearsal)
    markup = keyboard({"text": "Go", "callback_data": "x"})
    form = {"chat_id": str(chat), "text": "form", "reply_markup": json.dumps(markup)}
    multipart = aiohttp.FormData(form, default_to_multipart=True)
    sent = [
        await bot.asks("SENDMESSAGE", chat_id=chat, text="json", reply_markup=markup),
        await bot.posts("sendMessage", form),
        await bot.posts("sendMessage", multipart),
        await bot.gets("sendMessage", **form),
    ]
    assert [answer.result["reply_markup"] for answer in sent] == [markup] * 4


async def test_text_and_caption_are_measured_after_parsing(rehearsal: Rehearsal, bot: PlainBot) -> None:
    chat = await started(rehearsal)
    longest = "<b>" + "я" * 4096 + "</b>"
    assert (
        len((await bot.asks("sendMessage", chat_id=chat, text=longest, parse_mode="HTML")).result["text"])
        == 4096
    )
    too_long = (await bot.asks("sendMessage", chat_id=chat, text="я" * 4097)).refusal
    assert too_long == (400, "Bad Request: message is too long")
    photo = (await rehearsal.person("Olha").sends_photo()).raw["photo"][0]["file_id"]
    caption = "<i>" + "я" * 1024 + "</i>"
    assert (await bot.asks("sendPhoto", chat_id=chat, photo=photo, caption=caption, parse_mode="HTML")).result
    refused = (await bot.asks("sendPhoto", chat_id=chat, photo=photo, caption="я" * 1025)).refusal
    assert refused == (400, "Bad Request: message caption is too long")


async def test_buttons(rehearsal: Rehearsal, bot: PlainBot) -> None:
    chat = await started(rehearsal)
    for button, sentence in (
        ({"text": "Go", "callback_data": "я" * 32 + "x"}, "BUTTON_DATA_INVALID"),
        ({"text": "Go", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        ({"text": "Go", "copy_text": {"text": "x" * 257}}, "BUTTON_COPY_TEXT_INVALID"),
        (
            {"text": "Go"},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        (
            {"text": "Go", "url": "javascript:1"},
            "inline keyboard button URL 'javascript:1' is invalid: Wrong HTTP URL",
        ),
        (
            {"text": "Go", "callback_data": "a", "style": "pink"},
            "can't parse inline keyboard button: invalid button style specified",
        ),
    ):
        answer = await bot.asks("sendMessage", chat_id=chat, text="a", reply_markup=keyboard(button))
        assert answer.refusal == (400, f"Bad Request: {sentence}")
    fits = keyboard({"text": "Go", "callback_data": "я" * 32, "style": "success"})
    sent = await bot.asks("sendMessage", chat_id=chat, text="a", reply_markup=fits)
    assert sent.result["reply_markup"] == fits


async def test_only_inline_markup_comes_back(rehearsal: Rehearsal, bot: PlainBot) -> None:
    chat = await started(rehearsal)
    for markup in ({"keyboard": [["Tea"]]}, {"force_reply": True}, {"remove_keyboard": True}):
        sent = await bot.asks("sendMessage", chat_id=chat, text="a", reply_markup=markup)
        assert "reply_markup" not in sent.result


async def test_an_edit_must_change_something(rehearsal: Rehearsal, bot: PlainBot) -> None:
    chat = await started(rehearsal)
    markup = keyboard({"text": "Go", "callback_data": "x"})
    sent = (await bot.asks("sendMessage", chat_id=chat, text="a", reply_markup=markup)).result
    same = {"chat_id": chat, "message_id": sent["message_id"], "text": "a", "reply_markup": markup}
    assert (await bot.asks("editMessageText", **same)).refusal == (400, NOT_MODIFIED)
    edited = (await bot.asks("editMessageText", **{**same, "reply_markup": None})).result
    assert "reply_markup" not in edited
    assert edited["edit_date"] == 1_800_000_000
    assert edited["date"] == sent["date"]
    own = await rehearsal.person("Olha").sends("mine")
    refused = await bot.asks("editMessageText", chat_id=chat, message_id=own.id, text="yours")
    assert refused.refusal == (400, "Bad Request: message can't be edited")
    unknown = await bot.asks("editMessageText", chat_id=chat, message_id=999, text="b")
    assert unknown.refusal == (400, "Bad Request: message to edit not found")
    caption = await bot.asks("editMessageCaption", chat_id=chat, message_id=sent["message_id"], caption="b")
    assert caption.refusal == (400, "Bad Request: there is no caption in the message to edit")


async def test_deleting_ends_at_48_hours_and_100_ids(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    chat = await started(rehearsal)
    old = await olha.sends("old")
    rehearsal.clock.advance(47 * HOUR)
    young = await olha.sends("young")
    rehearsal.clock.advance(HOUR)
    too_old = (400, "Bad Request: message can't be deleted for everyone")
    assert (await bot.asks("deleteMessage", chat_id=chat, message_id=old.id)).refusal == too_old
    assert (await bot.asks("deleteMessages", chat_id=chat, message_ids=[old.id, young.id])).refusal == too_old
    assert young.id in [message.id for message in await olha.chat()]
    assert (await bot.asks("deleteMessages", chat_id=chat, message_ids=[young.id, 999])).result is True
    assert young.id not in [message.id for message in await olha.chat()]
    gone = await bot.asks("deleteMessage", chat_id=chat, message_id=young.id)
    assert gone.refusal == (400, "Bad Request: message to delete not found")
    for ids, sentence in (
        (list(range(1, 102)), "too many message identifiers specified"),
        ([], "message identifiers are not specified"),
    ):
        refusal = (await bot.asks("deleteMessages", chat_id=chat, message_ids=ids)).refusal
        assert refusal == (400, f"Bad Request: {sentence}")


@pytest.mark.parametrize(("age", "heard"), [(149, True), (151, False)])
async def test_a_tap_can_be_answered_for_150_seconds_once(
    rehearsal: Rehearsal, bot: PlainBot, age: float, *, heard: bool
) -> None:
    chat = await started(rehearsal)
    markup = keyboard({"text": "Go", "callback_data": "x"})
    await bot.asks("sendMessage", chat_id=chat, text="a", reply_markup=markup)
    query = (await rehearsal.person("Olha").taps("Go"))["query"]
    rehearsal.clock.advance(age)
    too_old = (
        400,
        "Bad Request: query is too old and response timeout expired or query ID is invalid",
    )
    if heard:
        assert (await bot.asks("answerCallbackQuery", callback_query_id=query, text="Yes")).result is True
        assert await rehearsal.person("Olha").popup() == "Yes"
    else:
        kinds = [list(update)[1] for update in await bot.updates()]
        assert kinds == ["message"]
    assert (await bot.asks("answerCallbackQuery", callback_query_id=query)).refusal == too_old


async def test_files_over_20_mb_and_paths_of_an_hour(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    big = (await olha.sends_big_file()).raw["document"]
    assert big["file_size"] == 25 * 1024 * 1024
    assert (await bot.asks("getFile", file_id=big["file_id"])).refusal == (
        400,
        "Bad Request: file is too big",
    )
    unknown = (await bot.asks("getFile", file_id="nothing")).refusal
    assert unknown == (400, "Bad Request: wrong file_id or the file is temporarily unavailable")
    content = bytes(range(256)) * 40
    sent = (await olha.sends_file("../../list of names.PDF", content)).raw["document"]
    assert sent["mime_type"] == "application/pdf"
    path = (await bot.asks("getFile", file_id=sent["file_id"])).result["file_path"]
    assert re.fullmatch(r"documents/file_\d+\.pdf", path)
    assert await bot.downloads(path) == (200, content)
    assert await bot.downloads(path, Range="bytes=10-19") == (206, content[10:20])
    assert await bot.downloads(path, Range="bytes=-5") == (206, content[-5:])
    assert (await bot.downloads(path, Range="bytes=99999-"))[0] == 416
    rehearsal.clock.advance(HOUR + 1)
    assert (await bot.downloads(path))[0] == 404


async def test_uploads_that_are_refused(rehearsal: Rehearsal, bot: PlainBot) -> None:
    chat = await started(rehearsal)

    def form(content: bytes) -> aiohttp.FormData:
        data = aiohttp.FormData({"chat_id": str(chat)})
        data.add_field("photo", content, filename="a.jpg")
        return data

    assert (await bot.posts("sendPhoto", form(b""))).refusal == (400, "Bad Request: file must be non-empty")
    assert (await bot.posts("sendPhoto", form(b"no"))).refusal == (400, "Bad Request: IMAGE_PROCESS_FAILED")
    far = await bot.asks("sendPhoto", chat_id=chat, photo="https://example.org/a.jpg")
    assert far.refusal == (400, "Bad Request: failed to get HTTP URL content")
    document = (await rehearsal.person("Olha").sends_file("a.txt", b"a")).raw["document"]["file_id"]
    wrong = await bot.asks("sendPhoto", chat_id=chat, photo=document)
    assert wrong.refusal == (400, "Bad Request: can't use file of type Document as Photo")


async def test_whom_a_bot_may_write_to(rehearsal: Rehearsal, bot: PlainBot) -> None:
    taras = rehearsal.person("Taras")
    before = await bot.asks("sendMessage", chat_id=await taras.id(), text="first")
    assert before.refusal == (403, "Forbidden: bot can't initiate conversation with a user")
    await taras.sends("/start")
    await taras.blocks()
    blocked = await bot.asks("sendMessage", chat_id=await taras.id(), text="still there?")
    assert blocked.refusal == (403, "Forbidden: bot was blocked by the user")
    statuses = [
        update["my_chat_member"]["new_chat_member"]["status"]
        for update in await bot.updates()
        if "my_chat_member" in update
    ]
    assert statuses == ["kicked"]
    await taras.unblocks()
    assert (await bot.asks("sendMessage", chat_id=await taras.id(), text="again")).result


async def test_what_a_bot_says_of_itself(rehearsal: Rehearsal, bot: PlainBot) -> None:
    assert (await bot.asks("setMyDescription", description="x" * 513)).refusal[0] == 400
    await bot.asks("setMyDescription", description="For all")
    await bot.asks("setMyDescription", description="Для всіх", language_code="uk")
    for language, text in (("uk", "Для всіх"), ("en", "For all")):
        answer = await bot.asks("getMyDescription", language_code=language)
        assert answer.result == {"description": text}
    commands = [{"command": "erase", "description": "Erase everything"}]
    assert (await bot.asks("setMyCommands", commands=commands)).result is True
    assert (await bot.asks("getMyCommands")).result == commands
    bad = [{"command": "No spaces", "description": "x"}]
    assert (await bot.asks("setMyCommands", commands=bad)).refusal == (
        400,
        "Bad Request: BOT_COMMAND_INVALID",
    )
    view = await rehearsal.person("Olha").view()
    assert (view["bot"]["description"], view["menu"]) == ("Для всіх", commands)


async def test_after_log_out_nothing_is_served_for_ten_minutes(rehearsal: Rehearsal, bot: PlainBot) -> None:
    assert (await bot.asks("logOut")).result is True
    assert (await bot.asks("getMe")).refusal == (400, "Logged out")
    rehearsal.clock.advance(601)
    assert (await bot.asks("getMe")).result["is_bot"] is True
