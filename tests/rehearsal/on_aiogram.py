"""The contract's bot on aiogram, by polling and by webhook."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from aiogram import Bot, Dispatcher, F
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest, TelegramConflictError, TelegramRetryAfter
from aiogram.types import (
    BufferedInputFile,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    Message,
)
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web

from tests.rehearsal.stories import FileTooBigError, NotModifiedError, StoryBot, TooManyRequestsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SECRET = "aiogram-secret"


class AiogramChat:
    def __init__(self, bot: Bot, chat: int) -> None:
        self._bot = bot
        self._chat = chat

    async def send(self, text: str, buttons: dict[str, str] | None = None) -> int:
        try:
            sent = await self._bot.send_message(self._chat, text, reply_markup=keyboard(buttons))
        except TelegramRetryAfter as error:
            raise TooManyRequestsError(error.retry_after) from error
        return sent.message_id

    async def edit(self, message: int, text: str, buttons: dict[str, str] | None = None) -> None:
        try:
            await self._bot.edit_message_text(
                text, chat_id=self._chat, message_id=message, reply_markup=keyboard(buttons)
            )
        except TelegramBadRequest as error:
            raise NotModifiedError if "message is not modified" in error.message else error from error

    async def delete(self, messages: list[int]) -> None:
        await self._bot.delete_messages(self._chat, messages)

    async def download(self, file_id: str) -> bytes:
        try:
            file = await self._bot.get_file(file_id)
        except TelegramBadRequest as error:
            raise FileTooBigError if "file is too big" in error.message else error from error
        assert file.file_path
        content = await self._bot.download_file(file.file_path)
        assert content
        return content.read()

    async def send_photo(self, content: bytes, caption: str) -> None:
        await self._bot.send_photo(self._chat, BufferedInputFile(content, "a.jpg"), caption=caption)

    async def send_document(self, content: bytes, name: str) -> None:
        await self._bot.send_document(self._chat, BufferedInputFile(content, name))

    async def send_album(self, file_ids: list[str], upload: bytes) -> None:
        known = [InputMediaPhoto(media=file_id) for file_id in file_ids]
        new = InputMediaPhoto(
            media=BufferedInputFile(upload, "b.jpg"), caption="<i>new</i>", has_spoiler=True
        )
        await self._bot.send_media_group(self._chat, [new, *known])

    async def answer_tap(self, query: str, text: str) -> None:
        await self._bot.answer_callback_query(query, text=text)


def keyboard(buttons: dict[str, str] | None) -> InlineKeyboardMarkup | None:
    if not buttons:
        return None
    row = [InlineKeyboardButton(text=text, callback_data=data) for text, data in buttons.items()]
    return InlineKeyboardMarkup(inline_keyboard=[row])


def dispatcher(story: StoryBot) -> Dispatcher:
    made = Dispatcher()

    @made.edited_message()
    async def edited(message: Message, bot: Bot) -> None:
        await story.edited(AiogramChat(bot, message.chat.id), message.text or "")

    @made.callback_query()
    async def tapped(query: CallbackQuery, bot: Bot) -> None:
        assert query.message
        assert query.data
        chat = AiogramChat(bot, query.message.chat.id)
        await story.tapped(chat, query.id, query.message.message_id, query.data)

    @made.message(F.photo)
    async def photo(message: Message, bot: Bot) -> None:
        assert message.photo
        chat = AiogramChat(bot, message.chat.id)
        await story.photo(chat, message.photo[-1].file_id, message.media_group_id)

    @made.message(F.document)
    async def document(message: Message, bot: Bot) -> None:
        assert message.document
        name = message.document.file_name or ""
        await story.document(AiogramChat(bot, message.chat.id), message.document.file_id, name)

    @made.message()
    async def text(message: Message, bot: Bot) -> None:
        await story.text(AiogramChat(bot, message.chat.id), message.message_id, message.text or "")

    return made


def bot_at(url: str, token: str) -> Bot:
    session = AiohttpSession(api=TelegramAPIServer.from_base(url))
    return Bot(token, session=session, default=DefaultBotProperties(parse_mode="HTML"))


@asynccontextmanager
async def polling(url: str, token: str) -> AsyncIterator[None]:
    bot, made = bot_at(url, token), dispatcher(StoryBot())
    running = asyncio.create_task(
        made.start_polling(bot, handle_signals=False, close_bot_session=False, handle_as_tasks=False)
    )
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await bot.session.close()


@asynccontextmanager
async def webhook(url: str, token: str) -> AsyncIterator[None]:
    bot, made = bot_at(url, token), dispatcher(StoryBot())
    app = web.Application()
    handler = SimpleRequestHandler(made, bot, handle_in_background=False, secret_token=SECRET)
    handler.register(app, "/hook")
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        await bot.set_webhook(f"http://127.0.0.1:{runner.addresses[0][1]}/hook", secret_token=SECRET)
        yield
        await bot.delete_webhook()
    finally:
        await runner.cleanup()
        await bot.session.close()


async def poll_conflicts(url: str, token: str) -> bool:
    """Tell whether the library understands the 409 of a poll while a webhook is set."""
    bot = bot_at(url, token)
    try:
        await bot.get_updates()
    except TelegramConflictError:
        return True
    finally:
        await bot.session.close()
    return False
