"""Marks on a map that are moved apart."""

import math
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from ingest.routes.output.spread import spread
from rules.svg import Point

PLACES = st.lists(st.builds(Point, st.floats(0, 300), st.floats(0, 300)), max_size=40)


@given(PLACES)
def test_no_mark_hides_another(points: list[Point]) -> None:
    """All are two radii apart, none is lost."""
    got = spread(points, 10)
    assert len(got) == len(points)
    assert all(math.dist(one, other) >= 20 - 1e-6 for one, other in combinations(got, 2))


def test_marks_with_room_stay_where_they_are() -> None:
    """Only the second of two at a place moves, and not far."""
    points = [Point(0, 0), Point(100, 0), Point(100, 0)]
    got = spread(points, 10)
    assert got[:2] == points[:2]
    assert 20 <= math.dist(got[2], points[2]) <= 30


def test_many_marks_at_one_place_stay_near() -> None:
    """A hundred fit around it; a thousand are placed in no time that anybody notices."""
    assert max(math.dist(place, (0, 0)) for place in spread([Point(0, 0)] * 100, 10)) < 250
    assert len(spread([Point(number % 40 * 5.0, number // 40 * 5.0) for number in range(1000)], 10)) == 1000
