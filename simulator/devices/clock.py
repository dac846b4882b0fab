"""A device's own clock: it goes wrong, and reports do not come to the second.

Source of the figures: tuning fork crystals of 32.768 kHz as in Epson's FC-135 data sheet (±20 ppm at 25 °C, and slower
by 0.04 ppm per K² away from it, which is 9 ppm at Hamm's mean of 10 °C); the random part of an interval as in the
periodic uplink examples of Semtech's LoRaMac-node (APP_TX_DUTYCYCLE_RND, ±1 s, a fifth of the interval at most).
"""

from collections.abc import Callable
from functools import lru_cache
from random import Random

from decoders import catalog
from decoders.quantity import Quantity
from simulator.sensor import Frame
from simulator.world import Moment

TOLERANCE = 20e-6
COLD = 9e-6
JITTER_S = 1.0
JITTER_SHARE = 0.2
SHORTEST_S = 0.5
MINUTES_A_DAY = 1440


def same(time_ns: int) -> int:
    """Devices are told the city's time."""
    return time_ns


class Clock:
    """Ns since 1970 as a device counts them since it was set; `rate` is how much too fast it goes.

    `right_ns` is the time that a device is told at a time of the city's.
    """

    __slots__ = ("_set_ns", "rate", "right_ns")

    def __init__(self, rng: Random) -> None:
        self.rate = rng.uniform(-TOLERANCE, TOLERANCE) - COLD
        self.right_ns: Callable[[int], int] = same
        self._set_ns = 0

    def set(self, time_ns: int) -> None:
        """It is right at this time, and goes wrong from then on."""
        self._set_ns = time_ns

    def shows_ns(self, time_ns: int) -> int:
        """What it shows at a time."""
        right_ns = self.right_ns(time_ns)
        return right_ns + round((right_ns - self.right_ns(self._set_ns)) * self.rate)

    def lasts_s(self, interval_s: float, rng: Random) -> float:
        """How long an interval of its own takes, with the random part."""
        jitter_s = min(JITTER_S, interval_s * JITTER_SHARE)
        return max(SHORTEST_S, interval_s / (1 + self.rate) + (2 * rng.random() - 1) * jitter_s)


@lru_cache(512)
def tells_time(codec_id: str) -> bool:
    """Whether a model reports what its clock shows."""
    return any(item.quantity is Quantity.DEVICE_CLOCK for item in catalog.codec(codec_id).fields())


def on_clock(frame: Frame, shown: Moment) -> Frame:
    """The frame with the time of day that a clock shows; the same one where it says so already."""
    minute = float(int(shown.hour * 60) % MINUTES_A_DAY)
    readings = tuple(
        reading._replace(value=minute) if reading.quantity is Quantity.DEVICE_CLOCK else reading
        for reading in frame.readings
    )
    return frame if readings == frame.readings else frame._replace(readings=readings)
