"""Alerts against true crossings, on episodes made by hand."""

import pytest

from simulator.score.alerts import beside_ms, episodes, match, score
from simulator.score.course import HOUR_MS as H
from simulator.score.course import Course, Span

DAY = Span(0, 24 * H)


def _span(begin: float, end: float) -> Span:
    return Span(int(begin * H), int(end * H))


def test_episodes_at_or_above_a_level() -> None:
    """Higher levels belong to an episode; one less than an hour after another is the same."""
    levels = Course([(0, 0), (2 * H, 1), (3 * H, 2), (4 * H, 0), (5 * H - 1, 1), (6 * H, 0), (7 * H, 1), (8 * H, 0)])
    assert episodes(levels, 1, DAY) == [_span(2, 6), _span(7, 8)]
    assert episodes(levels, 2, DAY) == [_span(3, 4)]
    assert episodes(Course(), 1, DAY) == []


def test_an_episode_that_lasts_ends_with_the_span() -> None:
    """What is up at the end is an episode up to there."""
    assert episodes(Course([(20 * H, 1)]), 1, DAY) == [_span(20, 24)]


def test_hit_missed_and_false() -> None:
    """A true episode without a published one is missed, a published one without a true one false."""
    found = match([_span(2, 3), _span(10, 11)], [_span(2.5, 3), _span(15, 16)], DAY)
    assert (found.hit, found.missed, found.false, found.open) == (1, 1, 1, 0)


def test_near_is_within_an_hour() -> None:
    """Up to an hour before the begin or after the end counts, more does not."""
    assert match([_span(5, 6)], [_span(7, 8)], DAY).hit == 1
    assert match([_span(5, 6)], [_span(3, 4)], DAY).hit == 1
    late = match([_span(5, 6)], [Span(7 * H + 1, 8 * H)], DAY)
    early = match([_span(5, 6)], [Span(3 * H, 4 * H - 1)], DAY)
    assert (late.hit, late.missed, late.false) == (early.hit, early.missed, early.false) == (0, 1, 1)


def test_lead_is_positive_before_the_crossing() -> None:
    """A quarter of an hour before is 900, after it −900."""
    assert match([_span(5, 6)], [_span(4.75, 7)], DAY).leads_s == [900]
    assert match([_span(5, 6)], [_span(5.25, 7)], DAY).leads_s == [-900]


def test_one_long_alert_over_two_episodes_leads_once() -> None:
    """Both are hit; that it was still up for the second is no lead."""
    found = match([_span(5, 6), _span(9, 10)], [_span(5.5, 10)], DAY)
    assert (found.hit, found.false, found.leads_s) == (2, 0, [-1800])


def test_two_alerts_in_one_episode_are_both_right() -> None:
    """The second is not false; the lead is the first one's."""
    found = match([_span(5, 10)], [_span(5, 6), _span(8, 9)], DAY)
    assert (found.hit, found.false, found.leads_s) == (1, 0, [0])


def test_the_last_hour_is_open() -> None:
    """What begins less than an hour before the end is neither missed nor false."""
    found = match([_span(23, 24)], [], DAY)
    assert (found.open, found.missed) == (1, 0)
    found = match([], [_span(23.5, 24)], DAY)
    assert (found.open, found.false) == (1, 0)
    found = match([Span(23 * H - 1, 24 * H)], [], DAY)
    assert (found.open, found.missed) == (0, 1)


def test_what_is_always_up_is_beside() -> None:
    """It hits every episode; its hours further than an hour from all of them are counted, but the last hour is open."""
    true = [_span(6, 7), _span(12, 13), _span(20, 21)]
    found = match(true, [DAY], DAY)
    assert (found.hit, found.missed, found.false, found.beside_ms) == (3, 0, 0, 14 * H)
    late = [_span(6.1, 7), _span(12.1, 13), _span(20.1, 21)]
    assert match(true, late, DAY).beside_ms == 0


@pytest.mark.parametrize(
    ("said", "hours"),
    [
        ([_span(4, 8)], 0),
        ([_span(3.5, 8)], 0.5),
        ([_span(4, 8.25)], 0.25),
        ([_span(1, 2), _span(9, 11)], 3),
        ([_span(2, 3), _span(6, 10)], 3),
        ([_span(21, 24)], 2),
        ([_span(23.5, 24)], 0),
        ([], 0),
    ],
)
def test_beside_is_further_than_an_hour(said: list[Span], hours: float) -> None:
    """An hour before the begin and after the end is near; further off counts, but not in the last hour."""
    assert beside_ms([_span(5, 7)], said, DAY) == hours * H
    assert beside_ms([], [_span(1, 2)], DAY) == H


def test_between_two_episodes_it_is_counted_once() -> None:
    """Episodes whose surroundings touch or overlap leave nothing between them."""
    assert beside_ms([_span(5, 6), _span(7.5, 8)], [_span(4, 9)], DAY) == 0
    assert beside_ms([_span(5, 6), _span(8.5, 9)], [_span(4, 10)], DAY) == H // 2


def test_a_kind_adds_up_its_assets() -> None:
    """Counts add up; the leads of all are looked at together; without any there is none."""
    up, early, never = Course([(0, 0), (5 * H, 2)]), Course([(0, 0), (4 * H, 2)]), Course([(0, 0)])
    found = score("gauge", 2, [(up, early), (up, up), (up, never), (never, up)], DAY)
    assert (found.kind, found.level, found.assets) == ("gauge", 2, 4)
    assert (found.hit, found.missed, found.false) == (2, 1, 1)
    assert found.false_h == 18
    assert (found.lead_median_s, found.lead_least_s) == (0, 0)
    quiet = score("gauge", 3, [(up, early)], DAY)
    assert (quiet.hit, quiet.missed, quiet.false, quiet.lead_median_s, quiet.lead_least_s) == (0, 0, 0, None, None)
