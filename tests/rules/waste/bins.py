"""A container with its engine, and how inputs are written in these tests."""

from typing import Any, TypeVar, cast

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import Asset
from rules.city import City
from rules.engine import Engine
from rules.event import Event
from rules.event_waste import ContainerDue, ContainerDueData
from rules.feedback import SkipReason
from rules.point import Point
from rules.rule import AnyRule, Observation, RuleFailure, Tick, TourFeedback
from rules.waste import collection_due
from rules.waste.collection_due import Container

E = TypeVar("E", bound=Event)
HOUR, DAY = 3_600_000, 86_400_000
START = 1_789_336_800_000
"""Monday, 14 September 2026, 00:00 in Hamm."""


def asset(**properties: object) -> Asset:
    """A container."""
    return Asset("bin-a", "container", "Bin A", properties, (), 7.8, 51.6, "mitte")


def heard(*readings: Reading, at: int, measured: int | None = None, cause: str = "c") -> Observation:
    """An uplink of the container taken at `at`."""
    return Observation("d0", "d0", "bin-a", at if measured is None else measured, at, readings, cause, at)


class Play:
    """A container with its engine; every input is committed at once."""

    def __init__(self, rule: AnyRule = collection_due.RULE, **properties: object) -> None:
        self.engine = Engine(City([asset(**properties)]), [rule])
        self.all: list[Event] = []
        self.points: list[Point] = []
        self.failures: list[RuleFailure] = []
        self.inputs = 0

    @property
    def events(self) -> list[ContainerDue]:
        """Events about collection."""
        return [event for event in self.all if isinstance(event, ContainerDue)]

    @property
    def said(self) -> ContainerDueData:
        """What the newest of them says."""
        return self.events[-1].data

    @property
    def state(self) -> Container:
        """The container's state."""
        return cast("Container", self.engine.state(0))

    def hear(self, *readings: Reading, at: int, measured: int | None = None) -> list[Event]:
        """An uplink taken at `at`."""
        self.inputs += 1
        return self.give(heard(*readings, at=at, measured=measured, cause=f"c{self.inputs}"))

    def level(self, value: float, at: int) -> list[Event]:
        """A sensor that knows the level itself."""
        return self.hear(Reading(Quantity.FILL_LEVEL, value), at=at)

    def tilt(self, at: int) -> list[Event]:
        """The container is tipped over a truck."""
        return self.hear(Reading(Quantity.TILTED, 1.0), at=at)

    def serve(self, at: int, **told: Any) -> list[Event]:  # noqa: ANN401 - as TourFeedback
        """A vehicle says that it emptied the container then."""
        return self.give(TourFeedback("bin-a", "served", at, "truck-1", cause=f"served {at}", **told))

    def skip(self, at: int, reason: SkipReason = "blocked", **told: Any) -> list[Event]:  # noqa: ANN401 - the same
        """A vehicle says that it left the container out then."""
        return self.give(TourFeedback("bin-a", "skipped", at, "truck-1", reason, cause=f"skipped {at}", **told))

    def give(self, given: Observation | Tick | TourFeedback) -> list[Event]:
        """Any input; what was said at once."""
        overlay = self.engine.overlay()
        if isinstance(given, Tick):
            overlay.tick(given)
        elif isinstance(given, TourFeedback):
            assert overlay.stop(given)
        else:
            overlay.observe(given)
        self.engine.merge(overlay)
        self.all += overlay.events
        self.points += overlay.points
        self.failures += overlay.failures
        return list(overlay.events)

    def ticks(self, begin: int, end: int, every: int = 600_000) -> list[Event]:
        """Ticks ten minutes apart, both ends included."""
        return [event for at in range(begin, end + 1, every) for event in self.give(Tick(at))]

    def weeks(self, per_day: float, days: int, cycle: int, begin: int = START) -> int:
        """Hourly levels of a container that fills evenly and is emptied at 9:00 of every `cycle`-th day; the end."""
        level = 0.0
        for hour in range(days * 24):
            at = begin + hour * HOUR
            day, of_day = divmod(hour, 24)
            if day and day % cycle == 0 and of_day == 9:
                self.tilt(at)
                level = 0.0
                continue
            self.level(min(100.0, level), at)
            level += per_day / 24
        return begin + days * DAY
