"""Fixed tours, tuned."""

from collections.abc import Mapping
from statistics import fmean

import pytest

from rules.waste.evaluation.fixed import patterns, together, tuned
from rules.waste.evaluation.policies import Fixed, Pattern
from rules.waste.evaluation.rolling import Span, begin, roll
from rules.waste.evaluation.study import flat
from rules.waste.evaluation.town import Town
from rules.waste.evaluation.truth import Truth, truth
from tests.rules.waste.evaluation.towns import MONDAY_MS, drawn, one, small

TRAINED, UNSEEN = 364, 112


@pytest.fixture(scope="module")
def town() -> Town:
    """Two dozen containers."""
    return small(24)


@pytest.fixture(scope="module")
def real(town: Town) -> Truth:
    """More than they are tuned on."""
    return truth(drawn(1), town, MONDAY_MS, TRAINED + UNSEEN)


def unseen(town: Town, real: Truth, chosen: Mapping[str, Pattern]) -> Span:
    """Days that the tuning has not seen."""
    return roll(
        town.places, real, begin(town.places, real), range(TRAINED, real.days), Fixed(town.places, chosen), flat
    )


def test_every_choice_of_weekdays_is_there_once() -> None:
    """Six working days have 63 choices; every so many days come on top; none stands twice."""
    found = patterns(6)
    assert len(set(found)) == len(found)
    assert sum(pattern.period == 6 for pattern in found) == 63
    assert Pattern(4, frozenset({3})) in found


def test_what_is_allowed_holds_on_days_that_were_not_seen(town: Town, real: Truth) -> None:
    """Allowed 1 %, it is around that on unseen days, not a lucky figure of the training."""
    span = unseen(town, real, tuned(town.places, real.until(TRAINED), 0.01))
    share = len(span.overflowed) / (24 * UNSEEN)
    assert 0.002 < share < 0.02


def test_less_overflow_costs_more_emptyings(town: Town, real: Truth) -> None:
    """A stricter city drives more, a laxer one less, and it shows in what overflows."""
    strict, lax = (tuned(town.places, real.until(TRAINED), share) for share in (0.002, 0.05))
    assert sum(pattern.per_day for pattern in strict.values()) > 1.2 * sum(pattern.per_day for pattern in lax.values())
    assert len(unseen(town, real, strict).overflowed) < len(unseen(town, real, lax).overflowed)


def test_fast_containers_are_emptied_more_often(town: Town, real: Truth) -> None:
    """Each container has a pattern of its own, by how it fills."""
    chosen = tuned(town.places, real.until(TRAINED), 0.004)
    ranked = sorted(chosen, key=lambda id_: sum(real.risen[id_]))
    slow, fast = (fmean(chosen[id_].per_day for id_ in part) for part in (ranked[:8], ranked[-8:]))
    assert fast > 1.5 * slow


def test_neighbours_share_their_days() -> None:
    """Two quarters that may go on either of two days: each ends with a day of its own, however they began."""
    either = [Pattern(2, frozenset({0})), Pattern(2, frozenset({1}))]
    quarters = [
        [one(f"{name}{number}", (longitude + number / 10_000, 51.68)) for number in range(26)]
        for name, longitude in (("west", 7.74), ("east", 7.90))
    ]
    mostly = {"west": either, "east": either[::-1]}
    near = {
        place.id: mostly[place.id[:4]][:: -1 if place.id.endswith("7") else 1] for place in quarters[0] + quarters[1]
    }
    chosen = together(quarters[0] + quarters[1], near)
    assert {chosen[place.id] for place in quarters[0]} == {either[0]}
    assert {chosen[place.id] for place in quarters[1]} == {either[1]}
