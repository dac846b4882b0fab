"""The command `record`: what ChirpStack publishes on a broker, into a file that `simulate --replay` plays."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import paho.mqtt.client as paho
import typer
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from simulator.broker import Broker, CaFile, CertificateFile, Host, KeyFile, Port, Username, WithTls
from simulator.error import SimulatorError
from simulator.faults import Message, Outcome
from simulator.files import speaking_plainly
from simulator.losses import Losses
from simulator.progress import signals
from simulator.publish import CONNECT_S, KEEPALIVE_S, Tls
from simulator.recording import Recorder
from simulator.times import duration_s

EXAMPLE = "Example: stadtfunk record --host broker.example.org --for 1h monday.ndjson"
EVENTS = "application/+/device/+/event/+"


class Listener:
    """A client that records all events from its connection on; what lies retained is none of them.

    `warn` is told when the connection is lost, and when it is there again.
    """

    def __init__(self, recorder: Recorder, broker: Broker, warn: Callable[[str], None]) -> None:
        self._recorder = recorder
        self._where = f"broker {broker.host}:{broker.port}"
        self._address = (broker.host, broker.port)
        self._began_ns = time.monotonic_ns()
        self.answered = threading.Event()
        self._losses = Losses(self._where, warn, "; what was published meanwhile is missing")
        self._refused: str | None = None
        self.failed: Exception | None = None
        self.stop = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        if broker.tls is not None:
            self._client.tls_set_context(broker.tls.context())
        if broker.username is not None:
            self._client.username_pw_set(broker.username, broker.password)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.on_disconnect = self._losses.on_disconnect

    def listen(self, seconds: float | None) -> None:
        """Until then, or until stopped; raises SimulatorError."""
        try:
            self._client.connect(*self._address, keepalive=KEEPALIVE_S)
        except OSError as error:
            raise SimulatorError(f"cannot reach {self._where}: {error}") from error
        self._client.loop_start()
        try:
            if not self.answered.wait(CONNECT_S) or self._refused is not None:
                raise SimulatorError(f"{self._where} refuses: {self._refused or 'no answer'}")
            self.stop.wait(seconds)
        finally:
            self._client.disconnect()
            self._client.loop_stop()
        if self.failed is not None:
            raise SimulatorError(f"cannot write the recording: {self.failed}") from self.failed

    def _on_connect(
        self, client: paho.Client, _data: object, _flags: paho.ConnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        if reason.is_failure:
            self._refused = str(reason)
            self.answered.set()
        else:
            client.subscribe(EVENTS, qos=1)

    def _on_subscribe(
        self, _client: paho.Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refused = "this account may not read events"
        else:
            self._losses.up()
        self.answered.set()

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        if message.retain or self.failed is not None:
            return
        after_ns = time.monotonic_ns() - self._began_ns
        try:
            self._recorder.add(Message(after_ns, message.topic, bytes(message.payload), Outcome.UNIQUE))
        except Exception as error:  # noqa: BLE001 - the client's thread would end here, unseen
            self.failed = error
            self.stop.set()


def record(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="File to write, one event a line.")],
    span: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="Time: 90s, 10m, 2h, 1d.", show_default="for ever")
    ] = None,
    host: Host = "127.0.0.1",
    port: Port = 1883,
    username: Username = None,
    tls: WithTls = False,
    ca_file: CaFile = None,
    certificate_file: CertificateFile = None,
    key_file: KeyFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the count as JSON.")] = False,
) -> None:
    """Record what ChirpStack publishes on a broker, for `simulate --replay`.

    Ctrl-C ends it. The file holds payloads as they came, personal ones too: only its owner may read it.
    """
    seconds = None if span is None else duration_s(span)
    broker = Broker.of(host, port, username, Tls(ca_file, certificate_file, key_file), tls=tls)
    with speaking_plainly(), Recorder(out, 0) as recorder:
        listener = Listener(recorder, broker, lambda text: typer.echo(f"stadtfunk: warning: {text}", err=True))
        with signals(listener.stop):
            listener.listen(seconds)
    typer.echo(json.dumps({"recorded": recorder.count}) if as_json else f"{recorder.count} events in {out}")
