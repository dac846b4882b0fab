"""MClimate Vicki, a radiator's thermostatic valve.

Source: TheThingsNetwork/lorawan-devices vendor/mclimate (vicki.js and vicki-codec.yaml), "Keep-alive" of MClimate's
Vicki documentation for the flags, which that decoder reads one bit too high. The report is the payload's last nine
bytes; what the device answers to downlinks stands before it and is kept whole.
"""

from collections.abc import Mapping

from decoders import attribute
from decoders.choice import by_prefix
from decoders.codec import Codec, CodecField
from decoders.error import EncodeError, WrongLength
from decoders.field import Attribute, Bits, Const, Field, Raw
from decoders.layout import Layout
from decoders.measurement import Measurement
from decoders.quantity import Family, Quantity

REPORT_BYTES = 9
REPLY = "reply"
NO_YES = {0: "no", 1: "yes"}


def _motor(raw: Raw) -> str:
    """Position and range of twelve bits each: two low bytes, then both upper nibbles."""
    position, span, upper = raw if isinstance(raw, bytes) else bytes(3)
    return f"{upper >> 4 << 8 | position} of {(upper & 0xF) << 8 | span}"


def _parse_motor(text: str) -> bytes:
    position, span = (int(part) for part in text.split(" of "))
    if not (0 <= position <= 0xFFF and 0 <= span <= 0xFFF):  # noqa: PLR2004 - twelve bits
        raise ValueError(text)
    return bytes((position & 0xFF, span & 0xFF, position >> 8 << 4 | span >> 8))


def _report(reason: int, temperature: Field) -> Layout:
    return Layout(
        ">",
        Const("B", reason, "report"),
        attribute.number("target_temperature", "B"),
        temperature,
        Field(Quantity.AIR_HUMIDITY, "B", scale=100, divisor=256),
        Attribute("motor", "3s", _motor, _parse_motor),
        Bits(
            "B",
            Field(Quantity.BATTERY_VOLTAGE, "4-7", offset=20, divisor=10),
            Field(Quantity.OPEN, "3", "window"),
            Field(Quantity.ALARM, "2", "high_motor_consumption"),
            Field(Quantity.ALARM, "1", "low_motor_consumption"),
            Field(Quantity.ALARM, "0", "broken_sensor"),
        ),
        Bits("B", attribute.words("child_lock", "7", NO_YES)),
    )


# The older sensor's temperature has the finer steps: what neither can carry is rounded less.
REPORTS = by_prefix(
    {
        "report, older sensor": (
            b"\x81",
            _report(0x81, Field(Quantity.AIR_TEMPERATURE, "B", scale=3, offset=-85, divisor=17, verified=False)),
        ),
        "report": (
            b"\x01",
            _report(0x01, Field(Quantity.AIR_TEMPERATURE, "B", scale=165, offset=-40 * 256, divisor=256)),
        ),
    }
)


class Reported:
    """A report, and before it an answer of any length."""

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
        """The report's measurement; the answer is an attribute."""
        if len(payload) < REPORT_BYTES:
            raise WrongLength(f"{len(payload)} bytes; a report has {REPORT_BYTES}")
        (found,) = REPORTS.decode(payload[-REPORT_BYTES:], time_ms, parameters)
        reply = payload[:-REPORT_BYTES].hex()
        return (found._replace(attributes={REPLY: reply, **found.attributes}) if reply else found,)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """The answer, if one is given, and the report."""
        attributes = dict(measurement.attributes)
        digits = attributes.pop(REPLY, "")
        try:
            reply = bytes.fromhex(digits)
        except ValueError as error:
            raise EncodeError(f"{REPLY} = {digits!r} are no hexadecimal digits") from error
        return reply + REPORTS.encode(measurement._replace(attributes=attributes), parameters)

    def fields(self) -> tuple[CodecField, ...]:
        """What the reports carry."""
        return REPORTS.fields()


FRAME = Reported()
VICKI = Codec(
    id="mclimate/vicki",
    vendor="MClimate",
    model="Vicki radiator valve",
    family=Family.ENVIRONMENT,
    source="TheThingsNetwork/lorawan-devices vendor/mclimate/vicki.js; MClimate Vicki documentation",
    ports={1: FRAME},
    any_port=FRAME,
)
