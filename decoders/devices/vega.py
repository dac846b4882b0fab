"""VEGAPULS Air 23, 41, 42, radar level: packets by their first byte, big-endian.

Source: VEGA packet descriptions as in actility/device-catalog vendors/vega/drivers/vegapuls-air (packets 2 to 5) and
akenza-io/device-type-library types/vegapulse (all). NaN is no reading: a failed measurement, a position that was not
attempted (sign bit set) or not found. 8000 is no temperature or percentage; akenza's decoder drops those too whose
bytes only look like it. The measured value is a distance or a level, as the device is set; units other than those of
length (volume, mass) give no reading. The temperature is that of the electronics.
"""

from collections.abc import Collection, Mapping

from decoders import attribute
from decoders.choice import Choice
from decoders.codec import Codec, CodecField, Frame
from decoders.direct import Direct, Values, Words, Written
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.field import Attribute, Const, Field, Part
from decoders.layout import Layout
from decoders.measurement import Measurement, Place, Reading
from decoders.quantity import Family, Quantity

NO_NUMBER = -0x8000
METRE = "m"
CELSIUS = "°C"
FAHRENHEIT = "°F"
# HART's codes of units; factors from a metre, which is how the table reads every length.
LENGTHS: Mapping[int, tuple[str, float]] = {
    0x2C: ("ft", 0.3048),
    0x2D: (METRE, 1),
    0x2F: ("in", 0.0254),
    0x31: ("mm", 0.001),
}
FACTORS = dict(LENGTHS.values())
TEMPERATURES = {0x20: CELSIUS, 0x21: FAHRENHEIT}
NAMUR = {0: "good", 1: "function check", 2: "maintenance required", 3: "out of specification", 4: "failure"}
DIGITS = 1
NAME_BYTES = 19
SCHEDULE_BYTES = 7

NAMUR_STATUS = attribute.words("namur_status", "B", NAMUR)
VALUE: tuple[Part, ...] = (
    Field(Quantity.DISTANCE, "f", scale=1000, digits=DIGITS),
    attribute.words("unit", "B", {code: name for code, (name, _) in LENGTHS.items()}),
)
PERCENTAGES: tuple[Part, ...] = (
    Field(Quantity.FILL_LEVEL, "h", divisor=100, invalid=NO_NUMBER, verified=False),
    Field(Quantity.FILL_LEVEL, "h", "linearised", divisor=100, invalid=NO_NUMBER, verified=False),
    attribute.real("scaled_value"),
    attribute.number("scaled_unit", "B"),
)
BATTERY = Field(Quantity.BATTERY_LEVEL, "B")
POSITION: tuple[Part, ...] = (
    Field(Quantity.LATITUDE, "f", digits=6),
    Field(Quantity.LONGITUDE, "f", digits=6),
)
STATUS = attribute.number("device_status", "I")
TEMPERATURE = Field(Quantity.DEVICE_TEMPERATURE, "h", divisor=10, invalid=NO_NUMBER)
TILT = Field(Quantity.TILT_ANGLE, "B")
IDENTITY: tuple[Part, ...] = (
    attribute.number("information", "B"),
    attribute.number("dtm_id", "I"),
    attribute.number("manufacturer_id", "I"),
)
DEVICE: tuple[Part, ...] = (attribute.number("device_type", "I"), attribute.version("software_version", 4))
SCHEDULE: tuple[Part, ...] = (
    attribute.hexadecimal("schedule", SCHEDULE_BYTES),
    attribute.number("schedule_changes", "H"),
)
SCALE: tuple[Part, ...] = (attribute.real("scaled_minimum"), attribute.real("scaled_maximum"))

WITH_NAMUR = frozenset({10, 11, 14, 15, 19, 20, 21, 22})
WITH_VALUE = frozenset({*range(8, 16), 18, 19})
WITH_PERCENTAGES = frozenset({12, 13, 14, 15, 22})
WITH_POSITION = frozenset({9, 11, 13, 15, 21})
WITH_STATUS = frozenset({10, 11, 14, 15, 20})
WITH_TEMPERATURE = frozenset({*range(8, 16), 18, 20})


def _newer(packet: int) -> tuple[Part, ...]:
    """Packets 8 to 15 and 18 to 22: the same parts in the same order, each packet with some of them."""
    parts: list[Part] = []
    for packets, some in (
        (WITH_NAMUR, (NAMUR_STATUS,)),
        (WITH_VALUE, VALUE),
        (WITH_PERCENTAGES, PERCENTAGES),
        (WITH_VALUE, (BATTERY,)),
        (WITH_POSITION, POSITION),
        (WITH_STATUS, (STATUS,)),
        (WITH_TEMPERATURE, (TEMPERATURE, attribute.words("temperature_unit", "B", TEMPERATURES))),
        (WITH_VALUE, (TILT,)),
    ):
        if packet in packets:
            parts += some
    return tuple(parts)


OLDER = (NAMUR_STATUS, *VALUE, BATTERY, TEMPERATURE)
PACKETS: Mapping[int, tuple[Part, ...]] = {
    **{packet: _newer(packet) for packet in (*range(8, 16), *range(18, 23))},
    2: (*OLDER, TILT),
    3: (*OLDER, *POSITION, TILT),
    4: (*OLDER, STATUS, TILT),
    5: (*OLDER, *POSITION, STATUS, TILT),
    6: (NAMUR_STATUS, *POSITION),
    7: (NAMUR_STATUS, STATUS),
    16: (*IDENTITY, *DEVICE, *SCHEDULE, *SCALE),
    17: (attribute.plain_text("device_name", NAME_BYTES), attribute.plain_text("device_tag", NAME_BYTES)),
    23: (NAMUR_STATUS, *IDENTITY),
    24: (NAMUR_STATUS, *DEVICE),
    25: (NAMUR_STATUS, *SCHEDULE),
    26: (NAMUR_STATUS, *SCALE),
    # A packet without content that keeps the connection.
    254: (),
}


class Packet(Direct):
    """A packet whose length and temperature carry their units; sent in metres and °C unless others are given."""

    decisive = True

    def __init__(self, number: int, parts: tuple[Part, ...]) -> None:
        self._layout = Layout(">", Const("B", number, "packet"), *parts)
        names = {part.name for part in parts if isinstance(part, Attribute)}
        self._defaults = {
            name: text for name, text in (("unit", METRE), ("temperature_unit", CELSIUS)) if name in names
        }

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
        """One measurement in our units."""
        (measurement,) = self._layout.decode(payload, time_ms, parameters)
        attributes = measurement.attributes
        if all(attributes.get(name) == text for name, text in self._defaults.items()):
            return (measurement,)
        readings = (_converted(reading, attributes) for reading in measurement.readings)
        return (measurement._replace(readings=tuple(item for item in readings if item is not None)),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """The packet in the units that the attributes name."""
        attributes = {**self._defaults, **measurement.attributes}
        readings = tuple(_converted_back(reading, attributes) for reading in measurement.readings)
        return self._layout.encode(measurement._replace(readings=readings, attributes=attributes), parameters)

    def written(self, values: Values, words: Words, parameters: Mapping[str, float]) -> Written | None:
        """The packet in metres and °C."""
        return None if words else self._layout.written(values, self._defaults, parameters)

    def has_places(self, places: Collection[Place]) -> bool:
        """Whether readings of just these places could be carried, whatever their values are."""
        return self._layout.has_places(places)

    def fields(self) -> tuple[CodecField, ...]:
        """What the packet carries."""
        return self._layout.fields()


def _converted(reading: Reading, attributes: Mapping[str, str]) -> Reading | None:
    """A reading in our unit; None where the sender's unit is not one of its quantity."""
    if reading.quantity is Quantity.DISTANCE:
        factor = FACTORS.get(attributes.get("unit", METRE))
        return None if factor is None else reading._replace(value=round(reading.value * factor, DIGITS))
    if reading.quantity is Quantity.DEVICE_TEMPERATURE:
        unit = attributes.get("temperature_unit", CELSIUS)
        if unit == FAHRENHEIT:
            return reading._replace(value=round((reading.value - 32) / 1.8, DIGITS))
        return reading if unit == CELSIUS else None
    return reading


def _converted_back(reading: Reading, attributes: Mapping[str, str]) -> Reading:
    """A reading in the sender's unit; EncodeError for units in which it cannot be told."""
    unit, factor = attributes.get("unit", METRE), FACTORS.get(attributes.get("unit", METRE))
    if reading.quantity is Quantity.DISTANCE:
        if factor is None:
            raise EncodeError(f"unit {unit} is none of a distance")
        return reading._replace(value=reading.value / factor)
    unit = attributes.get("temperature_unit", CELSIUS)
    if reading.quantity is Quantity.DEVICE_TEMPERATURE and unit != CELSIUS:
        if unit != FAHRENHEIT:
            raise EncodeError(f"unit {unit} is none of a temperature")
        return reading._replace(value=reading.value * 1.8 + 32)
    return reading


FRAMES: Mapping[str, Frame] = {f"packet {number}": Packet(number, parts) for number, parts in PACKETS.items()}


def _packet(payload: bytes) -> str:
    if not payload:
        raise WrongLength("the payload is empty")
    if payload[0] not in PACKETS:
        raise MalformedPayload(f"unknown packet {payload[0]}")
    return f"packet {payload[0]}"


PULS_AIR_FRAME = Choice(FRAMES, _packet)

PULS_AIR = Codec(
    id="vega/vegapuls-air",
    vendor="VEGA",
    model="VEGAPULS Air 23, 41, 42 radar level",
    family=Family.ENVIRONMENT,
    source="actility/device-catalog vendors/vega/drivers/vegapuls-air; akenza-io/device-type-library types/vegapulse",
    ports={1: PULS_AIR_FRAME},
    any_port=PULS_AIR_FRAME,
)

CODECS = (PULS_AIR,)
