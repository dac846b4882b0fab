"""Quandify CubicMeter 1.1, ultrasonic water meter on a copper pipe; little-endian.

Source: akenza-io/device-type-library types/quandify/cubicmeter-1.1-copper/uplink.js (the vendor's decoder).
Temperatures are half degrees above -20 °C, battery voltages steps of 8 mV above 1.8 V. That decoder says "not sensing"
for the uppermost bit of the error code; here it is an alarm, so that 0 is good for all of them.
"""

from decoders import attribute
from decoders.choice import Choice
from decoders.codec import Codec
from decoders.error import MalformedPayload, WrongLength
from decoders.field import Attribute, Bits, Const, Field, Pad, Part
from decoders.layout import Layout
from decoders.quantity import Family, Privacy, Quantity

LEAKS = {0: "none", 1: "none", 2: "none", 3: "medium", 4: "large"}
RESPONSES = {0: "ok", 1: "command error", 2: "payload error", 3: "value error"}
STATES = {3: "ready", 4: "pipe selection", 5: "metering"}
PIPES = {
    0: "custom",
    1: "copper 15 mm",
    2: "copper 18 mm",
    3: "copper 22 mm",
    4: "chrome 15 mm",
    5: "chrome 18 mm",
    6: "chrome 22 mm",
    7: "pal 16 mm",
    8: "pal 20 mm",
    9: "pal 25 mm",
    14: "pex 16 mm",
    15: "pex 20 mm",
    16: "pex 25 mm",
    17: "distribution pipe",
}
STATUS, HARDWARE, SETTINGS = 1, 2, 4
TYPE_AT = 2


def _voltage(channel: str) -> Field:
    return Field(Quantity.BATTERY_VOLTAGE, "B", channel, scale=8, offset=1800, divisor=1000, verified=False)


def _water(channel: str) -> Field:
    return Field(Quantity.WATER_TEMPERATURE, "B", channel, offset=-40, divisor=2, verified=False)


def _version(raw: float | bytes) -> str:
    word = int(raw)
    return f"{word >> 24}.{word >> 16 & 0xFF}.{word & 0xFFFF}"


def _parse_version(text: str) -> int:
    major, minor, patch = (int(part) for part in text.split("."))
    if not (0 <= major <= 0xFF and 0 <= minor <= 0xFF and 0 <= patch <= 0xFFFF):  # noqa: PLR2004 - what the bytes hold
        raise ValueError(text)
    return major << 24 | minor << 16 | patch


REPORT: tuple[Part, ...] = (
    Pad(4),
    Bits("H", Field(Quantity.ALARM, "15", "no_water", verified=False), attribute.number("error_code", "0-14")),
    Field(Quantity.VOLUME_TOTAL, "I", verified=False),
    Pad(12),
    attribute.words("leak", "B", LEAKS),
    _voltage("active"),
    _voltage(""),
    _water("min"),
    _water("max"),
    Field(Quantity.DEVICE_TEMPERATURE, "B", offset=-40, divisor=2, verified=False),
)


def _response(kind: int, *parts: Part) -> Layout:
    return Layout("<", Pad(1), attribute.words("response", "B", RESPONSES), Const("B", kind), *parts)


FORMS = {
    "status": _response(STATUS, *REPORT),
    "hardware": _response(
        HARDWARE,
        Attribute("firmware_version", "I", _version, _parse_version),
        attribute.number("hardware_version", "B"),
        attribute.words("state", "B", STATES),
        Pad(22),
        attribute.words("pipe", "B", PIPES),
        Pad(6),
    ),
    "settings": _response(SETTINGS, Pad(5), attribute.number("report_interval_s", "I"), Pad(29)),
}
NAMES = {STATUS: "status", HARDWARE: "hardware", SETTINGS: "settings"}


def _form(payload: bytes) -> str:
    if len(payload) <= TYPE_AT:
        raise WrongLength(f"{len(payload)} bytes; a response has more than {TYPE_AT}")
    name = NAMES.get(payload[TYPE_AT])
    if name is None:
        raise MalformedPayload(f"unknown response {payload[TYPE_AT]}; known are {', '.join(map(str, NAMES))}")
    return name


CUBICMETER = Codec(
    id="quandify/cubicmeter",
    vendor="Quandify",
    model="CubicMeter 1.1 water meter",
    family=Family.METER,
    source="akenza-io/device-type-library types/quandify/cubicmeter-1.1-copper/uplink.js",
    ports={1: Layout("<", *REPORT), 6: Choice(FORMS, _form)},
    privacy=Privacy.PERSONAL,
)

CODECS = (CUBICMETER,)
