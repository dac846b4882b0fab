"""The chain that every uplink takes, as the canary's round trips prove it stage by stage. Pure: time is given, in s."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

MISSED = 3
"""Heartbeats without a complete round trip after which the chain counts as broken."""
OPEN = 8
"""Round trips under way that are remembered; a chain that is behind by more is broken anyway."""
BROKER = "broker"
RETURN = "mqtt"
JOURNAL = "journal"
EVENTS = "events"
COMPLAINTS = {
    BROKER: "mqtt: the broker has taken no canary for {waited:.0f} s",
    RETURN: "mqtt: no canary back for {waited:.0f} s",
    JOURNAL: "journal: no canary committed for {waited:.0f} s",
    EVENTS: "events: no heartbeat published for {waited:.0f} s",
}


class Verdict(NamedTuple):
    """How the chain fares: `age_s` of the newest complete round trip, else the stage that hangs and why we say so."""

    complete: bool
    age_s: float | None
    stage: str = ""
    problem: str = ""


@dataclass(slots=True)
class Trip:
    """One canary under way."""

    number: int
    begin_s: float
    passed: set[str] = field(default_factory=set)


class Chain:
    """The stages from the broker to the sinks and back, and when a canary last passed each."""

    def __init__(self, heartbeat_s: float, sinks: Sequence[str], now_s: float) -> None:
        self.stages = (BROKER, RETURN, JOURNAL, *(f"sink {name}" for name in sinks), EVENTS)
        self.round_trip_s: float | None = None
        self._heartbeat_s = heartbeat_s
        self._begin_s = now_s
        self._trips: list[Trip] = []
        self._passed_s: dict[str, float] = {}
        self._complete_s: float | None = None
        self._counts: dict[str, tuple[int, float]] = {}

    def begin(self, number: int, now_s: float) -> None:
        """A canary sets out."""
        self._trips.append(Trip(number, now_s))
        del self._trips[:-OPEN]

    def passed(self, number: int, stage: str, now_s: float) -> bool:
        """The canary passed a stage; whether its round trip is complete with this."""
        trip = next((trip for trip in self._trips if trip.number == number), None)
        if trip is None or stage in trip.passed:
            return False
        trip.passed.add(stage)
        self._passed_s[stage] = now_s
        if len(trip.passed) < len(self.stages):
            return False
        self.round_trip_s = now_s - trip.begin_s
        self._complete_s = trip.begin_s
        self._trips = [other for other in self._trips if other.begin_s > trip.begin_s]
        return True

    def under_way(self) -> dict[int, frozenset[str]]:
        """The canaries under way, and what each has passed."""
        return {trip.number: frozenset(trip.passed) for trip in self._trips}

    def ages(self, now_s: float) -> dict[str, float | None]:
        """Seconds since a canary last passed each stage."""
        return {stage: None if stage not in self._passed_s else now_s - self._passed_s[stage] for stage in self.stages}

    def verdict(self, now_s: float) -> Verdict:
        """Complete, or the stage at which the oldest canary under way hangs."""
        age_s = None if self._complete_s is None else now_s - self._complete_s
        if age_s is not None and age_s < self._patience_s:
            return Verdict(True, age_s)  # noqa: FBT003 - its first field
        stage = self._hanging()
        waited_s = now_s - self._passed_s.get(stage, self._begin_s)
        complaint = COMPLAINTS.get(stage, stage + ": no canary taken for {waited:.0f} s")
        return Verdict(False, age_s, stage, complaint.format(waited=waited_s))  # noqa: FBT003 - the same

    def progress(self, stage: str, count: int, now_s: float) -> None:
        """Note how much else has passed a stage so far: with a backlog canaries come late, yet nothing hangs."""
        known = self._counts.get(stage)
        if known is None or known[0] != count:
            self._counts[stage] = (count, now_s)

    def stuck(self, now_s: float) -> str:
        """The stage that nothing at all has passed for so long that it hangs; empty while there is none."""
        verdict = self.verdict(now_s)
        if verdict.complete:
            return ""
        _, moved_s = self._counts.get(verdict.stage, (0, self._begin_s))
        last_s = max(self._begin_s, moved_s, self._passed_s.get(verdict.stage, self._begin_s))
        return "" if now_s - last_s < self._patience_s else verdict.stage

    @property
    def returned(self) -> bool:
        """Whether any canary ever came back: then we have the right to read it."""
        return RETURN in self._passed_s

    @property
    def _patience_s(self) -> float:
        return MISSED * self._heartbeat_s

    def _hanging(self) -> str:
        sent = next((trip for trip in self._trips if BROKER in trip.passed), None)
        if sent is None:
            return BROKER
        return next(stage for stage in self.stages if stage not in sent.passed)
