"""Which of a frame's places take the values of one time: the common half of the encoders of history frames."""

from collections.abc import Iterable
from typing import TypeVar

from decoders.error import EncodeError
from decoders.field import Given
from decoders.layout import Layout
from decoders.measurement import Measurement, Reading

Key = TypeVar("Key")


def written(places: Iterable[tuple[Key, Layout]], measurement: Measurement) -> tuple[list[tuple[Key, bytes]], Given]:
    """The values of a measurement, each with the key of its place, and what found none."""
    given = Given(measurement)
    values: list[tuple[Key, bytes]] = []
    for key, layout in places:
        if layout.carries(given):
            rest = given.copy()
            try:
                value = layout.write(rest)
            except EncodeError:
                continue
            values.append((key, value))
            given = rest
    return values, given


def values_of(places: Iterable[tuple[Key, Layout]], measurement: Measurement) -> list[tuple[Key, bytes]]:
    """All values of a measurement, each with the key of its place; EncodeError if one finds none."""
    values, rest = written(places, measurement)
    rest.refuse_rest()
    return values


def kept_in(places: Iterable[tuple[Key, Layout]], measurement: Measurement) -> tuple[Reading, ...]:
    """Those of its readings that find a place."""
    _, rest = written(places, measurement)
    return tuple(reading for reading in measurement.readings if (reading.quantity, reading.channel) not in rest.values)


def split(history: tuple[Measurement, ...], time_ms: int) -> tuple[Measurement | None, tuple[Measurement, ...]]:
    """The measurement of the present, if it is among them, and the earlier ones."""
    if history and history[0].time_ms == time_ms:
        return history[0], history[1:]
    return None, history
