"""Numbers written as words, in four languages and between them; every word is as `fold` leaves it.

NUMBERS["висим"] == 8        ORDINALS["пятого"] == 5
"""

from collections.abc import Iterator

from flows.dates.fold import fold

_CARDINALS: dict[int, str] = {
    1: "один одна одне одно одну одного однои адзин адна одзин one",
    2: "два две дви двох двух дзве дзвух дзвюх two",
    3: "три трох трех three",
    4: "чотири чотирох четире четирех чатири чатирох four",
    5: "пят пяти пяц пяци five",
    6: "шист шести шест шесц шасци six",
    7: "сим семи сем сями seven",
    8: "висим восми восем восим васми eight",
    9: "девят девяти дзевяц дзевяци дзевят nine",
    10: "десят десяти дзесяц дзесяци дзесят ten",
    11: "одинадцят одинадцяти одиннадцат одиннадцати адзинаццац eleven",
    12: "дванадцят дванадцяти двенадцат двенадцати дванаццац twelve",
    13: "тринадцят тринадцяти тринадцат тринадцати тринаццац thirteen",
    14: "чотирнадцят чотирнадцяти четирнадцат четирнадцати чатирнаццац fourteen",
    15: "пятнадцят пятнадцяти пятнадцат пятнадцати пятнаццац fifteen",
    16: "шистнадцят шистнадцяти шестнадцат шестнадцати шаснаццац sixteen",
    17: "симнадцят симнадцяти семнадцат семнадцати семнаццац сямнаццац seventeen",
    18: "висимнадцят восемнадцат восемнадцати васемнаццац васямнаццац eighteen",
    19: "девятнадцят девятнадцяти девятнадцат девятнадцати дзевятнаццац nineteen",
    20: "двадцят двадцяти двадцат двадцати дваццац дваццаци twenty",
    30: "тридцят тридцяти тридцат тридцати триццац триццаци thirty",
}
_STEMS: dict[int, str] = {
    1: "перв перш",
    2: "втор друг",
    3: "трет трец",
    4: "четверт чацверт",
    5: "пят",
    6: "шост шест",
    7: "сом седм сем",
    8: "восм",
    9: "девят дзевят",
    10: "десят дзесят",
    11: "одинадцят одиннадцат адзинаццат",
    12: "дванадцят двенадцат дванаццат",
    13: "тринадцят тринадцат тринаццат",
    14: "чотирнадцят четирнадцат чатирнаццат",
    15: "пятнадцят пятнадцат пятнаццат",
    16: "шистнадцят шестнадцат шаснаццат",
    17: "симнадцят семнадцат семнаццат сямнаццат",
    18: "висимнадцят восемнадцат васемнаццат",
    19: "девятнадцят девятнадцат дзевятнаццат",
    20: "двадцят двадцат дваццат",
    30: "тридцят тридцат триццат",
}
_ENDINGS = tuple(
    fold("ого ому ом им ий ая ае ое а я е у ую ой ою ага аго аму ай его ему ем яя яго яму ям их").split()
)
_ENGLISH = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)

NUMBERS: dict[str, int] = {word: number for number, words in _CARDINALS.items() for word in words.split()}
TENS = frozenset({20, 30})


def _ordinals() -> Iterator[tuple[str, int]]:
    for number, stems in _STEMS.items():
        for stem in stems.split():
            for ending in _ENDINGS:
                yield stem + ending, number
    yield from ((word, number) for number, word in enumerate(_ENGLISH.split(), start=1))
    yield "thirtieth", 30


ORDINALS: dict[str, int] = {word: number for word, number in _ordinals() if word not in NUMBERS}
