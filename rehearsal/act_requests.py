"""The acts of a person as the page and the driver ask for them: {"act": "say", "text": "Hello"}.

Files are uploaded first and named by their upload keys. A wrong request is an ActError, which says what is
wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rehearsal.errors import ActError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rehearsal.acts import Acts
    from rehearsal.botapi import Json
    from rehearsal.world import Bot, ChatState

FILE_KINDS = frozenset({"document", "video", "audio", "video_note"})


@dataclass
class Asked:
    """One asked act, and what it may use."""

    acts: Acts
    bot: Bot
    chat: ChatState
    given: Json
    uploads: dict[str, bytes]

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
    return asked.acts.say(asked.bot, asked.chat, asked.given["text"], asked.get("reply_to"))


async def _photos(asked: Asked) -> Any:
    pictures = [asked.upload(key) for key in asked.given["uploads"]]
    spoiler = bool(asked.get("spoiler"))
    return await asked.acts.photos(asked.bot, asked.chat, pictures, asked.get("caption", ""), spoiler=spoiler)


async def _files(asked: Asked) -> Any:
    kind = asked.get("kind", "document")
    if kind not in FILE_KINDS:
        raise ActError(f"a file is one of {', '.join(sorted(FILE_KINDS))}")
    files = [(str(name), asked.uploads.pop(key)) for name, key in asked.given["files"]]
    return asked.acts.files(asked.bot, asked.chat, files, asked.get("caption", ""), kind)


async def _big_file(asked: Asked) -> Any:
    size = int(asked.get("size", 25 * 1024 * 1024))
    return asked.acts.big_file(asked.bot, asked.chat, str(asked.given["name"]), size)


async def _voice(asked: Asked) -> Any:
    seconds, mime = int(asked.get("seconds", 3)), str(asked.get("mime", ""))
    return asked.acts.voice(asked.bot, asked.chat, asked.upload(asked.get("upload")), seconds, mime)


async def _location(asked: Asked) -> Any:
    latitude, longitude = float(asked.given["latitude"]), float(asked.given["longitude"])
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):  # noqa: PLR2004 - degrees on Earth
        raise ActError("a point has a latitude of -90 to 90 and a longitude of -180 to 180 degrees")
    return asked.acts.location(asked.bot, asked.chat, latitude, longitude)


async def _sticker(asked: Asked) -> Any:
    return asked.acts.sticker(asked.bot, asked.chat)


async def _poll(asked: Asked) -> Any:
    return asked.acts.poll(asked.bot, asked.chat, asked.given["question"], list(asked.given["options"]))


async def _contact(asked: Asked) -> Any:
    return asked.acts.contact(asked.bot, asked.chat, asked.given["phone"], asked.given["name"])


async def _raw(asked: Asked) -> Any:
    return asked.acts.raw(asked.bot, asked.chat, dict(asked.given["update"]))


async def _edit(asked: Asked) -> Any:
    return asked.acts.edit(asked.bot, asked.chat, int(asked.given["message"]), asked.given["text"])


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
    "big_file": _big_file,
    "voice": _voice,
    "location": _location,
    "sticker": _sticker,
    "poll": _poll,
    "contact": _contact,
    "raw": _raw,
    "edit": _edit,
    "delete": _delete,
    "clear": _clear,
    "tap": _tap,
    "block": _block,
}
