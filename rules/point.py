"""One point of the time series: Influx measurement, tags, fields, time."""

from typing import NamedTuple

from decoders.quantity import Privacy


class Point(NamedTuple):
    """Fields are floats (flags 0/1); text only in the Influx measurement `event`. Time in ms since 1970 (UTC)."""

    measurement: str
    tags: tuple[tuple[str, str], ...]
    fields: tuple[tuple[str, float | str], ...]
    time_ms: int
    privacy: Privacy = Privacy.OPEN
