"""Whether a container is due, driven through the engine."""

import json
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.measurement import Reading
from decoders.quantity import Privacy, Quantity
from rules.asset import Asset, CityError
from rules.city import City
from rules.engine import Engine
from rules.event import ContainerDue
from rules.point import Point
from rules.rule import Json, Observation, RuleFailure, Tick
from rules.waste.collection_due import RULE, Container, Shown, configure, dump, fill_level, load

START = 1_790_000_000_000
HOUR = 3_600_000


def asset(**properties: object) -> Asset:
    """A container."""
    return Asset("bin-a", "container", "Bin A", properties, (), 7.8, 51.6, "mitte")


class Play:
    """A container with its engine; every input is committed at once."""

    def __init__(self, **properties: object) -> None:
        self.engine = Engine(City([asset(**properties)]), [RULE])
        self.events: list[ContainerDue] = []
        self.points: list[Point] = []
        self.failures: list[RuleFailure] = []
        self.inputs = 0

    def hear(self, quantity: Quantity, value: float, at: int, measured: int | None = None) -> list[ContainerDue]:
        """An uplink taken at `at`."""
        self.inputs += 1
        time_ms = at if measured is None else measured
        readings = (Reading(quantity, value),)
        return self.give(Observation("d0", "d0", "bin-a", time_ms, at, readings, f"c{self.inputs}"))

    def fill(self, *levels: float) -> list[tuple[bool, str]]:
        """Levels one hour apart; what the newest event says after each."""
        found: list[tuple[bool, str]] = []
        for step, level in enumerate(levels):
            self.hear(Quantity.FILL_LEVEL, level, START + step * HOUR)
            found.append((self.events[-1].data.due, self.events[-1].data.reason))
        return found

    def give(self, given: Observation | Tick) -> list[ContainerDue]:
        """Any input."""
        overlay = self.engine.overlay()
        if isinstance(given, Tick):
            overlay.tick(given)
        else:
            overlay.observe(given)
        self.engine.merge(overlay)
        found = cast("list[ContainerDue]", overlay.events)
        self.events += found
        self.points += overlay.points
        self.failures += overlay.failures
        return found

    def ticks(self, begin: int, end: int) -> list[ContainerDue]:
        """Ticks ten minutes apart, both ends included."""
        return [event for at in range(begin, end + 1, 600_000) for event in self.give(Tick(at))]


def test_due_from_the_threshold_until_an_emptying() -> None:
    """80 % makes it due, a fall to 30 % ends that; in between it stays what it was."""
    found = Play().fill(79.9, 80, 31, 30, 79.9)
    no, yes, emptied = (False, "below_threshold"), (True, "over_threshold"), (False, "emptied")
    assert found == [no, yes, yes, emptied, emptied]


def test_the_event_says_since_when_and_on_what() -> None:
    """`since` is when the level that made it due was measured; evidence carries level, limits and device."""
    play = Play(threshold_percent=70, cleared_percent=20)
    play.fill(75, 90)
    data = play.events[-1].data
    assert data.since is not None
    assert (data.since.timestamp() * 1000, data.fill_level, data.threshold) == (START, 75.0, 70.0)
    evidence = data.evidence[0]
    assert (evidence.value, evidence.unit, evidence.threshold, evidence.hysteresis) == (75.0, "%", 70.0, 50.0)
    assert (evidence.sources, evidence.n_samples) == (("d0",), 1)
    assert play.events[-1].topic == "stadtfunk/v1/waste/container/bin-a/due"
    assert ContainerDue.model_validate_json(play.events[-1].payload()) == play.events[-1]


@pytest.mark.parametrize(
    ("distance", "level"),
    [(1100, 0.0), (600, 50.0), (100, 100.0), (20, 100.0), (1150, 0.0), (1201, None), (65_535, None), (0, None)],
)
def test_level_from_distance(distance: float, level: float | None) -> None:
    """Depth 1000 mm, sensor 100 mm above: clipped to 0 … 100 %; what is no container's inside is no reading."""
    config = configure(asset(depth_mm=1000, sensor_offset_mm=100))
    assert fill_level(config, (Reading(Quantity.DISTANCE, distance),)) == level


def test_the_sensors_own_level_wins() -> None:
    """A device that reports level and distance is believed its level."""
    config = configure(asset(depth_mm=1000))
    both = (Reading(Quantity.DISTANCE, 900.0), Reading(Quantity.FILL_LEVEL, 55.0))
    assert fill_level(config, both) == 55.0


def test_a_distance_without_depth_is_a_failure_that_names_the_property() -> None:
    """The rule says what the city file lacks instead of staying silent."""
    play = Play()
    assert play.hear(Quantity.DISTANCE, 500, START) == []
    assert "'bin-a': property 'depth_mm' is missing" in play.failures[0].error


def test_silence_of_two_days_is_said_and_keeps_what_was_due() -> None:
    """The last known `due` stays, without a level, and is renewed so that it never expires."""
    play = Play()
    play.fill(85)
    events = play.ticks(START, START + 72 * HOUR)
    silent = [event for event in events if event.data.reason == "silent"]
    assert [event.time_ms - START for event in silent] == [48 * HOUR, 60 * HOUR, 72 * HOUR]
    assert (silent[0].data.due, silent[0].data.fill_level) == (True, None)
    assert all(after.time_ms <= before.valid_until_ms for before, after in pairwise(play.events))
    assert play.fill(85)[0] == (True, "silent")
    (event,) = play.hear(Quantity.FILL_LEVEL, 85, START + 73 * HOUR)
    assert (event.data.due, event.data.reason) == (True, "over_threshold")


def test_never_heard_is_silent_and_not_due() -> None:
    """A container that never spoke stays in its fixed cycle."""
    (event, *_) = Play().ticks(START, START)
    assert (event.data.due, event.data.reason, event.data.evidence[0].value) == (False, "silent", None)


def test_an_event_is_renewed_at_half_its_validity() -> None:
    """Valid 24 h, said again every 12 h while news flow."""
    play = Play()
    play.fill(*[10.0] * 49)
    assert [event.time_ms - START for event in play.events] == [step * 12 * HOUR for step in range(5)]
    assert play.events[0].valid_until_ms == START + 24 * HOUR


def test_no_event_is_valid_longer_than_its_news() -> None:
    """Silence of an hour ends the validity, however long it is otherwise."""
    play = Play(silent_s=3600)
    play.fill(10)
    assert play.events[0].valid_until_ms == START + HOUR


def test_late_data_reopen_nothing() -> None:
    """A full level measured before the newest one used changes nothing."""
    play = Play()
    play.fill(10, 10)
    before = play.engine.state(0)
    assert play.hear(Quantity.FILL_LEVEL, 95, START + 2 * HOUR, measured=START) == []
    assert play.engine.state(0) == before
    assert len(play.points) == 2


def test_each_level_is_a_derived_point() -> None:
    """Under `asset` at measurement time, also where the sensor sends only a distance."""
    play = Play(depth_mm=1000)
    play.hear(Quantity.DISTANCE, 250, START, measured=START - 5)
    (point,) = play.points
    assert (point.measurement, point.time_ms, point.privacy) == ("asset", START - 5, Privacy.OPEN)
    assert dict(point.fields)["fill_level"] == 75.0


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"depth_mm": "deep"}, "'depth_mm' is 'deep', expected a number from 50 to 20000"),
        ({"threshold_percent": 0}, "'threshold_percent' is 0"),
        ({"cleared_percent": 80}, "'cleared_percent' is 80, expected less than threshold_percent (80)"),
        ({"silent_s": 1}, "'silent_s' is 1"),
    ],
)
def test_wrong_parameters_are_named(properties: dict[str, object], complaint: str) -> None:
    """The error names the feature, the property and what was expected."""
    with pytest.raises(CityError, match="feature 'bin-a'") as caught:
        configure(asset(**properties))
    assert complaint in str(caught.value)


TIMES = st.integers(0, 1 << 52)
REASONS = st.sampled_from(["over_threshold", "below_threshold", "emptied", "silent"])
CONTAINERS = st.builds(
    Container,
    TIMES,
    st.none() | st.floats(0, 100),
    st.text(max_size=16),
    st.booleans(),
    TIMES,
    REASONS,
    st.none() | st.builds(Shown, st.booleans(), REASONS, TIMES),
)


@given(CONTAINERS)
def test_state_survives_being_kept(container: Container) -> None:
    """Dumped to JSON and loaded it is equal; another version's state is not taken up."""
    config = configure(asset())
    kept = cast("Json", json.loads(json.dumps(dump(container))))
    assert load(config, RULE.version, kept) == container
    assert load(config, RULE.version + 1, kept) is None
