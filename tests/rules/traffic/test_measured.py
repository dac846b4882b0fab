"""What detectors measured, driven through the engine."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import Assignment, CityError
from rules.event import EPOCH, MILLISECOND
from rules.event_traffic import TrafficMeasured
from rules.rule import Observation
from rules.traffic.detector_config import configure
from rules.traffic.measured import RULE
from tests.rules.traffic.town import COUNT, HOUR, MINUTE, START, TOTAL, Play, asset, detector


def play(**properties: object) -> Play:
    """A single detector."""
    return Play([asset("j1", "junction"), detector("d", **properties)], RULE)


def newest(city: Play) -> TrafficMeasured:
    """The newest event."""
    return city.of(TrafficMeasured)[-1]


def test_an_interval_counter_tells_its_interval() -> None:
    """60 vehicles in 5 minutes are 720 an hour; the interval ends with the measurement."""
    city = play(lane=2, approach="werler")
    city.hear("d", {"ltr": 40, "rtl": 20}, speeds={"ltr": 50, "rtl": 20})
    data = newest(city).data
    assert (data.count, data.flow, data.speed, data.quality) == (60, 720, 40, "good")
    assert (data.interval_end - data.interval_begin).total_seconds() == 300
    assert (data.interval_end - EPOCH) // MILLISECOND == START
    assert (data.role, data.lane, data.approach, data.distance_m) == ("demand", 2, "werler", 200)
    assert data.evidence[0].sources == ("dev-d",)
    assert newest(city).topic == "stadtfunk/v1/traffic/detector/d/measured"
    assert (newest(city).retained, newest(city).acting) == (True, False)


def test_a_channel_chooses_one_direction() -> None:
    """A radar that looks at both directions counts one of them here."""
    city = play(channel="rtl")
    city.hear("d", {"ltr": 40, "rtl": 20}, speeds={"ltr": 50, "rtl": 30})
    assert (newest(city).data.count, newest(city).data.speed) == (20, 30)


def test_classes_alone_add_up() -> None:
    """Where an uplink has no count of all vehicles, the classes are summed; slow classes weigh by their vehicles."""
    city = play()
    city.hear("d", {"class0_left": 3, "class1_left": 9}, speeds={"class0_left": 20, "class1_left": 40})
    data = newest(city).data
    assert (data.count, data.speed) == (12, 35)
    assert [(each.name, each.count, each.speed) for each in data.classes] == [("class0", 3, 20), ("class1", 9, 40)]


def test_a_class_in_an_uplink_of_its_own_joins_its_interval() -> None:
    """The interval is said again with the class; its count stays, and the next interval begins without it."""
    city = play()
    city.hear("d", {"ltr": 12})
    city.hear("d", {"cat1_ltr": 3}, at=START + 2_000)
    assert [(each.name, each.count) for each in newest(city).data.classes] == [("cat1", 3)]
    assert newest(city).data.count == 12
    city.hear("d", {"ltr": 10}, at=START + 5 * MINUTE)
    assert newest(city).data.classes == ()


def test_a_cumulative_counter_tells_the_time_since_its_last_uplink() -> None:
    """The first count tells nothing; a loss makes the interval longer and estimated, and no vehicle is lost."""
    city = play()
    assert city.hear("d", 1000, quantity=TOTAL) == []
    city.hear("d", 1050, quantity=TOTAL, at=START + 5 * MINUTE)
    assert (newest(city).data.count, newest(city).data.quality) == (50, "good")
    city.hear("d", 1150, quantity=TOTAL, at=START + 15 * MINUTE)
    data = newest(city).data
    assert (data.count, data.flow, data.quality) == (100, 600, "estimated")


@pytest.mark.parametrize(
    ("wraps_at", "before", "after", "count", "quality"),
    [
        (None, 65_530, 4, 10, "good"),
        (None, 2**24 - 6, 4, 10, "good"),
        (128, 120, 2, 10, "good"),
        (None, 4_000, 4, None, "reset"),
        (1000, 65_530, 4, None, "reset"),
        (None, 60_000, 4, None, "reset"),
    ],
)
def test_a_fall_is_a_wrap_where_that_is_possible(
    wraps_at: float | None, before: float, after: float, count: float | None, quality: str
) -> None:
    """Else the counter began again, and the interval tells nothing."""
    city = play(**({"counter_wraps_at": wraps_at} if wraps_at else {}))
    city.hear("d", before, quantity=TOTAL)
    city.hear("d", after, quantity=TOTAL, at=START + 5 * MINUTE)
    assert (newest(city).data.count, newest(city).data.quality) == (count, quality)


def test_after_a_reset_the_next_interval_counts_again() -> None:
    """A counter reset in the middle costs one interval, and never a negative or huge count."""
    city = play()
    for at, total in enumerate((5000, 5040, 3, 43)):
        city.hear("d", total, quantity=TOTAL, at=START + at * 5 * MINUTE)
    assert [event.data.count for event in city.of(TrafficMeasured)] == [40, None, 40]


@pytest.mark.parametrize("later", [0, -90_000])
def test_a_count_that_is_not_newer_than_the_last_one_tells_no_interval(later: int) -> None:
    """Two totals of one minute of the device's clock, or in the wrong order, have nothing between them."""
    city = play()
    city.hear("d", 1000, quantity=TOTAL)
    city.hear("d", 1006, quantity=TOTAL, measured=city.now + later)
    assert city.of(TrafficMeasured) == []
    city.tick(5)
    city.hear("d", 1020, quantity=TOTAL)
    (event,) = city.of(TrafficMeasured)
    assert (event.data.count, event.data.flow) == (20, 240)


def test_the_amount_that_conditioning_made_of_a_counter_is_not_counted_twice() -> None:
    """Beside a cumulative count of the same channel the interval count is passed over, doubtful or not."""
    city = play()
    city.hear("d", 1000, quantity=TOTAL)
    city.give(doubtful(Reading(COUNT, 50.0), beside=(Reading(TOTAL, 1050.0),), at=START + 5 * MINUTE))
    assert (newest(city).data.count, newest(city).data.quality) == (50, "good")


def doubtful(*readings: Reading, beside: tuple[Reading, ...] = (), at: int = START) -> Observation:
    """An uplink with readings in doubt."""
    return Observation("dev-d", "dev-d", "d", at, at, beside, "x", 0, readings)


def test_doubtful_and_impossible_counts_are_said_so() -> None:
    """A doubt of conditioning, and more vehicles than lanes carry, are named as quality."""
    city = play()
    city.give(doubtful(Reading(COUNT, 20.0)))
    assert newest(city).data.quality == "doubtful"
    city.hear("d", 400, at=START + 5 * MINUTE)
    assert newest(city).data.quality == "implausible"


def test_a_count_that_stands_still_is_stuck() -> None:
    """The eighth equal count of at least five is not believed; small ones may repeat."""
    city = play()
    for at in range(9):
        city.hear("d", 17, at=START + at * 5 * MINUTE)
    assert [event.data.quality for event in city.of(TrafficMeasured)] == ["good"] * 7 + ["stuck"] * 2
    calm = play()
    for at in range(9):
        calm.hear("d", 2, at=START + at * 5 * MINUTE)
    assert {event.data.quality for event in calm.of(TrafficMeasured)} == {"good"}


def test_nothing_for_hours_is_stuck() -> None:
    """After six hours without a vehicle the detector is not believed."""
    city = play()
    for at in range(80):
        city.hear("d", 0, at=START + at * 5 * MINUTE)
    found = [event.data.quality for event in city.of(TrafficMeasured)]
    assert found.index("stuck") == 72


def test_two_devices_that_contradict_each_other_are_said_so() -> None:
    """More than half and a hundred vehicles apart; within that both are good."""
    devices = tuple(Assignment(name, properties={"interval_s": 300}) for name in ("a", "b"))
    city = Play([asset("d", "detector", *devices)], RULE)
    city.hear("d", 60, device="a")
    city.hear("d", 50, device="b")
    assert newest(city).data.quality == "good"
    city.hear("d", 61, device="a", at=START + 5 * MINUTE)
    city.hear("d", 10, device="b", at=START + 5 * MINUTE)
    assert newest(city).data.quality == "contradicting"


def test_news_delayed_by_an_hour_are_stored_and_not_said() -> None:
    """A retained event would be taken for the present."""
    city = play()
    assert city.hear("d", 30, measured=START - HOUR) == []
    assert dict(city.points[-1].fields)["vehicle_count"] == 30
    assert city.points[-1].time_ms == START - HOUR


def test_late_and_early_clocks_change_nothing() -> None:
    """An interval older than the newest one, or ahead of the network server by over two minutes, is passed over."""
    city = play()
    city.hear("d", 30)
    assert city.hear("d", 99, at=START + MINUTE, measured=START - MINUTE) == []
    assert city.hear("d", 99, at=START + 2 * MINUTE, measured=START + 5 * MINUTE) == []
    city.hear("d", 31, at=START + 5 * MINUTE)
    assert [event.data.count for event in city.of(TrafficMeasured)] == [30, 31]


def test_an_uplink_without_vehicles_says_nothing() -> None:
    """People, batteries and classes without their interval leave the state as the same object."""
    city = play()
    before = city.engine.state(0)
    assert city.hear("d", 5, quantity=Quantity.PEOPLE_COUNT) == []
    assert city.hear("d", {"cat2_ltr": 5}) == []
    assert city.engine.state(0) is before


@given(st.lists(st.tuples(st.integers(0, 100_000), st.integers(1, 40)), min_size=2, max_size=30))
def test_counts_are_never_negative_and_never_impossible(values: list[tuple[int, int]]) -> None:
    """Whatever a counter says: good counts are within what the lanes carry, others are named."""
    city = play()
    at = START
    for total, minutes in values:
        at += minutes * MINUTE
        city.hear("d", total, quantity=TOTAL, at=at)
    for event in city.of(TrafficMeasured):
        data = event.data
        assert data.count is None or data.count >= 0
        assert data.quality != "good" or (data.flow or 0) <= 3000


@given(st.lists(st.integers(0, 300), min_size=2, max_size=20), st.integers(0, 19))
def test_a_restart_changes_nothing(counts: list[int], cut: int) -> None:
    """State to JSON and back anywhere in the middle gives the same events, byte for byte."""
    plain, cut_through = play(), play()
    for number, vehicles in enumerate(counts):
        at = START + number * 5 * MINUTE
        plain.hear("d", vehicles, at=at)
        cut_through.hear("d", vehicles, at=at)
        if number == cut:
            cut_through.restart()
    assert [event.payload() for event in plain.events] == [event.payload() for event in cut_through.events]
    assert json.dumps(plain.engine.state(0)) == json.dumps(cut_through.engine.state(0))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("role", "counting"),
        ("direction", "north"),
        ("lanes", 0),
        ("distance_m", -1),
        ("approach", 3),
        ("stuck_after", 1),
    ],
)
def test_properties_out_of_range_are_refused(name: str, value: object) -> None:
    """The error names the detector, the property and what was expected."""
    with pytest.raises(CityError, match=rf"'d'.*'{name}'.*expected"):
        configure(detector("d", **{name: value}))


def test_the_longest_interval_of_its_devices_counts() -> None:
    """A device without one has the detector's."""
    devices = (Assignment("a", properties={"interval_s": 60}), Assignment("b"))
    assert configure(asset("d", "detector", *devices, interval_s=600)).interval_ms == 600_000
    with pytest.raises(CityError, match="interval_s"):
        configure(asset("d", "detector", Assignment("a", properties={"interval_s": "5 min"})))
