"""Fuzzed: the whole way of a message, from the broker's bytes to what one commit holds.

An input is a topic, a newline, a payload. It is delivered twice and then time passes.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import fields
from random import Random
from typing import cast

from decoders.catalog import CODECS
from decoders.mapping import OBJECT
from ingest.calendar import Calendar
from ingest.dead_letter import Reason
from ingest.devices import Devices
from ingest.fleet.fleet import Fleet
from ingest.journal_records import NOTHING_KNOWN, Batch
from ingest.line_protocol import parse
from ingest.process import Outcome, Processor
from ingest.settings import given
from rules.catalog import RULES
from rules.city import City
from rules.engine import Engine
from tests.fuzz import answers, objects, seeds
from tests.fuzz.mutation import mutate_bytes, mutate_json, read_json, write_json
from tests.fuzz.target import Target
from tests.ingest.uplinks import BIN_DEVICE, CITY, LOT_DEVICES, NOW, PROFILES, event, raw, topic

DAY_MS = 86_400_000
EVENTS_TAKEN = 40
HEARD_ONCE = ("Answer", "Feedback")
"""What no device sent: heard with its first delivery, the second is no duplicate of an uplink and counts nowhere."""
SETTINGS = given(codecs={"profiles": PROFILES})
PLACES = City.parse(json.dumps(CITY))


def run(data: bytes) -> None:
    """Both deliveries end stored, as a duplicate, an event or a dead letter, and all rows can be written."""
    where, _, payload = data.partition(b"\n")
    message = raw(payload, where=where.decode("utf-8", "replace"))
    now_ms = [NOW]
    fleet = Fleet(SETTINGS.rules.device.rules(), Calendar(SETTINGS.city.timezone), lambda *_: True)
    processor = Processor(SETTINGS, Devices(SETTINGS, PLACES), Engine(PLACES, RULES), fleet, lambda: now_ms[0])
    outcome = processor.process([processor.read(message), processor.read(message)], NOTHING_KNOWN)
    settled = outcome.stored + outcome.duplicates + sum(outcome.events.values()) + len(outcome.batch.dead_letters)
    settled += sum(outcome.events[what] for what in HEARD_ONCE)
    assert settled == outcome.batch.messages == 2
    _check(outcome)
    processor.merge(outcome)
    now_ms[0] += DAY_MS
    _check(processor.tick(now_ms[0], NOTHING_KNOWN))


def _check(outcome: Outcome) -> None:
    batch = outcome.batch
    assert not outcome.overlay.failures, outcome.overlay.failures
    for lines in batch.lines.values():
        for line in lines:
            parse(line.encode())
    for row in _rows(batch):
        for value in row:
            assert not isinstance(value, int) or abs(value) < 2**63, row
            assert not isinstance(value, str) or value.encode() is not None, row
    for letter in batch.dead_letters:
        assert letter.reason is not Reason.INTERNAL
        assert letter.detail
    for item in batch.events:
        json.loads(item.payload)


def _rows(batch: Batch) -> Iterator[tuple[object, ...]]:
    """Whatever the batch brings to the journal's tables."""
    for item in fields(batch):
        value = getattr(batch, item.name)
        if isinstance(value, list):
            yield from (row for row in value if isinstance(row, tuple))


def mutate(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """The topic, the event or the device's payload inside it."""
    where, _, payload = data.partition(b"\n")
    inside = [other.partition(b"\n")[2] for other in others]
    match random.randint(0, 9):
        case 0:
            return mutate_bytes(random, where, others) + b"\n" + payload
        case 1 | 2 | 3 | 4:
            return where + b"\n" + _mutate_frame(random, payload, inside)
        case _:
            return where + b"\n" + mutate_json(random, payload, inside)


def _mutate_frame(random: Random, payload: bytes, others: Sequence[bytes]) -> bytes:
    tree = read_json(payload)
    if not isinstance(tree, dict) or not isinstance(tree.get("data"), str):
        return mutate_bytes(random, payload, others)
    try:
        frame = base64.b64decode(cast("str", tree["data"]))
    except ValueError:
        return mutate_bytes(random, payload, others)
    tree["data"] = base64.b64encode(mutate_bytes(random, frame, [item.payload for item in seeds.vectors()])).decode()
    return write_json(tree).encode()


def _seeds() -> Iterator[bytes]:
    for item in (*seeds.recorded("json")[:EVENTS_TAKEN], *seeds.recorded("protobuf")[:EVENTS_TAKEN]):
        yield item.topic.encode() + b"\n" + item.payload
    for codec in CODECS:
        vectors = [item for item in seeds.vectors() if item.codec == codec.id]
        for dev_eui, vector in zip((LOT_DEVICES[0], BIN_DEVICE, "ff" * 8), vectors, strict=False):
            whole = event(dev_eui, payload=vector.payload, f_port=vector.f_port)
            whole["deviceInfo"]["tags"] = {"codec": codec.id, "asset": "lot-markt", "height": "12.5"}
            yield topic(dev_eui).encode() + b"\n" + json.dumps(whole).encode()
    for found in objects.OBJECTS:
        whole = {**event(BIN_DEVICE), "object": found}
        whole["deviceInfo"]["tags"] = {"codec": OBJECT.id}
        yield topic(BIN_DEVICE).encode() + b"\n" + json.dumps(whole).encode()
    yield from answers.SEEDS


TARGETS = (Target(name="chain", run=run, refuses=(), seeds=tuple(_seeds()), mutate=mutate, weight=12.0),)
