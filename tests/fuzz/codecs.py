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
from tests.fuzz.target import Target

NOW_MS = 1_800_000_000_000
Channels = Mapping[Quantity, tuple[str, ...]]
HEAD_BYTES = 2
ENCODED_AGAIN = 3
LONGEST_FRAME = 242
"""LoRaWAN regional parameters RP002-1.0.4: the most bytes of any data rate in Europe."""
OTHER_PORTS = (0, 1, 85, 255)
ODD: Mapping[str, Sequence[tuple[int, str]]] = {
    "bosch/tps110": ((3, "00000e10000000d10007000000270206ff"), (6, "00000e10d10000d10007")),
    "decentlab/dl-pm": ((1, "031b5000010c25"), (1, "021b5000100c25")),
    "elsys/generic": ((5, "4100e23c8100dc000a4100d805c100e1000001"), (5, "0cff9c1900641900c8"), (5, "020102023e")),
    "milesight/em400-mud": ((85, "8367e800018482410601"), (85, "fe03b00401755cff7101fe77d007")),
    "parametric/pcr2": ((14, "be0105" + "00" * 15), (190, "be0109" + "00" * 32)),
    "pepperl-fuchs/wilsen-sonic": (
        (1, "0602017fc00000"),
        (1, "0602017f800000"),
        (1, "102a25" + "0aff1bc3" * 3 + "80c2"),
    ),
    "pmx/tcr": ((1, "c2ee01"), (1, "c2510102030405"), (13, "a2ffff00000000000033"), (13, "a3000000000000000033")),
}
"""Ages, infinities, unknown keys and versions, text that is none."""


def run(codec: Codec, known: Channels, data: bytes) -> None:
    """Measurements whose readings are the codec's own; what can be encoded again decodes to the same readings.

    Attributes that a form has beside those given come back as zeros.
    """
    f_port, given, payload = data[0] if data else 0, data[1:2], data[2:]
    parameters = {item.name: 1.0 for item in codec.parameters} if given and given[0] & 1 else None
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


def _check_encoding(codec: Codec, f_port: int, measurement: Measurement, parameters: dict[str, float] | None) -> None:
    try:
        payload = codec.encode(f_port, measurement.readings, parameters, measurement.attributes)
    except EncodeError:
        return
    (again,) = codec.decode(f_port, payload, measurement.time_ms, parameters)
    assert set(again.readings) == set(measurement.readings), payload.hex()
    assert dict(measurement.attributes).items() <= dict(again.attributes).items(), payload.hex()


def mutate(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """The payload, on the same port most of the time."""
    if not random.randint(0, 7):
        return mutate_bytes(random, data, others)
    return data[:HEAD_BYTES] + mutate_bytes(random, data[HEAD_BYTES:], others)


def _seeds(codec: Codec) -> tuple[bytes, ...]:
    vectors = [bytes((item.f_port, 1)) + item.payload for item in seeds.vectors() if item.codec == codec.id]
    ports = {*codec.ports, *OTHER_PORTS}
    vectors += [bytes((port, 1)) + bytes.fromhex(frame) for port, frame in ODD.get(codec.id, ())]
    return tuple(vectors) + tuple(bytes((port, 1)) + bytes(size) for port in sorted(ports) for size in (0, 1, 11))


TARGETS = tuple(
    Target(
        name=f"codec/{codec.id}",
        run=partial(run, codec, codec.channels()),
        refuses=(DecodeError,),
        seeds=_seeds(codec),
        mutate=mutate,
        weight=4.0,
        longest=HEAD_BYTES + LONGEST_FRAME,
    )
    for codec in CODECS
)
