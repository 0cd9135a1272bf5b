"""Derives mistakable.txt: settlements whose name, though none other in Ukraine bears it now, may mean another place.

Either a town of Belarus or Russia is called so, or a village of another oblast was, by the post codes; so the name
alone is no proof of what is meant. A city of Ukraine is not mistaken for these.
"""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Final

from flows.data.make.raions_before import BESIDES
from flows.data.make.tables import Settlement
from flows.placenames import key

# ISO 3166-2:UA codes of oblasts that the codifier numbers otherwise.
NUMBERED_OTHERWISE: Final = {"09": "44", "43": "01", "40": "85", "30": "80", "77": "73"}
TOWN: Final = "M"
CITIES: Final = "KM"


def build(settlements: Iterable[Settlement], abroad: str) -> str:
    """One code a line, sorted."""
    bearers: dict[str, list[Settlement]] = defaultdict(list)
    for one in settlements:
        for name in {key(name) for name in (one.uk, one.ru, one.be) if name}:
            bearers[name].append(one)
    elsewhere = _oblasts_of_names()
    foreign = {key(name) for row in csv.reader(io.StringIO(abroad)) if row[2] == TOWN for name in _names(row)}
    found = {
        alone[0].code
        for name, alone in bearers.items()
        if len(alone) == 1
        and alone[0].kind not in CITIES
        and (name in foreign or elsewhere.get(name, set()) - {alone[0].code[2:4]})
    }
    return "".join(f"{code}\n" for code in sorted(found))


def _names(row: list[str]) -> list[str]:
    *own, _, others = row[3:]
    return [name for name in (*own, *others.split(";")) if name]


def _oblasts_of_names() -> Mapping[str, set[str]]:
    """Key of a name → the codifier's digits of the oblasts where a post office bears it."""
    source = resources.files("countrystatecity_postal_codes") / "data/by-country/UA/postcodes.json"
    found: dict[str, set[str]] = defaultdict(set)
    for row in json.loads(source.read_text(encoding="utf-8")):
        oblast = NUMBERED_OTHERWISE.get(row["stateCode"], row["stateCode"])
        found[key(BESIDES.sub("", row["localityName"]))].add(oblast)
    return found
