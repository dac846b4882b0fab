"""Real inputs to begin with: published payload vectors, recorded events, the shipped city."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.decoders import published

TESTS = Path(__file__).parents[1]
SAMPLES = TESTS / "samples"
SHIPPED_CITY = TESTS.parent / "deploy" / "city" / "hamm.geojson"


class Vector(NamedTuple):
    """One published payload of a codec."""

    codec: str
    f_port: int
    payload: bytes


class Recorded(NamedTuple):
    """One event as ChirpStack published it."""

    topic: str
    payload: bytes

    @property
    def event(self) -> str:
        """The kind of event."""
        return self.topic.rpartition("/")[2]


@cache
def vectors() -> tuple[Vector, ...]:
    """All published payloads."""
    return tuple(Vector(*payload) for payload in published.payloads())


@cache
def recorded(encoding: str) -> tuple[Recorded, ...]:
    """The recorded events in one encoding, json or protobuf."""
    return tuple(_recorded(SAMPLES / f"chirpstack-4.20-events-{encoding}.ndjson"))


def _recorded(path: Path) -> Iterator[Recorded]:
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        payload = record.get("payload_hex")
        yield Recorded(record["topic"], bytes.fromhex(payload) if payload else json.dumps(record["payload"]).encode())
