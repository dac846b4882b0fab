"""SmartEnds BrighterBins: fill level sensor whose frames are packed bit by bit, the last two of them the kind of frame.

Source: akenza-io/device-type-library types/smartEnds/brighterBins (decoder and its tests). Kinds are 0 fill level,
1 distance, 2 system, 3 events; of those the standard, the pickup and the general fill level frame are known in full.
That decoder takes the kind of event from two of its three bits; here it has three.
"""

from decoders import attribute
from decoders.choice import Choice
from decoders.codec import Codec
from decoders.error import MalformedPayload, WrongLength
from decoders.field import Attribute, Bits, Const, Field, Raw
from decoders.layout import Layout
from decoders.quantity import Family, Quantity

KIND_MASK = 0b11
EVENT = 3
EVENT_SHIFT, EVENT_MASK = 2, 0b111
RESETS = {0: "cleared", 1: "power or brownout", 2: "watchdog", 3: "software or other"}
DOWNLINKS = {0: "none", 1: "done", 2: "out of bounds", 3: "failed"}
PICKUPS = {0: "none", 1: "motion", 2: "fill level", 3: "motion and fill level"}
PASSED = {0: "failed", 1: "passed"}
NO_SENSOR = (511, 510)
DEGREES = 6


def _kind(number: int) -> Const:
    return Const("0-1", number, "kind of frame")


def _event(number: int) -> Const:
    return Const("2-4", number, "kind of event")


def _battery(place: str, *, verified: bool = True) -> Field:
    """Steps of two percent."""
    return Field(Quantity.BATTERY_LEVEL, place, scale=2, invalid=63, verified=verified)


def _temperature(place: str, *, verified: bool = True) -> Field:
    return Field(Quantity.AIR_TEMPERATURE, place, offset=-40, verified=verified)


def _distance(place: str, *, verified: bool = True) -> Field:
    """Centimetres; the sensor does not answer, or its laser has a wrong configuration."""
    return Field(Quantity.DISTANCE, place, scale=10, invalid=NO_SENSOR, verified=verified)


def _fill_level(place: str) -> Field:
    return Field(Quantity.FILL_LEVEL, place, invalid=127, verified=False)


def _orientation(*places: str) -> tuple[Field, ...]:
    return tuple(
        Field(Quantity.TILT_ANGLE, place, axis, scale=DEGREES, offset=-90, verified=False)
        for axis, place in zip("zyx", places, strict=True)
    )


def _software_version() -> Attribute:
    """Minor (6 bits), major (2 bits), patch (6 bits)."""

    def text(raw: Raw) -> str:
        word = int(raw)
        return f"{word >> 6 & 0b11}.{word >> 8}.{word & 0x3F}"

    def parse(text: str) -> int:
        major, minor, patch = (int(part) for part in text.split("."))
        return minor << 8 | major << 6 | patch

    return Attribute("software_version", "46-59", text, parse)


SYSTEM = Layout(
    ">",
    # The upper three bytes are those of the DevEUI.
    Bits(
        "12s",
        attribute.number("hardware_version", "60-65"),
        _software_version(),
        attribute.number("downlinks", "44-45"),
        attribute.number("downlink_frequency", "42-43"),
        Field(Quantity.RESET_COUNT_TOTAL, "35-41"),
        attribute.number("runtime", "23-34"),
        attribute.words("communication_test", "21", PASSED),
        attribute.words("distance_test", "19", PASSED),
        attribute.words("temperature_test", "18", PASSED),
        _battery("9-14"),
        Field(Quantity.BATTERY_VOLTAGE, "5-8", offset=22, divisor=10),
        attribute.words("reset_cause", "3-4", RESETS),
        _kind(2),
    ),
)
FORMS = {
    "fill level": Layout(
        ">",
        Bits(
            "3s",
            attribute.words("reset_cause", "22-23", RESETS),
            _battery("16-21"),
            _temperature("9-15"),
            _fill_level("2-8"),
            _kind(0),
        ),
    ),
    "distance": Layout(">", Bits("3s", _battery("18-23"), _temperature("11-17"), _distance("2-10"), _kind(1))),
    "system": SYSTEM,
    "standard": Layout(
        ">",
        Bits(
            "9s",
            *_orientation("40-44", "35-39", "30-34"),
            attribute.words("downlink", "28-29", DOWNLINKS),
            _battery("22-27"),
            _temperature("15-21"),
            _distance("6-14"),
            _event(0),
            _kind(EVENT),
        ),
    ),
    "pickup": Layout(
        ">",
        Bits(
            "12s",
            Field(Quantity.ALARM, "47", "tamper", verified=False),
            *_orientation("42-46", "37-41", "32-36"),
            Field(Quantity.ALARM, "31", "fire", verified=False),
            attribute.words("pickup_cause", "29-30", PICKUPS),
            Field(Quantity.ALARM, "28", "pickup", verified=False),
            _battery("22-27"),
            _temperature("15-21"),
            _distance("6-14"),
            _event(1),
            _kind(EVENT),
        ),
    ),
    "general fill level": Layout(
        ">",
        Bits(
            "9s",
            *_orientation("40-44", "35-39", "30-34"),
            attribute.words("downlink", "28-29", DOWNLINKS),
            _battery("22-27"),
            _temperature("15-21"),
            _fill_level("6-12"),
            _event(5),
            _kind(EVENT),
        ),
    ),
}
KINDS = ("fill level", "distance", "system")
EVENTS = {0: "standard", 1: "pickup", 5: "general fill level"}


def _select(payload: bytes) -> str:
    if not payload:
        raise WrongLength("the payload is empty")
    kind = payload[-1] & KIND_MASK
    if kind != EVENT:
        return KINDS[kind]
    event = payload[-1] >> EVENT_SHIFT & EVENT_MASK
    if event not in EVENTS:
        raise MalformedPayload(f"kind of event is {event}; known are {', '.join(map(str, EVENTS))}")
    return EVENTS[event]


BRIGHTERBINS = Codec(
    id="smartends/brighterbins",
    vendor="SmartEnds",
    model="BrighterBins fill level sensor",
    family=Family.WASTE,
    source="akenza-io/device-type-library types/smartEnds/brighterBins",
    ports={1: Choice(FORMS, _select)},
)

CODECS = (BRIGHTERBINS,)
