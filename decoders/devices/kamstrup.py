"""Kamstrup water meters (flowIQ, MULTICAL 21) with LoRaWAN: M-Bus telegrams with logged values.

Source: actility/device-catalog vendors/kamstrup/drivers/generic; EN 13757-3 with annex F (inverse compact profile), EN
13757-7 (headers). A date belongs to all values of its storage number, and profiles go back from it: each value has its
own time, taken as UTC as the vendor's driver does. Encrypted telegrams (a security mode other than 0) are refused.
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from itertools import count

from decoders.codec import Codec, CodecField
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.field import Bits, Const, Field, Given, new_tuple
from decoders.history import kept_in, split, values_of
from decoders.layout import Layout
from decoders.mbus import EXTENSION, FUNCTIONS, SCALES, TEXT, Head, Record, Scale, moment, records
from decoders.mbus_frame import Records, Value, tenths, wide
from decoders.measurement import NO_ATTRIBUTES, Measurement, Reading
from decoders.quantity import Family, Privacy, Quantity

NO_HEADER, SHORT_HEADER, LONG_HEADER = 0x78, 0x7A, 0x72
HEADER_BYTES = {NO_HEADER: 1, SHORT_HEADER: 5, LONG_HEADER: 13}
SECURITY_MODE = 0x1F
DATES = (b"\x6c", b"\x6d")
INFOCODE = b"\xff\x25"
LEAK_WORDS = {b"\xff\x1b": "leak_detection", b"\xff\x1c": "leak_detection_last_day"}
NO_LEAK_DETECTION = (0x0FFF, 0xFFFF)
PROFILE, REVERSE = b"\x13", b"\x3c"
VOLUME_VIFS = range(0x10, 0x18)
PROFILE_HEAD = 2
DECREMENTS, SIGNED = 2, 3
LARGEST_ELEMENT = 4
LARGEST_SPACING = 250
MONTHS = 254
UNIT_MS = {0: 1000, 1: 60_000, 2: 3_600_000, 3: 86_400_000}
MONTHS_OF_UNIT = {3: 1, 2: 3, 1: 6}
YEAR_MONTHS = 12
ALARMS = ("dry", "reverse", "leak", "burst", "tamper", "low_battery", "low_temperature", "high_temperature")
FLAGS = Bits("H", *(Field(Quantity.ALARM, str(bit), name) for bit, name in enumerate(ALARMS)))
ALARM_STATES = tuple((Reading(Quantity.ALARM, 0.0, name), Reading(Quantity.ALARM, 1.0, name)) for name in ALARMS)
INFOCODE_RECORD = Layout("<", Const("B", 0x02), Const("B", INFOCODE[0]), Const("B", INFOCODE[1]), FLAGS)
DATE_HEADER = b"\x06\x6d"
STORAGE_SHIFT, MOST_STORED = 6, 31
MS_PER_S = 1000
Key = tuple[Quantity, str]


def _values() -> Iterator[Value]:
    yield wide(Quantity.VOLUME_TOTAL, "0413")
    yield wide(Quantity.VOLUME_TOTAL, "04933c", "reverse", verified=False)
    yield wide(Quantity.VOLUME_FLOW, "043b", verified=False)
    yield wide(Quantity.VOLUME_FLOW, "143b", "max")
    yield wide(Quantity.VOLUME_FLOW, "243b", "min")
    for quantity, vif, checked in (
        (Quantity.FLOW_TEMPERATURE, "5a", True),
        (Quantity.EXTERNAL_TEMPERATURE, "66", False),
    ):
        yield tenths(quantity, f"02{vif}", verified=False)
        yield tenths(quantity, f"12{vif}", "max", verified=checked)
        yield tenths(quantity, f"22{vif}", "min", verified=False)


class Telegram:
    """A header, then records; those of a storage number with a date are of that time."""

    __slots__ = ("_plain",)

    def __init__(self) -> None:
        self._plain = Records(
            tuple(_values()),
            head=(Const("B", NO_HEADER, "header"),),
            marked={bytes((EXTENSION | vif,)) + REVERSE: "reverse" for vif in VOLUME_VIFS},
        )

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """One measurement a time, newest first."""
        found = tuple(records(payload, _header(payload)))
        if not found:
            raise WrongLength(f"{len(payload)} bytes hold no record")
        dates = {head.storage: date for head, raw in found if head.meaning in DATES and (date := moment(raw))}
        times: dict[int, dict[Key, Reading]] = {}
        words: dict[int, dict[str, str]] = {}
        for record in found:
            head, date = record.head, dates.get(record.head.storage)
            if head.meaning[1:] == PROFILE and head.coding == TEXT:
                for then, reading in _profile(record, found, date):
                    times.setdefault(then, {})[reading[0], reading[2]] = reading
            elif head.meaning not in DATES:
                then = _ms(date) if date else time_ms
                readings = times.setdefault(then, {})
                if head.meaning in LEAK_WORDS:
                    words.setdefault(then, {}).update(_leak(record))
                else:
                    readings.update(((reading[0], reading[2]), reading) for reading in _readings(record))
        return tuple(
            Measurement.of(then, tuple(times[then].values()), words.get(then) or NO_ATTRIBUTES)
            for then in sorted(times, reverse=True)
        ) or (Measurement.of(time_ms, ()),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """A telegram of now, without header."""
        given = Given(measurement)
        alarms = INFOCODE_RECORD.write(given) if INFOCODE_RECORD.carries(given) else b""
        readings = tuple(Reading(quantity, value, channel) for (quantity, channel), value in given.values.items())
        if alarms and not readings:
            given.refuse_rest()
            return bytes((NO_HEADER,)) + alarms
        return self._plain.encode(Measurement.of(0, readings, given.attributes), parameters) + alarms

    def kept(self, measurement: Measurement) -> tuple[Reading, ...]:
        """Volumes, flows and temperatures."""
        return kept_in(PLACES, measurement)

    def encode_history(self, history: tuple[Measurement, ...], time_ms: int, parameters: Mapping[str, float]) -> bytes:
        """The telegram of now, if there is one; then earlier values, each time with a storage number and a date."""
        now, earlier = split(history, time_ms)
        if len(earlier) > MOST_STORED:
            raise EncodeError(f"{len(earlier)} earlier measurements; a telegram has {MOST_STORED}")
        payload = self.encode(now, parameters) if now else bytes((NO_HEADER,))
        for storage, measurement in enumerate(earlier, start=1):
            payload += _stored(DATE_HEADER, storage) + _date(measurement.time_ms)
            for header, value in values_of(PLACES, measurement):
                payload += _stored(header, storage) + value
        return payload

    def history_fields(self) -> tuple[CodecField, ...]:
        """Volumes, flows and temperatures."""
        return self._plain.fields()

    def fields(self) -> tuple[CodecField, ...]:
        """Volumes, flows, temperatures, and the bits of the info code."""
        return (*self._plain.fields(), *INFOCODE_RECORD.fields())


def _stored(header: bytes, storage: int) -> bytes:
    """A record's header with a storage number: one bit in its first byte, four in an extension."""
    first = header[0] | (storage & 1) << STORAGE_SHIFT
    return bytes((first | EXTENSION, storage >> 1)) + header[1:] if storage > 1 else bytes((first,)) + header[1:]


def _date(time_ms: int) -> bytes:
    """Date and time of type I, to the second."""
    then = datetime.fromtimestamp(time_ms // MS_PER_S, UTC)
    years = then.year - 2000
    day, month = (years & 7) << 5 | then.day, years >> 3 << 4 | then.month
    return bytes((then.second, then.minute, then.hour, day, month, 0))


def _header(payload: bytes) -> int:
    """The byte at which the records begin."""
    size = HEADER_BYTES.get(payload[0]) if payload else None
    if size is None:
        raise MalformedPayload(f"header {payload[:1].hex() or 'of nothing'} is none of a telegram")
    if len(payload) < size:
        raise WrongLength(f"{len(payload)} bytes; the header alone has {size}")
    if size > 1 and payload[size - 1] & SECURITY_MODE:
        raise MalformedPayload(f"security mode {payload[size - 1] & SECURITY_MODE}: the telegram is encrypted")
    return size


def _readings(record: Record) -> Iterator[Reading]:
    """What one record says: the bits of the info code, or a number."""
    if record.head.meaning == INFOCODE:
        bits = int.from_bytes(record.raw, "little")
        yield from (states[bits >> bit & 1] for bit, states in enumerate(ALARM_STATES))
        return
    reading = _reading(record.head, record.number)
    if reading is not None:
        yield reading


def _leak(record: Record) -> Mapping[str, str]:
    """The noise of a leak detection, which has no unit; nothing where it was not measured."""
    noise = int.from_bytes(record.raw, "little")
    return {} if noise in NO_LEAK_DETECTION else {LEAK_WORDS[record.head.meaning]: str(noise)}


def _reading(head: Head, number: float | None) -> Reading | None:
    """The reading of a number; the storage number is its time, not its channel."""
    plan = _plan(head.meaning, head.function)
    if number is None or plan is None:
        return None
    scale, channel = plan
    return new_tuple(Reading, (scale.quantity, number * scale.multiplier / scale.divisor, channel))


@lru_cache(1024)
def _plan(meaning: bytes, function: int) -> tuple[Scale, str] | None:
    """What a number with this meaning is, and the channel of its reading."""
    reverse = meaning[1:] == REVERSE
    scale = SCALES.get(bytes((meaning[0] & 0x7F,)) if reverse else meaning)
    words = ("reverse" if reverse else "", FUNCTIONS.get(function, ""))
    channel = "_".join(filter(None, words))
    return (scale, channel) if scale and (scale.quantity, channel) in CHANNELS else None


def _profile(record: Record, found: tuple[Record, ...], date: datetime | None) -> Iterator[tuple[int, Reading]]:
    """The values before a storage's own one, each a difference to the one after it; an invalid one ends them."""
    if len(record.raw) <= PROFILE_HEAD:
        raise WrongLength(f"a profile of {len(record.raw)} bytes has no values")
    control, spacing = record.raw[:PROFILE_HEAD]
    size, unit, mode = control & 0xF, control >> 4 & 3, control >> 6
    if not 1 <= size <= LARGEST_ELEMENT or not mode or (len(record.raw) - PROFILE_HEAD) % size:
        raise MalformedPayload(f"spacing control {control:#04x} is none of a profile of {len(record.raw)} bytes")
    head = record.head
    own = bytes((head.meaning[0] & 0x7F,))
    base = next((item for item in found if item.head.meaning == own and item.head.storage == head.storage), None)
    number = base.number if base else None
    if base is None or number is None or date is None:
        raise MalformedPayload(f"the profile of storage {head.storage} has no value or no date to begin at")
    for at, then in zip(range(PROFILE_HEAD, len(record.raw), size), _back(date, unit, spacing), strict=False):
        step = _difference(record.raw[at : at + size], signed=mode == SIGNED)
        if step is None:
            return
        number += step if mode == DECREMENTS else -step
        reading = _reading(base.head, number)
        if reading is not None:
            yield then, reading


def _difference(raw: bytes, *, signed: bool) -> int | None:
    """An element of a profile; None where all bits are set, or the sign alone."""
    number = int.from_bytes(raw, "little", signed=signed)
    invalid = -1 << 8 * len(raw) - 1 if signed else (1 << 8 * len(raw)) - 1
    return None if number == invalid else number


def _back(date: datetime, unit: int, spacing: int) -> Iterator[int]:
    """Times of a profile, one step back each, in ms; none for spacings of no length."""
    if 0 < spacing <= LARGEST_SPACING:
        yield from count(_ms(date) - spacing * UNIT_MS[unit], -spacing * UNIT_MS[unit])
    elif spacing == MONTHS and unit in MONTHS_OF_UNIT:
        for months in count(date.year * YEAR_MONTHS + date.month - 1 - MONTHS_OF_UNIT[unit], -MONTHS_OF_UNIT[unit]):
            year, month = divmod(months, YEAR_MONTHS)
            day = min(date.day, monthrange(year, month + 1)[1])
            yield _ms(date.replace(year=year, month=month + 1, day=day))


def _ms(date: datetime) -> int:
    return round(date.timestamp()) * 1000


PLACES = tuple((value.header, Layout("<", value.field)) for value in _values())
CHANNELS = {(value.field.quantity, value.field.channel) for value in _values()}
TELEGRAM = Telegram()

WATER = Codec(
    id="kamstrup/water",
    vendor="Kamstrup",
    model="Water meters with LoRaWAN (flowIQ, MULTICAL 21)",
    family=Family.METER,
    source="actility/device-catalog vendors/kamstrup/drivers/generic; EN 13757-3, EN 13757-7",
    ports={1: TELEGRAM},
    any_port=TELEGRAM,
    privacy=Privacy.PERSONAL,
)

CODECS = (WATER,)
