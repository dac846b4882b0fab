"""Xter Connect: counter of people passing by, with four inputs.

Source: Xter Connect payload specification and commands V203; ZennerIoT/element-parsers lib/xter_connect.ex. A byte says
which values follow; those of twelve bits stand without a gap between them, the last byte is filled up. The event
counters begin anew with every frame that reports them.
"""

from collections.abc import Iterator, Mapping

from decoders import attribute
from decoders.choice import Choice
from decoders.codec import Codec, CodecField
from decoders.error import MalformedPayload, WrongLength
from decoders.field import Const, Curve, Field, Given, Pad
from decoders.layout import Layout
from decoders.leading import Leading
from decoders.measurement import Measurement, Reading
from decoders.quantity import Family, Quantity

MESSAGES = {0x10: "keep-alive", 0x20: "async", 0x30: "delayed"}
RESET = 0x00
HEAD_BYTES = 4
HOURS, MINUTES = 24, 60
BYTE_BITS = 8
WIDE_BITS = 12
SIGN = 0x800
EACH_INPUT = [f"pio{number}" for number in range(4)]


def _minute_of_day(raw: int) -> float | None:
    hour, minute = divmod(raw, 0x100)
    return float(hour * MINUTES + minute) if hour < HOURS and minute < MINUTES else None


def _hour_and_minute(minute_of_day: float) -> int:
    hour, minute = divmod(round(minute_of_day), MINUTES)
    return hour << BYTE_BITS | minute


def _signed_tenths(raw: int) -> float:
    return (raw - 2 * SIGN if raw & SIGN else raw) / 10


CLOCK = Field(Quantity.DEVICE_CLOCK, "H", curve=Curve(_minute_of_day, _hour_and_minute, 0, 1439, 1), verified=False)
TENTHS = Curve(_signed_tenths, lambda degrees: round(degrees * 10) % (2 * SIGN), -204.8, 204.7, 0.1)
ALL_BITS = f"0-{WIDE_BITS - 1}"
# In the order of the presence bits, the highest first, with their widths.
VALUES: tuple[tuple[Field, int], ...] = (
    (Field(Quantity.PEOPLE_COUNT, "B", "pio0", verified=False), BYTE_BITS),
    (Field(Quantity.PEOPLE_COUNT, "B", "pio1", verified=False), BYTE_BITS),
    (Field(Quantity.PEOPLE_COUNT, ALL_BITS, "pio2", verified=False), WIDE_BITS),
    (Field(Quantity.PEOPLE_COUNT, ALL_BITS, "pio3", verified=False), WIDE_BITS),
    (Field(Quantity.DEVICE_TEMPERATURE, ALL_BITS, curve=TENTHS, verified=False), WIDE_BITS),
    (Field(Quantity.EXTERNAL_TEMPERATURE, ALL_BITS, curve=TENTHS, verified=False), WIDE_BITS),
    (Field(Quantity.BATTERY_VOLTAGE, ALL_BITS, divisor=100, verified=False), WIDE_BITS),
    (Field(Quantity.SUPPLY_VOLTAGE, ALL_BITS, divisor=100, verified=False), WIDE_BITS),
)
HEAD = Layout(">", attribute.words("message", "B", MESSAGES), CLOCK, Pad(1))


class Values:
    """Kind of message, clock, presence bits, then the values that are there."""

    __slots__ = ()

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """One measurement at the given time."""
        if len(payload) < HEAD_BYTES:
            raise WrongLength(f"{len(payload)} bytes; the head has {HEAD_BYTES}")
        there = [item for bit, item in enumerate(VALUES) if payload[HEAD_BYTES - 1] & 0x80 >> bit]
        size = HEAD_BYTES + _bytes(sum(width for _, width in there))
        if len(payload) != size:
            raise WrongLength(f"{len(payload)} bytes; with these presence bits the frame has {size}")
        readings: list[Reading] = []
        attributes: dict[str, str] = {}
        HEAD.read(payload, 0, readings, attributes)
        readings += _unpacked(there, payload[HEAD_BYTES:])
        return (Measurement.of(time_ms, tuple(readings), attributes),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """The frame with the values that are given; an unnamed message is sent as async."""
        given = Given(measurement)
        given.attributes.setdefault("message", MESSAGES[0x20])
        head = bytearray(HEAD.write(given))
        number, bits = 0, 0
        for bit, (field, width) in enumerate(VALUES):
            if (field.quantity, field.channel) in given.values:
                head[-1] |= 0x80 >> bit
                number = number << width | int(field.write(given))
                bits += width
        given.refuse_rest()
        size = _bytes(bits)
        return bytes(head) + (number << size * BYTE_BITS - bits).to_bytes(size, "big")

    def fields(self) -> tuple[CodecField, ...]:
        """What the frame can carry."""
        return (CLOCK.describe(), *(field.describe() for field, _ in VALUES))


def _bytes(bits: int) -> int:
    return (bits + BYTE_BITS - 1) // BYTE_BITS


def _unpacked(there: list[tuple[Field, int]], packed: bytes) -> Iterator[Reading]:
    number, left = int.from_bytes(packed, "big"), len(packed) * BYTE_BITS
    for field, width in there:
        left -= width
        reading = field.read(number >> left & (1 << width) - 1)
        if reading is not None:
            yield reading


def _reset() -> Layout:
    number = attribute.number
    return Layout(
        ">",
        Const("B", RESET, "message"),
        number("configuration_exists", "B"),
        CLOCK,
        number("guard_time_day_min", "B"),
        number("guard_time_night_min", "B"),
        number("keep_alive_min", "B"),
        *(number(f"{name}_threshold_{part}", "B") for name in EACH_INPUT for part in ("day", "night")),
        number("night_start_hour", "B"),
        number("night_start_minute", "B"),
        number("day_start_hour", "B"),
        number("day_start_minute", "B"),
        number("enabled_register", "B"),
    )


def _select(payload: bytes) -> str:
    if not payload:
        raise WrongLength("the payload is empty")
    if payload[0] == RESET:
        return "reset"
    if payload[0] not in MESSAGES:
        raise MalformedPayload(f"message is {payload[0]:#04x}; known are 0x00, 0x10, 0x20, 0x30")
    return "values"


RESET_FRAME = _reset()
UPLINK = Choice({"values": Values(), "reset": Leading(RESET_FRAME, RESET_FRAME.size, (0, 2))}, _select)

CONNECT = Codec(
    id="xter/connect",
    vendor="Xter",
    model="Connect people counter",
    family=Family.TRAFFIC,
    source="Xter Connect payload specification and commands V203",
    ports={2: UPLINK},
    any_port=UPLINK,
    untested=True,
)

CODECS = (CONNECT,)
