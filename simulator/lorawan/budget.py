"""How much of the time a device may be on the air: the band's share, and what the network server asks beyond that."""

from simulator.duty_cycle import DutyCycle, band
from simulator.lorawan import region
from simulator.lorawan.bridge import NS_PER_S
from simulator.lorawan.region import Tuned


class Budget:
    """One device's airtime, joins and repeats included. Times are ns of the city's.

    DutyCycleReq (LoRaWAN 1.0.3, §5.3) grants one part in 2^n of the time on all channels together: after a frame the
    device is silent for the other parts.
    """

    __slots__ = ("_airtime_ns", "_began_ns", "_duty")

    def __init__(self) -> None:
        self._duty = DutyCycle()
        self._began_ns = self._airtime_ns = 0

    def take(self, size: int, tuned: Tuned, now_ns: int, exponent: int) -> int:
        """When a PHYPayload of so many bytes begins, now or later; its airtime is used up with that."""
        airtime_ns = int(region.airtime_s(size, tuned.spreading_factor) * NS_PER_S)
        of_band = band(tuned.frequency_hz)
        earliest_ns = now_ns if not exponent else max(now_ns, self._began_ns + (self._airtime_ns << exponent))
        start_ns = self._duty.free_ns(of_band, airtime_ns, earliest_ns)
        self._duty.take(of_band, airtime_ns, start_ns)
        self._began_ns, self._airtime_ns = start_ns, airtime_ns
        return start_ns
