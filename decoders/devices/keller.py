"""KELLER ADT1 and ARC1, transmitters for pressure and level: floats for those channels whose bit is set.

Source: KELLER LoRa payload description (docs.kolibricloud.ch); channels by connection type as in
TheThingsNetwork/lorawan-devices vendor/keller/kellerpayload.js. Pressures are in bar, temperatures in °C, voltages in
V, conductivities in mS/cm; a channel without value is NaN. Numbers of SDI-12 sensors have no unit: attributes. The
port is set in the device.
"""

import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache

from decoders import attribute
from decoders.choice import by_prefix
from decoders.codec import Codec, CodecField
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.field import Attribute, Const, Field, Given, Pad
from decoders.layout import Layout
from decoders.measurement import Measurement, Reading
from decoders.quantity import Family, Quantity

MEASUREMENT = 1
INFORMATION = 12
HEAD = struct.Struct(">BBH")
KEPT = 512
DIGITS = 6
BAR_TO_HPA = 1000
MILLI_TO_MICRO = 1000


def _value(quantity: Quantity, channel: str, *, scale: float = 1, verified: bool = False) -> Field:
    return Field(quantity, "f", channel, scale=scale, digits=DIGITS, verified=verified)


# By the vendor's number of a channel.
CHANNELS: Mapping[int, Field | Attribute] = {
    1: _value(Quantity.WATER_PRESSURE, "p1_p2"),
    2: _value(Quantity.WATER_PRESSURE, "p1", verified=True),
    3: _value(Quantity.WATER_PRESSURE, "p2"),
    4: _value(Quantity.WATER_TEMPERATURE, "t"),
    5: _value(Quantity.WATER_TEMPERATURE, "tob1", verified=True),
    6: _value(Quantity.WATER_TEMPERATURE, "tob2"),
    7: _value(Quantity.AIR_PRESSURE, "", scale=BAR_TO_HPA, verified=True),
    8: _value(Quantity.DEVICE_TEMPERATURE, "barometer", verified=True),
    9: _value(Quantity.INPUT_VOLTAGE, "input1"),
    10: _value(Quantity.INPUT_VOLTAGE, "input2"),
    11: _value(Quantity.WATER_PRESSURE, "p1_baro", verified=True),
    12: _value(Quantity.WATER_CONDUCTIVITY, "compensated", scale=MILLI_TO_MICRO),
    13: _value(Quantity.WATER_CONDUCTIVITY, "raw", scale=MILLI_TO_MICRO),
    14: _value(Quantity.WATER_TEMPERATURE, "conductivity"),
    **{13 + number: _value(Quantity.WATER_PRESSURE, f"p1_{number}") for number in range(2, 6)},
    19: _value(Quantity.PULSE_COUNT_TOTAL, ""),
    **{19 + number: attribute.real(f"sdi12_{number}") for number in range(1, 11)},
    **{28 + number: _value(Quantity.WATER_TEMPERATURE, f"tob1_{number}") for number in range(2, 6)},
    42: _value(Quantity.WATER_CONDUCTIVITY, "compensated_2", scale=MILLI_TO_MICRO),
    43: _value(Quantity.WATER_CONDUCTIVITY, "compensated_3", scale=MILLI_TO_MICRO),
    44: _value(Quantity.WATER_TEMPERATURE, "conductivity_2"),
    45: _value(Quantity.WATER_TEMPERATURE, "conductivity_3"),
    46: _value(Quantity.WATER_PRESSURE, "p2_2"),
    47: _value(Quantity.WATER_TEMPERATURE, "tob2_2"),
}
FIRST = (1, 2, 3, 4, 5, 6)
AGAINST_AIR = (11, 2, 3, 4, 5, 6, 7, 8)
# What is connected: the channel of each bit, lowest first.
CONNECTIONS: Mapping[int, tuple[int, ...]] = {
    0: FIRST,
    1: FIRST,
    2: AGAINST_AIR,
    3: AGAINST_AIR,
    4: (*FIRST, 7, 8, 9, 10),
    5: (*AGAINST_AIR, 9, 10),
    6: (*FIRST, 7, 8, 9, 10, 15, 16, 17, 18, 19),
    7: (7, 8, 9, 10, *range(20, 30)),
    8: (2, 5, 15, 30, 16, 31, 17, 32, 18, 33, 9, 10, 7, 8, 19),
    9: (1, 2, 3, 14, 5, 6, 7, 8, 9, 10, 12, 13),
    10: (11, 2, 3, 14, 5, 6, 7, 8, 9, 10, 12, 13),
    11: (2, 5, 12, 14, 15, 30, 42, 44, 16, 31, 43, 45, 7, 8, 19),
    13: (2, 3, 5, 6, 15, 46, 30, 47, 7, 8, 9, 10, 19),
}


class Channels:
    """Function 1, the connection type, a bit for each channel that follows, lowest bit first."""

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """One measurement; NaN is no reading. A bit beyond the connection's channels is MalformedPayload."""
        if len(payload) < HEAD.size:
            raise WrongLength(f"{len(payload)} bytes; the head alone has {HEAD.size}")
        _, connection, bits = HEAD.unpack_from(payload)
        floats, parts = _present(connection, bits)
        if len(payload) != HEAD.size + floats.size:
            raise WrongLength(f"{len(payload)} bytes; {len(parts)} channels need {HEAD.size + floats.size}")
        readings: list[Reading] = []
        attributes = {"connection_type": str(connection)}
        for part, raw in zip(parts, floats.unpack_from(payload, HEAD.size), strict=True):
            if isinstance(part, Attribute):
                attributes[part.name] = part.text(raw)
            elif (reading := part.read(raw)) is not None:
                readings.append(reading)
        return (Measurement.of(time_ms, tuple(readings), {name: text for name, text in attributes.items() if text}),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """The frame of the given connection type, else of the first that has all the channels."""
        given = Given(measurement)
        asked = given.attributes.pop("connection_type", None)
        for connection in CONNECTIONS if asked is None else [_connection(asked)]:
            if _carries(connection, given):
                return _write(connection, given)
        raise EncodeError(f"no connection type has all of {', '.join(given.left()) or 'nothing'}")

    def fields(self) -> tuple[CodecField, ...]:
        """The channels of every connection type."""
        return tuple(
            part.describe()._replace(frame=f"connection type {connection}")
            for connection, numbers in CONNECTIONS.items()
            for part in _parts(numbers)
            if isinstance(part, Field)
        )


def _parts(numbers: Sequence[int]) -> list[Field | Attribute]:
    return [CHANNELS[number] for number in numbers]


@lru_cache(maxsize=KEPT)
def _present(connection: int, bits: int) -> tuple[struct.Struct, tuple[Field | Attribute, ...]]:
    """The floats and channels of a frame."""
    numbers = CONNECTIONS.get(connection)
    if numbers is None:
        raise MalformedPayload(f"unknown connection type {connection}")
    if bits >> len(numbers):
        raise MalformedPayload(f"channels {bits:#06x}; connection type {connection} has {len(numbers)}")
    parts = _parts([number for place, number in enumerate(numbers) if bits >> place & 1])
    return struct.Struct(f">{len(parts)}f"), tuple(parts)


def _connection(asked: str) -> int:
    if not asked.isdecimal() or int(asked) not in CONNECTIONS:
        raise EncodeError(f"connection_type = {asked!r} is none of {', '.join(map(str, CONNECTIONS))}")
    return int(asked)


def _carries(connection: int, given: Given) -> bool:
    parts = _parts(CONNECTIONS[connection])
    places = {(part.quantity, part.channel) for part in parts if isinstance(part, Field)}
    names = {part.name for part in parts if isinstance(part, Attribute)}
    return given.values.keys() <= places and given.attributes.keys() <= names and bool(given.left())


def _write(connection: int, given: Given) -> bytes:
    """The frame with those channels that are given."""
    bits, raws = 0, []
    for place, part in enumerate(_parts(CONNECTIONS[connection])):
        there = (
            part.name in given.attributes
            if isinstance(part, Attribute)
            else (part.quantity, part.channel) in given.values
        )
        if there:
            bits |= 1 << place
            raws.append(part.write(given))
    return HEAD.pack(MEASUREMENT, connection, bits) + struct.pack(f">{len(raws)}f", *raws)


INFORMATION_FRAME = Layout(
    ">",
    Const("B", INFORMATION, "function"),
    Pad(1),
    attribute.version("device_class", 2),
    # Year and week.
    attribute.version("software_version", 2),
    attribute.number("serial_number", "I"),
    # The device's clock, in seconds since 2000.
    Pad(4),
    Field(Quantity.BATTERY_VOLTAGE, "f", digits=3, verified=False),
    Field(Quantity.BATTERY_LEVEL, "B", verified=False),
    # Inside the housing.
    Field(Quantity.DEVICE_HUMIDITY, "B", verified=False),
)
FRAMES = by_prefix(
    {
        "measurement": (bytes((MEASUREMENT,)), Channels()),
        "information": (bytes((INFORMATION,)), INFORMATION_FRAME),
    }
)

LEVEL = Codec(
    id="keller/level",
    vendor="KELLER",
    model="ADT1 and ARC1 pressure and level transmitters",
    family=Family.ENVIRONMENT,
    source="KELLER LoRa payload description; TheThingsNetwork/lorawan-devices vendor/keller/kellerpayload.js",
    ports={1: FRAMES},
    any_port=FRAMES,
)

CODECS = (LEVEL,)
