"""What all Milesight devices share: channel id, channel type, little-endian value.

Source: Milesight-IoT/SensorDecoders, README tables and decoders of the models. Beside readings a device sends what it
is when it starts (ids FF), and answers to downlinks (ids FE and FF; F8 with a result, F9 without). Keys of its
device-to-device radio and passwords are stepped over, never kept. A value's type may also say that its reading raised
or released an alarm (ids from 83 on).
"""

from collections.abc import Mapping
from dataclasses import replace

from decoders import attribute
from decoders.codec import Codec
from decoders.field import Attribute, Bits, Field, Pad, Part, Raw
from decoders.layout import Layout
from decoders.quantity import Family, Privacy, Quantity
from decoders.tlv import ChannelTlv
from decoders.typed import Item, Table

F_PORT = 85
"""From the factory; it can be set, and every port is read alike."""
SERIAL_BYTES = 8
SHORT_SERIAL_BYTES = 6
KEY_BYTES = 8
ALARM_CONFIGURATION_BYTES = 9
CLASSES = {0: "A", 1: "B", 2: "C", 3: "C to B"}
YES_NO = {0: "no", 1: "yes"}
RESULTS = {0: "success", 1: "forbidden", 2: "invalid parameter"}
ANSWERS = (0xFE00, 0xFF00)
ANSWER_WITH_RESULT, ANSWER_WITHOUT = 0xF800, 0xF900

hexadecimal, number, version, words = attribute.hexadecimal, attribute.number, attribute.version, attribute.words


def switch(name: str) -> Attribute:
    """A setting that is on or off."""
    return words(name, "B", YES_NO)


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


def decimal(name: str, divisor: int) -> Attribute:
    """A signed word as a decimal number: 5 is 0.5 with a divisor of 10."""
    return Attribute(name, "h", lambda raw: str(int(raw) / divisor), lambda text: round(float(text) * divisor))


def compiled(table: Mapping[int, Part | tuple[Part, ...]]) -> Table:
    """A table whose layouts are built once, for several models."""
    return {key: Layout("<", *(item if isinstance(item, tuple) else (item,))) for key, item in table.items()}


def answers(parts: Mapping[int, Part | tuple[Part, ...]]) -> Table:
    """Answers to downlinks, by the setting that they answer."""
    layouts = compiled(parts)
    return {prefix | key: layout for prefix in ANSWERS for key, layout in layouts.items()}


def extended_answers(parts: Mapping[int, Part | tuple[Part, ...]]) -> Table:
    """Answers of newer firmware, with and without a result behind what was set."""
    every = {key: item if isinstance(item, tuple) else (item,) for key, item in parts.items()}
    result = words("answer", "B", RESULTS)
    return {
        **compiled({ANSWER_WITHOUT | key: item for key, item in every.items()}),
        **compiled({ANSWER_WITH_RESULT | key: (*item, result) for key, item in every.items()}),
    }


START = compiled(
    {
        0xFF01: _protocol_version(),
        0xFF09: _hexadecimal_version("hardware_version", 4),
        0xFF0A: _hexadecimal_version("firmware_version", 0),
        0xFFFF: version("tsl_version", 2),
        0xFF16: hexadecimal("serial_number", SERIAL_BYTES),
        0xFF0F: words("lorawan_class", "B", CLASSES),
        0xFFFE: number("reset_event", "B"),
        0xFF0B: number("power_on", "B"),
    }
)
SERIAL = 0xFF16
SHORT_SERIAL_START: Table = {
    **{key: layout for key, layout in START.items() if key != SERIAL},
    **compiled({0xFF08: hexadecimal("serial_number", SHORT_SERIAL_BYTES)}),
}
"""What older models say when they start."""
COMMON_ANSWERS: Mapping[int, Part | tuple[Part, ...]] = {
    0x02: number("collection_interval_s", "H"),
    0x03: number("report_interval_s", "H"),
    0x04: switch("confirmed_uplinks"),
    0x06: hexadecimal("alarm_configuration", ALARM_CONFIGURATION_BYTES),
    0x10: number("reboot", "B"),
    0x11: number("clock_s", "I"),
    0x17: decimal("time_zone_h", 10),
    0x18: hexadecimal("sensors_enabled", 2),
    0x1C: hexadecimal("recollection", 2),
    0x27: number("history_cleared", "B"),
    0x28: number("status_queried", "B"),
    0x35: Pad(KEY_BYTES),
    0x3B: switch("time_synchronisation_enabled"),
    0x4A: number("time_synchronised", "B"),
    0x68: switch("history_enabled"),
    0x69: switch("retransmission_enabled"),
    0x6A: hexadecimal("retransmission_interval", 3),
    0x6D: number("transmission_stopped", "B"),
    0x84: switch("d2d_enabled"),
    0x8E: (Pad(1), number("report_interval_min", "H")),
    0x96: hexadecimal("d2d_configuration", 8),
    0xAB: hexadecimal("calibration", 3),
    0xBD: number("time_zone_min", "h"),
    0xF1: hexadecimal("calibration", 4),
    0xF2: number("alarm_reports", "H"),
    0xF5: switch("alarm_release_enabled"),
}
ANSWERED = answers(COMMON_ANSWERS)

BATTERY = Field(Quantity.BATTERY_LEVEL, "B")
TEMPERATURE = Field(Quantity.AIR_TEMPERATURE, "h", divisor=10)
HUMIDITY = Field(Quantity.AIR_HUMIDITY, "B", divisor=2)
PRESSURE = Field(Quantity.AIR_PRESSURE, "H", divisor=10)
CO2 = Field(Quantity.CO2, "H")
TILTED = Field(Quantity.TILTED, "B", values={0: 0, 1: 1})


def alarm(channel: str, values: Mapping[int, float] | None = None) -> Field:
    """0 no longer an alarm, 1 an alarm, unless `values` say otherwise."""
    return Field(Quantity.ALARM, "B", channel, values=values or {0: 0, 1: 1})


def covered(table: Mapping[int, Item], *names: str) -> Table:
    """The table with just those fields marked as verified that are named: `quantity` or `quantity.channel`."""

    def marked(part: Part) -> Part:
        if isinstance(part, Bits):
            return Bits(part.code, *(marked_field(field) for field in part.fields), *part.attributes)
        return marked_field(part) if isinstance(part, Field) else part

    def marked_field(field: Field) -> Field:
        name = f"{field.quantity.field}.{field.channel}" if field.channel else field.quantity.field
        return replace(field, verified=name in names)

    def rebuilt(item: Item) -> Item:
        if isinstance(item, Layout):
            return item
        if isinstance(item, tuple):
            return tuple(marked(part) for part in item)
        return [marked(part) for part in item] if isinstance(item, list) else marked(item)

    return {key: rebuilt(item) for key, item in table.items()}


def model(
    name: str,
    kind: str,
    family: Family,
    source: str,
    frame: ChannelTlv,
    *,
    privacy: Privacy = Privacy.OPEN,
    untested: bool = False,
) -> Codec:
    """The codec of a model; `source` is its folder in SensorDecoders."""
    return Codec(
        id=f"milesight/{name.lower()}",
        vendor="Milesight",
        model=f"{name} {kind}",
        family=family,
        source=f"Milesight-IoT/SensorDecoders {source} README and decoder",
        ports={F_PORT: frame},
        any_port=frame,
        privacy=privacy,
        untested=untested,
    )
