"""What every measurement that came out of an object promises."""

import math
import re

from decoders.measurement import Measurement
from decoders.quantity import Quantity

CHANNEL = re.compile(r"[a-z0-9_]*")


def check_mapped(measurement: Measurement) -> None:
    """Finite numbers, each quantity and channel once, channels that can be tags."""
    places = [(reading.quantity, reading.channel) for reading in measurement.readings]
    assert places
    assert len(set(places)) == len(places)
    for quantity, value, channel in measurement.readings:
        assert isinstance(quantity, Quantity)
        assert type(value) is float
        assert math.isfinite(value)
        assert CHANNEL.fullmatch(channel)
