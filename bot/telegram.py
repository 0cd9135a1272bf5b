"""Telegram as the bot reaches it: the Bot API at a base URL of the settings, and updates taken raw.

aiogram's own polling decodes a whole batch before anyone can fence it, so `get_updates` asks for JSON itself.
"""

from typing import Any

import aiohttp
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.methods import Response
from aiogram.types import File, LinkPreviewOptions, Message

POLL_S = 25
# aiogram decodes each answer as a generic of its result, which pydantic forgets and builds again (5 ms) unless
# somebody holds on to it.
_ANSWERS = (Response[bool], Response[Message], Response[Message | bool], Response[File])


class TelegramAwayError(Exception):
    """Telegram did not answer as expected; `status` is HTTP's, 0 for none. Try again after `retry_after` s."""

    def __init__(self, status: int, retry_after: float = 1.0) -> None:
        super().__init__(f"Telegram answered {status}")
        self.status = status
        self.retry_after = retry_after


def connect(token: str, base_url: str) -> Bot:
    """Aiogram's Bot on that Bot API server. Texts are HTML; previews are off; our messages are not forwarded."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(base_url.rstrip("/")))
    return Bot(
        token,
        session=session,
        default=DefaultBotProperties(
            parse_mode=ParseMode.HTML, link_preview=LinkPreviewOptions(is_disabled=True), protect_content=True
        ),
    )


async def get_updates(
    session: aiohttp.ClientSession, bot: Bot, *, offset: int, allowed: list[str], timeout_s: int = POLL_S
) -> list[dict[str, Any]]:
    """The next updates, undecoded. `offset` confirms all before it: pass it only when they are committed."""
    url = bot.session.api.api_url(token=bot.token, method="getUpdates")
    question = {"offset": offset, "timeout": timeout_s, "limit": 100, "allowed_updates": allowed}
    try:
        async with session.post(
            url, json=question, timeout=aiohttp.ClientTimeout(total=timeout_s + 15)
        ) as answer:
            body = await answer.json(content_type=None)
            if answer.status != 200 or not isinstance(body, dict) or not body.get("ok"):  # noqa: PLR2004 -- HTTP OK
                retry_after = (
                    (body or {}).get("parameters", {}).get("retry_after", 1) if isinstance(body, dict) else 1
                )
                raise TelegramAwayError(answer.status, float(retry_after))
            return [
                update
                for update in body["result"]
                if isinstance(update, dict) and isinstance(update.get("update_id"), int)
            ]
    except (aiohttp.ClientError, TimeoutError, ValueError):
        # Without its cause: an aiohttp error quotes the URL, and the URL holds the token.
        raise TelegramAwayError(0) from None
