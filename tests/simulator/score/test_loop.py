"""The depot of a scored play: what it makes of tours, what it tells, and what it counts."""

import pytest

from rules.event_route import RoutePlanned
from rules.feedback import StopFeedback
from simulator.error import SimulatorError
from simulator.faults import Message
from simulator.play import Plan, Simulation
from simulator.score.loop import Loop
from simulator.score.truth import NotScored, Truth
from simulator.stage import Heard
from tests.rules.waste.route.cities import DAY_MS, MONDAY
from tests.simulator.depot.driving import tour
from tests.simulator.score.collecting import BINS, DAY_NS, HOUR_NS, NIGHT_NS, TRUCK, heard, place

PLAN = Plan(seed=3, start_ns=NIGHT_NS, own_rounds=False)
ROUTE = f"stadtfunk/v1/waste/vehicle/{TRUCK}/route"


def _loop() -> Loop:
    return Loop(place(), PLAN)


def _on(day: int, *places: str, **given: str) -> RoutePlanned:
    """A tour so many days after Monday, as it is told in the night before its shift."""
    date = tour(TRUCK).data.day
    return tour(*places, day=date.replace(day=date.day + day), at_ns=NIGHT_NS + day * DAY_NS, plan=str(day), **given)  # type: ignore[arg-type] # the status


def _stops(said: list[Message]) -> list[StopFeedback]:
    return [StopFeedback.model_validate_json(each.payload) for each in said if each.topic.endswith("/stop")]


def test_a_tour_that_is_offered_is_confirmed_and_driven() -> None:
    """The answer comes with the next step, the stops when they are done, in the order of time, to the city, too."""
    loop = _loop()
    assert loop.until(NIGHT_NS + HOUR_NS) == []
    loop.take(heard(_on(0, *BINS, status="proposed")))
    (answer,) = loop.until(NIGHT_NS + 2 * HOUR_NS)
    assert answer.topic == f"{ROUTE}/status"
    assert b'"accepted"' in answer.payload
    loop.take(heard(_on(0, *BINS)))
    said = loop.until(NIGHT_NS + 12 * HOUR_NS)
    assert [each.data.stop for each in _stops(said)] == list(BINS)
    assert [each.time_ns for each in said] == sorted(each.time_ns for each in said)
    emptied: list[str] = []

    def empty(name: str) -> bool:
        emptied.append(name)
        return True

    for number, each in enumerate(said, start=1):
        loop.collected.settle(each.time_ns, empty)
        assert emptied == list(BINS[:number])


def test_only_what_comes_after_the_first_days_is_counted() -> None:
    """Tours, ways and skips of the first two days are none of the score's; a tour that only stands there is none."""
    loop = _loop()
    assert loop.settled_ms == MONDAY + 2 * DAY_MS
    for day in range(4):
        loop.until(NIGHT_NS + day * DAY_NS)
        loop.take(heard(_on(day, *BINS)))
    loop.until(NIGHT_NS + 3 * DAY_NS)
    assert loop.way.tours == 1
    once = loop.way.metres
    assert once > 0
    loop.until(NIGHT_NS + 4 * DAY_NS)
    assert loop.way.tours == 2
    assert loop.way.metres == pytest.approx(2 * once)
    assert loop.skips == {}


def test_stops_that_were_not_served_are_counted_by_reason() -> None:
    """A container whose time is over when the truck comes is skipped; that is a tour all the same."""
    late = place()
    late.assets[BINS[0]].properties["window_until"] = "00:30"  # type: ignore[index] # a city made for this
    loop = Loop(late, PLAN)
    for day in (0, 2):
        loop.until(NIGHT_NS + day * DAY_NS)
        loop.take(heard(_on(day, BINS[0])))
    (told,) = _stops(loop.until(NIGHT_NS + 3 * DAY_NS))
    assert (told.data.result, told.data.reason) == ("skipped", "out_of_time")
    assert (loop.skips, loop.way.tours) == ({"out_of_time": 1}, 1)


def test_a_tour_that_is_taken_back_is_not_driven() -> None:
    """An empty message on the topic withdraws it."""
    loop = _loop()
    loop.take(heard(_on(0, *BINS)))
    loop.take(Heard(ROUTE, b""))
    assert loop.until(NIGHT_NS + DAY_NS) == []


def test_what_is_no_tour() -> None:
    """Other events are passed over; a tour that cannot be read is an error that names its topic."""
    loop = _loop()
    loop.take(Heard("stadtfunk/v1/waste/container/bin-0/due", b"?"))
    loop.take(Heard(f"{ROUTE}/status", b"?"))
    with pytest.raises(SimulatorError, match=ROUTE):
        loop.take(Heard(ROUTE, b"{}"))


def test_the_fixed_rounds_beside_it() -> None:
    """They are those of the same play with rounds of its own; nothing but containers is remembered."""
    loop, alone = _loop(), Truth()
    loop.until(NIGHT_NS + 7 * DAY_NS)
    for _ in Simulation(place(), Plan(seed=3, start_ns=NIGHT_NS), alone).messages(NIGHT_NS + 7 * DAY_NS):
        pass
    for name in BINS:
        for quantity in ("fill_level", "collections"):
            ours, theirs = loop.fixed.of(name, quantity), alone.of(name, quantity)
            assert (ours.times, ours.values) == (theirs.times, theirs.values)
            assert len(set(ours.values)) > 1
    alone.of("city", "air_temperature")
    with pytest.raises(NotScored):
        loop.fixed.of("city", "air_temperature")
