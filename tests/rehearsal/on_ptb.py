"""The contract's bot on python-telegram-bot, by polling and by webhook."""

from __future__ import annotations

import datetime as dt
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto, Update
from telegram.error import BadRequest, Conflict, RetryAfter
from telegram.ext import Application, CallbackQueryHandler, ContextTypes, Defaults, MessageHandler, filters

from rehearsal.webhook import SECRET_HEADER
from tests.rehearsal.stories import FileTooBigError, NotModifiedError, StoryBot, TooManyRequestsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SECRET = "ptb-secret"
Context = ContextTypes.DEFAULT_TYPE


class PtbChat:
    def __init__(self, bot: Bot, chat: int) -> None:
        self._bot = bot
        self._chat = chat

    async def send(self, text: str, buttons: dict[str, str] | None = None) -> int:
        try:
            sent = await self._bot.send_message(self._chat, text, reply_markup=keyboard(buttons))
        except RetryAfter as error:
            raise TooManyRequestsError(seconds_of(error.retry_after)) from error
        return sent.message_id

    async def edit(self, message: int, text: str, buttons: dict[str, str] | None = None) -> None:
        try:
            await self._bot.edit_message_text(text, self._chat, message, reply_markup=keyboard(buttons))
        except BadRequest as error:
            raise NotModifiedError if "Message is not modified" in error.message else error from error

    async def delete(self, messages: list[int]) -> None:
        await self._bot.delete_messages(self._chat, messages)

    async def download(self, file_id: str) -> bytes:
        try:
            file = await self._bot.get_file(file_id)
        except BadRequest as error:
            raise FileTooBigError if "File is too big" in error.message else error from error
        return bytes(await file.download_as_bytearray())

    async def send_photo(self, content: bytes, caption: str) -> None:
        await self._bot.send_photo(self._chat, content, caption=caption)

    async def send_document(self, content: bytes, name: str) -> None:
        await self._bot.send_document(self._chat, content, filename=name)

    async def send_album(self, file_ids: list[str], upload: bytes) -> None:
        known = [InputMediaPhoto(file_id) for file_id in file_ids]
        new = InputMediaPhoto(upload, caption="<i>new</i>", has_spoiler=True)
        await self._bot.send_media_group(self._chat, [new, *known])

    async def answer_tap(self, query: str, text: str) -> None:
        await self._bot.answer_callback_query(query, text)


def seconds_of(wait: int | dt.timedelta) -> int:
    return int(wait.total_seconds()) if isinstance(wait, dt.timedelta) else wait


def keyboard(buttons: dict[str, str] | None) -> InlineKeyboardMarkup | None:
    if not buttons:
        return None
    row = [InlineKeyboardButton(text, callback_data=data) for text, data in buttons.items()]
    return InlineKeyboardMarkup([row])


def application(
    url: str, token: str, story: StoryBot, *, polls: bool
) -> Application[Any, Any, Any, Any, Any, Any]:
    async def message(update: Update, context: Context) -> None:
        said = update.effective_message
        assert said
        chat = PtbChat(context.bot, said.chat.id)
        if update.edited_message:
            await story.edited(chat, said.text or "")
        elif said.photo:
            await story.photo(chat, said.photo[-1].file_id, said.media_group_id)
        elif said.document:
            await story.document(chat, said.document.file_id, said.document.file_name or "")
        else:
            await story.text(chat, said.message_id, said.text or "")

    async def tapped(update: Update, context: Context) -> None:
        query = update.callback_query
        assert query
        assert query.message
        assert query.data
        chat = PtbChat(context.bot, query.message.chat.id)
        await story.tapped(chat, query.id, query.message.message_id, query.data)

    builder = Application.builder().token(token).base_url(f"{url}/bot").base_file_url(f"{url}/file/bot")
    builder = builder.defaults(Defaults(parse_mode="HTML"))
    made = builder.build() if polls else builder.updater(None).build()
    made.add_handler(CallbackQueryHandler(tapped))
    made.add_handler(MessageHandler(filters.ALL, message))
    return made


@asynccontextmanager
async def polling(url: str, token: str) -> AsyncIterator[None]:
    made = application(url, token, StoryBot(), polls=True)
    assert made.updater
    async with made:
        await made.start()
        await made.updater.start_polling()
        try:
            yield
        finally:
            await made.updater.stop()
            await made.stop()


@asynccontextmanager
async def webhook(url: str, token: str) -> AsyncIterator[None]:
    made = application(url, token, StoryBot(), polls=False)

    async def take(request: web.Request) -> web.Response:
        assert request.headers[SECRET_HEADER] == SECRET
        await made.process_update(Update.de_json(await request.json(), made.bot))
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with made:
        try:
            await made.bot.set_webhook(f"http://127.0.0.1:{runner.addresses[0][1]}/hook", secret_token=SECRET)
            yield
            await made.bot.delete_webhook()
        finally:
            await runner.cleanup()


async def poll_conflicts(url: str, token: str) -> bool:
    """Tell whether the library understands the 409 of a poll while a webhook is set."""
    async with Bot(token, base_url=f"{url}/bot") as bot:
        try:
            await bot.get_updates()
        except Conflict:
            return True
    return False
