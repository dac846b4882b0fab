"""Strega smart valve: irrigation and water valves, payload versions 3 and 4.

Source: TheThingsNetwork/lorawan-devices vendor/strega smart-valve.js. Four characters of battery (millivolts in digits;
the first one's upper half says class and power), one of status, then blocks behind a letter each: `#` temperature and
humidity inside the box, `C` a counter in six and `V` an analogue input in four hexadecimal digits. That decoder takes
letters inside the two binary words of `#` for blocks; this one goes by position.
"""

from collections.abc import Mapping

from decoders import attribute
from decoders.codec import Codec, CodecField
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.field import Bits, Field, Given
from decoders.layout import Layout
from decoders.measurement import Measurement, Reading
from decoders.quantity import Family, Quantity

HEAD_BYTES = 5
BATTERY_BYTES = 4
STATUS_AT = 4
STATUS_OFFSET = 0x30
STATUS_BITS = 0x7F
LOW_DIGIT = 0x0F
PLAIN_DIGIT = 0x30
EXTERNAL_BIT, CLASS_BIT = 6, 7
POWERS = {0: "battery", 1: "external"}
CLASSES = {0: "A", 1: "C"}
FULL_SCALE = 65_536
HIGHEST_MV = 9999
ACKNOWLEDGEMENT = ord("@")
STATUS = Layout(
    ">",
    Bits(
        "B",
        Field(Quantity.OPEN, "0"),
        Field(Quantity.ALARM, "1", "tamper"),
        Field(Quantity.ALARM, "2", "cable"),
        Field(Quantity.DIGITAL_INPUT, "3", "di0"),
        Field(Quantity.DIGITAL_INPUT, "4", "di1"),
        Field(Quantity.ALARM, "5", "leak"),
        Field(Quantity.ALARM, "6", "fraud"),
    ),
)
CLIMATE = Layout(
    ">",
    Field(Quantity.DEVICE_TEMPERATURE, "H", scale=165, offset=-40 * FULL_SCALE, divisor=FULL_SCALE),
    Field(Quantity.DEVICE_HUMIDITY, "H", scale=100, divisor=FULL_SCALE),
)
COUNTER = Field(Quantity.PULSE_COUNT_TOTAL, "u24", verified=False)
ANALOG = Field(Quantity.INPUT_VOLTAGE, "H", divisor=1000, verified=False)
TEXTS = {ord("C"): (COUNTER, 6), ord("V"): (ANALOG, 4)}
CLIMATE_MARK = ord("#")
VOLTAGE = CodecField(Quantity.BATTERY_VOLTAGE, "", verified=True, low=0.0, high=HIGHEST_MV / 1000, step=0.001)


class Valve:
    """Battery and status, then the blocks that the valve is set to send; or what it answers to a command."""

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """One measurement."""
        if payload[:1] == bytes((ACKNOWLEDGEMENT,)):
            return (Measurement.of(time_ms, (), _answer(payload[1:])),)
        if len(payload) < HEAD_BYTES:
            raise WrongLength(f"{len(payload)} bytes; battery and status alone are {HEAD_BYTES}")
        readings: list[Reading] = []
        attributes = _power(payload, readings)
        status = payload[STATUS_AT] - STATUS_OFFSET
        if not 0 <= status <= STATUS_BITS:
            raise MalformedPayload(f"status {payload[STATUS_AT]:#04x} is none")
        STATUS.read(bytes((status,)), 0, readings, attributes)
        if payload[HEAD_BYTES : HEAD_BYTES + 1] == bytes((ACKNOWLEDGEMENT,)):
            attributes |= _answer(payload[HEAD_BYTES + 1 :])
        else:
            _blocks(payload, readings, attributes)
        latest = {(reading.quantity, reading.channel): reading for reading in readings}
        return (Measurement.of(time_ms, tuple(latest.values()), attributes),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """Battery and status, and the blocks of what else is given; without a voltage the power is external."""
        given = Given(measurement)
        status = STATUS.write(given)[0] + STATUS_OFFSET
        payload = _write_power(given) + bytes((status,))
        if CLIMATE.carries(given):
            payload += bytes((CLIMATE_MARK,)) + CLIMATE.write(given)
        for mark, (field, digits) in TEXTS.items():
            if (field.quantity, field.channel) in given.values:
                payload += bytes((mark,)) + f"{int(field.write(given)):0{digits}X}".encode()
        given.refuse_rest()
        return payload

    def fields(self) -> tuple[CodecField, ...]:
        """Battery, status, and what the blocks hold."""
        return (VOLTAGE, *STATUS.fields(), *CLIMATE.fields(), COUNTER.describe(), ANALOG.describe())


def _answer(text: bytes) -> Mapping[str, str]:
    """What the valve answers, if it says anything."""
    answer = attribute.printable(text)
    return {"answer": answer} if answer else {}


def _power(payload: bytes, readings: list[Reading]) -> dict[str, str]:
    """Read the battery, if the valve runs on it; class and power in words."""
    first = payload[0]
    digits = bytes((first & LOW_DIGIT | PLAIN_DIGIT,)) + payload[1:BATTERY_BYTES]
    external = first >> EXTERNAL_BIT & 1
    if not external:
        if first & PLAIN_DIGIT != PLAIN_DIGIT or not digits.isdigit():
            raise MalformedPayload(f"battery {payload[:BATTERY_BYTES].hex()} is no number of four digits")
        readings.append(Reading(Quantity.BATTERY_VOLTAGE, int(digits) / 1000))
    return {"class": CLASSES[first >> CLASS_BIT], "power": POWERS[external]}


def _write_power(given: Given) -> bytes:
    class_c = given.attributes.pop("class", "A") == "C"
    given.attributes.pop("power", None)
    volts = given.values.pop((Quantity.BATTERY_VOLTAGE, ""), None)
    if volts is None:
        return bytes((PLAIN_DIGIT | 1 << EXTERNAL_BIT | class_c << CLASS_BIT,)) + b"000"
    if not 0 <= volts * 1000 <= HIGHEST_MV:
        raise EncodeError(f"battery_voltage = {volts} cannot be sent; 0 to {HIGHEST_MV / 1000} can")
    digits = f"{round(volts * 1000):04}".encode()
    return bytes((digits[0] | class_c << CLASS_BIT,)) + digits[1:]


def _blocks(payload: bytes, readings: list[Reading], attributes: dict[str, str]) -> None:
    """Blocks of a letter and what it says; an unknown letter ends them, and the attribute names it."""
    at = HEAD_BYTES
    while at < len(payload):
        mark = payload[at]
        size = CLIMATE.size if mark == CLIMATE_MARK else TEXTS[mark][1] if mark in TEXTS else None
        if size is None:
            attributes["unknown_type"] = f"{mark:#04x}"
            return
        block = payload[at + 1 : at + 1 + size]
        if len(block) < size:
            raise WrongLength(f"block {mark:#04x} at byte {at} has {len(block)} bytes of {size}")
        if mark == CLIMATE_MARK:
            CLIMATE.read(block, 0, readings, attributes)
        else:
            readings.append(_hexadecimal(TEXTS[mark][0], block))
        at += 1 + size


def _hexadecimal(field: Field, digits: bytes) -> Reading:
    if not HEXADECIMAL.issuperset(digits):
        raise MalformedPayload(f"{digits.hex()} are no hexadecimal digits")
    return Reading(field.quantity, int(digits, 16) / field.divisor, field.channel)


HEXADECIMAL = frozenset(b"0123456789abcdefABCDEF")
VALVE = Valve()

SMART_VALVE = Codec(
    id="strega/smart-valve",
    vendor="Strega",
    model="Smart valve (versions 3 and 4)",
    family=Family.ENVIRONMENT,
    source="TheThingsNetwork/lorawan-devices vendor/strega smart-valve.js",
    ports={4: VALVE},
    any_port=VALVE,
)

CODECS = (SMART_VALVE,)
