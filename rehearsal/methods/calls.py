"""One request of a bot, and what most methods need from it: its chat, its text, its message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rehearsal.entities import CAPTION_LIMIT, TEXT_LIMIT, Formatted, formatted, looks_empty, units
from rehearsal.errors import ApiError, bad_request
from rehearsal.markup import inline_of, put_keyboard

if TYPE_CHECKING:
    from rehearsal.botapi import BotApi, Json, Upload
    from rehearsal.webhook import Webhooks
    from rehearsal.world import Bot, ChatState, World


@dataclass
class Call:
    """A request whose parameters have their documented types."""

    world: World
    bot: Bot
    api: BotApi
    webhooks: Webhooks
    params: Json = field(repr=False)
    uploads: dict[str, Upload] = field(repr=False)

    def get(self, name: str, otherwise: Any = None) -> Any:
        """Return a parameter."""
        return self.params.get(name, otherwise)

    def chat(self, name: str = "chat_id") -> ChatState:
        """Return the chat meant, even a blocked one. Raises ApiError 400 or 403."""
        chat_id = self.params[name]
        person = self.world.persons.get(chat_id) if isinstance(chat_id, int) else None
        if person is None:
            raise bad_request("chat not found")
        chat = self.bot.chats.get(person.id)
        if chat is None or not chat.started:
            raise ApiError(403, "Forbidden: bot can't initiate conversation with a user")
        return chat

    def open_chat(self) -> ChatState:
        """Return the chat meant if the bot may write there. Raises ApiError 400 or 403."""
        chat = self.chat()
        if chat.blocked:
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        return chat

    def text(self) -> Json:
        """Return `text` and `entities` of a message. Raises ApiError 400."""
        given = formatted(self.params["text"], self.get("parse_mode"), self.get("entities"))
        if looks_empty(given.text):
            raise bad_request("message text is empty")
        if units(given.text) > TEXT_LIMIT:
            raise bad_request("message is too long")
        return _fields("text", "entities", given)

    def caption(self, source: Json | None = None) -> Json:
        """Return `caption` and `caption_entities`, nothing without a caption. Raises ApiError 400."""
        source = self.params if source is None else source
        given = formatted(
            source.get("caption") or "", source.get("parse_mode"), source.get("caption_entities")
        )
        if units(given.text) > CAPTION_LIMIT:
            raise bad_request("message caption is too long")
        if not given.text:
            return {}
        above = {"show_caption_above_media": True} if source.get("show_caption_above_media") else {}
        return {**_fields("caption", "caption_entities", given), **above}

    def reply(self, chat: ChatState) -> Json:
        """Return `reply_to_message`, nothing when it answers no message. Raises ApiError 400."""
        asked = self.get("reply_parameters")
        if not asked:
            return {}
        replied = chat.messages.get(asked["message_id"])
        if replied is None:
            if asked.get("allow_sending_without_reply"):
                return {}
            raise bad_request("message to be replied not found")
        return {
            "reply_to_message": {name: value for name, value in replied.items() if name != "reply_to_message"}
        }

    def post(self, chat: ChatState, content: Json, *, markup: bool = True) -> Json:
        """Put a message of the bot into the chat and return it. Raises ApiError 400."""
        asked = self.get("reply_markup") if markup else None
        inline = inline_of(asked)
        reply = self.reply(chat)
        put_keyboard(chat, asked)
        message: Json = {
            "message_id": self.bot.new_message_id(),
            "from": self.bot.user(),
            "chat": chat.person.chat(),
            "date": self.world.clock.date(),
            **reply,
            **content,
        }
        if inline:
            message["reply_markup"] = inline
        if self.get("protect_content"):
            message["has_protected_content"] = True
        chat.action = None
        chat.show(message)
        return message


def _fields(text_name: str, entities_name: str, given: Formatted) -> Json:
    fields: Json = {text_name: given.text}
    if given.entities:
        fields[entities_name] = given.entities
    return fields
