"""A town with a main road: assets, and an engine that is driven by counts, ticks and answers."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import count as counting
from typing import TypeVar

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.answer import AnswerStatus, OverriddenBy
from rules.asset import Asset, Assignment
from rules.city import City
from rules.engine import Engine
from rules.event import Event
from rules.point import Point
from rules.rule import Answered, AnyRule, Observation, RuleFailure, StateRow, Tick
from rules.traffic.link import link

MINUTE = 60_000
HOUR = 60 * MINUTE
START = 1_789_992_000_000
"""Monday, 21 September 2026, 14:00 in Berlin."""
COUNT, TOTAL, SPEED = Quantity.VEHICLE_COUNT, Quantity.VEHICLE_COUNT_TOTAL, Quantity.VEHICLE_SPEED
PLANS: tuple[dict[str, object], ...] = (
    {"number": 1, "name": "Nacht", "level": 0, "serves_inbound": 400, "serves_outbound": 400},
    {"number": 2, "name": "Tag", "level": 1, "serves_inbound": 900, "serves_outbound": 900},
    {"number": 3, "name": "Früh", "level": 2, "favours": "inbound", "serves_inbound": 1500, "serves_outbound": 900},
    {"number": 4, "name": "Spät", "level": 2, "favours": "outbound", "serves_inbound": 900, "serves_outbound": 1500},
)
SCHEDULE: tuple[dict[str, object], ...] = (
    {"days": "Mo-Su", "from": "05:00", "plan": 2},
    {"days": "Mo-Su", "from": "22:00", "plan": 1},
)
E = TypeVar("E", bound=Event)


def asset(id_: str, kind: str, *devices: Assignment, **properties: object) -> Asset:
    """An asset of this town."""
    return Asset(id_, kind, id_.title(), properties, devices, 7.8, 51.6, "mitte")


def detector(id_: str, direction: str = "inbound", /, **properties: object) -> Asset:
    """A demand detector 200 m upstream with one device `dev-{id}` of five minutes."""
    own: dict[str, object] = {"role": "demand", "direction": direction, "distance_m": 200, "junction": "j1"}
    return asset(id_, "detector", Assignment(f"dev-{id_}", properties={"interval_s": 300}), **{**own, **properties})


def group(**properties: object) -> Asset:
    """A control group of both junctions."""
    own: dict[str, object] = {"junctions": ["j1", "j2"], "plans": list(PLANS), "schedule": list(SCHEDULE)}
    return asset("group", "control_group", **{**own, **properties})


def town(detectors: Iterable[Asset] | None = None, more: Iterable[Asset] = (), /, **properties: object) -> list[Asset]:
    """Two junctions in one group, with a detector inbound and one outbound; the group comes last."""
    return [
        *(detectors if detectors is not None else (detector("in"), detector("out", "outbound"))),
        asset("j1", "junction", plans=[1, 2, 3, 4]),
        asset("j2", "junction", plans=[1, 2, 3, 4]),
        *more,
        group(**properties),
    ]


class Play:
    """An engine over assets; every input is committed at once, and every request goes out while `publishes`."""

    publishes = True

    def __init__(self, assets: Sequence[Asset], *rules: AnyRule) -> None:
        self.city = City(link(assets))
        self.rules = rules
        self.engine = Engine(self.city, rules)
        self.events: list[Event] = []
        self.points: list[Point] = []
        self.rows: dict[tuple[str, str], StateRow] = {}
        self.now = START
        self._numbers = counting()

    def restart(self) -> None:
        """A new engine that takes up the kept states."""
        self.engine = Engine(self.city, self.rules)
        assert self.engine.load(self.rows.values()) == []

    def give(self, given: Observation | Tick | Answered) -> list[Event]:
        """Any input; the events it led to."""
        overlay = self.engine.overlay()
        if isinstance(given, Tick):
            overlay.tick(given)
        elif isinstance(given, Answered):
            overlay.answer(given)
        else:
            overlay.observe(given)
        for row in overlay.dirty():
            self.rows[row.rule, row.subject] = row
        failures: list[RuleFailure] = overlay.failures
        assert not failures, failures
        self.engine.merge(overlay)
        self.events += overlay.events
        self.points += overlay.points
        for event in overlay.events:
            if event.acting and self.publishes:
                self.went_out(event)
        return overlay.events

    def went_out(self, request: Event) -> None:
        """The broker has the request."""
        what = request.topic.rpartition("/")[2]
        self.give(Answered(request.subject, request.id, "sent", None, self.now, cause=f"sent {request.id}", what=what))

    def hear(
        self,
        detector_id: str,
        readings: Mapping[str, float] | float,
        *,
        at: int | None = None,
        measured: int | None = None,
        device: str = "",
        quantity: Quantity = COUNT,
        speeds: Mapping[str, float] | None = None,
        doubtful: Iterable[Reading] = (),
    ) -> list[Event]:
        """An uplink of the detector's device: counts by channel, or one number."""
        by_channel = readings if isinstance(readings, Mapping) else {"": readings}
        found = [Reading(quantity, value, channel) for channel, value in by_channel.items()]
        found += [Reading(SPEED, value, channel) for channel, value in (speeds or {}).items()]
        now = self.now if at is None else at
        time_ms = now if measured is None else measured
        dev_eui = device or f"dev-{detector_id}"
        cause = f"c{next(self._numbers)}"
        return self.give(
            Observation(dev_eui, dev_eui, detector_id, time_ms, now, tuple(found), cause, 0, tuple(doubtful))
        )

    def tick(self, minutes: float = 1) -> list[Event]:
        """Time passes in steps of ten seconds; the events of its ticks."""
        found: list[Event] = []
        for _ in range(round(minutes * 6)):
            self.now += 10_000
            found += self.give(Tick(self.now))
        return found

    def flow(self, minutes: float, into: float, out: float, *, skip: Iterable[str] = ()) -> list[Event]:
        """Every five minutes `in` and `out` tell their flow in vehicles an hour, give or take one vehicle."""
        found: list[Event] = []
        for _ in range(round(minutes / 5)):
            for id_, flow in (("in", into), ("out", out)):
                if id_ not in skip:
                    found += self.hear(id_, flow / 12 + (self.now // (5 * MINUTE)) % 3 / 2)
            found += self.tick(5)
        return found

    def answer(
        self,
        status: AnswerStatus,
        plan: str | None = None,
        *,
        request_id: str = "",
        subject: str = "group",
        what: str = "signal-plan",
        time_ms: int | None = None,
        by: OverriddenBy | None = None,
        until_ms: int | None = None,
    ) -> list[Event]:
        """What the controllers say; by default about the newest request."""
        if not request_id:
            requests = [event for event in self.events if event.acting]
            request_id = requests[-1].id if requests else "none"
        time_ms = self.now if time_ms is None else time_ms
        cause = f"a{next(self._numbers)}"
        return self.give(
            Answered(subject, request_id, status, plan, time_ms, 0, cause, what=what, by=by, until_ms=until_ms)
        )

    def of(self, kind: type[E]) -> list[E]:
        """The events of a type, in their order."""
        return [event for event in self.events if isinstance(event, kind)]
