"""What can go wrong in a rehearsal, as one tree.

RehearsalError
├── ApiError          what the bot is answered, in Telegram's words
├── ActError          what the person at the page or in a test cannot do
├── PortTakenError    the server could not listen
├── StateError        the folder of an earlier run cannot be read
└── UndocumentedError our own answer is not what the Bot API documents
"""

from __future__ import annotations

from typing import Any


class RehearsalError(Exception):
    """Something in the rehearsal went wrong."""


class ApiError(RehearsalError):
    """The Bot API refuses: `code` is the HTTP status, `description` Telegram's sentence."""

    def __init__(self, code: int, description: str, parameters: dict[str, Any] | None = None) -> None:
        super().__init__(f"{code} {description}")
        self.code = code
        self.description = description
        self.parameters = parameters


class ActError(RehearsalError):
    """A person cannot do this: a real Telegram app would not offer or would refuse it."""


class PortTakenError(RehearsalError):
    """Another program already listens on the port."""


class StateError(RehearsalError):
    """The folder of an earlier run cannot be read by this version."""


class UndocumentedError(RehearsalError):
    """An answer or update of ours is not what the Bot API documents."""


def bad_request(sentence: str) -> ApiError:
    """Telegram's 400, whose sentences all begin alike."""
    return ApiError(400, f"Bad Request: {sentence}")
