"""EU868: channels, data rates, receive windows, time on air.

Source: LoRaWAN regional parameters RP002-1.0.4, §2.5 (EU863-870); time on air by Semtech AN1200.13, §4.
"""

import math
from typing import NamedTuple

BANDWIDTH_HZ = 125_000
SPREADING_FACTORS = (12, 11, 10, 9, 8, 7)
"""By data rate 0…5; 6 (250 kHz) and 7 (FSK) are optional, and these devices do not have them."""
LONGEST_PAYLOADS = (51, 51, 51, 115, 222, 222)
"""Bytes of payload and options together, by data rate."""
FASTEST = len(SPREADING_FACTORS) - 1
STRONGEST, WEAKEST = 0, 7
DEFAULT_CHANNELS_HZ = (868_100_000, 868_300_000, 868_500_000)
LOWEST_HZ, HIGHEST_HZ = 863_000_000, 870_000_000
MOST_CHANNELS = 16
RX2_HZ = 869_525_000
RX2_DATA_RATE = 0
HIGHEST_RX1_OFFSET = 5
RX1_DELAY_S = 1
JOIN_RX1_DELAY_S = 5
RX2_AFTER_RX1_S = 1
PREAMBLE = 8
LOW_DATA_RATE_FROM = 11
HEADER_AND_CRC = 28 + 16
CODE_RATE = 1


class Tuned(NamedTuple):
    """Where a receiver listens or a sender sends: frequency in Hz, spreading factor; the bandwidth is 125 kHz."""

    frequency_hz: int
    spreading_factor: int


def data_rate(spreading_factor: int) -> int:
    """The data rate with this spreading factor at 125 kHz."""
    return SPREADING_FACTORS.index(spreading_factor)


def fitting(wanted: int, size: int) -> int:
    """The data rate nearest to the wanted one at which so many bytes fit; the fastest where none does."""
    rates = range(wanted, FASTEST + 1)
    return next((rate for rate in rates if LONGEST_PAYLOADS[rate] >= size), FASTEST)


def usable(frequency_hz: int) -> bool:
    """Whether the band has this frequency."""
    return LOWEST_HZ <= frequency_hz <= HIGHEST_HZ


def airtime_s(size: int, spreading_factor: int) -> float:
    """Seconds on air of a PHYPayload of so many bytes: 125 kHz, 4/5, header, CRC."""
    symbol_s = (1 << spreading_factor) / BANDWIDTH_HZ
    slow = spreading_factor >= LOW_DATA_RATE_FROM
    bits = 8 * size - 4 * spreading_factor + HEADER_AND_CRC
    blocks = max(0, math.ceil(bits / (4 * (spreading_factor - 2 * slow))))
    return (PREAMBLE + 4.25 + 8 + blocks * (CODE_RATE + 4)) * symbol_s
