"""What the bot says of itself before anyone writes: the notice in the empty chat, a short line, five commands.

Telegram keeps them, by language, and lets them be changed only rarely: what already stands is left alone.
"""

from collections.abc import Mapping

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.types import BotCommand

from flows import Text
from handlers.line import FALLBACK
from locales import Texts

log = structlog.get_logger()

COMMANDS = ("start", "hide", "erase", "help", "language")


async def introduce(bot: Bot, texts: Mapping[str, Texts]) -> None:
    """Sets what differs, in each language and for all others; what fails is tried at the next start."""
    try:
        for code, words in (("", texts[FALLBACK]), *texts.items()):
            await _introduce(bot, code, words)
    except AiogramError as error:  # its text may quote what was sent
        log.warning("introduction_failed", error=type(error).__name__)


async def _introduce(bot: Bot, code: str, words: Texts) -> None:
    language = code or None
    description = words.plain(Text("description"))
    if (await bot.get_my_description(language_code=language)).description != description:
        await bot.set_my_description(description, language_code=language)
    short = words.plain(Text("description.short"))
    if (await bot.get_my_short_description(language_code=language)).short_description != short:
        await bot.set_my_short_description(short, language_code=language)
    commands = {name: words.plain(Text(f"command.{name}")) for name in COMMANDS}
    standing = await bot.get_my_commands(language_code=language)
    if {command.command: command.description for command in standing} != commands:
        listed = [BotCommand(command=name, description=said) for name, said in commands.items()]
        await bot.set_my_commands(listed, language_code=language)
