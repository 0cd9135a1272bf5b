"""The cards that stand around an interview: its end, the receipt and what follows it, help."""

from collections.abc import Sequence
from typing import Literal

from flows.cards import Button, Card, Text
from flows.greeting import LANGUAGES
from flows.interview import Interview

_FAMILIES = frozenset({"family", "self", "with_me"})  # who might look for an official search elsewhere
_CLEAR = ((Button("clear_chat", Text("receipt.clear")),),)


def ended(outcome: Literal["under_18", "not_now"]) -> Card:
    """Give the last card of an interview that ended before it began: helplines, or a kind word."""
    if outcome == "under_18":  # family, version 1; since then those under 18 have a form of their own
        return Card((Text("under_18"),), ((Button("clear_chat", Text("under_18.clear")),),))
    return Card((Text("not_now"),), ((Button("start", Text("not_now.start")),),))


def receipt(code: str, words: str, *, child: bool = False, copy: bool = False) -> Card:
    """Give the receipt: the code, and the words to come back with under a spoiler.

    `copy`: with one tap too, which only who said that nobody else sees this phone is offered.
    """
    copies = ((Button("copy", Text("receipt.copy"), copy=words),),) if copy else ()
    text = "receipt.child" if child else "receipt"
    return Card((Text(text, {"code": code, "words": words}),), (*copies, *_CLEAR))


def below_receipt(interview: Interview) -> Card:
    """Say what a report is not, or who helps; the receipt above it has the button that clears."""
    if interview.form == "child":
        return Card((Text("help.child"),), ())
    where = interview.answers.get("where")
    texts = [Text("receipt.official" if interview.form in _FAMILIES else "receipt.address")]
    if interview.form == "self" or (where is not None and where.option == "home"):
        texts.append(Text("help.list"))
    return Card(tuple(texts), ())


def passed_on() -> Card:
    """Acknowledge what was added without the seven words: the same for every chat."""
    return Card((Text("passed_on"),), ((Button("clear_chat", Text("passed_on.clear")),),))


def help_card(languages: Sequence[str], *, begun: bool, stays: bool) -> Card:
    """Say what works at any moment; another language, and whether messages stay until the sweep, in one tap each."""
    act = "speak" if begun else "lang"
    buttons = [Button(f"{act}.{lang}", LANGUAGES[lang]) for lang in languages]
    rows = [tuple(buttons[start : start + 2]) for start in range(0, len(buttons), 2)]
    if begun:
        stay = ("go", "help.go") if stays else ("stay", "help.stay")
        rows.append((Button(f"messages.{stay[0]}", Text(stay[1])),))
    return Card((Text("help"),), tuple(rows))
