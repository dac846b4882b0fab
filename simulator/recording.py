"""Recordings: lines as `--to file` writes them, each with `after_ms`, the time since the recording began.

A payload stands as JSON where it is written back byte by byte, else in hexadecimal digits.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from typing_extensions import override

from decoders.simulated import is_simulated
from simulator.error import SimulatorError
from simulator.faults import Message, Outcome
from simulator.files import writing
from simulator.publish import Publisher

NS_PER_MS = 1_000_000
OWNER_ONLY = 0o600
OUTCOMES = {
    "up": Outcome.UNIQUE,
    "join": Outcome.JOIN,
    "status": Outcome.STATUS,
    **dict.fromkeys(("ack", "log", "txack"), Outcome.ANSWER),
}
EVENT_KINDS = frozenset({*OUTCOMES, "location", "integration"})
"""Source: ChirpStack 4, "Events" of its integrations."""
NO_TAGS: Mapping[str, str] = {}


class Recorder:
    """Writes messages into a file that only its owner may read: payloads may be personal.

    One that is there already stays as it was when nothing comes of it. Raises SimulatorError where it cannot write.
    """

    def __init__(self, path: Path, start_ns: int) -> None:
        self._path = path
        self._start_ns = start_ns
        self._file: IO[str] | None = None
        self.count = 0

    def __enter__(self) -> Self:
        with writing(self._path):
            number = os.open(self._path, os.O_WRONLY | os.O_CREAT, OWNER_ONLY)
        self._file = os.fdopen(number, "w", encoding="utf-8")
        return self

    def add(self, message: Message) -> None:
        """One more message."""
        if self._file is None:
            raise SimulatorError("the recording is not open")
        after_ms = (message.time_ns - self._start_ns) // NS_PER_MS
        with writing(self._path):
            if not self.count:
                self._begin(self._file)
            self._file.write(
                json.dumps({"after_ms": after_ms, "topic": message.topic} | _written(message.payload)) + "\n"
            )
        self.count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            with writing(self._path), self._file:
                if kind is None and not self.count:
                    self._begin(self._file)

    def _begin(self, file: IO[str]) -> None:
        """Nothing of before stays in it, and nobody else may read it any more."""
        if self._path.is_file():
            os.fchmod(file.fileno(), OWNER_ONLY)
            file.truncate(0)


class Recorded(Publisher):
    """A publisher whose messages are recorded, too."""

    def __init__(self, publisher: Publisher, recorder: Recorder) -> None:
        self._publisher = publisher
        self._recorder = recorder

    @override
    def __enter__(self) -> Self:
        self._recorder.__enter__()
        self._publisher.__enter__()
        return self

    @override
    def publish(self, message: Message) -> None:
        self._publisher.publish(message)
        self._recorder.add(message)

    @override
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._publisher.__exit__(kind, error, trace)
        finally:
            self._recorder.__exit__(kind, error, trace)


class Recording:
    """The messages of a file, at ns since its beginning; `cut` is the number of a last line that is not whole.

    Iterating raises SimulatorError that names file, line and key of any other line that is of no use, and with
    `simulated` of a line of a real device.
    """

    def __init__(self, path: Path, *, simulated: bool = False) -> None:
        self.path = path
        self.cut: int | None = None
        self._simulated = simulated

    def __iter__(self) -> Iterator[Message]:
        try:
            with self.path.open(encoding="utf-8", errors="replace") as file:
                yield from self._messages(file)
        except OSError as error:
            raise SimulatorError(f"cannot read recording {self.path}: {error.strerror}") from error

    def _messages(self, lines: Iterable[str]) -> Iterator[Message]:
        for number, text in enumerate(lines, start=1):
            if not text.endswith("\n"):
                self.cut = number
                return
            try:
                message = _message(text)
                if self._simulated:
                    _nobody_real(message.topic)
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                said = f"no key {error}" if isinstance(error, KeyError) else str(error)
                raise SimulatorError(f"recording {self.path}, line {number}: {said}") from error
            yield message


def _message(text: str) -> Message:
    """The message of a line; raises ValueError or KeyError."""
    parts = json.loads(text)
    if not isinstance(parts, dict):
        raise ValueError("it is no object")  # noqa: TRY004 - a value of a file, not a type of this program
    topic, after_ms = parts["topic"], parts["after_ms"]
    kind = _kind(topic)
    if isinstance(after_ms, bool) or not isinstance(after_ms, int) or after_ms < 0:
        raise ValueError(f"after_ms is {after_ms!r:.80}, expected milliseconds from 0")
    return Message(after_ms * NS_PER_MS, topic, _payload(parts), OUTCOMES.get(kind, Outcome.ANSWER))


def _kind(topic: object) -> str:
    """The kind of event that a topic is of; raises ValueError for one on which ChirpStack tells none."""
    if isinstance(topic, str) and not set(topic) & set("+#\0"):
        match topic.split("/"):
            case ["application", _, "device", _, "event", kind] if kind in EVENT_KINDS:
                return kind
    raise ValueError(f"topic {topic!r:.80} is no event of ChirpStack")


def _nobody_real(topic: str) -> None:
    """Raises ValueError for an event of a device that is not simulated."""
    dev_eui = topic.split("/")[3]
    if not is_simulated(dev_eui, NO_TAGS):
        raise ValueError(f"device {dev_eui:.40} is not simulated; --test-broker says that the broker is one for tests")


def _written(payload: bytes) -> dict[str, object]:
    """The payload as JSON where that gives the same bytes again, else in hexadecimal digits."""
    try:
        found = json.loads(payload)
        same = _compact(found) == payload
    except (ValueError, RecursionError):
        same = False
    return {"payload": found} if same else {"payload_hex": payload.hex()}


def _compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _payload(parts: dict[str, object]) -> bytes:
    if "payload_hex" not in parts:
        return _compact(parts["payload"])
    try:
        return bytes.fromhex(str(parts["payload_hex"]))
    except ValueError as error:
        raise ValueError(f"payload_hex is no hexadecimal number: {error}") from error
