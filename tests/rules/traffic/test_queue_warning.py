"""Queues, driven through the engine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.asset import CityError
from rules.event_traffic import QueueWarning
from rules.traffic.queue_warning import RULE, configure
from tests.rules.traffic.town import HOUR, MINUTE, START, Play, asset, detector


def play(**properties: object) -> Play:
    """One detector at a stop line."""
    return Play([asset("j1", "junction"), detector("d", **{"role": "queue", "distance_m": 5, **properties})], RULE)


def drive(city: Play, *speeds: float | None) -> list[str]:
    """An interval of five minutes for each mean speed (None: nobody passes); what was said."""
    said = []
    for number, speed in enumerate(speeds):
        before = len(city.events)
        city.hear("d", 0 if speed is None else 20 + number % 3, speeds={} if speed is None else {"": speed})
        city.tick(5)
        said.append(",".join(event.data.state for event in city.of(QueueWarning)[before:]))
    return said


@pytest.mark.parametrize(
    ("speeds", "said"),
    [
        ((40, 14, 40), ["", "", ""]),
        ((14, 14), ["", "raised"]),
        ((14, 15, 14), ["", "", ""]),
        ((14, 14, 25, 30, 31), ["", "raised", "", "raised", "cleared"]),
        ((14, None, 14), ["", "", "raised"]),
        ((14, None, None, None, 14), ["", "", "", "", ""]),
    ],
)
def test_two_slow_intervals_in_a_row_warn(speeds: tuple[float | None, ...], said: list[str]) -> None:
    """Below 15 km/h twice raises, above 30 clears, in between the state stays and is renewed; holes are no interval."""
    assert drive(play(), *speeds) == said


def test_what_a_warning_says() -> None:
    """Speed, limits, since when, and texts in both languages."""
    city = play()
    drive(city, 12, 13)
    (event,) = city.of(QueueWarning)
    data = event.data
    assert (data.state, data.speed, data.approach) == ("raised", 13, "d")
    assert data.since is not None
    assert round(data.since.timestamp() * 1000) == START
    (evidence,) = data.evidence
    assert (evidence.value, evidence.threshold, evidence.hysteresis, evidence.n_samples) == (13, 15, 15, 2)
    assert data.text_de == "D: Rückstau, mittlere Geschwindigkeit 13 km/h."
    assert data.text_en == "D: queue, mean speed 13 km/h."
    assert event.topic == "stadtfunk/v1/traffic/detector/d/queue"


def test_a_warning_without_news_is_taken_back() -> None:
    """Ten minutes after the newest interval, by ticks alone, and only once."""
    city = play()
    drive(city, 10, 10)
    newest_ms = city.now - 5 * MINUTE
    city.tick(60)
    last = city.of(QueueWarning)[-1]
    assert (last.data.state, last.data.reason) == ("cleared", "no_news")
    assert 10 * MINUTE < last.time_ms - newest_ms <= 10 * MINUTE + 10_000
    assert len(city.events) == 2


def test_old_news_warn_of_nothing() -> None:
    """Delayed by an hour, or a clock ahead."""
    city = play()
    for number in range(4):
        city.hear("d", 20 + number, speeds={"": 5}, measured=city.now - HOUR)
        city.hear("d", 20 + number, speeds={"": 5}, measured=city.now + HOUR)
        city.tick(5)
    assert city.events == []


def test_only_queue_detectors_warn() -> None:
    """A demand detector lies where queues should never reach."""
    city = play(role="demand")
    drive(city, 5, 5, 5)
    assert city.events == []


@given(st.lists(st.floats(15, 30), min_size=1, max_size=12), st.booleans())
def test_between_the_limits_nothing_changes(speeds: list[float], raised: bool) -> None:
    """From 15 to 30 km/h a warning stays, and none is raised."""
    city = play()
    drive(city, *((10, 10) if raised else ()), *speeds)
    assert {event.data.state for event in city.of(QueueWarning)} == ({"raised"} if raised else set())


def test_limits_must_leave_a_gap() -> None:
    """The error names the property."""
    with pytest.raises(CityError, match="queue_cleared_above_kmh"):
        configure(detector("d", queue_below_kmh=30))


def test_a_restart_changes_nothing() -> None:
    """State to JSON and back between intervals gives the same bytes."""
    plain, cut = play(), play()
    for speeds in ((14,), (13, 12), (40, 10), (10,)):
        drive(plain, *speeds)
        drive(cut, *speeds)
        cut.restart()
    assert [event.payload() for event in plain.events] == [event.payload() for event in cut.events]
    assert len(plain.events) == 3
