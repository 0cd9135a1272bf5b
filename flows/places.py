"""The gazetteer: what a person wrote of a place becomes at most five settlements to choose from, or none.

It knows only what is published: every settlement of the codifier (KATOTTG), Crimea and Sevastopol among them, with old
names and other languages' spellings where a source has them. It suggests, it never decides, and nothing it answers
depends on what anyone reported.

    places = Places.load()
    places.suggest("біля Харцизька", "uk")[0].name["en"]    # "Khartsyzk"
    places.suggest("не знаю", "uk")                         # []
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Final

from flows import placenames

LANGUAGES: Final = ("uk", "ru", "be", "en")
MOST: Final = 5  # suggestions
LENGTH_CAP: Final = 120  # characters read of a text
WORDS_CAP: Final = 8  # words of it tried on their own
PREFIX_LEAST: Final = 3  # letters before a name may be completed
SLIP_LEAST: Final = 4  # letters before one may be wrong
CODE_LENGTH: Final = 19
BONES_LEAST: Final = 2  # consonants before vowels may differ
SCAN_CAP: Final = 400  # keys looked through for one prefix or skeleton

_DATA: Final = Path(__file__).parent / "data"
_KINDS: Final = MappingProxyType({"K": "city", "M": "city", "X": "settlement", "C": "village"})
_NOWHERE: Final = MappingProxyType(dict.fromkeys(LANGUAGES, ""))

# Words before a name: what kind of place it is, and where it lies to it. Written as `placenames.plain` leaves them.
_TYPES: Final = (
    "м|с|смт|сщ|с-ще|г|пгт|пос|п|х|д|дер|місто|міста|місті|село|села|селі|селище|селища|хутір|город|города|городе|"
    "городок|посёлок|поселок|посёлка|поселка|деревня|деревни|деревне|хутор|горад|горада|горадзе|вёска|вёскі|вёсцы|"
    "town of|city of|village of|town|city|village|the city of|the town of|the village of"
)
_NEAR: Final = (
    "в|у|з|із|зі|на|до|біля|коло|під|поблизу|недалеко від|неподалік|неподалік від|десь біля|район|із-під|"
    "из|со|возле|около|под|из-под|недалеко от|рядом с|близ|где-то под|где-то возле|где-то около|"
    "ў|каля|ля|пад|недалёка ад|непадалёк ад|са|"
    "in|at|from|near|around|by|close to|not far from|somewhere near|outside|the"
)
_LEADING: Final = re.compile(rf"^(?:(?P<near>{_NEAR})|(?:{_TYPES}))(?:\.\s*|\s+)")
_AREA: Final = re.compile(
    r"(?P<name>[\w'’ʼ-]+)\s+(?P<kind>район\w*|р-н\w*|обл(?:аст\w*|\b)\.?|раён\w*|вобл(?:асц\w*|\b)\.?|"
    r"raion|rayon|district|oblast|region|громад\w*)",
)
_PARTS: Final = re.compile(r"[,;()/\n]+")
_WORD: Final = re.compile(r"[^\W\d_][\w'’ʼ-]*")
_SELF_STYLED: Final = MappingProxyType(
    {"днр": "донецка", "лнр": "луганска", "dpr": "донецка", "lpr": "луганска"}
)
# Words of a sentence about a place that are also some village's name, or near one.
_NOT_A_NAME: Final = frozenset(
    placenames.key(word)
    for word in [
        "школа",
        "школи",
        "школы",
        "школе",
        "інтернат",
        "интернат",
        "інтернату",
        "садок",
        "сад",
        "дитячий",
        "детский",
        "будинок",
        "дом",
        "лікарня",
        "больница",
        "вулиця",
        "улица",
        "знаю",
        "помню",
        "пам’ятаю",
        "ведаю",
        "память",
        "звідти",
        "оттуда",
        "там",
        "тут",
        "здесь",
        "десь",
        "где",
        "дома",
        "вдома",
        "область",
        "район",
        "громада",
        "місто",
        "город",
        "село",
        "селище",
        "старий",
        "новий",
        "старая",
        "новая",
        "велика",
        "большая",
        "мала",
        "малая",
        "центр",
        "ліцей",
        "гімназія",
        "табір",
        "лагерь",
        "санаторій",
        "санаторий",
        "children",
        "school",
        "boarding",
        "street",
        "know",
        "remember",
        "home",
        "house",
        "camp",
        "centre",
        "center",
        "village",
        "дитина",
        "ребенок",
        "діти",
        "дети",
        "мама",
        "тато",
        "папа",
        "бабуся",
        "бабушка",
        "родина",
        "семья",
        "сестра",
        "брат",
        "війна",
        "дорога",
        "станція",
        "вокзал",
    ]
)


@dataclass(frozen=True)
class Place:
    """A settlement, named in uk, ru, be and en: in Ukrainian where no source spells it in that language."""

    id: str  # KATOTTG code, 19 characters
    kind: str  # city, settlement or village
    name: Mapping[str, str]
    hromada: Mapping[str, str]  # "" for Kyiv and Sevastopol, as is raion
    raion: Mapping[str, str]
    oblast: Mapping[str, str]
    country: str = "UA"


@dataclass(frozen=True)
class _Asked:
    """What was read in a text: keys of the name as written, and of it without the words before."""

    written: str
    bare: str
    near: bool  # a preposition stood before it, so the name is likely inflected
    areas: tuple[str, ...]  # keys of raions and oblasts named beside it, or of a town it lies near


class Places:
    """All settlements, best known first: a row's number is its rank."""

    def __init__(self, rows: list[str], areas: Mapping[str, Mapping[str, str]]) -> None:
        self._rows = rows
        self._numbers = {row[:CODE_LENGTH]: number for number, row in enumerate(rows)}
        self._areas = areas
        self._area_keys: dict[str, frozenset[str]] = {}  # filled as areas are asked for
        self._own: dict[str, list[int]] = {}  # key of a present name → rows
        self._other: dict[str, list[int]] = {}  # key of an older or other spelling → rows
        self._index()
        self._keys = sorted(self._own.keys() | self._other.keys())
        self._skeletons: dict[str, list[str]] = {}
        bones = placenames.skeleton("\n".join(self._keys)).split("\n")
        for bone, key in zip(bones, self._keys, strict=True):
            self._skeletons.setdefault(bone, []).append(key)

    @classmethod
    def load(cls) -> "Places":
        """The gazetteer from flows/data: read once by a process, some tens of milliseconds."""
        rows = (_DATA / "settlements.csv").read_text(encoding="utf-8").splitlines()
        areas = {}
        for line in (_DATA / "areas.csv").read_text(encoding="utf-8").splitlines():
            code, uk, en, ru, be = line.split(",")
            areas[code] = {"uk": uk, "ru": ru or uk, "be": be or uk, "en": en}
        return cls(rows, areas)

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, code: str) -> Place | None:
        """The settlement with this KATOTTG code."""
        number = self._numbers.get(code)
        return None if number is None else self._place(number)

    def suggest(self, text: str, lang: str) -> list[Place]:
        """At most five settlements that a text may mean, likeliest first; none when nothing is near."""
        asked = _read(text)
        found = list(dict.fromkeys(self._likely(asked, lang) or self._within(text)))
        return [self._place(number) for number in self._there(found, asked.areas)[:MOST]]

    def _index(self) -> None:
        cells = [row.split(",", 6) for row in self._rows]
        keys = placenames.keys_of_lines("\n".join([cell[2] for cell in cells]))
        russian = placenames.russian_keys(keys)
        own, other = self._own, self._other
        for number, (_, _, _, ru, be, lately, others) in enumerate(cells):
            key, regular = keys[number], russian[number]
            own.setdefault(key, []).append(number)
            if regular != key:
                own.setdefault(regular, []).append(number)
            if ru or be or lately:
                names = {placenames.key(name) for name in (ru, be) if name}
                for name in (names | set(lately.split())) - {key, regular}:
                    own.setdefault(name, []).append(number)
            for name in others.split():
                other.setdefault(name, []).append(number)

    def _likely(self, asked: _Asked, lang: str) -> list[int]:
        """Rows for the text as one name: exactly, else completed, else spelled otherwise, else with one slip."""
        exact = self._exact(asked.written) + self._exact(asked.bare)
        cases = [row for key in placenames.nominatives(asked.bare) for row in self._own_or_other(key)]
        exact = sorted({*exact, *cases}) if asked.near else [*exact, *sorted(cases)]
        if exact:
            return exact
        if asked.bare in _NOT_A_NAME:
            return []
        keys = [asked.bare]
        if lang == "be" or "дз" in asked.bare:
            keys.append(placenames.belarusian(asked.bare))
        for key in dict.fromkeys(keys):
            found = self._completed(key) or self._respelled(key) or self._slipped(key)
            if found:
                return found
        return []

    def _exact(self, key: str) -> list[int]:
        return [*self._own.get(key, ()), *self._other.get(key, ())]

    def _own_or_other(self, key: str) -> list[int]:
        return self._own.get(key) or self._other.get(key, [])

    def _completed(self, key: str) -> list[int]:
        if len(key) < PREFIX_LEAST:
            return []
        start = bisect_left(self._keys, key)
        longer = islice(self._keys, start, start + SCAN_CAP)
        rows = {row for each in longer if each.startswith(key) for row in self._own_or_other(each)}
        return nsmallest(4 * MOST, rows)

    def _respelled(self, key: str) -> list[int]:
        """Names with the same consonants whose vowels differ as neighbouring languages' do."""
        bones = placenames.skeleton(key)
        most = min(3, len(key) // 3)
        if len(bones) < BONES_LEAST:
            return []
        near = [
            (placenames.slips(key, each, most), row)
            for each in self._skeletons.get(bones, ())[:SCAN_CAP]
            for row in self._own_or_other(each)
        ]
        return [row for slips, row in sorted(near) if slips <= most]

    def _slipped(self, key: str) -> list[int]:
        if not SLIP_LEAST <= len(key) <= LENGTH_CAP // 4:
            return []
        return sorted({row for each in placenames.one_slip(key) for row in self._own_or_other(each)})

    def _within(self, text: str) -> list[int]:
        """Rows for a name inside a sentence: the longest run of words that is one exactly, or in another case."""
        words = _WORD.findall(placenames.plain(text[:LENGTH_CAP]))[:WORDS_CAP]
        for length in (3, 2, 1):
            found: set[int] = set()
            for at in range(len(words) - length + 1):
                key = placenames.from_plain("".join(words[at : at + length]))
                if len(key) >= SLIP_LEAST and key not in _NOT_A_NAME:
                    found.update(self._exact(key))
                    for other in placenames.nominatives(key):
                        if other not in _NOT_A_NAME:
                            found.update(self._own_or_other(other))
            if found:
                return sorted(found)
        return []

    def _there(self, rows: list[int], areas: Iterable[str]) -> list[int]:
        """The rows that lie in the areas named beside them, if any does; all of them else."""
        for area in areas:
            inside = [row for row in rows if any(_same_area(area, name) for name in self._areas_of(row))]
            if not inside and (towns := self._exact(area) or self._inflected(area)):
                raion = self._rows[min(towns)][:6]
                inside = [row for row in rows if self._rows[row].startswith(raion)]
            rows = inside or rows
        return rows

    def _inflected(self, key: str) -> list[int]:
        return [row for each in placenames.nominatives(key) for row in self._own_or_other(each)]

    def _areas_of(self, row: int) -> Iterator[str]:
        for length in (4, 6, 9):
            code = self._rows[row][:length]
            if code not in self._area_keys:
                names = self._areas.get(code, _NOWHERE).values()
                self._area_keys[code] = frozenset(placenames.key(name.split(" ")[0]) for name in names)
            yield from self._area_keys[code]

    def _place(self, number: int) -> Place:
        code, kind, uk, ru, be, *_ = self._rows[number].split(",", 6)
        name = {"uk": uk, "ru": ru or uk, "be": be or uk, "en": placenames.romanised(uk)}
        hromada, raion, oblast = (self._areas.get(code[:length], _NOWHERE) for length in (9, 6, 4))
        return Place(code, _KINDS[kind], name, hromada, raion, oblast)


def _read(text: str) -> _Asked:
    """The name, and what stands around it, in the first line or part of a text."""
    plain = placenames.plain(text[:LENGTH_CAP]).strip(' .!?«»"“”„:–—-\t\r\n')
    areas = [placenames.from_plain(found["name"]) for found in _AREA.finditer(plain)]
    parts = [part.strip(" .") for part in _PARTS.split(_AREA.sub(" ", plain)) if part.strip(" .")] or [plain]
    name, *beside = parts
    first, *last = name.rsplit(" ", 1)
    if last and last[0] in _SELF_STYLED:
        name, beside = first, [*beside, last[0]]
    bare, near = _stripped(name)
    areas += [_SELF_STYLED.get(part) or placenames.from_plain(_stripped(part)[0]) for part in beside]
    return _Asked(placenames.from_plain(name), placenames.from_plain(bare), near, tuple(filter(None, areas)))


def _stripped(name: str) -> tuple[str, bool]:
    near = False
    while (leading := _LEADING.match(name)) and leading.end() < len(name):
        near = near or leading["near"] is not None
        name = name[leading.end() :]
    return name, near


def _same_area(asked: str, name: str) -> bool:
    """Whether an area's name, in any case, is this adjective: «донецкая», «донецькій», “Donetsk”."""
    stem = max(4, min(len(asked), len(name)) - 3)
    return bool(name) and asked[:stem] == name[:stem]
