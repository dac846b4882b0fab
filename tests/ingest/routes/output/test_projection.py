"""Where places are on a map."""

import math

import pytest

from ingest.routes.output.projection import fitted
from rules.svg import Point
from rules.waste.route.distance import haversine_m
from rules.waste.route.model import Depot

HAMM = [(7.70, 51.63), (7.90, 51.73), (7.80, 51.67)]


def test_all_places_are_within_the_frame() -> None:
    """With their margin, north up and east to the right."""
    frame = fitted(HAMM, Point(0, 70), 1200, 48)
    for place in HAMM:
        at = frame(*place)
        assert 48 <= round(at.x, 6) <= 1152
        assert 70 + 48 <= round(at.y, 6) <= round(70 + frame.height - 48, 6)
    assert frame(7.8, 51.70).y < frame(7.8, 51.65).y
    assert frame(7.85, 51.67).x > frame(7.75, 51.67).x


@pytest.mark.parametrize("places", [HAMM, [(-0.5, -33.0), (0.5, -33.3)], [(7.8, 51.67), (7.801, 51.67)]])
def test_the_scale_holds_in_all_directions(places: list[tuple[float, float]]) -> None:
    """Distances on the map are those of the great circle, to half a percent."""
    frame = fitted(places, Point(0, 0), 1000, 40)
    west, south = min(place[0] for place in places), min(place[1] for place in places)
    for longitude, latitude in ((west + 0.05, south), (west, south + 0.05), (west + 0.05, south + 0.05)):
        true_m = haversine_m(Depot("", west, south), Depot("", longitude, latitude))
        shown = math.dist(frame(west, south), frame(longitude, latitude))
        assert shown / frame.px_per_m == pytest.approx(true_m, rel=0.005)


@pytest.mark.parametrize("span", [0, 1e-5, 0.003, 0.02, 0.1, 0.7, 5])
def test_the_bar_is_round_and_fits(span: float) -> None:
    """One, two or five of a power of ten, a fifth of the width at most, and not tiny."""
    frame = fitted([(7.8, 51.67), (7.8 + span, 51.67)], Point(0, 0), 1000, 40)
    assert str(frame.bar_m).rstrip("0") in {"1", "2", "5"}
    assert 70 <= frame.bar_m * frame.px_per_m <= 200


def test_a_single_place_is_in_the_middle() -> None:
    """Nothing is divided by nothing."""
    frame = fitted([(7.8, 51.67)], Point(0, 0), 1000, 40)
    assert frame(7.8, 51.67) == Point(500, frame.height / 2)
