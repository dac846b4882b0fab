"""Watteco's single reports: one attribute of one cluster, told apart from batches by bit 0 of the first byte.

Source: support.watteco.com, frame format and clusters. A report is control (endpoint), command, cluster, attribute,
type, value; an alarm goes on with its causes, which are an attribute. The answer to a reading has a status before the
type.
"""

from collections.abc import Collection, Mapping

from decoders import attribute
from decoders.choice import Choice
from decoders.codec import CodecField, Frame
from decoders.devices.watteco_batch import Batch
from decoders.direct import Direct, Values, Words, Written
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.field import Const, Field, Given, Part
from decoders.layout import Layout
from decoders.measurement import NO_ATTRIBUTES, Measurement, Place, Reading
from decoders.quantity import Quantity

ANSWER = 0x01
REPORT = 0x0A
ALARM = 0x8A
COMMANDS = (REPORT, ALARM)
CAUSES = "alarm_causes"
NO_CAUSES = "not told"
HEAD_BYTES = 7
ANSWER_BYTES = 8
SOURCES_AT = 9
POWER_HEAD = bytes((0x11, 0x00, 0x50, 0x00, 0x06, 0x41))


class Report(Direct):
    """One attribute of a cluster of an endpoint: control, command, cluster, attribute, type, value."""

    decisive = True

    def __init__(self, endpoint: int, cluster: int, number: int, kind: int, field: Field) -> None:
        # Everything but the command.
        self.head = bytes((0x11 | endpoint << 5, *cluster.to_bytes(2, "big"), *number.to_bytes(2, "big"), kind))
        self._value = Layout(">", field)

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """One measurement; only an alarm may go on after the value."""
        end = HEAD_BYTES + self._value.size
        if len(payload) < end or (payload[1] == REPORT and len(payload) > end):
            raise WrongLength(f"{len(payload)} bytes; the report has {end}")
        readings: list[Reading] = []
        attributes: dict[str, str] = {}
        self._value.read(payload, HEAD_BYTES, readings, attributes)
        if payload[1] == ALARM:
            attributes[CAUSES] = payload[end:].hex() or NO_CAUSES
        return (Measurement.of(time_ms, tuple(readings), attributes or NO_ATTRIBUTES),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """The report, an alarm where causes are given."""
        given = Given(measurement)
        causes = given.attributes.pop(CAUSES, None)
        if not measurement.readings:
            raise EncodeError("nothing to report")
        command = bytes((REPORT if causes is None else ALARM,))
        payload = self.head[:1] + command + self.head[1:] + self._value.write(given)
        given.refuse_rest()
        return payload + _causes(causes)

    def written(self, values: Values, words: Words, parameters: Mapping[str, float]) -> Written | None:
        """The report, no alarm."""
        found = self._value.written(values, words, parameters) if values else None
        return found and found._replace(payload=self.head[:1] + bytes((REPORT,)) + self.head[1:] + found.payload)

    def has_places(self, places: Collection[Place]) -> bool:
        """Whether readings of just these places could be carried, whatever their values are."""
        return self._value.has_places(places)

    def fields(self) -> tuple[CodecField, ...]:
        """The one value."""
        return self._value.fields()


def _causes(words: str | None) -> bytes:
    if words is None or words == NO_CAUSES:
        return b""
    try:
        return bytes.fromhex(words)
    except ValueError as error:
        raise EncodeError(f"{CAUSES} = {words!r} are no hexadecimal digits") from error


class Power:
    """Voltages of those power sources that there are, and which of them is in use."""

    def __init__(self, *sources: Field) -> None:
        self._sources = sources
        self._layouts = [self._layout(present) for present in range(1 << len(sources))]

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
        """One measurement."""
        present = payload[SOURCES_AT] if len(payload) > SOURCES_AT else 0
        if present >= len(self._layouts):
            raise MalformedPayload(f"power sources {present:#04x}; {len(self._sources)} are known")
        return self._layouts[present].decode(payload, time_ms, parameters)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """The report of the given voltages."""
        given = {(reading.quantity, reading.channel) for reading in measurement.readings}
        present = sum(
            1 << number for number, source in enumerate(self._sources) if (source.quantity, source.channel) in given
        )
        return self._layouts[present].encode(measurement, parameters)

    def fields(self) -> tuple[CodecField, ...]:
        """All sources."""
        return tuple(source.describe() for source in self._sources)

    def _layout(self, present: int) -> Layout:
        fields = [source for number, source in enumerate(self._sources) if present >> number & 1]
        return Layout(
            ">",
            Const("B", POWER_HEAD[0], "control"),
            Const("B", REPORT, "command"),
            *(Const("B", byte, "head") for byte in POWER_HEAD[1:]),
            Const("B", 3 + 2 * len(fields), "length"),
            attribute.number("power_mode", "B"),
            Const("B", present, "power sources"),
            *fields,
            attribute.number("power_source", "B"),
        )


def answer(cluster: int, number: int, kind: int, part: Part) -> tuple[bytes, Layout]:
    """The answer to a reading of an attribute of endpoint 0, and what it begins with."""
    head = bytes((0x11, ANSWER, *cluster.to_bytes(2, "big"), *number.to_bytes(2, "big"), 0, kind))
    return head, Layout(">", *(Const("B", byte, "head") for byte in head), part)


def power(*verified: int) -> Power:
    """All sources that the vendor's devices know, by their bit; those that published vectors carry."""
    kinds = (
        (Quantity.SUPPLY_VOLTAGE, "constant"),
        (Quantity.BATTERY_VOLTAGE, "rechargeable"),
        (Quantity.BATTERY_VOLTAGE, ""),
        (Quantity.SUPPLY_VOLTAGE, "solar"),
        (Quantity.SUPPLY_VOLTAGE, "tic"),
    )
    return Power(
        *(
            Field(quantity, "H", channel, divisor=1000, verified=bit in verified)
            for bit, (quantity, channel) in enumerate(kinds)
        )
    )


def frames(
    reports: Mapping[str, Report],
    sources: Power,
    batch: Batch,
    answers: Mapping[str, tuple[bytes, Layout]] | None = None,
) -> Choice:
    """All that a device sends on its port: reports, power, answers, batches."""
    asked = answers or {}
    forms: Mapping[str, Frame] = {
        **reports,
        "power": sources,
        "batch": batch,
        **{name: layout for name, (_, layout) in asked.items()},
    }
    names = {report.head: name for name, report in reports.items()} | {POWER_HEAD: "power"}
    answered = {head: name for name, (head, _) in asked.items()}

    def select(payload: bytes) -> str:
        if not payload:
            raise WrongLength("the payload is empty")
        if not payload[0] & 1:
            return "batch"
        if len(payload) < HEAD_BYTES:
            raise WrongLength(f"{len(payload)} bytes; the head alone has {HEAD_BYTES}")
        name = answered.get(payload[:ANSWER_BYTES])
        if payload[1] in COMMANDS:
            name = names.get(payload[:1] + payload[2:HEAD_BYTES])
        if name is None:
            raise MalformedPayload(f"unknown report {payload[:HEAD_BYTES].hex()}")
        return name

    return Choice(forms, select)
