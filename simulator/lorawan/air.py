"""The air between devices and gateways in real time: frames up, receive windows, frames down.

Times are ns since 1970 and always given by the caller, so that a test plays an hour in no time. Who drowns whom and
which gateway is down is the ether's matter, in the city's time: at a higher speed frames are as much shorter.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple, Protocol

from chirpstack_api.gw import gw_pb2

from simulator.chirpstack import Encoding
from simulator.ether import Ether, OnAir
from simulator.lorawan import bridge, region
from simulator.lorawan.bridge import NS_PER_S, Packet, Reception, Topics
from simulator.lorawan.end_device import EndDevice, Received
from simulator.lorawan.error import FrameError
from simulator.lorawan.region import Tuned
from simulator.lorawan.station import Emission, Station
from simulator.radio import Heard, Transmission

TOLERANCE_NS = 10_000_000
"""How far from its time a frame may begin and still be caught by a receiver that opens its window for the preamble."""
WINDOW_NS = 200_000_000
STATS_NS = 30 * NS_PER_S
UNHEARD_DBM = -200.0


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


class Pace(NamedTuple):
    """The city's time: what it is at an instant, and how many of its seconds are in one."""

    city_ns: Callable[[int], int]
    speed: float = 1.0


SAME_TIME = Pace(lambda now_ns: now_ns)


class Air:
    """All gateways of a region and the devices that listen. `publish` takes what gateways tell the network server.

    Once `ending` is set, devices begin nothing new. Of the copies that were strong enough `drowned` did not arrive, of
    the frames `lost` reached no gateway for it.
    """

    def __init__(
        self,
        stations: Iterable[Station],
        topics: Topics,
        encoding: Encoding,
        publish: Callable[[Packet], None],
        ether: Ether | None = None,
        pace: Pace = SAME_TIME,
    ) -> None:
        self.commands = self.refused = self.too_late = self.drowned = self.lost = 0
        self.ending = False
        self._ether = ether or Ether()
        self.pace = pace
        self._flying = 0
        self._stations: Mapping[str, Station] = {station.gateway.gateway_id: station for station in stations}
        self._topics = topics
        self._encoding: Encoding = encoding
        self._publish = publish
        self._order = count()
        self._queue: list[tuple[int, int, Callable[[int], None]]] = []
        self._listening: dict[int, _Listening] = {}
        self._online: set[str] = set()

    @property
    def busy(self) -> bool:
        """Whether any device still sends or listens."""
        return bool(self._listening or self._flying)

    @property
    def next_ns(self) -> int:
        """When `advance` has something to do again."""
        return self._queue[0][0]

    def begin(self, now_ns: int) -> None:
        """The gateways that are up come online, with their first statistics."""
        self._stats(now_ns)

    def end(self, now_ns: int) -> None:
        """Last statistics; the gateways go offline."""
        for station in self._stations.values():
            if station.gateway.gateway_id in self._online:
                self._tell(station, "stats", bridge.written(station.stats(now_ns), self._encoding))
            self._state(station, online=False)

    def transmit(self, radio: Radio, phy: bytes, sent: Tuned, heard: Mapping[str, Reception], now_ns: int) -> None:
        """An uplink begins, strong enough for some gateways; those that have it when it ends hand it on."""
        airtime = int(region.airtime_s(len(phy), sent.spreading_factor) * NS_PER_S)
        on_air = self._ether.begin(self._transmission(sent, heard), self.pace.city_ns(now_ns), airtime)
        self._flying += 1
        self._at(
            now_ns + int(airtime / self.pace.speed), lambda end_ns: self._end(radio, phy, sent, heard, on_air, end_ns)
        )

    def command(self, topic: str, payload: bytes, now_ns: int) -> None:
        """What the network server tells a gateway; anything but a downlink for one of these changes nothing."""
        found = self._topics.command(topic)
        station = None if found is None else self._stations.get(found[0])
        if found is None or station is None or found[1] != "down":
            return
        if not self._up(station, now_ns):
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

    def _end(
        self,
        radio: Radio,
        phy: bytes,
        sent: Tuned,
        heard: Mapping[str, Reception],
        on_air: OnAir,
        now_ns: int,
    ) -> None:
        """An uplink is over; its windows open, whether anybody has it or not."""
        self._flying -= 1
        having = self._ether.end(on_air)
        self.drowned += len(heard) - len(having)
        self.lost += bool(heard) and not having
        for gateway_id, reception in heard.items():
            if gateway_id in having:
                station = self._stations[gateway_id]
                frame = station.heard(phy, sent, reception._replace(time_ns=now_ns))
                self._tell(station, "up", bridge.written(frame, self._encoding))
        windows = tuple((now_ns + delay * NS_PER_S, tuned) for delay, tuned in radio.end_device.windows(sent))
        closes_ns = windows[-1][0] + WINDOW_NS
        self._listening[id(radio)] = listening = _Listening(radio, windows, frozenset(heard), closes_ns)
        self._at(closes_ns, lambda time_ns: self._close(listening, time_ns))

    def _transmission(self, sent: Tuned, heard: Mapping[str, Reception]) -> Transmission:
        """As the ether knows frames: gateways by their number, with the levels of those that can hear."""
        copies = tuple(
            Heard(station.gateway, heard[gateway_id].rssi, heard[gateway_id].snr, number)
            for number, (gateway_id, station) in enumerate(self._stations.items())
            if gateway_id in heard
        )
        levels = [UNHEARD_DBM] * len(self._stations)
        for copy in copies:
            levels[copy.number] = copy.rssi
        return Transmission(sent.frequency_hz, sent.frequency_hz, sent.spreading_factor, copies, tuple(levels))

    def _up(self, station: Station, now_ns: int) -> bool:
        """Whether a gateway is up."""
        return self._ether.listens(station.gateway.gateway_id, self.pace.city_ns(now_ns))

    def _deliver(self, emission: Emission, gateway_id: str, now_ns: int) -> None:
        """A downlink is over; a gateway that went down meanwhile has sent nothing that anybody could read."""
        if not self._up(self._stations[gateway_id], now_ns):
            return
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
        """Statistics of the gateways that are up; of one that is no longer up or again, the broker tells."""
        for station in self._stations.values():
            up = self._up(station, now_ns)
            if up != (station.gateway.gateway_id in self._online):
                self._state(station, online=up)
            if up:
                self._tell(station, "stats", bridge.written(station.stats(now_ns), self._encoding))
        self._at(now_ns + STATS_NS, self._stats)

    def _state(self, station: Station, *, online: bool) -> None:
        gateway = station.gateway
        (self._online.add if online else self._online.discard)(gateway.gateway_id)
        state = bridge.written(bridge.conn_state(gateway, online=online), self._encoding)
        self._publish(Packet(self._topics.state(gateway.gateway_id), state, retained=True))

    def _tell(self, station: Station, kind: str, payload: bytes) -> None:
        self._publish(Packet(self._topics.event(station.gateway.gateway_id, kind), payload))
