"""Distances without a routing engine."""

import pytest

from rules.waste.route.distance import haversine_m, straight_matrix, way
from rules.waste.route.model import Depot

HAMM = Depot("hamm", 7.8201, 51.6806)
DORTMUND = Depot("dortmund", 7.4653, 51.5136)


def test_the_great_circle_is_known() -> None:
    """A degree of latitude is 111.195 km on the mean sphere, Hamm to Dortmund some 31 km."""
    assert haversine_m(Depot("a", 7, 51), Depot("b", 7, 52)) == pytest.approx(111_195, abs=1)
    assert haversine_m(HAMM, DORTMUND) == pytest.approx(30_800, rel=0.02)
    assert haversine_m(HAMM, HAMM) == 0
    assert haversine_m(Depot("a", 0, 0), Depot("b", 180, 0)) == pytest.approx(20_015_115, abs=1)


def test_streets_are_longer_and_slower() -> None:
    """1.3 times the straight line at 30 km/h, in whole metres and seconds."""
    straight_m = haversine_m(HAMM, DORTMUND)
    assert way(HAMM, DORTMUND) == (round(straight_m * 1.3), round(straight_m * 1.3 / (30 / 3.6)))
    assert way(HAMM, DORTMUND, detour=1, speed_kmh=60) == (round(straight_m), round(straight_m / (60 / 3.6)))


def test_the_matrix_has_the_ways_both_ways() -> None:
    """Rows and columns stand in the order given, the diagonal is zero."""
    matrix = straight_matrix((HAMM, DORTMUND))
    metres, seconds = way(HAMM, DORTMUND)
    assert [list(row) for row in matrix.metres] == [[0, metres], [metres, 0]]
    assert [list(row) for row in matrix.seconds] == [[0, seconds], [seconds, 0]]
