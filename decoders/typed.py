"""What frames of typed values share: the table (type → parts of the value), encoding, the values of one time."""

from collections.abc import Iterable, Mapping

from decoders.codec import CodecField
from decoders.error import EncodeError, MalformedPayload
from decoders.field import Given, Part, new_tuple
from decoders.layout import ORDER_NAMES, Layout, Order
from decoders.measurement import NO_ATTRIBUTES, Measurement, Reading

Item = Part | tuple[Part, ...] | list[Part] | Layout
Table = Mapping[int, Item]


class Moment:
    """The values of one time, while a frame is being read."""

    __slots__ = ("attributes", "counts", "readings", "unix")

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.attributes: dict[str, str] = {}
        self.counts: dict[int, int] = {}
        self.unix = 0

    def repeated(self, key: int, layouts: tuple[Layout, ...]) -> Layout:
        """The layout of the next value of a type that may come several times."""
        count = self.counts.get(key, 0)
        if count == len(layouts):
            raise MalformedPayload(f"type {key:#04x} comes more than {count} times")
        self.counts[key] = count + 1
        return layouts[count]

    def measurement(self, time_ms: int) -> Measurement:
        """The measurement of this time; of two readings of one quantity and channel the later one."""
        readings = self.readings
        if len(readings) > 1 and len({(reading[0], reading[2]) for reading in readings}) < len(readings):
            readings = list({(reading[0], reading[2]): reading for reading in readings}.values())
        return new_tuple(Measurement, (time_ms, tuple(readings), self.attributes or NO_ATTRIBUTES))


class Typed:
    """What the families share: the table, encoding, and what can be carried.

    A value of the table is a part, a tuple of parts, a layout, or a list: the meanings of a type's first, second …
    occurrence.
    """

    __slots__ = ("_items", "_order")

    def __init__(self, order: Order, table: Table) -> None:
        self._order = ORDER_NAMES[order]
        self._items = {key: tuple(layouts_of(order, item)) for key, item in table.items()}

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """The frame that carries the whole measurement, in the order of the table, or EncodeError.

        A value that does not fit one type is left to later ones (millimetres, then centimetres).
        """
        given = Given(measurement)
        payload, misfit = b"", None
        for key, layouts in self._items.items():
            for layout in layouts:
                if layout.carries(given):
                    rest = given.copy()
                    try:
                        payload += self._header(key, layout.size) + layout.write(rest)
                    except EncodeError as error:
                        misfit = error
                    else:
                        given = rest
        if misfit and given.left():
            raise misfit
        given.refuse_rest()
        if not payload:
            raise EncodeError("nothing to send")
        return payload

    def fields(self) -> tuple[CodecField, ...]:
        """What the table's values carry."""
        return tuple(field for layouts in self._items.values() for layout in layouts for field in layout.fields())

    def _header(self, key: int, size: int) -> bytes:
        raise NotImplementedError


def layouts_of(order: Order, item: Item) -> Iterable[Layout]:
    """The layouts of a table's value, one for each of its occurrences."""
    if isinstance(item, Layout):
        return [item]
    if isinstance(item, list):
        return [Layout(order, part) for part in item]
    return [Layout(order, *item) if isinstance(item, tuple) else Layout(order, item)]
