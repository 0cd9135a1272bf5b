"""A Bot API that answers at once, in a process of its own; both sides of a comparison call it over HTTP.

    with serving() as base_url: ...      # python -m benchmarks.canned
    session = Watched(...)               # aiogram's session, which remembers each chat's newest card

It checks nothing: the rehearsal server is for that.
"""

import asyncio
import contextlib
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.methods import EditMessageText, SendMessage, TelegramMethod
from aiogram.types import InlineKeyboardMarkup

NOW = int(time.time())


class _Answers(asyncio.Protocol):
    """Just enough of HTTP/1.1 for aiohttp's client: a request with a length in, a result out."""

    ids = itertools.count(1_000_000)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            self._answer(message=b"/sendmessage" in head.split(b"\r\n", 1)[0])

    def _answer(self, *, message: bool) -> None:
        chat = {"id": 1, "type": "private"}
        result: Any = {"message_id": next(self.ids), "date": NOW, "chat": chat} if message else True
        body = json.dumps({"ok": True, "result": result}).encode()
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            + body
        )


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """The base URL of a server that lives as long as the context."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.canned"], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()


class Watched(AiohttpSession):
    """aiogram's own session; the benchmark's people look at each chat's newest card through it."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.cards: dict[int, InlineKeyboardMarkup | None] = {}
        self.shown: list[Any] = []
        self.standing: dict[int, int] = {}
        self._changed: dict[int, asyncio.Event] = {}

    async def make_request(self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None) -> Any:  # noqa: ASYNC109 -- aiogram's signature
        """Calls, and then says that the card is there."""
        result = await super().make_request(bot, method, timeout)
        if isinstance(method, SendMessage | EditMessageText):
            chat = int(method.chat_id or 0)
            if isinstance(method, SendMessage) and chat not in self.standing:
                self.standing[chat] = result.message_id
            if chat == 1:
                rows = method.reply_markup.inline_keyboard if method.reply_markup else ()
                self.shown.append((method.text, [[(b.text, b.callback_data) for b in row] for row in rows]))
            self.cards[chat] = method.reply_markup  # type: ignore[assignment]
            self.changed(chat).set()
        return result

    def changed(self, chat: int) -> asyncio.Event:
        """Set whenever a new card is shown."""
        return self._changed.setdefault(chat, asyncio.Event())

    async def button(self, chat: int, label: str) -> str:
        """The callback data of a button on the chat's card, as soon as it is there."""
        async with asyncio.timeout(60):
            while True:
                self.changed(chat).clear()
                card = self.cards[chat]
                for row in card.inline_keyboard if card else ():
                    for button in row:
                        if button.text == label:
                            return str(button.callback_data)
                await self.changed(chat).wait()


def message(update_id: int, chat: int, text: str) -> dict[str, Any]:
    """A raw update with a text."""
    person = {"id": chat, "is_bot": False, "first_name": "A", "language_code": "en"}
    return {
        "update_id": update_id,
        "message": {
            "message_id": update_id, "date": NOW, "from": person,
            "chat": {"id": chat, "type": "private", "first_name": "A"}, "text": text,
        },
    }  # fmt: skip


def tap(update_id: int, chat: int, card: int, data: str) -> dict[str, Any]:
    """A raw update with a tap on a button of the card with that message id."""
    person = {"id": chat, "is_bot": False, "first_name": "A", "language_code": "en"}
    return {
        "update_id": update_id,
        "callback_query": {
            "id": str(update_id), "from": person, "chat_instance": "1", "data": data,
            "message": {
                "message_id": card, "date": NOW, "text": "card",
                "chat": {"id": chat, "type": "private", "first_name": "A"},
            },
        },
    }  # fmt: skip


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Answers, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
