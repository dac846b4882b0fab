"""What passes in SUMO, as real device models count it and as ChirpStack publishes it.

The devices of the city file are played as everywhere in this package: encoded frames, duty cycle, fading, collisions,
spreading factor. Only what they count is another: vehicles of SUMO in the place of the simulated world's.
"""

from collections.abc import Iterable, Iterator
from random import Random

from typing_extensions import override

from rules.city import Asset, City
from simulator.error import SimulatorError
from simulator.faults import Message
from simulator.models import SENSORS
from simulator.play import Plan, Simulation
from simulator.report import Report
from simulator.sumo.arterial import Passage
from simulator.surroundings import Counted, Surroundings
from simulator.world import Calendar, Count, Moment, Path, Road

COUNTERS = frozenset({"nwave/ncc405", "parametric/pcr2", "pmx/tcr"})
"""Models that count what passes: by interval, or as a running total."""
KMH = 3.6
NS_PER_MS = 1_000_000
RIGHT_TO_LEFT = "rtl"


class Tally(Road):
    """What passed a detector since it was asked last, in the direction that its asset counts."""

    def __init__(self, rng: Random, *, right_to_left: bool) -> None:
        super().__init__(rng, 0, 0)
        self._right_to_left = right_to_left
        self._vehicles = 0
        self._kmh = 0.0

    def passed(self, speed_kmh: float) -> None:
        """One more."""
        self._vehicles += 1
        self._kmh += speed_kmh

    @override
    def count(self, now: Moment, span_s: float) -> Count:
        vehicles, kmh = self._vehicles, self._kmh / max(1, self._vehicles)
        self._vehicles, self._kmh = 0, 0.0
        ltr, rtl = (0, vehicles) if self._right_to_left else (vehicles, 0)
        return Count(ltr=ltr, rtl=rtl, speed=kmh, speed_ltr=kmh, speed_rtl=kmh)


class Passages(Surroundings):
    """The surroundings of devices that count what passes in SUMO; the weather goes on as ever."""

    def __init__(self, rng: Random, start: Moment) -> None:
        super().__init__(rng, start)
        self._tallies: dict[str, list[Tally]] = {}

    def passed(self, asset: str, speed_kmh: float) -> None:
        """Someone passed the detector that an asset is; nobody counts where it has no device."""
        for tally in self._tallies.get(asset, ()):
            tally.passed(speed_kmh)
        gate = self.gates.get(asset)
        if gate is not None:
            gate.passed(came=True)
            gate.passed(came=False)

    @override
    def road(self, asset: Asset, road: Road) -> Road:
        return self._tally(asset)

    def _tally(self, asset: Asset) -> Tally:
        tally = Tally(self.rng, right_to_left=asset.properties.get("channel") == RIGHT_TO_LEFT)
        self._tallies.setdefault(asset.id, []).append(tally)
        return tally

    @override
    def path(self, asset: Asset, path: Path) -> Counted:
        return self._tally(asset).count


class Detectors:
    """The devices of a city's detectors. Times in ns since 1970; the same seed and traffic give the same messages."""

    def __init__(self, city: City, seed: int, start_ns: int) -> None:
        plan = Plan(seed=seed, start_ns=start_ns)
        self._simulation = Simulation(city, plan)
        self._passages = Passages(Random(seed), Calendar(plan.timezone).at(start_ns // NS_PER_MS))
        for device in self._simulation.devices:
            model, asset = device.codec.id, city.assets[device.identity.tags["asset"]]
            if model not in COUNTERS:
                raise SimulatorError(
                    f"feature {asset.id!r}: a device of model {model} counts nothing that passes, "
                    f"expected one of {', '.join(sorted(COUNTERS))}"
                )
            device.sensor = SENSORS[model](self._passages, asset)

    @property
    def report(self) -> Report:
        """How many messages there were, and how many the radio lost."""
        return self._simulation.report

    def passed(self, passages: Iterable[Passage]) -> None:
        """What passed just now."""
        for passage in passages:
            self._passages.passed(passage.detector, passage.speed_m_s * KMH)

    def messages(self, end_ns: int) -> Iterator[Message]:
        """What the network server publishes before that time, in order; ask with growing times."""
        for message in self._simulation.messages(end_ns):
            self._simulation.report.count(message)
            yield message
