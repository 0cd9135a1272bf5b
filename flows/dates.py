"""Simple dates are understood as EDTF (ISO 8601-2 level 0/1), never forced: what is not sure is None.

understand_date("осінь 2022", today=date(2026, 11, 22)) == "2022-23"
span("2022-09") == (date(2022, 9, 1), date(2022, 9, 30))
"""

import re
from calendar import monthrange
from datetime import date, timedelta

from flows.cards import Text

_EARLIEST_YEAR = 1990  # of a child's birth, with room to spare
_LONGEST = 60  # characters; anything longer is a story, to be read by a person

# EDTF level 1 codes of seasons.
_SPRING, _SUMMER, _AUTUMN, _WINTER = 21, 22, 23, 24

_MONTHS: dict[str, int] = {
    word: number
    for number, words in enumerate(
        (
            "january jan січень січня січні январь января январе",
            "february feb лютий лютого лютому февраль февраля феврале",
            "march mar березень березня березні март марта марте",
            "april apr квітень квітня квітні апрель апреля апреле",
            "may травень травня травні май мая мае",
            "june jun червень червня червні июнь июня июне",
            "july jul липень липня липні июль июля июле",
            "august aug серпень серпня серпні август августа августе",
            "september sep sept вересень вересня вересні сентябрь сентября сентябре",
            "october oct жовтень жовтня жовтні октябрь октября октябре",
            "november nov листопад листопада листопаді ноябрь ноября ноябре",
            "december dec грудень грудня грудні декабрь декабря декабре",
        ),
        start=1,
    )
    for word in words.split()
}
_SEASONS: dict[str, int] = {
    word: code
    for code, words in (
        (_SPRING, "spring весна весни весну навесні весною весны весной"),
        (_SUMMER, "summer літо літа влітку літом лето лета летом"),
        (_AUTUMN, "autumn fall осінь осені восени осінню осень осени осенью"),
        (_WINTER, "winter зима зими зиму взимку зимою зимы зимой"),
    )
    for word in words.split()
}
_ABOUT = re.compile(r"^(?:about|around|circa|approximately|близько|приблизно|десь|около|примерно|~)\s*")
_LEADING = re.compile(r"^(?:in the|in|on|у|в|во)\s+")
_TRAILING = re.compile(r"\s*(?:року|році|рік|года|году|год|р|г)\.?$")
_DAY_FIRST = re.compile(r"^(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})$", re.ASCII)
_ISO = re.compile(r"^(?P<y>\d{4})-(?P<m>\d{1,2})(?:-(?P<d>\d{1,2}))?$", re.ASCII)
_MONTH_FIRST = re.compile(r"^(?P<m>\d{1,2})[./](?P<y>\d{4})$", re.ASCII)
_YEAR = re.compile(r"^(?P<y>\d{4})$", re.ASCII)
_WORD_YEAR = re.compile(r"^(?:(?P<d>[0-9]{1,2})(?:st|nd|rd|th)? )?(?P<word>[a-zа-яіїєґё]+) (?P<y>[0-9]{4})$")
_ENGLISH_DAY = re.compile(r"^(?P<word>[a-z]+) (?P<d>[0-9]{1,2})(?:st|nd|rd|th)? (?P<y>[0-9]{4})$")


def understand_date(words: str, *, today: date) -> str | None:
    """Give the EDTF of a date that is written plainly, "~" after it when it is approximate; else None.

    Known: dd.mm.yyyy, yyyy-mm-dd, mm.yyyy, month and year, season and year, a year. A date that does not
    exist, begins after `today` or lies before 1990 is None.
    """
    if len(words) > _LONGEST:
        return None
    text = " ".join(words.casefold().replace(",", " ").split()).strip(" .!")
    bare = _ABOUT.sub("", text)
    approximate = bare != text
    bare = _TRAILING.sub("", _LEADING.sub("", bare)).replace(" of ", " ")
    edtf = _read(bare)
    if edtf is None:
        return None
    first, _ = span(edtf)
    if first > today or first.year < _EARLIEST_YEAR:
        return None
    return edtf + ("~" if approximate else "")


def _read(text: str) -> str | None:
    """Try each way of writing a date; they exclude each other."""
    if found := _DAY_FIRST.match(text):
        return _edtf(int(found["y"]), int(found["m"]), int(found["d"]))
    if found := _ISO.match(text) or _MONTH_FIRST.match(text) or _YEAR.match(text):
        numbers = {name: int(number) for name, number in found.groupdict().items() if number}
        return _edtf(numbers["y"], numbers.get("m"), numbers.get("d"))
    if found := _WORD_YEAR.match(text) or _ENGLISH_DAY.match(text):
        year, day = int(found["y"]), int(found["d"]) if found["d"] else None
        if month := _MONTHS.get(found["word"]):
            return _edtf(year, month, day)
        if season := _SEASONS.get(found["word"]):
            return f"{year:04}-{season}" if day is None else None
    return None


def _edtf(year: int, month: int | None = None, day: int | None = None) -> str | None:
    """Write EDTF, if such a day exists."""
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        return None
    return f"{year:04}" + (f"-{month:02}" if month else "") + (f"-{day:02}" if day else "")


def span(edtf: str) -> tuple[date, date]:
    """Give the first and the last day that an EDTF of ours may mean. Raises ValueError for any other text."""
    numbers = [int(number) for number in edtf.rstrip("~").split("-")]
    year = numbers[0]
    if len(numbers) == 1:
        return date(year, 1, 1), date(year, 12, 31)
    month = numbers[1]
    if len(numbers) == 2:  # noqa: PLR2004 - year and month or season
        if month > 12:  # noqa: PLR2004 - EDTF writes seasons as months 21 to 24
            return _season(year, month)
        return date(year, month, 1), date(year, month, monthrange(year, month)[1])
    day = date(year, month, numbers[2])
    return day, day


def _season(year: int, code: int) -> tuple[date, date]:
    """Winter of a year is taken widely: both ends of that year belong to it."""
    if code == _WINTER:
        return date(year, 1, 1), date(year, 12, 31)
    month = 3 * (code - 20)
    return date(year, month, 1), date(year, month + 2, monthrange(year, month + 2)[1])


def may_be_recent(edtf: str, *, today: date, days: int) -> bool:
    """Say whether a date known to the month or better may lie in the last `days` before `today`."""
    first, last = span(edtf)
    return (last - first).days <= 31 and last >= today - timedelta(days=days)  # noqa: PLR2004 - a month


def birthday_may_come(edtf: str, *, years: int, today: date, days: int) -> bool:
    """Say whether the birthday number `years` may lie in the next `days`, for a birth known to the month."""
    first, last = span(edtf)
    if (last - first).days > 31:  # noqa: PLR2004 - a month
        return False
    return _years_after(last, years) >= today and _years_after(first, years) <= today + timedelta(days=days)


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return date(day.year + years, 3, 1)


def spoken(edtf: str) -> Text:
    """Say an EDTF of ours as a text."""
    numbers = edtf.rstrip("~").split("-")
    if len(numbers) == 1:
        said = Text("date.year", {"year": numbers[0]})
    elif len(numbers) == 2:  # noqa: PLR2004 - year and month or season
        said = Text("date.month", {"month": Text(f"date.month.{int(numbers[1])}"), "year": numbers[0]})
    else:
        said = Text("date.day", {"day": numbers[2], "month": numbers[1], "year": numbers[0]})
    return Text("date.about", {"date": said}) if edtf.endswith("~") else said
