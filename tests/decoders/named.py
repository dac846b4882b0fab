"""Decoding for tests: readings by their name, as the notes of vectors write it."""

from decoders.catalog import codec
from decoders.measurement import Measurement

NOW_MS = 1_800_000_000_000


def decode(codec_id: str, f_port: int, payload: str, **figures: float) -> tuple[Measurement, ...]:
    """The measurements of a payload in hexadecimal digits, with the device's figures."""
    return codec(codec_id).decode(f_port, bytes.fromhex(payload), NOW_MS, figures)


def named(codec_id: str, f_port: int, payload: str, **figures: float) -> dict[str, float]:
    """The readings of a payload with one measurement: `quantity` or `quantity.channel` and value."""
    (measurement,) = decode(codec_id, f_port, payload, **figures)
    return by_name(measurement)


def by_name(measurement: Measurement) -> dict[str, float]:
    """The readings of a measurement: `quantity` or `quantity.channel` and value."""
    return {
        f"{item.quantity.field}.{item.channel}" if item.channel else item.quantity.field: item.value
        for item in measurement.readings
    }
