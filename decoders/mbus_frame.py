"""Frames of M-Bus records as tables: meters that send their records over LoRaWAN."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite

from decoders.codec import CodecField
from decoders.direct import Direct, Values, Words, Written, values_of
from decoders.error import EncodeError, WrongLength
from decoders.field import FLOAT_LIMIT, Field, Given, Part, name, new_tuple
from decoders.layout import Layout
from decoders.mbus import CODING, DECIMAL, EXTENSION, FLOAT, REAL, SCALES, Record, moment, records
from decoders.measurement import NO_ATTRIBUTES, Measurement, Place, Reading
from decoders.quantity import Quantity

WHOLE_CODINGS = ((4, 4), (7, 8))
"""Codings of whole numbers, and their bytes."""
MINUTES = len("2026-01-01T00:00")
NO_SHORT, NO_LONG = -0x8000, -0x80000000
Plan = tuple[Quantity, int, int, Place]
"""Quantity, multiplier and divisor of a number, and quantity and channel of its reading."""


@dataclass(frozen=True, slots=True)
class Value:
    """A reading that a meter may send; `header` (DIF to VIFEs) and the field's format are those of our encoder."""

    header: bytes
    field: Field


def wide(quantity: Quantity, header: str, channel: str = "", *, verified: bool = True) -> Value:
    """A value of 32 bits in the quantity's unit; `header` as hexadecimal digits."""
    return Value(bytes.fromhex(header), Field(quantity, "i", channel, invalid=NO_LONG, verified=verified))


def tenths(quantity: Quantity, header: str, channel: str = "", *, verified: bool = True) -> Value:
    """A value of 16 bits in tenths of the quantity's unit; `header` as hexadecimal digits."""
    return Value(bytes.fromhex(header), Field(quantity, "h", channel, divisor=10, invalid=NO_SHORT, verified=verified))


@dataclass(frozen=True, slots=True)
class Word:
    """What a meter says of itself: `header` and `size` are those of our encoder, `parse` is the inverse of `text`."""

    name: str
    header: bytes
    size: int
    text: Callable[[Record], str]
    parse: Callable[[str], bytes]

    def write(self, words: str) -> bytes:
        """The record; raises EncodeError."""
        try:
            raw = self.parse(words)
        except (ValueError, OverflowError) as error:
            raise EncodeError(f"{self.name} = {words!r} cannot be sent") from error
        if len(raw) != self.size:
            raise EncodeError(f"{self.name} = {words!r} does not fit into {self.size} bytes")
        return self.header + raw


def coded(block: bytes, coding: int) -> bytes:
    """A data information block with another coding."""
    return bytes((block[0] & ~CODING | coding,)) + block[1:]


def _integer(record: Record) -> str:
    return str(int.from_bytes(record.raw, "little"))


def _identity(record: Record) -> str:
    return record.raw[::-1].hex() if record.head.coding in DECIMAL else _integer(record)


def _moment(record: Record) -> str:
    found = moment(record.raw)
    return found.isoformat()[:MINUTES] if found else ""


def _parse_moment(text: str) -> bytes:
    then = datetime.fromisoformat(text)
    years = then.year - 2000
    return bytes((then.minute, then.hour, (years & 7) << 5 | then.day, years >> 3 << 4 | then.month))


METER_ID = Word("meter_id", b"\x0c\x78", 4, _identity, lambda text: bytes.fromhex(text)[::-1])
METER_TIME = Word("meter_time", b"\x04\x6d", 4, _moment, _parse_moment)
ERROR_FLAGS = Word("error_flags", b"\x02\xfd\x17", 2, _integer, lambda text: int(text).to_bytes(2, "little"))
WORDS = {b"\x78": METER_ID, b"\x6d": METER_TIME, b"\xfd\x17": ERROR_FLAGS}


def _say(record: Record, attributes: dict[str, str]) -> None:
    """Add what a record says in words, if it does and is of now."""
    word = WORDS.get(record.head.meaning)
    if word is not None and not record.head.storage and (text := word.text(record)):
        attributes[word.name] = text


class Records(Direct):
    """Parts of a fixed head, then records. Their times are the meter's own and stay words.

    Only what `values` list becomes a reading; of two records for one of them the later holds. `marked` are value
    information blocks with extensions of the maker's own, and what they add to the channel.
    """

    __slots__ = ("_head", "_plans", "_steps", "_values")

    def __init__(
        self, values: Sequence[Value], *, head: Sequence[Part] = (), marked: Mapping[bytes, str] | None = None
    ) -> None:
        self._values = tuple(values)
        self._head = Layout("<", *head)
        self._plans = dict(self._plan(marked or {}))
        self._steps = tuple(self._step(value) for value in self._values)

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """One measurement at the given time."""
        if len(payload) <= self._head.size:
            raise WrongLength(f"{len(payload)} bytes hold no record")
        attributes: dict[str, str] = {}
        self._head.read(payload, 0, [], attributes)
        found: dict[Place, Reading] = {}
        for record in records(payload, self._head.size):
            head, raw = record
            plan = self._plans.get(head.key)
            if plan is None:
                _say(record, attributes)
                continue
            number = head.read(raw)
            if number is not None:
                quantity, multiplier, divisor, place = plan
                found[place] = new_tuple(Reading, (quantity, number * multiplier / divisor, place[1]))
        return (Measurement.of(time_ms, tuple(found.values()), attributes or NO_ATTRIBUTES),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """The records of all that is given, in the order of the values; then the words.

        A number that the value's own form would round is sent in another unit or coding if there is an exact one.
        """
        found = self.written(values_of(measurement.readings), measurement.attributes, parameters)
        if found is not None:
            return found.payload
        given = Given(measurement)
        payload = self._head.write(given)
        for value, (place, _, layout) in zip(self._values, self._steps, strict=True):
            if place in given.values:
                payload += self._record(value, layout, given)
        for word in WORDS.values():
            text = given.attributes.pop(word.name, None)
            if text is not None:
                payload += word.write(text)
        given.refuse_rest()
        if len(payload) == self._head.size:
            raise EncodeError("nothing to send")
        return payload

    def fields(self) -> tuple[CodecField, ...]:
        """What the values list."""
        return tuple(value.field.describe() for value in self._values)

    def written(self, values: Values, words: Words, parameters: Mapping[str, float]) -> Written | None:  # noqa: ARG002 - a Frame's figures
        """The records in the values' own forms; None where one would round, which another unit may not."""
        head = None if words else self._head.part(values, words)
        payload, used = b"" if head is None else head.payload, 0
        for place, header, layout in self._steps:
            if place not in values:
                continue
            found = layout.part(values, words)
            if found is None or not found.exact:
                return None
            payload += header + found.payload
            used += 1
        return Written(payload, exact=True, used=used) if head is not None and 0 < used == len(values) else None

    def has_places(self, places: Collection[Place]) -> bool:
        """Whether readings of just these places could be carried, whatever their values are."""
        return {place for place, _, _ in self._steps}.issuperset(places)

    def _step(self, value: Value) -> tuple[Place, bytes, Layout]:
        """Place, header and layout of a value's own form; ValueError if it is read as another number."""
        field = value.field
        layout = Layout("<", field)
        ((own, _),) = records(value.header + bytes(layout.size))
        if self._plans.get(own.key) != (field.quantity, field.scale, field.divisor, (field.quantity, field.channel)):
            raise ValueError(f"{value.header.hex()} is no {name(field.quantity, field.channel)} as its field has it")
        return (field.quantity, field.channel), value.header, layout

    def _record(self, value: Value, layout: Layout, given: Given) -> bytes:
        """The record of a value; raises EncodeError."""
        place = value.field.quantity, value.field.channel
        wanted, before = given.values[place], given.copy()
        if not isfinite(wanted):
            raise EncodeError(f"{name(*place)} = {wanted} is no number that can be sent")
        try:
            record = value.header + layout.write(given)
            misfit = None
        except EncodeError as error:
            record, misfit = b"", error
        if record and self._number(record, place) == wanted:
            return record
        for other in self._others(value, layout.size, wanted):
            if self._number(other, place) == wanted:
                given.values = before.values
                del given.values[place]
                return other
        if misfit:
            raise misfit
        return record

    def _number(self, record: bytes, place: Place) -> float | None:
        """What we read a record as."""
        ((head, raw),) = records(record)
        plan, number = self._plans.get(head.key), head.read(raw)
        if plan is None or number is None or plan[3] != place:
            return None
        return number * plan[1] / plan[2]

    def _others(self, value: Value, own_bytes: int, wanted: float) -> Iterator[bytes]:
        """Records of a number in all other units, the largest first: as whole numbers, then as floats."""
        ((own, _),) = records(value.header + bytes(own_bytes))
        block = value.header[: -len(own.meaning)]
        plans = [
            (plan[1] / plan[2], meaning)
            for (meaning, channel), plan in self._plans.items()
            if channel == own.channel and plan[3] == (value.field.quantity, value.field.channel)
        ]
        forms = [(meaning, wanted / unit) for unit, meaning in sorted(plans, reverse=True)]
        for coding, size in WHOLE_CODINGS:
            for meaning, number in forms:
                if abs(number) < 1 << 8 * size - 1:
                    yield coded(block, coding) + meaning + round(number).to_bytes(size, "little", signed=True)
        for meaning, number in forms:
            if abs(number) < FLOAT_LIMIT:
                yield coded(block, FLOAT) + meaning + REAL.pack(number)

    def _plan(self, marked: Mapping[bytes, str]) -> Iterator[tuple[tuple[bytes, str], Plan]]:
        """Meaning and channel of every record that becomes a reading; what becomes of it."""
        for value in self._values:
            quantity, channel = value.field.quantity, value.field.channel
            for meaning, scale in SCALES.items():
                if scale.quantity is quantity:
                    yield (meaning, channel), (*scale, (quantity, channel))
            for meaning, mark in marked.items():
                plain = SCALES.get(bytes((meaning[0] & ~EXTENSION,)))
                if plain and plain.quantity is quantity and channel.partition("_")[0] == mark:
                    yield (meaning, channel.partition("_")[2]), (*plain, (quantity, channel))
