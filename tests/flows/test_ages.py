"""An age or a birth written plainly is understood; a child of forty is left to a person."""

from datetime import date

import hypothesis.strategies as st
import pytest
from hypothesis import given

from flows.ages import understand_age

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("words", "age", "about"),
    [
        ("8", 8, False),
        ("0", 0, False),
        ("17", 17, False),
        ("8 років", 8, False),
        ("8 р.", 8, False),
        ("1 рік", 1, False),
        ("3 роки", 3, False),
        ("8 years old", 8, False),
        ("близько 8", 8, True),
        ("About 8 years", 8, True),
        ("~8", 8, True),
        ("десь 12 років", 12, True),
        ("8 лет", 8, False),
    ],
)
def test_ages(words: str, age: int, about: bool) -> None:  # noqa: FBT001 - a table's column
    assert understand_age(words, today=TODAY) == {"age": age, "about": about}


@pytest.mark.parametrize(
    ("words", "edtf"),
    [
        ("2014", "2014"),
        ("12.03.2014", "2014-03-12"),
        ("березень 2014", "2014-03"),
        ("spring 2014", "2014-21"),
    ],
)
def test_births(words: str, edtf: str) -> None:
    assert understand_age(words, today=TODAY) == {"edtf": edtf, "today": "2026-11-22"}


@pytest.mark.parametrize(
    "words", ["40", "18", "-3", "8 або 9", "вісім", "", "1200", "3000", "8 місяців", "9" * 5000]
)
def test_left_to_a_person(words: str) -> None:
    assert understand_age(words, today=TODAY) is None


@given(st.text(max_size=80))
def test_any_words_are_taken(words: str) -> None:
    understood = understand_age(words, today=TODAY)
    assert understood is None or "edtf" in understood or 0 <= understood["age"] < 18
