"""What every sensor is: something that looks at the city and answers with frames."""

import copy
from random import Random
from typing import NamedTuple, Protocol

from typing_extensions import override

from decoders.measurement import Reading
from rules.city import Asset
from simulator.sky import Sky
from simulator.world import LotCurve, Moment, Weather


class Frame(NamedTuple):
    """One frame to send."""

    f_port: int
    readings: tuple[Reading, ...]


class Sensor(Protocol):
    """A device's eyes and ears. `span_s` is the time since its last report, `battery` a share 0..1."""

    extra_loss_db: float

    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        """The regular report."""
        ...

    def until_change_s(self, now: Moment) -> float | None:
        """When the next frame out of turn is due; None for models that only report regularly."""
        ...

    def change(self, now: Moment) -> Frame:
        """That frame."""
        ...


class Gate:
    """The cars that came to a lot and left it, and who counts them."""

    def __init__(self) -> None:
        self.came = self.left = 0

    def passed(self, *, came: bool) -> None:
        """One more car."""
        self.came += came
        self.left += not came


class Surroundings:
    """What sensors share: the weather, the curve and the gate of each lot."""

    def __init__(self, rng: Random, start: Moment) -> None:
        self.rng = rng
        self.start = start
        self.weather = Weather(rng, start)
        self.sky = Sky(rng, start)
        self._curves: dict[str, LotCurve] = {}
        self.gates: dict[str, Gate] = {}

    def elsewhere(self) -> "Surroundings":
        """The same for copies, which stand on no lot: what passes them is counted by nobody's counters."""
        other = copy.copy(self)
        other.gates = {}
        return other

    def gate(self, asset: Asset) -> Gate:
        """The gate of the lot that an asset is."""
        return self.gates.setdefault(asset.id, Gate())

    def curve(self, asset: Asset) -> LotCurve:
        """The day of the lot that an asset is."""
        if asset.id not in self._curves:
            self._curves[asset.id] = LotCurve(self.rng)
        return self._curves[asset.id]


class Regular(Sensor):
    """Base of the models that only report regularly."""

    extra_loss_db = 0.0

    @override
    def until_change_s(self, now: Moment) -> float | None:
        return None

    @override
    def change(self, now: Moment) -> Frame:
        raise NotImplementedError(f"{type(self).__name__} reports regularly only")
