"""Methods about the bot itself: who it is, what it says of itself, its commands; and about the person."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rehearsal.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rehearsal.botapi import Json
    from rehearsal.methods.calls import Call
    from rehearsal.world import Bot

COMMAND = re.compile("[a-z0-9_]{1,32}")
COMMANDS_MOST = 100
COMMAND_TEXT_MOST = 256
LOGGED_OUT_S = 600
LANGUAGE = re.compile("(?:[a-z]{2})?")


async def get_me(call: Call) -> Json:
    """Tell who the bot is."""
    return {
        **call.bot.user(),
        "can_join_groups": False,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": False,
    }


def text_setter(
    parameter: str, most: int, texts: Callable[[Bot], dict[str, str]]
) -> Callable[[Call], Awaitable[bool]]:
    """Make the method that sets one text of the bot, per language, of `most` characters."""

    async def set_text(call: Call) -> bool:
        text = call.get(parameter, "")
        if len(text) > most:
            raise bad_request(f"bot {parameter.replace('_', ' ')} is too long")
        texts(call.bot)[_language(call)] = text
        for chat in call.bot.chats.values():
            chat.changed()
        return True

    return set_text


def text_getter(parameter: str, texts: Callable[[Bot], dict[str, str]]) -> Callable[[Call], Awaitable[Json]]:
    """Make the method that reads one text of the bot, by language, else the one for all."""

    async def get_text(call: Call) -> Json:
        known = texts(call.bot)
        return {parameter: known.get(_language(call)) or known.get("") or _unset(call, parameter)}

    return get_text


def _unset(call: Call, parameter: str) -> str:
    return call.bot.name if parameter == "name" else ""


async def set_my_commands(call: Call) -> bool:
    """Set the list behind the menu button, per scope and language."""
    commands = call.params["commands"]
    if len(commands) > COMMANDS_MOST:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not COMMAND.fullmatch(command["command"].removeprefix("/")):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(command["description"]) <= COMMAND_TEXT_MOST:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    call.bot.commands[_scope(call)] = [
        {**command, "command": command["command"].removeprefix("/")} for command in commands
    ]
    return True


async def get_my_commands(call: Call) -> list[Json]:
    """Return the commands of exactly this scope and language."""
    return call.bot.commands.get(_scope(call), [])


async def delete_my_commands(call: Call) -> bool:
    """Forget the commands of this scope and language."""
    call.bot.commands.pop(_scope(call), None)
    return True


async def set_chat_menu_button(call: Call) -> bool:
    """Set the button beside the text field, for one chat or all."""
    button = call.get("menu_button", {"type": "default"})
    if "chat_id" in call.params:
        call.chat().menu_button = button
    else:
        call.bot.menu_button = button
    return True


async def get_chat_menu_button(call: Call) -> Json:
    """Return the button beside the text field."""
    own = call.chat().menu_button if "chat_id" in call.params else None
    return own or call.bot.menu_button


async def get_chat(call: Call) -> Json:
    """Tell about the person of a private chat."""
    chat = call.chat()
    accepted = (
        "unlimited_gifts",
        "limited_gifts",
        "unique_gifts",
        "premium_subscription",
        "gifts_from_channels",
    )
    return {
        **chat.person.chat(),
        "accent_color_id": chat.person.id % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(accepted, False),
    }


async def log_out(call: Call) -> bool:
    """Leave the cloud server: nothing is served for ten minutes."""
    call.bot.logged_out_until = call.world.clock.now() + LOGGED_OUT_S
    return True


async def close(call: Call) -> bool:
    """Close the bot's instance before moving it; its webhook goes."""
    call.webhooks.stop(call.bot)
    call.bot.webhook = None
    return True


def _language(call: Call) -> str:
    language: str = call.get("language_code", "")
    if not LANGUAGE.fullmatch(language):
        raise bad_request("invalid language code specified")
    return language


def _scope(call: Call) -> str:
    scope = call.get("scope") or {"type": "default"}
    return f"{scope['type']}:{scope.get('chat_id', '')}:{_language(call)}"
