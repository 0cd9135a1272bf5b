"""An age or a birth is understood as people write it; a child of forty is left to a person."""

from datetime import date

import hypothesis.strategies as st
import pytest
from hypothesis import given

from flows.ages import understand_age
from flows.dates import span
from flows.dates.lexicon import WORDS

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("words", "age", "about"),
    [
        ("8", 8, False), ("0", 0, False), ("17", 17, False), ("8 років", 8, False), ("8 р.", 8, False),
        ("3 роки", 3, False), ("8 years old", 8, False), ("8yo", 8, False), ("близько 8", 8, True),
        ("About 8 years", 8, True), ("~8", 8, True), ("десь 12 років", 12, True), ("8 лет", 8, False),
        ("8 рочків", 8, False), ("вісім", 8, False), ("восемь лет", 8, False), ("восем років", 8, False),
        ("дзевяць гадоў", 9, False), ("сямнаццаць", 17, False), ("fifteen", 15, False), ("лет восемь", 8, True),
        ("років десять", 10, True), ("на вид лет 10", 10, True), ("йому було 8 років", 8, False),
        ("девочке 5 лет", 5, False), ("15р", 15, False), ("14 годиков", 14, False), ("8,5", 8, False),
        ("8 с половиной лет", 8, False), ("каля сямі гадоў", 7, True), ("гадкоў пяць", 5, True),
        ("не помню, лет пять", None, False), ("мабуть 6", 6, True),
    ],
)  # fmt: skip
def test_ages(words: str, age: int | None, about: bool) -> None:  # noqa: FBT001 - a table's column
    assert understand_age(words, today=TODAY) == (None if age is None else {"age": age, "about": about})


@pytest.mark.parametrize(
    ("words", "months"),
    [
        ("пів року", 6), ("полгода", 6), ("паўгода", 6), ("half a year", 6), ("півтора року", 18),
        ("полтора года", 18), ("18 months", 18), ("8 місяців", 8), ("восемь месяцев", 8), ("1 рік 3 місяці", 15),
        ("2,5 года", 30), ("рік", 12), ("годик", 12), ("місяць", 1), ("3 тижні", 0), ("2 недели", 0),
        ("10 дзён", 0),
    ],
)  # fmt: skip
def test_ages_told_in_months_keep_them(words: str, months: int) -> None:
    expected = {"age": months // 12, "about": False, "months": months}
    assert understand_age(words, today=TODAY) == expected


@pytest.mark.parametrize(
    ("words", "age", "to"),
    [
        ("8-9", 8, 9), ("десь 8-9", 8, 9), ("8 або 9", 8, 9), ("восемь или девять лет", 8, 9),
        ("сім–вісім років", 7, 8),
        ("лет 8-9", 8, 9), ("8 ці 9 гадоў", 8, 9), ("8 or 9", 8, 9), ("from 5 to 7", 5, 7), ("від 5 до 7 років", 5, 7),
        ("восьмий рік", 7, 8), ("шёл восьмой год", 7, 8), ("майже 8", 7, 8), ("почти 8 лет", 7, 8),
    ],
)  # fmt: skip
def test_ages_between_two(words: str, age: int, to: int) -> None:
    assert understand_age(words, today=TODAY) == {"age": age, "to": to, "about": True}


@pytest.mark.parametrize(
    ("words", "edtf"),
    [
        ("2014", "2014"), ("12.03.2014", "2014-03-12"), ("12.03.14", "2014-03-12"), ("березень 2014", "2014-03"),
        ("spring 2014", "2014-21"), ("2014 г.р.", "2014"), ("14 р.н.", "2014"), ("2014гр", "2014"),
        ("народився у 2014 році", "2014"), ("родилась 12 марта 2014 года", "2014-03-12"), ("born in 2014", "2014"),
        ("12 сакавіка 2014 года нараджэння", "2014-03-12"), ("2014-2015", "2014/2015"), ("14 року", "2014"),
    ],
)  # fmt: skip
def test_births(words: str, edtf: str) -> None:
    assert understand_age(words, today=TODAY) == {"edtf": edtf, "today": "2026-11-22"}


@pytest.mark.parametrize(
    "words",
    [
        "40", "40 років", "сорок", "18", "17-18", "9-8", "-3", "", "1200", "3000", "9" * 5000, "зараз 11",
        "сейчас ему 8", "2 роки тому", "5 сентября", "02/03/2014", "8 клас", "8 дітей", "їх було 8", "не знаю",
        "років", "пару років", "з 2014", "брату 8, йому 10", "8 9", "вчора", "31.02.2014",
    ],
)  # fmt: skip
def test_left_to_a_person(words: str) -> None:
    assert understand_age(words, today=TODAY) is None


WORDS_OF_AGES = st.lists(
    st.sampled_from([*WORDS, "8", "9", "18", "14", "2014", "р.н.", "г.р.", "майже", "йому", "8,5", "-"]),
    max_size=6,
).map(" ".join)


@given(st.one_of(st.text(max_size=80), WORDS_OF_AGES))
def test_any_words_are_taken(words: str) -> None:
    understood = understand_age(words, today=TODAY)
    if understood is None:
        return
    if "edtf" in understood:
        assert span(understood["edtf"])[0] <= TODAY
    else:
        assert 0 <= understood["age"] < understood.get("to", 18) <= 18
        assert understood.get("months", understood["age"] * 12) // 12 == understood["age"]
