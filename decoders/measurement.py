"""What a codec makes of a payload."""

from collections.abc import Mapping, Sequence
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


def same_places(found: Sequence[Measurement], wanted: Measurement) -> bool:
    """Whether one measurement was found, with readings of just the quantities and channels that are wanted."""
    return len(found) == 1 and _places(found[0]) == _places(wanted)


def same(found: Sequence[Measurement], wanted: Measurement) -> bool:
    """Whether one measurement was found, with just the readings and at least the attributes that are wanted."""
    return (
        len(found) == 1
        and set(found[0].readings) == set(wanted.readings)
        and wanted.attributes.items() <= found[0].attributes.items()
    )


def _places(measurement: Measurement) -> set[tuple[Quantity, str]]:
    return {(reading.quantity, reading.channel) for reading in measurement.readings}
