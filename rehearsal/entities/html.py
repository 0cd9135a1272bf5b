"""HTML of the Bot API (https://core.telegram.org/bots/api#html-style); refusals are in its words.

parse_html("<b>a</b>") gives ("a", [{"type": "bold", "offset": 0, "length": 1}]).
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, NamedTuple

from rehearsal.errors import bad_request

if TYPE_CHECKING:
    from rehearsal.botapi import Json
    from rehearsal.errors import ApiError

SIMPLE = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
}
OTHERS = frozenset({"a", "code", "pre", "span", "blockquote", "tg-emoji"})
SURROGATES = range(0xD800, 0xE000)  # halves of a pair are no characters
REFERENCES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
TAG = re.compile(r"<(?P<close>/?)(?P<name>[^\s<>/]*)(?P<rest>[^<>]*)>")
ATTRIBUTE = re.compile(
    r"""\s*(?P<name>[^\s=<>"'/]+)(?:\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"'<>]+)))?"""
)
REFERENCE = re.compile(r"&(?:#(?P<decimal>\d{1,7})|#x(?P<hex>[0-9a-fA-F]{1,6})|(?P<name>lt|gt|amp|quot));?")


class _Open(NamedTuple):
    tag: str
    attributes: dict[str, str]
    offset: int  # UTF-16 code units in the plain text


def parse_html(source: str) -> tuple[str, list[Json]]:
    """Return the plain text and its entities. Raises ApiError 400."""
    plain: list[str] = []
    length = 0  # UTF-16 code units of `plain`
    opened: list[_Open] = []
    entities: list[Json] = []
    place = 0
    while place < len(source):
        if source[place] == "<":
            match = TAG.match(source, place)
            if match is None:
                raise _cannot(f"Unclosed start tag at byte offset {_bytes(source, place)}")
            if match["close"]:
                _close(source, match, opened, entities, length)
            else:
                opened.append(_open(source, match, length))
            place = match.end()
            continue
        text, place = _text(source, place)
        plain.append(text)
        length += len(text.encode("utf-16-le")) // 2
    if opened:
        raise _cannot(f'Can\'t find end tag corresponding to start tag "{opened[-1].tag}"')
    return "".join(plain), entities


def _text(source: str, place: int) -> tuple[str, int]:
    """Read up to the next tag or reference, or one reference."""
    if source[place] == "&":
        match = REFERENCE.match(source, place)
        letter = _referred(match) if match else None
        return (letter, match.end()) if match and letter else ("&", place + 1)
    ends = [end for end in (source.find("<", place), source.find("&", place)) if end >= 0]
    end = min(ends, default=len(source))
    return source[place:end], end


def _referred(match: re.Match[str]) -> str | None:
    if match["name"]:
        return REFERENCES[match["name"]]
    code = int(match["decimal"]) if match["decimal"] else int(match["hex"], 16)
    return chr(code) if 0 < code <= sys.maxunicode and code not in SURROGATES else None


def _open(source: str, match: re.Match[str], length: int) -> _Open:
    tag = match["name"].lower()
    where = f"at byte offset {_bytes(source, match.start())}"
    if tag not in SIMPLE and tag not in OTHERS:
        raise _cannot(f'Unsupported start tag "{tag}" {where}')
    attributes = {
        found["name"].lower(): next(
            (
                _without_references(value)
                for value in (found["double"], found["single"], found["bare"])
                if value is not None
            ),
            "",
        )
        for found in ATTRIBUTE.finditer(match["rest"])
    }
    if tag == "span" and attributes.get("class") != "tg-spoiler":
        raise _cannot(f'Tag "span" must have class "tg-spoiler" {where}')
    return _Open(tag, attributes, length)


def _close(source: str, match: re.Match[str], opened: list[_Open], entities: list[Json], length: int) -> None:
    tag = match["name"].lower()
    where = f"at byte offset {_bytes(source, match.start())}"
    if not opened:
        raise _cannot(f"Unexpected end tag {where}")
    top = opened.pop()
    if tag and tag != top.tag:
        raise _cannot(f'Unmatched end tag {where}, expected "</{top.tag}>", found "</{tag}>"')
    entity = _entity(top, opened)
    if entity and length > top.offset:
        entities.append({**entity, "offset": top.offset, "length": length - top.offset})


def _entity(top: _Open, outer: list[_Open]) -> Json | None:
    """Return the entity of a closed tag, or None where the tag says nothing."""
    entity: Json | None = None
    if top.tag in SIMPLE:
        entity = {"type": SIMPLE[top.tag]}
    elif top.tag == "span":
        entity = {"type": "spoiler"}
    elif top.tag == "pre":
        entity = {"type": "pre"}
    elif top.tag == "blockquote":
        entity = {"type": "expandable_blockquote" if "expandable" in top.attributes else "blockquote"}
    elif top.tag == "tg-emoji":
        emoji = top.attributes.get("emoji-id", "")
        entity = {"type": "custom_emoji", "custom_emoji_id": emoji} if emoji else None
    elif top.tag == "a":
        link = top.attributes.get("href", "")
        entity = {"type": "text_link", "url": link} if "." in link or "://" in link else None
    elif not outer or outer[-1].tag != "pre":
        # <pre><code class="language-…"> is one block, told by <pre>.
        entity = {"type": "code"}
    return entity


def _without_references(value: str) -> str:
    return REFERENCE.sub(lambda match: _referred(match) or match.group(), value)


def _bytes(source: str, place: int) -> int:
    return len(source[:place].encode())


def _cannot(sentence: str) -> ApiError:
    return bad_request(f"can't parse entities: {sentence}")
