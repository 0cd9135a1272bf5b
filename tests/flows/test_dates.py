"""Dates written plainly are understood; what is not sure is left to a person."""

from datetime import date

import hypothesis.strategies as st
import pytest
from hypothesis import given

from flows.dates import birthday_may_come, may_be_recent, span, spoken, understand_date
from tests.flows.laws import TEXTS

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("words", "edtf"),
    [
        ("06.09.2022", "2022-09-06"),
        ("6.9.2022", "2022-09-06"),
        ("06.09.2022 р.", "2022-09-06"),
        ("2022-09-06", "2022-09-06"),
        ("2022-09", "2022-09"),
        ("09.2022", "2022-09"),
        ("2022", "2022"),
        ("у 2022 році", "2022"),
        ("2022 рік", "2022"),
        ("в 2022 году", "2022"),
        ("in 2022", "2022"),
        ("вересень 2022", "2022-09"),
        ("у вересні 2022", "2022-09"),
        ("Вересень 2022 року", "2022-09"),
        ("6 вересня 2022", "2022-09-06"),
        ("6 вересня 2022 року", "2022-09-06"),
        ("September 2022", "2022-09"),
        ("in September 2022", "2022-09"),
        ("Sept 2022", "2022-09"),
        ("6 September 2022", "2022-09-06"),
        ("6th of September 2022", "2022-09-06"),
        ("September 6, 2022", "2022-09-06"),
        ("September 6th 2022", "2022-09-06"),
        ("октябрь 2022", "2022-10"),
        ("осінь 2022", "2022-23"),
        ("восени 2022", "2022-23"),
        ("восени 2022 року", "2022-23"),
        ("навесні 2023", "2023-21"),
        ("влітку 2022", "2022-22"),
        ("взимку 2023", "2023-24"),
        ("Autumn 2022", "2022-23"),
        ("in the summer of 2022", "2022-22"),
        ("fall 2022", "2022-23"),
        ("осенью 2022", "2022-23"),
        ("about 10 October 2022", "2022-10-10~"),
        ("around October 2022", "2022-10~"),
        ("близько вересня 2022", "2022-09~"),
        ("приблизно 2022", "2022~"),
        ("около октября 2022", "2022-10~"),
        ("22.11.2026", "2026-11-22"),
        ("29.02.2024", "2024-02-29"),
    ],
)
def test_understood(words: str, edtf: str) -> None:
    assert understand_date(words, today=TODAY) == edtf


@pytest.mark.parametrize(
    "words",
    [
        "",
        "22",
        "8",
        "30.02.2022",
        "29.02.2023",
        "31.04.2022",
        "32.01.2022",
        "13.13.2022",
        "06/09/2022",  # which of them is the month?
        "06.09.22",
        "3000",
        "01.01.3000",
        "23.11.2026",
        "0000",
        "1204",
        "Марія 2014",
        "Maria 2014",
        "Mars 2022",
        "неділя 2022",
        "минулого тижня",
        "осінь",
        "6 осінь 2022",
        "2022 чи 2023",
        "не знаю",
        "в селі 2000 людей",
        "телефон 0501112233",
        "٢٠٢٢",
        "x" * 5000,
        "2022 " * 1000,
    ],
)
def test_left_to_a_person(words: str) -> None:
    assert understand_date(words, today=TODAY) is None


@given(st.text(max_size=80))
def test_any_words_are_taken(words: str) -> None:
    edtf = understand_date(words, today=TODAY)
    if edtf is not None:
        first, last = span(edtf)
        assert date(1990, 1, 1) <= first <= min(last, TODAY)


@given(st.dates(min_value=date(1990, 1, 1), max_value=TODAY))
def test_every_day_is_understood_and_said_back(day: date) -> None:
    edtf = understand_date(f"{day:%d.%m.%Y}", today=TODAY)
    assert edtf == day.isoformat()
    assert span(edtf) == (day, day)
    assert TEXTS["uk"].plain(spoken(edtf)) == f"{day:%d.%m.%Y}"


def test_spans() -> None:
    assert span("2022") == (date(2022, 1, 1), date(2022, 12, 31))
    assert span("2024-02~") == (date(2024, 2, 1), date(2024, 2, 29))
    assert span("2022-21") == (date(2022, 3, 1), date(2022, 5, 31))
    assert span("2022-22") == (date(2022, 6, 1), date(2022, 8, 31))
    assert span("2022-23") == (date(2022, 9, 1), date(2022, 11, 30))
    assert span("2022-24") == (date(2022, 1, 1), date(2022, 12, 31))


def test_said_back_in_each_language() -> None:
    assert TEXTS["uk"].plain(spoken("2022-23")) == "осінь 2022"
    assert TEXTS["en"].plain(spoken("2022-09~")) == "about September 2022"
    assert TEXTS["uk"].plain(spoken("2022")) == "2022 рік"


def test_recent_is_known_to_the_month_and_within_the_days() -> None:
    assert may_be_recent("2026-11-01", today=TODAY, days=30)
    assert may_be_recent("2026-11", today=TODAY, days=30)
    assert may_be_recent("2026-10-23", today=TODAY, days=30)
    assert not may_be_recent("2026-10-22", today=TODAY, days=30)
    assert may_be_recent("2026-10", today=TODAY, days=30)
    assert not may_be_recent("2026-09", today=TODAY, days=30)
    assert not may_be_recent("2026", today=TODAY, days=30)
    assert not may_be_recent("2026-23", today=TODAY, days=30)


def test_a_birthday_to_come() -> None:
    for born, comes in (
        ("2008-11-22", True),
        ("2009-02-20", True),
        ("2009-02-21", False),
        ("2008-11-21", False),
        ("2008-12", True),
        ("2009", False),
        ("2008-02-29", False),
    ):
        assert birthday_may_come(born, years=18, today=TODAY, days=90) is comes, born
