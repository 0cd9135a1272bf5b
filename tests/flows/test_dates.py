"""Dates are understood as people write them, never forced, and never wrong where they are called certain."""

import csv
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from gettext import GNUTranslations
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from flows.cards import Text
from flows.dates import (
    Understood,
    birthday_may_come,
    may_be_recent,
    span,
    spoken,
    understand,
    understand_date,
)
from flows.dates.lexicon import TAGS, WORDS
from locales.catalogues import read

TODAY = date(2026, 11, 22)
FOLDER = Path(__file__).parent / "data"
LANGUAGES = ("uk", "ru", "be", "en")
CATALOGUES = {lang: read(lang, "forms") for lang in LANGUAGES}


@dataclass(frozen=True, slots=True)
class Row:
    words: str
    today: date
    ahead: bool
    edtf: str
    certain: bool
    lang: str
    mix: str

    @property
    def kinds(self) -> list[str]:
        return [self.lang, self.mix] if self.mix else [self.lang]


def table(name: str) -> Iterator[Row]:
    with (FOLDER / name).open(newline="") as file:
        for row in csv.DictReader(file):
            yield Row(
                row["words"],
                date.fromisoformat(row["today"]),
                row["ahead"] == "true",
                row["edtf"],
                row["certain"] == "true",
                row["lang"],
                row["mix"],
            )


WRITTEN_BEFORE = tuple(table("dates.csv"))
HELD_OUT = tuple(table("dates_held_out.csv"))


def reading(row: Row) -> tuple[str, bool]:
    understood = understand(row.words, today=row.today, ahead=row.ahead)
    return (understood.edtf, understood.certain) if understood else ("", False)


def test_the_table_is_large_enough() -> None:
    rows = Counter(kind for row in WRITTEN_BEFORE for kind in row.kinds)
    assert len({row.words for row in WRITTEN_BEFORE}) >= 170
    assert all(rows[lang] >= 35 for lang in LANGUAGES)
    assert rows["surzhyk"] >= 20
    assert rows["trasianka"] >= 20


@pytest.mark.parametrize("rows", [WRITTEN_BEFORE, HELD_OUT], ids=["written before", "held out"])
def test_dates_are_understood_and_never_wrong_where_certain(rows: tuple[Row, ...]) -> None:
    all_of, right = Counter[str](), Counter[str]()
    wrong: list[str] = []
    for row in rows:
        edtf, certain = reading(row)
        is_right = (edtf, certain) == (row.edtf, row.certain)
        for kind in ("all", *row.kinds):
            all_of[kind] += 1
            right[kind] += is_right
        if not is_right:
            wrong.append(f"{row.words}: {edtf or 'nothing'}{'' if certain else ', not certain'}")
        assert not certain or edtf == row.edtf, row
    print(*(f"{kind} {100 * right[kind] / all_of[kind]:.1f} %" for kind in all_of), *wrong, sep="\n")  # noqa: T201
    assert right["all"] >= 0.95 * all_of["all"]


@pytest.mark.parametrize(
    "words",
    [
        "", "22", "8", "-", "~", "?", "не", "..", "../..", "2022-", "30.02.2022", "29.02.2023", "31.04.2022",
        "32.01.2022", "13.13.2022", "3000", "01.01.3000", "23.11.2026", "0000", "1204", "Марія 2014",
        "Maria 2014", "Mars 2022", "неділя 2022", "6 осінь 2022", "не знаю", "в селі 2000 людей",
        "телефон 0501112233", "٢٠٢٢", "6 вересня 2022 і 7 жовтня 2022", "not in 2022", "років тому",
        "не в сентябре 2022", "1.2.3.2022", "5/6/7/2022", "пять шесть 2022", "5 - вчора",
        "год назад, 5 сентября", "вересень, жовтень 2022", "завтра", "через тиждень",
        "5 вересня 3000 року", "2022-09-06/2022-09-05", "x" * 5000, "2022 " * 1000, "на 5 " * 70,
    ],
)  # fmt: skip
def test_left_to_a_person(words: str) -> None:
    assert understand(words, today=TODAY) is None


@pytest.mark.parametrize(
    "words",
    [
        "в 22 года", "в 18", "02/03/2022", "02-03-2022", "осінь", "5 вересня", "вересня", "у неділю", "в неділю",
        "у нядзелю", "в неделю", "на прошлой неделе", "на мінулым тыдні", "минулого тижня", "неделю назад",
        "2022 или 2023", "September 22", "здається у 2022", "2022?", "2022-23", "вересинь 2022", "у вересні 15",
        "тем летом", "два-три роки тому", "2-3 дня назад", "5 или 6 недель назад",
        "з 5 вересня до вчора", "осінь 15", "марта 2014", "зима 2022 - весна 2023",
        "1 сентября - прошлой осенью", "last spring", "в пятницу",
        "бачили його у вересні 2022 в таборі", "після 5 вересня 2022",
    ],
)  # fmt: skip
def test_never_certain(words: str) -> None:
    understood = understand(words, today=TODAY)
    assert understood is None or not understood.certain
    assert understand_date(words, today=TODAY) is None


def test_of_what_will_happen_the_future_is_meant() -> None:
    assert understand("5 грудня", today=TODAY) == Understood("2025-12-05", certain=False)
    assert understand("5 грудня", today=TODAY, ahead=True) == Understood("2026-12-05", certain=False)
    assert understand("5 грудня 2026", today=TODAY) is None
    assert understand("5 грудня 2026", today=TODAY, ahead=True) == Understood("2026-12-05", certain=True)
    # What has passed is not going to happen: a slip, or another question was meant.
    assert understand("5 грудня 2022", today=TODAY, ahead=True) == Understood("2022-12-05", certain=False)
    assert understand("у 2040 році", today=TODAY, ahead=True) is None
    assert understand("the year 3000", today=TODAY, ahead=True) is None


WORDS_OF_DATES = st.lists(
    st.one_of(
        st.sampled_from(sorted(WORDS)),
        st.sampled_from(
            ["22", "2022", "5", "06.09.22", "22-го", "5/6/22", "-", "~", "?", ",", ".", "Оля", "300"]
        ),
    ),
    max_size=9,
).map(" ".join)


@given(st.one_of(st.text(max_size=80), WORDS_OF_DATES), st.booleans())
@example("п'ять шість 2022", False)  # noqa: FBT003 - the drawn value
def test_any_words_are_taken(words: str, ahead: bool) -> None:  # noqa: FBT001 - drawn
    understood = understand(words, today=TODAY, ahead=ahead)
    if understood is None:
        return
    first, last = span(understood.edtf)
    assert first <= last
    assert first == date.min or first.year >= 1990
    latest = date(TODAY.year + 5, 12, 31) if ahead else TODAY
    assert all(span(end)[0] <= latest for end in understood.edtf.split("/") if end != "..")
    for lang in LANGUAGES:
        assert said_in(lang, understood.edtf)
    may_be_recent(understood.edtf, today=TODAY, days=30)
    birthday_may_come(understood.edtf, years=18, today=TODAY, days=90)


@given(st.dates(min_value=date(1990, 1, 1), max_value=TODAY))
def test_a_day_in_figures_comes_back_from_every_spelling(day: date) -> None:
    certain = Understood(day.isoformat(), certain=True)
    for words in (f"{day:%d.%m.%Y}", f"{day:%d.%m.%y}", f"{day.isoformat()}", f"{day:%d.%m.%Y} р."):
        assert understand(words, today=TODAY) == certain
    for words in (f"{day.day}/{day.month}/{day.year}", f"{day:%d-%m-%Y}"):
        understood = understand(words, today=TODAY)
        assert understood is not None
        assert understood.edtf == day.isoformat()
        assert understood.certain is (day.day > 12 or day.day == day.month)
    assert span(certain.edtf) == (day, day)


@given(st.dates(min_value=date(1990, 1, 1), max_value=TODAY), st.sampled_from(LANGUAGES))
def test_a_day_said_back_is_understood_again(day: date, lang: str) -> None:
    for edtf in (day.isoformat(), f"{day:%Y-%m}", f"{day:%Y}", f"{day.isoformat()}~", f"{day:%Y}-22"):
        if span(edtf)[0] <= TODAY:
            words = said_in(lang, edtf)
            assert understand(words, today=TODAY) == Understood(edtf, certain=True), words


@given(st.dates(min_value=date(2022, 1, 1), max_value=date(2040, 12, 31)))
def test_words_of_nearness_hold_on_every_day(today: date) -> None:
    yesterday = understand("вчора", today=today)
    assert yesterday == Understood((today - timedelta(days=1)).isoformat(), certain=True)
    for words in (
        "у вересні",
        "5 травня",
        "29 лютого",
        "взимку",
        "восени",
        "у середу",
        "минулої зими",
        "last may",
    ):
        past = understand(words, today=today)
        coming = understand(words, today=today, ahead=True)
        assert past is not None
        assert coming is not None
        assert span(past.edtf)[0] <= today
        assert today - span(past.edtf)[1] <= timedelta(days=366 if "29" not in words else 366 * 8)
        if "last" not in words and "мин" not in words:
            assert span(coming.edtf)[1] >= today


def said_in(lang: str, edtf: str) -> str:
    return in_words(spoken(edtf), CATALOGUES[lang])


def in_words(text: Text, catalogue: GNUTranslations) -> str:
    values = {
        name: in_words(value, catalogue) if isinstance(value, Text) else value
        for name, value in text.params.items()
    }
    words = catalogue.gettext(text.key)
    assert words != text.key
    return words.format(**values)


def test_spans() -> None:
    assert span("2022") == (date(2022, 1, 1), date(2022, 12, 31))
    assert span("2024-02~") == (date(2024, 2, 1), date(2024, 2, 29))
    assert span("2022-21") == (date(2022, 3, 1), date(2022, 5, 31))
    assert span("2022-22") == (date(2022, 6, 1), date(2022, 8, 31))
    assert span("2022-23") == (date(2022, 9, 1), date(2022, 11, 30))
    assert span("2022-24") == (date(2022, 1, 1), date(2022, 12, 31))
    assert span("2022-09/2023-05") == (date(2022, 9, 1), date(2023, 5, 31))
    assert span("2022-12~/2023") == (date(2022, 12, 1), date(2023, 12, 31))
    assert span("2022-09-06/..") == (date(2022, 9, 6), date.max)
    assert span("../2022-09") == (date.min, date(2022, 9, 30))


@pytest.mark.parametrize(
    "edtf",
    ["", "..", "../..", "2022-13", "2022-20", "2022-25", "2022-02-30", "2022-1", "22", "2022/2023/2024"],
)
def test_no_other_text_is_an_edtf_of_ours(edtf: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        span(edtf)


def test_said_back_in_each_language() -> None:
    said = {
        "2022": ("2022 рік", "2022 год", "2022 год", "2022"),
        "2022-09~": (
            "приблизно вересень 2022", "примерно сентябрь 2022", "прыблізна верасень 2022", "about September 2022",
        ),
        "2022-10-10~": (
            "приблизно 10 жовтня 2022", "примерно 10 октября 2022", "прыблізна 10 кастрычніка 2022",
            "about 10 October 2022",
        ),
        "2022-23": ("осінь 2022", "осень 2022", "восень 2022", "autumn 2022"),
        "2022-09/2023-05": (
            "вересень 2022 – травень 2023", "сентябрь 2022 – май 2023", "верасень 2022 – май 2023",
            "September 2022 – May 2023",
        ),
        "2022-09-06/..": (
            "6 вересня 2022 і пізніше", "6 сентября 2022 и позже", "6 верасня 2022 і пазней",
            "6 September 2022 and later",
        ),
        "../2022-24": (
            "зима 2022 або раніше", "зима 2022 или раньше", "зіма 2022 або раней", "winter 2022 or earlier",
        ),
    }  # fmt: skip
    for edtf, phrases in said.items():
        assert tuple(said_in(lang, edtf) for lang in LANGUAGES) == phrases


def test_recent_is_known_to_the_month_and_within_the_days() -> None:
    for edtf, recent in {
        "2026-11-01": True,
        "2026-11": True,
        "2026-10-23": True,
        "2026-10-22": False,
        "2026-10-22~": True,  # a month ago, roughly
        "2026-10-15~": False,
        "2026-10": True,
        "2026-09": False,
        "2026": False,
        "2026-23": False,
        "2026-11-09/2026-11-15": True,
        "2026-09/2026-11": True,  # the last time was in November
        "2026-09/2026-10-01": False,
        "2026-11-01/..": True,
        "2022-09/..": False,
        "../2026-11": True,
        "../2022-09": False,
    }.items():
        assert may_be_recent(edtf, today=TODAY, days=30) is recent, edtf


def test_a_birthday_to_come() -> None:
    for born, comes in (
        ("2008-11-22", True),
        ("2009-02-20", True),
        ("2009-02-21", False),
        ("2008-11-21", False),
        ("2008-12", True),
        ("2008-12~", True),
        ("2009", False),
        ("2008-02-29", False),
        ("2008-12-01/2008-12-10", True),
        ("2008-12/2009-01", False),
        ("2008-12-01/..", False),
        ("../2009-01", False),
    ):
        assert birthday_may_come(born, years=18, today=TODAY, days=90) is comes, born


def test_every_word_has_a_tag_that_is_explained() -> None:
    assert {tag for tag, _ in WORDS.values()} <= set(TAGS)


@pytest.mark.parametrize(
    ("words", "more", "edtf", "certain"),
    [
        ("восени 22-го", (), "2022-23", True),
        ("5 грудня", (), "2025-12-05", False),
        ("5 грудня", ("--ahead",), "2026-12-05", False),
        ("не знаю", (), None, False),
    ],
)
def test_the_command_prints_json(words: str, more: tuple[str, ...], edtf: str | None, certain: bool) -> None:  # noqa: FBT001 - a table's column
    command = [sys.executable, "-m", "flows", "understand-date", words, "--today", "2026-11-22", *more]
    printed = subprocess.run(command, capture_output=True, check=True, cwd=FOLDER.parents[2]).stdout.decode()
    assert printed.count("\n") == 1
    assert words in printed
    assert json.loads(printed) == {"edtf": edtf, "certain": certain, "words": words}
