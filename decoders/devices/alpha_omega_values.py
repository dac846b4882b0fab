"""The values of KLAX meter readers: blocks of registers, with their history."""

from collections.abc import Iterator, Mapping
from struct import Struct, pack

from decoders.codec import CodecField, Parameter
from decoders.error import EncodeError, MalformedPayload, MissingParameter, WrongLength
from decoders.field import Field, Given
from decoders.layout import Layout
from decoders.measurement import NO_ATTRIBUTES, Measurement, Reading
from decoders.quantity import Quantity

MS_PER_MIN = 60_000
# Sixteen bits.
LONGEST_MIN = 0xFFFF
REGISTERS = 4
VALUES = 4
VALUE_BYTES = 4
INTERVAL = Parameter("interval_min", "min", "time between two values of a register, as set in the device", ports=(3,))

HISTORY, NOW, SERVER_ID, DEVICE_ID = 1, 2, 3, 8
OLD_SIZES = {HISTORY: 34, NOW: 19, SERVER_ID: 10, DEVICE_ID: 4}
SIZES = {**OLD_SIZES, HISTORY: 18}
UNITS: Mapping[int, tuple[str, Quantity, int]] = {
    1: ("Wh", Quantity.ENERGY_TOTAL, 1000),
    2: ("W", Quantity.POWER, 1),
    3: ("V", Quantity.MAINS_VOLTAGE, 1),
    4: ("A", Quantity.MAINS_CURRENT, 1),
    5: ("Hz", Quantity.MAINS_FREQUENCY, 1),
    6: ("varh", Quantity.REACTIVE_ENERGY_TOTAL, 1000),
    7: ("var", Quantity.REACTIVE_POWER, 1),
    8: ("VAh", Quantity.APPARENT_ENERGY_TOTAL, 1000),
    9: ("VA", Quantity.APPARENT_POWER, 1),
}
BLANK = bytes(VALUE_BYTES)


class Values:
    """Header, message number, then blocks of a type and values; `interval_min` gives the earlier ones their time."""

    __slots__ = ("_fields", "_head", "_numbers", "_sizes", "_version")

    def __init__(self, version: int, head: Layout, sizes: Mapping[int, int], code: str) -> None:
        self._version = version
        self._head = head
        self._sizes = sizes
        self._numbers = Struct(">" + code * VALUES)
        self._fields = {
            unit: tuple(
                Field(quantity, code, f"register{number}", divisor=divisor, verified=unit == number == 1)
                for number in range(1, REGISTERS + 1)
            )
            for unit, (_, quantity, divisor) in UNITS.items()
        }

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
        """The measurement of now, then those of earlier intervals."""
        at = self._head.size
        if len(payload) <= at:
            raise WrongLength(f"{len(payload)} bytes hold no block")
        moments: list[dict[tuple[Quantity, str], Reading]] = [{} for _ in range(VALUES)]
        readings: list[Reading] = []
        attributes: dict[str, str] = {}
        self._head.read(payload, 0, readings, attributes)
        moments[0].update({(reading.quantity, reading.channel): reading for reading in readings})
        while at < len(payload):
            kind = payload[at]
            size = self._sizes.get(kind)
            if size is None:
                self._end(kind, at, attributes)
                break
            block = payload[at + 1 : at + 1 + size]
            if len(block) < size:
                raise WrongLength(f"block {kind} at byte {at} has {len(block)} bytes of {size}")
            self._read(kind, block, moments, attributes)
            at += 1 + size
        step_ms = _step_ms(parameters)
        now = Measurement.of(time_ms, tuple(moments[0].values()), attributes or NO_ATTRIBUTES)
        earlier = (
            Measurement.of(time_ms - age * step_ms, tuple(found.values()))
            for age, found in enumerate(moments[1:], start=1)
            if found
        )
        return (now, *earlier)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """The frame with a block of values of now; each register has one unit."""
        given = Given(measurement)
        head = self._head.write(given)
        chosen = [self._chosen(number, given) for number in range(REGISTERS)]
        given.refuse_rest()
        flags = sum(0x11 << number for number, (unit, _) in enumerate(chosen) if unit)
        units = [unit for unit, _ in chosen]
        packed = bytes((NOW, flags, units[1] << 4 | units[0], units[3] << 4 | units[2]))
        return head + packed + b"".join(raw for _, raw in chosen)

    def kept(self, measurement: Measurement) -> tuple[Reading, ...]:
        """What its registers hold."""
        known = {(field.quantity, field.channel) for field in self._history_fields()}
        return tuple(reading for reading in measurement.readings if (reading.quantity, reading.channel) in known)

    def encode_history(self, history: tuple[Measurement, ...], time_ms: int, parameters: Mapping[str, float]) -> bytes:
        """Blocks of the values of now, which must be among them, and of the up to three intervals before."""
        step_ms = _step_ms(parameters)
        if not self._version or history[0].time_ms != time_ms:
            raise EncodeError("only later versions are sent, with what is measured now")
        moments = {round((time_ms - measurement.time_ms) / step_ms): Given(measurement) for measurement in history}
        if not moments.keys() <= set(range(VALUES)):
            raise EncodeError(f"the values are {step_ms} ms apart, {VALUES} at most")
        payload = self._head.write(moments[0])
        for unit, fields in self._fields.items():
            for register, field in enumerate(fields):
                payload += self._history_block(register, unit, field, moments)
        for given in moments.values():
            given.refuse_rest()
        return payload

    def history_fields(self) -> tuple[CodecField, ...]:
        """Four registers of each unit."""
        return tuple(field.describe() for field in self._history_fields())

    def _history_fields(self) -> Iterator[Field]:
        for fields in self._fields.values():
            yield from fields

    def _history_block(self, register: int, unit: int, field: Field, moments: Mapping[int, Given]) -> bytes:
        """The values of one register; nothing where there are none."""
        place = field.quantity, field.channel
        valid = sum(1 << age for age, given in moments.items() if place in given.values)
        if not valid:
            return b""
        raws = (float(field.write(moments[age])) if valid >> age & 1 else 0.0 for age in range(VALUES))
        return bytes((HISTORY, unit << 4 | register << 1 | 1, valid)) + self._numbers.pack(*raws)

    def fields(self) -> tuple[CodecField, ...]:
        """The battery, and four registers of each unit."""
        return tuple(
            item._replace(frame=UNITS[unit][0])
            for unit, fields in self._fields.items()
            for item in (*self._head.fields(), *(field.describe() for field in fields))
        )

    def _end(self, kind: int, at: int, attributes: dict[str, str]) -> None:
        if at == self._head.size:
            raise MalformedPayload(f"unknown block {kind:#04x} at byte {at}")
        attributes["unknown_type"] = f"{kind:#04x}"

    def _read(
        self,
        kind: int,
        block: bytes,
        moments: list[dict[tuple[Quantity, str], Reading]],
        attributes: dict[str, str],
    ) -> None:
        if kind == SERVER_ID:
            attributes["server_id"] = block.hex()
            return
        if kind == DEVICE_ID:
            attributes["device_id"] = block.hex()
            return
        rows = _now(block) if kind == NOW else _old_history(block) if not self._version else _history(block)
        for register, unit, valid, at in rows:
            numbers = self._numbers.unpack_from(block, at) if kind != NOW else self._single(block, at)
            for age, number in enumerate(numbers):
                field = self._fields[unit][register] if unit in self._fields and valid >> age & 1 else None
                reading = field.read(number) if field else None
                if reading is not None:
                    moments[age][reading.quantity, reading.channel] = reading

    def _single(self, block: bytes, at: int) -> tuple[float, ...]:
        return self._numbers.unpack(block[at : at + VALUE_BYTES] + BLANK * (VALUES - 1))[:1]

    def _chosen(self, register: int, given: Given) -> tuple[int, bytes]:
        """Unit and value of what is given for a register; none is unit 0."""
        for unit, fields in self._fields.items():
            field = fields[register]
            if (field.quantity, field.channel) in given.values:
                return unit, pack(f">{field.format}", field.write(given))
        return 0, BLANK


def _step_ms(parameters: Mapping[str, float]) -> int:
    """The time between two values; MissingParameter for one that no device can be set to."""
    minutes = parameters[INTERVAL.name]
    if not 0 < minutes <= LONGEST_MIN:
        raise MissingParameter(f"{INTERVAL.name} = {minutes}; more than 0 and up to {LONGEST_MIN} is expected")
    return round(minutes * MS_PER_MIN)


Row = tuple[int, int, int, int]


def _now(block: bytes) -> Iterator[Row]:
    """Register, unit, validity of each value, place: one value of each register."""
    for register in range(REGISTERS):
        unit = block[1 + register // 2] >> register % 2 * 4 & 0xF
        yield register, unit, block[0] >> 4 + register & 1, 3 + register * VALUE_BYTES


def _old_history(block: bytes) -> Iterator[Row]:
    """Two registers of version 0: active, number, valid in half a byte each; four values each."""
    for half in range(2):
        flags = block[0] >> half * 4
        if flags & 1:
            valid = 0xF if flags & 8 else 0
            yield flags >> 1 & 3, block[1] >> half * 4 & 0xF, valid, 2 + half * VALUES * VALUE_BYTES


def _history(block: bytes) -> Iterator[Row]:
    """One register: active, number, unit; a bit of validity for each of four values."""
    if block[0] & 1:
        yield block[0] >> 1 & 3, block[0] >> 4, block[1] & 0xF, 2
