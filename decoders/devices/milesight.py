"""Milesight EM400 and EM310 ultrasonic level sensors: channel id, channel type, little-endian value.

Source: Milesight-IoT/SensorDecoders em-series/em400-mud and em-series/em310-udl (README tables and decoders).
The temperature of an EM400 is that inside the bin; the family `waste` keeps it apart from city air.
"""

from decoders import attribute
from decoders.codec import Codec
from decoders.field import Attribute, Field, Part, Raw
from decoders.quantity import Family, Quantity
from decoders.tlv import ChannelTlv, Table

SERIAL_BYTES = 8
ALARM_CONFIGURATION_BYTES = 9
CLASSES = {0: "A", 1: "B", 2: "C", 3: "C to B"}
YES_NO = {0: "no", 1: "yes"}
MODES = {0: "standard", 1: "bin", 2: "parking"}
ANSWERS = (0xFE00, 0xFF00)


def _protocol_version() -> Attribute:
    """One byte, a nibble each: 01 is 0.1."""

    def text(raw: Raw) -> str:
        value = int(raw)
        return f"{value >> 4}.{value & 0xF}"

    def parse(text: str) -> int:
        major, minor = text.split(".")
        return (int(major) << 4) | int(minor)

    return Attribute("protocol_version", "B", text, parse)


def _hexadecimal_version(name: str, shift: int) -> Attribute:
    """Two bytes printed as hexadecimal digits; `shift` drops the second one's lower nibble: 01 10 is 1.1 or 1.10."""

    def text(raw: Raw) -> str:
        value = int(raw)
        return f"{value & 0xFF:x}.{value >> 8 + shift:x}"

    def parse(text: str) -> int:
        major, minor = (int(part, 16) for part in text.split("."))
        return major | minor << 8 + shift

    return Attribute(name, "H", text, parse)


# What every Milesight device says when it starts.
START: Table = {
    0xFF01: _protocol_version(),
    0xFF09: _hexadecimal_version("hardware_version", 4),
    0xFF0A: _hexadecimal_version("firmware_version", 0),
    0xFFFF: attribute.version("tsl_version", 2),
    0xFF16: attribute.hexadecimal("serial_number", SERIAL_BYTES),
    0xFF0F: attribute.words("lorawan_class", "B", CLASSES),
    0xFFFE: attribute.number("reset_event", "B"),
    0xFF0B: attribute.number("power_on", "B"),
}
# Answers to downlinks: what was set.
COMMON_ANSWERS: dict[int, Part] = {
    0x02: attribute.number("collection_interval_s", "H"),
    0x03: attribute.number("report_interval_s", "H"),
    0x06: attribute.hexadecimal("alarm_configuration", ALARM_CONFIGURATION_BYTES),
    0x10: attribute.number("reboot", "B"),
}
EM400_ANSWERS: dict[int, Part] = {
    **COMMON_ANSWERS,
    0x13: attribute.words("install_height_enabled", "B", YES_NO),
    0x1C: attribute.hexadecimal("recollection", 2),
    0x28: attribute.number("status_queried", "B"),
    0x3E: attribute.words("tilt_linkage_enabled", "B", YES_NO),
    0x4A: attribute.number("time_synchronised", "B"),
    0x56: attribute.words("tof_enabled", "B", YES_NO),
    0x70: attribute.number("people_height_mm", "H"),
    0x71: attribute.words("working_mode", "B", MODES),
    0x77: attribute.number("install_height_mm", "H"),
}


def _answers(parts: dict[int, Part]) -> Table:
    return {prefix | key: part for prefix in ANSWERS for key, part in parts.items()}


BATTERY = Field(Quantity.BATTERY_LEVEL, "B")
TEMPERATURE = Field(Quantity.AIR_TEMPERATURE, "h", divisor=10)
DISTANCE = Field(Quantity.DISTANCE, "H")
TILTED = Field(Quantity.TILTED, "B", values={0: 0, 1: 1})


def _alarm(channel: str) -> Field:
    """0 the threshold is no longer crossed, 1 it is."""
    return Field(Quantity.ALARM, "B", channel, verified=False)


EM400 = ChannelTlv(
    "<",
    {
        0x0175: BATTERY,
        0x8367: (TEMPERATURE, _alarm("temperature")),
        0x0367: TEMPERATURE,
        0x8482: (DISTANCE, _alarm("distance")),
        0x0482: DISTANCE,
        0x0500: TILTED,
        **START,
        **_answers(EM400_ANSWERS),
    },
)
EM310 = ChannelTlv("<", {0x0175: BATTERY, 0x0382: DISTANCE, 0x0400: TILTED, **START, **_answers(COMMON_ANSWERS)})

EM400_MUD = Codec(
    id="milesight/em400-mud",
    vendor="Milesight",
    model="EM400-MUD ultrasonic level (bins)",
    family=Family.WASTE,
    source="Milesight-IoT/SensorDecoders em-series/em400-mud README and decoder",
    ports={85: EM400},
    any_port=EM400,
)
EM310_UDL = Codec(
    id="milesight/em310-udl",
    vendor="Milesight",
    model="EM310-UDL ultrasonic level (bins)",
    family=Family.WASTE,
    source="Milesight-IoT/SensorDecoders em-series/em310-udl README and decoder",
    ports={85: EM310},
    any_port=EM310,
)
