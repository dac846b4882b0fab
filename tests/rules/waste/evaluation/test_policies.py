"""Which containers are wanted, and by what knowledge."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from rules.waste.days import DAY_MS
from rules.waste.evaluation.policies import Fixed, Pattern, Policy, Prize, Threshold, Wish, working_day
from rules.waste.evaluation.rolling import Driven, begin, roll
from rules.waste.evaluation.study import flat
from rules.waste.evaluation.truth import STEPS, Truth, truth
from tests.rules.waste.evaluation.towns import MONDAY_MS, drawn, one, small, steady

EVERY_DAY = Pattern(1, frozenset({0}))
SATURDAY = 5


def wished(policy: Policy, truth_: Truth, places: Sequence[object], days: int) -> list[list[Wish]]:
    """The wishes of each day, all of them emptied."""
    found: list[list[Wish]] = []

    def drive(now_ms: int, wishes: Sequence[Wish]) -> Driven:
        found.append(list(wishes))
        return flat(now_ms, wishes)

    town = [place for place in places if hasattr(place, "config")]
    roll(town, truth_, begin(town, truth_), range(days), policy, drive)  # type: ignore[arg-type] # places they are
    return found


def test_working_days_are_counted_through_weekends() -> None:
    """Monday follows Saturday, and a Sunday has no number."""
    service = one().config.service
    numbers = [working_day(service, MONDAY_MS + day * DAY_MS) for day in range(8)]
    assert numbers[6] is None
    counted = [number for number in numbers if number is not None]
    assert counted == list(range(counted[0], counted[0] + 7))


def test_fixed_tours_go_on_their_weekdays_only() -> None:
    """A pattern of two weekdays is wanted twice a week."""
    places = (one(),)
    monday = working_day(places[0].config.service, MONDAY_MS) or 0
    policy = Fixed(places, {"bin": Pattern(6, frozenset({monday % 6, (monday + 3) % 6}))})
    days = [day for day in range(14) if policy.wishes(MONDAY_MS + day * DAY_MS, {}) and policy.places]
    assert days == [0, 3, 7, 10]


def test_a_holidays_tour_goes_on_the_next_working_day() -> None:
    """Easter Monday's containers are emptied on the Tuesday after, with Tuesday's own."""
    place = one()
    easter_monday = MONDAY_MS - 154 * DAY_MS
    number = working_day(place.config.service, easter_monday) or 0
    policy = Fixed((place,), {"bin": Pattern(6, frozenset({number % 6}))})
    assert not policy.wishes(easter_monday, {})
    assert policy.wishes(easter_monday + DAY_MS, {})
    assert not policy.wishes(easter_monday + 2 * DAY_MS, {})


def test_a_threshold_wants_what_has_reached_it() -> None:
    """At 10 % a day a container is wanted on the first morning at or above 52 %, and only then."""
    places = (one(forecast=False),)
    state = begin(places, real := steady(10.0, 6, "bin"))
    policy = Threshold(places, 52.0)
    wanted = []
    for day in range(6):
        wanted.append(bool(policy.wishes(real.day_ms(day), state.known)))
        roll(places, real, state, range(day, day + 1), Fixed(places, {"bin": Pattern(9**9, frozenset({1}))}), flat)
    assert wanted == [False, False, False, False, False, True]


@pytest.mark.parametrize("kind", [Prize, lambda places: Threshold(places, 60.0)])
def test_the_future_is_not_known(kind: type[Prize]) -> None:
    """Wishes are the same up to the day from which on the waste comes differently, and differ later."""
    town = small(12)
    real = truth(drawn(5), town, MONDAY_MS, 40)
    other = real._replace(
        risen={
            id_: steps[: 25 * STEPS] + tuple(3 * step for step in steps[25 * STEPS :])
            for id_, steps in real.risen.items()
        }
    )
    first, second = (wished(kind(town.places), each, town.places, 40) for each in (real, other))
    assert first[:15] == second[:15]
    assert first != second
    assert _by_day(kind(town.places), real, town.places, 26) == _by_day(kind(town.places), other, town.places, 26)


@pytest.mark.parametrize("kind", [Prize, lambda places: Threshold(places, 60.0)])
def test_what_no_sensor_says_is_not_known(kind: type[Prize]) -> None:
    """With silent sensors wishes do not depend on how full containers are."""
    town = small(12)
    slow, fast = (steady(rate, 40, *(place.id for place in town.places), silent_from=0) for rate in (2.0, 30.0))
    assert wished(kind(town.places), slow, town.places, 40) == wished(kind(town.places), fast, town.places, 40)
    assert any(wished(kind(town.places), slow, town.places, 40))


def _by_day(policy: Policy, real: Truth, places: Sequence[object], days: int) -> list[list[Wish]]:
    return wished(policy, real, places, days)


def test_prizes_want_a_container_before_it_is_full() -> None:
    """At a steady 15 % a day nothing overflows, and no visit finds less than a third."""
    places = (one(),)
    real = steady(15.0, 60, "bin")
    state = begin(places, real)
    policy = Prize(places)

    def must(now_ms: int, wishes: Sequence[Wish]) -> Driven:
        return flat(now_ms, [wish for wish in wishes if wish.prize is None])

    span = roll(places, real, state, range(60), policy, must)
    assert not span.overflowed
    assert min(each.level for each in span.emptyings) > 33
    assert len(span.emptyings) < 20


def test_optional_wishes_carry_a_prize() -> None:
    """What need not be emptied has a prize that grows with the level."""
    places = (one(),)
    real = steady(6.0, 14, "bin")
    state = begin(places, real)
    policy, prizes = Prize(places), list[float]()

    def none(now_ms: int, wishes: Sequence[Wish]) -> Driven:
        prizes.extend(wish.prize for wish in wishes if wish.prize is not None)
        return Driven({})

    roll(places, real, state, range(14), policy, none)
    assert len(prizes) > 1
    assert prizes == sorted(prizes)


def test_a_silent_container_goes_back_to_its_cycle() -> None:
    """Two days after the last word its own fixed cycle counts, not the rule's usual one."""
    often, seldom = one(cycle_days=2), one(cycle_days=12)
    counts = []
    for place in (often, seldom):
        real = steady(4.0, 40, "bin", silent_from=3)
        span = roll((place,), real, begin((place,), real), range(40), Prize((place,)), flat)
        counts.append(len(span.emptyings))
    assert counts[0] > 3 * counts[1]


def test_configs_can_leave_forecasts_out() -> None:
    """Without forecasts prizes go by the threshold alone."""
    place = one()
    place = place._replace(config=replace(place.config, forecast=None))
    real = steady(10.0, 12, "bin")
    span = roll((place,), real, begin((place,), real), range(12), Prize((place,)), flat)
    assert [round(each.level) >= place.config.threshold for each in span.emptyings] == [True]
