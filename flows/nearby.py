"""The known point nearest to a point on the map, found offline.

    points = Points([(47.10, 37.54), (48.00, 37.80)])
    points.nearest((47.99, 37.75), within_km=30)     # (1, 3.9): the second, 3.9 km away

Points are pairs of latitude and longitude in degrees.
"""

from bisect import bisect_left
from collections.abc import Iterable
from math import asin, cos, radians, sin, sqrt
from typing import Final

EARTH_KM: Final = 6371.0  # mean radius
DEGREE_KM: Final = 111.0  # of latitude, at least
BEYOND: Final = 1000.0  # more than any longitude

Point = tuple[float, float]


class Points:
    """Points kept in the order of their latitude, so that only a narrow belt is measured."""

    def __init__(self, points: Iterable[Point]) -> None:
        """Keep them; `nearest` answers with the place of one among these, counted from 0."""
        self._sorted = sorted((point, number) for number, point in enumerate(points))

    def nearest(self, at: Point, *, within_km: float) -> tuple[int, float] | None:
        """Give the number of the nearest point and its distance in km; None when none is as near as that."""
        belt = within_km / DEGREE_KM
        first = bisect_left(self._sorted, ((at[0] - belt, -BEYOND), 0))
        last = bisect_left(self._sorted, ((at[0] + belt, BEYOND), 0))
        near = ((distance_km(at, point), number) for point, number in self._sorted[first:last])
        km, number = min(near, default=(within_km + 1, -1))
        return (number, km) if km <= within_km else None


def distance_km(one: Point, other: Point) -> float:
    """The distance of two points along the earth's surface (haversine)."""
    (north, east), (to_north, to_east) = (map(radians, point) for point in (one, other))
    half = sin((to_north - north) / 2) ** 2 + cos(north) * cos(to_north) * sin((to_east - east) / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(half)))
