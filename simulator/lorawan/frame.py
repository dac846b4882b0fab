"""PHYPayload: joins and data frames of LoRaWAN 1.0.x, between bytes and tuples.

Source: LoRaWAN 1.0.3 specification, §4 (frames), §6.2 (join). Addresses and EUIs are hex as people write them; on the
air they are little endian.
"""

from enum import IntEnum
from hmac import compare_digest
from typing import NamedTuple

from simulator.lorawan.crypto import (
    BLOCK,
    MIC_SIZE,
    SIZE_OF_EUI,
    Direction,
    Place,
    SessionKeys,
    cipher,
    data_mic,
    decrypt_blocks,
    encrypt_blocks,
    mic,
)
from simulator.lorawan.error import FrameError

ADR, ADR_ACK_REQ, ACK, F_PENDING = 0x80, 0x40, 0x20, 0x10
LONGEST_F_OPTS = 15
SHORTEST_DATA = 1 + 4 + 1 + 2 + MIC_SIZE
JOIN_REQUEST_SIZE = 1 + 2 * SIZE_OF_EUI + 2 + MIC_SIZE
ACCEPT_PLAIN = 12
CF_LIST_CHANNELS = 5
CF_LIST_STEP_HZ = 100
COUNTER_LOW = 0x1_0000


class MType(IntEnum):
    """The kinds of messages, in the upper three bits of the first byte."""

    JOIN_REQUEST = 0
    JOIN_ACCEPT = 1
    UNCONFIRMED_UP = 2
    UNCONFIRMED_DOWN = 3
    CONFIRMED_UP = 4
    CONFIRMED_DOWN = 5


DATA = (MType.UNCONFIRMED_UP, MType.UNCONFIRMED_DOWN, MType.CONFIRMED_UP, MType.CONFIRMED_DOWN)


class JoinRequest(NamedTuple):
    """A device asks to join."""

    join_eui: str
    dev_eui: str
    dev_nonce: int


class JoinAccept(NamedTuple):
    """The network's answer; `channels` are up to five further frequencies in Hz, delays are in s."""

    app_nonce: int
    net_id: int
    dev_addr: str
    rx1_dr_offset: int = 0
    rx2_data_rate: int = 0
    rx1_delay_s: int = 1
    channels: tuple[int, ...] = ()


class Data(NamedTuple):
    """A data frame in plain; `f_cnt` has 32 bits, `f_port` None means that there is no payload."""

    direction: Direction
    dev_addr: str
    f_cnt: int
    f_port: int | None = None
    payload: bytes = b""
    confirmed: bool = False
    f_opts: bytes = b""
    adr: bool = False
    adr_ack_req: bool = False
    ack: bool = False
    f_pending: bool = False


def m_type(phy: bytes) -> MType:
    """The kind of a frame; raises FrameError for proprietary ones and other versions."""
    if not phy or phy[0] & 0x1F:
        raise FrameError(f"{phy.hex() or 'nothing'} is no frame of LoRaWAN R1")
    try:
        return MType(phy[0] >> 5)
    except ValueError as error:
        raise FrameError(f"message type {phy[0] >> 5} is not one of LoRaWAN 1.0") from error


def write_join_request(frame: JoinRequest, app_key: bytes) -> bytes:
    """A join request with its MIC."""
    body = (
        bytes((MType.JOIN_REQUEST << 5,))
        + bytes.fromhex(frame.join_eui)[::-1]
        + bytes.fromhex(frame.dev_eui)[::-1]
        + frame.dev_nonce.to_bytes(2, "little")
    )
    return body + mic(app_key, body)


def peek_join_request(phy: bytes) -> JoinRequest:
    """A join request as it says itself, unchecked: who asks must be known before the key is."""
    if len(phy) != JOIN_REQUEST_SIZE or m_type(phy) is not MType.JOIN_REQUEST:
        raise FrameError(f"{phy.hex()} is no join request")
    return JoinRequest(phy[1:9][::-1].hex(), phy[9:17][::-1].hex(), int.from_bytes(phy[17:19], "little"))


def read_join_request(phy: bytes, app_key: bytes) -> JoinRequest:
    """A join request whose MIC fits."""
    found = peek_join_request(phy)
    _check(mic(app_key, phy[:-MIC_SIZE]), phy)
    return found


def write_join_accept(frame: JoinAccept, app_key: bytes) -> bytes:
    """A join accept, signed and encrypted."""
    if len(frame.channels) > CF_LIST_CHANNELS:
        raise FrameError(f"{len(frame.channels)} channels do not fit, at most {CF_LIST_CHANNELS} do")
    head = bytes((MType.JOIN_ACCEPT << 5,))
    body = (
        frame.app_nonce.to_bytes(3, "little")
        + frame.net_id.to_bytes(3, "little")
        + bytes.fromhex(frame.dev_addr)[::-1]
        + bytes((frame.rx1_dr_offset << 4 | frame.rx2_data_rate, frame.rx1_delay_s))
    )
    if frame.channels:
        body += b"".join((hz // CF_LIST_STEP_HZ).to_bytes(3, "little") for hz in frame.channels).ljust(BLOCK, b"\0")
    return head + decrypt_blocks(app_key, body + mic(app_key, head + body))


def read_join_accept(phy: bytes, app_key: bytes) -> JoinAccept:
    """A join accept of this key; raises FrameError for one that is another device's."""
    if m_type(phy) is not MType.JOIN_ACCEPT or len(phy) not in {1 + BLOCK, 1 + 2 * BLOCK}:
        raise FrameError(f"{phy.hex()} is no join accept")
    plain = phy[:1] + encrypt_blocks(app_key, phy[1:])
    _check(mic(app_key, plain[:-MIC_SIZE]), plain)
    body, channels = plain[1:-MIC_SIZE], plain[1 + ACCEPT_PLAIN : -MIC_SIZE]
    return JoinAccept(
        int.from_bytes(body[0:3], "little"),
        int.from_bytes(body[3:6], "little"),
        body[6:10][::-1].hex(),
        body[10] >> 4 & 0x07,
        body[10] & 0x0F,
        max(1, body[11] & 0x0F),
        _channels(channels),
    )


def _channels(cf_list: bytes) -> tuple[int, ...]:
    """Frequencies of a CFList of type 0; there is none where it is empty or of another type."""
    if not cf_list or cf_list[-1]:
        return ()
    parts = (cf_list[at : at + 3] for at in range(0, 3 * CF_LIST_CHANNELS, 3))
    return tuple(hz for hz in (int.from_bytes(part, "little") * CF_LIST_STEP_HZ for part in parts) if hz)


def write_data(frame: Data, keys: SessionKeys) -> bytes:
    """A data frame, encrypted and signed; raises FrameError for options that do not fit."""
    if len(frame.f_opts) > LONGEST_F_OPTS:
        raise FrameError(f"{len(frame.f_opts)} bytes of options do not fit, at most {LONGEST_F_OPTS} do")
    flags = (frame.adr and ADR) | (frame.ack and ACK)
    flags |= (frame.adr_ack_req and ADR_ACK_REQ) if frame.direction is Direction.UP else (frame.f_pending and F_PENDING)
    place = Place(frame.direction, bytes.fromhex(frame.dev_addr), frame.f_cnt)
    body = bytes((_kind(frame) << 5,)) + place.dev_addr[::-1] + bytes((flags | len(frame.f_opts),))
    body += (frame.f_cnt % COUNTER_LOW).to_bytes(2, "little") + frame.f_opts
    if frame.f_port is not None:
        body += bytes((frame.f_port,)) + cipher(_payload_key(frame.f_port, keys), place, frame.payload)
    return body + data_mic(keys.nwk_s_key, place, body)


def peek_data(phy: bytes) -> tuple[str, int]:
    """Address and the lower 16 bits of the counter, unchecked: the session's keys are found by them."""
    if len(phy) < SHORTEST_DATA or m_type(phy) not in DATA:
        raise FrameError(f"{phy.hex()} is no data frame")
    return phy[1:5][::-1].hex(), int.from_bytes(phy[6:8], "little")


def read_data(phy: bytes, keys: SessionKeys, lowest_f_cnt: int) -> Data:
    """A data frame whose MIC fits, with the first counter not below `lowest_f_cnt` that its 16 bits allow."""
    dev_addr, low = peek_data(phy)
    kind, control = m_type(phy), phy[5]
    direction = Direction.DOWN if kind in {MType.UNCONFIRMED_DOWN, MType.CONFIRMED_DOWN} else Direction.UP
    place = Place(direction, bytes.fromhex(dev_addr), whole_f_cnt(low, lowest_f_cnt))
    _check(data_mic(keys.nwk_s_key, place, phy[:-MIC_SIZE]), phy)
    start = 8 + (control & LONGEST_F_OPTS)
    if start > len(phy) - MIC_SIZE:
        raise FrameError(f"{phy.hex()} announces more options than it has")
    rest = phy[start:-MIC_SIZE]
    f_port = rest[0] if rest else None
    return Data(
        direction,
        dev_addr,
        place.f_cnt,
        f_port,
        b"" if f_port is None else cipher(_payload_key(f_port, keys), place, rest[1:]),
        confirmed=kind in {MType.CONFIRMED_UP, MType.CONFIRMED_DOWN},
        f_opts=phy[8:start],
        adr=bool(control & ADR),
        adr_ack_req=direction is Direction.UP and bool(control & ADR_ACK_REQ),
        ack=bool(control & ACK),
        f_pending=direction is Direction.DOWN and bool(control & F_PENDING),
    )


def whole_f_cnt(low: int, lowest: int) -> int:
    """The first counter not below `lowest` that ends in these 16 bits."""
    return lowest + (low - lowest) % COUNTER_LOW


def _payload_key(f_port: int, keys: SessionKeys) -> bytes:
    return keys.app_s_key if f_port else keys.nwk_s_key


def _kind(frame: Data) -> MType:
    if frame.direction is Direction.UP:
        return MType.CONFIRMED_UP if frame.confirmed else MType.UNCONFIRMED_UP
    return MType.CONFIRMED_DOWN if frame.confirmed else MType.UNCONFIRMED_DOWN


def _check(expected: bytes, phy: bytes) -> None:
    if not compare_digest(expected, phy[-MIC_SIZE:]):
        raise FrameError(f"MIC {phy[-MIC_SIZE:].hex()} does not fit")
