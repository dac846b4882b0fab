"""A shower over a spot: exact in time and amount, from any side of the square."""

import math
from random import Random

import pytest

from simulator.world.showers import SIDE_KM, Cell, Pulse, Showers, Spot, pulse

EAST = Cell(1.0, 0.5, 10.0, 20.0, 30.0, 0.0, 5.0, 12.0)
"""In the middle of its life an hour after the start, 15 km of way on either side, 12 mm/h in the middle of 5 km."""


def _passing(cell: Cell, x: float, y: float) -> Pulse:
    found = pulse(cell, x, y)
    assert found is not None
    return found


def test_right_through_the_middle() -> None:
    """In before the middle is there, out as long after it; most in between, nothing at the edges."""
    found = _passing(EAST, 10.0, 20.0)
    assert (found.enters, found.leaves, found.nearest) == pytest.approx((1 - 1 / 6, 1 + 1 / 6, 1.0))
    assert found.rate(1.0) == 12.0
    assert found.rate(1 + 1 / 12) == pytest.approx(9.0)
    assert found.rate(found.enters) == pytest.approx(0, abs=1e-9)
    assert found.rate(found.leaves) == found.rate(0.5) == 0
    assert found.fallen_mm(0, 2) == pytest.approx(12 * (1 / 3) * 2 / 3)


def test_off_its_way() -> None:
    """Less and shorter beside the way of its middle; nothing beyond its edge."""
    off = _passing(EAST, 10.0, 24.0)
    assert off.leaves - off.enters == pytest.approx(2 * 3 / 30)
    assert off.rate(1.0) == pytest.approx(12 * 9 / 25)
    assert pulse(EAST, 10.0, 25.01) is None
    assert pulse(EAST, 10.0, 14.99) is None


def test_where_it_is_born_and_dies() -> None:
    """A spot that it reaches as it dies gets the part before; one beyond gets nothing; upwind of its birth nothing."""
    late = _passing(EAST, 25.0, 20.0)
    assert (late.leaves, late.nearest) == pytest.approx((1.5, 1.5))
    assert late.fallen_mm(0, 9) == pytest.approx(12 * (1 / 6) * 2 / 3)
    assert pulse(EAST, 30.1, 20.0) is None
    assert pulse(EAST, -10.1, 20.0) is None


def test_the_edges_of_the_square_meet() -> None:
    """The same spot one side away on either axis gets the same."""
    here = _passing(EAST, 12.0, 21.0)
    for east, north in ((SIDE_KM, 0), (-SIDE_KM, 0), (0, SIDE_KM), (7 * SIDE_KM, -3 * SIDE_KM)):
        assert _passing(EAST, 12.0 + east, 21.0 + north) == pytest.approx(here)


def test_what_falls_is_what_the_rate_says() -> None:
    """In any direction, in any part of the passage: the sum of many instants."""
    rng = Random(5)
    compared = 0
    for _ in range(60):
        way, speed = rng.uniform(0, 2 * math.pi), rng.uniform(8, 55)
        cell = Cell(2, 0.4, 0, 0, speed * math.cos(way), speed * math.sin(way), rng.uniform(2, 6), 10)
        found = pulse(cell, rng.uniform(-8, 8), rng.uniform(-8, 8))
        if found is None:
            continue
        begin, end = sorted(rng.uniform(1.5, 2.5) for _ in range(2))
        step = (end - begin) / 4000
        summed = sum(found.rate(begin + (number + 0.5) * step) for number in range(4000)) * step
        assert found.fallen_mm(begin, end) == pytest.approx(summed, abs=1e-4)
        compared += summed > 0.01
    assert compared > 10


def test_a_spot_sums_and_forgets() -> None:
    """Two showers at once are their sum; what is over is forgotten, what is not stays."""
    spot = Spot(10.0, 20.0)
    for cell in (EAST, EAST._replace(middle=3.0), EAST):
        spot.take(cell)
    assert spot.rate(1.0) == 24
    assert spot.fallen_mm(0, 9) == pytest.approx(3 * _passing(EAST, 10.0, 20.0).fallen_mm(0, 9))
    spot.forget(1.1)
    assert spot.rate(1.1) > 0
    spot.forget(2.0)
    assert spot.fallen_mm(0, 9) == pytest.approx(_passing(EAST, 10.0, 20.0).fallen_mm(0, 9))


def test_one_that_comes_late_hears_of_those_alive() -> None:
    """A spot asked for in the middle of a spell gets the rest of it, and all that follows."""
    showers = Showers(3, 0, lambda _: (25.0, 10.0))
    first = showers.spot(0, 0)
    now = 0.0
    while first.fallen_mm(now, now + 0.2) == 0:
        now += 0.05
        showers.until(now)
    second = showers.spot(0, 0)
    showers.until(now + 30)
    assert second.fallen_mm(now, now + 30) == pytest.approx(first.fallen_mm(now, now + 30))
    assert second.fallen_mm(now, now + 30) > 0


def test_seeds_differ() -> None:
    """The same seed gives the same showers, another one others."""
    found = []
    for seed in (1, 1, 2):
        showers = Showers(seed, 0, lambda _: (30.0, 0.0))
        spot = showers.spot(0, 0)
        showers.until(200)
        found.append(spot.fallen_mm(0, 200))
    assert found[0] == found[1] != found[2]
