"""What frames of typed values share: the table (type → parts of the value), encoding, the values of one time."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from decoders.codec import CodecField
from decoders.direct import Direct, Values, Words, Written, values_of
from decoders.error import DecodeError, EncodeError, MalformedPayload
from decoders.field import Given, Part, new_tuple
from decoders.layout import ORDER_NAMES, Layout, Order
from decoders.measurement import NO_ATTRIBUTES, Measurement, Place, Reading

Item = Part | tuple[Part, ...] | list[Part] | Layout
Table = Mapping[int, Item]
KEPT_PLANS = 256


class Step(NamedTuple):
    """One type of the table and occurrence of it, by the order in which they are sent, with its header."""

    order: int
    header: bytes
    layout: Layout


class Plan(NamedTuple):
    """What carries readings of certain places while all fit: types one after the other, of each the ways to send it.

    `tangled` if there are still others, which carry some of the places together or apart.
    """

    types: tuple[tuple[Step, ...], ...]
    tangled: bool


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
        last: dict[Place, float] = {}
        for quantity, value, channel in self.readings:
            last[quantity, channel] = value
        return Measurement((time_ms, tuple(last), tuple(last.values()), self.attributes or NO_ATTRIBUTES))


class Typed(Direct):
    """What the families share: the table, encoding, and what can be carried.

    A value of the table is a part, a tuple of parts, a layout, or a list: the meanings of a type's first, second …
    occurrence.
    """

    __slots__ = ("_items", "_order", "_plans")
    MADE_LATER = frozenset({"_plans"})
    """What was asked for is no part of the table."""

    def __init__(self, order: Order, table: Table) -> None:
        self._order = ORDER_NAMES[order]
        self._items = {key: tuple(layouts_of(order, item)) for key, item in table.items()}
        self._plans: dict[tuple[Place, ...], Plan | None] = {}

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """The frame that carries the whole measurement, in the order of the table, or EncodeError.

        A value that does not fit one type is left to later ones (millimetres, then centimetres), and so is one that it
        would round, if nothing is rounded then.
        """
        found = self.written(values_of(measurement.readings), measurement.attributes, parameters)
        if found is not None:
            return found.payload
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

    def written(self, values: Values, words: Words, parameters: Mapping[str, float]) -> Written | None:  # noqa: ARG002 - a Frame's figures
        """The frame if its types are told by the places alone; None where it does not fit, or has to be tried."""
        plan = None if words else self._plan(tuple(values))
        if plan is None:
            return None
        payload = b""
        for steps in plan.types:
            found = steps[0].layout.part(values, words)
            if found is None or not found.exact:
                return None if plan.tangled else _fitting(plan.types, values)
            payload += steps[0].header + found[0]
        return new_tuple(Written, (payload, True, len(values)))

    def has_places(self, places: Collection[Place]) -> bool:
        """Whether readings of just these places could be carried, whatever their values are."""
        found = [layout.places for _, layout in self._places() if layout.places.needed.issubset(places)]
        return bool(found) and not set(places).difference(*(there.all for there in found))

    def _plan(self, places: tuple[Place, ...]) -> Plan | None:
        """Kept by the places, of which devices have few."""
        if places not in self._plans:
            if len(self._plans) >= KEPT_PLANS:
                self._plans.clear()
            self._plans[places] = self._planned(frozenset(places))
        return self._plans[places]

    def _planned(self, places: frozenset[Place]) -> Plan | None:
        """None if there is nothing for one of the places, or that depends on the values."""
        types: dict[frozenset[Place], list[Step]] = {}
        left, tangled = places, False
        for order, ((key, occurrence), layout) in enumerate(self._places()):
            there = layout.places
            mine = there.all & places
            if not mine or not there.needed <= places:
                continue
            if occurrence or (not mine <= left and mine not in types and there.needed <= left and mine & left):
                return None
            if mine <= left or mine in types:
                types.setdefault(mine, []).append(Step(order, self._header(key, layout.size), layout))
                left -= mine
            else:
                tangled = True
        return Plan(tuple(tuple(steps) for steps in types.values()), tangled) if types and not left else None

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


def _fitting(types: Sequence[Sequence[Step]], values: Values) -> Written | None:
    """Of each type the first way that rounds nothing; if that cannot be, of each the first way that there is."""
    fitting, exact = [], []
    for steps in types:
        tried = [(step, found) for step in steps if (found := step.layout.part(values, {})) is not None]
        if not tried:
            return None
        fitting.append(tried[0])
        exact += [each for each in tried if each[1].exact][:1]
    whole = len(exact) == len(types)
    chosen = sorted(exact if whole else fitting, key=lambda each: each[0].order)
    payload = b"".join(step.header + found.payload for step, found in chosen)
    return Written(payload, whole, len(values))


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
