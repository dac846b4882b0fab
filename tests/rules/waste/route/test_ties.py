"""Tours that belong together."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random

import pytest

from rules.event_route import RouteStatus
from rules.waste.route import life
from rules.waste.route.life import Change, LifeError
from rules.waste.route.record import PlanRecord, TourRecord
from rules.waste.route.solution import Visit
from rules.waste.route.ties import Tie, ties, together
from tests.rules.waste.route.plans import evening_ms, plan

BEFORE = {"a": "12", "b": "34", "c": "5", "d": "6"}


def made(name: str, tours: Mapping[str, str], status: RouteStatus = "proposed") -> PlanRecord:
    """A plan with these vehicles, each stop a letter."""
    return replace(
        plan({}, name),
        tours=tuple(
            TourRecord(
                vehicle,
                50_000,
                places=tuple(stops),
                visits=tuple(Visit(place, "stop", 0, 0, 0, 0, 0, 0) for place in stops),
                status=status,
            )
            for vehicle, stops in tours.items()
        ),
    )


@pytest.mark.parametrize(
    ("tours", "chosen", "group"),
    [
        ({"a": "1", "b": "342", "c": "5", "d": "6"}, "a", "ab"),
        ({"a": "1", "b": "342", "c": "5", "d": "6"}, "b", "ab"),
        ({"a": "1", "b": "342", "c": "5", "d": "6"}, "c", "c"),
        ({"a": "1", "b": "23", "c": "45", "d": "6"}, "a", "abc"),
        ({"a": "1", "b": "23", "c": "45", "d": "6"}, "c", "abc"),
        ({"a": "21", "b": "3", "c": "5", "d": "67"}, "a", "a"),
        ({"a": "1", "b": "34", "c": "5", "e": "2"}, "e", "ae"),
        ({"a": "12", "c": "53", "e": "7"}, "c", "ace"),
        ({"a": "12", "c": "53", "e": "7"}, "e", "ace"),
    ],
    ids=[
        "giver",
        "taker",
        "third",
        "chain",
        "chain back",
        "dropped and new",
        "new vehicle",
        "vehicle gone",
        "its other",
    ],
)
def test_whose_tours_are_confirmed_together(tours: dict[str, str], chosen: str, group: str) -> None:
    """Those between which stops move, and on; a vehicle that loses its tour with the plan ties all of it."""
    before, after = made("p1", BEFORE, "confirmed"), made("p2", tours)
    assert together([before, after], after, {chosen}) == set(group)


def test_what_moves_is_named() -> None:
    """Stop by stop, from whom to whom; what stays, is new or dropped does not move."""
    before, after = made("p1", BEFORE, "confirmed"), made("p2", {"a": "3", "b": "47", "c": "2", "d": "6"})
    assert ties([before, after], after) == [Tie("3", "b", "a"), Tie("2", "a", "c")]


@pytest.mark.parametrize("status", ["proposed", "fallback", "withdrawn"])
def test_tours_that_were_never_confirmed_tie_nobody(status: RouteStatus) -> None:
    """A newer proposal takes their place at once."""
    before, after = made("p1", BEFORE, status), made("p2", {"a": "34", "b": "12"})
    assert ties([before, after], after) == []


def test_what_is_confirmed_already_waits_for_nobody() -> None:
    """The vehicle that has its newer tour in force needs no second word."""
    before, after = made("p1", BEFORE, "confirmed"), made("p2", {"a": "1", "b": "342"})
    gone = replace(before, tours=tuple(replace(tour, status="withdrawn") for tour in before.tours[:1]))
    half = after.with_tours({"a": replace(after.tours[0], status="confirmed")})
    assert together([gone, half], half, {"b"}) == {"b"}


def shared_out(random: Random, name: str) -> PlanRecord:
    """A plan that gives each stop to one of some of the vehicles."""
    vehicles = random.sample("abcd", random.randint(1, 4))
    tours = dict.fromkeys(sorted(vehicles), "")
    for stop in "123456":
        tours[random.choice(vehicles)] += stop
    return made(name, tours)


def decided(random: Random, plans: list[PlanRecord], now_ms: int) -> Change:
    """What somebody does next: a newer plan, or a word on tours of one of the newest plans, or on all of it."""
    last = random.choice(plans[-4:])
    vehicles = random.sample([tour.vehicle for tour in last.tours], random.randint(1, min(3, len(last.tours))))
    waiting = [tour.vehicle for tour in last.tours if tour.open]
    steps: list[Callable[[], Change]] = [
        lambda: life.proposed(plans, shared_out(random, f"p{now_ms}"), now_ms),
        *[lambda: life.accepted(plans, last.id, vehicles[0], now_ms)] * 3,
        lambda: life.confirmed(plans, last.id, now_ms, vehicles),
        lambda: life.confirmed(plans, last.id, now_ms),
    ]
    steps += [lambda: life.rejected(plans, last.id, waiting[0], "no", now_ms)] if waiting else []
    steps += [lambda: life.withdrawn(plans, last.id, "no", now_ms)] if len(waiting) == len(last.tours) else []
    try:
        return random.choice(steps)()
    except LifeError:
        return life.NOTHING


@pytest.mark.parametrize("seed", range(40))
def test_every_stop_is_on_one_confirmed_tour_whatever_is_said(seed: int) -> None:
    """From a confirmed day on, over newer plans, with and without vehicles of before, in any order of words."""
    random = Random(seed)
    plans = [made("p0", BEFORE, "confirmed")]
    changes = 0
    for step in range(60):
        change = decided(random, plans, evening_ms() + step)
        plans = list(({one.id: one for one in plans} | {one.id: one for one in change.plans}).values())
        held = [one.tour for one in life.standing(plans).values() if one.tour.status == "confirmed"]
        assert sorted(place for tour in held for place in tour.stops) == list("123456")
        changes += any(event.data.status == "confirmed" for event in change.events)
    assert changes
