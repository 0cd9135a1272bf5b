"""Formatted text: from HTML, MarkdownV2, Markdown or given entities to a plain text with entities.

    formatted("<b>hi</b> there", "HTML")   # "hi there", [{"type": "bold", "offset": 0, "length": 2}]

Offsets and lengths are UTF-16 code units, as the Bot API counts
(https://core.telegram.org/bots/api#messageentity). Limits are counted after parsing, in the same units: where
Telegram counts characters beyond U+FFFF once, this is the stricter reading.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from rehearsal.entities.html import parse_html
from rehearsal.entities.markdown import parse_markdown, parse_markdown_v2
from rehearsal.errors import bad_request

if TYPE_CHECKING:
    from rehearsal.botapi import Json

TEXT_LIMIT = 4096  # UTF-16 code units, sendMessage
CAPTION_LIMIT = 1024  # UTF-16 code units, captions of media
SPACES = re.compile("[\\s\u1680\u180e\u2000-\u200f\u202f\u205f\u2800\u3000\ufeff]+")
# Line and paragraph separators and the overrides of direction never reach a chat.
REMOVED = re.compile("[\r\u2028-\u202e]")
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f]")
FOUND = re.compile(
    r"(?P<url>https?://[^\s<>\"]+[^\s<>\".,!?;:)])"
    r"|(?P<email>[\w.+-]+@[\w-]+\.[\w.-]*\w)"
    r"|(?<![\w/])(?P<mention>@[A-Za-z0-9_]{4,32})"
    r"|(?<![\w/<>])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?)(?![\w/])"
    r"|(?<![\w&])(?P<hashtag>\#\w*[^\W\d]\w*)"
)


class Formatted(NamedTuple):
    """A text and its entities, as dictionaries of the Bot API."""

    text: str
    entities: list[Json]


def units(text: str) -> int:
    """Return the length in UTF-16 code units."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def cleaned(text: str) -> str:
    """Return the text without what Telegram's servers take out of every message."""
    return CONTROLS.sub(" ", REMOVED.sub("", text))


def looks_empty(text: str) -> bool:
    """Tell whether nobody could see anything of this text."""
    return not SPACES.sub("", text)


def formatted(text: str, parse_mode: str | None = None, entities: list[Json] | None = None) -> Formatted:
    """Parse, clean and trim. Raises ApiError 400 in Telegram's words."""
    mode = (parse_mode or "").lower()
    if mode in ("html", "markdown", "markdownv2"):
        parser = {"html": parse_html, "markdown": parse_markdown, "markdownv2": parse_markdown_v2}[mode]
        text, entities = parser(cleaned(text))
    elif mode:
        raise bad_request("unsupported parse_mode")
    else:
        text = cleaned(text)
    return _with_found(_trimmed(text, _checked(text, entities or [])))


def _checked(text: str, entities: list[Json]) -> list[Json]:
    """Keep what lies within the text and is not empty, outermost first."""
    end = units(text)
    kept = [{**entity, "length": min(entity["length"], end - entity["offset"])} for entity in entities]
    return sorted(
        (entity for entity in kept if entity["offset"] >= 0 and entity["length"] > 0),
        key=lambda entity: (entity["offset"], -entity["length"]),
    )


def _trimmed(text: str, entities: list[Json]) -> Formatted:
    left = units(text) - units(text.lstrip())
    stripped = text.strip()
    end = units(stripped)
    moved = []
    for entity in entities:
        start = max(entity["offset"] - left, 0)
        stop = min(entity["offset"] - left + entity["length"], end)
        if stop > start:
            moved.append({**entity, "offset": start, "length": stop - start})
    return Formatted(stripped, moved)


def _with_found(given: Formatted) -> Formatted:
    """Add what Telegram recognises by itself: links, e-mail addresses, mentions, commands, hashtags."""
    closed = [
        (entity["offset"], entity["offset"] + entity["length"])
        for entity in given.entities
        if entity["type"] in ("code", "pre", "text_link", "text_mention")
    ]
    found: list[dict[str, Any]] = []
    for match in FOUND.finditer(given.text):
        start = units(given.text[: match.start()])
        stop = start + units(match.group())
        if not any(start < other_stop and other_start < stop for other_start, other_stop in closed):
            found.append({"type": match.lastgroup, "offset": start, "length": stop - start})
    if not found:
        return given
    together = sorted([*given.entities, *found], key=lambda entity: (entity["offset"], -entity["length"]))
    return Formatted(given.text, together)
