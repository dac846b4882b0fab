"""What a codec makes of a payload."""

from collections.abc import Mapping
from typing import NamedTuple

from decoders.quantity import Quantity

NO_ATTRIBUTES: Mapping[str, str] = {}


class Reading(NamedTuple):
    """One value in the quantity's unit; `channel` tells apart a quantity that occurs several times."""

    quantity: Quantity
    value: float
    channel: str = ""


class Measurement(NamedTuple):
    """The readings of a device at one instant (milliseconds since 1970, UTC).

    `attributes` is what the device says of itself in words: firmware version, serial number, reason of a restart.
    """

    time_ms: int
    readings: tuple[Reading, ...]
    attributes: Mapping[str, str] = NO_ATTRIBUTES
