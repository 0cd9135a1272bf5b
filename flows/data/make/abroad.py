"""Derives abroad.csv: places of Belarus and Russia where children were taken to, best known first, from GeoNames."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any, Final

from flows.data.make.cyrillic import CYRILLIC, NICKNAME, three
from flows.data.make.tables import hand_made
from flows.placenames import key

PEOPLE_LEAST: Final = 500
CITY: Final = 10_000  # people
ODD: Final = frozenset(',;"')  # no name of a place
MOST_WORDS: Final = 3  # of an alias


def build(cities: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """File name → text: the places, and the regions that they lie in."""
    return {"abroad.csv": _places(cities), "abroad-regions.csv": _regions()}


def _places(cities: Iterable[Mapping[str, Any]]) -> str:
    """Lines of GeoNames' id, region, kind, name in four languages, latitude and longitude, other spellings."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    by_hand = {row["geonameid"]: row for row in hand_made("names-abroad.csv")}
    chosen = [city for city in cities if city["population"] >= PEOPLE_LEAST and not ODD & set(city["name"])]
    for city in sorted(chosen, key=lambda city: (-city["population"], city["geonameid"])):
        spellings = sorted(set(city["alternatenames"]))
        names = by_hand.get(str(city["geonameid"])) or three(city["name"], spellings)
        own = {key(name) for name in (city["name"], names["uk"], names["ru"], names["be"])}
        others = {
            key(name): name
            for name in reversed(spellings)
            if CYRILLIC.fullmatch(name)
            and not NICKNAME.search(name)
            and name.count(" ") + name.count("-") < MOST_WORDS
        }
        region = f"{city['countrycode']}{city['admin1code']}"
        at = f"{city['latitude']:.2f} {city['longitude']:.2f}"
        kept = ";".join(sorted(name for folded, name in others.items() if folded not in own))
        kind = "M" if city["population"] >= CITY else "X"
        row = [city["geonameid"], region, kind, names["uk"], names["ru"], names["be"], city["name"], at, kept]
        writer.writerow(row)
    return out.getvalue()


def _regions() -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in hand_made("regions-abroad.csv"):
        writer.writerow([row["country"] + row["admin1"], row["uk"], row["en"], row["ru"], row["be"]])
    return out.getvalue()
