"""Pipiot LevelSense: fill level by ultrasound and laser.

Source: akenza-io/device-type-library types/pipiot/levelSense (decoder and its tests). What a broken part (or an
overheated device) measured is dropped. A tilted container's distances are measured, but say nothing of its filling:
`tilted` tells. That decoder rounds the longer frame's distances to centimetres.
"""

from collections.abc import Mapping

from decoders import attribute
from decoders.choice import Choice
from decoders.codec import Codec, CodecField
from decoders.error import MalformedPayload, WrongLength
from decoders.field import Bits, Const, Field, Pad, Part
from decoders.layout import Layout
from decoders.measurement import Measurement
from decoders.quantity import Family, Quantity

KIND_SHIFT, KIND_MASK = 4, 0b111
NO_YES = {0: "no", 1: "yes"}
YES = "yes"
MICRODEGREES = 1_000_000
TOO_LARGE = tuple(range(201, 256))
NO_TEMPERATURE = (*range(-0x80, -40), 126, 127)
NO_ANGLE = tuple(range(180, 256))
NO_FIX = {0: "none", 0xFF: "fault"}
FIXED = "1"

NO_POSITION = -0x80000000

ULTRASOUND = (Quantity.DISTANCE, "ultrasonic")
LASER = (Quantity.DISTANCE, "laser")
ANGLE = (Quantity.TILT_ANGLE, "")
POSITION = ((Quantity.LATITUDE, ""), (Quantity.LONGITUDE, ""), (Quantity.ALTITUDE, ""))
Keys = tuple[tuple[Quantity, str], ...]
BROKEN: Mapping[tuple[str, str], Keys] = {
    ("ultrasound_broken", YES): (ULTRASOUND,),
    ("laser_broken", YES): (LASER,),
    ("accelerometer_broken", YES): (ANGLE,),
    ("over_temperature", YES): (ULTRASOUND, LASER, ANGLE),
}


def _head(kind: int) -> tuple[Part, ...]:
    return (Bits("B", Const("4-6", kind, "kind of frame")),)


def _flags() -> Bits:
    return Bits(
        "B",
        attribute.words("motion", "7", NO_YES),
        attribute.words("day_timer", "6", NO_YES),
        attribute.words("over_temperature", "5", NO_YES),
        Field(Quantity.TILTED, "4", verified=False),
        attribute.words("magnet_switch", "3", NO_YES),
        attribute.words("ultrasound_broken", "2", NO_YES),
        attribute.words("laser_broken", "1", NO_YES),
        attribute.words("accelerometer_broken", "0", NO_YES),
    )


def _state() -> tuple[Part, ...]:
    return (
        # Steps of 256.
        attribute.number("laser_reflectance", "H"),
        Field(Quantity.AIR_TEMPERATURE, "b", invalid=NO_TEMPERATURE),
        Field(Quantity.TILT_ANGLE, "B", invalid=NO_ANGLE),
        # 3 V and steps of 25 mV.
        Field(Quantity.BATTERY_VOLTAGE, "B", offset=120, divisor=40, invalid=(0, *TOO_LARGE), verified=False),
    )


class Judged:
    """A frame of which readings are dropped where an attribute says so; `default` is what is sent unless given."""

    __slots__ = ("_default", "_dropped", "_frame")

    def __init__(
        self, frame: Layout, dropped: Mapping[tuple[str, str], Keys], default: Mapping[str, str] | None = None
    ) -> None:
        self._frame = frame
        self._dropped = dropped
        self._default = default or {}

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
        """One measurement of what can be believed."""
        (measurement,) = self._frame.decode(payload, time_ms, parameters)
        said = measurement.attributes
        dropped = {key for (name, word), keys in self._dropped.items() if said.get(name) == word for key in keys}
        kept = tuple(item for item in measurement.readings if (item.quantity, item.channel) not in dropped)
        return (measurement._replace(readings=kept),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """The frame that carries the whole measurement, or EncodeError."""
        given = measurement._replace(attributes={**self._default, **measurement.attributes})
        return self._frame.encode(given, parameters)

    def fields(self) -> tuple[CodecField, ...]:
        """What the frame carries."""
        return self._frame.fields()


def _distance(code: str, channel: str, scale: float, *invalid: int) -> Field:
    return Field(Quantity.DISTANCE, code, channel, scale=scale, invalid=invalid)


FORMS: dict[str, Judged | Layout] = {
    # The finer one comes first when it is to be sent.
    "extended": Judged(
        Layout(
            ">",
            *_head(3),
            _flags(),
            Pad(1),
            # Steps of two millimetres.
            _distance("H", "ultrasonic", 2, 0),
            _distance("B", "laser", 2, 0),
            *_state(),
            Pad(1),
        ),
        BROKEN,
    ),
    "standard": Judged(
        Layout(
            ">",
            *_head(0),
            _flags(),
            # Centimetres.
            _distance("B", "ultrasonic", 10, 0),
            _distance("B", "laser", 10, 0, *TOO_LARGE),
            *_state(),
        ),
        BROKEN,
    ),
    "position": Judged(
        Layout(
            ">",
            *_head(1),
            attribute.words("fix_time_s", "B", NO_FIX),
            Field(Quantity.LATITUDE, "i", divisor=MICRODEGREES, invalid=NO_POSITION, verified=False),
            Field(Quantity.LONGITUDE, "i", divisor=MICRODEGREES, invalid=NO_POSITION, verified=False),
            Field(Quantity.ALTITUDE, "B", scale=10, verified=False),
            attribute.number("hdop_hundredths", "B"),
        ),
        {("fix_time_s", word): POSITION for word in NO_FIX.values()},
        {"fix_time_s": FIXED},
    ),
    "radio test": Layout(">", *_head(2), attribute.number("test_frames", "B")),
}
NAMES = ("standard", "position", "radio test", "extended")


def _select(payload: bytes) -> str:
    if not payload:
        raise WrongLength("the payload is empty")
    kind = payload[0] >> KIND_SHIFT & KIND_MASK
    if kind >= len(NAMES):
        raise MalformedPayload(f"kind of frame is {kind}; known are 0 to {len(NAMES) - 1}")
    return NAMES[kind]


UPLINK = Choice(FORMS, _select)

LEVELSENSE = Codec(
    id="pipiot/levelsense",
    vendor="Pipiot",
    model="LevelSense ultrasonic and laser fill level",
    family=Family.WASTE,
    source="akenza-io/device-type-library types/pipiot/levelSense",
    ports={1: UPLINK},
    any_port=UPLINK,
)

CODECS = (LEVELSENSE,)
