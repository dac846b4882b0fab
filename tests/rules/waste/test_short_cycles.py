"""What frequent emptyings do to forecasts: containers that fill by gamma increments, and the rule's own judgement."""

import random
from functools import lru_cache
from typing import NamedTuple

import pytest

from rules.asset import Asset
from rules.waste.due import Situation, judge
from rules.waste.due_config import ContainerConfig, configure
from rules.waste.evaluation.sensed import Known, emptied, heard
from rules.waste.forecast import rate_of
from tests.rules.waste.bins import DAY, HOUR, START

EVERY = 3 * HOUR
SHAPE_PER_DAY = 3.0
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CONTAINERS, WEEKS = 40, 8
NOTHING_LEFT, SOMETHING_LEFT = 0.0, 5.0
"""% that an emptying leaves at most."""


class Lived(NamedTuple):
    """A container's last four weeks: its true rate in % a day, what is known in the end, and its emptyings."""

    true: float
    known: Known
    emptyings: int


def setting(number: int) -> ContainerConfig:
    """A container for residual waste with tours on every day."""
    properties = {"fraction": "residual", "service_days": list(WEEK)}
    return configure(Asset(f"bin-{number}", "container", "Bin", properties, (), 7.8, 51.6, "mitte"))


def due(config: ContainerConfig, known: Known, now_ms: int) -> bool:
    """Whether it must be emptied on the tour of this day."""
    found = judge(config, Situation(known.fill, known.history, known.known_ms, now_ms))
    return found.obligation == "mandatory" and found.tour.begin_ms <= now_ms


@lru_cache
def lives(left: float, *, daily: bool) -> tuple[Lived, ...]:
    """Containers of 10 to 19 % a day, emptied at nine when they are due; with `daily` each day for four weeks first."""
    found = []
    for number in range(CONTAINERS):
        rng, true = random.Random(f"short cycles {number}"), 10.0 + 9.0 * number / (CONTAINERS - 1)
        config, level, known, emptyings = setting(number), 20.0, Known(START), 0
        for now_ms in range(START, START + WEEKS * 7 * DAY, EVERY):
            late, morning = now_ms - START >= WEEKS * 7 * DAY // 2, (now_ms - START) % DAY == 9 * HOUR
            if morning and ((daily and not late) or due(config, known, now_ms)):
                level, known = rng.uniform(0, left), emptied(config, known, now_ms)
                emptyings += late
            level += rng.gammavariate(SHAPE_PER_DAY * EVERY / DAY, true / SHAPE_PER_DAY)
            known = heard(config, known, now_ms + EVERY - 1, level)
        found.append(Lived(true, known, emptyings))
    return tuple(found)


@pytest.mark.parametrize("left", [NOTHING_LEFT, SOMETHING_LEFT], ids=["clean", "left"])
def test_daily_emptying_does_not_feed_itself(left: float) -> None:
    """Containers emptied daily for four weeks come due as often afterwards as those that went by the rule all along."""
    free, forced = (lives(left, daily=daily) for daily in (False, True))
    assert sum(each.emptyings for each in free) > 4 * CONTAINERS
    assert sum(each.emptyings for each in forced) <= 1.04 * sum(each.emptyings for each in free)


@pytest.mark.parametrize("daily", [False, True], ids=["by the rule", "daily"])
def test_rates_are_true_however_often_it_is_emptied(daily: bool) -> None:
    """Within 3 % as a mean, within a tenth for the usual container."""
    errors = []
    for each in lives(SOMETHING_LEFT, daily=daily):
        prior = setting(0).forecast
        assert prior is not None
        errors.append(rate_of(prior, each.known.history) / each.true - 1)
    assert abs(sum(errors) / CONTAINERS) < 0.03
    assert sum(map(abs, errors)) / CONTAINERS < 0.1
