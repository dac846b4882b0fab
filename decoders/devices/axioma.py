"""Axioma Qalcosonic W1 ultrasonic water meter.

Source: Axioma Qalcosonic W1 LoRa payload description; actility/device-catalog vendors/axioma/drivers/w1. Little-endian.
A frame holds the volume of now and hourly ones from a logged volume on, each a difference to the one before; all have
times of the meter's clock. A meter whose clock is not set (zero) speaks of the moment of receipt. The vendor's decoder
calls a payload corrupted, where it reads one that no meter sends: here reserved status bits, or a log from the future.
"""

import struct
from collections.abc import Iterator, Mapping
from itertools import pairwise

from decoders.codec import Codec, CodecField
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.field import Bits, Field, Given, new_tuple
from decoders.measurement import NO_ATTRIBUTES, Measurement, Reading
from decoders.quantity import Family, Privacy, Quantity
from decoders.whole import Whole

MS_PER_S = 1000
LOG_STEP_S = 3600
HEAD = struct.Struct("<IBIII")
DELTA_BYTES = 2
ALARM = struct.Struct("<IB")
RESERVED_BITS = 0x03
TEMPORARY_ERROR = 0x10
KIND_SHIFT = 5
KINDS = {0: "empty pipe", 1: "leakage", 3: "backflow", 4: "freeze", 5: "burst"}
KIND_NUMBERS = {word: number for number, word in KINDS.items()}
KIND = "temporary_error"
VOLUME = Field(Quantity.VOLUME_TOTAL, "I")


def _status(*, verified: bool) -> Bits:
    return Bits(
        "B",
        Field(Quantity.ALARM, "2", "low_battery", verified=verified),
        Field(Quantity.ALARM, "3", "permanent_error", verified=verified),
        Field(Quantity.ALARM, "4", "temporary_error", verified=verified),
    )


STATUS = _status(verified=True)
STATUS_OF_ALARM = _status(verified=False)
STATUS_READINGS = tuple(
    tuple(Reading(field.quantity, float(status >> field.place.shift & 1), field.channel) for field in STATUS.fields)
    for status in range(256)
)


class Volumes:
    """Time, status, volume; then time and volume of the log's beginning and its hourly differences."""

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """The volume of now, then those of the log, newest first."""
        behind = len(payload) - HEAD.size
        if behind < 0 or behind % DELTA_BYTES:
            raise WrongLength(f"{len(payload)} bytes; the frame has {HEAD.size} and {DELTA_BYTES} for each logged hour")
        unix, status, volume, log_unix, log_volume = HEAD.unpack_from(payload)
        _check(status)
        hours = behind // DELTA_BYTES
        if log_unix and log_unix + hours * LOG_STEP_S > unix:
            raise MalformedPayload(f"the log from {log_unix} over {hours} h ends after the frame's time {unix}")
        readings = (Reading(Quantity.VOLUME_TOTAL, float(volume)), *STATUS_READINGS[status])
        now = Measurement.of(unix * MS_PER_S or time_ms, readings, _kind(status))
        if not log_unix:
            return (now,)
        return (now, *reversed(tuple(_log(payload, log_unix, log_volume))))

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """The frame of now, without clock and log."""
        return _head(measurement, 0, 0, 0)

    def kept(self, measurement: Measurement) -> tuple[Reading, ...]:
        """The volume."""
        return tuple(reading for reading in measurement.readings if reading.quantity is VOLUME.quantity)

    def encode_history(self, history: tuple[Measurement, ...], time_ms: int, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a HistoryFrame's signature
        """The first measurement with status as the frame's own, the others as its log: hourly, never less."""
        newest, *log = history
        unix = newest.time_ms // MS_PER_S
        if not log:
            return _head(newest, unix, 0, 0)
        volumes = [int(VOLUME.write(Given(measurement))) for measurement in reversed(log)]
        times = [measurement.time_ms // MS_PER_S for measurement in reversed(log)]
        steps = [later - earlier for earlier, later in pairwise(volumes)]
        if any(later - earlier != LOG_STEP_S for earlier, later in pairwise(times)):
            raise EncodeError(f"the log has a volume every {LOG_STEP_S} s")
        try:
            return _head(newest, unix, times[0], volumes[0]) + struct.pack(f"<{len(steps)}H", *steps)
        except struct.error as wrong:
            raise EncodeError(f"a logged volume does not fit its place: {wrong}") from wrong

    def history_fields(self) -> tuple[CodecField, ...]:
        """The volume."""
        return (VOLUME.describe(),)

    def fields(self) -> tuple[CodecField, ...]:
        """Volume and status."""
        return (VOLUME.describe(), *(field.describe() for field in STATUS.fields))


class Alarm:
    """Time and status, sent when the status changes."""

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """The status at the meter's time."""
        if len(payload) != ALARM.size:
            raise WrongLength(f"{len(payload)} bytes; the frame has {ALARM.size}")
        unix, status = ALARM.unpack(payload)
        _check(status)
        return (Measurement.of(unix * MS_PER_S or time_ms, STATUS_READINGS[status], _kind(status)),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """The frame without clock."""
        given = Given(measurement)
        status = _write_status(given, STATUS_OF_ALARM)
        given.refuse_rest()
        return ALARM.pack(0, status)

    def fields(self) -> tuple[CodecField, ...]:
        """The status."""
        return tuple(field.describe() for field in STATUS_OF_ALARM.fields)


def _head(measurement: Measurement, unix: int, log_unix: int, log_volume: int) -> bytes:
    given = Given(measurement)
    volume = int(VOLUME.write(given))
    status = _write_status(given, STATUS)
    given.refuse_rest()
    try:
        return HEAD.pack(unix, status, volume, log_unix, log_volume)
    except struct.error as wrong:
        raise EncodeError(f"a value does not fit its place: {wrong}") from wrong


def _check(status: int) -> None:
    if status & RESERVED_BITS:
        raise MalformedPayload(f"status {status:#04x} has reserved bits set")


def _kind(status: int) -> Mapping[str, str]:
    if not status & TEMPORARY_ERROR:
        return NO_ATTRIBUTES
    kind = status >> KIND_SHIFT
    return {KIND: KINDS.get(kind, str(kind))}


def _write_status(given: Given, status: Bits) -> int:
    word = given.attributes.pop(KIND, None)
    if word is not None and word not in KIND_NUMBERS:
        raise EncodeError(f"{KIND} = {word!r} cannot be sent; {', '.join(KIND_NUMBERS)} can")
    return int(status.write(given)) | (KIND_NUMBERS[word] << KIND_SHIFT if word else 0)


def _log(payload: bytes, unix: int, volume: int) -> Iterator[Measurement]:
    """The log's volumes, oldest first."""
    for step in (0, *struct.unpack_from(f"<{(len(payload) - HEAD.size) // DELTA_BYTES}H", payload, HEAD.size)):
        volume += step
        reading = new_tuple(Reading, (Quantity.VOLUME_TOTAL, float(volume), ""))
        yield Measurement.of(unix * MS_PER_S, (reading,), NO_ATTRIBUTES)
        unix += LOG_STEP_S


QALCOSONIC_W1 = Codec(
    id="axioma/qalcosonic-w1",
    vendor="Axioma",
    model="Qalcosonic W1 water meter",
    family=Family.METER,
    source="Axioma Qalcosonic W1 LoRa payload description; actility/device-catalog vendors/axioma/drivers/w1",
    ports={100: Volumes(), 101: Whole("payload_format"), 103: Alarm()},
    privacy=Privacy.PERSONAL,
)

CODECS = (QALCOSONIC_W1,)
