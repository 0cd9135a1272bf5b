"""What a person can do in the chat with a bot, and the update each act makes.

acts.say(chat_of_olha, "Hello")      # the Message; the bot is told of it
acts.tap(chat_of_olha, message_id, "Next")

Every update is checked against the documentation before the bot is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rehearsal import contents, media
from rehearsal.contents import Manner
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
PLAIN = Manner()
# What an album may hold together; anything else only goes by itself.
TOGETHER = (frozenset({"photo", "video"}), frozenset({"document"}), frozenset({"audio"}))
EDITABLE = frozenset({"text", "photo", "document", "video", "audio", "voice"})


class Acts:
    """Every act returns what the person's app would show: the new messages, or what a tap did."""

    def __init__(self, world: World, api: BotApi) -> None:
        self.world = world
        self._api = api

    # Sending

    def say(
        self,
        bot: Bot,
        chat: ChatState,
        text: str,
        manner: Manner = PLAIN,
        links: list[tuple[str, str]] | None = None,
    ) -> list[Json]:
        """Send a text; one that is too long leaves the app in parts, as the apps do.

        `links` are words of it that lead to addresses which it does not show.
        """
        if not text.strip():
            raise ActError("there is nothing to send")
        entities = contents.hidden_links(text, links or [])
        parts = [text[start : start + TEXT_LIMIT] for start in range(0, len(text), TEXT_LIMIT)]
        sent = []
        for part in parts:
            given = formatted(part, entities=entities if len(parts) == 1 else None)
            content: Json = {"text": given.text}
            if given.entities:
                content["entities"] = given.entities
            sent.append(self.send(bot, chat, content, manner)[0])
        return sent

    def send(self, bot: Bot, chat: ChatState, content: Json, manner: Manner = PLAIN) -> list[Json]:
        """Send what `rehearsal.contents` made."""
        return [self._post(bot, chat, content, manner)]

    async def photos(
        self,
        bot: Bot,
        chat: ChatState,
        pictures: list[bytes | None],
        caption: str = "",
        *,
        spoiler: bool = False,
        manner: Manner = PLAIN,
    ) -> list[Json]:
        """Send one photo, or several as an album; None is a picture made here. EXIF is gone."""
        held = [await self._photo(picture) for picture in pictures]
        hidden = {"has_media_spoiler": True} if spoiler else {}
        return self._post_all(bot, chat, [{**content, **hidden} for content in held], caption, manner)

    def files(
        self,
        bot: Bot,
        chat: ChatState,
        files: list[tuple[str, bytes]],
        caption: str = "",
        kind: str = "document",
        manner: Manner = PLAIN,
    ) -> list[Json]:
        """Send files as they are, byte for byte; several are an album."""
        held = [media.file_content(self.world.files, kind, content, name) for name, content in files]
        return self._post_all(bot, chat, held, caption, manner)

    async def album(
        self,
        bot: Bot,
        chat: ChatState,
        items: list[tuple[str, str, bytes | None]],
        caption: str = "",
        manner: Manner = PLAIN,
    ) -> list[Json]:
        """Send an album of several kinds: (kind, name, bytes) each; None is a picture made here."""
        held = []
        for kind, name, content in items:
            if kind == "photo":
                held.append(await self._photo(content))
            else:
                held.append(media.file_content(self.world.files, kind, content or b"", name))
        return self._post_all(bot, chat, held, caption, manner)

    def big_file(
        self, bot: Bot, chat: ChatState, name: str, size: int = BIG_SIZE, caption: str = ""
    ) -> list[Json]:
        """Send a file of which only the size exists here: more than a bot may download."""
        held = media.declared_content(self.world.files, "document", size, name)
        return self._post_all(bot, chat, [held], caption)

    def voice(
        self,
        bot: Bot,
        chat: ChatState,
        content: bytes | None,
        seconds: int = 3,
        mime: str = "",
        manner: Manner = PLAIN,
    ) -> list[Json]:
        """Send a voice message; without bytes, a moment of silence made here."""
        told: dict[str, Any] = {"duration": seconds}
        holding = media.file_content(
            self.world.files, "voice", content or sample_voice(self.world), "", **told
        )
        if mime:
            holding["voice"]["mime_type"] = mime
        return self.send(bot, chat, holding, manner)

    def sticker(self, bot: Bot, chat: ChatState) -> list[Json]:
        """Send a sticker."""
        holding = media.file_content(self.world.files, "sticker", sample_sticker(), "", emoji="👋")
        return self.send(bot, chat, holding)

    def pin(self, bot: Bot, chat: ChatState, message_id: int) -> list[Json]:
        """Pin a message: the bot is told by a message of Telegram's own that quotes it."""
        pinned = chat.messages.get(message_id)
        if pinned is None:
            raise ActError("this message is gone already")
        quoted = {name: value for name, value in pinned.items() if name != "reply_to_message"}
        return self.send(bot, chat, {"pinned_message": quoted})

    def timer(self, bot: Bot, chat: ChatState, seconds: int) -> list[Json]:
        """Let the messages of this chat vanish by themselves."""
        told = {"message_auto_delete_timer_changed": {"message_auto_delete_time": seconds}}
        return self.send(bot, chat, told)

    def raw(self, bot: Bot, chat: ChatState, update: Json) -> None:
        """Tell the bot something undocumented, unchecked: what a newer Telegram might send."""
        chat.started = True
        bot.queue.put_raw(update, f"chat:{chat.person.id}")

    # Changing

    def edit(
        self,
        bot: Bot,
        chat: ChatState,
        message_id: int,
        text: str,
        links: list[tuple[str, str]] | None = None,
    ) -> list[Json]:
        """Change the text, or the caption, of an own message."""
        message = self._editable(chat, message_id)
        field = "text" if "text" in message else "caption"
        entities_field = "entities" if field == "text" else "caption_entities"
        given = formatted(text, entities=contents.hidden_links(text, links or []))
        if not given.text and field == "text":
            raise ActError("there is nothing to send")
        kept = {name: value for name, value in message.items() if name not in (field, entities_field)}
        edited: Json = {**kept, field: given.text}
        if given.entities:
            edited[entities_field] = given.entities
        return self._changed(bot, chat, edited)

    async def replace(self, bot: Bot, chat: ChatState, message_id: int, picture: bytes | None) -> list[Json]:
        """Put another photo into an own message; its caption stays."""
        message = self._editable(chat, message_id)
        if "photo" not in message:
            raise ActError("only a photo can take the place of a photo here")
        return self._changed(bot, chat, {**message, **await self._photo(picture)})

    def move(
        self, bot: Bot, chat: ChatState, message_id: int, latitude: float, longitude: float
    ) -> list[Json]:
        """Let a live location go on: the bot is told by an edit."""
        message = chat.messages.get(message_id, {})
        live = message.get("location", {}).get("live_period")
        if live is None or self.world.clock.now() - message["date"] > live:
            raise ActError("only a live location moves, and only in its time")
        return self._changed(bot, chat, {**message, **contents.location(latitude, longitude, live)})

    def _editable(self, chat: ChatState, message_id: int) -> Json:
        message = chat.messages.get(message_id)
        if message is None or message["from"]["id"] != chat.person.id or not EDITABLE & message.keys():
            raise ActError("only an own text or file can be edited")
        if "forward_origin" in message:
            raise ActError("what is forwarded cannot be edited")
        if self.world.clock.now() - message["date"] >= EDIT_WITHIN_S:
            raise ActError("after 48 hours a message cannot be edited")
        return message

    def _changed(self, bot: Bot, chat: ChatState, edited: Json) -> list[Json]:
        edited = {**edited, "edit_date": self.world.clock.date()}
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
            "id": str(self.world.chance.randrange(10**18, 10**19)),
            "from": chat.person.user(),
            "message": chat.messages.get(message_id, gone),
            "chat_instance": chat.instance,
            "data": button["callback_data"],
        }
        self._api.check(["CallbackQuery"], query, "callback_query")
        bot.callbacks[query["id"]] = Callback(chat.person.id, self.world.clock.now())
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
            "date": self.world.clock.date(),
            "old_chat_member": before,
            "new_chat_member": after,
        }
        self._tell(bot, chat, "my_chat_member", change)

    # How an act reaches the bot

    async def _photo(self, picture: bytes | None) -> Json:
        try:
            content = sample_photo(self.world) if picture is None else picture
            return await media.photo(self.world.files, content)
        except ApiError as error:
            raise ActError(f"this is no photo that Telegram takes: {error.description}") from None

    def _post_all(
        self, bot: Bot, chat: ChatState, held: list[Json], caption: str, manner: Manner = PLAIN
    ) -> list[Json]:
        """One message, or an album: separate messages of one media_group_id, the caption on the first."""
        if not 1 <= len(held) <= ALBUM_MOST:
            raise ActError("an album has two to ten items")
        album = len(held) > 1 or manner.group is not None
        kinds = {next(iter(content)) for content in held}
        if album and not any(kinds <= group for group in TOGETHER):
            raise ActError("an album is of photos and videos, or of documents, or of audio")
        if caption:
            given = formatted(caption)
            held = [{**held[0], "caption": given.text}, *held[1:]]
            if given.entities:
                held[0]["caption_entities"] = given.entities
        if album:
            group = manner.group or str(self.world.chance.randrange(10**16, 10**17))
            held = [{"media_group_id": group, **content} for content in held]
        return [self._post(bot, chat, content, manner) for content in held]

    def _post(self, bot: Bot, chat: ChatState, content: Json, manner: Manner) -> Json:
        self._must_write(chat)
        message: Json = {
            "message_id": bot.new_message_id(),
            "from": chat.person.user(),
            "chat": chat.person.chat(),
            "date": self.world.clock.date(),
            **content,
            **manner.fields(chat),
        }
        self._tell(bot, chat, "message", message)
        chat.started = True
        chat.show(message)
        return message

    def _tell(self, bot: Bot, chat: ChatState, kind: str, payload: Json) -> None:
        types = self._api.types_of_update(kind)
        self._api.check(types, payload, kind)
        bot.queue.put(kind, payload, f"chat:{chat.person.id}")
        self.world.changes += 1

    def _must_write(self, chat: ChatState) -> None:
        if chat.blocked:
            raise ActError("you have blocked this bot; unblock it first")
