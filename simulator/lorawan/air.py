"""The air between devices and gateways in real time: frames up, receive windows, frames down.

Times are ns since 1970 and always given by the caller, so that a test plays an hour in no time.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from chirpstack_api.gw import gw_pb2

from simulator.chirpstack import Encoding
from simulator.lorawan import bridge
from simulator.lorawan.bridge import NS_PER_S, Packet, Reception, Topics
from simulator.lorawan.end_device import EndDevice, Received
from simulator.lorawan.error import FrameError
from simulator.lorawan.region import Tuned
from simulator.lorawan.station import Emission, Station

TOLERANCE_NS = 10_000_000
"""How far from its time a frame may begin and still be caught by a receiver that opens its window for the preamble."""
WINDOW_NS = 200_000_000
STATS_NS = 30 * NS_PER_S


class Radio(Protocol):
    """Who sends and listens: a device, and what it does with what it hears."""

    end_device: EndDevice

    def received(self, what: Received, now_ns: int) -> None:
        """A frame for this device has come."""
        ...

    def closed(self, now_ns: int) -> None:
        """Both windows are over; the device may send again."""
        ...


@dataclass(slots=True)
class _Listening:
    """A device behind its uplink: when and where it listens, and from which gateways it can hear anything."""

    radio: Radio
    windows: tuple[tuple[int, Tuned], ...]
    gateways: frozenset[str]
    closes_ns: int
    closed: bool = False

    def catches(self, emission: Emission, gateway_id: str) -> bool:
        """Whether a frame falls into one of the windows."""
        return gateway_id in self.gateways and any(
            tuned == emission.tuned and abs(emission.time_ns - at_ns) <= TOLERANCE_NS for at_ns, tuned in self.windows
        )


class Air:
    """All gateways of a region and the devices that listen. `publish` takes what gateways tell the network server.

    Once `ending` is set, devices begin nothing new.
    """

    def __init__(
        self, stations: Iterable[Station], topics: Topics, encoding: Encoding, publish: Callable[[Packet], None]
    ) -> None:
        self.commands = self.refused = self.too_late = 0
        self.ending = False
        self._stations: Mapping[str, Station] = {station.gateway.gateway_id: station for station in stations}
        self._topics = topics
        self._encoding: Encoding = encoding
        self._publish = publish
        self._order = count()
        self._queue: list[tuple[int, int, Callable[[int], None]]] = []
        self._listening: dict[int, _Listening] = {}

    @property
    def busy(self) -> bool:
        """Whether any device still listens."""
        return bool(self._listening)

    @property
    def next_ns(self) -> int:
        """When `advance` has something to do again."""
        return self._queue[0][0]

    def begin(self, now_ns: int) -> None:
        """The gateways come online, with their first statistics."""
        self._states(online=True)
        self._stats(now_ns)

    def end(self, now_ns: int) -> None:
        """Last statistics; the gateways go offline."""
        for station in self._stations.values():
            self._tell(station, "stats", bridge.written(station.stats(now_ns), self._encoding))
        self._states(online=False)

    def transmit(self, radio: Radio, phy: bytes, sent: Tuned, heard: Mapping[str, Reception], now_ns: int) -> None:
        """An uplink that ends now; its windows open, whether anybody heard it or not."""
        for gateway_id, reception in heard.items():
            station = self._stations[gateway_id]
            self._tell(station, "up", bridge.written(station.heard(phy, sent, reception), self._encoding))
        windows = tuple((now_ns + delay * NS_PER_S, tuned) for delay, tuned in radio.end_device.windows(sent))
        closes_ns = windows[-1][0] + WINDOW_NS
        self._listening[id(radio)] = listening = _Listening(radio, windows, frozenset(heard), closes_ns)
        self._at(closes_ns, lambda time_ns: self._close(listening, time_ns))

    def command(self, topic: str, payload: bytes, now_ns: int) -> None:
        """What the network server tells a gateway; anything but a downlink for one of these changes nothing."""
        found = self._topics.command(topic)
        station = None if found is None else self._stations.get(found[0])
        if found is None or station is None or found[1] != "down":
            return
        self.commands += 1
        try:
            frame = bridge.read_downlink(payload)
        except FrameError:
            self.refused += 1
            return
        ack, emission = station.take(frame, now_ns)
        self._tell(station, "ack", bridge.written(ack, self._encoding))
        if emission is None:
            self.too_late += any(item.status == gw_pb2.TOO_LATE for item in ack.items)
            return
        for listening in self._listening.values():
            if listening.catches(emission, station.gateway.gateway_id):
                listening.closes_ns = max(listening.closes_ns, emission.end_ns + 1)
        self._at(emission.end_ns, lambda time_ns: self._deliver(emission, station.gateway.gateway_id, time_ns))

    def advance(self, now_ns: int) -> None:
        """Do what is due by now."""
        while self._queue and self._queue[0][0] <= now_ns:
            time_ns, _, what = heapq.heappop(self._queue)
            what(time_ns)

    def later(self, time_ns: int, what: Callable[[int], None]) -> None:
        """Do this then."""
        self._at(time_ns, what)

    def _at(self, time_ns: int, what: Callable[[int], None]) -> None:
        heapq.heappush(self._queue, (time_ns, next(self._order), what))

    def _deliver(self, emission: Emission, gateway_id: str, now_ns: int) -> None:
        for listening in list(self._listening.values()):
            if listening.catches(emission, gateway_id):
                received = listening.radio.end_device.receive(emission.phy)
                if received is not None:
                    listening.radio.received(received, now_ns)
                    self._over(listening, now_ns)

    def _close(self, listening: _Listening, now_ns: int) -> None:
        if listening.closes_ns > now_ns:
            self._at(listening.closes_ns, lambda time_ns: self._close(listening, time_ns))
            return
        self._over(listening, now_ns)

    def _over(self, listening: _Listening, now_ns: int) -> None:
        if listening.closed:
            return
        listening.closed = True
        del self._listening[id(listening.radio)]
        listening.radio.closed(now_ns)

    def _stats(self, now_ns: int) -> None:
        for station in self._stations.values():
            self._tell(station, "stats", bridge.written(station.stats(now_ns), self._encoding))
        self._at(now_ns + STATS_NS, self._stats)

    def _states(self, *, online: bool) -> None:
        for station in self._stations.values():
            gateway = station.gateway
            state = bridge.written(bridge.conn_state(gateway, online=online), self._encoding)
            self._publish(Packet(self._topics.state(gateway.gateway_id), state, retained=True))

    def _tell(self, station: Station, kind: str, payload: bytes) -> None:
        self._publish(Packet(self._topics.event(station.gateway.gateway_id, kind), payload))
