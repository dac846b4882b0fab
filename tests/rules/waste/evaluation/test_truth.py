"""How containers fill, and what sensors say."""

from statistics import fmean

import pytest

from rules.waste.due_config import FRACTIONS
from rules.waste.evaluation.truth import NOISE, RATES, STEPS, truth
from tests.rules.waste.evaluation.towns import MONDAY_MS, drawn, small


def test_a_container_is_the_same_whatever_else_there_is() -> None:
    """Streams go by name: more containers or days change nothing of those that were there."""
    few, many = small(4), small(9)
    assert many.places[:4] == few.places
    short, long = truth(drawn(1), many, MONDAY_MS, 10), truth(drawn(1), many, MONDAY_MS, 30)
    assert long.until(10).risen == short.risen
    assert long.until(10).errors == short.errors


def test_another_seed_is_another_city() -> None:
    """Positions and filling both follow the seed."""
    assert small(4, seed=1).places != small(4, seed=2).places
    assert truth(drawn(1), small(4), MONDAY_MS, 9).risen != truth(drawn(2), small(4), MONDAY_MS, 9).risen


def test_filling_keeps_to_the_rates_of_the_fraction() -> None:
    """Each container's mean rise a day lies in the range of its fraction, all of them near its middle."""
    real = truth(drawn(3), small(60), MONDAY_MS, 364)
    rates = [sum(steps) / 364 for steps in real.risen.values()]
    usual = FRACTIONS["residual"].rate
    assert min(rates) > usual * RATES[0] * 0.85
    assert max(rates) < usual * RATES[1] * 1.2
    assert fmean(rates) == pytest.approx(usual * sum(RATES) / 2, rel=0.1)


def test_the_week_has_its_rhythm_and_holidays_are_sundays() -> None:
    """Saturdays bring the most, Sundays the least, and so does a public holiday in the week."""
    days, town = 364, small(60)
    real = truth(drawn(4), town, MONDAY_MS, days)

    def mean_rise(day: int) -> float:
        return fmean(sum(steps[day * STEPS : (day + 1) * STEPS]) for steps in real.risen.values())

    by_weekday = [fmean(mean_rise(day) for day in range(weekday, days, 7)) for weekday in range(7)]
    assert max(by_weekday) == by_weekday[5]
    assert min(by_weekday) == by_weekday[6]
    christmas = 109
    """25 December 2026, a Friday."""
    assert mean_rise(christmas) < 0.8 * by_weekday[4]


def test_sensors_err_lose_words_and_fall_silent() -> None:
    """Words err by the noise, some are lost, and now and then all of some days."""
    real = truth(drawn(5), small(40), MONDAY_MS, 200)
    errors = [error for steps in real.errors.values() for error in steps if error is not None]
    assert fmean(abs(error) for error in errors) == pytest.approx(NOISE * 0.798, rel=0.05)
    missing = 1 - len(errors) / (40 * 200 * STEPS)
    assert 0.03 < missing < 0.09
    longest = max(
        len(run) for steps in real.errors.values() for run in "".join("x" if e is None else " " for e in steps).split()
    )
    assert longest > 2 * STEPS
