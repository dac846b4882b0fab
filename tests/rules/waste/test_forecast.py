"""What is learned of a container, and when it will be full."""

import random
from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.waste.days import Service, Tour, spans, tour_after
from rules.waste.forecast import (
    HORIZON_DAYS,
    PIECES,
    PRIOR_RESIDUALS,
    RESIDUALS,
    History,
    Model,
    Prior,
    days_known,
    factors_of,
    from_model_1,
    full_times,
    learn,
    levels_at,
    model_of,
    quantile,
    rate_of,
    rise_between,
    risk_before,
)
from tests.rules.waste.bins import DAY, HOUR, START

ZONE = "Europe/Berlin"
PRIOR = Prior(10.0, ZONE)
EVEN = Model(10.0, (1.0,) * 7, PRIOR_RESIDUALS, ZONE)
SURE = Model(10.0, (1.0,) * 7, (0.0,) * 40, ZONE)


def ms(text: str) -> int:
    """A local time."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def filled(per_day: tuple[float, ...], days: int, cycle: int, every: int = 3 * HOUR) -> History:
    """A container that fills by these rates from Monday on and is emptied each `cycle` days at midnight."""
    history, level = History(), 0.0
    for step in range(days * DAY // every):
        at = START + step * every
        day, rest = divmod(step * every, DAY)
        fresh = day > 0 and rest == 0 and day % cycle == 0
        level = 0.0 if fresh else level
        history = learn(PRIOR, history, at, min(100.0, level), fresh=fresh)
        level += per_day[day % 7] * every / DAY
    return history


def test_the_rate_is_the_mean_of_the_pieces_shrunk_to_the_fractions_mean() -> None:
    """Each counts five days, the open one its own; without any the fraction's mean holds."""
    assert rate_of(PRIOR, History()) == 10
    assert rate_of(PRIOR, History(rates=(20.0, 26.0))) == pytest.approx((20 * 5 + 26 * 5 + 10 * 5) / 15)
    opened = History(rates=(20.0, 26.0), rise=46.0, days=2.0)
    assert rate_of(PRIOR, opened) == pytest.approx((20 * 5 + 26 * 5 + 23 * 2 + 10 * 5) / 17)
    assert rate_of(PRIOR, opened._replace(rise=230.0, days=10.0)) == pytest.approx((20 + 26 + 23 + 10) / 4)
    assert rate_of(PRIOR, History(rise=40.0, days=2.0)) == pytest.approx((40 + 10 * 5) / 7)
    assert rate_of(PRIOR, History(rates=(20.0,) * PIECES)) > 19


def test_a_piece_that_is_out_of_line_counts_half_as_much_again_as_the_median() -> None:
    """How far out it lies does not matter."""
    far, further = (rate_of(PRIOR, History(rates=(20.0, 20.0, most))) for most in (60.0, 600.0))
    assert far == further == pytest.approx((20 + 20 + 30 + 10) / 4)


@pytest.mark.parametrize(("cycle", "pieces"), [(1, 11), (4, 8), (5, 6), (6, 11)])
def test_rates_are_learned_from_five_days_or_more(cycle: int, pieces: int) -> None:
    """15 % a day, seventy days long: shorter cycles count together, and every rate is 15.

    The three hours before an emptying teach nothing, so that cycles of five days lack a little to one piece.
    """
    history = filled((15.0,) * 7, 70, cycle)
    assert len(history.rates) == pieces
    assert all(rate == pytest.approx(15, rel=0.01) for rate in history.rates)
    assert model_of(PRIOR, history).factors == pytest.approx((1.0,) * 7, abs=0.01)


def test_the_newest_twelve_pieces_are_kept() -> None:
    """Of a year."""
    assert len(filled((13.0,) * 7, 365, 7).rates) == PIECES


def test_what_a_crew_leaves_is_no_filling() -> None:
    """Emptied daily, 4 % stay each time: with the crew's word or the sensor's first one it fills by 12 % a day."""
    rates = []
    for told in (True, False):
        history = History()
        for hour in range(60 * 24):
            at, (day, of_day) = START + hour * HOUR, divmod(hour, 24)
            fresh = day > 0 and of_day == 0
            if told and fresh:
                history = learn(PRIOR, history, at - HOUR // 2, None, fresh=True)
                assert history.promises == ()
                assert history.level is None
            history = learn(PRIOR, history, at, 4 + of_day * 0.5, fresh=fresh and not told)
        rates.append(history.rates)
    with_word, without = rates
    assert with_word == without
    assert with_word == pytest.approx((12.0,) * len(with_word), rel=0.001)
    assert len(with_word) > 8


def test_what_model_1_learned_is_taken_up_as_its_mean() -> None:
    """Rates of cycles of a day are not: 336 % rose in 28 days, which makes five pieces of 12 % a day."""
    before = History(seen_ms=START, rates=(30.0, 3.0) * 6, rise=8.0, days=0.5, spent=(4.0,) * 7, risen=(48.0,) * 7)
    assert from_model_1(before) == before._replace(rates=(12.0,) * 5, rise=0.0, days=0.0)
    assert from_model_1(before._replace(spent=(20.0,) * 7)).rates == (2.4,) * PIECES
    assert from_model_1(History()) == History()


def test_a_container_that_overflows_teaches_its_rate_up_to_there() -> None:
    """Full after four days and emptied after seven: still 25 % a day."""
    history = filled((25.0,) * 7, 56, 7)
    assert all(rate == pytest.approx(25, rel=0.02) for rate in history.rates)


def test_weekdays_are_learned_and_shrunk_to_one() -> None:
    """Saturdays twice as much as other days: after eight weeks most of it is known, after two days little."""
    week = (10.0, 10.0, 10.0, 10.0, 10.0, 20.0, 10.0)
    factors = factors_of(filled(week, 56, 5))
    assert sum(factors) == pytest.approx(7)
    assert factors[5] / factors[0] == pytest.approx(1.7, abs=0.15)
    assert factors_of(History()) == (1.0,) * 7
    early = factors_of(filled(week, 3, 5))
    assert max(early) - min(early) < 0.01


def test_a_cycle_with_the_busy_day_has_the_rate_of_one_without() -> None:
    """Saturdays four times as much: cycles of five days differ by 60 % in their rise, but little in their rate."""
    rates = filled((10.0, 10.0, 10.0, 10.0, 10.0, 40.0, 10.0), 84, 5).rates[-7:]
    assert max(rates) / min(rates) < 1.2


def test_an_unexplained_jump_is_no_filling() -> None:
    """It moves the level and teaches nothing."""
    history = learn(PRIOR, filled((10.0,) * 7, 2, 9), START + 2 * DAY, 90.0, fresh=False, moved=True)
    assert history.level == 90.0
    assert history.rise == pytest.approx(18.75)


def test_the_state_stays_small() -> None:
    """After half a year it holds no more than after three months."""
    history = filled((13.0, 9.0, 16.0, 12.0, 14.0, 20.0, 6.0), 180, 5)
    assert len(history.residuals) == RESIDUALS
    assert len(history.promises) <= 12
    assert len(str(tuple(history))) < 2500
    assert days_known(history) < 85


def test_a_public_holiday_is_a_sunday() -> None:
    """All Saints' Day 2027, a Monday, in North Rhine-Westphalia, counts like the Sunday before it."""
    days = [day for day, _, _ in spans(ZONE, ms("2027-10-31T00:00+02:00"), ms("2027-11-03T00:00+01:00"))]
    assert days == [6, 6, 1]


def test_days_are_local_ones_across_both_clock_changes() -> None:
    """25 and 23 hours; nothing is lost between them."""
    for begin, hours in (("2026-10-25T00:00+02:00", 25), ("2027-03-28T00:00+01:00", 23)):
        (first, second) = spans(ZONE, ms(begin), ms(begin) + (hours + 1) * HOUR)
        assert (first[2] - first[1], second[2] - second[1]) == (hours * HOUR, HOUR)


def test_tours_go_on_service_days_and_never_on_holidays() -> None:
    """After Thursday's comes Monday's where Friday is Good Friday and Monday Easter Monday: Tuesday's."""
    service = Service(frozenset(range(5)), 360, 900, ZONE)
    tour = tour_after(service, ms("2027-03-25T15:00+01:00"))
    assert tour == Tour(ms("2027-03-30T06:00+02:00"), ms("2027-03-30T15:00+02:00"))
    assert tour_after(service, tour.end_ms - 1) == tour


def test_an_even_container_is_full_when_the_sum_says() -> None:
    """Half full at 10 % a day: in five days, and sure forecasts have no interval."""
    assert full_times(SURE, 50.0, START) == pytest.approx((START + 5 * DAY,) * 3, abs=2, rel=0)
    assert levels_at(SURE, 50.0, START, START + 2 * DAY) == (70.0, 70.0, 70.0)
    assert rise_between(SURE, START, START + 3 * DAY) == pytest.approx(30)


def test_a_slow_container_ends_at_the_horizon() -> None:
    """120 days ahead at most."""
    slow = SURE._replace(rate=0.1)
    assert full_times(slow, 50.0, START).p50_ms == START + HORIZON_DAYS * DAY


@given(
    st.floats(0, 100),
    st.floats(0.05, 300),
    st.lists(st.floats(0.1, 3), min_size=7, max_size=7),
    st.lists(st.floats(-5, 5), min_size=1, max_size=80),
    st.integers(0, 400 * DAY),
)
def test_times_rise_and_never_lie_before_now(
    level: float, rate: float, factors: list[float], errors: list[float], after: int
) -> None:
    """For any model: now ≤ p05 ≤ p50 ≤ p95 ≤ the horizon; levels and risk rise with time."""
    model, now = Model(rate, tuple(factors), tuple(sorted(errors)), ZONE), START + after
    times = full_times(model, level, now)
    assert now <= times.p05_ms <= times.p50_ms <= times.p95_ms <= now + HORIZON_DAYS * DAY
    for day in (0, 1, 5):
        low, middle, high = levels_at(model, level, now, now + day * DAY)
        assert 0 <= low <= middle <= high <= 100
        assert 0 <= risk_before(model, level, now, now + day * DAY) <= 1
    assert full_times(model, 100.0, now).p95_ms == now


def test_risk_and_the_early_time_agree() -> None:
    """Before p05 the risk is at most a twentieth, after p95 it is nearly one."""
    rng = random.Random(1)
    model = EVEN._replace(errors=tuple(sorted(rng.gauss(0, 1) for _ in range(199))))
    times = full_times(model, 40.0, START)
    assert risk_before(model, 40.0, START, times.p05_ms - HOUR) <= 0.05
    assert risk_before(model, 40.0, START, times.p05_ms + HOUR) >= 0.045
    assert risk_before(model, 40.0, START, times.p50_ms) == pytest.approx(0.5, abs=0.08)
    assert risk_before(model, 40.0, START, times.p95_ms + HOUR) >= 0.94
    assert risk_before(model, 100.0, START, START) == 1
    risks = [risk_before(model, 40.0, START, START + hour * HOUR) for hour in range(0, 240, 6)]
    assert all(one <= other for one, other in pairwise(risks))


def test_quantiles_are_corrected_for_few_errors() -> None:
    """Of 99 errors the 95th is the quantile, of 9 the largest; the lower one mirrors it."""
    many = tuple(float(number) for number in range(1, 100))
    assert (quantile(many, 0.95), quantile(many, 0.05), quantile(many, 0.5)) == (95, 5, 50)
    assert (quantile(many[:9], 0.95), quantile(many[:9], 0.05)) == (9, 1)


def test_errors_of_forecasts_are_learned() -> None:
    """An even container leaves small errors, one that fills on Saturdays only large ones."""
    even, lumpy = filled((10.0,) * 7, 56, 7), filled((2.0, 2.0, 2.0, 2.0, 2.0, 60.0, 0.0), 56, 7)
    spread = [max(abs(error) for error in history.residuals[-20:]) for history in (even, lumpy)]
    assert spread[0] < 0.3 < spread[1]
