"""What every sensor is: something that looks at the city and answers with frames."""

from typing import NamedTuple, Protocol

from typing_extensions import override

from decoders.measurement import Reading
from simulator.surroundings import Surroundings
from simulator.world import Moment

__all__ = ["Frame", "Regular", "Sensor", "Surroundings"]


class Frame(NamedTuple):
    """One frame to send; `data` is its payload where the sensor has built it already."""

    f_port: int
    readings: tuple[Reading, ...]
    data: bytes | None = None


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


class Regular(Sensor):
    """Base of the models that only report regularly."""

    extra_loss_db = 0.0

    @override
    def until_change_s(self, now: Moment) -> float | None:
        return None

    @override
    def change(self, now: Moment) -> Frame:
        raise NotImplementedError(f"{type(self).__name__} reports regularly only")
