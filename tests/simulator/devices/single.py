"""One device of any model, where its gateway hears it or where nobody does, and the time in which it is played."""

import heapq
from collections.abc import Callable
from itertools import count
from random import Random

from decoders import catalog
from simulator.device import NS_PER_S, Device, Site
from simulator.devices.answers import Log
from simulator.devices.exchange import Exchange
from simulator.devices.forms import figures
from simulator.devices.generic import GenericSensor
from simulator.event import Identity, Up
from simulator.radio import Gateway, Link
from simulator.sensor import Sensor
from simulator.world import Calendar

START_NS = 1_795_000_000 * NS_PER_S
MINUTE_NS, HOUR_NS = 60 * NS_PER_S, 3600 * NS_PER_S
GATEWAY = Gateway("025354464bff0001", 51.68, 7.82, 40.0)
OUT_OF_REACH_DB = 200.0


def device(model: str, *, seed: int = 1, reached: bool = True, sensor: Sensor | None = None) -> Device:
    """A device near its gateway, not confirmed; or one that no gateway can hear."""
    rng = Random(seed)
    tags = {name: str(figure) for name, figure in figures(catalog.codec(model)).items()}
    identity = Identity("025354464b100000", "one", "profile", "1", "application", "2", tags)
    link = Link(rng, (GATEWAY,), 51.681, 7.821, 0.0 if reached else OUT_OF_REACH_DB)
    made = Device(
        identity,
        catalog.codec(model),
        sensor or GenericSensor(model, rng),
        600.0,
        Site(rng, Calendar("Europe/Berlin"), link),
    )
    made.confirmed = False
    made.join(START_NS)
    return made


class Played:
    """The air and the network server of one device, in time: `up` at a time says whether the gateway hears."""

    def __init__(self, of: Device, hears: Callable[[int], bool], can_answer: Callable[[int], bool]) -> None:
        self.repeated = self.history = self.unanswered = 0
        self.sent: list[Up] = []
        self.heard: list[Up] = []
        self.logs: list[Log] = []
        self._device, self._hears = of, hears
        self._order = count()
        self._queue: list[tuple[int, int, Callable[[int], None]]] = []
        self._exchange = Exchange(Random(7), self, self.at, self._uplink, can_answer)

    def at(self, time_ns: int, what: Callable[[int], None]) -> None:
        """Do this then."""
        heapq.heappush(self._queue, (time_ns, next(self._order), what))

    def report(self, time_ns: int) -> None:
        """The device reports then."""
        self.at(time_ns, lambda now_ns: self._uplink(self._device, self._device.report(now_ns)))

    def run(self) -> "Played":
        """Until nothing is left to do."""
        while self._queue:
            time_ns, _, what = heapq.heappop(self._queue)
            what(time_ns)
        return self

    def _uplink(self, _: Device, up: Up | None) -> None:
        if up is not None and up.flight is not None:
            self.sent.append(up)
            self.at(up.flight.start_ns + up.flight.airtime_ns, lambda end_ns: self._end(up, end_ns))

    def _end(self, up: Up, end_ns: int) -> None:
        there = bool(up.copies) and self._hears(end_ns)
        log = self._exchange.over(self._device, up, up if there else None, end_ns)
        if log is not None:
            self.logs.append(log)
        elif there:
            self.heard.append(up)


def always(_: int) -> bool:
    """At any time."""
    return True


def never(_: int) -> bool:
    """At no time."""
    return False
