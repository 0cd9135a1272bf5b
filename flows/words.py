"""Plain words that must work at any moment: hide, erase, start, in four languages and as commands.

command_of(" Стерти! ") == "erase"
"""

import unicodedata
from typing import Literal

Command = Literal["hide", "erase", "start"]

_LONGEST = 80  # characters; anything longer is a story, not a command

_COMMANDS: dict[str, Command] = {
    "/start": "start",
    "/hide": "hide",
    "/erase": "erase",
    **dict.fromkeys(
        (
            "hide",
            "сховати",
            "сховай",
            "сховайте",
            "приховати",
            "скрыть",
            "скрой",
            "скройте",
            "спрятать",
            "схаваць",
        ),
        "hide",
    ),
    **dict.fromkeys(
        ("erase", "стерти", "зітри", "зітріть", "стереть", "сотри", "сотрите", "сцерці", "сьцерці", "сатры"),
        "erase",
    ),
}


def command_of(text: str) -> Command | None:
    """Say which command a whole message is, if it is one.

    Case, punctuation around it and invisible characters are forgiven; a word inside a sentence is no command.
    """
    if len(text) > _LONGEST:
        return None
    visible = "".join(c for c in text if unicodedata.category(c) not in {"Cf", "Cc"})
    word = unicodedata.normalize("NFC", visible).strip().casefold()
    if word.startswith("/"):
        name = word.split(maxsplit=1)[0].partition("@")[0]
        return _COMMANDS.get(name)
    return _COMMANDS.get(word.strip(" .,!?…«»“”\"'"))
