"""Tekelek TEK766: ultrasonic ullage of tanks and bins.

Source: Tekelek CF-5004-01 TEK 766 payload data structure R1; ZennerIoT/element-parsers lib/tekelek_766_rf.ex. A
measurement holds up to four readings, newest first, of which the frames before this one told the older ones, and
without a time of their own: the newest alone is read. A reading of zeros is none.
"""

from decoders import attribute
from decoders.choice import Choice
from decoders.codec import Codec, Frame
from decoders.error import MalformedPayload, WrongLength
from decoders.field import Bits, Const, Field, Pad, Part
from decoders.layout import Layout
from decoders.leading import Leading
from decoders.quantity import Family, Quantity

MEASUREMENT, STATUS, ALARM = 0x10, 0x30, 0x45
READING_AT, READING_END = 4, 8
STATUS_READING_AT = 14
OLDER = {MEASUREMENT: (0, 4, 8, 12), ALARM: (0, 4)}
CONTACTS = {0: "reset", 1: "scheduled", 2: "manual", 3: "activation"}
RESETS = {
    0: "power on",
    1: "brownout",
    2: "external",
    3: "watchdog",
    4: "lockup",
    5: "system request",
    6: "EM4",
    7: "backup mode",
}
NO_YES = {0: "no", 1: "yes"}

NEWEST: tuple[Part, ...] = (
    # Centimetres.
    Field(Quantity.DISTANCE, "H", scale=10, verified=False),
    Field(Quantity.AIR_TEMPERATURE, "b", verified=False),
    Bits("B", Field(Quantity.ECHO_AMPLITUDE, "4-7", verified=False), attribute.number("sonic_result", "0-3")),
)
NONE: tuple[Part, ...] = (Pad(4),)


def _measured(kind: int, *reading: Part) -> Leading:
    layout = Layout(
        ">",
        Const("B", kind, "message"),
        Const("B", 0, "product"),
        Bits("B", *(Field(Quantity.ALARM, str(bit), f"limit{bit + 1}", verified=False) for bit in range(8))),
        Pad(1),
        *reading,
    )
    return Leading(layout, layout.size, OLDER[kind])


def _status(*reading: Part) -> Layout:
    return Layout(
        ">",
        Const("B", STATUS, "message"),
        Const("B", 0, "product"),
        Pad(1),
        attribute.number("hardware_version", "B"),
        attribute.version("firmware_version", 2),
        Bits(
            "B",
            attribute.words("contact_reason", "0-1", CONTACTS),
            attribute.words("reset_cause", "2-4", RESETS),
            attribute.words("active", "5", NO_YES),
        ),
        Pad(1),
        # How strongly the network was received, without its minus.
        attribute.number("received_minus_dbm", "B"),
        Pad(1),
        Field(Quantity.BATTERY_LEVEL, "B", verified=False),
        attribute.number("log_interval_min", "H"),
        attribute.number("transmit_interval_h", "B"),
        *reading,
    )


FORMS: dict[str, Frame] = {
    "measurement": _measured(MEASUREMENT, *NEWEST),
    "measurement without reading": _measured(MEASUREMENT, *NONE),
    "alarm": _measured(ALARM, *NEWEST),
    "alarm without reading": _measured(ALARM, *NONE),
    "status": _status(*NEWEST),
    "status without reading": _status(*NONE),
}
NAMES = {MEASUREMENT: "measurement", STATUS: "status", ALARM: "alarm"}


def _select(payload: bytes) -> str:
    if not payload:
        raise WrongLength("the payload is empty")
    name = NAMES.get(payload[0])
    if name is None:
        raise MalformedPayload(f"message is {payload[0]:#04x}; known are 0x10, 0x30, 0x45")
    at = STATUS_READING_AT if name == "status" else READING_AT
    return name if any(payload[at : at + READING_END - READING_AT]) else f"{name} without reading"


UPLINK = Choice(FORMS, _select)

TEK766 = Codec(
    id="tekelek/tek766",
    vendor="Tekelek",
    model="TEK766 ultrasonic ullage",
    family=Family.WASTE,
    source="Tekelek CF-5004-01 TEK 766 payload data structure R1",
    ports={16: UPLINK},
    any_port=UPLINK,
    untested=True,
)

CODECS = (TEK766,)
