"""Derives raions-before.csv: which settlement lay in which raion until July 2020, where a source says so.

The codifier knows today's raions only. But the first three digits of a Ukrainian post code are those of a raion as it
was before, or of a city apart from raions; so a settlement's old raion follows from the post code of its name in its
oblast. Namesakes are told apart by their neighbours of one hromada; where that does not decide, nothing is said.
"""

import csv
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Final

from flows.data.make.tables import Settlement, hand_made
from flows.placenames import key, romanised

# ISO 3166-2:UA codes of the oblasts told of, and the codifier's digits.
OBLASTS: Final = {"14": "14", "09": "44", "65": "65", "23": "23", "63": "63", "48": "48", "43": "01"}
VOTES_LEAST: Final = 2  # neighbours of one hromada before they speak for one that has no post code of its own
BESIDES: Final = re.compile(r"(?i)\b(селище|село|смт|вокзал|ст\.?)\b|\d+$")


def build(settlements: Iterable[Settlement]) -> str:
    """Lines of the raion's name in four languages, older names, its oblast, its centre, and codes that lay in it."""
    here = [one for one in settlements if one.code[2:4] in OBLASTS.values()]
    posts, centres = _post_codes()
    of = _posts_of(here, posts)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in hand_made("raions-before.csv"):
        apart = set(row["apart"].split(";"))
        inside = [one for one in here if of.get(one.code) == row["post"]]
        towns = [one for one in inside if one.kind == "M" and one.uk in apart]
        codes = sorted(one.code for one in inside if one not in towns)
        centre = _centre(inside, here, apart, centres.get(row["post"], ""))
        names = (
            f"{row['uk']} район",
            f"{romanised(row['uk'])} Raion",
            f"{row['ru']} район",
            f"{row['be']} раён",
        )
        writer.writerow([*names, row["older"], codes[0][:4], centre.code, " ".join(codes)])
    return out.getvalue()


def _post_codes() -> tuple[Mapping[tuple[str, str], set[str]], Mapping[str, str]]:
    """Oblast and key of a name → first three digits of its post codes; these digits → key of the chief post office."""
    source = resources.files("countrystatecity_postal_codes") / "data/by-country/UA/postcodes.json"
    posts: dict[tuple[str, str], set[str]] = defaultdict(set)
    centres = {}
    for row in json.loads(source.read_text(encoding="utf-8")):
        if row["stateCode"] in OBLASTS:
            name = key(BESIDES.sub("", row["localityName"]))
            posts[OBLASTS[row["stateCode"]], name].add(row["code"][:3])
            if row["code"].endswith("00"):
                centres[row["code"][:3]] = name
    return posts, centres


def _posts_of(settlements: list[Settlement], posts: Mapping[tuple[str, str], set[str]]) -> dict[str, str]:
    """Code of a settlement → the first three digits of its post code, where they are certain."""
    namesakes = Counter((one.code[2:4], key(one.uk)) for one in settlements)
    certain = {}
    for one in settlements:
        said = posts.get((one.code[2:4], key(one.uk)), set())
        if len(said) == 1 and namesakes[one.code[2:4], key(one.uk)] == 1:
            certain[one.code] = min(said)
    around: dict[str, Counter[str]] = defaultdict(Counter)
    for code, post in certain.items():
        around[code[:6]][post] += 1
        around[code[:9]][post] += 1
    for one in settlements:
        if one.code not in certain:
            post = _among(one, posts, around[one.code[:9]], around[one.code[:6]])
            if post:
                certain[one.code] = post
    return certain


def _among(
    one: Settlement,
    posts: Mapping[tuple[str, str], set[str]],
    hromada: Counter[str],
    raion: Counter[str],
) -> str:
    """The one of its name, of today or before, that its neighbours have; else theirs, if they all have the same."""
    for names in ({one.uk}, one.lately | one.aliases):
        said = {post for name in names for post in posts.get((one.code[2:4], key(name)), ())}
        near = said & hromada.keys() or said & raion.keys()
        if len(near) == 1:
            return min(near)
    return min(hromada) if len(hromada) == 1 and hromada.total() >= VOTES_LEAST else ""


def _centre(inside: list[Settlement], here: list[Settlement], apart: set[str], chief: str) -> Settlement:
    """Where the chief post office was; else the city of which the raion bore the name; else its largest settlement."""
    named = [one for one in inside if chief in {key(name) for name in {one.uk} | one.lately | one.aliases}]
    oblast = inside[0].code[2:4]
    cities = [one for one in here if one.kind == "M" and one.uk in apart and one.code[2:4] == oblast]
    return min(named or cities or inside, key=lambda one: one.rank)
