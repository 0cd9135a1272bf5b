"""What a person can do in the chat with a bot, and the update each act makes.

acts.say(chat_of_olha, "Hello")      # the Message; the bot is told of it
acts.tap(chat_of_olha, message_id, "Next")

Every update is checked against the documentation before the bot is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rehearsal import media
from rehearsal.entities import TEXT_LIMIT, formatted
from rehearsal.errors import ActError, ApiError
from rehearsal.samples import sample_photo, sample_sticker, sample_voice
from rehearsal.world import Callback

if TYPE_CHECKING:
    from rehearsal.botapi import BotApi, Json
    from rehearsal.world import Bot, ChatState, World

EDIT_WITHIN_S = 48 * 3600
BIG_SIZE = 25 * 1024 * 1024  # bytes, more than getFile gives
ALBUM_MOST = 10
EDITABLE = frozenset({"text", "photo", "document", "video", "audio", "voice"})


class Acts:
    """Every act returns what the person's app would show: the new messages, or what a tap did."""

    def __init__(self, world: World, api: BotApi) -> None:
        self._world = world
        self._api = api

    # Sending

    def say(self, bot: Bot, chat: ChatState, text: str, reply_to: int | None = None) -> list[Json]:
        """Send a text; one that is too long leaves the app in parts, as the apps do."""
        if not text.strip():
            raise ActError("there is nothing to send")
        parts = [text[start : start + TEXT_LIMIT] for start in range(0, len(text), TEXT_LIMIT)]
        sent = []
        for part in parts:
            given = formatted(part)
            content: Json = {"text": given.text}
            if given.entities:
                content["entities"] = given.entities
            sent.append(self._post(bot, chat, content, reply_to))
        return sent

    async def photos(
        self,
        bot: Bot,
        chat: ChatState,
        pictures: list[bytes | None],
        caption: str = "",
        *,
        spoiler: bool = False,
    ) -> list[Json]:
        """Send one photo, or several as an album; None is a picture made here. EXIF is gone."""
        try:
            contents = [
                await media.photo(
                    self._world.files, sample_photo(self._world) if picture is None else picture
                )
                for picture in pictures
            ]
        except ApiError as error:
            raise ActError(f"this is no photo that Telegram takes: {error.description}") from None
        hidden = {"has_media_spoiler": True} if spoiler else {}
        return self._post_all(bot, chat, [{**content, **hidden} for content in contents], caption)

    def files(
        self,
        bot: Bot,
        chat: ChatState,
        files: list[tuple[str, bytes]],
        caption: str = "",
        kind: str = "document",
    ) -> list[Json]:
        """Send files as they are, byte for byte; several are an album."""
        contents = [media.file_content(self._world.files, kind, content, name) for name, content in files]
        return self._post_all(bot, chat, contents, caption)

    def big_file(self, bot: Bot, chat: ChatState, name: str, size: int = BIG_SIZE) -> list[Json]:
        """Send a file of which only the size exists here: more than a bot may download."""
        return [self._post(bot, chat, media.declared_content(self._world.files, "document", size, name))]

    def voice(
        self, bot: Bot, chat: ChatState, content: bytes | None, seconds: int = 3, mime: str = ""
    ) -> list[Json]:
        """Send a voice message; without bytes, a moment of silence made here."""
        told: dict[str, Any] = {"duration": seconds}
        holding = media.file_content(
            self._world.files, "voice", content or sample_voice(self._world), "", **told
        )
        if mime:
            holding["voice"]["mime_type"] = mime
        return [self._post(bot, chat, holding)]

    def location(self, bot: Bot, chat: ChatState, latitude: float, longitude: float) -> list[Json]:
        """Send a point."""
        return [self._post(bot, chat, {"location": {"latitude": latitude, "longitude": longitude}})]

    def sticker(self, bot: Bot, chat: ChatState) -> list[Json]:
        """Send a sticker."""
        holding = media.file_content(self._world.files, "sticker", sample_sticker(), "", emoji="👋")
        return [self._post(bot, chat, holding)]

    def poll(self, bot: Bot, chat: ChatState, question: str, options: list[str]) -> list[Json]:
        """Send a poll."""
        rows = [
            {"persistent_id": self._world.token(8), "text": option, "voter_count": 0} for option in options
        ]
        poll = {
            "id": str(self._world.chance.randrange(10**18, 10**19)),
            "question": question,
            "options": rows,
            "total_voter_count": 0,
            "is_closed": False,
            "is_anonymous": True,
            "type": "regular",
            "allows_multiple_answers": False,
            "allows_revoting": True,
            "members_only": False,
        }
        return [self._post(bot, chat, {"poll": poll})]

    def contact(self, bot: Bot, chat: ChatState, phone: str, name: str) -> list[Json]:
        """Share somebody's contact."""
        return [self._post(bot, chat, {"contact": {"phone_number": phone, "first_name": name}})]

    def raw(self, bot: Bot, chat: ChatState, update: Json) -> None:
        """Tell the bot something undocumented, unchecked: what a newer Telegram might send."""
        chat.started = True
        bot.queue.put_raw(update, f"chat:{chat.person.id}")

    # Changing

    def edit(self, bot: Bot, chat: ChatState, message_id: int, text: str) -> list[Json]:
        """Change the text, or the caption, of an own message."""
        message = chat.messages.get(message_id)
        if message is None or message["from"]["id"] != chat.person.id or not EDITABLE & message.keys():
            raise ActError("only an own text or file can be edited")
        if self._world.clock.now() - message["date"] >= EDIT_WITHIN_S:
            raise ActError("after 48 hours a message cannot be edited")
        field = "text" if "text" in message else "caption"
        entities_field = "entities" if field == "text" else "caption_entities"
        given = formatted(text)
        if not given.text and field == "text":
            raise ActError("there is nothing to send")
        kept = {name: value for name, value in message.items() if name not in (field, entities_field)}
        edited: Json = {**kept, field: given.text, "edit_date": self._world.clock.date()}
        if given.entities:
            edited[entities_field] = given.entities
        self._tell(bot, chat, "edited_message", edited)
        chat.show(edited)
        return [edited]

    def delete(self, chat: ChatState, message_id: int) -> None:
        """Delete a message on both sides; bots are not told."""
        if chat.remove(message_id) is None:
            raise ActError("this message is gone already")

    def clear(self, chat: ChatState) -> None:
        """Delete the whole chat on both sides; bots are not told."""
        chat.messages.clear()
        chat.reply_keyboard = None
        chat.changed()

    # Tapping

    def tap(self, bot: Bot, chat: ChatState, message_id: int, button: Json) -> Json:
        """Tap an inline button, which may be of an older version of the message or of a deleted one."""
        if "url" in button:
            return {"url": button["url"]}
        if "copy_text" in button:
            return {"copied": button["copy_text"]["text"]}
        if "callback_data" not in button:
            raise ActError("this kind of button does nothing here")
        self._must_write(chat)
        gone = {"chat": chat.person.chat(), "message_id": message_id, "date": 0}
        query = {
            "id": str(self._world.chance.randrange(10**18, 10**19)),
            "from": chat.person.user(),
            "message": chat.messages.get(message_id, gone),
            "chat_instance": chat.instance,
            "data": button["callback_data"],
        }
        self._api.check(["CallbackQuery"], query, "callback_query")
        bot.callbacks[query["id"]] = Callback(chat.person.id, self._world.clock.now())
        bot.queue.put("callback_query", query, f"callback:{chat.person.id}")
        chat.changed()
        return {"query": query["id"]}

    def block(self, bot: Bot, chat: ChatState, *, blocked: bool) -> None:
        """Block the bot, or take it back; the bot is told as of a changed membership."""
        if chat.blocked == blocked:
            raise ActError("it is so already")
        chat.blocked = blocked
        chat.changed()
        member = {"user": bot.user(), "status": "member"}
        banned = {"user": bot.user(), "status": "kicked", "until_date": 0}
        before, after = (member, banned) if blocked else (banned, member)
        change = {
            "chat": chat.person.chat(),
            "from": chat.person.user(),
            "date": self._world.clock.date(),
            "old_chat_member": before,
            "new_chat_member": after,
        }
        self._tell(bot, chat, "my_chat_member", change)

    # How an act reaches the bot

    def _post_all(self, bot: Bot, chat: ChatState, contents: list[Json], caption: str) -> list[Json]:
        """One message, or an album: separate messages of one media_group_id, the caption on the first."""
        if not 1 <= len(contents) <= ALBUM_MOST:
            raise ActError("an album has two to ten items")
        if caption:
            given = formatted(caption)
            contents = [{**contents[0], "caption": given.text}, *contents[1:]]
            if given.entities:
                contents[0]["caption_entities"] = given.entities
        if len(contents) > 1:
            group = str(self._world.chance.randrange(10**16, 10**17))
            contents = [{"media_group_id": group, **content} for content in contents]
        return [self._post(bot, chat, content) for content in contents]

    def _post(self, bot: Bot, chat: ChatState, content: Json, reply_to: int | None = None) -> Json:
        self._must_write(chat)
        replied = chat.messages.get(reply_to) if reply_to else None
        message: Json = {
            "message_id": bot.new_message_id(),
            "from": chat.person.user(),
            "chat": chat.person.chat(),
            "date": self._world.clock.date(),
            **content,
        }
        if replied:
            message["reply_to_message"] = {
                name: value for name, value in replied.items() if name != "reply_to_message"
            }
        self._tell(bot, chat, "message", message)
        chat.started = True
        chat.show(message)
        return message

    def _tell(self, bot: Bot, chat: ChatState, kind: str, payload: Json) -> None:
        types = self._api.types_of_update(kind)
        self._api.check(types, payload, kind)
        bot.queue.put(kind, payload, f"chat:{chat.person.id}")
        self._world.changes += 1

    def _must_write(self, chat: ChatState) -> None:
        if chat.blocked:
            raise ActError("you have blocked this bot; unblock it first")
