"""`python -m flows understand-place TEXT` says as JSON what a person may mean by a place, best first.

A facility of the starter vocabulary comes before settlements that are no nearer; where a journey only passed through,
after them.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from typing import Any, Final

from flows.placeindex import Nearness
from flows.places import COUNTRIES, LANGUAGES, MOST, Place, Places
from flows.vocabulary import Entry, Vocabulary, names_a_kind

PASSED_THROUGH: Final = "transit"
_LETTERS_OF: Final = (
    ("be", re.compile("(?i)ў|дз[еіьяю]")),
    ("uk", re.compile("(?i)[іїєґ]")),
    ("en", re.compile("(?i)[a-z]")),
)

DESCRIPTION: Final = (
    "One line of JSON: the settlements (of Ukraine, Belarus, Russia) and facilities that a text may mean. The names of "
    "raion, raion before 2020, oblast or region are English; kind is city, settlement, village or facility."
)


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to those of `python -m flows`."""
    parser = commands.add_parser(
        "understand-place", help="say what a place may mean, as JSON", description=DESCRIPTION
    )
    parser.add_argument("text", help="as a person writes it")
    parser.add_argument("--lang", choices=LANGUAGES, help="of the person (default: told from the letters)")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Print the candidates."""
    found = understood(given.text, given.lang or language(given.text), Places.load(), Vocabulary.load())
    line = json.dumps(found, ensure_ascii=False) + "\n"
    sys.stdout.buffer.write(line.encode("utf-8", "replace"))
    return 0


def understood(
    text: str, lang: str, places: Places, vocabulary: Vocabulary
) -> dict[str, list[dict[str, Any]]]:
    """The candidates, best first."""
    settlements = places.found(text, lang, COUNTRIES)
    facilities = vocabulary.found(text, lang)
    if not names_a_kind(text):
        # A misspelled name of a facility is a guess that no settlement stands behind.
        nearest = min((nearness for nearness, _ in settlements), default=Nearness.NOT)
        facilities = [(nearness, entry) for nearness, entry in facilities if nearness <= nearest]
    stays = [_facility(entry) for _, entry in facilities if entry.kind != PASSED_THROUGH]
    passes = [_facility(entry) for _, entry in facilities if entry.kind == PASSED_THROUGH]
    candidates = [*stays, *(_settlement(place) for _, place in settlements), *passes]
    return {"candidates": candidates[:MOST]}


def language(text: str) -> str:
    """The language that the letters tell; Russian where they tell none."""
    return next((lang for lang, letters in _LETTERS_OF if letters.search(text)), "ru")


def _settlement(place: Place) -> dict[str, Any]:
    return {
        "name_en": place.name["en"],
        "name_uk": place.name["uk"],
        "raion": place.raion["en"],
        "oblast": place.oblast["en"],
        "country": place.country,
        "aliases": _others(
            [place.name["ru"], place.name["be"], *place.aliases], place.name["uk"], place.name["en"]
        ),
        "id": place.id,
        "kind": place.kind,
        "raion_before": place.raion_before.get("en", ""),
    }


def _facility(entry: Entry) -> dict[str, Any]:
    return {
        "name_en": entry.name["en"],
        "name_uk": entry.name["uk"],
        "raion": _part(entry.place, "district"),
        "oblast": _part(entry.place, "region"),
        "country": entry.country,
        "aliases": _others(
            [entry.name["ru"], entry.name["be"], *entry.aliases], entry.name["uk"], entry.name["en"]
        ),
        "id": entry.id,
        "kind": "facility",
        "raion_before": "",
    }


def _part(place: str, kind: str) -> str:
    return next((part.strip() for part in place.split(",") if kind in part), "")


def _others(names: Sequence[str], *but: str) -> list[str]:
    return [name for name in dict.fromkeys(names) if name and name not in but]
