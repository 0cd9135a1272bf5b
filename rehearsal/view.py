"""A chat as its person sees it: what the page draws and the driver looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rehearsal.botapi import Json
    from rehearsal.world import Bot, ChatState, World

POPUPS_SHOWN = 20


def chat_view(world: World, bot: Bot, chat: ChatState) -> Json:
    """Return everything on the screen. `unheard` counts updates that the bot has not acknowledged."""
    doing = chat.action[0] if chat.action and chat.action[1] > world.clock.now() else None
    person = chat.person
    lanes = (f"chat:{person.id}", f"callback:{person.id}")
    return {
        "version": chat.version,
        "person": {"id": person.id, "name": person.name, "language": person.language},
        "bot": bot_view(bot, person.language),
        "now": world.clock.date(),
        "started": chat.started,
        "blocked": chat.blocked,
        "doing": doing,
        "unheard": sum(map(bot.queue.unheard, lanes)),
        "messages": sorted(chat.messages.values(), key=lambda message: int(message["message_id"])),
        "popups": chat.popups[-POPUPS_SHOWN:],
        "popups_seen": len(chat.popups),
        "reply_keyboard": chat.reply_keyboard,
        "menu": _menu(bot, chat),
    }


def bot_view(bot: Bot, language: str) -> Json:
    """Return what is public about a bot, in the person's language where it has one."""

    def text(texts: dict[str, str]) -> str:
        return texts.get(language) or texts.get("", "")

    return {
        "id": bot.id,
        "username": bot.username,
        "name": bot.names.get(language) or bot.name,
        "description": text(bot.descriptions),
        "about": text(bot.short_descriptions),
    }


def _menu(bot: Bot, chat: ChatState) -> list[Json]:
    """Return the commands: the nearest scope wins, the person's language before the one for all."""
    scopes = (f"chat:{chat.person.id}", "all_private_chats:", "default:")
    for scope in scopes:
        for language in (chat.person.language, ""):
            commands = bot.commands.get(f"{scope}:{language}")
            if commands:
                return commands
    return []
