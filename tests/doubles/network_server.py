"""A small LoRaWAN network server: what ChirpStack does between gateways' frames and application events, in memory.

It checks every MIC, takes each DevNonce once, merges copies within 200 ms, counts frames over 32 bits, answers joins,
confirmed uplinks and LinkCheckReq in RX1 with RX2 behind it, and speaks to each gateway in its own encoding. More than
15 bytes of MAC commands go on port 0, and what is queued waits for the next uplink. Times are given.
"""

import json
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from chirpstack_api.gw import gw_pb2
from google.protobuf import json_format
from google.protobuf.message import Message

from simulator import chirpstack
from simulator.chirpstack import Copy, Encoding, Event, Identity, Join, Up
from simulator.device import identifier
from simulator.lorawan import frame
from simulator.lorawan.bridge import Packet
from simulator.lorawan.crypto import Direction, session_keys
from simulator.lorawan.end_device import Session
from simulator.lorawan.error import FrameError
from simulator.lorawan.frame import Data, JoinAccept, MType
from simulator.radio import LIMITS_DB, Gateway

WINDOW_NS = 200_000_000
JOIN_DELAY_S, DATA_DELAY_S = 5, 1
RX2_HZ, RX2_FACTOR = 869_525_000, 12
FURTHER_HZ = (867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000)
NET_ID = 0x13
MARGIN_DB = 10
LINK_CHECK = 0x02
SIZES = {LINK_CHECK: 0, 0x03: 1, 0x04: 0, 0x05: 1, 0x06: 2, 0x07: 1, 0x08: 0, 0x09: 0, 0x0A: 1, 0x0D: 0}
"""Bytes behind each MAC command on the way up (LoRaWAN 1.0.3, table 4)."""
LONGEST_F_OPTS = 15


class Heard(NamedTuple):
    """One gateway's copy of a frame, and when it came."""

    rx: gw_pb2.UplinkRxInfo
    time_ns: int


class Down(NamedTuple):
    """What is to be sent behind a device's next uplink."""

    f_port: int | None = None
    payload: bytes = b""
    f_opts: bytes = b""
    confirmed: bool = False


@dataclass(slots=True)
class Registered:
    """A device as the server knows it; `f_cnt` is the next one expected."""

    identity: Identity
    app_key: bytes
    session: Session | None = None
    nonces: set[int] = field(default_factory=set)
    queue: deque[Down] = field(default_factory=deque)
    received: list[Data] = field(default_factory=list)


@dataclass(slots=True)
class _Set:
    """The copies of one frame."""

    tx: gw_pb2.UplinkTxInfo
    first_ns: int
    copies: list[Heard] = field(default_factory=list)


class NetworkServer:
    """Takes what gateways publish with `take`; `advance` does what is due. `commands` and `events` are what it says."""

    def __init__(self, devices: list[Registered], prefix: str = "eu868", seed: int = 1) -> None:
        self.devices = {device.identity.dev_eui: device for device in devices}
        self.commands: deque[Packet] = deque()
        self.events: deque[Packet] = deque()
        self.acks: list[gw_pb2.DownlinkTxAck] = []
        self.stats: list[gw_pb2.GatewayStats] = []
        self.online: dict[str, bool] = {}
        self.refused: Counter[str] = Counter()
        self.encoding: Encoding = "json"
        self.copies = 0
        self._by_address: dict[str, Registered] = {
            device.session.dev_addr: device for device in devices if device.session is not None
        }
        self._prefix = prefix
        self._rng = Random(seed)
        self._nonce = 0
        self._json: defaultdict[str, bool] = defaultdict(bool)
        self._sets: dict[bytes, _Set] = {}
        self._sent: dict[int, tuple[Registered, Down]] = {}

    @property
    def next_ns(self) -> int | None:
        """When `advance` has something to do."""
        return min((found.first_ns + WINDOW_NS for found in self._sets.values()), default=None)

    def take(self, packet: Packet, now_ns: int) -> None:
        """One message of a gateway."""
        _, _, gateway_id, kind, what = packet.topic.split("/")
        assert packet.topic == f"{self._prefix}/gateway/{gateway_id}/{kind}/{what}"
        assert packet.retained == (what == "conn")
        self._json[gateway_id] = b"gatewayId" in packet.payload
        if what == "up":
            up = gw_pb2.UplinkFrame()
            self._fill(up, packet.payload)
            assert up.rx_info.gateway_id == gateway_id
            found = self._sets.setdefault(bytes(up.phy_payload), _Set(up.tx_info, now_ns))
            found.copies.append(Heard(up.rx_info, now_ns))
            self.copies += 1
        elif what == "stats":
            self.stats.append(gw_pb2.GatewayStats())
            self._fill(self.stats[-1], packet.payload)
        elif what == "ack":
            self.acks.append(gw_pb2.DownlinkTxAck())
            self._fill(self.acks[-1], packet.payload)
            self._acknowledged(self.acks[-1])
        else:
            state = gw_pb2.ConnState()
            self._fill(state, packet.payload)
            self.online[gateway_id] = state.state == gw_pb2.ConnState.ONLINE

    def advance(self, now_ns: int) -> None:
        """Handle frames whose copies are all there."""
        for phy, found in list(self._sets.items()):
            if found.first_ns + WINDOW_NS <= now_ns:
                del self._sets[phy]
                try:
                    self._handle(phy, found, now_ns)
                except FrameError as error:
                    self.refused[str(error).partition(" ")[0]] += 1

    def _acknowledged(self, ack: gw_pb2.DownlinkTxAck) -> None:
        """What no gateway could send waits for the next uplink."""
        waits = self._sent.pop(ack.downlink_id, None)
        if waits is not None and all(item.status != gw_pb2.OK for item in ack.items):
            device, down = waits
            device.queue.appendleft(down)

    def _fill(self, message: Message, payload: bytes) -> None:
        if payload.startswith(b"{"):
            json_format.Parse(payload, message)
        else:
            message.ParseFromString(payload)

    def _handle(self, phy: bytes, found: _Set, now_ns: int) -> None:
        if frame.m_type(phy) is MType.JOIN_REQUEST:
            self._join(phy, found, now_ns)
        else:
            self._data(phy, found, now_ns)

    def _join(self, phy: bytes, found: _Set, now_ns: int) -> None:
        device = self.devices.get(frame.peek_join_request(phy).dev_eui)
        if device is None:
            raise FrameError("unknown device")
        request = frame.read_join_request(phy, device.app_key)
        if request.dev_nonce in device.nonces:
            raise FrameError("nonce used before")
        device.nonces.add(request.dev_nonce)
        self._nonce += 1
        accept = JoinAccept(self._nonce, NET_ID, f"{self._nonce:08x}", channels=FURTHER_HZ)
        keys = session_keys(device.app_key, accept.app_nonce, accept.net_id, request.dev_nonce)
        device.session = Session(accept.dev_addr, keys)
        self._by_address[accept.dev_addr] = device
        self._answer(frame.write_join_accept(accept, device.app_key), found, JOIN_DELAY_S)
        self._event(Join(device.identity, identifier(self._rng), now_ns, accept.dev_addr))

    def _data(self, phy: bytes, found: _Set, now_ns: int) -> None:
        address, low = frame.peek_data(phy)
        device = self._by_address.get(address)
        if device is None or device.session is None or device.session.dev_addr != address:
            raise FrameError("address is nobody's")
        session = device.session
        if session.f_cnt_up and low == (session.f_cnt_up - 1) % 0x1_0000:
            frame.read_data(phy, session.keys, session.f_cnt_up - 1)
            raise FrameError("retransmission")
        data = frame.read_data(phy, session.keys, session.f_cnt_up)
        session.f_cnt_up = data.f_cnt + 1
        device.received.append(data)
        if data.f_port:
            self._event(self._up(device.identity, data, found, now_ns))
        checked = _link_check(found) if asks_for_link(data) else b""
        if device.queue or data.confirmed or checked:
            self._reply(device, session, data, found, checked)

    def _reply(self, device: Registered, session: Session, up: Data, found: _Set, checked: bytes) -> None:
        queued = bool(device.queue)
        down = device.queue.popleft() if queued else Down()
        options = checked + down.f_opts
        if len(options) > LONGEST_F_OPTS and down.f_port is not None:
            device.queue.appendleft(down._replace(f_opts=b""))
            down = Down(f_opts=down.f_opts)
        said = down._replace(f_opts=options) if len(options) <= LONGEST_F_OPTS else Down(0, options)
        data = Data(
            Direction.DOWN,
            session.dev_addr,
            session.next_down,
            said.f_port,
            said.payload,
            confirmed=said.confirmed,
            f_opts=said.f_opts,
            ack=up.confirmed,
        )
        session.next_down += 1
        downlink_id = self._answer(frame.write_data(data, session.keys), found, DATA_DELAY_S)
        if queued:
            self._sent[downlink_id] = (device, down)

    def _answer(self, phy: bytes, found: _Set, delay_s: int) -> int:
        """Through any gateway that heard well, else through the one that heard best; in RX1, and behind it in RX2."""
        factor = found.tx.modulation.lora.spreading_factor
        well = [copy for copy in found.copies if copy.rx.snr >= LIMITS_DB[factor] + MARGIN_DB]
        rx = (self._rng.choice(well) if well else max(found.copies, key=lambda copy: copy.rx.snr)).rx
        items = [
            _item(phy, rx.context, delay_s, found.tx.frequency, factor, 16),
            _item(phy, rx.context, delay_s + 1, RX2_HZ, RX2_FACTOR, 27),
        ]
        down = gw_pb2.DownlinkFrame(downlink_id=self._rng.getrandbits(32), gateway_id=rx.gateway_id, items=items)
        payload = json_format.MessageToJson(down).encode() if self._json[rx.gateway_id] else down.SerializeToString()
        self.commands.append(Packet(f"{self._prefix}/gateway/{rx.gateway_id}/command/down", payload))
        return int(down.downlink_id)

    def _up(self, identity: Identity, data: Data, found: _Set, now_ns: int) -> Up:
        lora = found.tx.modulation.lora
        copies = tuple(
            Copy(
                Gateway(rx.gateway_id, rx.location.latitude, rx.location.longitude, rx.location.altitude),
                rx.uplink_id,
                time_ns,
                rx.rssi,
                rx.snr,
                rx.channel,
            )
            for rx, time_ns in found.copies
        )
        return Up(
            identity,
            identifier(self._rng),
            now_ns,
            data.dev_addr,
            data.f_cnt,
            data.f_port or 0,
            data.payload,
            found.tx.frequency,
            lora.spreading_factor,
            copies,
        )

    def _event(self, event: Event) -> None:
        self.events.append(Packet(chirpstack.topic(event), chirpstack.payload(event, self.encoding)))


def asks_for_link(up: Data) -> bool:
    """Whether LinkCheckReq is among an uplink's MAC commands."""
    options, at = up.payload if up.f_port == 0 else up.f_opts, 0
    while at < len(options) and options[at] in SIZES:
        if options[at] == LINK_CHECK:
            return True
        at += 1 + SIZES[options[at]]
    return False


def _link_check(found: _Set) -> bytes:
    """LinkCheckAns: dB that the best copy lies above the demodulation limit, and how many gateways have one."""
    limit = LIMITS_DB[found.tx.modulation.lora.spreading_factor]
    margin = max(0, int(max(copy.rx.snr for copy in found.copies) - limit))
    return bytes((LINK_CHECK, margin, len(found.copies)))


def _item(phy: bytes, context: bytes, delay_s: int, hz: int, factor: int, dbm: int) -> gw_pb2.DownlinkFrameItem:
    """One window, as ChirpStack writes it."""
    lora = {"bandwidth": 125_000, "spreadingFactor": factor, "codeRate": "CR_4_5", "polarizationInversion": True}
    item = gw_pb2.DownlinkFrameItem(phy_payload=phy)
    timing = {"delay": {"delay": f"{delay_s}s"}}
    info = {"frequency": hz, "power": dbm, "modulation": {"lora": lora}, "timing": timing}
    json_format.Parse(json.dumps(info), item.tx_info)
    item.tx_info.context = context
    return item
