"""Sensative Strips: reports of one type byte each, with a history that can be asked for; big-endian.

Source: actility/device-catalog vendors/sensative/drivers/strips/strips-translate.js, the vendor's own translation. The
upper bit of a report's type says that it is part of the history, too. Whether a door's 1 is open or closed is set in
the device: it is an input, not a door's state. Raw capacitances are attributes.
"""

from collections.abc import Mapping

from decoders import attribute
from decoders.choice import by_prefix
from decoders.codec import Codec, CodecField
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.field import Attribute, Bits, Const, Field, Given, Pad, Part
from decoders.history import kept_in, values_of
from decoders.layout import Layout
from decoders.measurement import NO_ATTRIBUTES, Measurement, Reading
from decoders.quantity import Family, Quantity
from decoders.tlv import MS_PER_S, UNKNOWN_TYPE, ChannelTlv

HEAD_BYTES = 2
TYPE_BITS = 0x7F
AGE_BYTES = 4
POSITION = "history_position"
STATUS_CODES = {0: "ok", 1: "bad setting", 2: "bad payload length", 3: "value not accepted", 4: "unknown command"}
# Settings by number, from 1 on.
SETTINGS = (
    "version", "base_poll_interval_ms", "reports_enabled", "temperature_poll_interval_s",
    "temperature_immediate_threshold_mc", "temperature_throttled_threshold_mc", "temperature_throttled_time_s",
    "temperature_low_alarm_mc", "temperature_high_alarm_mc", "temperature_alarm_hysteresis_mc",
    "average_temperature_time_s", "average_temperature_minimum_mc", "average_temperature_immediate_threshold_mc",
    "average_temperature_low_alarm_mc", "average_temperature_high_alarm_mc",
    "average_temperature_alarm_hysteresis_mc", "humidity_poll_interval_s", "humidity_threshold",
    "light_poll_interval_s", "light_high_level_1", "light_low_level_1", "light_high_level_2", "light_low_level_2",
    "flood_poll_interval_s", "flood_capacitance_minimum", "flood_capacitance_maximum", "flood_report_interval_s",
    "flood_alarm_threshold", "flood_alarm_hysteresis", "foil_threshold", "capacitance_flood_report_interval_s",
    "capacitance_pad_report_interval_s", "capacitance_end_report_interval_s", "sensors_combined_1",
    "sensors_combined_2", "sensors_combined_3", "history_reports", "try_join_interval_min",
    "light_plastic_compensation", "lora_data_rate", "led_level", "link_check_interval", "resend_reset_time",
    "light_low_cutoff", "door_count_report_interval_s", "infrared_proximity_report_interval_s",
    "presence_poll_interval_s", "presence_threshold", "presence_timeout_s", "sensor_configuration",
)  # fmt: skip


def _celsius(channel: str = "") -> Field:
    return Field(Quantity.AIR_TEMPERATURE, "h", channel, divisor=10, verified=False)


def _percent(channel: str = "") -> Field:
    return Field(Quantity.AIR_HUMIDITY, "B", channel, divisor=2, verified=False)


def _alarm(channel: str, *, verified: bool = False) -> Field:
    return Field(Quantity.ALARM, "B", channel, verified=verified)


def _limits(channel: str) -> Bits:
    """Whether a temperature is above its upper or below its lower limit."""
    return Bits(
        "B",
        Field(Quantity.ALARM, "0", f"{channel}_high", verified=False),
        Field(Quantity.ALARM, "1", f"{channel}_low", verified=False),
    )


DOOR = Field(Quantity.DIGITAL_INPUT, "B", "door", verified=False)


def _reports(*, verified: bool) -> Mapping[int, Part | tuple[Part, ...]]:
    """All report types, those of two values first; `verified` where published vectors carry them."""
    return {
        0: Pad(0),
        80: (_percent(), _celsius()),
        81: (_percent("average"), _celsius("average")),
        82: (DOOR, _celsius()),
        1: Field(Quantity.BATTERY_LEVEL, "B", verified=False),
        2: _celsius(),
        3: _limits("temperature"),
        4: _celsius("average"),
        5: _limits("average_temperature"),
        6: _percent(),
        7: Field(Quantity.ILLUMINANCE, "H", verified=False),
        8: Field(Quantity.ILLUMINANCE, "H", "level", verified=False),
        9: DOOR,
        10: _alarm("door"),
        11: Field(Quantity.DIGITAL_INPUT, "B", "tamper", verified=False),
        12: _alarm("tamper"),
        13: Field(Quantity.WATER_LEAK, "B", verified=False),
        14: _alarm("flood"),
        15: _alarm("foil"),
        16: _alarm("user_switch"),
        17: Field(Quantity.OPEN_COUNT_TOTAL, "H", verified=False),
        18: Field(Quantity.PRESENCE, "B", verified=verified),
        19: Field(Quantity.INFRARED_REFLECTION, "H", verified=verified),
        20: Field(Quantity.INFRARED_REFLECTION, "H", "close", verified=verified),
        21: _alarm("close_proximity", verified=verified),
        22: attribute.number("disinfection", "B"),
        110: (attribute.hexadecimal("software_version", 4), attribute.hexadecimal("id_data", 4)),
        112: attribute.number("capacitance_flood", "H"),
        113: attribute.number("capacitance_pad", "H"),
        114: attribute.number("capacitance_end", "H"),
    }


REPORTS = _reports(verified=True)


class Direct:
    """The newest position of the history, then reports of now."""

    def __init__(self) -> None:
        self._plain = ChannelTlv(">", REPORTS, type_bytes=1)
        both = {**REPORTS, **{kind | TYPE_BITS + 1: parts for kind, parts in REPORTS.items()}}
        self._flagged = ChannelTlv(">", both, type_bytes=1)

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
        """One measurement; an unknown report ends the frame, what came before it holds."""
        position = _position(payload)
        (measurement,) = self._flagged.decode(payload[HEAD_BYTES:], time_ms, parameters)
        return (measurement._replace(attributes={**measurement.attributes, POSITION: str(position)}),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """The frame; no history where no position is given."""
        head, rest = _head(measurement)
        return head + self._plain.encode(rest, parameters)

    def fields(self) -> tuple[CodecField, ...]:
        """What all reports carry."""
        return self._plain.fields()


class History:
    """A position of the history, then reports of earlier times, each with its age in seconds."""

    def __init__(self) -> None:
        parts = _reports(verified=False)
        self._layouts = {kind: _layout(item) for kind, item in parts.items()}

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """Measurements of their own times, newest first; the first of them has the position."""
        moments: dict[int, tuple[list[Reading], dict[str, str]]] = {}
        unknown, at = "", HEAD_BYTES
        position = _position(payload)
        while at < len(payload) and not unknown:
            value = at + AGE_BYTES + 1
            if value > len(payload):
                raise WrongLength(f"a record begins at byte {at}; the payload has {len(payload)} bytes")
            layout = self._layouts.get(payload[value - 1] & TYPE_BITS)
            if layout is None:
                unknown = _unknown(payload[value - 1], moments)
                break
            at = value + layout.size
            if at > len(payload):
                raise WrongLength(f"a record ends at byte {at}; the payload has {len(payload)} bytes")
            age_s = int.from_bytes(payload[value - AGE_BYTES - 1 : value - 1], "big")
            layout.read(payload, value, *moments.setdefault(age_s, ([], {})))
        return _measurements(moments, time_ms, {POSITION: str(position)} | ({UNKNOWN_TYPE: unknown} if unknown else {}))

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """A history of one moment, this one."""
        return self._with_ages((measurement,), measurement.time_ms)

    def kept(self, measurement: Measurement) -> tuple[Reading, ...]:
        """Those of its readings that have a report."""
        return kept_in(self._layouts.items(), measurement)

    def encode_history(self, history: tuple[Measurement, ...], time_ms: int, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a HistoryFrame's signature
        """The reports of every measurement with their age; the position is the newest one's attribute."""
        return self._with_ages(history, time_ms)

    def history_fields(self) -> tuple[CodecField, ...]:
        """What all reports carry."""
        return self.fields()

    def _with_ages(self, history: tuple[Measurement, ...], time_ms: int) -> bytes:
        payload, newest = _head(history[0])
        for measurement in (newest, *history[1:]):
            age_s = round((time_ms - measurement.time_ms) / MS_PER_S)
            try:
                age = age_s.to_bytes(AGE_BYTES, "big")
            except OverflowError as error:
                raise EncodeError(f"an age of {age_s} s cannot be sent") from error
            for kind, value in values_of(self._layouts.items(), measurement):
                payload += age + bytes((kind,)) + value
        return payload

    def fields(self) -> tuple[CodecField, ...]:
        """What all reports carry."""
        return tuple(field for layout in self._layouts.values() for field in layout.fields())


def _layout(item: Part | tuple[Part, ...]) -> Layout:
    return Layout(">", *item) if isinstance(item, tuple) else Layout(">", item)


def _position(payload: bytes) -> int:
    if len(payload) < HEAD_BYTES:
        raise WrongLength(f"{len(payload)} bytes; the head alone has {HEAD_BYTES}")
    return int.from_bytes(payload[:HEAD_BYTES], "big")


def _unknown(kind: int, moments: Mapping[int, object]) -> str:
    if not moments:
        raise MalformedPayload(f"unknown report {kind & TYPE_BITS}")
    return f"{kind:#04x}"


def _measurements(
    moments: Mapping[int, tuple[list[Reading], dict[str, str]]], time_ms: int, newest: Mapping[str, str]
) -> tuple[Measurement, ...]:
    """Newest first; of two readings of one quantity and channel at one time the later one."""
    found = []
    for age_s in sorted(moments):
        readings, attributes = moments[age_s]
        last = {(reading.quantity, reading.channel): reading for reading in readings}
        found.append(Measurement.of(time_ms - age_s * MS_PER_S, tuple(last.values()), attributes or NO_ATTRIBUTES))
    if not found:
        return (Measurement.of(time_ms, (), newest),)
    return (found[0]._replace(attributes={**found[0].attributes, **newest}), *found[1:])


HEAD_LAYOUT = Layout(">", attribute.number(POSITION, "H"))


def _head(measurement: Measurement) -> tuple[bytes, Measurement]:
    """The position's bytes, and the measurement without it."""
    rest = dict(measurement.attributes)
    position = {POSITION: rest.pop(POSITION, "65535")}
    return HEAD_LAYOUT.write(Given(Measurement.of(0, (), position))), measurement._replace(attributes=rest)


def _setting(name: str) -> Attribute:
    return attribute.number(name, "I")


SETTING_REPORTS = by_prefix(
    {
        "settings": (
            b"\x02",
            ChannelTlv(">", {0x0200 | number: _setting(name) for number, name in enumerate(SETTINGS, start=1)}),
        ),
        "status": (
            b"\x03",
            Layout(">", Const("B", 3, "kind"), attribute.words("command_status", "B", STATUS_CODES)),
        ),
    }
)

STRIPS = Codec(
    id="sensative/strips",
    vendor="Sensative",
    model="Strips Comfort, Guard, Drip, Presence",
    family=Family.ENVIRONMENT,
    source="actility/device-catalog vendors/sensative/drivers/strips/strips-translate.js",
    ports={1: Direct(), 2: History(), 11: SETTING_REPORTS},
)

CODECS = (STRIPS,)
