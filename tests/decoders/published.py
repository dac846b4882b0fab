"""Payload vectors and what we say of them: `tests/vectors/FAMILY/NAME.json` beside `NAME.toml`.

The JSON is a list of vectors, as they were published. The TOML says how their names correspond to our readings:

    codec = "vendor/model"
    f_port = 85                      # where a vector names none
    parameters = { range_m = 5 }     # figures of the device that the codec needs

    [fields]                         # a vendor's path: agreed with …
    temp = { quantity = "air_temperature", channel = "probe1", divisor = 10, tolerance = 0.05 }
    fw = { attribute = "firmware_version", words = { v1 = "1.0" } }
    crc = { ignored = "the reason" } # … or not

    [vectors.3]                      # of the fourth vector only: `f_port`, `parameters`, `fields` that differ, or
    error = "why this payload is rightly a DecodeError"

    [[hand]]                         # a frame worked out by hand from the document: decodes to this and encodes to it
    source = "worked out by hand from …"
    f_port = 1
    payload_hex = "0112"
    readings = { occupied = 1, "vehicle_count.ltr" = 3 }
    attributes = { firmware_version = "1.0" }
    earlier = [{ time_ms = 1_700_000_000_000, readings = { distance = 100 } }]   # by age_ms where the frame says an age
    one_way = "why the encoder builds other bytes for the same"

    [[example]]                      # what a simulator may want to send
    f_port = 1
    readings = { occupied = 1 }

ours = theirs · factor / divisor + offset, within `tolerance`; `convert` = "floor" (they cut ours to whole numbers) or
"hhmm" (theirs is 100 · hour + minute); `words` translates theirs into ours. `measurement = 1` means the second one,
the newest of earlier times. In a list the first entry whose reading is there counts. A list of objects or lists is
flattened with its indices (`history.0.temperature`), a list of values is joined by blanks, `samples` of third party
vectors are named topic.field, Decentlab's {displayName, value, unit} (or without unit) by its value.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from decoders.measurement import Reading
from decoders.quantity import Quantity

FOLDER = Path(__file__).parents[1] / "vectors"
DECENTLAB_VALUE = {"displayName", "value", "unit"}
ANY_PORT = 1

Json = Any


@dataclass(frozen=True)
class Vector:
    """One published payload with what its publisher expects, and our notes on it."""

    file: str
    number: int
    codec: str
    f_port: int
    payload: bytes
    expected: Json
    parameters: Mapping[str, float]
    error: str
    fields: Mapping[str, Json]


@dataclass(frozen=True)
class Hand:
    """A frame worked out by hand; an example has no payload."""

    file: str
    codec: str
    f_port: int
    payload: bytes
    parameters: Mapping[str, float]
    readings: tuple[Reading, ...]
    attributes: Mapping[str, str]
    earlier: tuple[tuple[int | None, int | None, tuple[Reading, ...]], ...]
    source: str
    one_way: str


def note_files() -> list[str]:
    """Names (family/name) of all notes, with or without published vectors."""
    return sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob("*/*.toml"))


def notes(file: str) -> dict[str, Json]:
    """What we say of a file's vectors."""
    return tomllib.loads((FOLDER / f"{file}.toml").read_text(encoding="utf-8"))


def published(file: str) -> list[Vector]:
    """The published vectors of a file; none where everything is worked out by hand."""
    path = FOLDER / f"{file}.json"
    if not path.exists():
        return []
    ours = notes(file)
    return [
        _vector(file, number, theirs, ours)
        for number, theirs in enumerate(json.loads(path.read_text(encoding="utf-8")))
    ]


def _vector(file: str, number: int, theirs: Json, ours: Json) -> Vector:
    own = ours.get("vectors", {}).get(str(number), {})
    return Vector(
        file,
        number,
        own.get("codec", ours["codec"]),
        own.get("f_port") or ours.get("f_port") or theirs["f_port"] or ANY_PORT,
        bytes.fromhex(theirs["payload_hex"]),
        theirs["expected"],
        own.get("parameters", ours.get("parameters", {})),
        own.get("error", ""),
        {**ours.get("fields", {}), **own.get("fields", {})},
    )


def by_hand(file: str, table: str) -> list[Hand]:
    """The `hand` or `example` tables of a file."""
    ours = notes(file)
    return [
        Hand(
            file,
            item.get("codec", ours["codec"]),
            item["f_port"],
            bytes.fromhex(item.get("payload_hex", "")),
            item.get("parameters", ours.get("parameters", {})),
            readings(item.get("readings", {})),
            item.get("attributes", {}),
            tuple(
                (then.get("time_ms"), then.get("age_ms"), readings(then["readings"]))
                for then in item.get("earlier", ())
            ),
            item.get("source", ""),
            item.get("one_way", ""),
        )
        for item in ours.get(table, ())
    ]


def readings(named: Mapping[str, float]) -> tuple[Reading, ...]:
    """Readings from `quantity` or `quantity.channel` and value."""
    found = []
    for name, value in named.items():
        quantity, _, channel = name.partition(".")
        found.append(Reading(Quantity[quantity.upper()], float(value), channel))
    return tuple(found)


def flatten(expected: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Paths and values of what a vector expects."""
    if isinstance(expected, dict) and expected.keys() | {"unit"} == DECENTLAB_VALUE:
        yield path, expected["value"]
    elif isinstance(expected, dict):
        for name, value in expected.items():
            if name == "samples" and all("topic" in sample for sample in value):
                for sample in value:
                    yield from flatten(sample["data"], sample["topic"])
            else:
                yield from flatten(value, f"{path}.{name}" if path else name)
    elif isinstance(expected, list) and any(isinstance(item, dict | list) for item in expected):
        for number, item in enumerate(expected):
            yield from flatten(item, f"{path}.{number}" if path else str(number))
    elif isinstance(expected, list):
        yield path, " ".join(str(item) for item in expected)
    else:
        yield path, expected


FILES = note_files()
VECTORS = [vector for file in FILES for vector in published(file)]
HANDS = [hand for file in FILES for hand in by_hand(file, "hand")]
EXAMPLES = [example for file in FILES for example in by_hand(file, "example")]


def parameters_of(codec_id: str) -> Mapping[str, float]:
    """Figures of a device with which a codec's vectors decode."""
    every: list[Vector | Hand] = [*VECTORS, *HANDS, *EXAMPLES]
    return next((item.parameters for item in every if item.codec == codec_id and item.parameters), {})


def payloads() -> list[tuple[str, int, bytes]]:
    """Codec, f_port and payload of all that is known of real frames."""
    every: list[Vector | Hand] = [*VECTORS, *HANDS]
    return [(item.codec, item.f_port, item.payload) for item in every]
