"""Methods that put messages into a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehearsal import media
from rehearsal.botapi import Upload
from rehearsal.errors import bad_request
from rehearsal.files import UPLOAD_LIMIT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rehearsal.botapi import Json
    from rehearsal.methods.calls import Call

ALBUM_LEAST, ALBUM_MOST = 2, 10  # items of sendMediaGroup
ACTION_S = 5.0  # a chat action shows for five seconds or until a message comes
TOLD = ("duration", "width", "height", "performer", "title", "length")
SPOILING = frozenset({"photo", "video"})
ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)


async def send_message(call: Call) -> Json:
    """Send a text."""
    chat = call.open_chat()
    preview = call.get("link_preview_options")
    return call.post(chat, {**call.text(), **({"link_preview_options": preview} if preview else {})})


def sender(kind: str) -> Callable[[Call], Awaitable[Json]]:
    """Make the method that sends one file of this kind."""

    async def send(call: Call) -> Json:
        chat = call.open_chat()
        caption = call.caption() if kind != "video_note" else {}
        content = await content_of(call, kind, call.params[kind], call.params)
        return call.post(chat, {**content, **caption, **_spoiler(kind, call.params)})

    return send


async def send_location(call: Call) -> Json:
    """Send a point on the map; a live location is a point that does not move here."""
    chat = call.open_chat()
    point = {name: call.params[name] for name in ("latitude", "longitude")}
    return call.post(chat, {"location": point})


async def send_media_group(call: Call) -> list[Json]:
    """Send an album: all of it or, on any error, nothing."""
    chat = call.open_chat()
    items = call.params["media"]
    if not ALBUM_LEAST <= len(items) <= ALBUM_MOST:
        raise bad_request("group send failed: expected 2-10 media")
    kinds = {item["type"] for item in items}
    if len(kinds) > 1 and not kinds <= SPOILING:
        raise bad_request("documents and audio can't be mixed with other media types in an album")
    contents = [await input_media(call, item) for item in items]
    group = str(call.world.chance.randrange(10**16, 10**17))
    return [call.post(chat, {"media_group_id": group, **content}, markup=False) for content in contents]


async def input_media(call: Call, item: Json) -> Json:
    """Return what a message holds for one InputMedia. Raises ApiError 400."""
    kind = item["type"]
    if kind not in media.SHAPES and kind != "photo":
        raise bad_request(f"rehearsal: an InputMedia of type {kind} is not served here")
    content = await content_of(call, kind, item["media"], item)
    return {**content, **call.caption(item), **_spoiler(kind, item)}


async def content_of(call: Call, kind: str, given: str | Upload, told: Json) -> Json:
    """Return what a message with this file holds, new or known. Raises ApiError 400."""
    upload = given if isinstance(given, Upload) else None
    if isinstance(given, str) and given.startswith("attach://"):
        upload = call.uploads.get(given.removeprefix("attach://"))
        if upload is None:
            raise bad_request("there is no file in the request for an attach:// name")
    if upload is None:
        if str(given).startswith(("http://", "https://")):
            raise bad_request("failed to get HTTP URL content")
        return media.again(call.world.files, kind, str(given))
    if not upload.content:
        raise bad_request("file must be non-empty")
    if len(upload.content) > UPLOAD_LIMIT:
        raise bad_request("file is too big")
    if kind == "photo":
        return await media.photo(call.world.files, upload.content)
    extra = {name: told[name] for name in TOLD if name in told and name in (*media.SHAPES[kind], *TOLD[3:5])}
    return media.file_content(call.world.files, kind, upload.content, upload.name, **extra)


async def copy_message(call: Call) -> Json:
    """Send the content of a message again, without a link to it."""
    chat = call.open_chat()
    source = call.chat("from_chat_id").messages.get(call.params["message_id"])
    if source is None:
        raise bad_request("message to copy not found")
    kept = {
        name: value
        for name, value in source.items()
        if name in ("text", "entities", "location", "has_media_spoiler", "photo", *media.SHAPES)
    }
    if not kept:
        raise bad_request("message can't be copied")
    if "caption" in call.params:
        caption = call.caption()
    else:
        caption = {name: source[name] for name in ("caption", "caption_entities") if name in source}
    return {"message_id": call.post(chat, {**kept, **caption})["message_id"]}


async def send_chat_action(call: Call) -> bool:
    """Show for five seconds that the bot does something."""
    chat = call.open_chat()
    if call.params["action"] not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat.action = (call.params["action"], call.world.clock.now() + ACTION_S)
    chat.changed()
    return True


def _spoiler(kind: str, told: Json) -> Json:
    return {"has_media_spoiler": True} if kind in SPOILING and told.get("has_spoiler") else {}
