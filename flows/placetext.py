"""What a person wrote of a place, read: the name, what stands beside it, and the areas it is said to lie in.

    read("біля Харцизька, Донецька обл.").bare      # ("харцизка",)
    read("біля Харцизька, Донецька обл.").areas     # (Area("донецка", oblast=True),)

Bounded: of a longer text the beginning is read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from flows import placenames

LENGTH_CAP: Final = 120  # characters read of a text
WORDS_CAP: Final = 12  # words of it tried on their own

Words = tuple[str, ...]  # keys of a name's words

# Words before a name: what kind of place it is, and where it lies to it. Written as `placenames.plain` leaves them.
_TYPES: Final = (
    "м|с|смт|сщ|с-ще|г|гор|пгт|пос|п|х|д|дер|місто|міста|місті|село|села|селі|селище|селища|селищі|хутір|"
    "город|города|городе|городок|посёлок|поселок|посёлка|поселка|посёлке|поселке|деревня|деревни|деревне|селе|хутор|"
    "горад|горада|горадзе|вёска|вёскі|вёсцы|сяло|пасёлак|"
    "town of|city of|village of|town|city|village|the city of|the town of|the village of"
)
_NEAR: Final = (
    "в|у|з|із|зі|на|до|біля|коло|під|поблизу|поряд з|поруч з|недалеко від|неподалік|неподалік від|десь біля|район|"
    "із-під|з-під|від|за|через|ми з|ми жили в|ми жили у|я з|"
    "с|из|со|к|от|возле|возлє|около|под|с под|из под|из-под|недалеко от|рядом с|близ|где-то под|где-то возле|"
    "где-то около|мы из|мы жили в|я из|ў|каля|ля|пад|з-пад|недалёка ад|непадалёк ад|са|ад|мы з|недзе каля|недзе пад|"
    "in|at|from|near|around|by|close to|not far from|somewhere near|next to|outside|the|to|we are from|i am from"
)
_LEADING: Final = re.compile(rf"^(?:(?P<near>{_NEAR})\s+|(?:{_TYPES})(?:\.\s*|\s+))")
_AREA: Final = re.compile(
    r"(?P<name>[\w'’ʼ-]+)\s+(?:(?P<oblast>обл(?:аст\w*|\b)\.?|вобл(?:асц\w*|\b)\.?|oblast|region|края?\b|край)|"
    r"(?:район\w*|р-н\w*|раён\w*|raion|rayon|district|громад\w*|hromada))",
)
_PARTS: Final = re.compile(
    r"[,;()/\n]+|\s[–—-]\s|\.\s|"
    r"\s(?:біля|коло|під|поблизу|недалеко від|возле|возлє|около|под|рядом с|недалеко от|каля|ля|пад|near|close to)\s"
)
_WORD: Final = re.compile(r"[^\W\d_][\w'’ʼ-]*")
_SELF_STYLED: Final = MappingProxyType(
    {
        "днр": "донецка",
        "лнр": "луганска",
        "dpr": "донецка",
        "lpr": "луганска",
        "dnr": "донецка",
        "lnr": "луганска",
    }
)
# Lands that people name as if they were areas of the codifier; nobody means a village abroad of that name.
_LANDS: Final = MappingProxyType(
    dict.fromkeys(("крим", "криму", "крима", "криме", "кримом"), "крим")
    | dict.fromkeys(("республикакрим", "автономнареспубликакрим", "автономнаяреспубликакрим", "арк"), "крим")
    | dict.fromkeys(("донбас", "донбасу", "донбаса", "донбасе", "донбасі"), "донецка")
)
_SPLIT: Final = re.compile(r"i(?=[aeu])|y(?=i)")
_RUSSIAN_KEYS: Final = str.maketrans("qwertyuiop[]asdfghjkl;'zxcvbnm,.`", "йцукенгшщзхъфывапролджэячсмитьбюё")
_UKRAINIAN_KEYS: Final = str.maketrans(
    "qwertyuiop[]asdfghjkl;'zxcvbnm,.`", "йцукенгшщзхїфівапролджєячсмитьбю’"
)


@dataclass(frozen=True)
class Area:
    """A raion, hromada or oblast named beside a place, or a town that it lies near."""

    key: str
    oblast: bool = False
    town: bool = False


@dataclass(frozen=True)
class Asked:
    """What was read in a text, as keys: `bare` is the name without the words before it."""

    written: Words
    bare: Words
    near: bool  # a preposition stood before it, so the name is likely inflected
    beside: tuple[Words, ...]
    areas: tuple[Area, ...]
    words: Words  # all of them but the areas
    marked: frozenset[str]  # those written with a capital, or after a preposition


def read(text: str) -> Asked:
    """The name, and what stands around it, in the first line or part of a text."""
    plain = placenames.plain(text[:LENGTH_CAP]).strip(' .!?«»"“”„:–—-\t\r\n')
    named = _AREA.finditer(plain)
    areas = [Area(placenames.from_plain(found["name"]), oblast=bool(found["oblast"])) for found in named]
    rest = _AREA.sub(" , ", plain)
    parts = [part.strip(" .") for part in _PARTS.split(rest) if part.strip(" .")]
    lands = {part: _land(part) for part in parts}
    areas += [Area(land, oblast=True) for land in lands.values() if land]
    parts = [part for part in parts if not lands[part]]
    name, *beside = [part for part in parts if not _says_nothing(part)] or parts or [""]
    first, *last = name.rsplit(" ", 1)
    if last and last[0] in _SELF_STYLED:
        name, beside = first, [*beside, last[0]]
    bare, near = _stripped(name)
    near = near or (bool(parts) and name != parts[0])
    others = [_keys(_stripped(part)[0]) for part in beside if part not in _SELF_STYLED]
    areas += [Area(_SELF_STYLED[part], oblast=True) for part in beside if part in _SELF_STYLED]
    areas += [Area(placenames.joined(words), town=True) for words in others if words]
    return Asked(
        _keys(name),
        _keys(bare),
        near,
        tuple(filter(None, others)),
        tuple(areas),
        _keys(rest),
        _marked(text[:LENGTH_CAP]),
    )


def otherwise(text: str, lang: str) -> Iterator[tuple[str, bool]]:
    """Latin letters read otherwise, «ia» apart or a keyboard not switched; and whether only an exact name counts."""
    if text.isascii():
        folded = text[:LENGTH_CAP].casefold()
        apart = _SPLIT.sub(lambda vowel: vowel[0] + "'", folded)
        if apart != folded:
            yield apart, False
        yield folded.translate(_UKRAINIAN_KEYS if lang == "uk" else _RUSSIAN_KEYS), True


def _keys(text: str) -> Words:
    found = (placenames.from_plain(word) for word in _WORD.findall(text)[:WORDS_CAP])
    return tuple(key for key in found if key)


def _land(part: str) -> str:
    return _LANDS.get(placenames.joined(_keys(_stripped(part)[0])), "")


def _says_nothing(part: str) -> bool:
    return all(word in NOT_A_NAME or word in PREPOSITIONS for word in _keys(part))


def _marked(text: str) -> frozenset[str]:
    words = _WORD.findall(text)
    keys = [placenames.key(word) for word in words]
    after = {key for before, key in pairwise(keys) if before in PREPOSITIONS}
    return frozenset(
        after | {key for word, key in zip(words[1:], keys[1:], strict=True) if word[0].isupper()}
    )


def _stripped(name: str) -> tuple[str, bool]:
    near = False
    while (leading := _LEADING.match(name)) and leading.end() < len(name):
        near = near or leading["near"] is not None
        name = name[leading.end() :]
    return name, near


PREPOSITIONS: Final = frozenset(
    placenames.key(word) for words in (_NEAR, _TYPES) for word in re.split(r"[| ]", words)
)
# Words of a sentence about a place that are also some village's name, or near one.
NOT_A_NAME: Final = frozenset(
    placenames.key(word)
    for word in (  # noqa: SIM905 - words read as words
        "школа школи школу школі школой школы школе школою школьников інтернат інтернату інтернаті интернат интерната "
        "интернате інтэрнат садок садка садочок садик сад саду дитячий дитячого детский детского детском дзіцячы "
        "будинок будинку дом дома доме домой доми вдома лікарня лікарні лікарню больница больницы больнице больницу "
        "бальніца бальніцы вулиця вулиці улица улицы улице знаю знаємо помню памʼятаю ведаю памятаю памяти память "
        "звідти оттуда там тут здесь десь где где-то дзе недзе область області района район раён громада громади "
        "місто міста місті город города городе село села селі селе селище посёлок старий новий старая новая велика "
        "большая мала малая центр центру центре центра ліцей лицей гімназія гимназия училище коледж колледж табір "
        "табору таборі таборе табори лагерь лагеря лагере лагерю лагер лагеры лагєрь санаторій санаторію санаторії "
        "санаторий санатория санатории санаторый дитина дитину дитини дітей діти дитей ребенок ребёнка ребенка детей "
        "дети дзеці дзяцей мама мами маму тато папа бабуся бабусі бабушка бабушки бабушке родина родини семья семьи "
        "сестра сестри брат брата друг подруга сусіди соседи війна війни война дорога дорозі дороге станція станції "
        "станция вокзал вокзалу вокзале пошта ринок магазин море моря морем морі далеко далёка далекий близько близко "
        "недалеко біля возле около каля точно россия росії росія россии беларусь білорусь украина україна україні "
        "крим крим’ян донбас забрали увезли вивезли вывезли привезли повезли везли відвезли отвезли поїхали были була "
        "був были жили жив живём живу живемо осень літо лето зима весна день ночь утро потом потім тогда тоді сейчас "
        "зараз сегодня вчора вчера никто ніхто нікуди никуда какой якийсь якомусь каком-то какая хто кто что що "
        "разница кажется здається наверное мабуть может можливо скажу расскажу говорят кажуть сказали казали "
        "військові военные солдаты люди автобус автобусе автобусом потяг поїзд поезд поезде машина река річка река "
        "ліс лес поле гора горах степ степу границя кордон граница мяжа номер нумар квартира подвал підвал "
        "children childrens child school boarding orphanage hospital street know remember home house camp centre "
        "center village town city sea somewhere near region district she was were taken they from with the "
        "unknown station port train russia belarus ukraine don dont not sure sanatorium kids boy girl"
    ).split()
)
