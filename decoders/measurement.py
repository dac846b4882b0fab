"""What a codec makes of a payload."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from decoders.quantity import Quantity

NO_ATTRIBUTES: Mapping[str, str] = {}
Place = tuple[Quantity, str]
"""A quantity, and the channel that tells apart one that occurs several times."""
Places = tuple[Place, ...]
Values = tuple[float, ...]
# NamedTuple's own constructor costs twice this one, and there is one call a reading.
new_tuple = tuple.__new__


class Reading(NamedTuple):
    """One value in the quantity's unit; `channel` tells apart a quantity that occurs several times."""

    quantity: Quantity
    value: float
    channel: str = ""


class _Columns(NamedTuple):
    time_ms: int
    places: Places
    values: Values
    attributes: Mapping[str, str]


class Measurement(tuple[int, Places, Values, Mapping[str, str]]):
    """What a device says of one instant: time (milliseconds since 1970, UTC), places, values, attributes.

    `values[i]` stands at `places[i]`: frames have the same places time and again, so that only the values are made
    anew. Who has readings takes `of`; the constructor takes the four as one tuple. `attributes` is what the device
    says of itself in words: firmware version, serial number, reason of a restart.
    """

    __slots__ = ()
    # Read as in a named tuple, but without its constructor, which costs twice a tuple's.
    time_ms = _Columns.time_ms
    places = _Columns.places
    values = _Columns.values
    attributes = _Columns.attributes

    @classmethod
    def of(
        cls, time_ms: int, readings: Iterable[Reading], attributes: Mapping[str, str] = NO_ATTRIBUTES
    ) -> "Measurement":
        """These readings as a measurement."""
        places: list[Place] = []
        values: list[float] = []
        for quantity, value, channel in readings:
            places.append((quantity, channel))
            values.append(value)
        return cls((time_ms, tuple(places), tuple(values), attributes))

    def pairs(self) -> "zip[tuple[Place, float]]":
        """Each place with its value."""
        return zip(self[1], self[2])  # noqa: B905 - `strict` costs as much as two values

    @property
    def readings(self) -> tuple[Reading, ...]:
        """Places and values together, made anew each time."""
        found: list[Reading] = []
        for place, value in zip(self[1], self[2]):  # noqa: B905 - `strict` costs as much as two readings
            found.append(new_tuple(Reading, (place[0], value, place[1])))
        return tuple(found)

    def _replace(
        self,
        *,
        time_ms: int | None = None,
        readings: Iterable[Reading] | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> "Measurement":
        """The same with other parts, as named tuples have it."""
        then_ms = self[0] if time_ms is None else time_ms
        said = self[3] if attributes is None else attributes
        if readings is None:
            return Measurement((then_ms, self[1], self[2], said))
        return Measurement.of(then_ms, readings, said)

    def __repr__(self) -> str:
        return f"Measurement(time_ms={self[0]}, readings={self.readings}, attributes={self[3]})"


def same_places(found: Sequence[Measurement], wanted: Measurement) -> bool:
    """Whether one measurement was found, with readings of just the quantities and channels that are wanted."""
    return len(found) == 1 and set(found[0].places) == set(wanted.places)


def same(found: Sequence[Measurement], wanted: Measurement) -> bool:
    """Whether one measurement was found, with just the readings and at least the attributes that are wanted."""
    return (
        len(found) == 1
        and set(found[0].readings) == set(wanted.readings)
        and wanted.attributes.items() <= found[0].attributes.items()
    )
