"""Facilities and organisations of the starter vocabulary are found by any spelling, and by nothing else."""

import csv
from pathlib import Path

import pytest

from flows.lookup import facility_candidates
from flows.vocabulary import MOST, Vocabulary, names_a_kind

DATA = Path(__file__).parents[2] / "flows" / "data" / "vocabulary"


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary.load()


@pytest.mark.parametrize(
    ("written", "lang", "facility"),
    [
        ("Зубреня", "uk", "zubrenok"),
        ("Зубрьонок", "uk", "zubrenok"),
        ("у Зубрьонку", "uk", "zubrenok"),
        ("дитячий центр зубрьонок", "uk", "zubrenok"),
        ("Зубрёнок", "ru", "zubrenok"),
        ("у Зубрёнка в лагере", "ru", "zubrenok"),
        ("в «Зубрёнке»", "ru", "zubrenok"),
        ("Зубренок", "ru", "zubrenok"),
        ("зубрнок", "ru", "zubrenok"),
        ("Зубраня", "be", "zubrenok"),
        ("лагер Зубранё", "be", "zubrenok"),
        ("Zubryonok", "en", "zubrenok"),
        ("Zubrenok camp near Myadel", "en", "zubrenok"),
        ("в Дубраві", "uk", "dubrava"),
        ("в Дубраве", "ru", "dubrava"),
        ("у Дубраве", "be", "dubrava"),
        ("camp Dubrava", "en", "dubrava"),
        ("в Золотых песках", "ru", "golden-sands"),
        ("у Золотих пісках", "uk", "golden-sands"),
        ("Острошицкий городок", "ru", "ostroshitsky"),
        ("санаторий Ждановичи", "ru", "zhdanovichi"),
        ("на Волме", "ru", "volma"),
        ("лагерь Колос под Брестом", "ru", "kolos"),
        ("поезд Адлер - Минск", "ru", "adler-minsk"),
        ("Зелёный бор", "ru", "zeleny-bor"),
        ("санаторий Дубровенка", "ru", "dubrovenka"),
    ],
)
def test_a_facility_is_found_by_any_spelling(
    vocabulary: Vocabulary, written: str, lang: str, facility: str
) -> None:
    assert vocabulary.facilities(written, lang)[0].id == facility


@pytest.mark.parametrize(
    ("written", "lang", "organisation"),
    [
        ("фонд Талая", "ru", "talai"),
        ("фонд Алексея Талая", "ru", "talai"),
        ("благодійний фонд Олексія Талая", "uk", "talai"),
        ("Talai foundation", "en", "talai"),
        ("Дельфины", "ru", "dolphins"),
        ("Дельфіни", "uk", "dolphins"),
        ("от Беларуськалия", "ru", "belaruskali"),
        ("Белорусский Красный Крест", "ru", "brc"),
        ("Беларускі Чырвоны Крыж", "be", "brc"),
        ("Belarus Red Cross", "en", "brc"),
        ("Союзное государство", "ru", "union-state"),
    ],
)
def test_an_organisation_is_found_by_any_spelling(
    vocabulary: Vocabulary, written: str, lang: str, organisation: str
) -> None:
    assert vocabulary.organisations(written, lang)[0].id == organisation


@pytest.mark.parametrize(
    "written",
    ["", " ", "не знаю", "лагерь", "санаторий", "Беларусь", "Донецьк", "крест", "фонд", "camp", "12", "🙂"],
)
def test_what_names_none_finds_none(vocabulary: Vocabulary, written: str) -> None:
    assert vocabulary.facilities(written, "ru") == []
    assert vocabulary.organisations(written, "ru") == []


def test_every_entry_keeps_its_source_and_is_found_by_each_of_its_names(vocabulary: Vocabulary) -> None:
    listed = {"facilities": rows("facilities.csv"), "organisations": rows("organisations.csv")}
    for kind, entries in listed.items():
        for row in entries:
            for lang in ("uk", "ru", "be", "en"):
                found = getattr(vocabulary, kind)(row[f"name_{lang}"].split(" (")[0], lang)
                assert row["id"] in {one.id for one in found}, row[f"name_{lang}"]
                assert len(found) <= MOST
                assert all(one.source and one.status in {"reported", "alleged", "planned"} for one in found)


def test_each_alias_is_of_an_entry_and_the_caveat_is_kept() -> None:
    ids = {row["id"] for name in ("facilities.csv", "organisations.csv") for row in rows(name)}
    assert {row["id"] for row in rows("aliases.csv")} <= ids
    assert "suggestions only, each with its source; never a finding" in (DATA / "README.md").read_text(
        encoding="utf-8"
    )


def test_a_word_for_a_kind_of_facility_is_heard() -> None:
    assert names_a_kind("в лагере под Минском")
    assert not names_a_kind("под Минском")


def test_candidates_are_never_taken_as_meant_without_a_tap(vocabulary: Vocabulary) -> None:
    found = facility_candidates("Зубрёнок", "ru", vocabulary)
    assert found[0]["facility"] == "zubrenok"
    assert found[0]["name"] == {"uk": "Зубреня", "ru": "Зубрёнок", "be": "Зубраня", "en": "Zubrenok"}
    assert found[0]["country"] == "BY"
