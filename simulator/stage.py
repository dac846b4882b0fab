"""The real service, in lock step with a simulation.

The service runs with a broker of its own in a child process (`python -m ingest.stage` says what the two tell each
other) and sees no clock but ours: a week passes as fast as the machine can compute it, the same each time.
"""

import contextlib
import json
import queue
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import paho.mqtt.client as paho
from paho.mqtt.subscribeoptions import SubscribeOptions

from simulator.error import SimulatorError
from simulator.faults import Message, Outcome
from simulator.publish import QOS, MqttPublisher

CHILD = ("-m", "ingest.stage")
REACHED = "stadtfunk-stage/reached"
EVENTS = "stadtfunk/v1/#"
NOT_OF_THE_CITY = ("stadtfunk/v1/service/", "stadtfunk/v1/canary/")
ANSWER_S = 120.0
END_S = 20.0
NS_PER_MS = 1_000_000


class Heard(NamedTuple):
    """What the service published: a CloudEvent as JSON; an empty payload withdraws what stood on the topic."""

    topic: str
    payload: bytes


class Stage:
    """A service for as long as the context lasts. `host` and `port` are its broker's.

    `settings` are sections of the service's settings, laid over what a stage needs. Raises SimulatorError.
    """

    host = ""
    port = 0

    def __init__(self, city: Path, start_ns: int, settings: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self._order = {"city": str(city), "start_ms": start_ns // NS_PER_MS, "settings": dict(settings or {})}
        self._sent = 0

    def __enter__(self) -> Self:
        self._child = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, *CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            where = self._ask(self._order)
            self.host, self.port = where["host"], where["port"]
            self._client = _Client(self.host, self.port)
            self._client.__enter__()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._client.__exit__(kind, error, trace)
        finally:
            self._end()

    def publish(self, message: Message) -> None:
        """Send a message of the simulation to the broker."""
        self._client.publish(message)
        self._sent += 1

    def send(self, topic: str, payload: bytes) -> None:
        """Send anything else that the service listens to: an answer to a request, a word on a stop of a tour."""
        self.publish(Message(0, topic, payload, Outcome.ANSWER))

    def advance(self, time_ns: int) -> list[Heard]:
        """Let it be `time_ns`; what the service published since, in order.

        Everything sent so far is committed and the rules have ticked then. Steps of 10 s to 60 s are as fine as the
        rules' own clock; raises SimulatorError when the service fails.
        """
        self._ask({"to_ms": time_ns // NS_PER_MS, "messages": self._sent})
        return self._client.until_reached()

    def _ask(self, words: Mapping[str, object]) -> dict[str, Any]:
        to_child, from_child = self._child.stdin, self._child.stdout
        if to_child is None or from_child is None:
            raise SimulatorError("the service of the stage has no pipes")
        try:
            to_child.write(json.dumps(words) + "\n")
            to_child.flush()
        except BrokenPipeError:
            raise SimulatorError("the service of the stage has ended") from None
        if not select.select([from_child], [], [], ANSWER_S)[0]:
            self._child.kill()
            raise SimulatorError(f"the service of the stage does not answer for {ANSWER_S:.0f} s")
        line = from_child.readline()
        if not line:
            raise SimulatorError("the service of the stage has ended")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise SimulatorError(f"the service of the stage cannot go on: {answer['error']}")
        return answer

    def _end(self) -> None:
        if self._child.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._child.stdin.close()
        try:
            self._child.wait(END_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        if self._child.stdout is not None:
            self._child.stdout.close()


class _Client(MqttPublisher):
    """Publishes, and hears what the service publishes."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self._heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self._filters = tuple((topic, SubscribeOptions(QOS, noLocal=True)) for topic in (EVENTS, REACHED))
        self._client.on_message = self._on_message

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        self._heard.put(Heard(message.topic, bytes(message.payload)))

    def until_reached(self) -> list[Heard]:
        """What came until the service said that the time is reached, without what we sent ourselves."""
        found: list[Heard] = []
        while True:
            try:
                heard = self._heard.get(timeout=ANSWER_S)
            except queue.Empty:
                raise SimulatorError(f"nothing of the service's broker for {ANSWER_S:.0f} s") from None
            if heard.topic == REACHED:
                return found
            if not heard.topic.startswith(NOT_OF_THE_CITY):
                found.append(heard)
