"""Formatted texts are read as Telegram reads them, and refused in its words."""

from __future__ import annotations

import pytest

from rehearsal.entities import formatted
from rehearsal.errors import ApiError


def kinds(text: str, mode: str | None = None) -> tuple[str, list[tuple[str, int, int]]]:
    read = formatted(text, mode)
    return read.text, [(entity["type"], entity["offset"], entity["length"]) for entity in read.entities]


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("<b>a</b>b", "ab", [("bold", 0, 1)]),
        ("<B>a<i>b</i></B>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
        ("😀<u>x</u>", "😀x", [("underline", 2, 1)]),
        ("&lt;b&gt; &amp; &quot;&#1103;&nbsp;", '<b> & "я&nbsp;', []),
        ('<span class="tg-spoiler">s</span>', "s", [("spoiler", 0, 1)]),
        ("<tg-spoiler>s</tg-spoiler>", "s", [("spoiler", 0, 1)]),
        ('<a href="https://a.org/?b=1&amp;c">x</a>', "x", [("text_link", 0, 1)]),
        ('<pre><code class="language-c">x</code></pre>', "x", [("pre", 0, 1)]),
        ("<blockquote expandable>q</blockquote>", "q", [("expandable_blockquote", 0, 1)]),
        ("  <b> a </b>  ", "a", [("bold", 0, 1)]),
        ("<b></b>x", "x", []),
        ("a < b", None, "Unclosed start tag at byte offset 2"),
        ("<b>a", None, 'Can\'t find end tag corresponding to start tag "b"'),
        ("я<div>a</div>", None, 'Unsupported start tag "div" at byte offset 2'),
        ("<b>a</i>", None, 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("a</b>", None, "Unexpected end tag at byte offset 1"),
        ("<span>a</span>", None, 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_html(source: str, text: str | None, entities: list[tuple[str, int, int]] | str) -> None:
    if text is not None:
        assert kinds(source, "HTML") == (text, entities)
        return
    with pytest.raises(ApiError) as refused:
        formatted(source, "html")
    assert refused.value.description == f"Bad Request: can't parse entities: {entities}"


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("*a* _b_ __c__ ~d~ ||e||", "a b c d e", ["bold", "italic", "underline", "strikethrough", "spoiler"]),
        ("*a _b_*", "a b", ["bold", "italic"]),
        (r"1\.5 \*", "1.5 *", []),
        ("`a*b` ```py\nx_y```", "a*b x_y", ["code", "pre"]),
        ("[a](https://a.org)", "a", ["text_link"]),
        (">q\n>r", "q\nr", ["blockquote"]),
        ("a.", None, "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("я *a", None, "Can't find end of Bold entity at byte offset 3"),
        ("[a]", None, "Can't find end of TextUrl entity at byte offset 0"),
    ],
)
def test_markdown_v2(source: str, text: str | None, entities: list[str] | str) -> None:
    if text is not None:
        read = formatted(source, "MarkdownV2")
        assert (read.text, [entity["type"] for entity in read.entities]) == (text, entities)
        return
    with pytest.raises(ApiError) as refused:
        formatted(source, "MarkdownV2")
    assert refused.value.description == f"Bad Request: can't parse entities: {entities}"


def test_the_older_markdown() -> None:
    assert kinds("*a* [b](https://b.org) `c`", "Markdown") == (
        "a b c",
        [("bold", 0, 1), ("text_link", 2, 1), ("code", 4, 1)],
    )
    with pytest.raises(ApiError, match="Can't find end of the entity starting at byte offset 2"):
        formatted("a *b", "Markdown")


def test_what_telegram_recognises_by_itself() -> None:
    text = "/erase, a@b.org @somebody #tag https://a.org/b?c=1. not/this"
    _, found = kinds(text)
    assert [(kind, text[start : start + length]) for kind, start, length in found] == [
        ("bot_command", "/erase"),
        ("email", "a@b.org"),
        ("mention", "@somebody"),
        ("hashtag", "#tag"),
        ("url", "https://a.org/b?c=1"),
    ]
    assert kinds("<code>/erase</code>", "HTML")[1] == [("code", 0, 6)]


def test_overrides_of_direction_and_controls_are_taken_out() -> None:
    assert formatted("a\u202eb\x07c\r\nd").text == "ab c\nd"


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ApiError, match="unsupported parse_mode"):
        formatted("a", "bbcode")
