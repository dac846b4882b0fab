"""Netvox RA07 series (RA0715, RA0723 …) and RA0716, air and water monitors: one frame per report type.

Source: TheThingsNetwork/lorawan-devices vendor/netvox/payload (ra0715_r72615_ra0715y_r72615a.js, ra0716.js) and the
vendor's application command document. All ones in a sensor's place: not connected. A battery of 0 V is how a device
on mains says so: no reading. Gases come in tenths of ppm; which amount of air the numbers of particles belong to is
not documented. A device may have several probes of one kind; the probe is the channel: the water of pH, turbidity and
dissolved oxygen, the soil of EC-5 and 5TE.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from decoders import attribute
from decoders.choice import Choice, by_bits, by_prefix
from decoders.codec import Codec
from decoders.field import Attribute, Bits, Const, Field, Pad, Part, Raw
from decoders.layout import Layout
from decoders.quantity import Family, Quantity

FRAME_BYTES = 11
TYPE_AT = 2
ABSENT = 0xFFFF
TENTH_PPM = 100
VERSION = Const("B", 1, "payload version")
RA07_DEVICES = {5: "RA07Series", 9: "R726Series", 13: "RA07**YSeries", 87: "R718PA", 88: "R718PB"}
RA0716_DEVICES = {53: "RA0716", 54: "R72616", 55: "R72716", 106: "R72616A"}
CONFIGURED = b"\x81"
CONFIGURATION = b"\x82"
OUTCOMES = {0: "success"}

Key = tuple[Quantity, str]


def _word(quantity: Quantity, channel: str = "", *, scale: float = 1, divisor: float = 1) -> Field:
    return Field(quantity, "H", channel, scale=scale, divisor=divisor, invalid=ABSENT)


def _signed(quantity: Quantity, channel: str = "", *, divisor: float = 1) -> Field:
    return Field(quantity, "h", channel, divisor=divisor, invalid=-1)


def _gases(*quantities: Quantity) -> tuple[Field, ...]:
    return tuple(_word(quantity, scale=TENTH_PPM) for quantity in quantities)


def _particles(*sizes: str) -> tuple[Field, ...]:
    return tuple(_word(Quantity.PARTICLE_COUNT, size) for size in sizes)


PM = (_word(Quantity.PM1), _word(Quantity.PM2_5), _word(Quantity.PM10))
REPORTS: Mapping[int, tuple[Part, ...]] = {
    1: PM,
    2: PM,
    3: _particles("um0_3", "um0_5", "um1"),
    4: _particles("um2_5", "um5", "um10"),
    5: _gases(Quantity.O3, Quantity.CO, Quantity.NO),
    6: _gases(Quantity.NO2, Quantity.SO2, Quantity.H2S),
    7: (
        _word(Quantity.CO2, divisor=10),
        *_gases(Quantity.NH3),
        _word(Quantity.SOUND_LEVEL_AVERAGE, divisor=10),
    ),
    8: (
        _word(Quantity.PH, divisor=100),
        _signed(Quantity.WATER_TEMPERATURE, "ph", divisor=100),
        _signed(Quantity.REDOX_POTENTIAL),
    ),
    9: (
        _word(Quantity.TURBIDITY, divisor=10),
        _signed(Quantity.WATER_TEMPERATURE, "turbidity", divisor=100),
        _word(Quantity.SOIL_MOISTURE, "ec5", divisor=100),
    ),
    10: (
        _word(Quantity.SOIL_MOISTURE, "5te", divisor=100),
        _signed(Quantity.SOIL_TEMPERATURE, divisor=100),
        _word(Quantity.WATER_LEVEL),
        # Tenths of mS/cm.
        Field(Quantity.SOIL_CONDUCTIVITY, "B", scale=100, invalid=0xFF),
    ),
    11: (
        _signed(Quantity.WATER_TEMPERATURE, "oxygen", divisor=100),
        _word(Quantity.DISSOLVED_OXYGEN, divisor=100),
        _word(Quantity.OXYGEN_SATURATION, divisor=10),
    ),
    12: (
        _signed(Quantity.AIR_TEMPERATURE, divisor=100),
        _word(Quantity.AIR_HUMIDITY, divisor=100),
        _word(Quantity.WIND_SPEED, divisor=100),
    ),
    13: (_word(Quantity.WIND_DIRECTION), Field(Quantity.AIR_PRESSURE, "I", divisor=100, invalid=0xFFFFFFFF)),
    14: (_word(Quantity.TVOC, scale=TENTH_PPM),),
}
RA0716_REPORTS: Mapping[int, tuple[Part, ...]] = {
    1: (
        _signed(Quantity.AIR_TEMPERATURE, divisor=100),
        _word(Quantity.AIR_HUMIDITY, divisor=100),
        _word(Quantity.PM2_5),
    ),
}
BATTERY = Bits(
    "B",
    Field(Quantity.BATTERY_VOLTAGE, "0-6", divisor=10, invalid=0),
    Field(Quantity.ALARM, "7", "battery", verified=False),
)
NAMES = {
    1: "particulate matter",
    2: "particulate matter, again",
    3: "small particles",
    4: "large particles",
    5: "O3, CO, NO",
    6: "NO2, SO2, H2S",
    7: "CO2, NH3, noise",
    8: "pH, redox potential",
    9: "turbidity, soil moisture",
    10: "soil, water level",
    11: "dissolved oxygen",
    12: "temperature, humidity, wind speed",
    13: "wind direction, pressure",
    14: "VOC",
}


def _software_version() -> Attribute:
    """Tenths: 130 is 13."""

    def text(raw: Raw) -> str:
        return f"{int(raw) / 10:g}"

    return Attribute("software_version", "B", text, lambda words: round(float(words) * 10))


def _frame(kind: int, device: Attribute, parts: tuple[Part, ...]) -> Layout:
    head = (VERSION, device, Const("B", kind, "report type"))
    size = Layout(">", *head, *parts).size
    return Layout(">", *head, *parts, Pad(FRAME_BYTES - size)) if size < FRAME_BYTES else Layout(">", *head, *parts)


def _reports(devices: Mapping[int, str], reports: Mapping[int, tuple[Part, ...]], verified: Iterable[Key]) -> Choice:
    """The frames of port 6; `verified` are the readings that published vectors carry."""
    known = frozenset(verified)
    device = attribute.words("device_type", "B", devices)
    start = (
        _software_version(),
        attribute.number("hardware_version", "B"),
        attribute.hexadecimal("date_code", 4),
    )
    forms = {0: ("start", _frame(0, device, start))}
    for kind, parts in reports.items():
        carried = (_known(part, known) for part in (BATTERY, *parts))
        forms[kind] = (NAMES[kind], _frame(kind, device, (*carried,)))
    return by_bits(TYPE_AT, "0-7", forms, "report type")


def _known(part: Part, verified: frozenset[Key]) -> Part:
    if isinstance(part, Bits):
        return Bits(part.code, *(_checked(field, verified) for field in part.fields))
    return _checked(part, verified) if isinstance(part, Field) else part


def _checked(field: Field, verified: frozenset[Key]) -> Field:
    return replace(field, verified=(field.quantity, field.channel) in verified)


def _answers(devices: Mapping[int, str]) -> Choice:
    """Answers to downlinks: whether a configuration was taken, and which one holds."""
    device = attribute.words("device_type", "B", devices)
    configured = Layout(">", Const("B", CONFIGURED[0]), device, attribute.words("outcome", "B", OUTCOMES), Pad(8))
    configuration = Layout(
        ">",
        Const("B", CONFIGURATION[0]),
        device,
        attribute.number("report_min_s", "H"),
        attribute.number("report_max_s", "H"),
        Pad(5),
    )
    return by_prefix({"configured": (CONFIGURED, configured), "configuration": (CONFIGURATION, configuration)})


def _codec(name: str, title: str, devices: Mapping[int, str], frame: Choice, document: str) -> Codec:
    return Codec(
        id=f"netvox/{name}",
        vendor="Netvox",
        model=title,
        family=Family.ENVIRONMENT,
        source=f"TheThingsNetwork/lorawan-devices vendor/netvox/payload/{document}",
        ports={6: frame, 7: _answers(devices)},
    )


# What the published vectors carry, beside the battery.
RA0715_SEEN = (
    *((quantity, "") for quantity in (Quantity.PM1, Quantity.PM2_5, Quantity.PM10)),
    *((Quantity.PARTICLE_COUNT, size) for size in ("um2_5", "um5", "um10")),
    (Quantity.WATER_TEMPERATURE, "turbidity"),
    *((Quantity.SOIL_MOISTURE, probe) for probe in ("ec5", "5te")),
    *(
        (quantity, "")
        for quantity in (
            Quantity.BATTERY_VOLTAGE,
            Quantity.O3,
            Quantity.CO,
            Quantity.NO,
            Quantity.NO2,
            Quantity.SO2,
            Quantity.H2S,
            Quantity.CO2,
            Quantity.PH,
            Quantity.REDOX_POTENTIAL,
            Quantity.TURBIDITY,
            Quantity.SOIL_TEMPERATURE,
            Quantity.AIR_TEMPERATURE,
            Quantity.AIR_HUMIDITY,
            Quantity.TVOC,
        )
    ),
)
RA0716_SEEN = tuple(
    (quantity, "")
    for quantity in (Quantity.BATTERY_VOLTAGE, Quantity.AIR_TEMPERATURE, Quantity.AIR_HUMIDITY, Quantity.PM2_5)
)
RA0723_SEEN = tuple(
    (quantity, "")
    for quantity in (
        Quantity.BATTERY_VOLTAGE,
        Quantity.SOUND_LEVEL_AVERAGE,
        Quantity.AIR_TEMPERATURE,
        Quantity.AIR_HUMIDITY,
    )
)
RA07_DOCUMENT = "ra0715_r72615_ra0715y_r72615a.js"

RA0715 = _codec(
    "ra0715",
    "RA0715 and others of the RA07 and R726 series",
    RA07_DEVICES,
    _reports(RA07_DEVICES, REPORTS, RA0715_SEEN),
    RA07_DOCUMENT,
)
RA0716 = _codec(
    "ra0716",
    "RA0716, R72616, R72716 particulate matter, temperature, humidity",
    RA0716_DEVICES,
    _reports(RA0716_DEVICES, RA0716_REPORTS, RA0716_SEEN),
    "ra0716.js",
)
RA0723 = _codec(
    "ra0723",
    "RA0723 noise, temperature, humidity, particulate matter",
    RA07_DEVICES,
    _reports(RA07_DEVICES, REPORTS, RA0723_SEEN),
    RA07_DOCUMENT,
)

CODECS = (RA0715, RA0716, RA0723)
