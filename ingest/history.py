"""Sources of history: messages that were recorded elsewhere, as they would have come from the broker."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

MAX_LINE_BYTES = 4_000_000


class HistoryError(Exception):
    """A source that cannot be read; the message names it and what to do."""


class Recorded(NamedTuple):
    """A message as a broker would have delivered it."""

    topic: str
    payload: bytes


Refused = Callable[[str], None]
"""Hears of what is no message: where it stands, and why."""


def from_file(path: Path, refused: Refused) -> Iterator[Recorded]:
    """The messages of a file, one JSON object a line: `topic` and `payload`, `payload_hex` or `payload_base64`.

    Raises HistoryError when the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(MAX_LINE_BYTES), b""), start=1):
                if line.strip():
                    try:
                        yield _recorded(line)
                    except (ValueError, KeyError, TypeError, AttributeError) as error:
                        refused(f"{path.name} line {number}: {type(error).__name__}: {error}")
    except OSError as error:
        raise HistoryError(f"{path}: {error.strerror}") from error


def topic_of(template: str, application_id: str, dev_eui: str, event: str) -> str:
    """The topic of an event after ChirpStack's event_topic with `{name}` or `{{name}}`."""
    values = {"application_id": application_id, "dev_eui": dev_eui, "event": event}
    return re.sub(r"\{\{?\s*(\w+)\s*\}?\}", lambda match: values[match[1]], template)


def _recorded(line: bytes) -> Recorded:
    found = json.loads(line)
    topic = found["topic"]
    if not isinstance(topic, str):
        raise TypeError(f"topic is {type(topic).__name__}, expected text")
    if "payload_hex" in found:
        return Recorded(topic, bytes.fromhex(found["payload_hex"]))
    if "payload_base64" in found:
        return Recorded(topic, base64.b64decode(found["payload_base64"], validate=True))
    payload = found["payload"]
    return Recorded(topic, payload.encode() if isinstance(payload, str) else json.dumps(payload).encode())
