"""Sensoneo Single and Quatro: fill level sensors with one and four ultrasonic transducers.

Source: Sensoneo payload descriptions (Single v2 and v3, Quatro QS v2); ZennerIoT/element-parsers SensoNeo parsers. The
Single of version 2 sends a line of ASCII; later frames are little-endian bytes. Positions are numbers without a sign,
followed by the letter of their half of the earth; without a fix two zero bytes stand for the letters.
"""

from decoders import attribute
from decoders.choice import Choice
from decoders.codec import Codec
from decoders.error import MalformedPayload, WrongLength
from decoders.field import Bits, Const, Field, Pad, Part
from decoders.layout import Layout
from decoders.quantity import Family, Quantity
from decoders.text_frame import Number, TextFrame

MARKER = 0xFFFF
NO_YES = {0: "no", 1: "yes"}
ROLES = {0: "master", 1: "slave", 2: "standalone"}
LATITUDE_LETTER, LONGITUDE_LETTER = 24, 29

LINE = TextFrame(
    "(U",
    Number(Field(Quantity.BATTERY_VOLTAGE, "H", divisor=100, verified=False), (1, 3), 2),
    "T",
    Number(Field(Quantity.AIR_TEMPERATURE, "b", verified=False), (2, 3), signed=True),
    "D",
    # Centimetres.
    Number(Field(Quantity.DISTANCE, "H", scale=10, verified=False), (3, 5)),
    "P",
    # 1 says that all is well.
    Number(Field(Quantity.TILTED, "B", values={0: 1, 1: 0}, verified=False), (1, 1)),
    ")",
)

MEASURED: tuple[Part, ...] = (
    Const("H", MARKER, "marker"),
    Bits("B", attribute.number("payload_type", "4-7"), attribute.words("role", "0-3", ROLES)),
    attribute.number("firmware_version", "B"),
    attribute.number("sensor_id", "I"),
    Bits(
        "B",
        attribute.words("measured", "0", NO_YES),
        Field(Quantity.ALARM, "1", "temperature", verified=False),
        Field(Quantity.ALARM, "2", "tilt", verified=False),
        attribute.words("slave_sent", "3", NO_YES),
        Field(Quantity.ALARM, "4", "battery", verified=False),
        attribute.words("gps_fix", "5", NO_YES),
        attribute.words("startup", "6", NO_YES),
    ),
    # Steps of two centimetres; ultrasound measures no distance of zero.
    *(Field(Quantity.DISTANCE, "B", f"sonar{number}", scale=20, invalid=0, verified=False) for number in range(4)),
    # 2.5 V and hundredths.
    Field(Quantity.BATTERY_VOLTAGE, "B", offset=250, divisor=100, verified=False),
    Field(Quantity.AIR_TEMPERATURE, "b", verified=False),
    Field(Quantity.TILT_ANGLE, "B", verified=False),
)
SENT = attribute.number("transmissions", "B")
LAST: tuple[Part, ...] = (attribute.number("events", "B"), Pad(1), SENT)
CLOCK = attribute.number("clock_unix_s", "I")


def _position(quantity: Quantity, letter: str, sign: int) -> tuple[Part, ...]:
    return (
        Field(quantity, "f", scale=sign, digits=6, verified=False),
        Const("B", ord(letter), "half of the earth"),
    )


HALVES = {"N": (Quantity.LATITUDE, 1), "S": (Quantity.LATITUDE, -1)}
SIDES = {"E": (Quantity.LONGITUDE, 1), "W": (Quantity.LONGITUDE, -1)}
QUATRO_FORMS = {
    f"position {half}{side}": Layout(
        "<",
        *MEASURED,
        CLOCK,
        *_position(latitude, half, north),
        *_position(longitude, side, east),
        *LAST,
    )
    for half, (latitude, north) in HALVES.items()
    for side, (longitude, east) in SIDES.items()
}
NO_POSITION = Layout("<", *MEASURED, CLOCK, Pad(4), Const("B", 0), Pad(4), Const("B", 0), *LAST)


def _select(payload: bytes) -> str:
    if len(payload) != NO_POSITION.size:
        raise WrongLength(f"{len(payload)} bytes; the frame has {NO_POSITION.size}")
    letters = bytes((payload[LATITUDE_LETTER], payload[LONGITUDE_LETTER]))
    if not any(letters):
        return "no position"
    form = f"position {letters.decode('latin-1')}"
    if form not in QUATRO_FORMS:
        raise MalformedPayload(f"halves of the earth are {letters!r}")
    return form


SINGLE = Codec(
    id="sensoneo/single",
    vendor="Sensoneo",
    model="Single Sensor (payload version 2 and 3)",
    family=Family.WASTE,
    source="Sensoneo Single Sensor payload description, versions 2 and 3",
    ports={1: LINE, 2: Layout("<", *MEASURED, SENT)},
    untested=True,
)
QUATRO = Codec(
    id="sensoneo/quatro",
    vendor="Sensoneo",
    model="Quatro Sensor (payload version 2)",
    family=Family.WASTE,
    source="Sensoneo Quatro QS payload description, version 2",
    ports={2: Choice({"no position": NO_POSITION, **QUATRO_FORMS}, _select)},
    untested=True,
)

CODECS = (QUATRO, SINGLE)
