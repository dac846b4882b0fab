"""A device's radio: when a frame goes out, on which channel, and what arrives of it."""

from random import Random

from simulator.duty_cycle import DutyCycle, airtime_ns, band, fitting
from simulator.event import Copy, Flight
from simulator.radio import CHANNELS_HZ, Link

NS_PER_S = 1_000_000_000
DEDUPLICATION_WINDOW_NS = 150_000_000
NETWORK_DELAY_NS = (40_000_000, 120_000_000)
LONGEST_WAIT_NS = 300 * NS_PER_S
WINDOWS_NS = 2_200_000_000
"""Until both receive windows are over."""
BANDS = [band(frequency_hz) for frequency_hz in CHANNELS_HZ]
IN_BAND = [[number for number, of_band in enumerate(BANDS) if of_band == wanted] for wanted in range(2)]


class Transmitter:
    """One device's radio. A frame waits until the one before is over and while its sub-band has no airtime left."""

    __slots__ = ("_duty", "_free_ns", "_link", "_rng")

    def __init__(self, rng: Random, link: Link) -> None:
        self._rng = rng
        self._link = link
        self._duty = DutyCycle()
        self._free_ns = 0

    def fly(self, size: int, time_ns: int, spreading_factor: int) -> Flight | None:
        """A frame of so many bytes on its way; None when it would have to wait for more than five minutes."""
        flight = self._planned(size, max(time_ns, self._free_ns), spreading_factor)
        if flight.start_ns - time_ns > LONGEST_WAIT_NS:
            return None
        self._duty.take(BANDS[flight.air.channel], flight.airtime_ns, flight.start_ns)
        self._free_ns = flight.start_ns + flight.airtime_ns + WINDOWS_NS
        return flight

    def copies(self, flight: Flight) -> tuple[Copy, ...]:
        """What gateways deliver; a slow backhaul comes within the network server's window."""
        rng = self._rng
        taken = flight.start_ns + flight.airtime_ns + between(rng, *NETWORK_DELAY_NS)
        return tuple(
            Copy(
                heard.gateway,
                rng.getrandbits(32),
                taken + (between(rng, 0, DEDUPLICATION_WINDOW_NS) if number else 0),
                heard.rssi,
                heard.snr,
                flight.air.channel,
            )
            for number, heard in enumerate(flight.air.heard)
        )

    def _planned(self, size: int, now_ns: int, spreading_factor: int) -> Flight:
        """On any channel now, or on one of the other sub-band, or later."""
        factor = fitting(spreading_factor, size)
        airtime = airtime_ns(size, factor)
        air = self._link.send(factor)
        mine = BANDS[air.channel]
        start_ns = self._duty.free_ns(mine, airtime, now_ns)
        if start_ns > now_ns:
            other_ns = self._duty.free_ns(1 - mine, airtime, now_ns)
            if other_ns < start_ns:
                start_ns, air = other_ns, self._link.send(factor, self._rng.choice(IN_BAND[1 - mine]))
        return Flight(start_ns, airtime, air)


def between(rng: Random, low: int, high: int) -> int:
    """A whole number from low up to high; a third of what `randint` costs."""
    return low + int(rng.random() * (high - low))
