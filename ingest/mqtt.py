"""MQTT in: a persistent MQTT 5 session that is acknowledged by hand and reconnects for ever.

What arrives is handed over at once and stays the broker's until `acknowledge`; whatever a lost connection leaves
unacknowledged comes again on the next one.
"""

import asyncio
import re
import ssl
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

import structlog

from ingest.backoff import Backoff
from ingest.mqtt_error import (
    RIVAL,
    ConnectionFailed,
    ConnectionLost,
    MqttError,
    SessionTakenOver,
    TlsError,
    connection_failure,
)
from ingest.mqtt_link import Link
from ingest.mqtt_session import Granted, Message, Receipt, Session
from ingest.settings import MqttSettings
from ingest.tls import CertificateError, client_context

__all__ = ["ConnectionState", "Message", "Receipt", "StateListener", "Subscriber", "filters"]

log = structlog.get_logger("ingest.mqtt")

PLACEHOLDER = re.compile(r"\{\{?\s*\w+\s*\}?\}")
"""ChirpStack writes `{{application_id}}`, we also take `{application_id}`."""

SUSPICIOUS = 3
"""Connections cut soon after they were accepted that look like a rival: Mosquitto 2.0 takes a session over silently."""


COUNTERS = (
    "received",
    "at_most_once",
    "redelivered",
    "acknowledged",
    "stale_acknowledgements",
    "connections",
    "sessions_lost",
    "untaken",
)


class ConnectionState(StrEnum):
    """What a listener is told about a connection; the detail is one line."""

    CONNECTED = "connected"
    """The broker took us; detail: whether it kept a session."""
    DISCONNECTED = "disconnected"
    """No connection; detail: why, the error in plain words. The next attempt follows by itself."""
    UNTAKEN = "untaken"
    """Still connected, but `deliver` raised on a message; detail: its topic and the error."""
    STOPPED = "stopped"
    """The end, asked for."""


StateListener = Callable[[ConnectionState, str], None]


class Subscriber:
    """Receives from the broker in `settings` what matches `topics` (subscription filters), at QoS 1.

    `deliver` is called from the event loop for each message, in order, and should not raise: a message on which it does
    is counted and reported, stays unacknowledged and comes again with the next connection; those behind it go on.
    The counters grow for as long as the object lives. `expects_session` says that the broker ought to have ours: if it
    has not, that counts as lost.
    """

    def __init__(
        self,
        settings: MqttSettings,
        topics: Sequence[str],
        deliver: Callable[[Message], None],
        *,
        on_state: StateListener | None = None,
        expects_session: bool = False,
    ) -> None:
        self.received = 0
        self.at_most_once = 0
        self.redelivered = 0
        self.untaken = 0
        self.acknowledged = 0
        self.stale_acknowledgements = 0
        self.connections = 0
        self.sessions_lost = 0
        self.last_error: str | None = None
        self.granted: Granted | None = None
        self._expects_session = expects_session
        self._settings = settings
        self._topics = tuple(topics)
        self._deliver = deliver
        self._on_state = on_state
        self._paused = False
        self._link: Link | None = None
        self._attempt = 0

    @property
    def connected(self) -> bool:
        """The broker has accepted us and the connection stands."""
        return self._link is not None and self._link.usable

    @property
    def reconnects(self) -> int:
        """Connections after the first."""
        return max(0, self.connections - 1)

    @property
    def paused(self) -> bool:
        """Whether reading is stopped, with or without a connection."""
        return self._paused

    def figures(self) -> dict[str, int]:
        """The counters, and for how long the broker was asked to keep the session and (once connected) keeps it."""
        found = {name: int(getattr(self, name)) for name in COUNTERS}
        found["session_expiry_asked_s"] = self._settings.session_expiry_s
        if self.granted is not None:
            found["session_expiry_s"] = self.granted.session_expiry_s
        return found

    async def run(self) -> None:
        """Keep a connection until cancelled; then say goodbye, which leaves the session with the broker."""
        settings = self._settings
        backoff = Backoff(settings.reconnect_min_s, settings.reconnect_max_s)
        loop = asyncio.get_running_loop()
        cut_short = 0
        try:
            while True:
                begin_s, connections = loop.time(), self.connections
                error = await self._hold_connection()
                if loop.time() - begin_s > settings.reconnect_max_s:
                    backoff.reset()
                    cut_short = 0
                elif self.connections > connections and isinstance(error, ConnectionLost):
                    cut_short += 1
                if cut_short >= SUSPICIOUS:
                    error = SessionTakenOver(f"{error}, {cut_short} times soon after the broker took us: {RIVAL}")
                wait_s = backoff.longest_s() if isinstance(error, SessionTakenOver) else backoff.next_s()
                self._report_error(error, wait_s)
                await asyncio.sleep(wait_s)
        finally:
            self._report(ConnectionState.STOPPED, "")

    def acknowledge(self, receipts: Iterable[Receipt]) -> None:
        """Acknowledge messages in one write; receipts of an earlier connection are dropped and counted."""
        given = list(receipts)
        link = self._link
        current: list[int] = []
        if link is not None and link.usable:
            connection = link.connection
            current = [packet_id for number, packet_id in given if number == connection]
            link.acknowledge(current)
        self.acknowledged += len(current)
        self.stale_acknowledgements += len(given) - len(current)

    def pause(self) -> None:
        """Stop reading, at once: nothing is delivered until `resume`, on this connection or a later one."""
        self._paused = True
        if self._link is not None:
            self._link.pause()

    def resume(self) -> None:
        """Go on reading; delivery starts again from the event loop, never from within this call."""
        self._paused = False
        if self._link is not None:
            self._link.resume()

    async def _hold_connection(self) -> MqttError:
        """One connection from its attempt to its end, and what ended it."""
        self._attempt += 1
        session = Session(self._attempt, self._settings, self._topics, self._take)
        session.paused = self._paused
        link = self._link = Link(session)
        try:
            await self._connect(link)
            self._welcome(session)
            return await link.ended()
        except MqttError as error:
            return error
        finally:
            self.granted = session.granted or self.granted
            self._link = None
            await link.close()

    async def _connect(self, link: Link) -> None:
        """Until CONNACK, or MqttError."""
        settings = self._settings
        address = f"{settings.host}:{settings.port}"
        try:
            async with asyncio.timeout(settings.connect_timeout_s):
                context = await asyncio.to_thread(tls_context, settings)
                await asyncio.get_running_loop().create_connection(
                    lambda: link, settings.host, settings.port, ssl=context
                )
                await link.opened()
        except TimeoutError:
            what = "no answer to CONNECT from" if link.made else "no connection to"
            raise ConnectionFailed(f"{what} {address} within {settings.connect_timeout_s:g} s") from None
        except UnicodeError as error:
            raise ConnectionFailed(f"{settings.host!r} cannot be a host name") from error
        except OSError as error:
            raise connection_failure(error, address) from error

    def _welcome(self, session: Session) -> None:
        self.connections += 1
        self.granted = session.granted
        if session.session_present:
            detail = "session resumed"
        elif self.connections == 1 and not self._expects_session:
            detail = "new session"
        else:
            self.sessions_lost += 1
            detail = "new session: the broker had forgotten ours, with whatever was queued in it"
        if session.session_expiry_s < self._settings.session_expiry_s:
            detail += f"; the broker keeps it for {session.session_expiry_s} s only"
        log.info("mqtt connected", client_id=self._settings.client_id, detail=detail)
        self._report(ConnectionState.CONNECTED, detail)

    def _take(self, message: Message) -> None:
        self.received += 1
        if message.receipt is None:
            self.at_most_once += 1
        elif message.duplicate:
            self.redelivered += 1
        try:
            self._deliver(message)
        except Exception as error:
            self.untaken += 1
            log.exception("mqtt message not taken", topic=message.topic)
            self._report(ConnectionState.UNTAKEN, f"{message.topic}: {error!r}")

    def _report_error(self, error: MqttError, wait_s: float) -> None:
        self.last_error = str(error)
        log.warning(
            "mqtt disconnected", error=self.last_error, kind=type(error).__name__, next_attempt_s=round(wait_s, 2)
        )
        self._report(ConnectionState.DISCONNECTED, self.last_error)

    def _report(self, state: ConnectionState, detail: str) -> None:
        if self._on_state is not None:
            self._on_state(state, detail)


def tls_context(settings: MqttSettings) -> ssl.SSLContext | None:
    """The TLS context that the settings ask for, read from its files anew; raises TlsError."""
    if not settings.tls:
        return None
    try:
        return client_context(settings.ca_file, settings.certificate_file, settings.key_file)
    except CertificateError as error:
        raise TlsError(str(error)) from error


def filters(settings: MqttSettings) -> tuple[str, ...]:
    """The subscription to ChirpStack's events: its topic template with every placeholder a wildcard."""
    topic = PLACEHOLDER.sub("+", settings.event_topic)
    return (f"$share/{settings.shared_group}/{topic}" if settings.shared_group else topic,)
