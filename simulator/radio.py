"""The air between devices and gateways: who hears an uplink, how well, and at which spreading factor it is sent.

Path loss by Hata's formula for suburbs (868 MHz), a fixed shadow of each path, fading with each uplink;
spreading factor by ADR with 10 dB margin; demodulation limits as in Semtech's SX1276 data sheet, table 13.
"""

import math
from random import Random
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
COLLISION = 0.01
SHORTEST_KM = 0.05
KM_PER_DEGREE = 111.2
LIMITS_DB = {7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}
SLOWEST = 12
CHANNELS_HZ = (868_100_000, 868_300_000, 868_500_000, 867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000)


class Gateway(NamedTuple):
    """A gateway: position in degrees, antenna in m above ground."""

    gateway_id: str
    latitude: float
    longitude: float
    height_m: float


class Heard(NamedTuple):
    """One gateway's copy: RSSI in dBm, SNR in dB (quarters)."""

    gateway: Gateway
    rssi: int
    snr: float


class Transmission(NamedTuple):
    """One uplink on the air; nobody heard it when `heard` is empty."""

    frequency_hz: int
    channel: int
    spreading_factor: int
    heard: tuple[Heard, ...]


def hata_db(distance_km: float, gateway_height_m: float) -> float:
    """Median path loss in dB: a medium city, less the correction for suburbs, as low-rise towns are."""
    log_f, log_h = math.log10(FREQUENCY_MHZ), math.log10(gateway_height_m)
    device = (1.1 * log_f - 0.7) * DEVICE_HEIGHT_M - (1.56 * log_f - 0.8)
    slope = 44.9 - 6.55 * log_h
    suburb = 2 * math.log10(FREQUENCY_MHZ / 28) ** 2 + 5.4
    return 69.55 + 26.16 * log_f - 13.82 * log_h - device - suburb + slope * math.log10(max(SHORTEST_KM, distance_km))


class Link:
    """One device's paths to all gateways."""

    def __init__(
        self, rng: Random, gateways: tuple[Gateway, ...], latitude: float, longitude: float, extra_loss_db: float
    ) -> None:
        self._rng = rng
        self._levels = [
            (
                gateway,
                TRANSMIT_DBM
                - hata_db(_distance_km(gateway, latitude, longitude), gateway.height_m)
                - extra_loss_db
                + rng.gauss(0, SHADOW_DB),
            )
            for gateway in gateways
        ]
        best = max((level for _, level in self._levels), default=-math.inf) - NOISE_DBM
        fitting = (factor for factor, limit in LIMITS_DB.items() if best - ADR_MARGIN_DB >= limit)
        self.spreading_factor = next(fitting, SLOWEST)
        self._limit = LIMITS_DB[self.spreading_factor]

    def send(self) -> Transmission:
        """One uplink on a random channel; collisions and fading decide who hears it."""
        rng = self._rng
        channel = rng.randrange(len(CHANNELS_HZ))
        heard = []
        for gateway, level in self._levels:
            faded = level + rng.gauss(0, FADING_DB)
            if faded - NOISE_DBM >= self._limit and rng.random() >= COLLISION:
                heard.append(Heard(gateway, round(_received_dbm(faded)), _snr(faded)))
        return Transmission(CHANNELS_HZ[channel], channel, self.spreading_factor, tuple(heard))


def _received_dbm(level: float) -> float:
    """What the gateway shows: signal and noise together."""
    return 10 * math.log10(10 ** (level / 10) + 10 ** (NOISE_DBM / 10))


def _snr(level: float) -> float:
    return round(min(HIGHEST_SNR_DB, level - NOISE_DBM) * SNR_STEPS_PER_DB) / SNR_STEPS_PER_DB


def _distance_km(gateway: Gateway, latitude: float, longitude: float) -> float:
    east = (longitude - gateway.longitude) * KM_PER_DEGREE * math.cos(math.radians(latitude))
    return math.hypot(east, (latitude - gateway.latitude) * KM_PER_DEGREE)
