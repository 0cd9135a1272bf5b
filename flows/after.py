"""The cards that stand after an interview, or instead of one: its endings, the receipt, what it is not."""

from typing import Literal

from flows.cards import Button, Card, Text


def ended(outcome: Literal["under_18", "not_now"]) -> Card:
    """Give the last card of an interview that ended before it began: helplines, or a kind word."""
    if outcome == "under_18":
        return Card((Text("under_18"),), ((Button("clear_chat", Text("under_18.clear")),),))
    return Card((Text("not_now"),), ((Button("start", Text("not_now.start")),),))


def receipt(code: str, words: str) -> Card:
    """Give the receipt: the code, and the words to come back with under a spoiler."""
    return Card(
        (Text("receipt", {"code": code, "words": words}),),
        ((Button("clear_chat", Text("receipt.clear")),),),
    )


def official() -> Card:
    """Say which bodies take an official search request: a report is none. The receipt above it has the button."""
    return Card((Text("receipt.official"),), ())
