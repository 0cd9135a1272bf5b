"""Words shown back cannot disturb the screen, and the commands hidden in them are found."""

import unicodedata

import hypothesis.strategies as st
import pytest
from hypothesis import given

from flows.echo import echo, is_visible
from flows.words import command_of


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@given(st.text(max_size=400), st.integers(8, 200))
def test_an_echo_is_one_short_visible_line(words: str, limit: int) -> None:
    shown = echo(words, limit)
    assert units(shown) <= limit + 2  # and the two marks of isolation
    inner = shown.removeprefix("\u2068").removesuffix("\u2069")
    assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for c in inner)
    assert inner == inner.strip()
    assert is_visible(words) == bool(shown)


@given(st.text(alphabet="абвгґдеєжзиіїйabc ’-", max_size=100))
def test_plain_words_are_shown_as_they_are(words: str) -> None:
    assert echo(words, 200) == " ".join(words.split())


def test_examples() -> None:
    assert echo("Оля\u202e\u200b\nКоваль") == "Оля Коваль"
    assert echo("a" * 20, 10) == "a" * 9 + "…"
    assert echo("\U0001f600" * 10, 10) == "\U0001f600" * 4 + "…"
    assert echo("e" + "\u0301" * 100) == "e\u0301\u0301"
    assert echo("سلام") == "\u2068سلام\u2069"
    assert echo("\ud800") == ""


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("стерти", "erase"),
        ("Стерти!", "erase"),
        ("  «СТЕРТИ» ", "erase"),
        ("стереть", "erase"),
        ("сцерці", "erase"),
        ("erase", "erase"),
        ("e\u200brase", "erase"),
        ("/erase@dodomu_bot", "erase"),
        ("сховати", "hide"),
        ("скрыть", "hide"),
        ("схаваць", "hide"),
        ("Hide.", "hide"),
        ("/hide", "hide"),
        ("/start", "start"),
        ("/start ref123", "start"),
        ("/other", None),
        ("they hide the children", None),
        ("стерти пам’ять", None),
        ("", None),
        ("/", None),
        ("hide" + " " * 5000, None),
    ],
)
def test_commands(text: str, command: str | None) -> None:
    assert command_of(text) == command


@given(st.text())
def test_any_text_can_be_asked(text: str) -> None:
    assert command_of(text) in {None, "hide", "erase", "start"}
