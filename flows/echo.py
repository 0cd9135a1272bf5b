r"""A person's words shown back to them can never disturb the screen; the words themselves stay as they are.

echo("Оля\u202e\u200b\nКоваль") == "Оля Коваль"
"""

import unicodedata

_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_INVISIBLE = frozenset({"Cf", "Cc", "Cs", "Co", "Cn"})
_MOST_MARKS = 2  # combining marks on one letter; more of them climb over other lines
_ISOLATE, _POP = "\u2068", "\u2069"


def echo(words: str, limit: int = 160) -> str:
    """Give `words` on one line, at most `limit` UTF-16 units (Telegram's measure), without controls.

    Words that run right to left are isolated, so that they cannot turn what stands beside them.
    """
    shown: list[str] = []
    units = marks = 0
    turns = cut = False
    for character in words:
        if character.isspace():
            if shown and shown[-1] != " ":
                shown.append(" ")
                units += 1
        elif unicodedata.category(character) not in _INVISIBLE:
            marks = marks + 1 if unicodedata.combining(character) else 0
            if marks <= _MOST_MARKS:
                shown.append(character)
                units += 1 + (character > "\uffff")
                turns = turns or unicodedata.bidirectional(character) in _RIGHT_TO_LEFT
        if units > limit:
            cut = True
            break
    text = "".join(shown).strip()
    if cut:
        while text and _units(text) >= limit:
            text = text[:-1]
        text = text.rstrip() + "…"
    return f"{_ISOLATE}{text}{_POP}" if turns else text


def is_visible(words: str) -> bool:
    """Say whether anything at all can be seen of it."""
    return bool(echo(words, 8))


def _units(text: str) -> int:
    return sum(1 + (character > "\uffff") for character in text)
