"""Long polling: an offset is confirmed only when every update before it is committed.

Updates of one chat are taken in their order, chats side by side. While the database is away the same batch
is held and tried again; Telegram keeps the rest.
"""

import asyncio
from typing import Any

import aiohttp
import structlog
from aiogram import Bot

from bot.telegram import TelegramAwayError, get_updates
from bot.updates import ALLOWED, DatabaseAwayError, Updates, sender_of

log = structlog.get_logger()

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 5.0


async def poll(bot: Bot, updates: Updates) -> None:
    """Polls until cancelled."""
    offset = 0
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                batch = await get_updates(session, bot, offset=offset, allowed=ALLOWED)
            except TelegramAwayError as away:
                log.warning("telegram_away", status=away.status)
                await asyncio.sleep(away.retry_after)
                continue
            await take_all(updates, batch)
            if batch:
                offset = max(update["update_id"] for update in batch) + 1


async def take_all(updates: Updates, batch: list[dict[str, Any]]) -> None:
    """Returns when every update of the batch is committed."""
    chats: dict[int | None, list[dict[str, Any]]] = {}
    for update in batch:
        sender = sender_of(update)
        chats.setdefault(sender.chat if sender else None, []).append(update)
    async with asyncio.TaskGroup() as group:
        for queue in chats.values():
            group.create_task(_take_in_order(updates, queue))


async def _take_in_order(updates: Updates, queue: list[dict[str, Any]]) -> None:
    for update in queue:
        pause = _FIRST_PAUSE_S
        while True:
            try:
                await updates.take(update)
                break
            except DatabaseAwayError:
                log.warning("database_away")
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
