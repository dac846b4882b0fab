"""docs/consuming-events.md says what is on the wire."""

import json
import re
from pathlib import Path
from typing import get_args

from ingest.events_schema import Message, messages
from rules.answer import Answer, AnswerStatus
from rules.event import LotState

PAGE = (Path(__file__).parents[2] / "docs" / "consuming-events.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| \[`(\S+)`\]\(events/(\S+)\.schema\.json\) \| `(\S+)` \| (\w+) \| (.+) \|$", re.MULTILINE)


def kept(message: Message) -> str:
    """The page's word for how a message is published."""
    if message.received:
        return "taken"
    if getattr(message.model, "acting", False):
        return "request"
    return "retained" if message.retained else "once"


def test_the_table_has_every_message() -> None:
    """Name, topic and how it is published, in the order of the documents."""
    expected = [(item.name, item.name, f"{item.address}", kept(item)) for item in messages()]
    assert [(name, file, f"stadtfunk/v1/{topic}", how) for name, file, topic, how, _ in ROW.findall(PAGE)] == expected


def test_the_examples_are_what_they_say() -> None:
    """The event is one that the service could publish, to the last key; the answer is one that it takes."""
    event, answer = (json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
    assert json.loads(LotState.model_validate(event).payload()) == event
    assert Answer.model_validate(answer).data.request_id == event["id"]
    assert all(f"`{word}`" in PAGE for word in get_args(AnswerStatus))
