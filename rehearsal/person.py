"""What somebody at the chat does and sees: every act is one call, every look waits (`rehearsal.driver`)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from rehearsal.screen import NotSeenError, Shown, messages_of, screen, shown, with_button

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rehearsal.driver import Driver

Json = dict[str, Any]


class Person:
    """Somebody with a Telegram account, at the chat with one bot."""

    def __init__(self, driver: Driver, name: str, language: str, bot: int | None) -> None:
        self.name = name
        self.driver = driver
        self._language = language
        self._bot = bot
        self._id: int | None = None
        self._popups_before = 0

    async def id(self) -> int:
        """Return the account's id, which is also the chat's."""
        if self._id is None:
            asked = {"name": self.name, "language": self._language}
            self._id = int((await self.driver.ask("POST", "people", json=asked))["id"])
        return self._id

    # Sending

    async def sends(
        self,
        text: str,
        *,
        reply_to: Shown | int | None = None,
        quote: str = "",
        links: Sequence[tuple[str, str]] = (),
        forward: Json | None = None,
    ) -> Shown:
        """Send a text and return it as it stands; a text over 4096 goes in parts, the last is returned.

        `links` are words of it and the addresses they lead to; `forward` is as in `rehearsal.contents.origin`.
        """
        replied = reply_to.id if isinstance(reply_to, Shown) else reply_to
        manner = {"reply_to": replied, "quote": quote, "forward": forward}
        return (await self._act("say", text=text, links=[list(link) for link in links], **manner))[-1]

    async def sends_photo(self, content: bytes | None = None, caption: str = "", **manner: Any) -> Shown:
        """Send a photo; without bytes, a picture made by the server, each one another."""
        return (await self.sends_album([content], caption, **manner))[0]

    async def sends_album(
        self, pictures: Sequence[bytes | None], caption: str = "", *, spoiler: bool = False, **manner: Any
    ) -> list[Shown]:
        """Send two to ten photos as an album; None stands for a picture made by the server.

        `manner` is how: `reply_to` (an id), `forward`, or `group`, the media_group_id of an album that goes on.
        """
        keys = [None if picture is None else await self.driver.upload(picture) for picture in pictures]
        return await self._act("photos", uploads=keys, caption=caption, spoiler=spoiler, **manner)

    async def sends_mixed(
        self, items: Sequence[tuple[str, str, bytes | None]], caption: str = "", **manner: Any
    ) -> list[Shown]:
        """Send an album of several kinds: (kind, name, bytes) each."""
        keys = [
            [kind, name, None if content is None else await self.driver.upload(content)]
            for kind, name, content in items
        ]
        return await self._act("album", items=keys, caption=caption, **manner)

    async def sends_file(
        self, name: str, content: bytes, caption: str = "", *, kind: str = "document"
    ) -> Shown:
        """Send a file as it is; `kind` may be document, video, audio or video_note. It may be empty."""
        return (await self.sends_files([(name, content)], caption, kind=kind))[0]

    async def sends_files(
        self, files: Sequence[tuple[str, bytes]], caption: str = "", *, kind: str = "document"
    ) -> list[Shown]:
        """Send several files as an album."""
        keys = [[name, await self.driver.upload(content)] for name, content in files]
        return await self._act("files", files=keys, caption=caption, kind=kind)

    async def sends_big_file(
        self, name: str = "archive.zip", size: int = 25 * 1024 * 1024, caption: str = ""
    ) -> Shown:
        """Send a file too big for getFile; only its size, in bytes, exists."""
        return (await self._act("big_file", name=name, size=size, caption=caption))[0]

    async def sends_voice(self, content: bytes | None = None, seconds: int = 3, **manner: Any) -> Shown:
        """Send a voice message; without bytes, a moment of silence."""
        key = None if content is None else await self.driver.upload(content)
        return (await self._act("voice", upload=key, seconds=seconds, **manner))[0]

    async def sends_sticker(self) -> Shown:
        """Send a sticker."""
        return (await self._act("sticker"))[0]

    async def sends_poll(self, question: str = "Tea?", options: Sequence[str] = ("Yes", "No")) -> Shown:
        """Send a poll."""
        return (await self._act("poll", question=question, options=list(options)))[0]

    async def throws_dice(self, emoji: str = "🎲") -> Shown:
        """Throw a die, a dart or another of Telegram's."""
        return (await self._act("dice", emoji=emoji))[0]

    async def shows_story(self, name: str = "Somebody") -> Shown:
        """Pass on a story that somebody shows."""
        return (await self._act("story", name=name))[0]

    async def shares_contact(self, phone: str = "+10000000000", name: str = "Somebody", **more: Any) -> Shown:
        """Share a contact; `more` are `last_name`, `vcard` and the manner."""
        return (await self._act("contact", phone=phone, name=name, **more))[0]

    async def shares_location(
        self,
        latitude: float = 48.5,
        longitude: float = 34.5,
        *,
        live_period: int | None = None,
        **manner: Any,
    ) -> Shown:
        """Share a point, or begin to share where one is for so many seconds."""
        point = {"latitude": latitude, "longitude": longitude, "live_period": live_period}
        return (await self._act("location", **point, **manner))[0]

    async def moves(self, message: Shown, latitude: float, longitude: float) -> Shown:
        """Go on with a live location."""
        return (await self._act("move", message=message.id, latitude=latitude, longitude=longitude))[0]

    async def shares_venue(
        self, title: str, address: str = "", latitude: float = 48.5, longitude: float = 34.5, **manner: Any
    ) -> Shown:
        """Share a place with a name."""
        point = {"latitude": latitude, "longitude": longitude}
        return (await self._act("venue", title=title, address=address, **point, **manner))[0]

    async def pins(self, message: Shown) -> Shown:
        """Pin a message; Telegram tells the bot so by a message of its own, which is returned."""
        return (await self._act("pin", message=message.id))[0]

    async def sets_timer(self, seconds: int = 86400) -> Shown:
        """Let the chat's messages vanish by themselves; Telegram tells the bot so."""
        return (await self._act("timer", seconds=seconds))[0]

    async def sends_raw(self, update: Json) -> None:
        """Tell the bot an update as it is, documented or not: {"message": {…}}."""
        await self._ask("raw", update=update)

    # Changing

    async def edits(self, message: Shown | int, text: str, *, links: Sequence[tuple[str, str]] = ()) -> Shown:
        """Change the text or caption of an own message."""
        own = message if isinstance(message, int) else message.id
        return (await self._act("edit", message=own, text=text, links=[list(link) for link in links]))[0]

    async def replaces_photo(self, message: Shown, content: bytes | None = None) -> Shown:
        """Put another photo into an own message; without bytes, one made by the server."""
        key = None if content is None else await self.driver.upload(content)
        return (await self._act("replace", message=message.id, upload=key))[0]

    async def deletes(self, message: Shown | int) -> None:
        """Delete a message on both sides."""
        await self._ask("delete", message=message if isinstance(message, int) else message.id)

    async def clears_chat(self) -> None:
        """Delete the whole chat on both sides."""
        await self._ask("clear")

    async def blocks(self) -> None:
        """Block the bot."""
        await self._ask("block", blocked=True)

    async def unblocks(self) -> None:
        """Take the blocking back."""
        await self._ask("block", blocked=False)

    # Tapping

    async def taps(self, text: str, *, timeout_s: float | None = None) -> Json:
        """Wait for a button of exactly this text, the newest message first, and tap it.

        Returns {"query": id}, or {"url": …} or {"copied": …} for buttons that do not ask the bot.
        """
        view = await self._until(
            lambda view: with_button(view, text) is not None, f"a button [{text}]", timeout_s
        )
        message = with_button(view, text)
        assert message is not None
        return await self._tap(view, message, text)

    async def taps_stale(self, text: str) -> Json:
        """Tap a button that an older version of a message had: the newest such that stands no more."""
        view = await self.view()
        for message in reversed(await self.everything_seen()):
            standing = next((now for now in messages_of(view) if now.id == message.id), None)
            button = message.button(text)
            if button and (standing is None or standing.button(text) != button):
                return await self._tap(view, message, text)
        raise NotSeenError(f"{self.name} has seen no button [{text}] that is gone now.\n{screen(view)}")

    async def taps_at(self, message: Shown, text: str) -> Json:
        """Tap a button of this version of a message, whatever stands now."""
        return await self._tap(await self.view(), message, text)

    async def _tap(self, view: Json, message: Shown, text: str) -> Json:
        button = message.button(text)
        if button is None:
            raise NotSeenError(f"this message has no button [{text}]: {message}")
        self._popups_before = view["popups_seen"]
        done: Json = await self._ask("tap", message=message.id, button=button.raw)
        return done

    # Looking

    async def chat(self) -> list[Shown]:
        """Return the messages that stand in the chat, in order."""
        return messages_of(await self.view())

    async def history(self) -> list[Shown]:
        """Return what `chat` returns: the chat's history is what stands in it."""
        return await self.chat()

    async def everything_seen(self) -> list[Shown]:
        """Return every version of every message ever shown in this chat, in the order of showing."""
        return [
            shown(message) for message in await self.driver.ask("GET", "seen", params=await self._where())
        ]

    async def popup(self) -> str | None:
        """Return the text of the last answer to a tap, None if no tap was answered yet."""
        popups = (await self.view())["popups"]
        return popups[-1]["text"] if popups else None

    async def sees(self, fragment: str, *, timeout_s: float | None = None) -> Shown:
        """Wait until a message of the bot holds this, and return the newest that does."""

        def found(view: Json) -> Shown | None:
            messages = [message for message in messages_of(view) if not message.own]
            return next((message for message in reversed(messages) if fragment in message.text), None)

        message = found(await self._until(lambda view: found(view) is not None, repr(fragment), timeout_s))
        assert message is not None
        return message

    async def sees_button(self, text: str, *, timeout_s: float | None = None) -> Shown:
        """Wait until a message has a button of exactly this text, and return it."""
        view = await self._until(
            lambda now: with_button(now, text) is not None, f"a button [{text}]", timeout_s
        )
        message = with_button(view, text)
        assert message is not None
        return message

    async def sees_no_more(self, fragment: str, *, timeout_s: float | None = None) -> None:
        """Wait until no message of anybody holds this."""
        await self._until(
            lambda view: all(fragment not in message.text for message in messages_of(view)),
            f"{fragment!r} gone",
            timeout_s,
        )

    async def sees_popup(self, fragment: str = "", *, timeout_s: float | None = None) -> str:
        """Wait until a tap was answered, since the last tap here, by a text that holds this."""

        def new(view: Json) -> list[str]:
            count = view["popups_seen"] - self._popups_before
            texts = [popup["text"] for popup in view["popups"][-count:]] if count > 0 else []
            return [text for text in texts if fragment in text]

        return new(await self._until(lambda view: bool(new(view)), f"a pop-up with {fragment!r}", timeout_s))[
            -1
        ]

    async def sees_only(self, count: int, *, timeout_s: float | None = None) -> list[Shown]:
        """Wait until exactly so many messages stand in the chat."""
        view = await self._until(lambda now: len(now["messages"]) == count, f"{count} messages", timeout_s)
        return messages_of(view)

    async def is_heard(self, *, timeout_s: float | None = None) -> None:
        """Wait until the bot has acknowledged everything this person did."""
        await self._until(lambda view: view["unheard"] == 0, "everything acknowledged", timeout_s)

    async def content_of(self, message: Shown) -> bytes:
        """Return the bytes of a message's file as the server keeps them; of a photo, the largest size."""
        held = message.raw[message.kind]
        return await self.driver.download((held[-1] if message.kind == "photo" else held)["file_id"])

    async def view(self, after: int = -1, timeout_s: float = 0) -> Json:
        """Return the whole screen (`rehearsal.view`), a later version than `after` if one comes in time."""
        query = {**await self._where(), "after": str(after), "timeout": str(timeout_s)}
        view: Json = await self.driver.ask("GET", "chat", params=query)
        return view

    async def _until(self, true: Callable[[Json], bool], what: str, timeout_s: float | None) -> Json:
        deadline = time.monotonic() + (self.driver.timeout_s if timeout_s is None else timeout_s)
        view = await self.view()
        while not true(view):
            left = deadline - time.monotonic()
            if left <= 0:
                raise NotSeenError(f"{self.name} does not see {what}. On the screen:\n{screen(view)}")
            view = await self.view(view["version"], left)
        return view

    async def _act(self, act: str, **fields: Any) -> list[Shown]:
        return [shown(message) for message in await self._ask(act, **fields)]

    async def _ask(self, act: str, **fields: Any) -> Any:
        given = {"act": act, **await self._where(), **fields}
        return await self.driver.ask("POST", "act", json=given)

    async def _where(self) -> dict[str, str]:
        here = {"person": str(await self.id())}
        return here if self._bot is None else {**here, "bot": str(self._bot)}
