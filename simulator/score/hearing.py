"""What the service published, by what it is about, at the times at which it was known outside."""

from collections import defaultdict
from typing import NamedTuple, Protocol
from urllib.parse import unquote

from pydantic import ValidationError

from rules.event import Event, LotState
from rules.event_environment import EnvironmentalAlert
from rules.event_traffic import GreenWaveRequested, QueueWarning, SignalPlanRequested
from rules.event_waste import ContainerDue, ContainerDueData
from simulator.error import SimulatorError
from simulator.score.course import Course, Span

ANY = "*"
SCORED: dict[tuple[str, str, str], type[Event]] = {
    ("parking", "lot", "state"): LotState,
    ("traffic", "group", "signal-plan"): SignalPlanRequested,
    ("traffic", "corridor", "green-wave"): GreenWaveRequested,
    ("traffic", "detector", "queue"): QueueWarning,
    ("environment", ANY, "alert"): EnvironmentalAlert,
    ("waste", "container", "due"): ContainerDue,
}
"""Events that are scored, by first, second and last part of their topics below `stadtfunk/v1`."""
QUEUE = "queue"


class Said(Protocol):
    """What a stage gives back: a topic and an event; without payload it is withdrawn."""

    @property
    def topic(self) -> str:
        """Its topic."""
        ...

    @property
    def payload(self) -> bytes:
        """The event as JSON, or nothing."""
        ...


class SaidOfLot(NamedTuple):
    """What was said of a lot; `free` is None where it gave no figures."""

    state: str
    free: int | None


class Asked(NamedTuple):
    """A programme that was asked for, and until when."""

    time_ms: int
    programme: str
    until_ms: int


class SaidOfContainer(NamedTuple):
    """What was said of a container, and when."""

    time_ms: int
    data: ContainerDueData


class Hearing:
    """Everything that is scored; `events` counts what was heard at all.

    A lot's course holds None once its state was withdrawn. `alerts` go by kind and asset, 0 is none.
    """

    def __init__(self) -> None:
        self.events = 0
        self.lots: dict[str, Course[SaidOfLot | None]] = defaultdict(Course)
        self.plans: dict[str, list[Asked]] = defaultdict(list)
        self.waves: dict[str, list[Asked]] = defaultdict(list)
        self.alerts: dict[tuple[str, str], Course[int]] = defaultdict(Course)
        self.containers: dict[str, list[SaidOfContainer]] = defaultdict(list)

    def take(self, heard: Said, step: Span) -> None:
        """One more, that came in this step; raises SimulatorError where it cannot be read.

        It was known when it says, but no sooner than the step began: of a late uplink nobody knew before.
        """
        domain, what, subject, *rest = heard.topic.split("/")[2:]
        last = "/".join(rest)
        kind = SCORED.get((domain, ANY if domain == "environment" else what, last))
        self.events += bool(heard.payload)
        if kind is None:
            return
        if not heard.payload:
            self._withdrawn(kind, what, unquote(subject), step.end_ms)
            return
        try:
            event = kind.model_validate_json(heard.payload)
        except ValidationError as error:
            raise SimulatorError(f"cannot read what the service published on {heard.topic}: {error}") from error
        self._said(event, min(step.end_ms, max(step.begin_ms, event.time_ms)))

    def _said(self, event: Event, time_ms: int) -> None:
        match event:
            case LotState():
                self.lots[event.subject].add(time_ms, SaidOfLot(event.data.state, event.data.free))
            case SignalPlanRequested():
                self.plans[event.subject].append(Asked(time_ms, event.data.plan, event.valid_until_ms))
            case GreenWaveRequested():
                self.waves[event.subject].append(Asked(time_ms, event.data.programme, event.valid_until_ms))
            case QueueWarning():
                self.alerts[QUEUE, event.subject].add(time_ms, int(event.data.state == "raised"))
            case EnvironmentalAlert():
                self.alerts[event.data.kind, event.subject].add(time_ms, event.data.level)
            case ContainerDue():
                self.containers[event.subject].append(SaidOfContainer(time_ms, event.data))

    def _withdrawn(self, kind: type[Event], what: str, subject: str, time_ms: int) -> None:
        if kind is LotState:
            self.lots[subject].add(time_ms, None)
        elif kind is QueueWarning:
            self.alerts[QUEUE, subject].add(time_ms, 0)
        elif kind is EnvironmentalAlert:
            self.alerts[what, subject].add(time_ms, 0)
