"""The canary's uplinks: made, read back, and what a commit holds of them."""

import base64
import json

import pytest

from decoders.error import DecodeError
from decoders.quantity import Privacy
from ingest.canary import FILTER, Canary, number_of
from ingest.chirpstack import EventError
from ingest.journal_records import Batch
from ingest.line_protocol import parse
from ingest.service_state import HEARTBEAT_TOPIC
from ingest.settings import Settings, given
from tests.ingest.uplinks import NOW, event

NUMBER = 4_000_000_000


def settings(client_id: str = "stadtfunk", heartbeat_s: float = 30, speed: float = 1) -> Settings:
    """Settings of a service."""
    return given(mqtt={"client_id": client_id}, telemetry={"heartbeat_s": heartbeat_s}, simulation={"speed": speed})


def settled(canary: Canary, payload: bytes) -> Batch:
    """What a commit holds of it."""
    batch = Batch()
    canary.settle(canary.read(payload), batch)
    return batch


def test_one_uplink_leaves_a_point_and_a_heartbeat() -> None:
    """Its point is internal, in `device`, at its time; its event is the heartbeat; nothing else is in the commit."""
    canary = Canary(settings())
    batch = settled(canary, canary.payload(NUMBER, NOW))
    assert batch.lines[Privacy.OPEN] == batch.lines[Privacy.PERSONAL] == []
    point = parse(batch.lines[Privacy.INTERNAL][0].encode())
    assert (point.measurement, point.fields, point.time_ms) == ("device", {"uplink_count_total": float(NUMBER)}, NOW)
    assert point.tags["dev_eui"] == "025354464bffffff"
    (row,) = batch.events
    assert (row.topic, row.retained, row.acting, row.time_ms) == (HEARTBEAT_TOPIC, False, False, NOW)
    assert row.id == canary.heartbeat_id(NUMBER)
    assert row.valid_until_ms == NOW + 90_000
    sent = json.loads(row.payload)
    assert (sent["id"], sent["type"]) == (row.id, "city.stadtfunk.service.heartbeat.v1")
    assert sent["data"]["number"] == NUMBER
    assert batch == Batch(lines=batch.lines, events=batch.events)


def test_a_repeat_is_the_same_point_and_the_same_event() -> None:
    """Redelivery changes neither database nor events."""
    canary = Canary(settings())
    payload = canary.payload(NUMBER, NOW)
    assert settled(canary, payload) == settled(canary, payload)


def test_each_service_has_its_own() -> None:
    """Two services on one broker neither hear nor confirm each other's canaries, whatever their names hold."""
    one, other = Canary(settings("city/a+#")), Canary(settings("city"))
    assert one.topic == "stadtfunk/v1/canary/application/city%2Fa%2B%23/device/025354464bffffff/event/up"
    assert one.filters == (one.topic,) != other.filters
    assert one.topic.count("/") == FILTER.count("/")
    assert one.heartbeat_id(1) != other.heartbeat_id(1) != other.heartbeat_id(2)


def test_without_heartbeats_nothing_is_subscribed() -> None:
    """With `telemetry.heartbeat_s` 0 there is no subscription; what still comes is settled like any other."""
    canary = Canary(settings(heartbeat_s=0))
    assert canary.filters == ()
    (row,) = settled(canary, canary.payload(1, NOW)).events
    assert row.valid_until_ms > NOW


def test_a_fast_clock_does_not_outrun_a_heartbeat() -> None:
    """With a clock sixty times as fast an event is valid for as long in real time."""
    canary = Canary(settings(speed=60))
    (row,) = settled(canary, canary.payload(1, NOW)).events
    assert row.valid_until_ms == NOW + 60 * 90_000
    assert canary.expiry_s == 90


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"[]", b"\x0a\x00", json.dumps(event()).encode()],
    ids=["empty", "half", "a list", "protobuf", "another device"],
)
def test_what_is_no_canary_is_refused(payload: bytes) -> None:
    """Whatever else somebody publishes on its topic is an EventError."""
    with pytest.raises(EventError):
        Canary(settings()).read(payload)


@pytest.mark.parametrize("data", [b"", b"\0\0\0", b"\0\0\0\1"], ids=["empty", "short", "another number"])
def test_decoding_is_proven(data: bytes) -> None:
    """A payload that does not decode to the uplink's number is a DecodeError, and leaves nothing."""
    canary, batch = Canary(settings()), Batch()
    changed = json.loads(canary.payload(NUMBER, NOW)) | {"data": base64.b64encode(data).decode()}
    with pytest.raises(DecodeError):
        canary.settle(canary.read(json.dumps(changed).encode()), batch)
    assert batch == Batch()


def test_its_number_is_read_without_trust() -> None:
    """`number_of` takes any bytes."""
    assert number_of(Canary(settings()).payload(7, NOW)) == 7
    assert [number_of(text) for text in (b"", b"{}", b"[]", b'{"fCnt": null}', b"\xff")] == [None] * 5


@pytest.mark.parametrize("seconds", [0.05, -1, 3601])
def test_a_heartbeat_that_cannot_be_is_named(seconds: float) -> None:
    """Between 0.1 s and an hour, or 0."""
    with pytest.raises(ValueError, match="heartbeat_s"):
        settings(heartbeat_s=seconds)
