"""One run of the closed loop: what passes in SUMO is counted, sent, decided about, and carried out in SUMO again.

Every second SUMO moves on, devices send what they counted, and the traffic computer looks at its clock. Every ten
seconds the service on its stage has taken in what was sent and says what follows. Without Stadtfunk the same traffic
meets the same traffic computer, which then follows its own schedule only.
"""

import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from rules.asset import Asset
from rules.city import City
from rules.traffic.link import linked
from simulator.error import SimulatorError
from simulator.stage import Stage
from simulator.sumo.arterial import GROUP, Arterial, Passage, Run, city_text
from simulator.sumo.detectors import Detectors
from simulator.sumo.person_delay import Outcome
from simulator.sumo.traffic_computer import Group, Said, TrafficComputer

NS_PER_S: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000
ADVANCE_S: Final = 10
SETTINGS: Final[Mapping[str, Mapping[str, Any]]] = {"rules": {"modes": {"traffic.signal_plan": "active"}}}

Watch = Callable[[float], None]
"""Is told every ten simulated seconds which share of the run is done; raising ends the run."""


class Task(NamedTuple):
    """A run to be played, with or without Stadtfunk on top; `city` in the place of the arterial's own (GeoJSON).

    `span_s` ends it earlier than the demand does.
    """

    run: Run
    stadtfunk: bool
    span_s: float | None = None
    city: str | None = None


class Switch(NamedTuple):
    """Seconds since the begin at which another plan was switched to."""

    at_s: float
    plan: str


class Ran(NamedTuple):
    """What a run came to: outcome, uplink events and answers by kind, and all plans, the first one included."""

    task: Task
    outcome: Outcome
    uplinks: Mapping[str, object]
    answers: Mapping[str, int]
    plans: tuple[Switch, ...]


class Nerve:
    """What lies between the road and its traffic computer: detectors, radio, broker, service."""

    def __init__(self, detectors: Detectors, stage: Stage, start_ns: int) -> None:
        self.detectors = detectors
        self._stage = stage
        self._due_ns = start_ns + ADVANCE_S * NS_PER_S

    def second(self, time_ns: int, passages: Iterable[Passage], computer: TrafficComputer) -> None:
        """What passed is counted, what was counted is sent, and what the service says is heard."""
        self.detectors.passed(passages)
        for message in self.detectors.messages(time_ns):
            self._stage.publish(message)
        if time_ns < self._due_ns:
            return
        self._due_ns += ADVANCE_S * NS_PER_S
        for heard in self._stage.advance(time_ns):
            self.answer(computer.hear(heard.topic, heard.payload, time_ns // NS_PER_MS))

    def answer(self, said: Iterable[Said]) -> None:
        """What the traffic computer answers goes to the broker."""
        for each in said:
            self._stage.send(each.topic, each.payload)


class Loop:
    """The road, its traffic computer and, with Stadtfunk, the nerve between them."""

    def __init__(self, arterial: Arterial, computer: TrafficComputer, nerve: Nerve | None = None) -> None:
        self._arterial = arterial
        self._computer = computer
        self._nerve = nerve
        self._position_s = arterial.cycle_position_s()
        self.plans = [Switch(0.0, computer.plan)]

    def second(self) -> int:
        """One simulated second; the time then in ns since 1970."""
        arterial, computer, nerve = self._arterial, self._computer, self._nerve
        time_ns = arterial.step()
        passages = arterial.counts()
        if nerve is not None:
            nerve.second(time_ns, passages, computer)
        before_s, self._position_s = self._position_s, arterial.cycle_position_s()
        said = computer.tick(time_ns // NS_PER_MS, arterial.locally(time_ns), cycle_ends=self._position_s < before_s)
        if nerve is not None:
            nerve.answer(said)
        if computer.plan != self.plans[-1].plan:
            arterial.switch(computer.plan)
            self.plans.append(Switch((time_ns - arterial.start_ns) / NS_PER_S, computer.plan))
        return time_ns


def play(task: Task, watch: Watch) -> Ran:
    """Play a run; raises SimulatorError where SUMO, the broker or the service cannot be had."""
    text = city_text(task.run.control, task.city)
    asset = _asset(City.parse(text))
    with Arterial(task.run, asset) as arterial:
        computer = TrafficComputer(_group(asset, arterial), arterial.locally(arterial.start_ns))
        if not task.stadtfunk:
            return _played(task, arterial, computer, None, watch)
        with tempfile.TemporaryDirectory(prefix="stadtfunk-loop-") as folder:
            file = Path(folder) / "arterial.geojson"
            file.write_text(text, encoding="utf-8")
            with Stage(file, arterial.start_ns, SETTINGS) as stage:
                detectors = Detectors(City.parse(text), task.run.seed, arterial.start_ns)
                nerve = Nerve(detectors, stage, arterial.start_ns)
                return _played(task, arterial, computer, nerve, watch)


def _played(task: Task, arterial: Arterial, computer: TrafficComputer, nerve: Nerve | None, watch: Watch) -> Ran:
    loop = Loop(arterial, computer, nerve)
    begin_ns, end_ns = arterial.start_ns, arterial.end_ns
    if task.span_s is not None:
        end_ns = min(end_ns, begin_ns + int(task.span_s * NS_PER_S))
    time_ns = begin_ns
    while time_ns < end_ns:
        time_ns = loop.second()
        if (time_ns - begin_ns) // NS_PER_S % ADVANCE_S == 0:
            watch((time_ns - begin_ns) / (end_ns - begin_ns))
    uplinks = nerve.detectors.report.as_dict() if nerve is not None else {}
    return Ran(task, arterial.result(), uplinks, dict(computer.answers), tuple(loop.plans))


def _asset(city: City) -> Asset:
    asset = city.assets.get(GROUP)
    if asset is None or asset.kind != "control_group":
        raise SimulatorError(f"the city file has no control group {GROUP}, expected that of the arterial")
    return asset


def _group(asset: Asset, arterial: Arterial) -> Group:
    junctions = tuple(junction.id for junction in linked(asset).junctions)
    return Group(GROUP, junctions, frozenset(arterial.plans))
