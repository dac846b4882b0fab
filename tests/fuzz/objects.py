"""Fuzzed: decoded objects, by the table of common names, by tables of their own, and by what is proposed for them."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import cast

from decoders import mapping, suggest
from decoders.error import MappingError
from decoders.mapping import OBJECT, QUANTITIES
from decoders.unit import UNITS
from ingest.commands.error import CommandError
from ingest.commands.suggest import decoded_object
from ingest.line_protocol import LAST_TIME_MS
from tests.decoders.published import VECTORS
from tests.fuzz.mutation import NUMBERS, TOKENS, WORDS, mutate_bytes, mutate_json
from tests.fuzz.readings import check_mapped
from tests.fuzz.target import Target

NOW_MS = 1_800_000_000_000
SEPARATOR = b"\xff"
FILE = Path("event.json")
MOST_SEEDS = 40
OBJECTS: tuple[Mapping[str, object], ...] = (
    {"temperature": 21.5, "humidity": "47", "co2": 612, "batV": 3.61, "occupied": True},
    {
        "temperatureSensor": {"1": 21.5, "3": -4},
        "gpsLocation": {"2": {"latitude": 51.7, "longitude": 7.8, "altitude": 60}},
    },
    {"accelerometer": {"0": {"x": 0.1, "y": 0, "z": 1}}, "digitalInput": {"255": 1}, "barometer": {"": 1013}},
    {"soil": [{"temp": 12.5, "moisture": {"value": "31.5", "unit": "%"}}, None], "time": "2026-03-14T09:26:53+01:00"},
    {"TempC_SHT": "19.5", "Hum_SHT": "n/a", "battery_mv": 3587, "ts": 1_773_476_813, "door": "closed", "a.b": 1},
    {
        "deviceInfo": {"deviceProfileName": "x"},
        "object": {"air_temperature": {"value": 70, "unit": "°F"}, "pm2_5": -0.0},
    },
)
TABLE = """family = "environment"
time = { path = "time", as = "iso" }
[[field]]
path = "soil.0.temp"
quantity = "soil_temperature"
channel = "depth_20cm"
unit = "°F"
factor = 0.1
offset = 2
invalid = [-9999, "n/a"]
[[field]]
path = "door"
quantity = "open"
words = { open = 1, closed = 0 }
"""
KEYS = ("path", "quantity", "channel", "unit", "factor", "offset", "invalid", "words", "family", "time", "privacy", "x")


class NoObject(ValueError):
    """An input that is no JSON object."""


def read_object(data: bytes) -> dict[str, object]:
    """The object in the bytes, as a parser of events would give it."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NoObject("no JSON") from error
    if not isinstance(found, dict):
        raise NoObject("no object")
    return found


def run_default(data: bytes) -> None:
    """One measurement with right values at the given time."""
    (measurement,) = OBJECT.read(read_object(data), NOW_MS)
    check_mapped(measurement)
    assert measurement.time_ms == NOW_MS


def run_table(data: bytes) -> None:
    """The same by a table, which may also say the time."""
    text, _, found = data.partition(SEPARATOR)
    measurement = mapping.parse(text.decode("utf-8", "replace"), "x.toml").measurement(read_object(found), NOW_MS)
    check_mapped(measurement)
    assert abs(measurement.time_ms) <= LAST_TIME_MS


def run_suggest(data: bytes) -> None:
    """What is proposed is TOML; if it has lines, a right table, which reads its own object or says why it cannot."""
    found = decoded_object(data.decode("utf-8", "replace"), FILE)
    assert json.dumps([item._replace(quantity=None) for item in suggest.proposals(found)])
    text = suggest.table(found)
    assert text.encode()
    if "field" not in tomllib.loads(text):
        return
    try:
        table = mapping.parse(text, "x.toml")
    except MappingError as error:
        raise AssertionError(text) from error
    check_mapped(table.measurement(found, NOW_MS))


def mutate_table(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """The object, a line of the table, or bytes of it."""
    text, _, found = data.partition(SEPARATOR)
    inside = [other.partition(SEPARATOR)[2] for other in others]
    match random.randint(0, 5):
        case 0:
            return mutate_bytes(random, text, others) + SEPARATOR + found
        case 1 | 2:
            return _changed_line(random, text) + SEPARATOR + found
        case _:
            return text + SEPARATOR + mutate_json(random, found, inside)


def _changed_line(random: Random, text: bytes) -> bytes:
    value = random.choice((*NUMBERS, *TOKENS, *(json.dumps(word) for word in (*QUANTITIES, *UNITS, *WORDS))))
    line = f"{random.choice(KEYS)} = {value}".encode("utf-8", "surrogatepass")
    lines = text.split(b"\n")
    at = random.randrange(len(lines))
    return b"\n".join((*lines[:at], line, *lines[at + random.randint(0, 1) :]))


def _seeds() -> tuple[bytes, ...]:
    """Made ones, and what vendors' codecs are published to give."""
    published = [cast("object", vector.expected) for vector in VECTORS]
    few = published[:: max(1, len(published) // MOST_SEEDS)]
    return tuple(json.dumps(item).encode() for item in (*OBJECTS, *(item for item in few if isinstance(item, dict))))


SEEDS = _seeds()
TARGETS = (
    Target(
        name="object/default",
        run=run_default,
        refuses=(NoObject, MappingError),
        seeds=SEEDS,
        mutate=mutate_json,
        weight=3.0,
    ),
    Target(
        name="object/table",
        run=run_table,
        refuses=(NoObject, MappingError),
        seeds=tuple(TABLE.encode() + SEPARATOR + seed for seed in SEEDS[: len(OBJECTS)]),
        mutate=mutate_table,
        weight=3.0,
    ),
    Target(
        name="object/suggest",
        run=run_suggest,
        refuses=(CommandError, MappingError),
        seeds=SEEDS[: len(OBJECTS)],
        mutate=mutate_json,
        weight=0.25,
        longest=400,
    ),
)
