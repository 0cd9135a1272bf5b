"""A whole interview, durable, beside aiogram's in-memory FSM on the same updates and the same Bot API calls.

Both run alone in a process of their own (`python -m benchmarks.interview ours|aiogram`), in turn; the figure is
updates a second, the ratio ours / aiogram. Each side decodes the raw update, finds its handler, keeps the answer,
edits one card, deletes the person's message or ends the tap; ours also commits each update to PostgreSQL with fsync
on, seals the draft, and at the end seals and submits the report.
"""

import asyncio
import itertools
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop
from aiogram import Bot, Dispatcher, Router
from aiogram.client.telegram import TelegramAPIServer
from aiogram.fsm.context import FSMContext
from aiogram.fsm.storage.memory import MemoryStorage, SimpleEventIsolation
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message, Update

from benchmarks import canned
from benchmarks.line import line

CHATS, AT_ONCE = 300, 64
# What a person does: a text, or the label of the button that is tapped.
STORY: list[tuple[str, str]] = [
    ("text", "/start"), ("tap", "English"), ("tap", "Yes, let us begin. I am 18 or older"),
    ("tap", "My family, or in my care"), ("tap", "I do not know where"), ("text", "Olena Vyhadana"), ("tap", "8"),
    ("tap", "Girl"), ("text", "Qwzx 9"), ("text", "autumn 2022"), ("tap", "Skip"),
    ("tap", "Yes"), ("tap", "Only the UN and the ICC"), ("tap", "Yes, only I see this phone"),
    ("tap", "No, I will look myself"), ("tap", "Send"),
]  # fmt: skip
ROUNDS = 3


def run() -> dict[str, float]:
    """Prints the figures of both sides; returns the median ratio under "ratio"."""
    ratios = []
    cards = _in_a_process("record")
    for _ in range(ROUNDS):
        figures = {side: float(_in_a_process(side, cards)) for side in ("aiogram", "ours")}
        ratios.append(figures["ours"] / figures["aiogram"])
        print(
            f"  interview, {CHATS} people, {AT_ONCE} at once: in-memory FSM {figures['aiogram']:7.0f} updates/s,"
            f" ours durable {figures['ours']:7.0f} updates/s, ratio {ratios[-1]:.2f}"
        )
    ratio = sorted(ratios)[ROUNDS // 2]
    print(f"  median ratio {ratio:.2f} (to reach: 0.40)")
    return {"ratio": ratio}


def _in_a_process(side: str, cards: str = "") -> str:
    command = [sys.executable, "-m", "benchmarks.interview", side]
    return subprocess.run(command, check=True, capture_output=True, text=True, input=cards).stdout


async def _drive(take: Any, session: Any, chats: int = CHATS) -> float:
    """Plays the story in every chat, `AT_ONCE` side by side; updates a second, until the last card is shown."""
    numbers = itertools.count(1)
    people_left = iter(range(1, chats + 1))

    async def people() -> None:
        for chat in people_left:
            for kind, what in STORY:
                session.changed(chat).clear()
                number = next(numbers)
                if kind == "text":
                    await take(canned.message(number, chat, what))
                else:
                    data = await session.button(chat, what)
                    await take(canned.tap(number, chat, session.standing[chat], data))
                await session.changed(chat).wait()

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(people())
    return chats * len(STORY) / (time.perf_counter() - started)


async def _aiogram(base_url: str) -> float:
    session = canned.Watched(api=TelegramAPIServer.from_base(base_url))
    bot = Bot("1:AAA", session=session)

    cards = json.load(sys.stdin)

    def card(step: int) -> tuple[str, InlineKeyboardMarkup | None]:
        """The same words and buttons as ours showed at this step."""
        text, rows = cards[step - 1]
        if not rows:
            return text, None
        keyboard = InlineKeyboardMarkup(
            inline_keyboard=[[InlineKeyboardButton(text=t, callback_data=d) for t, d in row] for row in rows]
        )
        return text, keyboard

    async def answered(state: FSMContext, chat: int, answer: str) -> None:
        data = await state.get_data()
        step = data.get("step", 0) + 1
        text, keyboard = card(step)
        if step == 1:
            sent = await bot.send_message(chat, text, reply_markup=keyboard)
            data["card"] = sent.message_id
        else:
            await bot.edit_message_text(
                text=text, chat_id=chat, message_id=data["card"], reply_markup=keyboard
            )
        if step == len(STORY):  # after the receipt, the card that stands below it
            await bot.send_message(chat, cards[step][0])
        await state.set_state(f"step:{step}")
        await state.update_data({**data, "step": step, f"answer{step}": answer})

    router = Router()

    @router.callback_query()
    async def tapped(query: CallbackQuery, state: FSMContext) -> None:
        await answered(state, query.from_user.id, query.data or "")
        await bot.answer_callback_query(query.id)

    @router.message()
    async def said(message: Message, state: FSMContext) -> None:
        await answered(state, message.chat.id, message.text or "")
        await bot.delete_message(message.chat.id, message.message_id)

    dispatcher = Dispatcher(storage=MemoryStorage(), events_isolation=SimpleEventIsolation())
    dispatcher.include_router(router)

    async def take(raw: dict[str, Any]) -> None:
        await dispatcher.feed_update(bot, Update.model_validate(raw, context={"bot": bot}))

    try:
        return await _drive(take, session)
    finally:
        await session.close()


async def _ours(base_url: str) -> float:
    session = canned.Watched(api=TelegramAPIServer.from_base(base_url))
    with tempfile.TemporaryDirectory() as folder:
        async with line(Path(folder), session=session) as app:
            figure = await _drive(app.updates.take, session)
            await app.updates.idle()
            kept = await app.intake.connections.fetchval("SELECT count(id) FROM reports")
            if kept != CHATS:
                raise SystemExit(f"{CHATS} people sent, {kept} reports are kept")
            return figure


async def _record(base_url: str) -> str:
    """The cards that one person sees, in order, as JSON: what the in-memory side shows too."""
    session = canned.Watched(api=TelegramAPIServer.from_base(base_url))
    with tempfile.TemporaryDirectory() as folder:
        async with line(Path(folder), session=session) as app:
            await _drive(app.updates.take, session, chats=1)
            await app.updates.idle()
    return json.dumps(session.shown)


if __name__ == "__main__":
    side = {"ours": _ours, "aiogram": _aiogram, "record": _record}[sys.argv[1]]
    with canned.serving() as base_url:
        print(uvloop.run(side(base_url)))  # type: ignore[arg-type]  # each prints what it returns
