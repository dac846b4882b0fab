"""Published payload vectors: every expected field agrees with our reading, or stands ignored with a reason."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import floor
from pathlib import Path
from typing import Any

import pytest

from decoders.catalog import CODECS, codec
from decoders.codec import Codec
from decoders.error import DecodeError
from decoders.measurement import Measurement

FOLDER = Path(__file__).parents[1] / "vectors"
FIELDS = tomllib.loads((FOLDER / "fields.toml").read_text(encoding="utf-8"))
FILES = sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob("*/*.json"))
DECENTLAB_VALUE = {"displayName", "value", "unit"}
DEFAULT_TOLERANCE = 1e-9

Json = Any
Use = tuple[str, str, int]
Cover = tuple[str, int | None, str, str]


@dataclass
class Outcome:
    """What came of comparing one vector."""

    problems: list[str] = field(default_factory=list)
    used: set[Use] = field(default_factory=set)
    covered: set[Cover] = field(default_factory=set)


def load(file: str) -> list[Json]:
    """The vectors of a file."""
    vectors: list[Json] = json.loads((FOLDER / f"{file}.json").read_text(encoding="utf-8"))
    return vectors


VECTORS = [(file, number, vector) for file in FILES for number, vector in enumerate(load(file))]


def flatten(expected: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Paths and values of what a vector expects; samples are named by their topic."""
    if isinstance(expected, dict) and expected.keys() == DECENTLAB_VALUE:
        yield path, expected["value"]
    elif isinstance(expected, dict):
        for name, value in expected.items():
            if name == "samples":
                for sample in value:
                    yield from flatten(sample["data"], sample["topic"])
            else:
                yield from flatten(value, f"{path}.{name}" if path else name)
    elif isinstance(expected, list):
        yield path, " ".join(str(item) for item in expected)
    else:
        yield path, expected


def alternatives(file: str, path: str) -> list[dict[str, Json]]:
    """The entries of fields.toml for a vendor's path."""
    entry = FIELDS[file]["fields"].get(path, [])
    return entry if isinstance(entry, list) else [entry]


def port_of(model: Codec, f_port: int) -> int | None:
    """The port under which the codec lists the frame of this port."""
    if f_port in model.ports:
        return f_port
    return next((port for port, frame in model.ports.items() if frame is model.any_port), None)


def expected_number(entry: Mapping[str, Json], theirs: Json) -> float:
    """What our value must be, from theirs."""
    if "words" in entry:
        return float(entry["words"][str(theirs)])
    if entry.get("convert") == "hhmm":
        return float(theirs // 100 * 60 + theirs % 100)
    return float(theirs * entry.get("factor", 1) / entry.get("divisor", 1))


def disagreement(entry: Mapping[str, Json], theirs: Json, measurement: Measurement) -> str | None:
    """Why our measurement does not agree with theirs; None if it does."""
    if "ignored" in entry:
        return None if entry["ignored"] else "ignored without a reason"
    if "attribute" in entry:
        text = str(theirs).lower() if isinstance(theirs, bool) else str(theirs)
        wanted = entry.get("words", {}).get(text, text)
        ours = measurement.attributes.get(entry["attribute"])
        return None if ours == wanted else f"attribute {ours!r}, expected {wanted!r}"
    found = find(entry, measurement)
    if found is None:
        return "no such reading"
    number = expected_number(entry, theirs)
    if entry.get("convert") == "floor":
        found = floor(found)
    close = abs(found - number) <= entry.get("tolerance", DEFAULT_TOLERANCE)
    return None if close else f"{found}, expected {number}"


def find(entry: Mapping[str, Json], measurement: Measurement) -> float | None:
    """The value of the reading that an entry names."""
    wanted = (str(entry.get("quantity")), str(entry.get("channel", "")))
    values = {(reading.quantity.field, reading.channel): reading.value for reading in measurement.readings}
    return values.get(wanted)


def compare(file: str, vector: Json) -> Outcome:
    """Decode a vector and compare every field of it."""
    outcome = Outcome()
    model = codec(FIELDS[file]["codec"])
    f_port = vector["f_port"] or 1
    (measurement,) = model.decode(f_port, bytes.fromhex(vector["payload_hex"]), 0)
    for path, theirs in flatten(vector["expected"]):
        entries = alternatives(file, path)
        present = [
            number
            for number, entry in enumerate(entries)
            if "quantity" not in entry or find(entry, measurement) is not None
        ]
        if not present:
            outcome.problems.append(f"{path} = {theirs!r}: " + ("no such reading" if entries else "not listed"))
            continue
        entry = entries[present[0]]
        outcome.used.add((file, path, present[0]))
        reason = disagreement(entry, theirs, measurement)
        if reason:
            outcome.problems.append(f"{path} = {theirs!r}: {reason}")
        elif "quantity" in entry:
            place = port_of(model, f_port)
            outcome.covered.add((model.id, place, entry["quantity"], entry.get("channel", "")))
    return outcome


def readable() -> Iterator[tuple[str, Json]]:
    """The vectors that are no errors."""
    return ((file, vector) for file, _, vector in VECTORS if "errors" not in vector["expected"])


@pytest.mark.parametrize(("file", "number", "vector"), VECTORS, ids=[f"{file}-{number}" for file, number, _ in VECTORS])
def test_vector_agrees(file: str, number: int, vector: Json) -> None:
    """Every field that a vector expects agrees with our reading; expected errors raise DecodeError."""
    if "errors" in vector["expected"]:
        with pytest.raises(DecodeError):
            codec(FIELDS[file]["codec"]).decode(vector["f_port"], bytes.fromhex(vector["payload_hex"]), 0)
    else:
        assert compare(file, vector).problems == []


def test_every_codec_has_vectors() -> None:
    """Each codec of the catalogue is named by a vectors file, and each file by the list of fields."""
    assert sorted(FIELDS) == FILES
    assert {FIELDS[file]["codec"] for file in FILES} == {model.id for model in CODECS}


def test_no_entry_is_unused() -> None:
    """Each entry of fields.toml is used by a vector."""
    listed = {
        (file, path, number)
        for file in FIELDS
        for path in FIELDS[file]["fields"]
        for number in range(len(alternatives(file, path)))
    }
    used = set().union(*(compare(file, vector).used for file, vector in readable()))
    assert listed - used == set()


def test_verified_means_covered() -> None:
    """A field is marked verified exactly if a vector compares it."""
    covered = set().union(*(compare(file, vector).covered for file, vector in readable()))
    marked = {
        (model.id, item.f_port, item.quantity.field, item.channel)
        for model in CODECS
        for item in model.fields()
        if item.verified
    }
    assert marked - covered == set()
    assert covered - marked == set()


@pytest.mark.parametrize(
    ("entry", "theirs"),
    [
        ({"quantity": "distance"}, 2117),
        ({"quantity": "fill_level"}, 2116),
        ({"quantity": "distance", "tolerance": 0.5}, 2115),
        ({"attribute": "serial_number"}, "x"),
        ({"ignored": ""}, 1),
    ],
)
def test_comparison_can_fail(entry: dict[str, Json], theirs: Json) -> None:
    """The comparison itself reports a wrong value, a missing reading, a wrong attribute, a missing reason."""
    (measurement,) = codec("milesight/em310-udl").decode(85, bytes.fromhex("03824408"), 0)
    assert disagreement(entry, theirs, measurement)
