"""The event contract."""

import json
import re
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rules.event import NAMESPACE, LotState, event_id, instant, topic_safe
from rules.events import EVENT_TYPES

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
DATA: dict[str, object] = {
    "rule": "r",
    "rule_version": 1,
    "valid_until": "2026-09-21T14:28:21Z",
    "evidence": [],
    "state": "free",
    "reason": "counted",
    "capacity": 10,
    "occupied": 4,
    "free": 6,
    "occupancy": 0.4,
    "coverage": 1.0,
    "estimated": False,
}
LOT: dict[str, object] = {
    "id": event_id("r", "lot-a", "state", "c"),
    "source": "/stadtfunk/rules/r",
    "subject": "lot/a+b",
    "time": "2026-09-21T14:13:21.5Z",
    "data": DATA,
}


@given(TEXT, TEXT, TEXT, TEXT)
def test_ids_are_uuid5_of_rule_subject_what_and_cause(rule: str, subject: str, what: str, cause: str) -> None:
    """The id equals the standard library's UUIDv5 of the documented name."""
    expected = uuid5(NAMESPACE, f"stadtfunk:{rule}:{subject}:{what}:{cause}")
    assert event_id(rule, subject, what, cause) == str(expected)


def test_an_id_is_the_same_for_ever() -> None:
    """A replay years later gives this id."""
    id_ = event_id("parking.lot_state", "lot-bahnhof", "state", "3ac7e3c4-4401-4b8d-9386-a5c902f9202d")
    assert id_ == "32b38607-c417-5cb0-b7c2-6569514d7333"
    assert UUID(id_).version == 5


@given(TEXT)
def test_topic_levels_are_safe_and_distinct(name: str) -> None:
    """No separator, wildcard, blank or control character is left, and percent-decoding gives the name back."""
    safe = topic_safe(name)
    assert not re.search(r"[/+#\x00-\x20\x7f-\x9f]", safe)
    assert re.sub(r"%([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), safe) == name


def test_a_lot_state_is_a_cloudevent_on_its_topic() -> None:
    """Required attributes, the type's name, topic, times in ms, retained and not acting."""
    event = LotState.model_validate(LOT)
    body = json.loads(event.payload())
    assert {"specversion", "id", "source", "type"} <= body.keys()
    assert (body["specversion"], body["type"]) == ("1.0", "city.stadtfunk.parking.lot_state.v1")
    assert body["datacontenttype"] == "application/json"
    assert event.topic == "stadtfunk/v1/parking/lot/lot%2Fa%2Bb/state"
    assert (event.time_ms, event.valid_until_ms) == (1_790_000_001_500, 1_790_000_901_000)
    assert (event.retained, event.acting) == (True, False)


def test_payload_validates_against_its_own_model() -> None:
    """What goes out comes in again as an equal event, with equal bytes."""
    event = LotState.model_validate(LOT)
    again = LotState.model_validate_json(event.payload())
    assert again == event
    assert again.payload() == event.payload()


@pytest.mark.parametrize("change", [{"state": "half"}, {"capacity": 0}, {"occupancy": 1.2}, {"extra": 1}])
def test_events_out_of_contract_cannot_be_made(change: dict[str, object]) -> None:
    """Unknown words, figures out of range and unknown keys are refused."""
    with pytest.raises(ValidationError):
        LotState.model_validate({**LOT, "data": {**DATA, **change}})


@given(st.integers(0, 253_402_300_799_999))
def test_instants_keep_the_millisecond(time_ms: int) -> None:
    """Milliseconds to a time and back are the same."""
    event = LotState.model_validate({**LOT, "time": instant(time_ms)})
    assert event.time_ms == time_ms


def test_every_type_has_a_name_of_its_own() -> None:
    """Type names follow city.stadtfunk.<domain>.<what>.v1 and occur once."""
    names = [kind.model_fields["type"].default for kind in EVENT_TYPES]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"city\.stadtfunk\.[a-z]+\.[a-z_]+\.v1", name) for name in names)


def test_every_type_gives_a_json_schema() -> None:
    """The schema knows times and what every decision carries."""
    for kind in EVENT_TYPES:
        schema = kind.model_json_schema(mode="serialization")
        assert schema["properties"]["time"]["format"] == "date-time"
        fields = schema["$defs"][f"{kind.__name__}Data"]["properties"]
        assert {"rule", "rule_version", "evidence", "valid_until"} < fields.keys()
