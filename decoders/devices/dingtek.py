"""Dingtek ultrasonic sensors: parking, bins, tanks; one frame around all of them.

Source: Dingtek protocols of DO201, DF702, DF530 and DC410; TheThingsNetwork/lorawan-devices vendor/dingtek. A frame is
80 00, kind of device, type of report, length, content, 81. Where the vendor's decoders are wrong, these are not:
temperatures are signed; an angle is positive if its sign is zero (there it is always negative); the frame counter of
the DF702 is read.
"""

from decoders import attribute
from decoders.choice import Choice
from decoders.codec import Codec
from decoders.error import WrongLength
from decoders.field import Attribute, Bits, Const, Curve, Field, Pad, Part, Raw
from decoders.layout import Layout, Order
from decoders.quantity import Family, Privacy, Quantity

PARAMETERS = 3
TYPE_AT = 3
BIN = 1
PARKING = 0x31
NO_YES = {0: "no", 1: "yes"}
RANGES_MM = {0: "2000", 1: "5000"}
MINUTES = 60
NEGATIVE = 0x100
LARGEST_ANGLE = 255


def _angle(raw: int) -> float:
    magnitude = raw & LARGEST_ANGLE
    return float(-magnitude if magnitude and raw >> 8 & 0xF else magnitude)


def _raw_angle(degrees: float) -> int:
    magnitude = round(abs(degrees))
    return magnitude | NEGATIVE if degrees < 0 and magnitude else magnitude


ANGLE = Curve(_angle, _raw_angle, -LARGEST_ANGLE, LARGEST_ANGLE, 1)
YES = {0: 0, **dict.fromkeys(range(1, 16), 1)}
number, words, version = attribute.number, attribute.words, attribute.version


def _nibble(quantity: Quantity, place: str, channel: str = "", *, verified: bool = True) -> Field:
    """No if zero, else yes."""
    return Field(quantity, place, channel, values=YES, verified=verified)


def _frame(order: Order, device: int, report: Part, size: int, *parts: Part) -> Layout:
    """The head, the content, and the end."""
    return Layout(
        order,
        Const("B", 0x80, "head"),
        Const("B", 0, "head"),
        Const("B", device, "kind of device"),
        report,
        Const("B", size, "length"),
        *parts,
        Const("B", 0x81, "end"),
    )


def _parameters(device: int, size: int, *parts: Part) -> Layout:
    return _frame(">", device, Const("B", PARAMETERS, "report type"), size, version("firmware_version", 2), *parts)


REPORT = number("report_type", "B")


def _select(forms: dict[str, Layout]) -> Choice:
    """Forms by type of report and length, which must be the right one."""
    sizes = {layout.size: name for name, layout in forms.items() if name != "parameters"}

    def select(payload: bytes) -> str:
        if len(payload) <= TYPE_AT:
            raise WrongLength(f"{len(payload)} bytes; a frame has more")
        if payload[TYPE_AT] == PARAMETERS:
            return "parameters"
        if len(payload) not in sizes:
            raise WrongLength(f"{len(payload)} bytes; reports have {', '.join(map(str, sorted(sizes)))}")
        return sizes[len(payload)]

    return Choice(forms, select)


def _interval(name: str) -> Attribute:
    """Minutes up to 60, above that hours."""

    def text(raw: Raw) -> str:
        value = int(raw)
        return str(value if value <= MINUTES else (value - MINUTES) * MINUTES)

    def parse(words: str) -> int:
        minutes = int(words)
        if minutes > MINUTES and minutes % MINUTES:
            raise ValueError(f"{minutes} minutes are no whole hours")
        return minutes if minutes <= MINUTES else MINUTES + minutes // MINUTES

    return Attribute(name, "B", text, parse)


DO201_FRAMES = _select(
    {
        "report": _frame(
            ">",
            PARKING,
            REPORT,
            23,
            Field(Quantity.DISTANCE, "H", verified=False),
            Bits(
                "B",
                _nibble(Quantity.OCCUPIED, "4-7", verified=False),
                _nibble(Quantity.ALARM, "0-3", "level", verified=False),
            ),
            Bits(
                "B",
                _nibble(Quantity.ALARM, "4-7", "magnet", verified=False),
                _nibble(Quantity.ALARM, "0-3", "battery", verified=False),
            ),
            Field(Quantity.BATTERY_VOLTAGE, "H", divisor=100, verified=False),
            *(Field(Quantity.MAGNETIC_FIELD, "h", axis, verified=False) for axis in "xyz"),
            Field(Quantity.DEVICE_TEMPERATURE, "b", verified=False),
            Field(Quantity.DEVICE_HUMIDITY, "B", verified=False),
            Field(Quantity.UPLINK_COUNT_TOTAL, "H", verified=False),
            Pad(1),
        ),
        "parameters": _parameters(
            PARKING,
            16,
            number("upload_interval_h", "B"),
            number("detection_interval_min", "B"),
            number("level_threshold_cm", "B"),
            number("magnet_threshold", "H"),
            number("battery_threshold_percent", "B"),
            Pad(2),
        ),
    }
)


def _reports(
    level: Part, temperature: Part, angle: Part, alarms: tuple[Bits, Bits], *, counted: bool, placed: bool = False
) -> dict[str, Layout]:
    """Both forms of a report: a bin's or a tank's, without and with a position.

    The position's floats are little-endian, unlike all other numbers.
    """
    state = (temperature, angle, *alarms, Field(Quantity.UPLINK_COUNT_TOTAL, "u16be", verified=counted), Pad(1))
    return {
        "report": _frame(">", BIN, REPORT, 17, level, Const("B", 0, "position flag"), *state),
        "report with position": _frame(
            "<",
            BIN,
            REPORT,
            25,
            level,
            Const("B", 1, "position flag"),
            Field(Quantity.LONGITUDE, "f", digits=6, verified=placed),
            Field(Quantity.LATITUDE, "f", digits=6, verified=placed),
            *state,
        ),
    }


def _bin_parameters(*parts: Part) -> Layout:
    return _parameters(BIN, 25, number("upload_interval_h", "B"), number("detection_interval_min", "B"), *parts)


DF702_FRAMES = _select(
    {
        **_reports(
            Field(Quantity.DISTANCE, "u16be"),
            Field(Quantity.AIR_TEMPERATURE, "b"),
            Field(Quantity.TILT_ANGLE, "u16be", curve=ANGLE),
            (
                Bits("B", _nibble(Quantity.ALARM, "4-7", "full"), _nibble(Quantity.ALARM, "0-3", "fire")),
                Bits("B", _nibble(Quantity.TILTED, "4-7"), _nibble(Quantity.ALARM, "0-3", "battery")),
            ),
            counted=False,
            placed=True,
        ),
        "parameters": _bin_parameters(
            number("full_threshold_cm", "B"),
            number("fire_threshold_c", "B"),
            number("tilt_threshold_deg", "B"),
            words("tilt_enabled", "B", NO_YES),
            words("range_mm", "B", RANGES_MM),
            Pad(10),
        ),
    }
)
DC410_FRAMES = _select(
    {
        **_reports(
            Field(Quantity.DISTANCE, "u16be", verified=False),
            Field(Quantity.AIR_TEMPERATURE, "b", verified=False),
            Field(Quantity.TILT_ANGLE, "u16be", curve=ANGLE, verified=False),
            (
                Bits("B", _nibble(Quantity.ALARM, "4-7", "full", verified=False)),
                Bits(
                    "B",
                    _nibble(Quantity.ALARM, "4-7", "motion", verified=False),
                    _nibble(Quantity.ALARM, "0-3", "battery", verified=False),
                ),
            ),
            counted=False,
        ),
        "parameters": _bin_parameters(
            number("full_threshold_cm", "B"),
            Pad(1),
            number("motion_threshold_deg", "B"),
            words("motion_enabled", "B", NO_YES),
            words("range_mm", "B", RANGES_MM),
            Pad(10),
        ),
    }
)
DF530_FRAMES = _select(
    {
        **_reports(
            Field(Quantity.WATER_LEVEL, "u16be"),
            Field(Quantity.DEVICE_TEMPERATURE, "b"),
            Pad(2),
            (
                Bits("B", _nibble(Quantity.ALARM, "4-7", "empty")),
                Bits("B", _nibble(Quantity.ALARM, "0-3", "battery")),
            ),
            counted=True,
        ),
        "parameters": _parameters(
            BIN, 25, _interval("upload_interval_min"), Pad(1), number("empty_threshold_cm", "B"), Pad(14)
        ),
    }
)

DO201 = Codec(
    id="dingtek/do201",
    vendor="Dingtek",
    model="DO201 ultrasonic and magnetic parking sensor",
    family=Family.PARKING,
    source="TheThingsNetwork/lorawan-devices vendor/dingtek/do201-codec.yaml",
    ports={3: DO201_FRAMES},
    privacy=Privacy.INTERNAL,
)
DF702 = Codec(
    id="dingtek/df702",
    vendor="Dingtek",
    model="DF702 ultrasonic level (bins)",
    family=Family.WASTE,
    source="TheThingsNetwork/lorawan-devices vendor/dingtek/df702-codec.yaml",
    ports={3: DF702_FRAMES},
)
DC410 = Codec(
    id="dingtek/dc410",
    vendor="Dingtek",
    model="DC410 ultrasonic level with motion (containers)",
    family=Family.WASTE,
    source="TheThingsNetwork/lorawan-devices vendor/dingtek/dc410-codec.yaml",
    ports={3: DC410_FRAMES},
)
DF530 = Codec(
    id="dingtek/df530",
    vendor="Dingtek",
    model="DF530 ultrasonic liquid level, from below",
    family=Family.ENVIRONMENT,
    source="TheThingsNetwork/lorawan-devices vendor/dingtek/df530-codec.yaml",
    ports={3: DF530_FRAMES},
)

CODECS = (DC410, DF530, DF702, DO201)
