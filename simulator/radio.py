"""The air between devices and gateways: who hears an uplink, how well, and at which spreading factor it is sent.

Path loss by Hata's formula for suburbs (868 MHz), a fixed shadow of each path, fading with each uplink;
demodulation limits as in Semtech's SX1276 data sheet, table 13. ADR as ChirpStack's default algorithm does it (best
SNR of 20 uplinks, 10 dB margin, steps of 3 dB: faster first, then weaker); as LoRaWAN 1.0.4, §4.3.1.1, has it, a device
that is no longer answered comes back (stronger first, then slower).
"""

import math
from functools import lru_cache
from random import Random
from statistics import NormalDist
from typing import NamedTuple

FREQUENCY_MHZ = 868.0
DEVICE_HEIGHT_M = 1.5
TRANSMIT_DBM = 16.0
NOISE_DBM = -117.0
HIGHEST_SNR_DB = 13.0
SNR_STEPS_PER_DB = 4
ADR_MARGIN_DB = 10.0
SHADOW_DB = 6.0
FADING_DB = 3.0
ADR_HISTORY = 20
ADR_STEP_DB = 3.0
ADR_UNANSWERED = 96
ADR_RETRY = 32
POWER_STEP_DB = 2
MOST_POWER_STEPS = 7
SHORTEST_KM = 0.05
KM_PER_DEGREE = 111.2
FADINGS = 1024
FADINGS_DB = tuple(NormalDist(0, FADING_DB).inv_cdf((number + 0.5) / FADINGS) for number in range(FADINGS))
"""Fading in so many steps of equal probability: a draw is one look-up."""
LIMITS_DB = {7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}
SLOWEST, FASTEST = 12, 7
CHANNELS_HZ = (868_100_000, 868_300_000, 868_500_000, 867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000)


class Gateway(NamedTuple):
    """A gateway: position in degrees, antenna in m above ground."""

    gateway_id: str
    latitude: float
    longitude: float
    height_m: float


class Heard(NamedTuple):
    """One gateway's copy: RSSI in dBm, SNR in dB (quarters), the gateway's number in the city."""

    gateway: Gateway
    rssi: int
    snr: float
    number: int = 0


class Transmission(NamedTuple):
    """One uplink on the air; `heard` says by whom. `levels` in dBm at all gateways, by their number."""

    frequency_hz: int
    channel: int
    spreading_factor: int
    heard: tuple[Heard, ...]
    levels: tuple[float, ...] = ()


def hata_db(distance_km: float, gateway_height_m: float) -> float:
    """Median path loss in dB: a medium city, less the correction for suburbs, as low-rise towns are."""
    log_f, log_h = math.log10(FREQUENCY_MHZ), math.log10(gateway_height_m)
    device = (1.1 * log_f - 0.7) * DEVICE_HEIGHT_M - (1.56 * log_f - 0.8)
    slope = 44.9 - 6.55 * log_h
    suburb = 2 * math.log10(FREQUENCY_MHZ / 28) ** 2 + 5.4
    return 69.55 + 26.16 * log_f - 13.82 * log_h - device - suburb + slope * math.log10(max(SHORTEST_KM, distance_km))


class Link:
    """One device's paths to all gateways, and what ADR has made of them."""

    __slots__ = ("_best_snr", "_gateways", "_heard", "_levels", "_rng", "_unheard", "power_steps", "spreading_factor")

    def __init__(
        self, rng: Random, gateways: tuple[Gateway, ...], latitude: float, longitude: float, extra_loss_db: float
    ) -> None:
        self._rng = rng
        self._gateways = gateways
        self._levels = tuple(
            TRANSMIT_DBM
            - hata_db(_distance_km(gateway, latitude, longitude), gateway.height_m)
            - extra_loss_db
            + rng.gauss(0, SHADOW_DB)
            for gateway in gateways
        )
        best = max(self._levels, default=-math.inf) - NOISE_DBM
        fitting = (factor for factor, limit in LIMITS_DB.items() if best - ADR_MARGIN_DB >= limit)
        self.spreading_factor = next(fitting, SLOWEST)
        self.power_steps = 0
        self._heard = self._unheard = 0
        self._best_snr = -math.inf

    def send(self, spreading_factor: int | None = None, channel: int | None = None) -> Transmission:
        """One uplink on a random channel; fading decides who could hear it."""
        rng = self._rng
        factor = spreading_factor or self.spreading_factor
        number = int(rng.random() * len(CHANNELS_HZ)) if channel is None else channel
        limit = LIMITS_DB[factor] + NOISE_DBM
        power = self.power_steps * POWER_STEP_DB
        levels = tuple([level - power + FADINGS_DB[int(rng.random() * FADINGS)] for level in self._levels])
        heard = tuple(
            [
                Heard(self._gateways[index], *_shown(round((level - NOISE_DBM) * SNR_STEPS_PER_DB)), index)
                for index, level in enumerate(levels)
                if level >= limit
            ]
        )
        return Transmission(CHANNELS_HZ[number], number, factor, heard, levels)

    def answered(self, best_snr: float) -> None:
        """The network server has an uplink, at best with this SNR; it looks again with every 20th."""
        self._unheard = 0
        self._heard += 1
        self._best_snr = max(self._best_snr, best_snr)
        if self._heard < ADR_HISTORY:
            return
        spare = self._best_snr - LIMITS_DB[self.spreading_factor] - ADR_MARGIN_DB
        self._heard, self._best_snr = 0, -math.inf
        self._adapt(math.floor(spare / ADR_STEP_DB))

    def missed(self) -> None:
        """Nobody has an uplink. Who is not answered for long sends stronger, then slower."""
        self._unheard += 1
        if self._unheard < ADR_UNANSWERED:
            return
        self._unheard -= ADR_RETRY
        if self.power_steps:
            self.power_steps = 0
        else:
            self.spreading_factor = min(SLOWEST, self.spreading_factor + 1)

    def _adapt(self, steps: int) -> None:
        faster = min(max(0, steps), self.spreading_factor - FASTEST)
        self.spreading_factor -= faster
        self.power_steps = min(MOST_POWER_STEPS, max(0, self.power_steps + steps - faster))


@lru_cache(1024)
def _shown(quarters: int) -> tuple[int, float]:
    """What a gateway shows of a signal so many quarters of a dB above the noise: RSSI of both together, and SNR."""
    above_db = quarters / SNR_STEPS_PER_DB
    both_dbm = NOISE_DBM + 10 * math.log10(10 ** (above_db / 10) + 1)
    return round(both_dbm), min(HIGHEST_SNR_DB, above_db)


def _distance_km(gateway: Gateway, latitude: float, longitude: float) -> float:
    east = (longitude - gateway.longitude) * KM_PER_DEGREE * math.cos(math.radians(latitude))
    return math.hypot(east, (latitude - gateway.latitude) * KM_PER_DEGREE)
