"""Levels, limits in properties, rounding, gases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.quantity import Quantity
from rules.asset import CityError
from rules.environment.gas import AS_MASS, factor
from rules.environment.level import Limit, half_up, level_of, rising
from tests.rules.environment.play import asset

LIMITS = (Limit(10), Limit(20, included=False), Limit(30))


@pytest.mark.parametrize(
    ("value", "before", "level"),
    [(9.9, 0, 0), (10, 0, 1), (20, 0, 1), (20.1, 0, 2), (30, 0, 3), (29, 3, 3), (28, 3, 2), (17, 3, 1), (8.1, 1, 1),
     (8, 1, 0), (0, 3, 0), (18.5, 2, 2), (50, 1, 3)],
)  # fmt: skip
def test_a_level_rises_at_once_and_falls_late(value: float, before: int, level: int) -> None:
    """Included and excluded limits; a level goes on until the value is the hysteresis of 2 below its limit."""
    assert level_of(LIMITS, value, before, 2) == level


@given(st.lists(st.floats(18.01, 20, exclude_max=True), max_size=30), st.integers(0, 2))
def test_no_flapping_within_the_hysteresis(values: list[float], before: int) -> None:
    """Values between a limit and its end change the level at most once, whatever their order."""
    found, level = [], before
    for value in values:
        level = level_of(LIMITS, value, level, 2)
        found.append(level)
    assert len(set(found)) <= 1


@given(st.floats(-100, 100), st.integers(0, 3), st.floats(0, 20))
def test_a_level_is_never_below_what_is_reached(value: float, before: int, hysteresis: float) -> None:
    """Hysteresis only ever holds a level up, never above the one before."""
    reached = level_of(LIMITS, value, 0, 0)
    level = level_of(LIMITS, value, before, hysteresis)
    assert reached <= level <= max(before, reached)


@pytest.mark.parametrize(("value", "rounded"), [(9.5, 10), (10.5, 11), (9.49, 9), (54.5, 55), (-0.5, 0), (0, 0)])
def test_a_half_goes_up(value: float, rounded: float) -> None:
    """Not to the even number as Python does it."""
    assert half_up(value) == rounded


@pytest.mark.parametrize(
    "given_value", [[1, 2], [3, 2, 1], [1, 1, 2], ["a", 1, 2], 5, [1, 2, True], [0, 1, 2e9], None, [-1, 2, 3]]
)
def test_limits_that_cannot_be_are_refused(given_value: object) -> None:
    """The error names asset, property, value and what was expected."""
    with pytest.raises(CityError, match=r"feature 'place-1': property 'x' is .*expected a list of 3 rising numbers"):
        rising(asset(x=given_value), "x", LIMITS)


def test_limits_keep_whether_they_are_included() -> None:
    """A property changes the numbers only."""
    assert rising(asset(x=[1, 2, 3]), "x", LIMITS) == (Limit(1.0), Limit(2.0, included=False), Limit(3.0))
    assert rising(asset(), "x", LIMITS) is LIMITS


@pytest.mark.parametrize(
    ("gas", "expected"),
    [(Quantity.O3, 1.9957), (Quantity.NO2, 1.9125), (Quantity.SO2, 2.6609), (Quantity.CO, 1.1642)],
)
def test_gases_are_converted_at_20_degrees(gas: Quantity, expected: float) -> None:
    """The factors that the United Kingdom reports with to the EU (20 °C, 1013 mb), to three per mille."""
    assert factor(gas) == pytest.approx(expected, rel=0.003)
    change = AS_MASS[gas]
    assert change is not None
    assert change(100.0) == pytest.approx(100 * factor(gas))
