"""What words of time mean on a given day: "two years ago", "last autumn", "in September" without its year.

What was left out is filled in towards the past, or towards the future when one speaks of what is going to
happen; whatever was filled in is never sure.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from flows.dates.edtf import DECEMBER, WINTER, Spot

_YEARS_BACK = 8  # enough to find a 29 February
_UNIT_DAYS = {"D": 1, "G": 7, "Q": 7}
_MONTH_DAYS = 30.5


@dataclass(frozen=True, slots=True)
class Reading:
    """One spot, or the two ends of an interval (None: open); `sure`: the words leave one reading."""

    spots: tuple[Spot | None, ...]
    sure: bool = True

    def doubted(self) -> "Reading":
        """Give the same, not sure."""
        return replace(self, sure=False)

    def roughly(self) -> "Reading":
        """Give the same with "~"."""
        spots = tuple(replace(spot, about=True) if spot else None for spot in self.spots)
        return replace(self, spots=spots)


def on(day: date) -> Spot:
    """Give a day as a spot."""
    return Spot(day.year, day.month, day.day)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The day on which words are said, and whether they are of what will happen."""

    today: date
    ahead: bool = False

    def complete(self, spot: Spot) -> Reading:
        """Fill in the year, and the month of a bare day: the nearest such time, not sure then."""
        if spot.year is not None:
            return Reading((spot,))
        if spot.month == WINTER:
            ends = self.today.year + (self.today.month == DECEMBER or (self.ahead and self.today.month > 2))  # noqa: PLR2004 - February
            reading = self._winter(ends)
            return reading.roughly() if spot.about else reading
        step = 1 if self.ahead else -1
        if spot.month is None:
            tried = (self._month(step * back) for back in range(3))
            dated = [replace(spot, year=month.year, month=month.month) for month in tried]
        else:
            dated = [replace(spot, year=self.today.year + step * back) for back in range(_YEARS_BACK + 1)]
        nearest = next((each for each in dated if each.exists() and self._fits(each)), dated[0])
        return Reading((nearest,), sure=False)

    def _winter(self, ends: int) -> Reading:
        """Give the winter that ends in the year `ends`, as far as it has come; never sure."""
        first, last = Spot(ends - 1, DECEMBER), Spot(ends, 2)
        if not self.ahead and first.span()[0] <= self.today < last.span()[0]:
            last = Spot(self.today.year, self.today.month)
        return Reading((first,) if last == first else (first, last), sure=False)

    def _fits(self, spot: Spot) -> bool:
        first, last = spot.span()
        return last >= self.today if self.ahead else first <= self.today

    def _month(self, by: int) -> Spot:
        months = self.today.year * 12 + self.today.month - 1 + by
        return Spot(months // 12, months % 12 + 1)

    def day(self, by: int) -> Spot:
        """Give the day so many days from today."""
        return on(self.today + timedelta(days=by))

    def ago(self, count: float, unit: str, *, sign: int = -1) -> Spot | None:
        """Give the time `count` units before today (after it: sign 1): rough, unless counted in whole days."""
        try:
            spot = self._off(sign * count, unit)
        except OverflowError:
            return None
        return spot if unit == "D" else replace(spot, about=True)

    def _off(self, count: float, unit: str) -> Spot:
        """Give the time so many units from today, as coarse as they are told in."""
        if unit in _UNIT_DAYS:
            return self.day(round(count * _UNIT_DAYS[unit]))
        months = count * 12 if unit == "Y" else count
        if int(months) != months:
            day = self.day(round(months * _MONTH_DAYS))
            return day if abs(months) < 1 else replace(day, day=None)
        if unit == "Y" and int(count) == count:
            return Spot(self.today.year + int(count))
        return self._month(int(months))

    def near(self, unit: str, by: int) -> Reading:
        """Give the last (-1), this (0) or next (1) week or month; which week people mean is never sure."""
        if unit == "O":
            return Reading((self._month(by),))
        monday = self.today - timedelta(days=self.today.weekday() - 7 * by)
        sunday = monday + timedelta(days=6)
        if not by and not self.ahead:
            sunday = min(sunday, self.today)
        return Reading((on(monday), on(sunday)), sure=False)

    def weekday(self, weekday: int, by: int | None = None) -> Reading:
        """Give the nearest such day of the week, or the one of the week `by` weeks away; never sure."""
        if by is not None:
            monday = self.today - timedelta(days=self.today.weekday() - 7 * by)
            return Reading((on(monday + timedelta(days=weekday)),), sure=False)
        days = (weekday - self.today.weekday() - 1) % 7 + 1 if self.ahead else 0
        days = days or (weekday - self.today.weekday()) % 7 - 7
        return Reading((self.day(days),), sure=False)

    def season(self, season: int, by: int) -> Reading:
        """Give last (-1), this (0) or next (1) spring, summer, autumn or winter."""
        year, month = self.today.year, self.today.month
        now = WINTER if month in {12, 1, 2} else 20 + month // 3
        if season == WINTER:
            ends = year + 1 if month == DECEMBER else year
            if by < 0:
                return self._winter(ends + by + (now != WINTER))
            return self._winter(ends + by + (by == 0 and self.ahead and now != WINTER))
        if by == 0:
            return Reading((Spot(year, season),), sure=True)
        if now == season:
            return Reading((Spot(year + by, season),))
        passed = Spot(year, season).span()[1] < self.today
        if by < 0:
            # "Last spring", said in autumn, may be this year's or the one before; the nearer one is given.
            return Reading((Spot(year + by + passed, season),), sure=False)
        return Reading((Spot(year + by - (not passed), season),), sure=False)

    def month(self, month: int, by: int) -> Reading:
        """Give a month "of last (-1), this (0), next (1) year"; said as "last March", it is not sure."""
        if by == 0:
            return Reading((Spot(self.today.year, month),))
        nearest = replace(self, ahead=by > 0).complete(Spot(month=month)).spots[0]
        assert nearest is not None
        year = nearest.year or self.today.year
        if month == self.today.month:
            year = self.today.year + by
        elif abs(by) > 1:
            year += by - (1 if by > 0 else -1)
        return Reading((Spot(year, month),), sure=False)
