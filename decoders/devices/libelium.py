"""Libelium Plug & Sense! Smart Parking, payload of versions 2 and 3.

Source: Libelium Smart Parking technical guide, uplink frames; ZennerIoT/element-parsers
lib/libelium_smart-parking_v3.ex. Eleven bytes: the lower half of the first one says which frame it is. What the guide
leaves open or newer firmware changed is stepped over. The payload of version 1 differs and cannot be told from this
one: it has no codec.
"""

from decoders import attribute
from decoders.choice import Choice
from decoders.codec import Codec
from decoders.error import MalformedPayload, WrongLength
from decoders.field import Bits, Const, Field, Pad, Part
from decoders.layout import Layout
from decoders.quantity import Family, Privacy, Quantity

FRAME_BYTES = 11
TYPE_MASK = 0xF
NO_YES = {0: "no", 1: "yes"}
MEASURED: tuple[Part, ...] = (
    attribute.number("sensor_error", "B"),
    Field(Quantity.DEVICE_TEMPERATURE, "b", verified=False),
    Pad(7),
)
FRAMES: dict[str, tuple[Part, ...]] = {
    "info": MEASURED,
    "keep-alive": MEASURED,
    "daily update": (Pad(9),),
    "error": (Pad(9),),
    "start 1": (attribute.number("firmware_version", "B"), Pad(8)),
    "start 2": (Pad(9),),
    "service": (Pad(9),),
    "downlink": (Pad(9),),
    "RSSI": (Pad(9),),
}
NAMES = tuple(FRAMES)


def _frame(kind: int, *parts: Part) -> Layout:
    return Layout(
        ">",
        Bits(
            "B",
            Field(Quantity.OCCUPIED, "7", verified=False),
            Field(Quantity.ALARM, "6", "battery", verified=False),
            attribute.words("configuration_refused", "5", NO_YES),
            attribute.words("recalibrated", "4", NO_YES),
            Const("0-3", kind, "frame type"),
        ),
        # Eight bits that begin anew.
        Field(Quantity.UPLINK_COUNT_TOTAL, "B", verified=False),
        *parts,
    )


def _select(payload: bytes) -> str:
    if len(payload) != FRAME_BYTES:
        raise WrongLength(f"{len(payload)} bytes; the frame has {FRAME_BYTES}")
    kind = payload[0] & TYPE_MASK
    if kind >= len(NAMES):
        raise MalformedPayload(f"frame type is {kind}; known are 0 to {len(NAMES) - 1}")
    return NAMES[kind]


UPLINK = Choice({name: _frame(kind, *parts) for kind, (name, parts) in enumerate(FRAMES.items())}, _select)

SMART_PARKING = Codec(
    id="libelium/smart-parking",
    vendor="Libelium",
    model="Plug & Sense! Smart Parking (payload version 2 and 3)",
    family=Family.PARKING,
    source="Libelium Smart Parking technical guide, uplink frames of payload version 2 and 3",
    ports={3: UPLINK},
    any_port=UPLINK,
    privacy=Privacy.INTERNAL,
    untested=True,
)

CODECS = (SMART_PARKING,)
