"""The errors of MQTT, in and out; each message is one line an operator can act on.

MqttError
├── ConnectionFailed        no connection came about: name, address, time limit
│   └── TlsError            certificates, keys, handshake
├── ConnectionRefused       the broker said no to CONNECT, with its reason
├── ConnectionLost          the connection ended without a word
├── Disconnected            the broker ended it, with its reason
│   └── SessionTakenOver    another client came with our client id
├── SubscriptionRefused     the broker said no to a topic filter, or granted it without acknowledgement
├── ProtocolError           what the broker sent is not allowed here
│   ├── MalformedPacket     … is no packet at all
│   └── PacketTooLarge      … is larger than we allowed
├── BrokerSilent            no answer in time
└── PublishFailed           a message of ours is not surely with the broker
    └── PublishRefused      … and will not be: the broker said no to this one
"""

import enum
import socket
import ssl

from mqtt5 import DisconnectReasonCode

RIVAL = "is a second service running under this client id?"


class MqttError(Exception):
    """Anything that ends or prevents an exchange with the broker."""

    farewell: DisconnectReasonCode | None = None
    """Reason to give the broker when the connection is closed for this error; None: nothing to say."""


class ConnectionFailed(MqttError):
    """No connection came about."""


class TlsError(ConnectionFailed):
    """Certificates, keys or the handshake."""


class ConnectionRefused(MqttError):
    """The broker said no to CONNECT."""


class ConnectionLost(MqttError):
    """The connection ended without a word."""


class Disconnected(MqttError):
    """The broker ended the connection and said why."""


class SessionTakenOver(Disconnected):
    """Another client came with our client id."""


class SubscriptionRefused(MqttError):
    """The broker does not let us have a topic filter with acknowledgement."""

    farewell = DisconnectReasonCode.NORMAL_DISCONNECTION


class ProtocolError(MqttError):
    """A packet that is not allowed here."""

    farewell = DisconnectReasonCode.PROTOCOL_ERROR


class MalformedPacket(ProtocolError):
    """Bytes that are no packet."""

    farewell = DisconnectReasonCode.MALFORMED_PACKET


class PacketTooLarge(ProtocolError):
    """A packet larger than the broker was told to send."""

    farewell = DisconnectReasonCode.PACKET_TOO_LARGE


class BrokerSilent(MqttError):
    """The broker did not answer in time."""

    farewell = DisconnectReasonCode.UNSPECIFIED_ERROR


class PublishFailed(MqttError):
    """A message of ours is not surely with the broker; it may be published again."""


class PublishRefused(PublishFailed):
    """The broker said no to this message: its topic or size; the connection stands and others go on."""


def in_words(code: enum.IntEnum, detail: str | None = None) -> str:
    """A reason code in plain words with its number, and the broker's own text if it gave one."""
    words = f"{code.name.lower().replace('_', ' ')} (reason {code.value})"
    return f"{words}: {detail}" if detail else words


def connection_failure(error: OSError, address: str) -> ConnectionFailed:
    """What the operating system or OpenSSL reports, in one line that names the broker's address."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsError(f"TLS with {address} failed: {error.verify_message.rstrip('.')}")
    if isinstance(error, ssl.SSLError):
        return TlsError(f"TLS with {address} failed: {error.reason or error}")
    if isinstance(error, socket.gaierror):
        return ConnectionFailed(f"host name of {address} cannot be resolved: {error.strerror}")
    if isinstance(error, TimeoutError):
        return ConnectionFailed(f"no connection to {address}: timed out")
    return ConnectionFailed(f"no connection to {address}: {error}")
