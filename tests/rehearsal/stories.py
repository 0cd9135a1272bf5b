"""The bot of the contract tests, told once: what each library must be able to do with the rehearsal server.

A library's adapter gives it `Chat` to act with and calls the five things that can happen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

FIRST_CARD = "<b>First</b> card"
BUTTONS = {"Next": "1:next", "Stay": "1:stay"}
LONG_WAIT_S = 7


class TooManyRequestsError(Exception):
    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


class FileTooBigError(Exception):
    pass


class NotModifiedError(Exception):
    pass


class Chat(Protocol):
    """What a library does in one chat, with its own errors turned into those above."""

    async def send(self, text: str, buttons: dict[str, str] | None = None) -> int: ...
    async def edit(self, message: int, text: str, buttons: dict[str, str] | None = None) -> None: ...
    async def delete(self, messages: list[int]) -> None: ...
    async def download(self, file_id: str) -> bytes: ...
    async def send_photo(self, content: bytes, caption: str) -> None: ...
    async def send_document(self, content: bytes, name: str) -> None: ...
    async def send_album(self, file_ids: list[str], upload: bytes) -> None: ...
    async def answer_tap(self, query: str, text: str) -> None: ...


@dataclass
class StoryBot:
    """The bot itself, in no library's words."""

    album: list[str] = field(default_factory=list)
    written: list[int] = field(default_factory=list)

    async def text(self, chat: Chat, message: int, text: str) -> None:
        self.written.append(message)
        if text == "/start":
            await chat.send(FIRST_CARD, BUTTONS)
        elif text == "delete":
            await chat.delete(self.written)
        elif text == "album":
            await chat.send_album(self.album, await chat.download(self.album[0]))
        else:
            try:
                await chat.send(f"heard {text}")
            except TooManyRequestsError as error:
                await chat.send(f"wait {error.retry_after_s} s")

    async def edited(self, chat: Chat, text: str) -> None:
        await chat.send(f"now {text}")

    async def tapped(self, chat: Chat, query: str, message: int, data: str) -> None:
        if data == "1:stay":
            try:
                await chat.edit(message, FIRST_CARD, BUTTONS)
            except NotModifiedError:
                await chat.answer_tap(query, "Nothing changed")
        else:
            await chat.answer_tap(query, "Going on")
            await chat.edit(message, "Second card")

    async def photo(self, chat: Chat, file_id: str, album: str | None) -> None:
        if album:
            self.album.append(file_id)
            await chat.send(f"{len(self.album)} photos")
        else:
            content = await chat.download(file_id)
            await chat.send_photo(content, f"{len(content)} bytes")

    async def document(self, chat: Chat, file_id: str, name: str) -> None:
        try:
            content = await chat.download(file_id)
        except FileTooBigError:
            await chat.send("too big")
        else:
            await chat.send_document(content, name)
