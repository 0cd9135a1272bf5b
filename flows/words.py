"""Plain words that must work at any moment, as whole messages, in four languages, in surzhyk and trasianka.

    command_of(" Стерти! ") == "erase"     # acts at once
    asked_for("памажыце") == "help"        # shows something, changes nothing

None of them is a return word of any list, and none is a language's name, which is an answer to a question of ours.
That is why «мова», a return word, is not enough to change the language, and «мову», «мови», «інша мова» are.
"""

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

Command = Literal["hide", "erase", "start"]
Asked = Literal["help", "language", "words"]

_LONGEST: Final = 80  # characters; anything longer is a story, not a command


_SAID: Final[Mapping[Command, tuple[str, ...]]] = MappingProxyType(
    {
        "start": ("/start",),
        "hide": (
            *("/hide", "hide", "hide it", "hide this"),
            *("сховати", "сховай", "сховайте", "сховатись", "приховати", "приховай"),
            *("скрыть", "скрой", "скройте", "спрятать", "спрячь", "спрячьте"),
            *("схаваць", "схавай", "схавайце", "прыхаваць"),
            *("сховать", "скрити", "спрятати", "схавать", "спратаць", "спрятай"),
        ),
        "erase": (
            *("/erase", "erase", "erase it", "erase all", "erase everything"),
            *("стерти", "зітри", "зітріть", "стерти все", "зітри все", "зітріть все"),
            *("стереть", "сотри", "сотрите", "стереть все", "сотри все", "сотрите все"),
            *("сцерці", "сьцерці", "сатры", "сатрыце", "сцерці усе", "сцерці ўсе", "сатры усе", "сатры ўсе"),
            *("стерть", "зотри", "зотріть", "стєрти", "сцярэць", "сцерць"),
        ),
    }
)
_ASKED: Final[Mapping[Asked, tuple[str, ...]]] = MappingProxyType(
    {
        "help": (
            *("/help", "help", "help me", "please help"),
            *("допомога", "допоможіть", "допоможи", "поможіть"),
            *("помощь", "помогите", "помоги"),
            *("дапамога", "дапамажыце", "дапамажы", "памажыце"),
            *("помогіть", "поможіте", "помоч", "памагіце", "памагіт", "памагі", "помашч"),
        ),
        "language": (
            *("/language", "/lang", "languages", "change language", "other language", "another language"),
            *("мову", "мови", "змінити мову", "зміни мову", "інша мова", "іншу мову", "вибрати мову"),
            *("язык", "языки", "сменить язык", "поменять язык", "другой язык", "выбрать язык"),
            *("змяніць мову", "памяняць мову", "іншая мова", "іншую мову", "выбраць мову"),
            *("поміняти язик", "поміняти мову", "другий язик", "другая мова", "памяняць язык", "язик"),
        ),
        "words": (
            *("/words", "words", "my words", "seven words"),
            *("слова", "мої слова", "сім слів"),
            *("мои слова", "семь слов"),
            *("словы", "мае словы", "сем слоў"),
            *("мої слови", "сєм слов", "мае слова", "сем слоў"),
        ),
    }
)
_COMMAND: Final = MappingProxyType({phrase: name for name, said in _SAID.items() for phrase in said})
_ASKS: Final = MappingProxyType({phrase: name for name, said in _ASKED.items() for phrase in said})


def command_of(text: str) -> Command | None:
    """Say which command a whole message is, if it is one.

    Case, punctuation around it and invisible characters are forgiven; a word inside a sentence is no command.
    """
    return _COMMAND.get(_plain(text))


def asked_for(text: str) -> Asked | None:
    """Say what a whole message asks to see, if it asks for something; forgiving the same."""
    return _ASKS.get(_plain(text))


def _plain(text: str) -> str:
    """The message as the tables write it; of a /command its name alone. Empty when it is too long to be one."""
    if len(text) > _LONGEST:
        return ""
    visible = "".join(
        character
        for character in text
        if unicodedata.category(character) not in {"Cf", "Cc"} or character.isspace()
    )
    words = " ".join(unicodedata.normalize("NFC", visible).casefold().replace("ё", "е").split())
    if words.startswith("/"):
        return words.split(" ", 1)[0].partition("@")[0]
    return words.strip(" .,!?…«»“”\"'")
