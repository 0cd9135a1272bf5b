"""aiogram routers: which Telegram update is which input. Thin: the meaning is in `handlers.conversation`.

Each handler gets `talk`, the conversation of this update's chat, already locked and opened.
"""

import uuid

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from flows import Claimed, Edited, Located, Said, Sent, Tapped, Unusable
from handlers import messages
from handlers.chat import Came
from handlers.conversation import Conversation
from storage.intake import Outgoing


def build() -> Router:
    """A router for the private chats of the public bot."""
    router = Router(name="interview")
    router.callback_query.register(_tap)
    router.edited_message.register(_edit)
    # One handler, without filters: aiogram sends each filter that is not a coroutine through a thread.
    router.message.register(_message)
    return router


async def _message(message: Message, talk: Conversation) -> None:
    if files := messages.files(message):
        _files(message, talk, files)
    elif message.location:
        _location(message, talk)
    elif message.contact:
        _contact(message, talk)
    elif words := messages.says(message):
        _text(message, talk, words)
    elif messages.is_service(message):
        # It may quote what was pinned: it goes, and is no answer.
        talk.visit.send(Outgoing(talk.visit.address, delete=(message.message_id,)))
    else:
        talk.takes(Came(Unusable(messages.unusable(message)), message.message_id))


async def _tap(query: CallbackQuery, talk: Conversation) -> None:
    revision, _, button = (query.data or "").partition(":")
    try:
        tapped = Tapped(int(revision, 16), button)
    except ValueError:
        tapped = Tapped(-1, button)  # a button of another time: stale
    if query.message is not None:
        talk.sees_card(query.message.message_id)
    talk.takes(Came(tapped))


async def _edit(message: Message, talk: Conversation) -> None:
    """New words replace the old; a picture put in the place of another is one more. A moving point stays the first."""
    draft = talk.visit.draft
    if draft is not None:
        known = {meta.get("unique") for meta in draft.data["files"].values()}
        files = [(kind, file) for kind, file in messages.files(message) if file.file_unique_id not in known]
        _files(message, talk, files, words="")
    if words := messages.says(message):
        talk.takes(Came(Edited(words, message.message_id), message.message_id))


def _text(message: Message, talk: Conversation, words: str) -> None:
    said = Said(
        words,
        message.message_id,
        forwarded=message.forward_origin is not None,
        origin=messages.origin(message),
        reply_to=_reply_to(message),
    )
    talk.takes(Came(said, message.message_id))


def _location(message: Message, talk: Conversation) -> None:
    point = message.location
    assert point is not None  # `_message` saw it
    located = Located(
        point.latitude,
        point.longitude,
        message.message_id,
        reply_to=_reply_to(message),
        name=messages.venue(message.venue),
        forwarded=message.forward_origin is not None,
        origin=messages.origin(message),
    )
    talk.takes(Came(located, message.message_id))


def _contact(message: Message, talk: Conversation) -> None:
    assert message.contact is not None  # `_message` saw it
    claimed = Claimed(
        "contact",
        messages.contact(message.contact),
        message.message_id,
        reply_to=_reply_to(message),
        forwarded=message.forward_origin is not None,
        origin=messages.origin(message),
    )
    talk.takes(Came(claimed, message.message_id))


def _files(
    message: Message, talk: Conversation, files: list[tuple[str, messages.Held]], words: str | None = None
) -> None:
    """Each file of a message; its words, unless others are given, stand with the first."""
    caption = messages.says(message) if words is None else words
    for kind, file in files:
        size = file.file_size
        if size == 0 or (size or 0) > talk.line.max_file_bytes:
            if caption:  # kept all the same: it may be what was to be said
                _text(message, talk, caption)
            caption = ""
            talk.takes(Came(Unusable("too_big" if size else "empty_file"), message.message_id))
            continue
        sent = Sent(
            str(uuid.uuid4()),
            kind,
            message.message_id,
            caption or None,
            message.media_group_id,
            forwarded=message.forward_origin is not None,
            origin=messages.origin(message),
            reply_to=_reply_to(message),
        )
        caption = ""
        meta = {
            "name": getattr(file, "file_name", None) or "",
            "mime": getattr(file, "mime_type", None) or ("image/jpeg" if kind == "photo" else ""),
            "unique": file.file_unique_id,
        }
        talk.takes(Came(sent, message.message_id, {"file_id": file.file_id, "meta": meta}))


def _reply_to(message: Message) -> int | None:
    """The message of this chat that is answered, whoever wrote it; None when it is gone or of another chat."""
    answered = message.reply_to_message
    return answered.message_id if answered is not None else None
