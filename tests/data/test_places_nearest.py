"""A point on the map becomes the nearest settlement, offline; Crimea, Donetsk and Luhansk are in Ukraine."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.nearby import Points, distance_km
from flows.places import NEAREST_KM, Places


@pytest.fixture(scope="module")
def places() -> Places:
    return Places.load()


@pytest.mark.parametrize(
    ("latitude", "longitude", "name", "oblast", "country"),
    [
        (44.957, 34.110, "Simferopol", "Autonomous Republic of Crimea", "UA"),
        (44.605, 33.522, "Sevastopol", "Sevastopol", "UA"),
        (48.008, 37.804, "Donetsk", "Donetsk Oblast", "UA"),
        (48.573, 39.307, "Luhansk", "Luhansk Oblast", "UA"),
        (47.097, 37.543, "Mariupol", "Donetsk Oblast", "UA"),
        (46.635, 32.617, "Kherson", "Kherson Oblast", "UA"),
        (50.597, 36.588, "Belgorod", "Belgorod Oblast", "RU"),
        (47.236, 38.897, "Taganrog", "Rostov Oblast", "RU"),
        (53.902, 27.562, "Minsk", "Minsk", "BY"),
        (54.879, 26.937, "Myadzyel", "Minsk Region", "BY"),
    ],
)
def test_a_point_is_in_its_town(
    places: Places, latitude: float, longitude: float, name: str, oblast: str, country: str
) -> None:
    near = places.nearest(latitude, longitude)
    assert near is not None
    assert (near.place.name["en"], near.place.oblast["en"], near.place.country) == (name, oblast, country)
    assert near.km <= 3


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(43.5, 32.0), (0.0, 0.0), (90.0, 0.0), (-90.0, 180.0), (48.86, 2.35), (math.nan, 30.0), (math.inf, 0.0)],
)
def test_far_from_all_settlements_none_is_told(places: Places, latitude: float, longitude: float) -> None:
    assert places.nearest(latitude, longitude) is None


def test_the_distance_is_told_in_whole_km(places: Places) -> None:
    near = places.nearest(47.90, 37.10)
    assert near is not None
    assert isinstance(near.km, int)
    assert 0 < near.km <= NEAREST_KM


POINTS = st.tuples(st.floats(44, 56), st.floats(22, 41))


@given(st.lists(POINTS, min_size=1, max_size=30), POINTS)
def test_the_nearest_is_the_nearest(points: list[tuple[float, float]], at: tuple[float, float]) -> None:
    found = Points(points).nearest(at, within_km=200)
    least = min(distance_km(at, point) for point in points)
    if found is None:
        assert least > 200
    else:
        assert found[1] == least == distance_km(at, points[found[0]])


def test_a_degree_of_latitude_is_some_111_km() -> None:
    assert distance_km((48.0, 37.0), (49.0, 37.0)) == pytest.approx(111.19, abs=0.1)
    assert distance_km((48.0, 37.0), (48.0, 38.0)) == pytest.approx(74.4, abs=0.1)
