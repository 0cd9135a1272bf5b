"""Methods that change or take away what stands in a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rehearsal import media
from rehearsal.errors import bad_request
from rehearsal.markup import inline_of
from rehearsal.methods.sending import input_media

if TYPE_CHECKING:
    from rehearsal.botapi import Json
    from rehearsal.methods.calls import Call
    from rehearsal.world import ChatState

DELETE_WITHIN_S = 48 * 3600
DELETE_MOST = 100  # ids of deleteMessages
CONTENT = (
    "text",
    "entities",
    "caption",
    "caption_entities",
    "show_caption_above_media",
    "photo",
    *media.SHAPES,
)
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


async def edit_message_text(call: Call) -> Json:
    """Replace the text of a message."""
    chat, message = _own_message(call)
    if "text" not in call.params:
        raise bad_request("message text is empty")
    if "text" not in message:
        raise bad_request("there is no text in the message to edit")
    preview = call.get("link_preview_options")
    more = {"link_preview_options": preview} if preview else {}
    return _replace(call, chat, message, {**call.text(), **more})


async def edit_message_caption(call: Call) -> Json:
    """Replace or remove the caption of a file."""
    chat, message = _own_message(call)
    if not any(kind in message for kind in ("photo", *media.SHAPES)):
        raise bad_request("there is no caption in the message to edit")
    held = {name: message[name] for name in ("photo", *media.SHAPES) if name in message}
    return _replace(call, chat, message, {**held, **call.caption()})


async def edit_message_media(call: Call) -> Json:
    """Replace the file, its caption, or a text by a file."""
    chat, message = _own_message(call)
    content = await input_media(call, call.params["media"])
    return _replace(call, chat, message, content)


async def edit_message_reply_markup(call: Call) -> Json:
    """Replace the buttons only; without `reply_markup` they go."""
    chat, message = _own_message(call)
    held = {name: message[name] for name in CONTENT if name in message}
    return _replace(call, chat, message, held)


async def delete_message(call: Call) -> bool:
    """Delete one message on both sides."""
    chat = call.chat()
    message = chat.messages.get(call.params["message_id"])
    if message is None:
        raise bad_request("message to delete not found")
    _check_young(call, message)
    chat.remove(message["message_id"])
    return True


async def delete_messages(call: Call) -> bool:
    """Delete up to 100 messages on both sides: what is not found is skipped; one too old refuses all."""
    chat = call.chat()
    ids = call.params["message_ids"]
    if not ids:
        raise bad_request("message identifiers are not specified")
    if len(ids) > DELETE_MOST:
        raise bad_request("too many message identifiers specified")
    found = [chat.messages[message_id] for message_id in ids if message_id in chat.messages]
    for message in found:
        _check_young(call, message)
    for message in found:
        chat.remove(message["message_id"])
    return True


def _check_young(call: Call, message: Json) -> None:
    if call.world.clock.now() - message["date"] >= DELETE_WITHIN_S:
        raise bad_request("message can't be deleted for everyone")


def _own_message(call: Call) -> tuple[ChatState, Json]:
    if "chat_id" not in call.params:
        raise bad_request(
            "inline messages are not served here"
            if "inline_message_id" in call.params
            else "chat_id is empty"
        )
    if "message_id" not in call.params:
        raise bad_request("message identifier is not specified")
    chat = call.open_chat()
    message = chat.messages.get(call.params["message_id"])
    if message is None:
        raise bad_request("message to edit not found")
    if message["from"]["id"] != call.bot.id:
        raise bad_request("message can't be edited")
    return chat, message


def _replace(call: Call, chat: ChatState, message: Json, content: Json) -> Json:
    """Show the new version. Raises ApiError 400 when nothing changed."""
    inline = inline_of(call.get("reply_markup"))
    before = {name: message[name] for name in CONTENT if name in message}
    after = {name: content[name] for name in CONTENT if name in content}
    spoiler = {"has_media_spoiler": True} if content.get("has_media_spoiler") else {}
    if _told(before) == _told(after) and inline == message.get("reply_markup"):
        raise bad_request(NOT_MODIFIED)
    kept = {
        name: value
        for name, value in message.items()
        if name not in CONTENT and name not in ("reply_markup", "has_media_spoiler", "link_preview_options")
    }
    kept_spoiler = (
        {"has_media_spoiler": True} if "has_media_spoiler" in message and "media" not in call.params else {}
    )
    edited: Json = {**kept, **content, **kept_spoiler, **spoiler, "edit_date": call.world.clock.date()}
    if inline:
        edited["reply_markup"] = inline
    chat.show(edited)
    return edited


def _told(content: Json) -> Any:
    return {name: value for name, value in content.items() if value not in ([], "", None)}
