"""Watteco's batches: several series of samples, each with its times, in bits.

Source: nke Watteco's published batch decompression (br_uncompress; actility/device-catalog
vendors/watteco/drivers/batch.js). Differences come as a code word, which tells how many bits follow. Times are seconds
of a clock of the device's own; the last one is that of sending.
"""

from collections.abc import Mapping
from math import inf
from typing import NamedTuple

from decoders.codec import CodecField
from decoders.devices.watteco_bits import (
    BYTE,
    CODING_BITS,
    FLOAT,
    FORMAT_BITS,
    REAL,
    TIME_BITS,
    TIMES,
    WHOLE,
    Stream,
    Writer,
)
from decoders.error import EncodeError, MalformedPayload
from decoders.field import Field, Given, Raw
from decoders.measurement import Measurement, Reading

COUNT_BITS = 8
MOST_SERIES, MOST_SAMPLES = 0xF, 0x100
SAMPLES = 0
COUNTER_BITS = 3
NO_SAMPLES = 0x04
# How a series codes its differences; beyond these two they go down.
BOTH_WAYS, UPWARDS = 0, 1
START = 1
MS_PER_S = 1000
COUNTER = "batch_counter"


class Series(NamedTuple):
    """What a label stands for; differences are multiples of `resolution`, in raw numbers."""

    field: Field
    resolution: float


class _Coded:
    """One series of a batch while it is read."""

    __slots__ = ("coding", "samples", "series", "table")

    def __init__(self, series: Series, time_s: int, raw: float) -> None:
        self.series = series
        self.samples = [(time_s, raw)]
        self.coding = 0
        self.table = 0

    def following(self, stream: Stream, word: int) -> float:
        """The next raw number, from the one before or from the stream."""
        if word == WHOLE:
            return stream.value(self.series.field.format)
        before = self.samples[-1][1]
        if not word:
            return before
        bits = stream.number(word)
        if self.coding == BOTH_WAYS and not bits >> word - 1:
            return before + (bits + 1 - (1 << word)) * self.series.resolution
        step = bits if self.coding == BOTH_WAYS else bits + (1 << word) - 1
        return before + (step if self.coding <= UPWARDS else -step) * self.series.resolution


class Batch:
    """Series by their label, of `label_bits` each."""

    def __init__(self, label_bits: int, series: Mapping[int, Series]) -> None:
        self._label_bits = label_bits
        self._series = series

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """Measurements of their own times, newest first; the batch was sent at `time_ms`."""
        stream = Stream(payload)
        head = stream.number(BYTE)
        common, sampled, count = head >> 1 & 1, not head & NO_SAMPLES, head >> 4
        counter = stream.number(COUNTER_BITS)
        stream.number(1)
        coded, last_s = self._starts(stream, count, sampled=sampled)
        if sampled and common:
            last_s = self._common(stream, count, coded)
        elif sampled:
            last_s = max(last_s, self._separate(stream, count, coded))
        return _measurements(coded, stream.time(last_s), time_ms, {COUNTER: str(counter)})

    def _starts(self, stream: Stream, count: int, *, sampled: bool) -> tuple[dict[int, _Coded], int]:
        """The first sample of every series, in the order of the batch, and the time of the last of them."""
        coded: dict[int, _Coded] = {}
        time_s = 0
        for _ in range(count):
            label = stream.number(self._label_bits)
            if label not in self._series:
                raise MalformedPayload(f"unknown label {label}")
            time_s = stream.time(time_s)
            series = self._series[label]
            coded[label] = one = _Coded(series, time_s, stream.value(series.field.format))
            if sampled:
                one.coding, one.table = stream.number(CODING_BITS), stream.coding()
        return coded, time_s

    def _next(self, stream: Stream, coded: Mapping[int, _Coded]) -> _Coded:
        label = stream.number(self._label_bits)
        if label not in coded:
            raise MalformedPayload(f"samples of label {label}, which has no first one")
        return coded[label]

    def _separate(self, stream: Stream, count: int, coded: Mapping[int, _Coded]) -> int:
        """Further samples, each series with times of its own; the latest time."""
        last_s = 0
        for _ in range(count):
            one = self._next(stream, coded)
            samples = stream.number(COUNT_BITS)
            times = stream.coding() if samples else 0
            for _ in range(samples):
                time_s = stream.later(one.samples[-1][0], times)
                one.samples.append((time_s, one.following(stream, stream.word(one.table))))
                last_s = max(last_s, time_s)
        return last_s

    def _common(self, stream: Stream, count: int, coded: Mapping[int, _Coded]) -> int:
        """Further samples at times that all series share; the last of those times."""
        samples, table = stream.number(COUNT_BITS), stream.coding()
        first_s = next(iter(coded.values())).samples[0][0] if coded else 0
        times: list[int] = []
        for number in range(samples):
            word = stream.word(table)
            if word == WHOLE:
                times.append(stream.number(TIME_BITS))
            elif number == 0:
                times.append(first_s)
            else:
                times.append(times[-1] + (stream.number(word) + (1 << word) - 1 if word else 0))
        for _ in range(count):
            one = self._next(stream, coded)
            first = True
            for time_s in times:
                if not stream.number(1):
                    continue
                word = stream.word(one.table)
                if word == 0 and first:
                    # The series' first sample, once more.
                    first = False
                    continue
                one.samples.append((time_s, one.following(stream, word)))
        return times[-1] if times else 0

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """A batch of one sample a series, all of now."""
        given = Given(measurement)
        counter = _counter(given)
        there = [
            (label, series.field)
            for label, series in self._series.items()
            if (series.field.quantity, series.field.channel) in given.values
        ]
        if not there:
            raise EncodeError("nothing to send")
        writer = Writer()
        writer.number(len(there) << 4 | NO_SAMPLES, BYTE)
        writer.number(counter, COUNTER_BITS)
        writer.number(0, 1)
        for number, (label, field) in enumerate(there):
            writer.number(label, self._label_bits)
            if number:
                writer.word(TIMES, 0)
            else:
                writer.number(START, TIME_BITS)
            writer.number(*_bits(field, field.write(given)))
        writer.word(TIMES, 0)
        given.refuse_rest()
        return writer.payload()

    def kept(self, measurement: Measurement) -> tuple[Reading, ...]:
        """Those of its readings that have a series."""
        known = {(series.field.quantity, series.field.channel) for series in self._series.values()}
        return tuple(reading for reading in measurement.readings if (reading.quantity, reading.channel) in known)

    def encode_history(self, history: tuple[Measurement, ...], time_ms: int, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a HistoryFrame's signature
        """A batch of all their values: each series at its own times, coded as differences where those are whole."""
        ages = [round((time_ms - measurement.time_ms) / MS_PER_S) for measurement in history]
        sent_s = START + max(ages)
        samples: dict[int, list[tuple[int, Raw]]] = {}
        counter = 0
        for measurement, age_s in zip(reversed(history), reversed(ages), strict=True):
            given = Given(measurement)
            counter = _counter(given)
            for label, series in self._series.items():
                if (series.field.quantity, series.field.channel) in given.values:
                    samples.setdefault(label, []).append((sent_s - age_s, series.field.write(given)))
            given.refuse_rest()
        if min(ages) < 0 or not samples or len(samples) > MOST_SERIES or len(history) > MOST_SAMPLES:
            raise EncodeError(f"{len(history)} measurements of {len(samples)} series cannot be sent")
        return self._batch(samples, sent_s, counter)

    def history_fields(self) -> tuple[CodecField, ...]:
        """What the series carry."""
        return self.fields()

    def _batch(self, samples: Mapping[int, list[tuple[int, Raw]]], sent_s: int, counter: int) -> bytes:
        writer = Writer()
        writer.number(len(samples) << 4, BYTE)
        writer.number(counter, COUNTER_BITS)
        writer.number(0, 1)
        time_s = 0
        for label in sorted(samples, key=lambda label: samples[label][0][0]):
            first_s, raw = samples[label][0]
            writer.number(label, self._label_bits)
            writer.later(time_s, first_s, TIMES) if time_s else writer.number(first_s, TIME_BITS)
            time_s = first_s
            writer.number(*_bits(self._series[label].field, raw))
            writer.number(BOTH_WAYS, CODING_BITS)
            writer.number(SAMPLES, CODING_BITS)
        for label, (first, *others) in samples.items():
            writer.number(label, self._label_bits)
            writer.number(len(others), COUNT_BITS)
            if others:
                writer.number(TIMES, CODING_BITS)
            before_s, before = first
            for then_s, raw in others:
                writer.later(before_s, then_s, TIMES)
                _write_step(writer, self._series[label], before, raw)
                before_s, before = then_s, raw
        writer.later(max(found[-1][0] for found in samples.values()), sent_s, TIMES)
        return writer.payload()

    def fields(self) -> tuple[CodecField, ...]:
        """What the series carry."""
        return tuple(series.field.describe() for series in self._series.values())


def _counter(given: Given) -> int:
    """The number of the batch, taken out of what is given."""
    counter = given.attributes.pop(COUNTER, "0")
    if not counter.isdecimal() or int(counter) >> COUNTER_BITS:
        raise EncodeError(f"{COUNTER} = {counter!r} is not 0 to 7")
    return int(counter)


def _write_step(writer: Writer, series: Series, before: Raw, raw: Raw) -> None:
    """A raw number as its difference to the one before, in full where that is no short multiple of the resolution."""
    steps = (float(raw) - float(before)) / series.resolution
    size = abs(int(steps)).bit_length()
    if steps != int(steps) or size >= WHOLE or (series.field.format == REAL and steps):
        writer.word(SAMPLES, WHOLE)
        writer.number(*_bits(series.field, raw))
        return
    writer.word(SAMPLES, size)
    writer.number(int(steps) if steps >= 0 else int(steps) - 1 + (1 << size), size)


def _bits(field: Field, raw: Raw) -> tuple[int, int]:
    """A field's raw value as a number without sign, and its bits."""
    bits = FORMAT_BITS[field.format]
    if isinstance(raw, float):
        return int.from_bytes(FLOAT.pack(raw), "big"), bits
    return int(raw) & (1 << bits) - 1, bits


def _measurements(
    coded: Mapping[int, _Coded], sent_s: int, time_ms: int, attributes: Mapping[str, str]
) -> tuple[Measurement, ...]:
    """The samples by their time; of two of one series at one time the later one."""
    moments: dict[int, dict[tuple[object, str], Reading]] = {}
    for one in coded.values():
        code = one.series.field.format
        low, high = (-inf, inf) if code == REAL else one.series.field.raw_range()
        for time_s, raw in one.samples:
            if raw < low or raw > high:
                raise MalformedPayload(f"{one.series.field.quantity.field} has a raw value of {raw}")
            reading = one.series.field.read(raw)
            moment = moments.setdefault(time_s, {})
            if reading is not None:
                moment[reading.quantity, reading.channel] = reading
    found = [
        Measurement.of(time_ms - (sent_s - time_s) * MS_PER_S, tuple(moments[time_s].values()))
        for time_s in sorted(moments, reverse=True)
    ]
    if not found:
        return (Measurement.of(time_ms, (), attributes),)
    return (found[0]._replace(attributes=attributes), *found[1:])
