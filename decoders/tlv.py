"""Frames of typed values one after the other, as tables: type → parts of the value.

Three families of them: one type byte that also says how old the value is (ELSYS), channel id and channel type
(Milesight, Cayenne), and a length before a two byte id (WILSEN). Values of an earlier time become measurements of
their own, newest first. Where a quantity and channel come twice at one time, the later value holds.
"""

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Literal

from decoders.codec import CodecField
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.history import kept_in, split, values_of
from decoders.layout import Layout, Order
from decoders.measurement import Measurement, Reading
from decoders.typed import Moment, Table, Typed, layouts_of

TYPE_BITS = 0x3F
OFFSET_SHIFT = 6
AGE_BYTES = 3
MS_PER_S = 1000
UNIX_BYTES = 4
ID_BYTES = 2
UNKNOWN_TYPE = "unknown_type"


class OffsetTlv(Typed):
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
        now = Moment()
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
                moment = moments.setdefault(age_s, Moment()) if age_s else now
            layout = layouts[0] if len(layouts) == 1 else moment.repeated(key & TYPE_BITS, layouts)
            layout.read(payload, at + 1, moment.readings, moment.attributes)
            at = following
        if not end:
            raise WrongLength("the payload is empty")
        return _measurements(moments, time_ms)

    def kept(self, measurement: Measurement) -> tuple[Reading, ...]:
        """Those of its readings that have a type; an age may stand behind each of them."""
        return kept_in(self._places(), measurement)

    def encode_history(self, history: tuple[Measurement, ...], time_ms: int, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a HistoryFrame's signature
        """The frame of values with their ages in s; EncodeError for what is older than 194 days."""
        payload = b""
        for measurement in history:
            age_s = round((time_ms - measurement.time_ms) / MS_PER_S)
            size = (age_s.bit_length() + 7) // 8
            if not 0 <= size <= AGE_BYTES or age_s < 0:
                raise EncodeError(f"an age of {age_s} s cannot be sent")
            age = age_s.to_bytes(size, self._order)
            for (key, _), value in values_of(self._places(), measurement):
                payload += bytes((size << OFFSET_SHIFT | key,)) + value + age
        return payload

    def history_fields(self) -> tuple[CodecField, ...]:
        """What all types carry."""
        return self.fields()

    def _check_end(self, key: int, at: int) -> None:
        if at == 0 and key & TYPE_BITS not in self._stop:
            raise MalformedPayload(f"unknown type {key & TYPE_BITS:#04x} at byte 0")

    def _header(self, key: int, size: int) -> bytes:  # noqa: ARG002 - the family's signature
        return bytes((key,))


class ChannelTlv(Typed):
    """A type of one or two bytes, then the value.

    An unknown type ends the frame, since nothing tells its length: what came before it holds, and the attribute
    `unknown_type` names it; as the first type it is MalformedPayload. `history` are types whose value is a Unix time
    in seconds and a record of that time. `clock` is the type whose value is the Unix time of all that is no record
    (zero while the device's clock is not set).

    A key of more bytes than a type has names the value's first bytes, too: 0x10E401 is type 10E4 with a value that
    begins with 01. In `history` those bytes stand behind the time.
    """

    __slots__ = ("_clock", "_history", "_history_widths", "_type_bytes", "_widths")

    def __init__(
        self,
        order: Order,
        table: Table,
        *,
        history: Table | None = None,
        clock: int | None = None,
        type_bytes: Literal[1, 2] = 2,
    ) -> None:
        super().__init__(order, table)
        self._type_bytes = type_bytes
        self._clock = clock
        self._history = {key: tuple(layouts_of(order, item)) for key, item in (history or {}).items()}
        self._widths = self._further(self._items)
        self._history_widths = self._further(self._history)

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """The measurement of now, then the records, newest first."""
        at, end, width = 0, len(payload), self._type_bytes
        items = self._items
        now = Moment()
        records: dict[int, Moment] = {}
        while at < end:
            value = at + width
            if value > end:
                raise WrongLength(f"a type of {width} bytes begins at byte {at}; the payload ends at {end}")
            key = payload[at] if width == 1 else int.from_bytes(payload[at:value], "big")
            layouts = items.get(key)
            if layouts is None:
                at = self._unlisted(key, payload, at, now, records)
                continue
            at = value + layouts[0].size
            if at > end:
                raise WrongLength(f"type {key:#06x} ends at byte {at}; the payload at {end}")
            layout = layouts[0] if len(layouts) == 1 else now.repeated(key, layouts)
            layout.read(payload, value, now.readings, now.attributes)
        if not end:
            raise WrongLength("the payload is empty")
        present_ms = now.unix * MS_PER_S if now.unix else time_ms
        if not records:
            return (now.measurement(present_ms),)
        return _with_records(now, records, present_ms)

    def kept(self, measurement: Measurement) -> tuple[Reading, ...]:
        """Those of its readings that a record has a place for."""
        return kept_in(self._records(), measurement)

    def encode_history(self, history: tuple[Measurement, ...], time_ms: int, parameters: Mapping[str, float]) -> bytes:
        """The values of now, if there are any, then records with their Unix time."""
        now, earlier = split(history, time_ms)
        payload = self.encode(now, parameters) if now else b""
        for measurement in earlier:
            unix = (measurement.time_ms // MS_PER_S).to_bytes(UNIX_BYTES, self._order)
            for key, value in values_of(self._records(), measurement):
                name = self._header(key, 0)
                payload += name[: self._type_bytes] + unix + name[self._type_bytes :] + value
        return payload

    def history_fields(self) -> tuple[CodecField, ...]:
        """What records carry."""
        return tuple(field for _, layout in self._records() for field in layout.fields())

    def _records(self) -> Iterable[tuple[int, Layout]]:
        """Types and layouts of records, those of most values first."""
        found = [(key, layout) for key, layouts in self._history.items() for layout in layouts]
        return sorted(found, key=lambda item: -len(item[1].fields()))

    def _unlisted(self, key: int, payload: bytes, at: int, now: Moment, records: dict[int, Moment]) -> int:
        """Read the clock, a record, a value whose first bytes belong to its type, or end the frame; the byte behind."""
        value = at + self._type_bytes
        if key == self._clock:
            now.unix = self._time(payload, value)
            return value + UNIX_BYTES
        moment, table, widths = now, self._items, self._widths.get(key, ())
        if key in self._history_widths:
            moment = records.setdefault(self._time(payload, value), Moment())
            value += UNIX_BYTES
            table, widths = self._history, self._history_widths[key]
        for width in widths:
            behind = value + width
            chosen = table.get(key << 8 * width | int.from_bytes(payload[value:behind], "big"))
            if chosen is not None and behind <= len(payload):
                if behind + chosen[0].size > len(payload):
                    raise WrongLength(f"a value of type {key:#06x} ends at byte {behind + chosen[0].size}")
                chosen[0].read(payload, behind, moment.readings, moment.attributes)
                return behind + chosen[0].size
        if widths and value + widths[-1] > len(payload):
            raise WrongLength(f"a value of type {key:#06x} begins at byte {value}; the payload ends at {len(payload)}")
        now.attributes[UNKNOWN_TYPE] = self._end(key, at)
        return len(payload)

    def _time(self, payload: bytes, at: int) -> int:
        if at + UNIX_BYTES > len(payload):
            raise WrongLength(f"a time begins at byte {at}; the payload ends at {len(payload)}")
        return int.from_bytes(payload[at : at + UNIX_BYTES], self._order)

    def _end(self, key: int, at: int) -> str:
        """The name of an unknown type behind known ones."""
        name = f"{key:#0{2 + 2 * self._type_bytes}x}"
        if at == 0:
            raise MalformedPayload(f"unknown type {name} at byte 0")
        return name

    def _further(self, table: Mapping[int, object]) -> Mapping[int, tuple[int, ...]]:
        """How many bytes of its value may belong to a type, for each of those two or one bytes."""
        found: dict[int, set[int]] = {}
        for key in table:
            width = self._width(key) - self._type_bytes
            found.setdefault(key >> 8 * width, set()).add(width)
        return {key: tuple(sorted(widths)) for key, widths in found.items()}

    def _width(self, key: int) -> int:
        return max(self._type_bytes, (key.bit_length() + 7) // 8)

    def _header(self, key: int, size: int) -> bytes:  # noqa: ARG002 - the family's signature
        return key.to_bytes(self._width(key), "big")


class LengthTlv(Typed):
    """A length (of id and value), a two byte id, the value. Read strictly by length, never by looking for ids.

    An unknown id is stepped over, and the attribute `unknown_type` names the first of them; at the beginning of the
    payload it is MalformedPayload, as is a known id of another length anywhere. Ids in `silent` may have any length;
    their values are not read (passwords, acknowledgements without content) and the attribute says `done`.
    """

    __slots__ = ("_silent",)

    def __init__(self, order: Order, table: Table, silent: Mapping[int, str] | None = None) -> None:
        super().__init__(order, table)
        self._silent = silent or {}

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """One measurement at the given time."""
        at, end = 0, len(payload)
        items = self._items
        now = Moment()
        while at < end:
            following = at + 1 + payload[at]
            value = at + 1 + ID_BYTES
            if value > following or following > end:
                raise WrongLength(f"length {payload[at]} at byte {at} does not fit; the payload has {end} bytes")
            key = int.from_bytes(payload[at + 1 : value], "big")
            layouts = items.get(key)
            if layouts is None:
                self._unread(key, at, now.attributes)
            elif value + layouts[0].size != following:
                raise MalformedPayload(f"id {key:#06x} has {following - value} bytes; expected {layouts[0].size}")
            else:
                layout = layouts[0] if len(layouts) == 1 else now.repeated(key, layouts)
                layout.read(payload, value, now.readings, now.attributes)
            at = following
        if not end:
            raise WrongLength("the payload is empty")
        return (now.measurement(time_ms),)

    def _unread(self, key: int, at: int, attributes: dict[str, str]) -> None:
        """Say that a value was stepped over."""
        if key in self._silent:
            attributes[self._silent[key]] = "done"
        elif at == 0:
            raise MalformedPayload(f"unknown id {key:#06x} at byte 0")
        else:
            attributes.setdefault(UNKNOWN_TYPE, f"{key:#06x}")

    def _header(self, key: int, size: int) -> bytes:
        return bytes((ID_BYTES + size,)) + key.to_bytes(ID_BYTES, "big")


def _measurements(moments: Mapping[int, Moment], time_ms: int) -> tuple[Measurement, ...]:
    """Newest first; the present is left out if only earlier values came."""
    if len(moments) == 1:
        return (moments[0].measurement(time_ms),)
    now = moments[0]
    ages = sorted(age for age in moments if age or now.readings or now.attributes)
    return tuple(moments[age].measurement(time_ms - age * MS_PER_S) for age in ages)


def _with_records(now: Moment, records: Mapping[int, Moment], time_ms: int) -> tuple[Measurement, ...]:
    moments = [(time_ms, now), *((unix * MS_PER_S, moment) for unix, moment in records.items())]
    found = [moment.measurement(then_ms) for then_ms, moment in moments if moment.readings or moment.attributes]
    return tuple(sorted(found, key=attrgetter("time_ms"), reverse=True)) or (now.measurement(time_ms),)
