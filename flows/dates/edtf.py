"""What a date may be: the few forms of EDTF (ISO 8601-2, level 1) that this line writes, and what each may mean.

A year "2022", a month "2022-09", a day "2022-09-06", a season "2022-23" (21 spring, 22 summer, 23 autumn,
24 winter); "~" after any of them when it is approximate; an interval "2022-09/2023-05", with ".." for an end
that is open. A season's winter is that year's, at either end of it; a winter known by both its years is an
interval "2022-12/2023-02". A part of a month, a season or a year ("end of August") is the whole with "~".

span("2022-09") == (date(2022, 9, 1), date(2022, 9, 30))
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from flows.cards import Text

SPRING, SUMMER, AUTUMN, WINTER = 21, 22, 23, 24  # EDTF writes seasons as months
DECEMBER = 12
OPEN = ".."
_MONTH_DAYS = 31
_ROUGHLY = timedelta(days=7)  # what "~" may be off by, when days matter
_SPOT = re.compile(r"^(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?(?P<about>~?)$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Spot:
    """A day, a month, a season, a year, or what was said of one: a part that was not said is None."""

    year: int | None = None
    month: int | None = None  # 1 to 12, or 21 to 24
    day: int | None = None
    about: bool = False

    @property
    def edtf(self) -> str:
        """Write it; only of one whose year is known."""
        parts = f"{self.year:04}" if self.year is not None else ""
        parts += f"-{self.month:02}" if self.month else ""
        parts += f"-{self.day:02}" if self.day else ""
        return parts + ("~" if self.about else "")

    def exists(self) -> bool:
        """Say whether the calendar has it."""
        try:
            self.span()
        except ValueError:
            return False
        return True

    def span(self) -> tuple[date, date]:
        """Give its first and last day. Raises ValueError if there is no such day, month or season."""
        year = self.year or 0
        if self.month is None:
            return date(year, 1, 1), date(year, 12, 31)
        if self.day is not None:
            day = date(year, self.month, self.day)
            return day, day
        if self.month == WINTER:
            return date(year, 1, 1), date(year, 12, 31)
        month, last = (self.month, self.month) if self.month <= DECEMBER else _months(self.month)
        return date(year, month, 1), date(year, last, _days(year, last))


def _days(year: int, month: int) -> int:
    if not 1 <= month <= DECEMBER:
        raise ValueError("There is no such month.")
    return monthrange(year, month)[1]


def _months(season: int) -> tuple[int, int]:
    if not SPRING <= season < WINTER:
        raise ValueError("There is no such season.")
    return 3 * (season - 20), 3 * (season - 20) + 2


def parse(edtf: str) -> tuple[Spot | None, ...]:
    """Read an EDTF of ours: one spot, or the two ends of an interval, None for an open one. Raises ValueError."""
    ends = edtf.split("/")
    if len(ends) > 2 or ends in ([OPEN], [OPEN, OPEN]):  # noqa: PLR2004 - an interval has two ends
        raise ValueError("Not an EDTF of ours.")
    return tuple(None if end == OPEN else _spot(end) for end in ends)


def _spot(text: str) -> Spot:
    found = _SPOT.match(text)
    if not found:
        raise ValueError("Not an EDTF of ours.")
    year, month, day = (int(found[part]) if found[part] else None for part in ("year", "month", "day"))
    return Spot(year, month, day, about=bool(found["about"]))


def span(edtf: str) -> tuple[date, date]:
    """Give the first and the last day that an EDTF of ours may mean; an open end is date.min or date.max.

    "~" widens nothing here. Raises ValueError for any other text.
    """
    spots = parse(edtf)
    first, last = spots[0], spots[-1]
    return (first.span()[0] if first else date.min), (last.span()[1] if last else date.max)


def may_be_recent(edtf: str, *, today: date, days: int) -> bool:
    """Say whether a date known to the month or better may lie in the last `days` before `today`.

    An interval is as recent as its end, and as its beginning when the end is open; "~" gives a week more.
    """
    spots = parse(edtf)
    spot = spots[-1] or spots[0]
    assert spot is not None  # an interval has at most one open end
    first, last = spot.span()
    earliest = today - timedelta(days=days) - (_ROUGHLY if spot.about else timedelta())
    return (last - first).days <= _MONTH_DAYS and last >= earliest


def birthday_may_come(edtf: str, *, years: int, today: date, days: int) -> bool:
    """Say whether the birthday number `years` may lie in the next `days`, for a birth known to the month."""
    first, last = span(edtf)
    if (last - first).days > _MONTH_DAYS:
        return False
    return _years_after(last, years) >= today and _years_after(first, years) <= today + timedelta(days=days)


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return date(day.year + years, 3, 1)


def spoken(edtf: str) -> Text:
    """Say an EDTF of ours as a text, to stand after words like "Understood:"."""
    spots = parse(edtf)
    first, last = spots[0], spots[-1]
    if first is not None and len(spots) == 1:
        return _say(first)
    if first is not None and last is not None:
        return Text("date.between", {"first": _say(first), "last": _say(last)})
    if first is not None:
        return Text("date.since", {"date": _say(first)})
    assert last is not None  # an interval has at most one open end
    return Text("date.until", {"date": _say(last)})


def _say(spot: Spot) -> Text:
    year = f"{spot.year:04}"
    if spot.month is None:
        said = Text("date.year", {"year": year})
    elif spot.day is None:
        said = Text("date.month", {"month": Text(f"date.month.{spot.month}"), "year": year})
    else:
        month = Text(f"date.month.of.{spot.month}")
        said = Text("date.day", {"day": str(spot.day), "month": month, "year": year})
    return Text("date.about", {"date": said}) if spot.about else said
