"""Cayenne Low Power Payload: a channel of the device's own choice, a type, a big-endian value.

Source: myDevices Cayenne LPP 2.0 ("Data types"), the types that ChirpStack's own CayenneLPP codec knows; those behind
136 and between 115 and 133 by ElectronicCats/CayenneLPP (README, "Data types"). A type that is not known ends the
payload: nothing tells its length. What came before it holds; as the first one it is MalformedPayload.
"""

import struct
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from decoders.codec import Codec, CodecField
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.measurement import Measurement, Reading
from decoders.quantity import Family, Quantity

HEADER_BYTES = 2
CHANNELS = 256
PREFIX = "ch"


class Part(NamedTuple):
    """A number of a type: raw / divisor in the quantity's unit; `axis` where a type has several of one quantity."""

    quantity: Quantity
    divisor: float
    axis: str = ""


class Kind(NamedTuple):
    """A type: the format of its numbers (a struct code, or `s24`), and what each of them is."""

    format: str
    parts: tuple[Part, ...]

    @property
    def size(self) -> int:
        """Bytes of the value."""
        return 3 * len(self.parts) if self.format == "s24" else struct.calcsize(f">{self.format}") * len(self.parts)

    @property
    def limits(self) -> tuple[int, int]:
        """Least and greatest raw number."""
        bits = 8 * self.size // len(self.parts)
        signed = self.format == "s24" or self.format.islower()
        return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)


def _kind(format_: str, quantity: Quantity, divisor: float = 1) -> Kind:
    return Kind(format_, (Part(quantity, divisor),))


def _axes(quantity: Quantity, divisor: float) -> Kind:
    return Kind("h", tuple(Part(quantity, divisor, axis) for axis in "xyz"))


KINDS: Mapping[int, Kind] = {
    0: _kind("B", Quantity.DIGITAL_INPUT),
    1: _kind("B", Quantity.DIGITAL_OUTPUT),
    2: _kind("h", Quantity.ANALOG_INPUT, 100),
    3: _kind("h", Quantity.ANALOG_OUTPUT, 100),
    101: _kind("H", Quantity.ILLUMINANCE),
    102: _kind("B", Quantity.PRESENCE),
    103: _kind("h", Quantity.AIR_TEMPERATURE, 10),
    104: _kind("B", Quantity.AIR_HUMIDITY, 2),
    113: _axes(Quantity.ACCELERATION, 1000),
    115: _kind("H", Quantity.AIR_PRESSURE, 10),
    116: _kind("H", Quantity.INPUT_VOLTAGE, 100),
    117: _kind("H", Quantity.MAINS_CURRENT, 1000),
    120: _kind("B", Quantity.PERCENTAGE),
    121: _kind("h", Quantity.ALTITUDE),
    128: _kind("H", Quantity.POWER),
    130: _kind("I", Quantity.DISTANCE),
    131: _kind("I", Quantity.ENERGY_TOTAL, 1000),
    132: _kind("H", Quantity.HEADING),
    134: _axes(Quantity.ANGULAR_VELOCITY, 100),
    136: Kind("s24", (Part(Quantity.LATITUDE, 10_000), Part(Quantity.LONGITUDE, 10_000), Part(Quantity.ALTITUDE, 100))),
}
SIZES = {code: kind.size for code, kind in KINDS.items()}
UNPACK = {
    code: struct.Struct(f">{len(kind.parts)}{kind.format}") for code, kind in KINDS.items() if kind.format != "s24"
}
NAMES = tuple(f"{PREFIX}{number}" for number in range(CHANNELS))
# A position has an altitude of its own; a device that sends both says the same twice.
POSITION = 136
VERIFIED = frozenset[Quantity]()


def channel(number: int, axis: str) -> str:
    """The name of a channel, with its axis."""
    return f"{NAMES[number]}_{axis}" if axis else NAMES[number]


class Payload:
    """All values of a payload are of one time; of two of one channel and quantity the later holds."""

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """One measurement at the given time."""
        found: dict[tuple[Quantity, str], Reading] = {}
        at, end = 0, len(payload)
        if not end:
            raise WrongLength("the payload is empty")
        while at < end:
            if end - at < HEADER_BYTES:
                raise WrongLength(f"one byte is left at byte {at}; a value begins with channel and type")
            number, code = payload[at], payload[at + 1]
            size = SIZES.get(code)
            if size is None:
                if not found:
                    raise MalformedPayload(f"unknown type {code} at byte {at + 1}")
                break
            at += HEADER_BYTES
            if at + size > end:
                raise WrongLength(f"type {code} ends at byte {at + size}; the payload at {end}")
            for part, raw in zip(KINDS[code].parts, _numbers(code, payload, at), strict=True):
                name = channel(number, part.axis)
                found[part.quantity, name] = Reading(part.quantity, raw / part.divisor, name)
            at += size
        return (Measurement.of(time_ms, tuple(found.values())),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """The payload of all readings, by channel and type, or EncodeError."""
        given = {(reading.quantity, reading.channel): reading.value for reading in measurement.readings}
        numbers = sorted({_channel_number(name) for _, name in given})
        payload = b""
        for number in numbers:
            for code, kind in _by_weight():
                keys = [(part.quantity, channel(number, part.axis)) for part in kind.parts]
                if all(key in given for key in keys):
                    payload += bytes((number, code)) + _packed(kind, [given.pop(key) for key in keys])
        rest = [f"{quantity.field}[{name}]" for quantity, name in given] + list(measurement.attributes)
        if rest:
            raise EncodeError(f"the frame has no place for {', '.join(rest)}")
        if not payload:
            raise EncodeError("nothing to send")
        return payload

    def fields(self) -> tuple[CodecField, ...]:
        """Every type on every channel."""
        return _fields()


@cache
def _fields() -> tuple[CodecField, ...]:
    return tuple(
        _field(kind, part, number)
        for code, kind in KINDS.items()
        for part in kind.parts
        if code != POSITION or part.quantity is not Quantity.ALTITUDE
        for number in range(CHANNELS)
    )


def _by_weight() -> list[tuple[int, Kind]]:
    """Types of several numbers first, so that a position keeps its altitude."""
    return sorted(KINDS.items(), key=lambda item: -len(item[1].parts))


def _numbers(code: int, payload: bytes, at: int) -> tuple[int, ...]:
    unpack = UNPACK.get(code)
    if unpack is not None:
        return unpack.unpack_from(payload, at)
    return tuple(int.from_bytes(payload[start : start + 3], "big", signed=True) for start in range(at, at + 9, 3))


def _packed(kind: Kind, values: list[float]) -> bytes:
    size = kind.size // len(kind.parts)
    low, high = kind.limits
    packed = b""
    for part, value in zip(kind.parts, values, strict=True):
        if value - value != 0.0:
            raise EncodeError(f"{part.quantity.field} = {value} is no number that can be sent")
        raw = round(value * part.divisor)
        if not low <= raw <= high:
            field = f"{part.quantity.field} = {value}"
            raise EncodeError(f"{field} cannot be sent; {low / part.divisor} to {high / part.divisor} can")
        packed += raw.to_bytes(size, "big", signed=low < 0)
    return packed


def _channel_number(name: str) -> int:
    text = name.removeprefix(PREFIX).partition("_")[0]
    if not name.startswith(PREFIX) or not text.isdecimal() or int(text) >= CHANNELS:
        raise EncodeError(f"channel {name!r}: channels are {NAMES[0]} to {NAMES[-1]}")
    return int(text)


def _field(kind: Kind, part: Part, number: int) -> CodecField:
    low, high = kind.limits
    step = 1 / part.divisor
    return CodecField(
        part.quantity, channel(number, part.axis), part.quantity in VERIFIED, low * step, high * step, step
    )


PAYLOAD = Payload()
LPP = Codec(
    id="cayenne/lpp",
    vendor="myDevices",
    model="Cayenne Low Power Payload (any device)",
    family=Family.ENVIRONMENT,
    source="myDevices Cayenne LPP 2.0, data types; ElectronicCats/CayenneLPP README",
    ports={1: PAYLOAD},
    any_port=PAYLOAD,
    untested=True,
)

CODECS = (LPP,)
