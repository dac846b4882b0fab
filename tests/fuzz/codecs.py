"""Fuzzed: every codec of the catalogue. An input is f_port, a byte whose lowest bit gives parameters, the payload."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from random import Random

from decoders.catalog import CODECS
from decoders.codec import Codec
from decoders.error import DecodeError, EncodeError
from decoders.measurement import Measurement
from decoders.quantity import Quantity
from tests.fuzz import seeds
from tests.fuzz.mutation import mutate_bytes
from tests.fuzz.odd import ODD, SEALS, Seal
from tests.fuzz.target import Target

NOW_MS = 1_800_000_000_000
Channels = Mapping[Quantity, tuple[str, ...]]
HEAD_BYTES = 2
ENCODED_AGAIN = 3
LONGEST_FRAME = 242
"""LoRaWAN regional parameters RP002-1.0.4: the most bytes of any data rate in Europe."""
OTHER_PORTS = (0, 1, 85, 255)


def run(codec: Codec, known: Channels, data: bytes) -> None:
    """Measurements whose readings are the codec's own; what can be encoded again decodes to the same readings.

    Attributes that a form has beside those given come back as zeros.
    """
    f_port, given, payload = data[0] if data else 0, data[1:2], data[2:]
    figures = {item.name: float(number) for number, item in enumerate(codec.parameters, start=1)}
    parameters = figures if given and given[0] & 1 else {}
    measurements = codec.decode(f_port, payload, NOW_MS, parameters)
    assert measurements
    times = [measurement.time_ms for measurement in measurements]
    assert times == sorted(times, reverse=True)
    for measurement in measurements:
        _check(known, measurement)
    for measurement in measurements[:ENCODED_AGAIN]:
        _check_encoding(codec, f_port, measurement, parameters)


def _check(known: Channels, measurement: Measurement) -> None:
    places = [(reading.quantity, reading.channel) for reading in measurement.readings]
    assert len(set(places)) == len(places)
    for quantity, value, channel in measurement.readings:
        assert type(value) is float
        assert math.isfinite(value)
        assert channel in known[quantity]
    for name, text in measurement.attributes.items():
        assert name.isidentifier()
        assert text
        assert text.isprintable()


def _check_encoding(codec: Codec, f_port: int, measurement: Measurement, parameters: dict[str, float]) -> None:
    try:
        payload = codec.encode(f_port, measurement.readings, parameters, measurement.attributes)
    except EncodeError:
        return
    (again,) = codec.decode(f_port, payload, measurement.time_ms, parameters)
    assert set(again.readings) == set(measurement.readings), payload.hex()
    assert dict(measurement.attributes).items() <= dict(again.attributes).items(), payload.hex()


def mutate(seal: Seal | None, random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """The payload, on the same port most of the time, with a right checksum most of the time."""
    if not random.randint(0, 7):
        return mutate_bytes(random, data, others)
    payload = mutate_bytes(random, data[HEAD_BYTES:], others)
    return data[:HEAD_BYTES] + (seal(payload) if seal and random.randint(0, 7) else payload)


def _seeds(codec: Codec) -> tuple[bytes, ...]:
    vectors = [bytes((item.f_port, 1)) + item.payload for item in seeds.vectors() if item.codec == codec.id]
    ports = {*codec.ports, *OTHER_PORTS}
    seal = SEALS.get(codec.id, bytes)
    vectors += [bytes((port, 1)) + seal(bytes.fromhex(frame)) for port, frame in ODD.get(codec.id, ())]
    return tuple(vectors) + tuple(bytes((port, 1)) + bytes(size) for port in sorted(ports) for size in (0, 1, 11))


TARGETS = tuple(
    Target(
        name=f"codec/{codec.id}",
        run=partial(run, codec, codec.channels()),
        refuses=(DecodeError,),
        seeds=_seeds(codec),
        mutate=partial(mutate, SEALS.get(codec.id)),
        weight=4.0,
        longest=HEAD_BYTES + LONGEST_FRAME,
    )
    for codec in CODECS
)
