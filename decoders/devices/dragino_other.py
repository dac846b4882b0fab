"""Dragino LDS01 and LDS02 (doors, leaks), SW3L (water flow), LGT92 (position tracker).

Source: Dragino user manuals; TheThingsNetwork/lorawan-devices vendor/dragino (lds01, lds02, sw3l, lgt92). A door's
decoder makes numbers of the bytes that a cut frame lacks; here it is an error. An SW3L counts pulses, and how many of
them are a litre depends on its probe (450 for the half inch one; of the others manual and decoder differ), so that
pulses it is here; its flag says which probe is set. Every frame of it has its own time. The decoder of an LGT92 gives
0° for a position that was not found, and reads the motion wrongly (`&` binds less than `==`).
"""

from decoders.attribute import flags, number, words
from decoders.choice import Choice, by_length
from decoders.devices.dragino_common import (
    CONFIGURATION_PORT,
    F_PORT,
    INFORMATION,
    INFORMATION_PORT,
    Entries,
    model,
    seconds,
)
from decoders.error import MalformedPayload, WrongLength
from decoders.field import Attribute, Bits, Const, Field, Pad, Part
from decoders.layout import Layout
from decoders.quantity import Family, Privacy, Quantity

DOOR_PORT = 10
DOOR_BYTES, MODE_AT = 10, 2
LEAK = "water_leak"
DOOR_MODES = {1: "door", 2: "leak", 3: "door and leak"}


def _door(*, verified: bool) -> Choice:
    """Forms by the mode that is set: what opened or leaked, how often, for how many minutes."""

    def field(quantity: Quantity, code: str, channel: str = "", *, divisor: float = 1) -> Field:
        return Field(quantity, code, channel, divisor=divisor, verified=verified)

    def leak(quantity: Quantity, code: str, channel: str = "") -> Field:
        return Field(quantity, code, channel, verified=False)

    power = field(Quantity.BATTERY_VOLTAGE, "0-13", divisor=1000)
    opened, leaking = field(Quantity.OPEN, "15"), leak(Quantity.WATER_LEAK, "14")
    lasting = Bits("B", field(Quantity.ALARM, "0"))
    forms = {
        "door": Layout(
            ">",
            Bits("H", opened, power),
            Const("B", 1, "mode"),
            field(Quantity.OPEN_COUNT_TOTAL, "u24"),
            field(Quantity.OPEN_DURATION, "u24"),
            lasting,
        ),
        "leak": Layout(
            ">",
            Bits("H", leaking, power),
            Const("B", 2, "mode"),
            leak(Quantity.STATE_CHANGE_COUNT_TOTAL, "u24", LEAK),
            leak(Quantity.STATE_DURATION, "u24", LEAK),
            Pad(1),
        ),
        "door and leak": Layout(">", Bits("H", opened, leaking, power), Const("B", 3, "mode"), Pad(6), lasting),
    }
    return Choice(forms, _mode)


def _mode(payload: bytes) -> str:
    if len(payload) != DOOR_BYTES:
        raise WrongLength(f"{len(payload)} bytes; frames have {DOOR_BYTES}")
    if payload[MODE_AT] not in DOOR_MODES:
        raise MalformedPayload(f"mode {payload[MODE_AT]}; known are 1, 2, 3")
    return DOOR_MODES[payload[MODE_AT]]


LDS01 = model("LDS01", "doors, leaks", Family.ENVIRONMENT, {DOOR_PORT: _door(verified=False)}, untested=True)
LDS02 = model("LDS02", "doors, leaks", Family.ENVIRONMENT, {DOOR_PORT: _door(verified=True)})

LAST_AT = 5
FLOW: tuple[Part, ...] = (Bits("B", Field(Quantity.ALARM, "1", verified=False), number("calculation_flag", "2-7")),)
TOTAL = Field(Quantity.PULSE_COUNT_TOTAL, "I", verified=False)
SINCE_LAST = Field(Quantity.PULSE_COUNT, "I", verified=False)
SW3L = model(
    "SW3L",
    "water flow",
    Family.METER,
    {
        F_PORT: Entries(
            {
                0: Layout(">", *FLOW, TOTAL, Const("B", 0, "mode"), Pad(5)),
                1: Layout(">", *FLOW, SINCE_LAST, Const("B", 1, "mode"), Pad(5)),
            },
            lambda entry: entry[LAST_AT],
        ),
        3: Entries({0: Layout(">", *FLOW, number("log_flag", "B"), Pad(1), TOTAL, Pad(4))}, lambda _: 0),
        CONFIGURATION_PORT: Layout(
            ">",
            seconds("report_interval_s"),
            Pad(1),
            number("stop_timer", "B"),
            number("alarm_timer", "H"),
        ),
        INFORMATION_PORT: INFORMATION,
    },
)

MICRODEGREES = 1_000_000
# The greatest number is no place, either.
NO_PLACE = (0, 0x7FFFFFFF)
MOTIONS = {0: "disabled", 1: "move", 2: "collide", 3: "user"}
FIRST_FIRMWARE = 160


def _tracker_firmware() -> Attribute:
    return Attribute(
        "firmware_version", "0-4", lambda raw: str(FIRST_FIRMWARE + int(raw)), lambda text: int(text) - FIRST_FIRMWARE
    )


TRACKED: tuple[Part, ...] = (
    Field(Quantity.LATITUDE, "i", divisor=MICRODEGREES, invalid=NO_PLACE),
    Field(Quantity.LONGITUDE, "i", divisor=MICRODEGREES, invalid=NO_PLACE),
    Bits("H", Field(Quantity.BATTERY_VOLTAGE, "0-13", divisor=1000), Field(Quantity.ALARM, "14")),
    Bits("B", words("motion", "6-7", MOTIONS), flags("led", "5", {0: "on"}), _tracker_firmware()),
)
ATTITUDE: tuple[Part, ...] = (
    Field(Quantity.TILT_ANGLE, "h", "roll", divisor=100),
    Field(Quantity.TILT_ANGLE, "h", "pitch", divisor=100),
)
LGT92 = model(
    "LGT92",
    "position tracker",
    Family.TRAFFIC,
    {
        F_PORT: by_length(
            {
                "place": Layout(">", *TRACKED),
                "place and attitude": Layout(">", *TRACKED, *ATTITUDE),
                "all": Layout(
                    ">",
                    *TRACKED,
                    *ATTITUDE,
                    Field(Quantity.DILUTION_OF_PRECISION, "B", divisor=100, verified=False),
                    Field(Quantity.ALTITUDE, "H", divisor=100, verified=False),
                ),
            }
        )
    },
    privacy=Privacy.PERSONAL,
)

CODECS = (LDS01, LDS02, LGT92, SW3L)
