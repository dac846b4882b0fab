"""Brokers that the program starts itself, on loopback: for the demo and for tests.

BrokerError
└── BrokerMissing       neither program nor package is there; the message says what to install
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from iotcore import Broker

LOOPBACK = "127.0.0.1"
START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 5.0
MAX_PACKET_BYTES = 2_000_000
"""As much as the service takes by default: iotcore would send it a larger packet again and again."""
HEADER_BYTES = 5
"""The longest fixed header of a packet, which rumqttd does not count."""
MOSQUITTO_CONFIG = (
    "allow_anonymous true",
    "max_queued_messages 0",
    "max_inflight_messages 1000",
    "set_tcp_nodelay true",
    "log_type error",
)
"""No limit on what waits for an absent client, a window that does not hold up a batch, and no small packet that waits
for the acknowledgement of the one before (40 ms on Linux)."""
RUMQTTD_CONFIG = """\
id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
"""
RUMQTTD_LISTENER = """
[{section}.1]
name = "{section}"
listen = "{host}:{port}"
next_connection_delay_ms = 1

[{section}.1.connections]
connection_timeout_ms = 10000
max_payload_size = {max_bytes}
max_inflight_count = 1000
dynamic_filters = true
"""


class BrokerError(Exception):
    """A broker that did not start."""


class BrokerMissing(BrokerError):
    """There is nothing to start."""


def free_port() -> int:
    """A TCP port on loopback that nobody listened on a moment ago."""
    with closing(socket.socket()) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def mosquitto_program() -> str | None:
    """Where Mosquitto is: on PATH, or where Debian puts it."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


async def listening(port: int, ended: Callable[[], bool]) -> None:
    """Wait until the port takes connections; raises BrokerError when the program ended or time is up."""
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            while not ended():
                try:
                    _, writer = await asyncio.open_connection(LOOPBACK, port)
                except OSError:
                    await asyncio.sleep(0.01)
                    continue
                writer.close()
                await writer.wait_closed()
                return
    except TimeoutError:
        raise BrokerError(f"the broker does not listen on port {port} after {START_TIMEOUT_S:g} s") from None
    raise BrokerError(f"the broker ended instead of listening on port {port}")


class DemoBroker(Protocol):
    """A broker on loopback for as long as the context lasts: `port` speaks MQTT 5, `port_v3` MQTT 3.1.1."""

    name: str
    port: int
    port_v3: int

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Mosquitto:
    """Mosquitto with a configuration of its own, on loopback; it ends when we end.

    `config` lines stand after the listener and replace the default ones. Files go to `directory` (a temporary one
    without it). It can be stopped (SIGTERM) or killed and started again on the same port.
    """

    name = "mosquitto"

    def __init__(self, port: int = 0, config: Sequence[str] = MOSQUITTO_CONFIG, directory: Path | None = None) -> None:
        program = mosquitto_program()
        if program is None:
            raise BrokerMissing("Mosquitto is not on PATH: install the package `mosquitto` of your distribution")
        self.port = self.port_v3 = port or free_port()
        self._program = program
        self._config = config
        self._temporary = None if directory else TemporaryDirectory(prefix="stadtfunk-broker-")
        self._directory = directory or Path(self._temporary.name if self._temporary else "")
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if self._temporary is not None:
            self._temporary.cleanup()

    async def start(self) -> None:
        """Start it and wait until it listens; raises BrokerError."""
        file = self._directory / "mosquitto.conf"
        file.write_text("\n".join([f"listener {self.port} {LOOPBACK}", *_as_root(), *self._config, ""]))
        process = self._process = await asyncio.create_subprocess_exec(
            *_attended(), self._program, "-c", str(file), stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            await listening(self.port, lambda: process.returncode is not None)
        except BaseException:
            await self.kill()
            raise

    async def stop(self) -> None:
        """Ask it to end (with persistence it saves first) and wait; harmless when it has ended."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """Kill it as a power cut would."""
        await self._end(signal.SIGKILL)

    async def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.send_signal(how)
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            process.kill()
            await process.wait()


class EmbeddedBroker:
    """iotcore's broker (rumqttd) in a child process, on loopback; it ends when we end. Keeps everything in memory."""

    name = "iotcore"

    def __init__(self, port: int = 0, port_v3: int = 0, max_packet_bytes: int = MAX_PACKET_BYTES) -> None:
        self.port = port or free_port()
        self.port_v3 = port_v3 or free_port()
        self._max_packet_bytes = max_packet_bytes
        self._broker: Broker | None = None

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._stop)

    def _start(self) -> None:
        try:
            from iotcore import Broker  # noqa: PLC0415 - an extra, needed here only
        except ImportError as error:
            raise BrokerMissing(
                "no broker to start: install the extra `demo` (pip install 'stadtfunk[demo]') or Mosquitto"
            ) from error
        with TemporaryDirectory(prefix="stadtfunk-broker-") as directory:
            file = Path(directory) / "rumqttd.toml"
            file.write_text(self._configuration())
            self._broker = Broker(config_path=str(file))
            kept = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                self._broker.start(timeout=START_TIMEOUT_S)
            except (OSError, RuntimeError) as error:
                raise BrokerError(f"the embedded broker did not start: {error}") from error
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, kept)

    def _stop(self) -> None:
        if self._broker is not None:
            self._broker.stop(timeout=STOP_TIMEOUT_S)

    def _configuration(self) -> str:
        listeners = (("v5", self.port), ("v4", self.port_v3))
        return RUMQTTD_CONFIG + "".join(
            RUMQTTD_LISTENER.format(
                section=section, host=LOOPBACK, port=port, max_bytes=self._max_packet_bytes - HEADER_BYTES
            )
            for section, port in listeners
        )


def demo_broker(port: int = 0) -> DemoBroker:
    """The broker of the demo, not yet started: Mosquitto when it is there, else the embedded one."""
    return Mosquitto(port) if mosquitto_program() else EmbeddedBroker(port)


def _as_root() -> list[str]:
    """As root Mosquitto would drop to a user of its own, who may not read the temporary folder."""
    return ["user root"] if os.geteuid() == 0 else []


def _attended() -> list[str]:
    """A prefix by which the kernel ends the program when we end, however we end."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM"] if setpriv else []
