"""An age, or a date of birth, is understood when it can be read one way; anything else keeps its words only.

understand_age("лет восемь", today=today) == {"age": 8, "about": True}
understand_age("вісім місяців", today=today) == {"age": 0, "about": False, "months": 8}
"""

import re
from datetime import date
from typing import Any, Final

from flows.dates import understand
from flows.dates.fold import fold
from flows.dates.tokens import Token, counts, tags

ADULT: Final = 18  # years
_LONGEST: Final = 80  # characters
_YEAR_MONTHS: Final = 12
_MONTH_DAYS: Final = 30.5
_MONTHS_TOLD: Final = 36  # an age under three is kept to the month, when told so
# Words around an age, as `fold` leaves them; a word like "now" is not among them: asked is the age when taken.
_AROUND: Final = frozenset(
    fold(
        "йому їй ему ей яму ёй їм він вона он она ён яна he she was is were old дитині дитина дитя ребенку ребенок "
        "дзіцяці дзіця child хлопчику дівчинці мальчику девочке хлопчыку дзяўчынцы хлопчик дівчинка мальчик девочка "
        "виповнилося виповнилось исполнилось споўнілася повних полных поўных тоді тогда тады then віком вік возраст "
        "узрост age aged мав мала на момент ишел шел йшов пішов шёл пошел ішоў пайшоў мусить всего всього толькі "
        "только лише тільки only сын син дочка"
    ).split()
)
_YOUNG_YEARS: Final = re.compile(
    r"(?<![a-zа-я])(?:рочк\w+|годик\w+|гадк\w+|гадочк\w+|y\.?o\.?|y/o)(?![a-zа-я])"
)
_YOUNG_YEAR: Final = re.compile(r"(?<![a-zа-я])(?:рочок|годик|гадок|гадочак)(?![a-zа-я])")
_GLUED: Final = re.compile(r"(?<=[0-9])(?=(?:yo|y/o|рочк|годик))")
_HALF: Final = re.compile(r"^([0-9]{1,2})[.,]5$")
_NEARLY: Final = re.compile(r"^(?:маиже|почти|амал|скоро|хутка|almost|nearly|неповних|неполних)\s+")
_BORN: Final = re.compile(
    r"(?<![a-zа-я])(?:народи\w*|народжен\w*|родил\w*|рожден\w*|рожд\w*|нарадзи\w*|нараджен\w*|born|дата|"
    r"date of birth|birth|birthday|р\.\s?н\.?|р/н|рн|г\.\s?р\.?|г/р|гр|д\.\s?р\.?)(?![a-zа-я])"
)
_BORN_GLUED: Final = re.compile(r"(?<=[0-9])(?=(?:р\.\s?н|г\.\s?р|рн|гр))")
_SHORT_YEAR: Final = re.compile(
    r"^(?:[ву]\s+)?([0-9]{2})(?:-?(?:го|м|му))?(?:\s*(?:року|роци|году|года|год|рик|р|г)\.?)?$"
)
_BY_LOOKS: Final = re.compile(
    r"(?<![a-zа-я])(?:на вид|на вигляд|на виглад|с виду|з вигляду|looks)(?![a-zа-я])"
)
_ONE_YEAR: Final = frozenset({"рик", "год", "year"})
_OF_A_YEAR: Final = frozenset({"року", "роци", "году", "годе", "годзе"})


def understand_age(words: str, *, today: date) -> dict[str, Any] | None:
    """Give {"age": whole years, "about": bool}, or {"edtf": birth, "today": when it was said}, or None.

    "8-9" has {"age": 8, "to": 9, "about": True}; an age told in months, or in halves of a year, under three
    years has "months" too, all of them. An age of 18 or more is not understood as a child's: the words stay,
    a person will read them. A birth is understood only where its date is certain.
    """
    if len(words) > _LONGEST:
        return None
    folded = " ".join(fold(words).split()).strip(" .,!?")
    return _age(folded) or _birth(folded, today)


def _age(folded: str) -> dict[str, Any] | None:
    folded = _GLUED.sub(" ", _HALF.sub(r"\1.5 years", folded))
    folded = _BY_LOOKS.sub("~ ", _YOUNG_YEAR.sub("year", _YOUNG_YEARS.sub("years", folded)))
    bare = _NEARLY.sub("", folded)
    listed = counts(bare)
    about = any(token.tag in "~?" for token in listed)
    listed = [token for token in listed if token.tag not in "~?.;I" and token.text not in _AROUND]
    said = tags(listed)
    if said[:2] == "nY" and listed[1].text in _OF_A_YEAR:
        return None  # "14 року" is a year
    if bare != folded:
        return _range(listed[0].number - 1, listed[0].number) if said in {"n", "nY"} else None
    form = next((form for pattern, form in _FORMS if pattern.fullmatch(said)), None)
    understood = form(listed) if form else None
    return {**understood, "about": True} if understood and about else understood


def _said(months: int, *, about: bool = False, told: bool = False) -> dict[str, Any] | None:
    if months >= ADULT * _YEAR_MONTHS:
        return None
    said = {"age": months // _YEAR_MONTHS, "about": about}
    return {**said, "months": months} if told and months < _MONTHS_TOLD else said


def _range(first: int, last: int) -> dict[str, Any] | None:
    return {"age": first, "to": last, "about": True} if 0 <= first < last < ADULT else None


def _years(listed: list[Token]) -> dict[str, Any] | None:
    """Read "8", "8 years"; «лет восемь», turned round, is about eight."""
    turned = listed[0].tag == "Y"
    return _said(listed[int(turned)].number * _YEAR_MONTHS, about=turned)


def _from_to(listed: list[Token]) -> dict[str, Any] | None:
    first, last = (token.number for token in listed if token.tag == "n")
    return _range(first, last)


def _year_of_life(listed: list[Token]) -> dict[str, Any] | None:
    """Read «восьмий рік»: seven years have passed."""
    return _range(listed[0].number - 1, listed[0].number)


def _with_half(listed: list[Token]) -> dict[str, Any] | None:
    return _said(int(listed[0].value * _YEAR_MONTHS), told=True) if listed[0].sure else None


def _months(listed: list[Token]) -> dict[str, Any] | None:
    return _said(listed[0].number, told=True)


def _years_months(listed: list[Token]) -> dict[str, Any] | None:
    return _said(listed[0].number * _YEAR_MONTHS + listed[-2].number, told=True)


def _weeks_or_days(listed: list[Token]) -> dict[str, Any] | None:
    days = listed[0].number * (1 if listed[1].tag == "D" else 7)
    return _said(int(days / _MONTH_DAYS), told=True)


def _one(listed: list[Token]) -> dict[str, Any] | None:
    """Read "a year", "a month"; «років» alone says nothing."""
    if listed[0].tag == "O":
        return _said(1, told=True)
    return _said(_YEAR_MONTHS, told=True) if listed[0].text in _ONE_YEAR else None


_FORMS: Final = tuple(
    (re.compile(pattern), form)
    for pattern, form in (
        (r"nY?|Yn", _years),
        (r"[FEY]?n[-|E]nY?", _from_to),
        (r"oY", _year_of_life),
        (r"hY", _with_half),
        (r"nO", _months),
        (r"nY&?nO", _years_months),
        (r"n[GQD]", _weeks_or_days),
        (r"[YO]", _one),
    )
)


def _birth(folded: str, today: date) -> dict[str, Any] | None:
    marked = _BORN_GLUED.sub(" ", folded)
    unmarked = _BORN.sub(" ", marked)
    bare = " ".join(word for word in unmarked.split() if word not in _AROUND).strip(" .,:")
    if unmarked != marked and (year := _SHORT_YEAR.match(bare)):
        bare = f"20{year[1]}"
    understood = understand(bare, today=today)
    if understood is None or not understood.certain or ".." in understood.edtf:
        return None
    if set("ATLKW") & set(tags(counts(bare))):
        return None  # "two years ago" tells when, not how old
    return {"edtf": understood.edtf, "today": today.isoformat()}
