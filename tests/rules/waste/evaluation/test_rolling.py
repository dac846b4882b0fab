"""Days one after the other."""

from collections.abc import Mapping, Sequence

import pytest

from rules.waste.days import DAY_MS
from rules.waste.evaluation.policies import Wish
from rules.waste.evaluation.rolling import Driven, begin, roll
from rules.waste.evaluation.sensed import Known
from rules.waste.evaluation.truth import EMPTIED_LEFT, FULL, STEP_MS, truth
from tests.rules.waste.evaluation.towns import drawn, one, small, steady

NOON_MS = 2 * STEP_MS


class Daily:
    """Every container every so many days, at noon."""

    def __init__(self, every: int = 1) -> None:
        self.every = every
        self.first_ms = 0

    def wishes(self, now_ms: int, known: Mapping[str, Known]) -> Sequence[Wish]:
        """All of them, when it is their day."""
        self.first_ms = self.first_ms or now_ms
        day = (now_ms - self.first_ms) // DAY_MS
        return [Wish(id_, None, 50.0) for id_ in known] if day % self.every == 0 else []


def at_noon(now_ms: int, wishes: Sequence[Wish]) -> Driven:
    """Everything that is wanted."""
    return Driven({wish.container: now_ms + NOON_MS for wish in wishes})


def test_a_visit_finds_what_came_since_the_last() -> None:
    """Between two noons a day's filling lies in the container, on top of what an emptying leaves."""
    places, real = (one(),), steady(8.0, 5, "bin")
    span = roll(places, real, begin(places, real), range(5), Daily(), at_noon)
    assert [round(each.level, 6) for each in span.emptyings] == [EMPTIED_LEFT + 2.0] + [EMPTIED_LEFT + 8.0] * 4
    assert span.overflowed == ()


def test_a_visit_within_a_step_parts_what_comes_in_it() -> None:
    """What comes in the rest of the step is found by the next visit: nothing gets lost."""
    places, real = (one(),), steady(8.0, 3, "bin")

    def soon(now_ms: int, wishes: Sequence[Wish]) -> Driven:
        return Driven({wish.container: now_ms + STEP_MS // 4 for wish in wishes})

    span = roll(places, real, begin(places, real), range(3), Daily(), soon)
    assert [round(each.level, 6) for each in span.emptyings] == [EMPTIED_LEFT + 0.25] + [EMPTIED_LEFT + 8.0] * 2


def test_overflow_is_counted_by_the_day_and_never_collected() -> None:
    """A container that is full stays at 100 %, and each day on which more comes counts once."""
    places, real = (one(),), steady(40.0, 4, "bin")
    state = begin(places, real)
    span = roll(places, real, state, range(4), Daily(every=99), at_noon)
    assert span.overflowed == (("bin", 2), ("bin", 3))
    assert state.levels["bin"] == FULL


def test_waste_is_neither_made_nor_lost() -> None:
    """What came is what was emptied and what is left, while nothing overflows."""
    town = small(10)
    real = truth(drawn(7), town, steady(1, 1).begin_ms, 30)
    state = begin(town.places, real)
    span = roll(town.places, real, state, range(30), Daily(every=2), at_noon)
    assert not span.overflowed
    came = sum(sum(steps) for steps in real.risen.values())
    went = sum(each.level - EMPTIED_LEFT for each in span.emptyings)
    assert went + sum(state.levels.values()) - EMPTIED_LEFT * 10 == pytest.approx(came)


def test_sensor_and_crew_tell_what_is_known() -> None:
    """The newest word is the level that is known, and the crew's report is its emptying."""
    places, real = (one(),), steady(10.0, 4, "bin", silent_from=3)
    state = begin(places, real)
    roll(places, real, state, range(3), Daily(every=2), at_noon)
    fill = state.known["bin"].fill
    assert fill.level == pytest.approx(state.levels["bin"], abs=0.6)
    assert fill.emptied_ms == real.day_ms(2) + NOON_MS
    before = fill.measured_ms
    roll(places, real, state, range(3, 4), Daily(every=99), lambda _now, _wishes: Driven({}))
    assert state.known["bin"].fill.measured_ms == before
