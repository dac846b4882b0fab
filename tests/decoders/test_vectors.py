"""Payload vectors: every published field agrees with our reading, or stands ignored with a reason.

Frames worked out by hand decode and encode as their document says. `published` tells how all of them are written down.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import floor

import pytest

from decoders.catalog import CODECS, codec
from decoders.codec import Codec
from decoders.error import DecodeError
from decoders.measurement import Measurement
from tests.decoders.published import EXAMPLES, FILES, FOLDER, HANDS, VECTORS, Hand, Json, Vector, flatten

DEFAULT_TOLERANCE = 1e-9
NOW_MS = 1_800_000_000_000

Use = tuple[str, str, int]
Cover = tuple[str, int | None, str, str]


@dataclass
class Outcome:
    """What came of comparing one vector."""

    problems: list[str] = field(default_factory=list)
    used: set[Use] = field(default_factory=set)
    covered: set[Cover] = field(default_factory=set)


def alternatives(vector: Vector, path: str) -> list[dict[str, Json]]:
    """The entries for a vendor's path."""
    entry = vector.fields.get(path, [])
    return entry if isinstance(entry, list) else [entry]


def port_of(model: Codec, f_port: int) -> int | None:
    """The port under which the codec lists the frame of this port."""
    if f_port in model.ports:
        return f_port
    return next((port for port, frame in model.ports.items() if frame is model.any_port), None)


def expected_number(entry: Mapping[str, Json], theirs: Json) -> float:
    """What our value must be, from theirs."""
    if "words" in entry:
        return float(entry["words"][text_of(theirs)])
    number = float(theirs)
    if entry.get("convert") == "hhmm":
        return number // 100 * 60 + number % 100
    return float(number * entry.get("factor", 1) / entry.get("divisor", 1) + entry.get("offset", 0))


def text_of(theirs: Json) -> str:
    """A vendor's value as a word."""
    return str(theirs).lower() if isinstance(theirs, bool) else str(theirs)


def disagreement(entry: Mapping[str, Json], theirs: Json, measurements: tuple[Measurement, ...]) -> str | None:
    """Why our measurement does not agree with theirs; None if it does."""
    if "ignored" in entry:
        return None if entry["ignored"] else "ignored without a reason"
    if "attribute" in entry:
        text = text_of(theirs)
        wanted = entry.get("words", {}).get(text, text)
        ours = chosen(entry, measurements).attributes.get(entry["attribute"])
        return None if ours == wanted else f"attribute {ours!r}, expected {wanted!r}"
    found = find(entry, measurements)
    if found is None:
        return "no such reading"
    number = expected_number(entry, theirs)
    if entry.get("convert") == "floor":
        found = floor(found)
    close = abs(found - number) <= entry.get("tolerance", DEFAULT_TOLERANCE)
    return None if close else f"{found}, expected {number}"


def chosen(entry: Mapping[str, Json], measurements: tuple[Measurement, ...]) -> Measurement:
    """The measurement that an entry speaks of."""
    number = int(entry.get("measurement", 0))
    return measurements[number] if number < len(measurements) else Measurement.of(0, ())


def find(entry: Mapping[str, Json], measurements: tuple[Measurement, ...]) -> float | None:
    """The value of the reading that an entry names."""
    wanted = (str(entry.get("quantity")), str(entry.get("channel", "")))
    found = chosen(entry, measurements).readings
    return next((item.value for item in found if (item.quantity.field, item.channel) == wanted), None)


def compare(vector: Vector) -> Outcome:
    """Decode a vector and compare every field of it."""
    outcome = Outcome()
    model = codec(vector.codec)
    measurements = model.decode(vector.f_port, vector.payload, NOW_MS, vector.parameters)
    for path, theirs in flatten(vector.expected):
        entries = alternatives(vector, path)
        present = [
            number
            for number, entry in enumerate(entries)
            if "quantity" not in entry or find(entry, measurements) is not None
        ]
        if not present:
            outcome.problems.append(f"{path} = {theirs!r}: " + ("no such reading" if entries else "not listed"))
            continue
        entry = entries[present[0]]
        outcome.used.add((vector.file, path, present[0]))
        reason = disagreement(entry, theirs, measurements)
        if reason:
            outcome.problems.append(f"{path} = {theirs!r}: {reason}")
        elif "quantity" in entry:
            place = port_of(model, vector.f_port)
            outcome.covered.add((model.id, place, entry["quantity"], entry.get("channel", "")))
    return outcome


def readable() -> Iterator[Vector]:
    """The vectors that are no errors."""
    return (vector for vector in VECTORS if not wrong(vector))


def wrong(vector: Vector) -> bool:
    """Whether the publisher, or we, call this payload an error."""
    return bool(vector.error) or (isinstance(vector.expected, dict) and "errors" in vector.expected)


@pytest.mark.parametrize("vector", VECTORS, ids=[f"{vector.file}-{vector.number}" for vector in VECTORS])
def test_vector_agrees(vector: Vector) -> None:
    """Every field that a vector expects agrees with our reading; expected errors raise DecodeError."""
    if wrong(vector):
        with pytest.raises(DecodeError):
            codec(vector.codec).decode(vector.f_port, vector.payload, NOW_MS, vector.parameters)
    else:
        assert compare(vector).problems == []


@pytest.mark.parametrize("hand", HANDS, ids=[f"{hand.file}-{hand.payload.hex()}" for hand in HANDS])
def test_frame_worked_out_by_hand(hand: Hand) -> None:
    """It decodes to just what is noted, at the noted times, and these readings encode to it."""
    model = codec(hand.codec)
    newest, *earlier = model.decode(hand.f_port, hand.payload, NOW_MS, hand.parameters)
    assert hand.source
    assert sorted(newest.readings, key=str) == sorted(hand.readings, key=str)
    assert newest.attributes == hand.attributes
    assert [(item.time_ms, sorted(item.readings, key=str)) for item in earlier] == [
        (NOW_MS - (age_ms or 0) if time_ms is None else time_ms, sorted(readings, key=str))
        for time_ms, age_ms, readings in hand.earlier
    ]
    if not hand.one_way and not earlier:
        assert model.encode(hand.f_port, hand.readings, hand.parameters, hand.attributes) == hand.payload


def test_every_codec_and_port_has_a_vector() -> None:
    """One at least, published or worked out by hand; and every vector belongs to a codec that is listed."""
    every: list[Vector | Hand] = [*readable(), *HANDS]
    there = {(item.codec, port_of(codec(item.codec), item.f_port)) for item in every}
    needed = {(model.id, port) for model in CODECS for port in model.ports}
    assert needed - there == set()
    assert {path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob("*/*.json")} <= set(FILES)


def test_untested_means_no_published_vector() -> None:
    """A codec is marked untested against a device exactly if nobody published a payload of one that can be read."""
    assert {model.id for model in CODECS if model.untested} == {model.id for model in CODECS} - {
        vector.codec for vector in readable()
    }


def test_no_entry_is_unused() -> None:
    """Each entry of the notes is used by a vector."""
    listed = {
        (vector.file, path, number)
        for vector in VECTORS
        for path in vector.fields
        for number in range(len(alternatives(vector, path)))
    }
    used = set().union(*(compare(vector).used for vector in readable()))
    assert listed - used == set()


def test_verified_means_covered() -> None:
    """A field is marked verified exactly if a published vector compares it."""
    covered = set().union(*(compare(vector).covered for vector in readable()))
    marked = {
        (model.id, item.f_port, item.quantity.field, item.channel)
        for model in CODECS
        for item in model.fields()
        if item.verified
    }
    assert marked - covered == set()
    assert covered - marked == set()


def test_every_codec_has_an_example() -> None:
    """What a simulator may send is known of every codec that can be encoded."""
    assert {example.codec for example in EXAMPLES} == {model.id for model in CODECS}


@pytest.mark.parametrize(
    ("entry", "theirs"),
    [
        ({"quantity": "distance"}, 2117),
        ({"quantity": "fill_level"}, 2116),
        ({"quantity": "distance", "tolerance": 0.5}, 2115),
        ({"quantity": "distance", "measurement": 1}, 2116),
        ({"attribute": "serial_number"}, "x"),
        ({"ignored": ""}, 1),
    ],
)
def test_comparison_can_fail(entry: dict[str, Json], theirs: Json) -> None:
    """The comparison itself reports a wrong value, a missing reading, a wrong attribute, a missing reason."""
    measurements = codec("milesight/em310-udl").decode(85, bytes.fromhex("03824408"), 0)
    assert disagreement(entry, theirs, measurements)
