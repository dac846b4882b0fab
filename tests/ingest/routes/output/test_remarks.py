"""What readers of a plan are told beside the order."""

from dataclasses import replace

import pytest

from ingest.routes.output.halts import trips
from ingest.routes.output.remarks import concerns, notes, remarks
from rules.waste.route.evaluate import evaluate
from rules.waste.route.model import DAY_S, Order
from rules.waste.words import Words
from tests.ingest.routes.output.plans import made, small
from tests.rules.waste.route.instances import HOUR_S, problem, stop, vehicle


def told(**changed: object) -> tuple[str, ...]:
    """What is said in English at a container with these properties."""
    of = problem((stop("bin-1", **changed),), (vehicle(roll_off=bool(changed.get("roll_off"))),))
    plan = made(of, evaluate(of, (Order("truck-1", ("bin-1",)),)))
    return remarks(plan, trips(plan)[0].halts[0], "en")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, ()),
        ({"window_from_s": 7 * HOUR_S}, ("begin from 07:00 on",)),
        ({"window_until_s": 10 * HOUR_S}, ("begin until 10:00",)),
        ({"window_from_s": 7 * HOUR_S, "window_until_s": 10 * HOUR_S}, ("begin 07:00 to 10:00",)),
        ({"window_from_s": 22 * HOUR_S, "window_until_s": DAY_S + HOUR_S}, ("begin 22:00 to 01:00 +1",)),
        ({"kerb": "right"}, ("on the right",)),
        ({"kerb": "left"}, ("on the left",)),
        ({"max_height_cm": 405}, ("height up to 4.05 m",)),
        ({"max_weight_kg": 7_500}, ("weight up to 7.5 t",)),
        ({"roll_off": True}, ("exchange: bring an empty one",)),
    ],
)
def test_what_holds_at_a_container_is_said(changed: dict[str, object], says: tuple[str, ...]) -> None:
    """Each property in words; what does not hold is not mentioned."""
    assert told(**changed) == says


@pytest.mark.parametrize(
    ("degrees", "point"),
    [(0, "north"), (22, "north"), (23, "northeast"), (90, "east"), (180, "south"), (270, "west"), (338, "north")],
)
def test_approaches_are_points_of_the_compass(degrees: int, point: str) -> None:
    """The nearest of eight; north again before the circle ends."""
    assert told(approach_deg=degrees) == (f"approach heading {point}",)


def test_times_after_a_break_are_later_only_where_there_are_times() -> None:
    """Without an engine the note tells of the break alone, and of no departure."""
    with_times, without = small(drivable=True), small(drivable=False)
    assert [
        line.endswith("all times are later by as much") for line in notes(with_times, trips(with_times)[0], "en")
    ] == [
        False,
        False,
        True,
    ]
    assert notes(without, trips(without)[0], "en") == (
        "shift 06:00 to 14:00",
        "a break of 30 min is planned in; it fits wherever no time window is missed after it",
    )


def test_concerns_are_for_drivers() -> None:
    """That nobody drives by it and why it came out; no warnings of ours; nothing for a usual plan."""
    plan = small(drivable=True, warnings=(Words("W", "w"),))
    assert concerns(plan, "de") == ()
    plan = replace(plan, status_reason=("Ersatz,\nweil", "fallback"))
    assert concerns(plan, "de") == ("Ersatz, weil",)
    assert len(concerns(replace(small(), status_reason=("a", "b")), "en")) == 2
