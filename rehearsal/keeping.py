"""The state between runs: one JSON file and the files' bytes, in a folder only its owner can read.

Every write is whole or not at all: a new file is written beside and renamed. Tokens are not in it; a bot
finds its chats again by its id. What tests look at (versions, calls) is not kept.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rehearsal.errors import StateError
from rehearsal.files import StoredFile
from rehearsal.world import Callback, ChatState, Person, Webhook

if TYPE_CHECKING:
    from pathlib import Path

    from rehearsal.botapi import Json
    from rehearsal.world import Bot, World

FORMAT = 1
PLAIN = ("names", "descriptions", "short_descriptions", "commands", "menu_button", "next_message")


def save(world: World, folder: Path) -> None:
    """Write everything. Bytes of files that are there already are not written again."""
    contents = folder / "files"
    contents.mkdir(mode=0o700, parents=True, exist_ok=True)
    for stored in world.files.by_id.values():
        target = contents / stored.unique_id
        if stored.content is not None and not target.exists():
            _replace(target, stored.content)
    state = {
        "format": FORMAT,
        "ahead_s": world.clock.ahead_s,
        "persons": [
            [person.id, person.name, person.language, person.username] for person in world.persons.values()
        ],
        "files": [
            [
                stored.file_id,
                stored.unique_id,
                stored.kind,
                stored.size,
                stored.mime,
                stored.number,
                stored.ending,
                world.files.contents.get(stored.file_id),
                stored.content is not None,
            ]
            for stored in world.files.by_id.values()
        ],
        "bots": {bot.id: _bot_to_json(bot) for bot in world.bots.values()},
    }
    _replace(folder / "state.json", json.dumps(state).encode())


def load(world: World, folder: Path) -> None:
    """Take up an earlier run, if there was one. Raises StateError when it cannot be read."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    source = folder / "state.json"
    if not source.exists():
        return
    try:
        state = json.loads(source.read_bytes())
        if state["format"] != FORMAT:
            raise StateError(f"{source} is of another version; move the folder away to begin anew")
        _restore(world, state, folder / "files")
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise StateError(f"{source} cannot be read ({type(error).__name__}); move the folder away") from error


def _restore(world: World, state: Json, contents: Path) -> None:
    world.clock.advance(state["ahead_s"])
    for row in state["persons"]:
        world.persons[row[0]] = Person(*row)
    for file_id, unique_id, kind, size, mime, number, ending, holding, kept in state["files"]:
        content = (contents / unique_id).read_bytes() if kept else None
        world.files.restore(StoredFile(file_id, unique_id, kind, size, mime, content, number, ending))
        if holding:
            world.files.contents[file_id] = holding
    for bot_id, kept_bot in state["bots"].items():
        bot = world.bots.get(int(bot_id))
        if bot:
            _restore_bot(world, bot, kept_bot)


def _bot_to_json(bot: Bot) -> Json:
    hook = bot.webhook
    kept: Json = {name: getattr(bot, name) for name in PLAIN}
    kept["queue"] = bot.queue.to_json()
    kept["webhook"] = [hook.url, hook.secret, hook.max_connections, hook.certificate] if hook else None
    kept["callbacks"] = [[query, asked.person, asked.asked] for query, asked in bot.callbacks.items()]
    kept["chats"] = [
        [
            chat.person.id,
            chat.instance,
            chat.started,
            chat.blocked,
            list(chat.messages.values()),
            chat.reply_keyboard,
            chat.menu_button,
        ]
        for chat in bot.chats.values()
    ]
    return kept


def _restore_bot(world: World, bot: Bot, kept: Json) -> None:
    for name in PLAIN:
        setattr(bot, name, kept[name])
    bot.queue.restore(kept["queue"])
    bot.webhook = Webhook(*kept["webhook"]) if kept["webhook"] else None
    for query, person, asked in kept["callbacks"]:
        bot.callbacks[query] = Callback(person, asked)
    for person, instance, started, blocked, messages, keyboard, menu in kept["chats"]:
        chat = ChatState(world.persons[person], instance, started, blocked)
        chat.messages = {message["message_id"]: message for message in messages}
        chat.versions = list(messages)
        chat.reply_keyboard, chat.menu_button = keyboard, menu
        bot.chats[person] = chat


def _replace(target: Path, content: bytes) -> None:
    beside: Any = target.with_name(target.name + ".new")
    beside.write_bytes(content)
    beside.replace(target)
