"""Simulated events are ChirpStack's: JSON is exactly the protobuf mapping of the protobuf message."""

import json
from datetime import datetime

import pytest
from chirpstack_api.integration import integration_pb2 as integration
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from simulator.chirpstack import Copy, Event, Identity, Join, Status, Up, payload, rfc3339, topic
from simulator.radio import Gateway

TIMES = st.integers(0, 4_000_000_000 * 10**9)
TEXTS = st.text(max_size=8)
GATEWAYS = st.builds(Gateway, st.just("025354464bff0001"), st.floats(1, 89), st.floats(1, 179), st.floats(1, 500))
COPIES = st.builds(
    Copy,
    GATEWAYS,
    st.integers(1, 2**32 - 1),
    TIMES,
    st.integers(-140, -1),
    st.integers(-80, 52).map(lambda quarters: quarters / 4),
    st.integers(0, 7),
)
IDENTITIES = st.builds(
    Identity,
    st.just("025354464b000001"),
    TEXTS,
    TEXTS,
    TEXTS,
    TEXTS,
    st.just("17c82e96-be03-4f38-aef3-f83d48582d97"),
    st.dictionaries(TEXTS, TEXTS, max_size=3),
)
UPS = st.builds(
    Up,
    IDENTITIES,
    TEXTS,
    TIMES,
    st.just("01a2b3c4"),
    st.integers(0, 2**32 - 1),
    st.integers(0, 255),
    st.binary(max_size=51),
    st.integers(1, 2**32 - 1),
    st.integers(7, 12),
    st.lists(COPIES, max_size=3).map(tuple),
    confirmed=st.booleans(),
)
JOINS = st.builds(Join, IDENTITIES, TEXTS, TIMES, st.just("01a2b3c4"))
STATUSES = st.builds(Status, IDENTITIES, TEXTS, TIMES, st.integers(-32, 31), st.floats(0, 100, width=16))
MESSAGES = {
    "up": integration.UplinkEvent,
    "join": integration.JoinEvent,
    "status": integration.StatusEvent,
}


@given(event=st.one_of(UPS, JOINS, STATUSES))
def test_json_is_the_mapping(event: Event) -> None:
    """Parsed by protobuf itself, the JSON is the protobuf message; and both are stable."""
    message = MESSAGES[topic(event).rpartition("/")[2]]
    written = payload(event, "json")
    assert json_format.Parse(written, message()) == message.FromString(payload(event, "protobuf"))
    assert payload(event, "json") == written


@given(event=UPS)
def test_top_level_is_whole(event: Up) -> None:
    """Top-level scalars are written even when they are 0 or false, as ChirpStack does since 4.1."""
    written = json.loads(payload(event, "json"))
    assert {"adr", "dr", "fCnt", "fPort", "confirmed", "data", "rxInfo", "txInfo", "regionConfigId"} <= written.keys()


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00+00:00"),
        (1_773_480_413_589_000_000, "2026-03-14T09:26:53.589+00:00"),
        (1_773_480_413_589_000_123, "2026-03-14T09:26:53.589000123+00:00"),
        (1_773_480_413_000_000_100, "2026-03-14T09:26:53.000000100+00:00"),
        (1_773_480_413_000_001_000, "2026-03-14T09:26:53.000001+00:00"),
    ],
)
def test_times(ns: int, text: str) -> None:
    """0, 3, 6 or 9 decimals, as many as the time needs."""
    assert rfc3339(ns) == text
    assert datetime.fromisoformat(text)
