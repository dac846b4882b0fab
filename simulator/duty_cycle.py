"""How long a device may send: time on air of its frames, and the share of time that each sub-band grants.

Source: time on air by Semtech AN1200.13, §4; sub-bands by ETSI EN 300 220-2 V3.2.1, annex B (bands L and M, 1 %,
observed over one hour); frame sizes by LoRaWAN 1.0.4, §4.
"""

from functools import lru_cache

from simulator.lorawan.region import LONGEST_PAYLOADS, SPREADING_FACTORS, airtime_s, data_rate

NS_PER_S = 1_000_000_000
OBSERVED_S = 3600
SHARE = 0.01
BURST_S = 6.0
LONGEST_FRAME_S = 3.0
REFILL = (SHARE * OBSERVED_S - BURST_S - LONGEST_FRAME_S) / OBSERVED_S
"""So much is granted back that no hour, wherever it begins, holds more than the share."""
FRAME_BYTES = 13
"""MHDR, DevAddr, FCtrl, FCnt, FPort and MIC around the payload."""
BAND_L, BAND_M = 0, 1
BAND_M_HZ = (868_000_000, 868_600_000)
FASTEST_FACTOR = SPREADING_FACTORS[-1]


@lru_cache(4096)
def airtime_ns(size: int, spreading_factor: int) -> int:
    """Ns on air of an uplink with a payload of so many bytes, at 125 kHz."""
    return round(airtime_s(size + FRAME_BYTES, spreading_factor) * NS_PER_S)


@lru_cache(4096)
def fitting(spreading_factor: int, size: int) -> int:
    """The spreading factor nearest to the wanted one at which a payload of so many bytes may be sent; at worst 7."""
    rates = range(data_rate(spreading_factor), len(SPREADING_FACTORS))
    return next((SPREADING_FACTORS[rate] for rate in rates if size <= LONGEST_PAYLOADS[rate]), FASTEST_FACTOR)


def band(frequency_hz: int) -> int:
    """The sub-band of one of EU868's usual channels."""
    return BAND_M if BAND_M_HZ[0] <= frequency_hz <= BAND_M_HZ[1] else BAND_L


class DutyCycle:
    """The airtime that one device has left, by sub-band: a bucket each that fills slowly. Times in ns."""

    __slots__ = ("_at_ns", "_left_s")

    def __init__(self) -> None:
        self._left_s = [BURST_S, BURST_S]
        self._at_ns = [0, 0]

    def free_ns(self, of_band: int, airtime: int, now_ns: int) -> int:
        """When a frame of that length may begin: now, or later."""
        missing = airtime / NS_PER_S - self._left(of_band, now_ns)
        return now_ns if missing <= 0 else now_ns + int(missing / REFILL * NS_PER_S) + 1

    def take(self, of_band: int, airtime: int, start_ns: int) -> None:
        """A frame of that length begins then."""
        self._left_s[of_band] = self._left(of_band, start_ns) - airtime / NS_PER_S
        self._at_ns[of_band] = start_ns

    def _left(self, of_band: int, now_ns: int) -> float:
        since_s = (now_ns - self._at_ns[of_band]) / NS_PER_S
        return min(BURST_S, self._left_s[of_band] + since_s * REFILL)
