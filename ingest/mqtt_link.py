"""The socket edge of the receiving session: an asyncio protocol that feeds one Session and writes its answers."""

import asyncio
import ssl
from typing import cast

import mqtt5

from ingest.mqtt_error import ConnectionLost, MqttError, TlsError
from ingest.mqtt_session import Session

CLOSING_S = 1.0
"""s given to a closing connection to send what is queued; then it is cut."""
TICKS_IN_KEEPALIVE = 4


class Link(asyncio.Protocol):
    """One connection."""

    def __init__(self, session: Session) -> None:
        self.connection = session.connection
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._opened = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._cut: asyncio.TimerHandle | None = None
        self._error: MqttError | None = None
        self._leaving = False
        self._closed: asyncio.Future[MqttError] = self._loop.create_future()

    @property
    def made(self) -> bool:
        """The socket is connected (and TLS agreed)."""
        return self._transport is not None

    @property
    def usable(self) -> bool:
        """The broker accepted us and neither side is closing."""
        transport = self._transport
        return self._session.opened and transport is not None and not (self._leaving or transport.is_closing())

    async def opened(self) -> None:
        """Wait for the broker's yes; raises the MqttError that came instead."""
        waiting = asyncio.ensure_future(self._opened.wait())
        try:
            await asyncio.wait((waiting, self._closed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if self._closed.done():
            raise self._closed.result()

    async def ended(self) -> MqttError:
        """Wait for the end of the connection, and tell what ended it."""
        await asyncio.wait((self._closed,))
        return self._closed.result()

    def acknowledge(self, packet_ids: list[int]) -> None:
        """PUBACK all of them in one write."""
        if packet_ids and self._transport is not None:
            self._transport.write(self._session.acknowledgements(packet_ids))

    def pause(self) -> None:
        """Stop handling and reading; before the broker has accepted us this waits until it has."""
        self._session.paused = True
        if self._transport is not None and self._session.opened:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Handle what is buffered and read on, from the event loop."""
        self._session.resume(self._loop.time())
        self._loop.call_soon(self._proceed)

    async def close(self) -> None:
        """Say goodbye if the connection still stands, and wait for its end (at most twice CLOSING_S).

        The broker closes when it has read our DISCONNECT and so every acknowledgement before it; closing first could
        reset the connection and lose those it has not read.
        """
        transport = self._transport
        if transport is None or self._closed.done():
            return
        if self.usable:
            self._leaving = True
            self._flush(transport)
            transport.write(mqtt5.DisconnectPacket().write())
            transport.resume_reading()
            await asyncio.wait((self._closed,), timeout=CLOSING_S)
        self._end(None)
        await self.ended()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket stands: introduce ourselves."""
        self._transport = cast("asyncio.Transport", transport)
        self._session.connect()
        self._flush(self._transport)

    def data_received(self, data: bytes) -> None:
        """Bytes of the broker; whatever comes after our goodbye is the next connection's."""
        if not self._leaving:
            self._handle(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, whoever brought it."""
        for timer in (self._timer, self._cut):
            if timer is not None:
                timer.cancel()
        if not self._closed.done():
            self._closed.set_result(self._error or _loss(exc, accepted=self._session.opened))

    def _proceed(self) -> None:
        transport = self._transport
        if transport is None or not self.usable or self._session.paused:
            return
        self._handle(b"")
        if not self._session.paused:
            transport.resume_reading()

    def _handle(self, data: bytes) -> None:
        transport, session = self._transport, self._session
        if transport is None or transport.is_closing():
            return
        try:
            if data:
                session.receive(data, self._loop.time())
            else:
                session.proceed()
        except MqttError as error:
            self._end(error)
            return
        self._flush(transport)
        if session.opened:
            if not self._opened.is_set():
                self._opened.set()
                self._tick()
            if session.paused:
                transport.pause_reading()

    def _tick(self) -> None:
        transport = self._transport
        if transport is None or not self.usable:
            return
        try:
            self._session.tick(self._loop.time())
        except MqttError as error:
            self._end(error)
            return
        self._flush(transport)
        self._timer = self._loop.call_later((self._session.keepalive_s or 1) / TICKS_IN_KEEPALIVE, self._tick)

    def _flush(self, transport: asyncio.Transport) -> None:
        output = self._session.take_output()
        if output:
            transport.write(output)

    def _end(self, error: MqttError | None) -> None:
        """Close for this error (None: because we want to), with a word to the broker where one is due."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._error = error
        reason = mqtt5.DisconnectReasonCode.NORMAL_DISCONNECTION if error is None else error.farewell
        self._flush(transport)
        if reason is not None and self._session.opened and not self._leaving:
            transport.write(mqtt5.DisconnectPacket(reason_code=reason).write())
        transport.close()
        self._cut = self._loop.call_later(CLOSING_S, transport.abort)


def _loss(error: Exception | None, *, accepted: bool) -> MqttError:
    if isinstance(error, ssl.SSLError):
        return TlsError(f"the broker ended TLS: {error.reason or error}")
    what = "connection lost" if accepted else "the broker closed the connection instead of answering CONNECT"
    return ConnectionLost(f"{what}: {error}" if error else what)
