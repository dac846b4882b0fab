"""Plan selection by the real rule in this process: counts of the arterial in, plans out, answered at once."""

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.answer import Heard
from rules.city import City
from rules.engine import Engine
from rules.event_traffic import SignalPlanRequested
from rules.rule import Answered, Observation, Tick
from rules.traffic.signal_plan import RULE
from simulator.sumo.arterial import GROUP, Arterial, Outcome, Run, city_text

MS = 1_000_000
INTERVAL_S, MINUTE_S, MINIMUM_S = 300, 60, 180


class Policy:
    """The rule about the arterial's group, fed with what detectors count in five minutes."""

    def __init__(self, run: Run) -> None:
        city = City.parse(city_text(run.control))
        self._engine = Engine(city, [RULE])
        self._devices = {
            asset.id: asset.devices[0].dev_eui for asset in city.assets.values() if asset.kind == "detector"
        }
        self._counts = dict.fromkeys(self._devices, 0)
        self._asked: SignalPlanRequested | None = None

    def second(self, now_ms: int, passed: list[str]) -> None:
        """Detectors that something passed in this second."""
        for detector in passed:
            self._counts[detector] += 1
        second = now_ms // 1000
        if second % INTERVAL_S == 0:
            for detector, dev_eui in self._devices.items():
                reading = Reading(Quantity.VEHICLE_COUNT, float(self._counts[detector]), "ltr")
                self._counts[detector] = 0
                cause = f"{detector} {second}"
                self._give(Observation(dev_eui, dev_eui, detector, now_ms, now_ms, (reading,), cause))
        if second % MINUTE_S == 0:
            self._give(Tick(now_ms))

    def wants(self, now_ms: int, local: str) -> str:
        """The plan to run: what is asked for as long as it is valid, else the local one."""
        asked = self._asked
        return asked.data.plan if asked and now_ms < asked.valid_until_ms else local

    def runs(self, plan: str, now_ms: int) -> None:
        """Tell the rule that what it asked for runs."""
        if self._asked and self._asked.data.plan == plan:
            self._answer(self._asked, "active", plan, now_ms)

    def _give(self, given: Observation | Tick | Answered) -> None:
        overlay = self._engine.overlay()
        if isinstance(given, Observation):
            overlay.observe(given)
        elif isinstance(given, Tick):
            overlay.tick(given)
        else:
            overlay.answer(given)
        assert not overlay.failures
        self._engine.merge(overlay)
        for event in overlay.events:
            if isinstance(event, SignalPlanRequested):
                self._asked = event
                self._answer(event, "sent", None, event.time_ms)
                self._answer(event, "accepted", None, event.time_ms)

    def _answer(self, event: SignalPlanRequested, status: Heard, plan: str | None, now_ms: int) -> None:
        cause = f"{status} {event.id}"
        self._give(Answered(GROUP, event.id, status, plan, now_ms, cause=cause, what="signal-plan"))


def played(run: Run, seconds: int, *, steered: bool) -> tuple[Outcome, list[str]]:
    """The first seconds of a run, with or without plan selection; and the plans that were gone over to."""
    switched, switched_s = list[str](), -MINIMUM_S
    with Arterial(run) as road:
        policy = Policy(run)
        for second in range(1, seconds + 1):
            now_ms = road.step() // MS
            local = road.locally(road.time_ns)
            if steered:
                policy.second(now_ms, [passage.detector for passage in road.counts()])
                local = policy.wants(now_ms, local)
            if local != road.plan and road.cycle_position_s() == 0 and second - switched_s >= MINIMUM_S:
                road.switch(local)
                switched, switched_s = [*switched, local], second
                policy.runs(local, now_ms)
        return road.result(), switched
