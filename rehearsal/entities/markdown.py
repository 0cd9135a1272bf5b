"""MarkdownV2 and the older Markdown of the Bot API (https://core.telegram.org/bots/api#markdownv2-style).

parse_markdown_v2("*a*") gives ("a", [{"type": "bold", "offset": 0, "length": 1}]); a mark without its end
and, in MarkdownV2, a reserved character that is not escaped are refused in Telegram's words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rehearsal.errors import bad_request

if TYPE_CHECKING:
    from rehearsal.botapi import Json
    from rehearsal.errors import ApiError

RESERVED = frozenset("_*[]()~`>#+-=|{}.!")
# Longest first: `__` is underline, not two italics.
MARKS = (
    ("```", "pre"),
    ("||", "spoiler"),
    ("__", "underline"),
    ("*", "bold"),
    ("_", "italic"),
    ("~", "strikethrough"),
    ("`", "code"),
)
NAMES = {
    "pre": "Pre",
    "spoiler": "Spoiler",
    "underline": "Underline",
    "bold": "Bold",
    "italic": "Italic",
    "strikethrough": "Strikethrough",
    "code": "Code",
    "text_link": "TextUrl",
}
LEGACY = {"*": "bold", "_": "italic", "`": "code"}
LAST_ASCII = 126


@dataclass
class _Parse:
    """Where the reader is, what it has read, which marks are open: (type, offset, byte offset in source)."""

    source: str
    place: int = 0
    plain: list[str] = field(default_factory=list)
    length: int = 0
    opened: list[tuple[str, int, int]] = field(default_factory=list)
    entities: list[Json] = field(default_factory=list)

    def take(self, text: str, step: int) -> None:
        self.plain.append(text)
        self.length += len(text.encode("utf-16-le")) // 2
        self.place += step

    def bytes(self) -> int:
        return len(self.source[: self.place].encode())

    def add(self, kind: str, offset: int, **more: str) -> None:
        if self.length > offset:
            self.entities.append({"type": kind, "offset": offset, "length": self.length - offset, **more})


def parse_markdown_v2(source: str) -> tuple[str, list[Json]]:
    """Return the plain text and its entities. Raises ApiError 400."""
    parse = _Parse(source)
    while parse.place < len(source):
        letter = source[parse.place]
        following = source[parse.place + 1 : parse.place + 2]
        if letter == "\\" and following and ord(following) <= LAST_ASCII:
            parse.take(following, 2)
        elif _quote_begins(parse):
            _read_quote(parse)
        elif _mark(parse):
            continue
        elif letter in RESERVED:
            raise _cannot(f"Character '{letter}' is reserved and must be escaped with the preceding '\\'")
        else:
            parse.take(letter, 1)
    if parse.opened:
        kind, _, where = parse.opened[-1]
        raise _cannot(f"Can't find end of {NAMES[kind]} entity at byte offset {where}")
    return "".join(parse.plain), parse.entities


def _quote_begins(parse: _Parse) -> bool:
    at_line_start = parse.place == 0 or parse.source[parse.place - 1] == "\n"
    return at_line_start and parse.source[parse.place] == ">"


def _read_quote(parse: _Parse) -> None:
    """A run of lines that begin with `>` is one quotation; what is inside is parsed as usual."""
    lines = []
    rest = parse.source[parse.place :].split("\n")
    for line in rest:
        if not line.startswith(">"):
            break
        lines.append(line[1:])
    raw = "\n".join(lines)
    text, inner = parse_markdown_v2(raw)
    offset = parse.length
    parse.take(text, len(raw) + len(lines))
    parse.entities += [{**entity, "offset": entity["offset"] + offset} for entity in inner]
    parse.add("blockquote", offset)


def _mark(parse: _Parse) -> bool:
    """Open or close what stands here; False if it is no mark."""
    source, place = parse.source, parse.place
    inside = parse.opened[-1][0] if parse.opened else ""
    if inside not in ("code", "pre"):
        if source[place] == "[" or source.startswith("![", place):
            parse.opened.append(("text_link", parse.length, parse.bytes()))
            parse.place += 1 if source[place] == "[" else 2
            return True
        if source[place] == "]" and inside == "text_link":
            _close_link(parse)
            return True
    for mark, kind in MARKS:
        if not source.startswith(mark, place) or (inside in ("code", "pre") and kind != inside):
            continue
        if inside == kind:
            _, offset, _ = parse.opened.pop()
            parse.place += len(mark)
            parse.add(kind, offset)
        elif any(kind == other for other, _, _ in parse.opened):
            _, _, where = parse.opened[-1]
            raise _cannot(f"Can't find end of {NAMES[inside]} entity at byte offset {where}")
        else:
            parse.opened.append((kind, parse.length, parse.bytes()))
            parse.place += len(mark)
            if kind == "pre":
                _skip_language(parse)
        return True
    return inside in ("code", "pre") and _verbatim(parse)


def _verbatim(parse: _Parse) -> bool:
    """Inside code only the backtick and the backslash mean something."""
    parse.take(parse.source[parse.place], 1)
    return True


def _skip_language(parse: _Parse) -> None:
    line, newline, _ = parse.source[parse.place :].partition("\n")
    if newline and line.isalnum():
        parse.place += len(line) + 1


def _close_link(parse: _Parse) -> None:
    _, offset, where = parse.opened.pop()
    parse.place += 1
    if parse.source[parse.place : parse.place + 1] != "(":
        raise _cannot(f"Can't find end of TextUrl entity at byte offset {where}")
    end = parse.source.find(")", parse.place)
    if end < 0:
        raise _cannot("Can't find end of a URL at byte offset " + str(parse.bytes()))
    link = parse.source[parse.place + 1 : end].replace("\\", "")
    parse.place = end + 1
    parse.add("text_link", offset, url=link)


def parse_markdown(source: str) -> tuple[str, list[Json]]:
    """Return the plain text and entities of the older Markdown, without nesting. Raises ApiError 400."""
    parse = _Parse(source)
    while parse.place < len(source):
        letter = source[parse.place]
        following = source[parse.place + 1 : parse.place + 2]
        if letter == "\\" and following and following in "_*`[":
            parse.take(following, 2)
        elif letter in LEGACY or letter == "[":
            _read_legacy(parse)
        else:
            parse.take(letter, 1)
    return "".join(parse.plain), parse.entities


def _read_legacy(parse: _Parse) -> None:
    source, begin, offset = parse.source, parse.place, parse.length
    mark = "```" if source.startswith("```", begin) else source[begin]
    end = source.find("]" if mark == "[" else mark, begin + len(mark))
    if end < 0:
        raise _cannot(f"Can't find end of the entity starting at byte offset {parse.bytes()}")
    parse.take(source[begin + len(mark) : end], end + len(mark) - begin)
    if mark != "[":
        parse.add("pre" if mark == "```" else LEGACY[mark], offset)
        return
    closing = source.find(")", parse.place)
    if source[parse.place : parse.place + 1] == "(" and closing >= 0:
        link = source[parse.place + 1 : closing]
        parse.place = closing + 1
        parse.add("text_link", offset, url=link)


def _cannot(sentence: str) -> ApiError:
    return bad_request(f"can't parse entities: {sentence}")
