"""inBiot MICA MINI, MICA, PLUS and WELL, indoor air quality.

Source: akenza-io/device-type-library types/inbiot/plus/uplink.js. A frame has room for all sensors; its text says which
model, and so which of them there are. FFFF is a sensor that still heats up. The units of gases are those of
types/inbiot/well/default.schema.json. The vendor's indices, which count from 0 to 100 with 100 the best, are
attributes; FF is one that is still being calculated. Earlier frames end before the sound level. The network address is
dropped.
"""

from collections.abc import Mapping

from decoders import attribute
from decoders.choice import Choice, by_length
from decoders.codec import Codec, Frame
from decoders.error import MalformedPayload, WrongLength
from decoders.field import Attribute, Const, Field, Pad, Part
from decoders.layout import Layout
from decoders.quantity import Family, Quantity

HEATING = 0xFFFF
CALCULATING = 0xFF
TEXT_AT, TEXT_END = 27, 31
CONFIGURATION, VALUES, INFORMATION = range(3)
RESETS = {
    0: "unknown",
    1: "power on",
    2: "external pin",
    3: "software",
    4: "exception",
    5: "interrupt watchdog",
    6: "task watchdog",
    7: "other watchdog",
    8: "deep sleep",
    9: "brownout",
    10: "SDIO",
}
REGIONS = {
    0: "AS923",
    1: "AU915",
    2: "CN470",
    3: "CN779",
    4: "EU433",
    5: "EU868",
    6: "KR920",
    7: "IN865",
    8: "US915",
    9: "RU864",
    10: "AS923-JP",
}
NO_YES = {0: "no", 1: "yes"}


def _mould_index() -> Attribute:
    return Attribute("mould_index", "B", lambda raw: "" if raw == CALCULATING else str(raw), int)


def _word(quantity: Quantity, *, scale: float = 1, divisor: float = 1, verified: bool = True) -> Field:
    return Field(quantity, "H", scale=scale, divisor=divisor, invalid=HEATING, verified=verified)


def _values(model: bytes, *, fine: bool, dust: bool, gases: bool) -> Frame:
    """What a model has: coarse dust and organic compounds, fine dust and formaldehyde, gases."""

    def of(there: bool, part: Part) -> Part:
        return part if there else Pad(2)

    parts: tuple[Part, ...] = (
        Const("B", VALUES, "frame type"),
        Field(Quantity.AIR_TEMPERATURE, "h", divisor=10),
        Field(Quantity.AIR_HUMIDITY, "H", divisor=10),
        Field(Quantity.CO2, "H"),
        of(fine, _word(Quantity.HCHO)),
        of(dust, _word(Quantity.TVOC)),
        of(fine, _word(Quantity.PM1)),
        of(dust, _word(Quantity.PM2_5)),
        of(fine, _word(Quantity.PM4)),
        of(dust, _word(Quantity.PM10)),
        of(gases, _word(Quantity.O3, verified=False)),
        of(gases, _word(Quantity.NO2, verified=False)),
        # Tenths of ppm.
        of(gases, _word(Quantity.CO, scale=100, verified=False)),
        attribute.number("measurement_counter", "H"),
        Const("I", int.from_bytes(model, "big"), "model"),
        Pad(1),
        *(attribute.number(f"{name}_index", "B") for name in ("ventilation", "thermal", "virus", "air_quality")),
        _mould_index(),
    )
    sound = Field(Quantity.SOUND_LEVEL_AVERAGE, "B", invalid=0xFF, verified=False)
    return by_length({"without sound": Layout(">", *parts), "with sound": Layout(">", *parts, sound)})


MODELS: Mapping[bytes, Frame] = {
    b"WELL": _values(b"WELL", fine=True, dust=True, gases=True),
    b"PLUS": _values(b"PLUS", fine=True, dust=True, gases=False),
    b"MICA": _values(b"MICA", fine=False, dust=True, gases=False),
    b"MINI": _values(b"MINI", fine=False, dust=False, gases=False),
    b"\0\0\0\0": _values(b"\0\0\0\0", fine=True, dust=True, gases=True),
}
CONFIGURATION_FRAME = Layout(
    ">",
    Const("B", CONFIGURATION, "frame type"),
    attribute.number("send_interval", "B"),
    attribute.number("ventilation", "B"),
    attribute.words("led_on", "B", NO_YES),
    attribute.words("wifi_used", "B", NO_YES),
    attribute.words("region", "B", REGIONS),
    attribute.number("channel_mask", "B"),
    attribute.number("led_configuration", "B"),
    attribute.words("touch_enabled", "B", NO_YES),
)
INFORMATION_FRAME = Layout(
    ">",
    Const("B", INFORMATION, "frame type"),
    attribute.hexadecimal("firmware_version", 3),
    attribute.plain_text("model", 17),
    attribute.plain_text("model_type", 9),
    Pad(6),
    attribute.number("modbus_address", "B"),
    attribute.number("modbus_parity", "B"),
    attribute.number("modbus_baud", "I"),
    attribute.words("reset_cause", "B", RESETS),
)


def _name(model: bytes) -> str:
    return model.rstrip(b"\0").decode("ascii") or "unnamed"


def _form(payload: bytes) -> str:
    """By the first byte, and the model's text."""
    if not payload:
        raise WrongLength("the payload is empty")
    if payload[0] in (CONFIGURATION, INFORMATION):
        return "configuration" if payload[0] == CONFIGURATION else "information"
    if payload[0] != VALUES or payload[TEXT_AT:TEXT_END] not in MODELS:
        raise MalformedPayload(f"frame type {payload[0]}, model {payload[TEXT_AT:TEXT_END].hex() or 'none'}")
    return _name(payload[TEXT_AT:TEXT_END])


FRAMES = Choice(
    {
        **{_name(model): frame for model, frame in MODELS.items()},
        "configuration": CONFIGURATION_FRAME,
        "information": INFORMATION_FRAME,
    },
    _form,
)

MICA = Codec(
    id="inbiot/plus",
    vendor="inBiot",
    model="MICA MINI, MICA, PLUS, WELL",
    family=Family.ENVIRONMENT,
    source="akenza-io/device-type-library types/inbiot/plus/uplink.js",
    ports={1: FRAMES},
    any_port=FRAMES,
)

CODECS = (MICA,)
