"""The documents of what is on the wire: schemas, examples, AsyncAPI."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from ingest import events_schema
from ingest.cli import app
from ingest.events_schema import Message, asyncapi, example_of, json_schema, messages
from rules import answer
from rules.catalog import RULES
from rules.event import Event, Request
from rules.events import EVENT_TYPES

FOLDER = Path(__file__).parents[2] / "docs" / "events"
MESSAGES = messages()
DOWNLINK_STATUS = "custom.downlink_status.v1"
EVENTS = [message for message in MESSAGES if issubclass(message.model, Event)]


def named(message: Message) -> str:
    """A message's name, for the test's."""
    return message.name


@pytest.mark.parametrize("message", MESSAGES, ids=named)
def test_every_message_has_a_schema_of_2020_12_and_an_example_that_fits(message: Message) -> None:
    """The dialect is declared, the id is the type's, and the model takes the example and gives it back."""
    schema, example = json_schema(message), example_of(message)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:stadtfunk:city.stadtfunk.{message.name}"
    assert set(schema.get("required", ())) <= set(example)
    read = message.model.model_validate(example)
    assert message.received or json.loads(read.model_dump_json()) == example
    assert {"specversion", "id", "source", "type"} <= example.keys()


@pytest.mark.parametrize("message", EVENTS, ids=named)
def test_the_example_goes_out_on_the_address(message: Message) -> None:
    """The topic of the example is one of the address, with the levels that the data name."""
    assert issubclass(message.model, Event)
    pattern = re.sub(r"\{\w+\}", "[^/]+", message.address)
    topic = message.model.model_validate(example_of(message)).topic
    assert re.fullmatch(pattern, topic)
    assert "{id}" in message.address
    assert message.retained is message.model.retained


def test_requests_are_never_retained_and_can_be_answered() -> None:
    """Every request's address with `/status` is one on which answers are taken, or of downlinks: given."""
    answered = {message.address for message in MESSAGES if message.received or message.name == DOWNLINK_STATUS}
    requests = [message for message in EVENTS if issubclass(message.model, Request)]
    assert {message.name for message in requests} >= {"parking.guidance.v1", "traffic.signal_plan_requested.v1"}
    for message in requests:
        assert not message.retained
        assert f"{message.address}/status" in answered
    assert {rule.answers for rule in RULES if rule.answers} <= answer.PLACES.keys()


def references(part: Any) -> set[str]:  # noqa: ANN401 - JSON
    """All references in it."""
    if isinstance(part, dict):
        own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*(references(inner) for inner in part.values()))
    return set().union(*(references(inner) for inner in part)) if isinstance(part, list) else set()


def test_the_asyncapi_document_stands_alone() -> None:
    """Version 3.0.0; each message has a channel and an operation; every reference leads to something in it."""
    document = json.loads(json.dumps(asyncapi()))
    assert document["asyncapi"] == "3.0.0"
    assert len(document["channels"]) == len(document["operations"]) == len(MESSAGES) - 1
    assert "custom.downlink.v1" not in json.dumps(document["channels"])
    found = references(document)
    assert len(found) > 3 * len(MESSAGES)
    for reference in found:
        place = document
        assert reference.startswith("#/")
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
    actions = [operation["action"] for operation in document["operations"].values()]
    assert actions.count("receive") == len(answer.PLACES) + 1
    addresses = [channel["address"] for channel in document["channels"].values()]
    assert len(set(addresses)) == len(addresses)


def test_names_are_unique() -> None:
    """No two messages share a name, or a key in the document."""
    assert len({message.name for message in MESSAGES}) == len({message.key for message in MESSAGES}) == len(MESSAGES)
    assert len(EVENTS) == len(EVENT_TYPES)


def test_nothing_else_lies_in_the_folder() -> None:
    """What docs/events holds is what is made now; the AsyncAPI document is read by YAML 1.1 and 1.2 alike."""
    assert {path.name for path in FOLDER.iterdir()} == {name for name, _ in events_schema.pages()}
    text = (FOLDER / "asyncapi.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)["info"]["version"] == "1"
    assert not re.search(r"^\s*(- )?(on|off|yes|no):? ?$", text, re.MULTILINE)


def test_the_command_writes_them(tmp_path: Path) -> None:
    """All files into a folder that it creates; where it cannot, one line and exit 1."""
    done = CliRunner().invoke(app, ["events", "schema", "--out", str(tmp_path / "new"), "--json"])
    assert done.exit_code == 0
    written = json.loads(done.stdout)
    assert sorted(written) == sorted(str(path) for path in (tmp_path / "new").iterdir())
    assert (tmp_path / "new" / "asyncapi.yaml").stat().st_size > 10_000
    (tmp_path / "file").write_text("")
    failed = CliRunner().invoke(app, ["events", "schema", "--out", str(tmp_path / "file")])
    assert (failed.exit_code, "File exists" in str(failed.exception)) == (1, True)
