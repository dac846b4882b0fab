"""Eurecam Comptipix people counter: JSON text with five counters of each counting line.

Source: actility/device-catalog vendors/eurecam/drivers/comptipix (driver and example). What the five counters of a
line mean is set in the single device and not published; they keep their places, `line2_1` is the first of line 2. The
device's clock comes as words, the measurement is of the time at which the network took it.
"""

import json
from collections.abc import Mapping

from decoders.codec import Codec, CodecField
from decoders.error import EncodeError, MalformedPayload
from decoders.field import Field, Given, name
from decoders.measurement import NO_ATTRIBUTES, Measurement, Reading
from decoders.quantity import Family, Quantity

LINES = range(1, 9)
PUBLISHED_LINES = range(1, 5)
COUNTERS = range(1, 6)
LARGEST = 0xFFFF
CLOCK = "rtc_utc_time"
CLOCK_ATTRIBUTE = "device_time"
CLOCK_LETTERS = frozenset("0123456789-: ")
CLOCK_LENGTH = len("2025-02-26 16:10:41")
CHANNELS = {f"line_counting_{line}": tuple(f"line{line}_{place}" for place in COUNTERS) for line in LINES}


class Lines:
    """A JSON object of counting lines, each a list of five counters, and the device's clock."""

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """One measurement with the counters of all lines."""
        try:
            found = json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise MalformedPayload("the payload is no JSON text") from error
        if not isinstance(found, dict):
            raise MalformedPayload("the payload is no JSON object")
        readings: list[Reading] = []
        for key, channels in CHANNELS.items():
            if key in found:
                readings += _line(key, found[key], channels)
        if not readings:
            raise MalformedPayload("the payload has no counting line")
        return (Measurement.of(time_ms, tuple(readings), _clock(found.get(CLOCK))),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """The JSON text of all lines of which every counter is given."""
        given = Given(measurement)
        found: dict[str, list[int] | str] = {}
        for key, channels in CHANNELS.items():
            if (Quantity.PEOPLE_COUNT, channels[0]) in given.values:
                found[key] = [int(Field(Quantity.PEOPLE_COUNT, "H", channel).write(given)) for channel in channels]
        if not found:
            raise EncodeError(f"{name(Quantity.PEOPLE_COUNT, 'line1_1')} or that of another line is needed")
        clock = given.attributes.pop(CLOCK_ATTRIBUTE, None)
        given.refuse_rest()
        if clock is not None:
            if not _is_clock(clock):
                raise EncodeError(f"{CLOCK_ATTRIBUTE} = {clock!r} is no time like 2025-02-26 16:10:41")
            found[CLOCK] = clock
        return json.dumps(found, separators=(",", ":")).encode("ascii")

    def fields(self) -> tuple[CodecField, ...]:
        """Five counters a line."""
        return tuple(
            Field(
                Quantity.PEOPLE_COUNT, "H", f"line{line}_{place}", verified=line in PUBLISHED_LINES and place == 1
            ).describe()
            for line in LINES
            for place in COUNTERS
        )


def _line(key: str, counters: object, channels: tuple[str, ...]) -> list[Reading]:
    if not isinstance(counters, list) or len(counters) != len(channels):
        raise MalformedPayload(f"{key} is no list of {len(channels)} counters")
    for counter in counters:
        if type(counter) is not int or not 0 <= counter <= LARGEST:
            raise MalformedPayload(f"{key}: {str(counter)[:20]!r} is no count")
    return [
        Reading(Quantity.PEOPLE_COUNT, float(counter), channel)
        for counter, channel in zip(counters, channels, strict=True)
    ]


def _clock(text: object) -> Mapping[str, str]:
    return {CLOCK_ATTRIBUTE: text} if isinstance(text, str) and _is_clock(text) else NO_ATTRIBUTES


def _is_clock(text: str) -> bool:
    return len(text) == CLOCK_LENGTH and CLOCK_LETTERS.issuperset(text)


COMPTIPIX = Codec(
    id="eurecam/comptipix",
    vendor="Eurecam",
    model="Comptipix people counter",
    family=Family.TRAFFIC,
    source="actility/device-catalog vendors/eurecam/drivers/comptipix",
    ports={1: Lines()},
)

CODECS = (COMPTIPIX,)
