"""Frames of typed values one after the other, as tables: type → parts of the value.

Three families of them: one type byte that also says how old the value is (ELSYS), channel id and channel type
(Milesight, Cayenne), and a length before a two byte id (WILSEN). Values of an earlier time become measurements of
their own, newest first. Where a quantity and channel come twice at one time, the later value holds.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from decoders.codec import CodecField
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.field import Given, Part, new_tuple
from decoders.layout import ORDER_NAMES, Layout, Order
from decoders.measurement import NO_ATTRIBUTES, Measurement, Reading

Item = Part | tuple[Part, ...] | list[Part]
Table = Mapping[int, Item]

TYPE_BITS = 0x3F
OFFSET_SHIFT = 6
MS_PER_S = 1000
UNIX_BYTES = 4
ID_BYTES = 2


class _Moment:
    """The values of one time, while a frame is being read."""

    __slots__ = ("attributes", "counts", "readings")

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.attributes: dict[str, str] = {}
        self.counts: dict[int, int] = {}

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


class _Typed:
    """What all three families share: the table, encoding, and what can be carried.

    A value of the table is a part, a tuple of parts, or a list: the meanings of a type's first, second … occurrence.
    """

    __slots__ = ("_items", "_order")

    def __init__(self, order: Order, table: Table) -> None:
        self._order = ORDER_NAMES[order]
        self._items = {key: tuple(_layouts(order, item)) for key, item in table.items()}

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


class OffsetTlv(_Typed):
    """One type byte, then the value; the byte's two upper bits count extra bytes behind the value.

    Those hold the value's age in seconds, and its reading belongs to a measurement of that time. `stop` are types
    after which nothing can be read. An unknown type ends the frame, too, since nothing tells its length: what came
    before it holds; as the first type it is MalformedPayload.
    """

    __slots__ = ("_stop",)

    def __init__(self, order: Order, table: Table, stop: Iterable[int] = ()) -> None:
        super().__init__(order, table)
        self._stop = frozenset(stop)

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """The measurement of now, then those of earlier times."""
        at, end = 0, len(payload)
        items = self._items
        now = _Moment()
        moments = {0: now}
        while at < end:
            key = payload[at]
            layouts = items.get(key & TYPE_BITS)
            if layouts is None:
                self._check_end(key, at)
                break
            behind = at + 1 + layouts[0].size
            following = behind + (key >> OFFSET_SHIFT)
            if following > end:
                raise WrongLength(f"type {key:#04x} at byte {at} ends at byte {following}; the payload at {end}")
            moment = now
            if key > TYPE_BITS:
                age_s = int.from_bytes(payload[behind:following], self._order)
                moment = moments.setdefault(age_s, _Moment()) if age_s else now
            layout = layouts[0] if len(layouts) == 1 else moment.repeated(key & TYPE_BITS, layouts)
            layout.read(payload, at + 1, moment.readings, moment.attributes)
            at = following
        if not end:
            raise WrongLength("the payload is empty")
        return _measurements(moments, time_ms)

    def _check_end(self, key: int, at: int) -> None:
        if at == 0 and key & TYPE_BITS not in self._stop:
            raise MalformedPayload(f"unknown type {key & TYPE_BITS:#04x} at byte 0")

    def _header(self, key: int, size: int) -> bytes:  # noqa: ARG002 - the family's signature
        return bytes((key,))


class ChannelTlv(_Typed):
    """A type of one or two bytes, then the value. An unknown type is MalformedPayload: nothing tells its length.

    `history` are types whose value is a Unix time in seconds and a record of that time.
    """

    __slots__ = ("_history", "_type_bytes")

    def __init__(
        self, order: Order, table: Table, *, history: Table | None = None, type_bytes: Literal[1, 2] = 2
    ) -> None:
        super().__init__(order, table)
        self._type_bytes = type_bytes
        self._history = {key: next(iter(_layouts(order, item))) for key, item in (history or {}).items()}

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """The measurement of now, then the records, newest first."""
        at, end, width = 0, len(payload), self._type_bytes
        items = self._items
        now = _Moment()
        records: dict[int, _Moment] = {}
        while at < end:
            value = at + width
            key = payload[at] if width == 1 else int.from_bytes(payload[at:value], "big")
            layouts = items.get(key)
            if layouts is None:
                at = self._record(key, payload, value, records)
                continue
            at = value + layouts[0].size
            if at > end:
                raise WrongLength(f"type {key:#06x} ends at byte {at}; the payload at {end}")
            layout = layouts[0] if len(layouts) == 1 else now.repeated(key, layouts)
            layout.read(payload, value, now.readings, now.attributes)
        if not end:
            raise WrongLength("the payload is empty")
        if not records:
            return (now.measurement(time_ms),)
        return _with_records(now, records, time_ms)

    def _record(self, key: int, payload: bytes, at: int, records: dict[int, _Moment]) -> int:
        """Read a record of history; the byte behind it."""
        layout = self._history.get(key)
        if layout is None:
            raise MalformedPayload(f"unknown type {key:#06x} before byte {at}")
        value = at + UNIX_BYTES
        if value + layout.size > len(payload):
            raise WrongLength(f"a record of type {key:#06x} ends at byte {value + layout.size}")
        moment = records.setdefault(int.from_bytes(payload[at:value], self._order), _Moment())
        layout.read(payload, value, moment.readings, moment.attributes)
        return value + layout.size

    def _header(self, key: int, size: int) -> bytes:  # noqa: ARG002 - the family's signature
        return key.to_bytes(self._type_bytes, "big")


class LengthTlv(_Typed):
    """A length (of id and value), a two byte id, the value. Read strictly by length, never by looking for ids.

    An unknown id, or a known one of another length, is MalformedPayload. Ids in `silent` may have any length; their
    values are not read (passwords, acknowledgements without content) and the attribute says `done`.
    """

    __slots__ = ("_silent",)

    def __init__(self, order: Order, table: Table, silent: Mapping[int, str] | None = None) -> None:
        super().__init__(order, table)
        self._silent = silent or {}

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """One measurement at the given time."""
        at, end = 0, len(payload)
        items = self._items
        now = _Moment()
        while at < end:
            following = at + 1 + payload[at]
            value = at + 1 + ID_BYTES
            if value > following or following > end:
                raise WrongLength(f"length {payload[at]} at byte {at} does not fit; the payload has {end} bytes")
            key = int.from_bytes(payload[at + 1 : value], "big")
            layouts = items.get(key)
            if layouts is None:
                now.attributes[self._silently(key)] = "done"
            elif value + layouts[0].size != following:
                raise MalformedPayload(f"id {key:#06x} has {following - value} bytes; expected {layouts[0].size}")
            else:
                layout = layouts[0] if len(layouts) == 1 else now.repeated(key, layouts)
                layout.read(payload, value, now.readings, now.attributes)
            at = following
        if not end:
            raise WrongLength("the payload is empty")
        return (now.measurement(time_ms),)

    def _silently(self, key: int) -> str:
        attribute = self._silent.get(key)
        if attribute is None:
            raise MalformedPayload(f"unknown id {key:#06x}")
        return attribute

    def _header(self, key: int, size: int) -> bytes:
        return bytes((ID_BYTES + size,)) + key.to_bytes(ID_BYTES, "big")


def _layouts(order: Order, item: Item) -> Iterable[Layout]:
    if isinstance(item, list):
        return [Layout(order, part) for part in item]
    return [Layout(order, *item) if isinstance(item, tuple) else Layout(order, item)]


def _measurements(moments: Mapping[int, _Moment], time_ms: int) -> tuple[Measurement, ...]:
    """Newest first; the present is left out if only earlier values came."""
    if len(moments) == 1:
        return (moments[0].measurement(time_ms),)
    now = moments[0]
    ages = sorted(age for age in moments if age or now.readings or now.attributes)
    return tuple(moments[age].measurement(time_ms - age * MS_PER_S) for age in ages)


def _with_records(now: _Moment, records: Mapping[int, _Moment], time_ms: int) -> tuple[Measurement, ...]:
    present = (now.measurement(time_ms),) if now.readings or now.attributes else ()
    return present + tuple(records[unix].measurement(unix * MS_PER_S) for unix in sorted(records, reverse=True))
