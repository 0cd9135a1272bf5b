"""The acts of a person as the page and the driver ask for them: {"act": "say", "text": "Hello"}.

Files are uploaded first and named by their upload keys. A wrong request is an ActError, which says what is
wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rehearsal import contents
from rehearsal.contents import Manner
from rehearsal.errors import ActError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rehearsal.acts import Acts
    from rehearsal.botapi import Json
    from rehearsal.world import Bot, ChatState

FILE_KINDS = frozenset({"document", "video", "audio", "video_note", "animation"})


@dataclass
class Asked:
    """One asked act, and what it may use."""

    acts: Acts
    bot: Bot
    chat: ChatState
    given: Json
    uploads: dict[str, bytes]

    def manner(self) -> Manner:
        """Return how it is sent: {"reply_to", "quote", "forward": {"kind", "name", …}, "group"}."""
        forward = self.get("forward")
        origin = contents.origin(self.acts.world, dict(forward)) if forward else None
        return Manner(self.get("reply_to"), str(self.get("quote") or ""), origin, self.get("group"))

    def links(self) -> list[tuple[str, str]]:
        """Return the words of a text that lead to addresses: [[words, url], …]."""
        return [(str(words), str(url)) for words, url in self.get("links") or []]

    def send(self, content: Json) -> list[Json]:
        """Send what `rehearsal.contents` made."""
        return self.acts.send(self.bot, self.chat, content, self.manner())

    def get(self, name: str, otherwise: Any = None) -> Any:
        """Return a field of the request."""
        return self.given.get(name, otherwise)

    def upload(self, key: str | None) -> bytes | None:
        """Take an upload; it can be used once."""
        return None if key is None else self.uploads.pop(key)


async def perform(asked: Asked) -> Any:
    """Do it and return what the app would show. Raises ActError."""
    act = ACTS.get(asked.get("act", ""))
    if act is None:
        raise ActError("no such act")
    try:
        return await act(asked)
    except (KeyError, TypeError, ValueError) as error:
        raise ActError(f"this act needs other fields: {type(error).__name__} {error}") from None


async def _say(asked: Asked) -> Any:
    return asked.acts.say(asked.bot, asked.chat, asked.given["text"], asked.manner(), asked.links())


async def _photos(asked: Asked) -> Any:
    pictures = [asked.upload(key) for key in asked.given["uploads"]]
    return await asked.acts.photos(
        asked.bot,
        asked.chat,
        pictures,
        asked.get("caption", ""),
        spoiler=bool(asked.get("spoiler")),
        manner=asked.manner(),
    )


async def _files(asked: Asked) -> Any:
    kind = _file_kind(asked.get("kind", "document"))
    files = [(str(name), asked.uploads.pop(key)) for name, key in asked.given["files"]]
    return asked.acts.files(asked.bot, asked.chat, files, asked.get("caption", ""), kind, asked.manner())


async def _album(asked: Asked) -> Any:
    items = [
        (kind if kind == "photo" else _file_kind(kind), str(name), asked.upload(key))
        for kind, name, key in asked.given["items"]
    ]
    return await asked.acts.album(asked.bot, asked.chat, items, asked.get("caption", ""), asked.manner())


def _file_kind(kind: str) -> str:
    if kind not in FILE_KINDS:
        raise ActError(f"a file is one of {', '.join(sorted(FILE_KINDS))}")
    return kind


async def _big_file(asked: Asked) -> Any:
    size = int(asked.get("size", 25 * 1024 * 1024))
    return asked.acts.big_file(
        asked.bot, asked.chat, str(asked.given["name"]), size, asked.get("caption", "")
    )


async def _voice(asked: Asked) -> Any:
    seconds, mime = int(asked.get("seconds", 3)), str(asked.get("mime", ""))
    content = asked.upload(asked.get("upload"))
    return asked.acts.voice(asked.bot, asked.chat, content, seconds, mime, asked.manner())


async def _location(asked: Asked) -> Any:
    live = asked.get("live_period")
    return asked.send(contents.location(*_point(asked), int(live) if live else None))


async def _venue(asked: Asked) -> Any:
    return asked.send(
        contents.venue(*_point(asked), str(asked.given["title"]), str(asked.get("address", "")))
    )


async def _move(asked: Asked) -> Any:
    return asked.acts.move(asked.bot, asked.chat, int(asked.given["message"]), *_point(asked))


def _point(asked: Asked) -> tuple[float, float]:
    return float(asked.given["latitude"]), float(asked.given["longitude"])


async def _sticker(asked: Asked) -> Any:
    return asked.acts.sticker(asked.bot, asked.chat)


async def _poll(asked: Asked) -> Any:
    given = asked.given
    return asked.send(contents.poll(asked.acts.world, str(given["question"]), list(given["options"])))


async def _dice(asked: Asked) -> Any:
    return asked.send(contents.dice(asked.acts.world, asked.get("emoji", "🎲")))


async def _story(asked: Asked) -> Any:
    return asked.send(contents.story(asked.acts.world, str(asked.get("name", "Somebody"))))


async def _contact(asked: Asked) -> Any:
    given = asked.given
    more = str(asked.get("last_name", "")), str(asked.get("vcard", ""))
    return asked.send(contents.contact(str(given["phone"]), str(given["name"]), *more))


async def _pin(asked: Asked) -> Any:
    return asked.acts.pin(asked.bot, asked.chat, int(asked.given["message"]))


async def _timer(asked: Asked) -> Any:
    return asked.acts.timer(asked.bot, asked.chat, int(asked.given["seconds"]))


async def _raw(asked: Asked) -> Any:
    return asked.acts.raw(asked.bot, asked.chat, dict(asked.given["update"]))


async def _edit(asked: Asked) -> Any:
    message, text = int(asked.given["message"]), asked.given["text"]
    return asked.acts.edit(asked.bot, asked.chat, message, text, asked.links())


async def _replace(asked: Asked) -> Any:
    picture = asked.upload(asked.get("upload"))
    return await asked.acts.replace(asked.bot, asked.chat, int(asked.given["message"]), picture)


async def _delete(asked: Asked) -> Any:
    return asked.acts.delete(asked.chat, int(asked.given["message"]))


async def _clear(asked: Asked) -> Any:
    return asked.acts.clear(asked.chat)


async def _tap(asked: Asked) -> Any:
    return asked.acts.tap(asked.bot, asked.chat, int(asked.given["message"]), dict(asked.given["button"]))


async def _block(asked: Asked) -> Any:
    return asked.acts.block(asked.bot, asked.chat, blocked=bool(asked.given["blocked"]))


ACTS: dict[str, Callable[[Asked], Awaitable[Any]]] = {
    "say": _say,
    "photos": _photos,
    "files": _files,
    "album": _album,
    "big_file": _big_file,
    "voice": _voice,
    "location": _location,
    "venue": _venue,
    "move": _move,
    "sticker": _sticker,
    "poll": _poll,
    "dice": _dice,
    "story": _story,
    "contact": _contact,
    "pin": _pin,
    "timer": _timer,
    "raw": _raw,
    "edit": _edit,
    "replace": _replace,
    "delete": _delete,
    "clear": _clear,
    "tap": _tap,
    "block": _block,
}
