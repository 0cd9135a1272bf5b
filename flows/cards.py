"""What a chat shows, as text keys and parameters; `locales` turns them into words.

Card(texts=(Text("ask.name"), Text("ask.name.hint")), buttons=((Button("skip", Text("nav.skip")),),))
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Text:
    """One text by its key in the catalogues; a parameter is words as they are, or a text of its own."""

    key: str
    params: Mapping[str, "str | Text"] = field(default_factory=dict, repr=False)  # may hold a person's words


@dataclass(frozen=True, slots=True)
class Button:
    """One button: its key on the wire (at most 40 bytes) and its label, a text or literal words.

    `copy`: a tap copies these words in the person's own app, and tells us nothing.
    """

    key: str
    text: Text | str = field(repr=False)
    copy: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Card:
    """The one message that stands in the chat: texts, one below the other, and rows of buttons."""

    texts: tuple[Text, ...]
    buttons: tuple[tuple[Button, ...], ...]
