"""The codes of the places that a report names, in the order that matters: by them it finds the people who look there.

In Ukraine a code is the settlement's in the codifier (KATOTTG): `UA65…` lies in Kherson oblast, `UA6502…` in one raion
of it. Abroad it is the country's alone (ISO 3166): `BY`, `RU`. A place kept as typed has none,
and a facility the country's.

    place_codes(interview)      # ("UA65060070010048396", "RU")
    area("UA65")                # {"uk": "Херсонська область", …}
"""

from collections.abc import Mapping
from functools import cache

from flows.gazetteer import Ukraine
from flows.interview import Interview
from flows.path import live_answers, path
from flows.places import COUNTRIES, HOME

_TAKEN_FROM = ("place", "origin")
_SEEN_AT = "site"  # of who was not the family: any place on the way
_LEG = "leg_place"


def place_codes(interview: Interview) -> tuple[str, ...]:
    """Where the child was taken from, where it was seen, then the legs, the last first: where the child is now.

    Each code once; answers that the path no longer leads to do not count.
    """
    live = live_answers(path(interview.definition(), interview), interview)
    turns = (slot.partition("#") for slot in live)
    legs = sorted((int(turn) for step, _, turn in turns if step == _LEG), reverse=True)
    slots = (*_TAKEN_FROM, _SEEN_AT, *(f"{_LEG}#{turn}" for turn in legs))
    understood = ((live[slot].understood or {}) for slot in slots if slot in live)
    return tuple(dict.fromkeys(code for each in understood if (code := _code(each))))


def _code(understood: Mapping[str, object]) -> str:
    country = str(understood.get("country", ""))
    return str(understood.get("place", country)) if country in ("", HOME) else country


def area(prefix: str) -> Mapping[str, str] | None:
    """The name of the area or settlement whose codes begin so, in uk, ru, be, en; None when no code does."""
    if prefix in COUNTRIES:
        return dict.fromkeys(("uk", "ru", "be", "en"), prefix)
    return _ukraine().area(prefix) if prefix.startswith(HOME) else None


@cache
def _ukraine() -> Ukraine:
    return Ukraine()
