"""aiogram routers: which Telegram update is which input. Thin: the meaning is in `handlers.conversation`.

Each handler gets `talk`, the conversation of this update's chat, already locked and opened.
"""

import uuid
from typing import Any

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from flows import Edited, Located, Said, Sent, Tapped, Unusable
from handlers.conversation import Came, Conversation

# Kinds of files, in the order in which a message is looked through (an animation also carries a document).
_KINDS = ("photo", "video", "video_note", "voice", "audio", "animation", "document")


def build() -> Router:
    """A router for the private chats of the public bot."""
    router = Router(name="interview")
    router.callback_query.register(_tap)
    router.edited_message.register(_edit)
    # One handler, without filters: aiogram sends each filter that is not a coroutine through a thread.
    router.message.register(_message)
    return router


async def _message(message: Message, talk: Conversation) -> None:
    if any(getattr(message, kind) for kind in _KINDS):
        _file(message, talk)
    elif message.location:
        _location(message, talk)
    elif message.text:
        _text(message, talk)
    else:
        _other(message, talk)


async def _tap(query: CallbackQuery, talk: Conversation) -> None:
    revision, _, button = (query.data or "").partition(":")
    try:
        tapped = Tapped(int(revision, 16), button)
    except ValueError:
        tapped = Tapped(-1, button)  # a button of another time: stale
    if query.message is not None:
        talk.sees_card(query.message.message_id)
    talk.takes(Came(tapped))


def _text(message: Message, talk: Conversation) -> None:
    forwarded = message.forward_origin is not None
    talk.takes(Came(Said(message.text or "", message.message_id, forwarded=forwarded), message.message_id))


async def _edit(message: Message, talk: Conversation) -> None:
    words = message.text or message.caption
    if words is not None:
        talk.takes(Came(Edited(words, message.message_id), message.message_id))


def _location(message: Message, talk: Conversation) -> None:
    point = message.location
    assert point is not None  # `_message` saw it
    talk.takes(Came(Located(point.latitude, point.longitude, message.message_id), message.message_id))


def _file(message: Message, talk: Conversation) -> None:
    kind, file = _largest(message)
    size = file.file_size
    if size is not None and size > talk.line.max_file_bytes:
        talk.takes(Came(Unusable("too_big"), message.message_id))
        return
    if size == 0:
        talk.takes(Came(Unusable("empty_file"), message.message_id))
        return
    sent = Sent(
        str(uuid.uuid4()),
        kind,
        message.message_id,
        message.caption,
        message.media_group_id,
        forwarded=message.forward_origin is not None,
    )
    meta = {
        "name": getattr(file, "file_name", None) or "",
        "mime": getattr(file, "mime_type", None) or ("image/jpeg" if kind == "photo" else ""),
    }
    talk.takes(Came(sent, message.message_id, {"file_id": file.file_id, "meta": meta}))


def _other(message: Message, talk: Conversation) -> None:
    what = (
        "sticker"
        if message.sticker
        else "poll"
        if message.poll
        else "contact"
        if message.contact
        else "other"
    )
    talk.takes(Came(Unusable(what), message.message_id))


def _largest(message: Message) -> tuple[str, Any]:
    for kind in _KINDS:
        file = getattr(message, kind)
        if file:
            return kind, file[-1] if kind == "photo" else file
    raise AssertionError("`_message` saw a file")
