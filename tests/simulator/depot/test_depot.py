"""A depot between its connection and its tours; the connection is a list."""

from collections.abc import Callable, Iterator
from datetime import date
from threading import Event

import pytest

from rules import feedback
from rules.event_route import RoutePlanned
from simulator.depot import depot as depot_module
from simulator.depot.clock import ServiceClock
from simulator.depot.depot import Depot
from simulator.depot.link import HEARTBEAT, Heard, Link
from simulator.depot.report import Report
from simulator.depot.tour import Habits
from simulator.faults import Message
from tests.simulator.depot.driving import BINS, END, HOUR, NIGHT, SHIFT, TRUCK, served, tour, town

SPEED = 60.0
SECOND = 1_000_000_000
ROUTE = f"stadtfunk/v1/waste/vehicle/{TRUCK}/route"


class Script(Link):
    """A connection on which these messages come a second apart; what is said is kept.

    `wall_ns` is the real time, which passes here alone.
    """

    def __init__(self, *heard: Heard | Callable[[], None]) -> None:
        self.said: list[Message] = []
        self.wall_ns = 0
        self._coming: Iterator[Heard | Callable[[], None]] = iter(heard)

    def next(self, seconds: float) -> Heard | None:
        """The next message; a function is called in its place, and nothing came."""
        assert 0 <= seconds <= depot_module.LONGEST_WAIT_S
        found = next(self._coming, None)
        self.wall_ns += SECOND if isinstance(found, Heard) else round(seconds * SECOND) + 1
        if isinstance(found, Heard):
            return found
        if found is not None:
            found()
        return None

    def publish(self, message: Message) -> None:
        """Keep it."""
        self.said.append(message)


class Scene:
    """A depot on such a connection, with what it told and warned of."""

    def __init__(
        self, *heard: Heard | Callable[[], None], start_ns: int | None = None, speed: float = SPEED, **first: object
    ) -> None:
        self.link = Script(*heard)
        self.told: list[Report] = []
        self.warnings: list[str] = []
        self.clock = ServiceClock(speed, start_ns, lambda: self.link.wall_ns)
        habits, told, warn = Habits(confirms=True), self.told.append, self.warnings.append
        self.depot = Depot(self.link, town(**first), habits, self.clock, told, warn)

    def run(self, end_ns: int | None = END, *, once: bool = False, stop: Event | None = None) -> None:
        """The whole life of it."""
        stop = stop or Event()
        waiting = self.depot.await_clock(stop)
        self.depot.run(stop, waiting, end_ns, lambda _time, _number: None, once=once)


def said(event: RoutePlanned, *, retained: bool = False) -> Heard:
    """The service says this of a tour."""
    return Heard(event.topic, event.payload(), retained)


def beat(time: str, *, retained: bool = False) -> Heard:
    """The service's heart beats."""
    return Heard(HEARTBEAT, b'{"time":"%s","data":{"number":1}}' % time.encode(), retained)


def test_what_came_before_the_clock_is_known_is_not_lost() -> None:
    """Retained tours tell no time; the first heartbeat does, and then they are driven from that time on."""
    scene = Scene(said(tour(*BINS[:2]), retained=True), beat("2026-09-14T04:00:00Z"))
    scene.run()
    assert served(scene.told) == list(BINS[:2])
    assert [feedback.vehicle_of(note.topic) for note in scene.link.said] == [TRUCK, TRUCK]
    assert scene.depot.as_dict()["refused"] == 0
    assert all(report.time_ns > SHIFT for report in scene.told)


def test_a_live_tour_tells_the_time_too() -> None:
    """As the service has it when it says so; confirmed at once."""
    scene = Scene(said(tour("bin-0", status="proposed", at_ns=SHIFT)))
    scene.run()
    assert [(type(report).__name__, report.time_ns >= SHIFT) for report in scene.told] == [("Confirmed", True)]


def test_without_a_heartbeat_the_machines_clock_must_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while, and it is said."""
    monkeypatch.setattr(depot_module, "CLOCK_S", 0.0)
    monkeypatch.setattr("time.time_ns", lambda: NIGHT)
    scene = Scene(said(tour("bin-0"), retained=True), beat("2026-09-14T04:00:00Z", retained=True))
    scene.run()
    assert served(scene.told) == ["bin-0"]
    assert [text.partition(" within")[0] for text in scene.warnings] == ["no heartbeat of the service"]


def test_what_is_no_tour_is_counted_and_said_in_a_line() -> None:
    """Garbage, an event of another kind, a tour of another city; the next one is driven all the same."""
    scene = Scene(
        Heard(ROUTE, b"{", retained=False),
        Heard(HEARTBEAT, b"[]", retained=False),
        said(tour("bin-9", at_ns=NIGHT)),
        said(tour("bin-0", at_ns=NIGHT + 1_000_000)),
        start_ns=NIGHT,
    )
    scene.run()
    assert served(scene.told) == ["bin-0"]
    assert scene.depot.as_dict()["refused"] == 2
    assert [ROUTE in text for text in scene.warnings] == [True, True]
    assert "bin-9" in scene.warnings[1]


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_a_day_beyond_the_calendar_is_refused(day: str) -> None:
    """The depot goes on with the next tour."""
    odd = tour("bin-0", at_ns=NIGHT)
    odd = odd.model_copy(update={"data": odd.data.model_copy(update={"day": date.fromisoformat(day)})})
    scene = Scene(said(odd), said(tour("bin-1", at_ns=NIGHT + 1_000_000)), start_ns=NIGHT)
    scene.run()
    assert served(scene.told) == ["bin-1"]
    assert scene.depot.as_dict()["refused"] == 1


def test_a_tour_that_comes_late_does_not_set_the_clock_back() -> None:
    """Nor is anybody told that the speed is wrong."""
    late = said(tour("bin-0", at_ns=NIGHT))
    scene = Scene(beat("2026-09-14T04:00:00Z"), late)
    scene.run()
    assert scene.warnings == []
    assert served(scene.told) == ["bin-0"]
    assert all(report.time_ns > SHIFT for report in scene.told)


def test_a_city_file_of_no_use_is_said() -> None:
    """The property that is wrong, of the container on the tour."""
    scene = Scene(said(tour("bin-0", at_ns=NIGHT)), start_ns=NIGHT, service_s=-1)
    scene.run()
    assert (scene.told, len(scene.warnings), "service_s" in scene.warnings[0]) == ([], 1, True)


def test_a_tour_is_taken_at_the_time_at_which_it_comes() -> None:
    """Not at the time of the last look: it is confirmed a minute later, for so long the message took."""
    scene = Scene(said(tour("bin-0", status="proposed", at_ns=NIGHT), retained=True), start_ns=NIGHT)
    scene.run(NIGHT + HOUR)
    (report,) = scene.told
    assert (report.time_ns - NIGHT) // SECOND == 60


def test_an_emptied_topic_takes_the_tour_back() -> None:
    """Whatever the vehicle is called in its topic."""
    scene = Scene(
        said(tour("bin-0", at_ns=NIGHT)), Heard(ROUTE.replace("-", "%2D"), b"", retained=False), start_ns=NIGHT
    )
    scene.run()
    assert scene.told == []


def test_it_ends_once_all_are_home() -> None:
    """Without an end in time; before a tour has come it waits."""
    scene = Scene(said(tour("bin-0", at_ns=NIGHT)), start_ns=NIGHT)
    scene.run(None, once=True)
    assert served(scene.told) == ["bin-0"]


def test_it_ends_when_told_to() -> None:
    """Waiting for a clock or for a tour: at once."""
    early = Event()
    early.set()
    Scene().run(None, stop=early)
    later = Event()
    scene = Scene(later.set, start_ns=NIGHT, speed=1)
    scene.run(None, stop=later)
    assert scene.told == []


def test_nothing_is_told_after_the_end() -> None:
    """A stop that would be done later is not told, however fast time runs."""
    scene = Scene(said(tour(*BINS, at_ns=NIGHT)), start_ns=NIGHT)
    scene.run(SHIFT + HOUR // 6)
    assert served(scene.told) == ["bin-0"]


def test_a_clock_that_runs_ahead_is_said_once() -> None:
    """Two heartbeats an hour behind ours: one warning that names the option; seconds are no matter."""
    behind = Scene(
        beat("2026-09-14T03:59:00Z"),
        beat("2026-09-14T03:00:00Z"),
        beat("2026-09-14T01:00:01Z"),
        start_ns=SHIFT,
        speed=1,
    )
    stop = Event()
    behind.link._coming = iter([*behind.link._coming, lambda: None, stop.set])
    behind.run(stop=stop)
    assert len(behind.warnings) == 1
    assert "--speed" in behind.warnings[0]
