"""A device's battery: somewhere between fresh and two thirds when the device comes on air, and drained evenly."""

from random import Random

NS_PER_DAY = 86_400 * 1_000_000_000
LIFE_DAYS = 3000.0
STEPS = 254
PERCENT = 100


class Battery:
    """What is left of a battery that lasts eight years, as a share 0..1."""

    __slots__ = ("_charge", "_since_ns")

    def __init__(self, rng: Random) -> None:
        self._charge = rng.uniform(0.6, 1.0)
        self._since_ns = 0

    def begin(self, time_ns: int) -> None:
        """The device comes on air."""
        self._since_ns = time_ns

    def share(self, time_ns: int) -> float:
        """What is left."""
        return max(0.0, self._charge - (time_ns - self._since_ns) / NS_PER_DAY / LIFE_DAYS)

    def level(self, time_ns: int) -> float:
        """The same in %, in the steps of LoRaWAN's DevStatusAns (1 to 254)."""
        return round(round(self.share(time_ns) * (STEPS - 1)) * PERCENT / STEPS, 2)
