"""What people write of a place, in tables: one written before the code, one after it by who had not looked at it again.

A row is a language, how it is spoken, the words, and what must be among the first (one, unless it is truly ambiguous):
a code of the codifier, `geonames:` and a number, `facility:` and an id; nothing where the words name no place.
"""

import csv
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.lookup import candidates
from flows.places import COUNTRIES, MOST, Places
from flows.understand_place import language, understood
from flows.vocabulary import Vocabulary

HERE = Path(__file__).parent
RIGHT_LEAST = 0.95
FIELDS = {"name_en", "name_uk", "raion", "oblast", "country", "aliases", "id", "kind", "raion_before"}


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


WRITTEN_BEFORE = rows("places.csv")
HELD_OUT = rows("places-held-out.csv")


@pytest.fixture(scope="module")
def places() -> Places:
    return Places.load()


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary.load()


@pytest.fixture(scope="module")
def right(places: Places, vocabulary: Vocabulary) -> Callable[[dict[str, str], str], bool]:
    def is_right(row: dict[str, str], lang: str) -> bool:
        found = understood(row["text"], lang, places, vocabulary)["candidates"]
        ids = [("facility:" if one["kind"] == "facility" else "") + one["id"] for one in found]
        return row["id"] in ids[: int(row["within"])] if row["id"] else not ids

    return is_right


def test_the_tables_are_large_enough_and_in_every_tongue() -> None:
    tongues = Counter((row["lang"], row["register"]) for row in WRITTEN_BEFORE)
    assert len(WRITTEN_BEFORE) >= 170
    assert all(tongues[lang, "plain"] >= 35 for lang in ("uk", "ru", "be", "en"))
    assert tongues["uk", "surzhyk"] >= 20
    assert tongues["be", "trasianka"] >= 20
    assert len({row["text"] for row in WRITTEN_BEFORE + HELD_OUT}) > 0.98 * len(WRITTEN_BEFORE + HELD_OUT)


@pytest.mark.parametrize("row", WRITTEN_BEFORE, ids=lambda row: f"{row['lang']} {row['text']}")
def test_what_was_written_is_understood(
    right: Callable[[dict[str, str], str], bool], row: dict[str, str]
) -> None:
    assert right(row, row["lang"])


def test_of_what_was_not_looked_at_nearly_all_is_understood(
    right: Callable[[dict[str, str], str], bool],
) -> None:
    wrong = [row["text"] for row in HELD_OUT if not right(row, row["lang"])]
    assert len(wrong) <= (1 - RIGHT_LEAST) * len(HELD_OUT), wrong


def test_nearly_all_is_understood_when_only_the_letters_tell_the_language(
    right: Callable[[dict[str, str], str], bool],
) -> None:
    every = WRITTEN_BEFORE + HELD_OUT
    wrong = [row["text"] for row in every if not right(row, language(row["text"]))]
    assert len(wrong) <= (1 - RIGHT_LEAST) * len(every), wrong


def test_nothing_wrong_is_taken_as_meant(places: Places) -> None:
    taken = Counter[bool]()
    for row in WRITTEN_BEFORE + HELD_OUT:
        _, sure = candidates(row["text"], row["lang"], places)
        assert sure is None or sure["place"] == row["id"], row["text"]
        taken[sure is not None] += 1
    assert taken[True] > 10


def test_of_namesakes_none_is_taken_as_meant(places: Places) -> None:
    for written in ("Первомайськ", "Миколаївка", "Лиман", "Дзержинск", "Новий Світ"):
        near, sure = candidates(written, "uk", places)
        assert sure is None
        assert len(near) > 1


def test_the_command_prints_one_line_of_json() -> None:
    def said(*arguments: str) -> dict[str, list[dict[str, object]]]:
        command = [sys.executable, "-m", "flows", "understand-place", *arguments]
        out = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout.decode()
        assert out.count("\n") == 1
        found: dict[str, list[dict[str, object]]] = json.loads(out)
        assert all(set(one) == FIELDS for one in found["candidates"])
        return found

    first = said("из Красного Лимана")["candidates"][0]
    assert (first["name_en"], first["oblast"], first["country"]) == ("Lyman", "Donetsk Oblast", "UA")
    assert "Красный Лиман" in first["aliases"]  # type: ignore[operator]
    assert first["raion"] == "Kramatorskyi Raion"
    assert first["raion_before"] == "Lymanskyi Raion"
    assert said("не знаю") == {"candidates": []}


def test_a_name_that_another_place_has_or_had_is_not_taken_as_meant(places: Places) -> None:
    for written in ("Ростов", "Надеждівка", "Ударне"):  # a town of Russia; villages renamed in other oblasts
        near, sure = candidates(written, "uk", places)
        assert sure is None
        assert [place["name"]["uk"] for place in near] == [written]


def test_places_abroad_are_told_only_when_asked_for(places: Places) -> None:
    assert places.suggest("Мядель", "ru") == []
    abroad = places.suggest("Мядель", "ru", COUNTRIES)[0]
    assert (abroad.name["be"], abroad.country, abroad.oblast["en"]) == ("Мядзел", "BY", "Minsk Region")
    assert places.get(abroad.id) == abroad
    assert [place.country for place in places.suggest("Мядель", "ru", ("RU",))] == []


def test_ukraine_comes_first_where_names_are_equally_near(places: Places) -> None:
    countries = [place.country for place in places.suggest("Геленджик", "ru", COUNTRIES)]
    assert countries == sorted(countries, key=COUNTRIES.index)
    assert len(set(countries)) > 1
    assert len(countries) <= MOST


def test_the_raion_before_2020_tells_namesakes_apart(places: Places) -> None:
    for written, old in (
        ("Новий Світ, Старобешівський район", "Старобешівський район"),
        ("Успенка Амвросиевский район", "Амвросіївський район"),
        ("Приморське, Новоазовський р-н", "Новоазовський район"),
        ("Тельмановский район", "Бойківський район"),
    ):
        place = places.suggest(written, "uk")[0]
        assert place.raion_before["uk"] == old
        assert set(place.raion_before) == {"uk", "ru", "be", "en"}


def test_a_town_that_lay_apart_has_no_raion_of_before(places: Places) -> None:
    assert places.suggest("Горлівка", "uk")[0].raion_before == {}
    assert places.suggest("Бахмут", "uk")[0].raion_before == {}
