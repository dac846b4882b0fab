"""One running SUMO with the arterial in it."""

import contextlib
import importlib
import importlib.resources
import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType, TracebackType
from typing import NamedTuple, Self

from rules.asset import Asset
from rules.city import City
from rules.traffic.schedule import schedule
from simulator.error import SimulatorError
from simulator.sumo.demand import DAYS, PERSONS, Demand, routes
from simulator.sumo.network import DETECTORS, local_loops, loop_id
from simulator.sumo.person_delay import Outcome, outcome, read_trips
from simulator.sumo.road import PLACES
from simulator.sumo.signals import Signal, read_cycles

__all__ = ["GROUP", "Arterial", "Control", "Demand", "Outcome", "Passage", "Run", "city_text"]

GROUP = "group-arterial"
"""The asset id of the control group."""
ONLY_PLAN = "2"
"""The plan of a group that has one plan for all times."""
GAP_S = 3.0
"""Nobody comes any more when a stage's loops were free for so long."""
BLOCKED_S = 20
"""After which drivers get past each other who block each other within a junction: SUMO's would stand there for ever."""
JAM_S = 900
NS = 1_000_000_000


class Control(StrEnum):
    """The local control that goes on below plan selection."""

    FIXED = "fixed"
    TIME_OF_DAY = "time-of-day"
    ACTUATED = "actuated"


class Run(NamedTuple):
    """What is simulated; the same run comes to the same outcome if the same plans are asked for."""

    demand: Demand
    seed: int
    control: Control


class Passage(NamedTuple):
    """Something passed a detector: asset id, lane (1 is nearest to the kerb), class, speed.

    `kind` is `car`, `truck` or `bus`: the detectors lie in the lanes of motor vehicles.
    """

    detector: str
    lane: int
    kind: str
    speed_m_s: float


def city_text(control: Control, text: str | None = None) -> str:
    """A city of the arterial (GeoJSON; its own without `text`), with the schedule that the local control follows.

    Raises CityError.
    """
    if text is None:
        text = (importlib.resources.files("deploy") / "sumo" / "arterial.geojson").read_text(encoding="utf-8")
    City.parse(text)
    if control is not Control.FIXED:
        return text
    city = json.loads(text)
    for feature in city["features"]:
        if feature["id"] == GROUP:
            feature["properties"]["schedule"] = [{"days": "Mo-Su", "from": "00:00", "plan": int(ONLY_PLAN)}]
    return json.dumps(city, ensure_ascii=False, indent=1) + "\n"


class Arterial:
    """The arterial through libsumo: one at a time in a process; SimulatorError where libsumo is not installed.

    A context manager; `start_ns` and `end_ns` are ns since 1970, `plans` the numbers that every junction has. The local
    schedule is that of `group`, without it the arterial's own.
    """

    def __init__(self, run: Run, group: Asset | None = None) -> None:
        self._sumo = _libsumo()
        self._run = run
        self._day = DAYS[run.demand]
        self.start_ns = round(self._day.begin.timestamp()) * NS
        self.end_ns = self.start_ns + self._day.length_s * NS
        self._schedule = schedule(group or City.parse(city_text(run.control)).assets[GROUP])
        self._second = 0
        self._switched_s: list[int] = []
        self._open = False
        self._loops = {place.name: local_loops(index) for index, place in enumerate(PLACES)}
        self._inside: dict[str, frozenset[str]] = {}
        self._stack = contextlib.ExitStack()
        self._outcome: Outcome | None = None

    def __enter__(self) -> Self:
        network = self._stack.enter_context(importlib.resources.as_file(importlib.resources.files("deploy") / "sumo"))
        self._folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="stadtfunk-sumo-")))
        cycles = read_cycles(network / "arterial.tll.xml", network / "arterial.programmes.xml")
        self.plans: Sequence[str] = sorted(set.intersection(*(set(found) for found in cycles.values())))
        self._plan = self.locally(self.start_ns)
        actuated = self._run.control is Control.ACTUATED
        self._cycles = cycles[PLACES[0].name]
        self._signals = {place.name: Signal(cycles[place.name], self._plan, 0, actuated=actuated) for place in PLACES}
        (self._folder / "day.rou.xml").write_text(routes(self._run.demand, self._run.seed), encoding="utf-8")
        self._start(network)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        self._stack.close()

    @property
    def plan(self) -> str:
        """The plan that runs, or that the group is going over to."""
        return self._plan

    @property
    def cycle_s(self) -> int:
        """The cycle of that plan."""
        return self._cycles[self._plan].length_s

    @property
    def time_ns(self) -> int:
        """Now."""
        return self.start_ns + self._second * NS

    def step(self) -> int:
        """One simulated second; the time then, ns since 1970."""
        self._second += 1
        for name, signal in self._signals.items():
            before = signal.state
            state = signal.step(self._second, self._idle(name) if self._run.control is Control.ACTUATED else ())
            if state != before:
                self._sumo.trafficlight.setRedYellowGreenState(name, state)
        self._sumo.simulationStep()
        return self.time_ns

    def counts(self) -> Sequence[Passage]:
        """What passed the detectors in the last step: each vehicle once, when its front reaches the loop."""
        return [passage for detector in DETECTORS for lane in (1, 2) for passage in self._passed(detector.asset, lane)]

    def switch(self, plan: str) -> None:
        """Go over to this plan: each junction at its switch point, offsets then stretched; the same plan: nothing."""
        if plan not in self.plans:
            raise SimulatorError(f"plan {plan!r:.40} is not among the junctions' plans {', '.join(self.plans)}")
        if plan == self._plan:
            return
        self._plan = plan
        self._switched_s.append(self._second)
        for signal in self._signals.values():
            signal.wanted = plan

    def cycle_position_s(self) -> float:
        """Seconds since the group's cycle began."""
        return float(self._second % self.cycle_s)

    def locally(self, time_ns: int) -> str:
        """The plan that the local schedule has at this time (ns since 1970)."""
        return self._schedule.plan_at(time_ns // 1_000_000) or ONLY_PLAN

    def result(self) -> Outcome:
        """What it came to, of those who set out from the counted second on; ends the simulation.

        A run that was left before that second counts from its begin.
        """
        self._close()
        if self._outcome is None:
            begin_s = self._day.counted_s if self._second > self._day.counted_s else 0
            trips = read_trips(self._folder / "trips.xml", self._second)
            switches = sum(second >= begin_s for second in self._switched_s)
            self._outcome = outcome(trips, PERSONS, (begin_s, self._second), switches)
        return self._outcome

    def _start(self, network: Path) -> None:
        options: Mapping[str, str] = {
            "net-file": str(network / "arterial.net.xml"),
            "route-files": str(self._folder / "day.rou.xml"),
            "additional-files": str(network / "arterial.add.xml"),
            "tripinfo-output": str(self._folder / "trips.xml"),
            "tripinfo-output.write-unfinished": "true",
            "tripinfo-output.write-undeparted": "true",
            "seed": str(self._run.seed),
            "ignore-junction-blocker": str(BLOCKED_S),
            "time-to-teleport": str(JAM_S),
            "no-step-log": "true",
            "no-warnings": "true",
            "duration-log.disable": "true",
        }
        self._sumo.start(["sumo", *(part for name, value in options.items() for part in (f"--{name}", value))])
        self._open = True
        for name, signal in self._signals.items():
            self._sumo.trafficlight.setRedYellowGreenState(name, signal.state)

    def _close(self) -> None:
        if self._open:
            self._open = False
            self._sumo.close()

    def _idle(self, junction: str) -> frozenset[str]:
        since = self._sumo.inductionloop.getTimeSinceDetection
        loops = self._loops[junction]
        return frozenset(loop.stage for loop in loops) - {loop.stage for loop in loops if 0 <= since(loop.id) < GAP_S}

    def _passed(self, asset: str, lane: int) -> Iterator[Passage]:
        loop = loop_id(asset, lane)
        ids = frozenset(self._sumo.inductionloop.getLastStepVehicleIDs(loop))
        before, self._inside[loop] = self._inside.get(loop, frozenset()), ids
        for id_ in sorted(ids - before):
            speed = self._sumo.vehicle.getSpeed(id_)
            yield Passage(asset, lane, self._sumo.vehicle.getTypeID(id_), speed)


def _libsumo() -> ModuleType:
    try:
        return importlib.import_module("libsumo")
    except ImportError as error:
        raise SimulatorError("the closed loop needs SUMO: pip install 'stadtfunk[sumo]'") from error
