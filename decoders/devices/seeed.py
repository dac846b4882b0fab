"""Seeed SenseCAP: the S2120 weather station, and the S210x line with other devices of the same frames ("V2").

Source: SenseCAP S2120 user guide, data frames; Seeed-Solution/TTN-Payload-Decoder; actility/device-catalog
vendors/sensecap/drivers/s2120; TheThingsNetwork/lorawan-devices vendor/sensecap sensecap210x-codec.yaml; Seeed's list
of measurement ids. The S2120's decoder reads every number as signed; here only the temperature is. The least signed
number means "no reading", as in that vendor's later decoders. The S210x's decoder checks no checksum; this one does.
"""

from collections.abc import Iterator, Mapping

from decoders import attribute
from decoders.codec import Codec, CodecField
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.field import Attribute, Field, Given, Pad, Part, Raw
from decoders.layout import Layout
from decoders.measurement import NO_ATTRIBUTES, Measurement, Reading
from decoders.quantity import Family, Quantity
from decoders.tlv import UNKNOWN_TYPE, ChannelTlv

LEAST_16 = -0x8000
LEAST_32 = -0x80000000
ERRORS = {
    0x00: "none",
    0x01: "sensor not found",
    0x02: "wake-up failed",
    0x03: "no response",
    0x04: "no data",
    0x05: "wrong head",
    0x06: "wrong checksum",
    0x07: "first block invalid",
    0x08: "second block invalid",
    0x09: "random number differs",
    0x0A: "signature of the key wrong",
    0x0B: "signature of the data wrong",
    0x0C: "value too high",
    0x0D: "value too low",
    0x0E: "value missing",
    0x0F: "wrong argument",
    0x10: "bus busy",
    0x11: "wrong data on the bus",
    0x12: "register missing",
    0x13: "function failed",
    0x14: "strategy not written",
    0x15: "wrong configuration",
    0xFF: "unknown",
}
number, version = attribute.number, attribute.version
BATTERY = Field(Quantity.BATTERY_LEVEL, "B", verified=False)
INTERVALS = (number("interval_min", "H"), number("gps_interval_min", "H"))
AIR: tuple[Part, ...] = (
    Field(Quantity.AIR_TEMPERATURE, "h", divisor=10, invalid=LEAST_16),
    Field(Quantity.AIR_HUMIDITY, "B"),
    Field(Quantity.ILLUMINANCE, "I"),
    Field(Quantity.UV_INDEX, "B", divisor=10),
    Field(Quantity.WIND_SPEED, "H", divisor=10),
)
WEATHER: tuple[Part, ...] = (
    Field(Quantity.WIND_DIRECTION, "H"),
    Field(Quantity.PRECIPITATION_RATE, "I", divisor=1000),
    # Tens of Pascals.
    Field(Quantity.AIR_PRESSURE, "H", divisor=10),
)
# Several of these stand one after the other.
S2120_FRAMES = ChannelTlv(
    ">",
    {
        0x4A: AIR,
        0x4B: WEATHER,
        0x4C: (
            Field(Quantity.WIND_GUST, "H", divisor=10),
            Field(Quantity.PRECIPITATION_TOTAL, "I", divisor=1000),
        ),
        0x01: AIR,
        0x02: WEATHER,
        0x03: BATTERY,
        0x04: (BATTERY, version("hardware_version", 2), version("firmware_version", 2), *INTERVALS),
        0x05: INTERVALS,
        0x06: attribute.words("sensor_error", "B", ERRORS),
        0x10: (number("sensor_status", "B"), attribute.hexadecimal("sensor_id", 8)),
    },
    type_bytes=1,
)

RECORD_BYTES = 7
VALUE_AT = 3
HUNDRED = 100
CHECKSUM_BYTES = 2
CHECKSUM_POLYNOMIAL = 0x8408
SENSOR = 1
NODE = 0
SENSOR_ID = ("sensor_id_high", "sensor_id_low")


def _table() -> tuple[int, ...]:
    found = []
    for byte in range(256):
        rest = byte
        for _ in range(8):
            rest = rest >> 1 ^ (CHECKSUM_POLYNOMIAL if rest & 1 else 0)
        found.append(rest)
    return tuple(found)


CHECKSUM_TABLE = _table()


def checksum(payload: bytes) -> int:
    """CRC-16 of the reflected polynomial 8408 from zero; over a whole frame with its checksum it is zero."""
    rest = 0
    for byte in payload:
        rest = rest >> 8 ^ CHECKSUM_TABLE[(rest ^ byte) & 0xFF]
    return rest


def _bytes(raw: Raw) -> bytes:
    if not isinstance(raw, bytes):
        raise TypeError(f"{raw!r} are no bytes")
    return raw


def _backwards_version(name: str) -> Attribute:
    """A version of two bytes, the last one first: 01 02 is 2.1."""
    return Attribute(
        name,
        "2s",
        lambda raw: ".".join(map(str, reversed(_bytes(raw)))),
        lambda text: bytes(int(part) for part in reversed(text.split("."))),
    )


def _backwards_hexadecimal(name: str) -> Attribute:
    return Attribute(name, "4s", lambda raw: _bytes(raw)[::-1].hex(), lambda text: bytes.fromhex(text)[::-1])


def _production_date() -> Attribute:
    """Day, month, year and century: 09 0c 13 14 is 2019-12-09."""

    def text(raw: Raw) -> str:
        day, month, year, century = _bytes(raw)
        known = century and max(_bytes(raw)) < HUNDRED
        return f"{century:02}{year:02}-{month:02}-{day:02}" if known else ""

    def parse(text: str) -> bytes:
        year, month, day = text.split("-")
        return bytes((int(day), int(month), int(year[2:]), int(year[:2])))

    return Attribute("production_date", "4s", text, parse)


def _measured(
    quantity: Quantity, *, divisor: float = 1000, scale: float = 1, channel: str = "", verified: bool = False
) -> Layout:
    return Layout("<", Field(quantity, "i", channel, divisor=divisor, scale=scale, invalid=LEAST_32, verified=verified))


# Thousandths of Seeed's unit, which differs from ours where a divisor stands.
RECORDS: dict[int, tuple[int, Layout]] = {
    0x0000: (NODE, Layout("<", _backwards_version("firmware_version"), _backwards_version("hardware_version"))),
    0x0007: (NODE, Layout("<", Field(Quantity.BATTERY_LEVEL, "H"), number("interval_min", "H"))),
    0x0120: (SENSOR, Layout("<", attribute.words("sensor", "I", {0: "removed"}))),
    0x0001: (SENSOR, Layout("<", _backwards_version("sensor_firmware"), _backwards_version("sensor_hardware"))),
    0x0002: (SENSOR, Layout("<", _backwards_hexadecimal(SENSOR_ID[1]))),
    0x0003: (SENSOR, Layout("<", _backwards_hexadecimal(SENSOR_ID[0]))),
    0x0004: (SENSOR, Layout("<", _production_date())),
    0x0005: (SENSOR, Layout("<", Pad(4))),
    0x0006: (SENSOR, Layout("<", Pad(4))),
    4097: (SENSOR, _measured(Quantity.AIR_TEMPERATURE, verified=True)),
    4098: (SENSOR, _measured(Quantity.AIR_HUMIDITY, verified=True)),
    4099: (SENSOR, _measured(Quantity.ILLUMINANCE)),
    4100: (SENSOR, _measured(Quantity.CO2)),
    4101: (SENSOR, _measured(Quantity.AIR_PRESSURE, divisor=100_000)),
    4102: (SENSOR, _measured(Quantity.SOIL_TEMPERATURE)),
    4103: (SENSOR, _measured(Quantity.SOIL_MOISTURE)),
    4104: (SENSOR, _measured(Quantity.WIND_DIRECTION)),
    4105: (SENSOR, _measured(Quantity.WIND_SPEED)),
    4106: (SENSOR, _measured(Quantity.PH)),
    4107: (SENSOR, _measured(Quantity.PAR, channel="light_quantum")),
    4108: (SENSOR, _measured(Quantity.SOIL_CONDUCTIVITY, divisor=1)),
    4110: (SENSOR, _measured(Quantity.SOIL_MOISTURE, channel="volumetric")),
    4113: (SENSOR, _measured(Quantity.PRECIPITATION_RATE)),
    4115: (SENSOR, _measured(Quantity.DISTANCE, divisor=100)),
    4117: (SENSOR, _measured(Quantity.WATER_LEVEL, divisor=100)),
    4118: (SENSOR, _measured(Quantity.NH3, divisor=1)),
    4119: (SENSOR, _measured(Quantity.H2S, divisor=1)),
    4123: (SENSOR, _measured(Quantity.WATER_CONDUCTIVITY)),
    4124: (SENSOR, _measured(Quantity.WATER_TEMPERATURE)),
    4127: (SENSOR, _measured(Quantity.SOLAR_IRRADIANCE)),
    4129: (SENSOR, _measured(Quantity.PAR)),
    # Seeed's tension is a pressure below zero.
    4133: (SENSOR, _measured(Quantity.SOIL_WATER_TENSION, scale=-1)),
    4136: (SENSOR, _measured(Quantity.SURFACE_TEMPERATURE, channel="leaf")),
    4137: (SENSOR, _measured(Quantity.LEAF_WETNESS)),
}


class Records:
    """Records of seven bytes (channel, id, value; little-endian) and a checksum behind all of them.

    Ids that are not listed are stepped over; the attribute `unknown_type` names the first of them. Of two readings of
    one quantity and channel the later one holds.
    """

    __slots__ = ()

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """One measurement at the given time."""
        if len(payload) <= CHECKSUM_BYTES or (len(payload) - CHECKSUM_BYTES) % RECORD_BYTES:
            raise WrongLength(f"{len(payload)} bytes; the frame has {RECORD_BYTES} a record and {CHECKSUM_BYTES}")
        if checksum(payload):
            raise MalformedPayload(f"checksum {payload[-CHECKSUM_BYTES:].hex()} is wrong")
        readings: list[Reading] = []
        attributes: dict[str, str] = {}
        for at in range(0, len(payload) - CHECKSUM_BYTES, RECORD_BYTES):
            key = int.from_bytes(payload[at + 1 : at + VALUE_AT], "little")
            record = RECORDS.get(key)
            if record is None:
                attributes.setdefault(UNKNOWN_TYPE, f"{key:#06x}")
            else:
                record[1].read(payload, at + VALUE_AT, readings, attributes)
        if SENSOR_ID[0] in attributes and SENSOR_ID[1] in attributes:
            attributes["sensor_id"] = attributes.pop(SENSOR_ID[0]) + attributes.pop(SENSOR_ID[1])
        latest = {(reading.quantity, reading.channel): reading for reading in readings}
        return (Measurement.of(time_ms, tuple(latest.values()), attributes or NO_ATTRIBUTES),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """The frame that carries the whole measurement, in the order of the table, or EncodeError."""
        given = Given(measurement)
        sensor_id = given.attributes.pop("sensor_id", "")
        if sensor_id:
            half = len(sensor_id) // 2
            given.attributes.update(zip(SENSOR_ID, (sensor_id[:half], sensor_id[half:]), strict=True))
        payload = b"".join(_records(given))
        given.refuse_rest()
        if not payload:
            raise EncodeError("nothing to send")
        return payload + checksum(payload).to_bytes(CHECKSUM_BYTES, "little")

    def fields(self) -> tuple[CodecField, ...]:
        """What the records carry."""
        return tuple(field for _, layout in RECORDS.values() for field in layout.fields())


def _records(given: Given) -> Iterator[bytes]:
    for key, (channel, layout) in RECORDS.items():
        if layout.carries(given):
            yield bytes((channel,)) + key.to_bytes(2, "little") + layout.write(given)


S210X_FRAMES = Records()

S2120 = Codec(
    id="seeed/sensecap-s2120",
    vendor="Seeed",
    model="SenseCAP S2120 weather station",
    family=Family.ENVIRONMENT,
    source="SenseCAP S2120 user guide; actility/device-catalog vendors/sensecap/drivers/s2120",
    ports={3: S2120_FRAMES},
    any_port=S2120_FRAMES,
)
S210X = Codec(
    id="seeed/sensecap-s210x",
    vendor="Seeed",
    model="SenseCAP S2101 to S2110 and other devices with V2 frames",
    family=Family.ENVIRONMENT,
    source="TheThingsNetwork/lorawan-devices vendor/sensecap/sensecap210x-codec.yaml; Seeed's list of measurement ids",
    ports={2: S210X_FRAMES},
    any_port=S210X_FRAMES,
)

CODECS = (S210X, S2120)
