"""The backtest's core, and what it says of simulated containers."""

import pytest

from ingest.commands.waste_simulated import simulated
from rules.waste.backtest import Compared, Figures, Level, compare, figures, with_emptyings
from rules.waste.forecast import Prior
from tests.rules.waste.bins import DAY, HOUR, START

PRIOR = Prior(13.0, "Europe/Berlin")


def figures_of(seed: int) -> list[Figures]:
    """Figures of simulated containers."""
    found: list[Compared] = []
    for levels in simulated(25, 56, seed, "Europe/Berlin").values():
        found += compare(PRIOR, with_emptyings(levels))
    return figures(found)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_forecasts_beat_both_baselines_and_their_intervals_hold(seed: int) -> None:
    """At one, two and three days; nine in ten levels lie within the interval from the 5th to the 95th percentile."""
    for each in figures_of(seed):
        assert each.compared > 400
        assert each.mae["forecast"] < 0.9 * each.mae["linear"] < 0.95 * each.mae["last_rate"]
        assert 0.83 <= each.coverage <= 0.95
        assert each.width < 45


def test_what_is_even_is_foretold_to_the_point() -> None:
    """10 % a day, at the end: the baselines hit it, the forecast but for what the fraction's mean still weighs."""
    levels = [Level(START + hour * HOUR, hour * 10 / 24 % 90, emptied=False) for hour in range(24 * 45)]
    found = compare(PRIOR, with_emptyings(levels))
    for each in found[-9:]:
        forecast, *baselines = each.foretold
        assert forecast == pytest.approx(each.actual, abs=0.8 * each.horizon)
        assert baselines == pytest.approx([each.actual] * 2, abs=0.1)
        assert each.low <= each.actual <= each.high


def test_nothing_is_foretold_across_an_emptying_or_a_gap() -> None:
    """Days whose future holds either are left out; unsorted and doubled levels do not matter."""
    days = [Level(START + day * DAY, 10.0 * day, emptied=False) for day in range(6)]
    after = [Level(START + day * DAY, 10.0 * (day - 6), emptied=False) for day in range(6, 8)]
    later = [Level(START + day * DAY, 20.0 + day, emptied=False) for day in range(30, 31)]
    marked = with_emptyings([*later, *after, *days, *days])
    assert [level.emptied for level in marked] == [False] * 6 + [True] + [False] * 2
    found = compare(PRIOR, marked)
    assert sorted((each.horizon, each.actual) for each in found) == [(1, 10.0), (1, 40.0), (1, 50.0), (2, 50.0)]


def test_only_what_lies_after_the_begin_is_compared() -> None:
    """What lies before is learned from."""
    levels = with_emptyings(simulated(1, 40, 1, "Europe/Berlin")["container-0001"])
    every, late = compare(PRIOR, levels), compare(PRIOR, levels, levels[0].time_ms + 30 * DAY)
    assert 0 < len(late) < len(every)
    assert every[-len(late) :] == late


def test_a_seed_is_a_city() -> None:
    """The same seed gives the same levels, whatever the number of containers."""
    one, two = (simulated(count, 5, 7, "Europe/Berlin") for count in (1, 2))
    assert one["container-0001"] == two["container-0001"] != two["container-0002"]
    assert simulated(1, 5, 8, "Europe/Berlin") != one
