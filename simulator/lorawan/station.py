"""One gateway: hands on what it hears, sends what it is told if there is still time, and counts both."""

from collections import Counter
from typing import NamedTuple

from chirpstack_api.gw import gw_pb2
from google.protobuf.duration_pb2 import Duration

from simulator.lorawan import bridge, region
from simulator.lorawan.bridge import NS_PER_S, Reception
from simulator.lorawan.error import FrameError
from simulator.lorawan.region import Tuned
from simulator.radio import Gateway

NEEDED_NS = 20_000_000
"""How long before its time a frame must have come: what a packet forwarder asks for, rounded up."""
LONGEST_AHEAD_NS = 30 * NS_PER_S
HIGHEST_DBM = 27


class Emission(NamedTuple):
    """A frame that a gateway will send: from ns since 1970, until, how, and which bytes."""

    time_ns: int
    end_ns: int
    tuned: Tuned
    phy: bytes


class Station:
    """A gateway; `offset_us` is what its clock, which starts with its power, is away from everybody's."""

    def __init__(self, gateway: Gateway, offset_us: int) -> None:
        self.gateway = gateway
        self._offset_us = offset_us
        self._busy: list[Emission] = []
        self._counts: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()

    def heard(self, phy: bytes, sent: Tuned, reception: Reception) -> gw_pb2.UplinkFrame:
        """An uplink."""
        self._counts["rx"] += 1
        context = bridge.context_of(reception.time_ns, self._offset_us)
        return bridge.uplink_frame(self.gateway, phy, sent, reception, context)

    def take(self, frame: gw_pb2.DownlinkFrame, now_ns: int) -> tuple[gw_pb2.DownlinkTxAck, Emission | None]:
        """Plan the first item for which there is time and room; the answer has a status for each item."""
        self._counts["tx_received"] += 1
        self._busy = [emission for emission in self._busy if emission.end_ns > now_ns]
        statuses = [gw_pb2.IGNORED] * len(frame.items)
        chosen: Emission | None = None
        for number, item in enumerate(frame.items):
            statuses[number], chosen = self._plan(item, now_ns)
            if chosen is not None:
                self._busy.append(chosen)
                self._counts["tx_emitted"] += 1
                break
        final = next((status for status in reversed(statuses) if status != gw_pb2.IGNORED), gw_pb2.INTERNAL_ERROR)
        self._statuses[gw_pb2.TxAckStatus.Name(final)] += 1
        items = [gw_pb2.DownlinkTxAckItem(status=status) for status in statuses]
        ack = gw_pb2.DownlinkTxAck(gateway_id=self.gateway.gateway_id, downlink_id=frame.downlink_id, items=items)
        return ack, chosen

    def stats(self, now_ns: int) -> gw_pb2.GatewayStats:
        """What happened since the last statistics."""
        counts, statuses = self._counts, self._statuses
        self._counts, self._statuses = Counter(), Counter()
        return gw_pb2.GatewayStats(
            gateway_id=self.gateway.gateway_id,
            time=bridge.stamp(now_ns),
            location=bridge.location(self.gateway),
            rx_packets_received=counts["rx"],
            rx_packets_received_ok=counts["rx"],
            tx_packets_received=counts["tx_received"],
            tx_packets_emitted=counts["tx_emitted"],
            tx_packets_per_status=statuses,
        )

    def _plan(self, item: gw_pb2.DownlinkFrameItem, now_ns: int) -> tuple[gw_pb2.TxAckStatus, Emission | None]:
        info = item.tx_info
        tuned = Tuned(info.frequency, info.modulation.lora.spreading_factor)
        if not region.usable(tuned.frequency_hz):
            return gw_pb2.TX_FREQ, None
        if info.power > HIGHEST_DBM:
            return gw_pb2.TX_POWER, None
        if tuned.spreading_factor not in region.SPREADING_FACTORS or not item.phy_payload:
            return gw_pb2.INTERNAL_ERROR, None
        try:
            begin_ns = self._begin(info, now_ns)
        except FrameError:
            return gw_pb2.INTERNAL_ERROR, None
        if begin_ns is None:
            return gw_pb2.GPS_UNLOCKED, None
        air_ns = int(region.airtime_s(len(item.phy_payload), tuned.spreading_factor) * NS_PER_S)
        emission = Emission(begin_ns, begin_ns + air_ns, tuned, item.phy_payload)
        return self._fits(emission, now_ns, immediate=info.timing.HasField("immediately"))

    def _fits(self, emission: Emission, now_ns: int, *, immediate: bool) -> tuple[gw_pb2.TxAckStatus, Emission | None]:
        if not immediate and emission.time_ns < now_ns + NEEDED_NS:
            return gw_pb2.TOO_LATE, None
        if emission.time_ns > now_ns + LONGEST_AHEAD_NS:
            return gw_pb2.TOO_EARLY, None
        if any(emission.time_ns < other.end_ns and other.time_ns < emission.end_ns for other in self._busy):
            return gw_pb2.COLLISION_PACKET, None
        return gw_pb2.OK, emission

    def _begin(self, info: gw_pb2.DownlinkTxInfo, now_ns: int) -> int | None:
        """When to send; None where only a GPS receiver would know."""
        if info.timing.HasField("immediately"):
            return now_ns
        if not info.timing.HasField("delay"):
            return None
        delay: Duration = info.timing.delay.delay
        uplink_ns = bridge.time_of(info.context, self._offset_us, now_ns)
        return uplink_ns + delay.seconds * NS_PER_S + delay.nanos
