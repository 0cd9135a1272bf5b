"""Spellings of a settlement's name, made one: what a person wrote and what the codifier says meet in the same key.

A key keeps the letters that the languages of our reporters agree on:

    key("Харцизьк") == key("харцизк") == key("Khartsyzk") == "харцизк"
    skeleton(key("Харцызск")) == skeleton("харцизк") == "хрцзк"
    skeleton(key("Горлівка")) == skeleton(key("Горловка")) == "грлвк"
    romanised("Єнакієве") == "Yenakiieve"   # Cabinet of Ministers resolution 55 of 2010

Pure functions of short strings; whoever calls them bounds the length.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from types import MappingProxyType
from typing import Final

APOSTROPHES: Final = "'’ʼ`´‘ʹ′\""
STEM_LEAST: Final = 3  # letters before an ending
LETTERS: Final = "абвгдежзиклмнопрстуфхцчшщюя"  # all that a key is made of

_CYRILLIC: Final = str.maketrans(
    {
        **dict.fromkeys("іїыйѝ", "и"),
        **dict.fromkeys("єёэ", "е"),
        "ґ": "г",
        "ў": "в",
        "ь": "",
        "ъ": "",
        **dict.fromkeys(APOSTROPHES, ""),
    },
)
# Latin to Cyrillic, longest first: the ways 2010, the United Nations, passports and habit spell one letter.
_LATIN: Final = MappingProxyType(
    {"shch": "щ", "sch": "щ", "zgh": "зг", "kh": "х", "zh": "ж", "ch": "ч", "sh": "ш", "ts": "ц", "tz": "ц"}
    | {"ya": "я", "ia": "я", "ja": "я", "yu": "ю", "iu": "ю", "ju": "ю", "ye": "е", "ie": "е", "je": "е"}
    | {"yi": "и", "ck": "к", "ph": "ф", "a": "а", "b": "б", "c": "ц", "d": "д", "e": "е", "f": "ф", "g": "г"}
    | {"h": "г", "i": "и", "j": "и", "k": "к", "l": "л", "m": "м", "n": "н", "o": "о", "p": "п", "q": "к"}
    | {"r": "р", "s": "с", "t": "т", "u": "у", "v": "в", "w": "в", "x": "кс", "y": "и", "z": "з"},
)
_LATIN_PIECES: Final = re.compile("|".join(sorted(_LATIN, key=len, reverse=True)))
_DOUBLED: Final = re.compile(r"([^\W\d_и])\1")  # not ии, the ії of Макіївка: Маківка is another place
_NOT_LETTERS: Final = re.compile(r"[\W\d_]+")
_VOWELS: Final = str.maketrans("", "", "аеиоуюя")

_ROMAN: Final = MappingProxyType(
    dict(
        zip(
            "абвгґдежзиійклмнопрстуф",
            [
                "a",
                "b",
                "v",
                "h",
                "g",
                "d",
                "e",
                "zh",
                "z",
                "y",
                "i",
                "i",
                "k",
                "l",
                "m",
                "n",
                "o",
                "p",
                "r",
                "s",
                "t",
                "u",
                "f",
            ],
            strict=True,
        )
    )
    | {
        "є": "ie",
        "ї": "i",
        "х": "kh",
        "ц": "ts",
        "ч": "ch",
        "ш": "sh",
        "щ": "shch",
        "ь": "",
        "ю": "iu",
        "я": "ia",
    },
)
_ROMAN_FIRST: Final = MappingProxyType({"є": "ye", "ї": "yi", "й": "y", "ю": "yu", "я": "ya"})


def key(name: str) -> str:
    """The letters of a name in any script of ours: case, spaces, hyphens, apostrophes and doubled letters gone."""
    return from_plain(plain(name))


def plain(text: str) -> str:
    """Lower case, with stress marks and invisible characters gone."""
    text = unicodedata.normalize("NFC", text).casefold()
    # The letters that carry a mark of their own stay whole: NFC has composed й and ї.
    return "".join(mark for mark in text if unicodedata.category(mark) not in {"Mn", "Cf"})


def from_plain(text: str) -> str:
    """`key` of a text that is plain already."""
    if text.isascii() or re.search(r"[a-zà-ž]", text):
        text = _cyrillic(text)
    text = _NOT_LETTERS.sub("", text.translate(_CYRILLIC)).replace("шч", "щ").replace("сч", "щ")
    return _DOUBLED.sub(r"\1", text)


def joined(words: Iterable[str]) -> str:
    """`key` of a name from those of its words."""
    return _DOUBLED.sub(r"\1", "".join(words))


def keys_of_lines(text: str) -> list[str]:
    """`key` of each line of a text of Ukrainian names, all at once: a third of a second for the whole codifier else."""
    folded = (
        text.lower()
        .translate(_CYRILLIC)
        .replace("-", "")
        .replace(" ", "")
        .replace("шч", "щ")
        .replace("сч", "щ")
        .replace("сч", "щ")
    )
    return _DOUBLED.sub(r"\1", folded).split("\n")


def russian_keys(keys: list[str]) -> list[str]:
    """Each key as the Russian spelling of a Ukrainian name regularly turns out: «олександривка» is «александровка»."""
    text = "\n".join(["", *keys, ""])
    for ours, theirs in _REGULAR:
        text = text.replace(ours, theirs)
    return text.split("\n")[1:-1]


_REGULAR: Final = (
    ("аивка\n", "аевка\n"),
    ("иивка\n", "еевка\n"),
    ("ивка\n", "овка\n"),
    ("ив\n", "ов\n"),
    ("не\n", "ное\n"),
    ("ке\n", "кое\n"),
    ("ве\n", "во\n"),
    ("новолександр", "новоалександр"),
    ("олексан", "алексан"),
    ("олексее", "алексее"),
    ("миколаев", "николаев"),
    ("\nкатерин", "\nекатерин"),
    ("\nганов", "\nанов"),
    ("\nбил", "\nбел"),
    ("\nкамян", "\nкамен"),
    ("вилн", "волн"),
)


def skeleton(folded: str) -> str:
    """The consonants of a key (or of many, line by line): where Ukrainian, Russian and Belarusian spellings meet."""
    return folded.translate(_VOWELS).replace("зск", "зк").replace("сск", "ск").replace("тск", "цк")


def romanised(name: str) -> str:
    """A Ukrainian name in Latin letters as resolution 55 of 2010 spells it."""
    words = re.split(r"([\s-]+)", name)
    return "".join(_romanised_word(word) for word in words)


def nominatives(folded: str) -> Iterator[str]:
    """Keys that a key may be an oblique case of, in the three languages: «харцизка» gives «харцизк» and others."""
    for ending, replacements in _CASES:
        if folded.endswith(ending) and len(folded) - len(ending) >= STEM_LEAST:
            stem = folded.removesuffix(ending)
            yield from (stem + replacement for replacement in replacements)


# Endings of settlements' names in oblique cases, as keys spell them, and those of the nominative.
_CASES: Final = (
    ("ого", ("е", "ое", "и", "ии")),
    ("ага", ("ии", "ае", "ое", "и")),
    ("ога", ("ае", "ое", "и", "ии")),
    ("аму", ("ае", "ое", "е", "ии")),
    ("ому", ("е", "ое", "и", "ии")),
    ("им", ("е", "ое", "и", "", "ии")),
    ("ом", ("", "е", "о", "ое", "ии")),
    ("ам", ("", "а", "о", "и")),
    ("ем", ("", "е", "о")),
    ("ою", ("а", "ая")),
    ("ои", ("а", "ая", "и")),
    ("аи", ("а", "ая")),
    ("еи", ("а", "я")),
    ("ии", ("а", "я")),
    ("ую", ("ая", "а")),
    ("ею", ("а", "я")),
    ("ах", ("и", "а")),
    ("ями", ("и",)),
    ("ами", ("и",)),
    ("ям", ("и",)),
    ("ях", ("и",)),
    ("их", ("и", "ие", "ия")),
    ("ци", ("ка", "ца", "ц")),
    ("си", ("ха",)),
    ("зи", ("га",)),
    ("зе", ("г", "га")),
    ("ева", ("ив", "ев")),
    ("ова", ("ив", "ов")),
    ("еви", ("ив",)),
    ("ови", ("ив", "")),
    ("еве", ("ив", "ев")),
    ("ове", ("ив", "ов")),
    ("евом", ("ив",)),
    ("овом", ("ив",)),
    # a vowel that comes and goes: Єлець, Єльця; Зубрёнок, Зубрёнка
    ("ця", ("ец",)),
    ("цю", ("ец",)),
    ("ца", ("ец",)),
    ("це", ("ец", "ца", "цо", "ка")),
    ("цу", ("ец",)),
    ("цом", ("ец",)),
    ("цем", ("ец",)),
    ("ка", ("ок", "ак")),
    ("ку", ("ок", "ак")),
    ("ке", ("ок", "ак")),
    ("ком", ("ок", "ак")),
    ("кам", ("ок", "ак")),
    ("ок", ("ки",)),
    ("ак", ("ки",)),
    ("ек", ("ки",)),
    ("а", ("", "е", "о")),
    ("у", ("", "а", "е", "о")),
    ("ю", ("", "я", "е")),
    ("я", ("", "е")),
    ("е", ("", "а", "я", "о")),
    ("и", ("", "а", "я", "е")),
)


def belarusian(folded: str) -> str:
    """A key with the soft д and т of Belarusian put back: «бердзянск» gives «бердянск»."""
    return re.sub(r"ц(?=[еиюя])", "т", folded.replace("дз", "д"))


def slips(left: str, right: str, most: int) -> int:
    """Levenshtein distance of two short strings, or `most` + 1 as soon as it is beyond `most`."""
    if abs(len(left) - len(right)) > most:
        return most + 1
    row = list(range(len(right) + 1))
    for above, letter in enumerate(left):
        previous, row[0] = row[0], above + 1
        for at, other in enumerate(right, 1):
            previous, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, previous + (letter != other))
        if min(row) > most:
            return most + 1
    return row[-1]


def one_slip(folded: str) -> Iterator[str]:
    """Every key one slip away: a letter lost, two neighbours swapped, a letter changed or added."""
    for at in range(len(folded)):
        left, right = folded[:at], folded[at + 1 :]
        yield left + right
        if right:
            yield left + right[0] + folded[at] + right[1:]
        for letter in LETTERS:
            yield left + letter + right
            yield left + letter + folded[at:]
    for letter in LETTERS:
        yield folded + letter


def _cyrillic(text: str) -> str:
    bare = "".join(mark for mark in unicodedata.normalize("NFD", text) if not unicodedata.combining(mark))
    return _LATIN_PIECES.sub(lambda piece: _LATIN[piece[0]], unicodedata.normalize("NFC", bare))


def _romanised_word(word: str) -> str:
    lower = "".join(mark for mark in word.lower() if mark not in APOSTROPHES)
    spelled = ""
    for at, mark in enumerate(lower):
        if at == 0 and mark in _ROMAN_FIRST:
            spelled += _ROMAN_FIRST[mark]
        elif mark == "г" and lower[at - 1 : at] == "з":
            spelled += "gh"  # lest зг read as ж
        else:
            spelled += _ROMAN.get(mark, mark)
    return spelled[:1].upper() + spelled[1:] if word[:1].isupper() else spelled
