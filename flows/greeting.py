"""The greeting and the two quiet endings: cards that stand outside an interview.

`/start` answers everyone with the same card, so it knows nothing of anyone.
"""

from typing import Literal

from flows.cards import Button, Card, Text

# Each language by its own name; the order in which they are offered.
LANGUAGES = {"uk": "Українська", "ru": "Русский", "be": "Беларуская", "en": "English"}
OFFERED = ("uk", "en")


def card() -> Card:
    """Greet, and let a language be chosen; buttons "lang:uk", "lang:en"."""
    return Card(
        (Text("greeting"),),
        tuple((Button(f"lang:{lang}", LANGUAGES[lang]),) for lang in OFFERED),
    )


def ending(outcome: Literal["under_18", "not_now"]) -> Card:
    """Give the last card of an interview that ends before it began."""
    if outcome == "under_18":
        return Card((Text("under_18"),), ((Button("erase", Text("under_18.clear")),),))
    return Card((Text("not_now"),), ())
