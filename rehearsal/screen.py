"""What stands on a person's screen, as the driver reads it, and the error when something is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
KINDS = (
    "photo",
    "animation",  # before the document that it is told as too
    "document",
    "video",
    "audio",
    "voice",
    "video_note",
    "sticker",
    "poll",
    "dice",
    "story",
    "venue",  # before its location
    "location",
    "contact",
    "pinned_message",
)


class NotSeenError(AssertionError):
    """What should be on the screen did not come; the message says what is there."""


@dataclass(frozen=True)
class Button:
    """An inline button. `raw` is the InlineKeyboardButton."""

    text: str
    raw: Json = field(repr=False)


@dataclass(frozen=True)
class Shown:
    """One message as it stands, or stood, in the chat. `raw` is the Message of the Bot API."""

    id: int
    own: bool  # by the person, not by the bot
    kind: str  # "text", "photo", "document", …
    text: str  # the text or the caption
    buttons: tuple[tuple[Button, ...], ...]
    raw: Json = field(repr=False)

    def labels(self) -> list[str]:
        """Return the texts of all buttons."""
        return [button.text for row in self.buttons for button in row]

    def button(self, text: str) -> Button | None:
        """Return the button of exactly this text."""
        return next((button for row in self.buttons for button in row if button.text == text), None)

    def __str__(self) -> str:
        who = "person" if self.own else "bot"
        kind = "" if self.kind == "text" else f"({self.kind}) "
        rows = "".join("\n      " + " ".join(f"[{button.text}]" for button in row) for row in self.buttons)
        return f"  {who} {self.id}: {kind}{self.text}{rows}"


def shown(message: Json) -> Shown:
    """Read a Message of the Bot API."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return Shown(
        message["message_id"],
        not message["from"]["is_bot"],
        next((kind for kind in KINDS if kind in message), "text"),
        message.get("text") or message.get("caption") or "",
        tuple(tuple(Button(button["text"], button) for button in row) for row in rows),
        message,
    )


def messages_of(view: Json) -> list[Shown]:
    """Return the messages of a view (`rehearsal.view`), in order."""
    return [shown(message) for message in view["messages"]]


def with_button(view: Json, text: str) -> Shown | None:
    """Return the newest message with a button of exactly this text."""
    return next((message for message in reversed(messages_of(view)) if message.button(text)), None)


def screen(view: Json) -> str:
    """Write a view as a person would read it aloud, for errors."""
    lines = [str(message) for message in messages_of(view)] or ["  (nothing)"]
    lines += [f"  pop-up: {popup['text']}" for popup in view["popups"][-3:] if popup["text"]]
    return "\n".join(lines)
