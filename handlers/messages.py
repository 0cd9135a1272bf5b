"""What one message of Telegram says, in plain words and file kinds: nothing a person sent is overlooked.

says(message)        # the text or caption, and below it every link that only stood behind a word
origin(message)      # whose words a forward claims to be: a name as shown, never an id
files(message)       # [("photo", the largest size), …]
"""

import unicodedata
from typing import Any, Protocol

from aiogram.types import (
    Chat,
    Contact,
    ExternalReplyInfo,
    Message,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginHiddenUser,
    PaidMediaLivePhoto,
    PaidMediaPhoto,
    PaidMediaVideo,
    Venue,
)

# Kinds of files, in the order in which a message is looked through (an animation also carries a document).
_KINDS = ("photo", "video", "video_note", "voice", "audio", "animation", "document")

# What Telegram itself tells of a chat: nobody's words, and never an answer.
SERVICE = (
    "pinned_message", "message_auto_delete_timer_changed", "write_access_allowed", "connected_website",
    "users_shared", "chat_shared", "user_shared", "web_app_data", "passport_data", "successful_payment",
    "refunded_payment", "gift", "unique_gift", "gift_upgrade_sent", "boost_added", "chat_background_set",
    "checklist_tasks_done", "checklist_tasks_added", "poll_option_added", "poll_option_deleted",
    "proximity_alert_triggered", "paid_message_price_changed", "direct_message_price_changed",
    "suggested_post_approved", "suggested_post_approval_failed", "suggested_post_declined",
    "suggested_post_paid", "suggested_post_refunded", "managed_bot_created",
    "migrate_to_chat_id", "migrate_from_chat_id", "new_chat_members", "left_chat_member", "new_chat_title",
    "new_chat_photo", "delete_chat_photo", "group_chat_created", "supergroup_chat_created",
    "channel_chat_created", "chat_owner_left", "chat_owner_changed", "forum_topic_created",
    "forum_topic_edited", "forum_topic_closed", "forum_topic_reopened", "general_forum_topic_hidden",
    "general_forum_topic_unhidden", "giveaway_created", "giveaway_completed", "video_chat_scheduled",
    "video_chat_started", "video_chat_ended", "video_chat_participants_invited",
)  # fmt: skip
# What somebody sends and no question can be answered by.
_UNUSABLE = (
    "sticker",
    "poll",
    "dice",
    "story",
    "game",
    "invoice",
    "giveaway",
    "giveaway_winners",
    "paid_media",
)
_RICH = ("text", "title", "summary", "label", "credit", "expression", "alternative_text", "caption")

_TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c")


class Held(Protocol):
    """A file as Telegram tells of it; `file_size` in bytes, None when it does not say."""

    file_id: str
    file_unique_id: str
    file_size: int | None


def says(message: Message) -> str:
    """The words of a message, exactly as written, then its hidden links, each on a line of its own."""
    words = message.text or message.caption or _checklist(message) or _rich(message)
    entities = (message.entities or []) + (message.caption_entities or [])
    links = [url for entity in entities if entity.type == "text_link" and (url := one_line(entity.url))]
    if message.external_reply is not None:
        links += _pointed_at(message, message.external_reply)
    hidden = [link for link in dict.fromkeys(links) if link not in words.split()]
    return "\n".join([words, *hidden] if words else hidden)


def files(message: Message) -> list[tuple[str, Held]]:
    """The files of a message, each with its kind; of a photo the largest size."""
    found = next(((kind, held) for kind in _KINDS if (held := getattr(message, kind))), None)
    kept = [(found[0], found[1][-1] if found[0] == "photo" else found[1])] if found else []
    if message.live_photo:
        kept.append(("video", message.live_photo))
    for item in message.paid_media.paid_media if message.paid_media else ():
        if isinstance(item, PaidMediaPhoto):
            kept.append(("photo", item.photo[-1]))
        elif isinstance(item, PaidMediaVideo):
            kept.append(("video", item.video))
        elif isinstance(item, PaidMediaLivePhoto):
            kept.append(("video", item.live_photo))
    return kept


def origin(message: Message) -> str:
    """Whom a forward names: a person, a chat or a channel, with the address of a public post; "" for none."""
    told = message.forward_origin
    if told is None:
        return ""
    if isinstance(told, MessageOriginChannel):
        names = [told.chat.title, told.author_signature, _post(told.chat, told.message_id)]
    elif isinstance(told, MessageOriginChat):
        names = [told.sender_chat.title, told.author_signature]
    elif isinstance(told, MessageOriginHiddenUser):
        names = [told.sender_user_name]
    else:
        names = [told.sender_user.full_name]
    return ", ".join(name for name in map(one_line, names) if name)


def contact(held: Contact) -> str:
    """A contact's name and telephone number, each on its line; nothing else of it is kept."""
    name = " ".join(part for part in (held.first_name, held.last_name) if part)
    return "\n".join(line for line in map(one_line, (name, held.phone_number)) if line)


def venue(held: Venue | None) -> str:
    """The name and address of a place that was sent as a venue."""
    return ", ".join(part for part in map(one_line, (held.title, held.address)) if part) if held else ""


def is_service(message: Message) -> bool:
    """Whether only Telegram speaks here."""
    return any(getattr(message, kind) for kind in SERVICE)


def unusable(message: Message) -> str:
    """The kind of what no question can be answered by, "other" for what a newer Telegram may bring."""
    return next((kind for kind in _UNUSABLE if getattr(message, kind)), "other")


def one_line(name: str | None) -> str:
    """A name on one line, without control characters and without signs that turn the text around it."""
    shown = (" " if sign.isspace() else sign for sign in name or "" if sign not in _TURNING)
    return " ".join("".join(sign for sign in shown if unicodedata.category(sign) != "Cc").split())


def _post(chat: Chat, message_id: int | None) -> str:
    """The address of a post in a public channel or group."""
    return f"https://t.me/{chat.username}/{message_id}" if chat.username and message_id else ""


def _pointed_at(message: Message, reply: ExternalReplyInfo) -> list[str]:
    """What a reply to a message of another chat points at: the words it quotes, and the post's address."""
    quoted = f"«{message.quote.text}»" if message.quote is not None and message.quote.text.strip() else ""
    post = _post(reply.chat, reply.message_id) if reply.chat is not None else ""
    return [line for line in (quoted, post) if line]


def _checklist(message: Message) -> str:
    listed = message.checklist
    return "\n".join([listed.title, *(task.text for task in listed.tasks)]) if listed else ""


def _rich(message: Message) -> str:
    """The words of a message with rich formatting, a line for each of its blocks."""
    if message.rich_message is None:
        return ""
    blocks = message.rich_message.model_dump(mode="json", exclude_none=True)["blocks"]
    return "\n".join(line for block in blocks if (line := "".join(_texts(block)).strip()))


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if isinstance(value, dict):
        return [
            text
            for key, held in value.items()
            if key in _RICH or isinstance(held, dict | list)
            for text in _texts(held)
        ]
    return []
