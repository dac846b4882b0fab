"""Adeunis TEMP V4: temperature of one or two probes; big-endian.

Source: Adeunis TEMP V4 technical reference manual (application 2.1.0), "Uplink frames"; the vendor's codec as published
for it. Behind the newest samples, older ones may follow, whose distance in time is a setting of the device and not in
the frame, and then the device's clock: neither is read. A sample of -3276.8 °C means that the probe is missing.
"""

from decoders import attribute
from decoders.choice import Choice
from decoders.codec import Codec, Frame
from decoders.error import MalformedPayload, WrongLength
from decoders.field import Bits, Const, Field, Part
from decoders.layout import Layout
from decoders.leading import Leading
from decoders.quantity import Family, Quantity
from decoders.whole import Whole

KEEP_ALIVE, PERIODIC, ALERT = 0x30, 0x57, 0x58
REPLIES = frozenset({0x10, 0x20, 0x2F, 0x31, 0x33, 0x37})
"""Settings, acknowledgements and versions."""
SECOND_PROBE = 0x10
HEAD_BYTES = 2
SAMPLE_BYTES = 2
CLOCK_BYTES = 4
LONGEST = 242
NO_YES = {0: "no", 1: "yes"}
LIMITS = {0: "none", 1: "above", 2: "below"}


def _status(probes: int) -> Bits:
    return Bits(
        "B",
        Const("4", probes - 1, "number of probes"),
        Field(Quantity.ALARM, "1", "low_battery"),
        attribute.words("configuration_done", "0", NO_YES),
        attribute.words("configuration_inconsistent", "3", NO_YES),
        attribute.number("frame_counter", "5-7"),
    )


def _probe(number: int) -> Field:
    return Field(Quantity.EXTERNAL_TEMPERATURE, "h", f"probe{number}", divisor=10, invalid=-0x8000)


def _measured(kind: int, probes: int) -> Leading:
    numbers = range(1, probes + 1)
    layout = Layout(">", Const("B", kind), _status(probes), *(_probe(number) for number in numbers))
    step = SAMPLE_BYTES * probes
    return Leading(layout, layout.size, range(0, LONGEST, step) if kind == PERIODIC else (0, CLOCK_BYTES))


def _alert(probes: int) -> Leading:
    parts: list[Part] = []
    for number in range(1, probes + 1):
        parts += [attribute.words(f"probe{number}_limit", "B", LIMITS), _probe(number)]
    layout = Layout(">", Const("B", ALERT), _status(probes), *parts)
    return Leading(layout, layout.size, (0, CLOCK_BYTES))


FORMS: dict[str, Frame] = {
    "measured": _measured(PERIODIC, 1),
    "measured, two probes": _measured(PERIODIC, 2),
    "keep alive": _measured(KEEP_ALIVE, 1),
    "keep alive, two probes": _measured(KEEP_ALIVE, 2),
    "alert": _alert(1),
    "alert, two probes": _alert(2),
    "reply": Whole("reply"),
}
NAMES = {PERIODIC: "measured", KEEP_ALIVE: "keep alive", ALERT: "alert"}


def _form(payload: bytes) -> str:
    if len(payload) < HEAD_BYTES:
        raise WrongLength(f"{len(payload)} bytes; a frame begins with {HEAD_BYTES}")
    if payload[0] in REPLIES:
        return "reply"
    name = NAMES.get(payload[0])
    if name is None:
        raise MalformedPayload(f"unknown frame {payload[0]:#04x}")
    return f"{name}, two probes" if payload[1] & SECOND_PROBE else name


FRAMES = Choice(FORMS, _form)
TEMP = Codec(
    id="adeunis/temp-4",
    vendor="Adeunis",
    model="TEMP V4 temperature of one or two probes",
    family=Family.ENVIRONMENT,
    source="Adeunis TEMP V4 technical reference manual; akenza-io/device-type-library types/adeunis/temp4/uplink.js",
    ports={3: FRAMES},
    any_port=FRAMES,
)

CODECS = (TEMP,)
