"""The judgement itself."""

import random

from rules.waste.due import Judgement, Situation, judge
from rules.waste.due_config import LEAST_RISK, configure
from rules.waste.fill import Fill
from rules.waste.forecast import RESIDUALS, History
from tests.rules.waste.bins import DAY, HOUR, START, asset

NOW = START + 8 * HOUR
RNG = random.Random(3)
LEARNED = History(
    seen_ms=NOW,
    rates=(12.0,) * 8,
    spent=(2.0,) * 7,
    risen=(24.0,) * 7,
    residuals=tuple(RNG.gauss(0, 0.6) for _ in range(RESIDUALS)),
)


def judged(level: float, **properties: object) -> Judgement:
    """A container of which enough is known, at this level on a Monday morning."""
    fill = Fill(heard_ms=NOW, measured_ms=NOW, level=level, source="d0", emptied_ms=NOW - 3 * DAY)
    return judge(configure(asset(**properties)), Situation(fill, LEARNED, START, NOW))


def test_with_five_percent_p05_says_the_same() -> None:
    """At each level: mandatory if and only if the chance is 5 %, which is when p05 lies before the tour after ends."""
    seen = set()
    for level in range(20, 95):
        found = judged(level, cleared_percent=10, full_risk_percent=5)
        assert found.forecast is not None
        risky = found.forecast.risk >= 0.05
        assert risky == (found.forecast.times.p05_ms < found.after.end_ms)
        assert (found.obligation == "mandatory") == risky
        seen.add((found.obligation, found.forecast.times.p50_ms < found.after.end_ms))
    assert seen == {("none", False), ("optional", False), ("mandatory", False), ("mandatory", True)}


def test_ten_percent_decide_where_nothing_is_said() -> None:
    """At each level: mandatory if and only if the chance is 10 %."""
    found = [judged(level, cleared_percent=10) for level in range(20, 95)]
    risks = [(each.forecast.risk, each.obligation == "mandatory") for each in found if each.forecast is not None]
    assert len(risks) == len(found)
    assert all(must == (risk >= 0.1) for risk, must in risks)
    assert 0.05 < max(risk for risk, must in risks if not must) < 0.1


def test_a_city_may_bear_another_chance() -> None:
    """With `full_risk_percent` 20 it must be emptied from 20 % on, and what lies below may be, for a prize."""
    for level in range(20, 95):
        found = judged(level, cleared_percent=10, full_risk_percent=20)
        assert found.forecast is not None
        assert (found.obligation == "mandatory") == (found.forecast.risk >= 0.2)
    between = [judged(level, full_risk_percent=20).obligation for level in range(40, 90) if judged(level).prize is None]
    assert {"optional", "mandatory"} <= set(between)


def test_the_prize_is_what_overflow_costs_and_what_a_visit_saves() -> None:
    """By the chance of the tour after that, and the square of the level; both costs are the city's."""
    optional = [found for level in range(40, 90) if (found := judged(level)).obligation == "optional"]
    for found in optional:
        assert found.forecast is not None
        assert found.prize is not None
        assert found.forecast.risk < LEAST_RISK
    last = optional[-1]
    assert last.forecast is not None
    assert last.forecast.risk_later > 2 * last.forecast.risk
    level = 39 + len(optional)
    assert last.prize == round(20 * last.forecast.risk_later + 8 * (level / 100) ** 2, 2)
    assert judged(level, overflow_cost_eur=0, visit_cost_eur=0).prize == 0


def test_a_lone_word_of_a_flood_does_not_decide() -> None:
    """One error far out among the fifty-nine moves the chance by a sixtieth."""
    calm, flood = (0.0,) * RESIDUALS, (*(0.0,) * (RESIDUALS - 1), 9.0)
    setting = configure(asset())
    fill = Fill(heard_ms=NOW, measured_ms=NOW, level=50.0, source="d0", emptied_ms=NOW - 3 * DAY)
    found = [judge(setting, Situation(fill, LEARNED._replace(residuals=each), START, NOW)) for each in (calm, flood)]
    assert [each.forecast is not None and round(each.forecast.risk * 60) for each in found] == [0, 1]
    assert [each.obligation for each in found] == ["optional", "optional"]
