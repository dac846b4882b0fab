"""Parametric PCR2 people and bicycle radar counter, TCR radar traffic counter of the first generation.

Source: Parametric PCR2 manuals; TheThingsNetwork/lorawan-devices vendor/parametric pcr2-codec.yaml and pcr2.js.
That decoder cuts the radar's temperature to whole degrees; here it has its tenths. Counts start anew with every
uplink, totals wrap at 65535. TCR: payload descriptions versions 1 and 2 (parametric.ch/docs/tcr); which speeds the
classes 0 to 3 mean is set in the single device, which tells it once after each join.
"""

from collections.abc import Mapping

from decoders import attribute
from decoders.choice import by_length, by_prefix
from decoders.codec import Codec
from decoders.field import Const, Field, Part
from decoders.layout import Layout
from decoders.quantity import Family, Quantity
from decoders.tlv import ChannelTlv

HEADER = b"\xbe\x01"
VENDOR = 0xBE01


def _counts(*, verified: bool = True) -> tuple[Field, Field]:
    return (
        Field(Quantity.PEOPLE_COUNT, "H", "ltr", verified=verified),
        Field(Quantity.PEOPLE_COUNT, "H", "rtl", verified=verified),
    )


def _version(number: int) -> tuple[Const, Const]:
    return Const("H", VENDOR, "vendor marker"), Const("B", number, "payload version")


TEMPERATURE = Field(Quantity.DEVICE_TEMPERATURE, "h", divisor=10)
TOTALS = (
    Field(Quantity.PEOPLE_COUNT_TOTAL, "H", "ltr"),
    Field(Quantity.PEOPLE_COUNT_TOTAL, "H", "rtl"),
)
SOLAR = Field(Quantity.SOLAR_POWER, "H")
EXTENDED_3 = Layout(">", *_version(3), *_counts(), *TOTALS, Field(Quantity.BATTERY_LEVEL, "B"), SOLAR, TEMPERATURE)
EXTENDED_4 = Layout(
    ">",
    *_version(4),
    *_counts(),
    *TOTALS,
    Field(Quantity.BATTERY_VOLTAGE, "H", divisor=1000),
    SOLAR,
    TEMPERATURE,
)
LTR, RTL = _counts()
ELSYS_STYLE = ChannelTlv(">", {0x0A: LTR, 0x16: RTL, 0x01: TEMPERATURE}, type_bytes=1)
CAYENNE = ChannelTlv(
    ">",
    {
        0x0066: Field(Quantity.PEOPLE_COUNT, "B", "ltr", verified=False),
        0x0166: Field(Quantity.PEOPLE_COUNT, "B", "rtl", verified=False),
    },
)
APPLICATION = by_prefix(
    {
        "extended V4": (HEADER + b"\x04", EXTENDED_4),
        "extended V3": (HEADER + b"\x03", EXTENDED_3),
        "ELSYS style": (b"\x0a", ELSYS_STYLE),
        "Cayenne": (b"\x00\x66", CAYENNE),
    }
)

number = attribute.number
DEVICE: tuple[Part, ...] = (
    number("device_type", "B"),
    attribute.version("firmware_version"),
    number("operating_mode", "B"),
    number("payload_type", "B"),
)
UPLINK: tuple[Part, ...] = (
    number("uplink_type", "B"),
    number("uplink_interval_min", "H"),
    number("link_check_interval_min", "H"),
)
CAPACITY: tuple[Part, ...] = (number("capacity_limit", "H"), number("holdoff_time", "H"))
RANGE: tuple[Part, ...] = (
    number("min_distance", "H"),
    number("max_distance", "H"),
    number("min_speed", "B"),
    number("max_speed", "B"),
)
SENSITIVITY = number("radar_sensitivity", "B")
COMMON = (*DEVICE, number("device_class", "B"), *UPLINK, *CAPACITY)
LATER = (
    *COMMON,
    number("inactivity_timeout", "H"),
    number("radar_enabled", "B"),
    number("beam_angle", "B"),
    *RANGE,
    number("radar_autotune", "B"),
    SENSITIVITY,
    attribute.version("sbx_version"),
)
CONFIGURATION = by_length(
    {
        "V6": Layout(">", *_version(6), *LATER, number("radar_channel", "B")),
        "V5": Layout(">", *_version(5), *LATER),
        "V4": Layout(
            ">",
            *_version(4),
            *COMMON,
            number("inactivity_timeout", "H"),
            number("mounting_direction", "B"),
            number("mounting_tilt", "B"),
            number("detection_angle", "B"),
            *RANGE,
            SENSITIVITY,
        ),
        "V3": Layout(">", *_version(3), *COMMON, SENSITIVITY),
        "V2": Layout(">", *DEVICE, *UPLINK, number("holdoff_time", "H"), SENSITIVITY),
    }
)

PCR2 = Codec(
    id="parametric/pcr2",
    vendor="Parametric",
    model="PCR2 people and bicycle radar counter",
    family=Family.TRAFFIC,
    source="Parametric PCR2 manuals; TheThingsNetwork/lorawan-devices vendor/parametric",
    ports={14: APPLICATION, 190: CONFIGURATION},
)

TCR_HEADER = b"\xbe\x02"
TCR_VENDOR = 0xBE02
CLASSES = range(4)
TCR_TYPES = {0: "TCR", 1: "TCR-S"}
TCR_LATER_TYPES = {0: "TCR-LS", 1: "TCR-LSS", 2: "TCR-HS", 3: "TCR-HSS"}


def _tcr_version(number: int) -> tuple[Const, Const]:
    return Const("H", TCR_VENDOR, "vendor marker"), Const("B", number, "payload version")


def _lane(channel: str) -> tuple[Field, Field]:
    """Count and mean speed of one interval; without vehicles there is no mean speed."""
    return (
        Field(Quantity.VEHICLE_COUNT, "H", channel, verified=False),
        Field(Quantity.VEHICLE_SPEED, "B", channel, invalid=0, verified=False),
    )


def _tcr_counts(version: int, battery: Field) -> Layout:
    lanes = (part for number in CLASSES for way in ("left", "right") for part in _lane(f"class{number}_{way}"))
    return Layout(
        ">",
        *_tcr_version(version),
        battery,
        Field(Quantity.SOLAR_POWER, "H", verified=False),
        Field(Quantity.DEVICE_TEMPERATURE, "h", divisor=10, verified=False),
        *lanes,
    )


def _tcr_configuration(version: int, types: Mapping[int, str]) -> Layout:
    return Layout(
        ">",
        *_tcr_version(version),
        attribute.words("device_type", "B", types),
        attribute.version("firmware_version"),
        number("operating_mode", "B"),
        number("device_class", "B"),
        *UPLINK,
        number("holdoff_time", "H"),
        SENSITIVITY,
        number("ltr_lane_distance", "B"),
        number("rtl_lane_distance", "B"),
        *(number(f"class{speeds}_{end}", "B") for speeds in CLASSES for end in ("min_speed", "max_speed")),
    )


TCR_COUNTS = {
    "V1": (TCR_HEADER + b"\x01", _tcr_counts(1, Field(Quantity.BATTERY_LEVEL, "B", verified=False))),
    "V2": (TCR_HEADER + b"\x02", _tcr_counts(2, Field(Quantity.BATTERY_VOLTAGE, "H", divisor=1000, verified=False))),
}
TCR_CONFIGURATION = {
    "V1": (TCR_HEADER + b"\x01", _tcr_configuration(1, TCR_TYPES)),
    "V2": (TCR_HEADER + b"\x02", _tcr_configuration(2, TCR_LATER_TYPES)),
}

TCR_1 = Codec(
    id="parametric/tcr-1",
    vendor="Parametric",
    model="TCR radar traffic counter (first generation, firmware 1.x)",
    family=Family.TRAFFIC,
    source="Parametric TCR payload descriptions, versions 1 and 2 (parametric.ch/docs/tcr)",
    ports={15: by_prefix(TCR_COUNTS), 190: by_prefix(TCR_CONFIGURATION)},
    untested=True,
)

CODECS = (PCR2, TCR_1)
