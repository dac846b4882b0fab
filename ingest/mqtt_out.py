"""MQTT out: publishes at QoS 1 and says for each message whether the broker has taken it."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

import aiomqtt
import structlog
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.client import MQTT_ERR_SUCCESS
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest.backoff import Backoff
from ingest.mqtt import ConnectionState, StateListener, tls_context
from ingest.mqtt_error import (
    ConnectionFailed,
    ConnectionLost,
    ConnectionRefused,
    MqttError,
    PublishFailed,
    PublishRefused,
)
from ingest.settings import MqttSettings

log = structlog.get_logger("ingest.mqtt_out")

WILL_CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
PAHO_CONNECT_TIMEOUT_S = 3.0
"""paho connects in a thread that cannot be interrupted; this bounds a shutdown during it."""

AT_ONCE = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
"""Without it an event waits 40 ms for the broker's delayed acknowledgement of the one before."""
GOODBYE_S = 2.0
"""s for sending what is queued and DISCONNECT."""


class Publisher:
    """Publishes on a connection of its own, under the service's client id with `-out`.

    `will` makes, for each connection, topic and payload (a JSON CloudEvent) that the broker publishes, retained, when
    we vanish without a goodbye. A `run` that is cancelled publishes it, too, unless the caller has `taken_leave`.
    """

    def __init__(
        self,
        settings: MqttSettings,
        *,
        will: Callable[[], tuple[str, bytes]] | None = None,
        on_state: StateListener | None = None,
    ) -> None:
        self.published = 0
        self.failed = 0
        self.connections = 0
        self.last_error: str | None = None
        self.taken_leave = False
        self._settings = settings
        self._will = will
        self._on_state = on_state
        self._client: _Client | None = None

    @property
    def connected(self) -> bool:
        """The broker has accepted us and the connection stands."""
        return self._client is not None

    async def run(self) -> None:
        """Keep a connection until cancelled; then say goodbye, so that the will is not published."""
        settings = self._settings
        backoff = Backoff(settings.reconnect_min_s, settings.reconnect_max_s)
        loop = asyncio.get_running_loop()
        try:
            while True:
                begin_s = loop.time()
                error = await self._hold_connection()
                if loop.time() - begin_s > settings.reconnect_max_s:
                    backoff.reset()
                wait_s = backoff.next_s()
                self.last_error = str(error)
                log.warning("mqtt out disconnected", error=self.last_error, next_attempt_s=round(wait_s, 2))
                self._report(ConnectionState.DISCONNECTED, self.last_error)
                await asyncio.sleep(wait_s)
        finally:
            self._report(ConnectionState.STOPPED, "")

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool, expiry_s: int | None = None, content_type: str | None = None
    ) -> None:
        """Publish at QoS 1 and return when the broker has acknowledged; raises PublishFailed.

        PublishRefused among them: the broker will not take this one. Everything else may be published again.
        """
        failure: PublishFailed | None = PublishFailed(f"{topic} is not published: no connection to the broker")
        if self._client is not None:
            failure = await self._client.deliver(topic, payload, retain, _properties(expiry_s, content_type))
        if failure is not None:
            self.failed += 1
            raise failure
        self.published += 1

    async def _hold_connection(self) -> MqttError:
        """One connection from its attempt to its end, and what ended it."""
        try:
            context = await asyncio.to_thread(tls_context, self._settings)
            client = _Client(self._settings, self._will() if self._will else None, context)
            await _enter(client)
        except MqttConnectError as error:
            return ConnectionRefused(f"the broker refused us: {_plain(error.rc)}")
        except aiomqtt.MqttError as error:
            return ConnectionFailed(f"no connection to {self._settings.host}:{self._settings.port}: {error}")
        except MqttError as error:
            return error
        try:
            return await self._serve(client)
        except asyncio.CancelledError:
            if not self.taken_leave:
                client.last_word()
            raise
        finally:
            self._client = None
            client.fail_pending("connection lost before the broker acknowledged")
            await _leave(client)

    async def _serve(self, client: "_Client") -> MqttError:
        self._client = client
        self.connections += 1
        log.info("mqtt out connected", client_id=client.identifier)
        self._report(ConnectionState.CONNECTED, "")
        try:
            async for _ in client.messages:
                pass
        except aiomqtt.MqttError as error:
            return ConnectionLost(f"connection lost: {error.__cause__ or error}")
        return ConnectionLost("connection lost")

    def _report(self, state: ConnectionState, detail: str) -> None:
        if self._on_state is not None:
            self._on_state(state, detail)


class _Client(aiomqtt.Client):
    """An aiomqtt client that tells a PUBACK that refuses from one that accepts; aiomqtt's own `publish` does not."""

    def __init__(self, settings: MqttSettings, will: tuple[str, bytes] | None, context: ssl.SSLContext | None) -> None:
        password = settings.password
        super().__init__(
            settings.host,
            settings.port,
            identifier=f"{settings.client_id}-out",
            username=settings.username,
            password=None if password is None else password.get_secret_value(),
            protocol=aiomqtt.ProtocolVersion.V5,
            will=will and aiomqtt.Will(will[0], will[1], 1, True, _will_properties()),  # noqa: FBT003 - QoS 1, retained
            timeout=settings.connect_timeout_s,
            keepalive=settings.keepalive_s,
            clean_start=True,
            tls_context=context,
            socket_options=[AT_ONCE],
        )
        self._client.connect_timeout = min(settings.connect_timeout_s, PAHO_CONNECT_TIMEOUT_S)
        self._last_word = will
        self._answers: dict[int, asyncio.Future[PublishFailed | None]] = {}

    async def deliver(self, topic: str, payload: bytes, retain: bool, properties: Properties) -> PublishFailed | None:
        """Publish, wait for PUBACK, and say why the message is not surely with the broker (None: it is)."""
        try:
            sent = self._client.publish(topic, payload, 1, retain, properties)
        except ValueError as error:
            return PublishRefused(f"{topic} is not published: {error}")
        if sent.rc != MQTT_ERR_SUCCESS:
            return PublishFailed(f"{topic} is not published: the connection is gone")
        answer = self._answers[sent.mid] = self._loop.create_future()
        try:
            async with asyncio.timeout(self.timeout):
                failure: PublishFailed | None = await answer
        except TimeoutError:
            return PublishFailed(f"{topic} is not acknowledged within {self.timeout:g} s")
        finally:
            self._answers.pop(sent.mid, None)
        if failure is None:
            return None
        return type(failure)(f"{topic} is not published: {failure}")

    def last_word(self) -> None:
        """Publish the will ourselves, for the broker drops it at our goodbye."""
        if self._last_word is not None:
            topic, payload = self._last_word
            self._client.publish(topic, payload, 1, retain=True, properties=_properties(None, WILL_CONTENT_TYPE))

    def fail_pending(self, why: str) -> None:
        """Nothing will be answered any more."""
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result(PublishFailed(why))

    def _on_publish(
        self, _client: PahoClient, _userdata: object, mid: int, reason_code: ReasonCode, _properties: Properties
    ) -> None:
        answer = self._answers.get(mid)
        if answer is not None and not answer.done():
            refusal = PublishRefused(f"refused: {_plain(reason_code)}")
            answer.set_result(refusal if reason_code.is_failure else None)


async def _enter(client: _Client) -> None:
    """Connect. When cancelled, wait briefly for paho's thread and close what it opened."""
    entering = asyncio.ensure_future(client.__aenter__())
    try:
        await asyncio.shield(entering)
    except asyncio.CancelledError:
        with suppress(aiomqtt.MqttError, TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await entering
            await _leave(client)
        raise


async def _leave(client: _Client) -> None:
    """Say goodbye; what goes wrong with that changes nothing."""
    with suppress(aiomqtt.MqttError, TimeoutError):
        async with asyncio.timeout(GOODBYE_S):
            await client.__aexit__(None, None, None)


def _properties(expiry_s: int | None, content_type: str | None) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho leaves it untyped
    if expiry_s is not None:
        properties.MessageExpiryInterval = expiry_s
    if content_type is not None:
        properties.ContentType = content_type
    return properties


def _will_properties() -> Properties:
    properties = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]  # paho leaves it untyped
    properties.ContentType = WILL_CONTENT_TYPE
    return properties


def _plain(reason: int | ReasonCode | None) -> str:
    if isinstance(reason, ReasonCode):
        return f"{str(reason).lower()} (reason {reason.value})"
    return f"reason {reason}"
