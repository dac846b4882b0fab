"""What frames of typed values share: the table (type → parts of the value), encoding, the values of one time."""

from collections.abc import Iterable, Mapping

from decoders.codec import CodecField
from decoders.error import DecodeError, EncodeError, MalformedPayload
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

        A value that does not fit one type is left to later ones (millimetres, then centimetres), and so is one that it
        would round, if nothing is rounded then.
        """
        reasons, rounded = [], None
        for patience in (False, True):
            try:
                payload, exact = self._written(Given(measurement), patience=patience)
            except EncodeError as error:
                reasons.append(error)
                continue
            if exact:
                return payload
            rounded = rounded or payload
        if rounded is None:
            raise reasons[0]
        return rounded

    def _written(self, given: Given, *, patience: bool) -> tuple[bytes, bool]:
        """The frame, and whether it rounds nothing; with `patience` a type that rounds has to wait for all others."""
        chosen: dict[tuple[int, int], bytes] = {}
        misfit: EncodeError | None = None
        exact = True
        places = [(place, layout) for place, layout in self._places() if layout.carries(given)]
        for rounding in (False, True) if patience else (True,):
            for place, layout in places:
                if place not in chosen and layout.carries(given):
                    rest = given.copy()
                    try:
                        value = layout.write(rest)
                        means = _means(layout, value, given, rest)
                    except (DecodeError, EncodeError) as error:
                        misfit = EncodeError(str(error))
                        continue
                    if means or rounding:
                        chosen[place], given = value, rest
                        exact = exact and means
        if misfit and given.left():
            raise misfit
        given.refuse_rest()
        return self._joined(chosen), exact

    def fields(self) -> tuple[CodecField, ...]:
        """What the table's values carry."""
        return tuple(field for layouts in self._items.values() for layout in layouts for field in layout.fields())

    def _places(self) -> Iterable[tuple[tuple[int, int], Layout]]:
        """Every layout of the table with its type and occurrence."""
        for key, layouts in self._items.items():
            for occurrence, layout in enumerate(layouts):
                yield (key, occurrence), layout

    def _joined(self, chosen: Mapping[tuple[int, int], bytes]) -> bytes:
        """The values one after the other; EncodeError for an occurrence of a type without the one before it."""
        payload = b""
        for place, _ in self._places():
            value = chosen.get(place)
            if value is not None:
                key, occurrence = place
                if occurrence and (key, occurrence - 1) not in chosen:
                    raise EncodeError(f"type {key:#04x} cannot come for the {occurrence + 1}. time before the others")
                payload += self._header(key, len(value)) + value
        if not payload:
            raise EncodeError("nothing to send")
        return payload

    def _header(self, key: int, size: int) -> bytes:
        raise NotImplementedError


def _means(layout: Layout, value: bytes, given: Given, rest: Given) -> bool:
    """Whether a value means what was taken out of `given` to write it; EncodeError if it means other things."""
    readings: list[Reading] = []
    attributes: dict[str, str] = {}
    layout.read(value, 0, readings, attributes)
    found = {(reading.quantity, reading.channel): reading.value for reading in readings}
    numbers = {place: number for place, number in given.values.items() if place not in rest.values}
    words = {name: text for name, text in given.attributes.items() if name not in rest.attributes}
    if found.keys() != numbers.keys():
        raise EncodeError(f"{value.hex()} would mean something else")
    return found == numbers and words.items() <= attributes.items()


def layouts_of(order: Order, item: Item) -> Iterable[Layout]:
    """The layouts of a table's value, one for each of its occurrences."""
    if isinstance(item, Layout):
        return [item]
    if isinstance(item, list):
        return [Layout(order, part) for part in item]
    return [Layout(order, *item) if isinstance(item, tuple) else Layout(order, item)]
