"""The simulation in time: a queue of what happens when, and the messages that come of it, in order."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from random import Random

from rules.city import City
from simulator import chirpstack
from simulator.chirpstack import Encoding, Up
from simulator.city import Builder, gateways, places
from simulator.device import FIRST_REPORT_S, JOIN_SPREAD_S, NS_PER_MS, NS_PER_S, STATUS_INTERVAL_S, Device
from simulator.faults import DEAD_LETTERS, Faults, Message, Outcome
from simulator.world import Calendar

TIMEZONE = "Europe/Berlin"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be played: `start_ns` since 1970, `devices` None for the city's own number."""

    seed: int
    start_ns: int
    devices: int | None = None
    encoding: Encoding = "json"
    faults: bool = False
    timezone: str = TIMEZONE


class Report:
    """What was published, by what must become of it."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.counts = dict.fromkeys(Outcome, 0)
        self.lost = 0

    def count(self, message: Message) -> None:
        """One more message is out."""
        self.counts[message.outcome] += 1

    @property
    def published(self) -> int:
        """Uplink events published, whatever becomes of them."""
        return sum(self.counts.values()) - self.counts[Outcome.JOIN] - self.counts[Outcome.STATUS]

    def as_dict(self) -> dict[str, object]:
        """As JSON: published = unique + duplicates + the sum of dead_letters; `unheard` never reached a gateway."""
        return {
            "published": self.published,
            "unique": self.counts[Outcome.UNIQUE],
            "duplicates": self.counts[Outcome.DUPLICATE],
            "dead_letters": {reason.value: self.counts[reason] for reason in DEAD_LETTERS},
            "joins": self.counts[Outcome.JOIN],
            "status": self.counts[Outcome.STATUS],
            "unheard": self.lost,
            "seed": self.seed,
        }


class Simulation:
    """A city of devices. The same plan and city give the same messages, byte by byte."""

    def __init__(self, city: City, plan: Plan) -> None:
        rng = Random(plan.seed)
        calendar = Calendar(plan.timezone)
        self.plan = plan
        self.report = Report(plan.seed)
        self._rng = rng
        self._faults = Faults(rng, plan.encoding, enabled=plan.faults)
        self._order = count()
        self._queue: list[tuple[int, int, Callable[[int], None] | Message]] = []
        chosen = places(city, plan.devices, rng)
        builder = Builder(rng, calendar, calendar.at(plan.start_ns // NS_PER_MS), gateways(city))
        self.devices = [builder.device(place) for place in chosen]
        if plan.faults:
            self.devices.append(builder.unknown(chosen))
        for device in self.devices:
            joins = plan.start_ns + int(rng.uniform(0, JOIN_SPREAD_S) * NS_PER_S)
            self._at(joins, _bound(self._join, device))

    def messages(self, end_ns: int | None = None) -> Iterator[Message]:
        """The messages in the order of time, up to `end_ns`; without it for ever."""
        queue = self._queue
        while queue and (end_ns is None or queue[0][0] < end_ns):
            time_ns, _, what = heapq.heappop(queue)
            if isinstance(what, Message):
                yield what
            else:
                what(time_ns)

    def _at(self, time_ns: int, what: Callable[[int], None] | Message) -> None:
        heapq.heappush(self._queue, (time_ns, next(self._order), what))

    def _after(self, time_ns: int, seconds: float, what: Callable[[int], None]) -> None:
        self._at(time_ns + int(seconds * NS_PER_S), what)

    def _publish(self, event: chirpstack.Join | chirpstack.Status, outcome: Outcome) -> None:
        body = chirpstack.payload(event, self.plan.encoding)
        self._at(event.time_ns, Message(event.time_ns, chirpstack.topic(event), body, outcome))

    def _uplink(self, device: Device, up: Up | None) -> None:
        if up is None:
            self.report.lost += 1
            return
        for message in self._faults.messages(up, device.codec):
            self._at(message.time_ns, message)

    def _join(self, device: Device, time_ns: int) -> None:
        self._publish(device.join(time_ns), Outcome.JOIN)
        self._after(time_ns, self._rng.uniform(*FIRST_REPORT_S), _bound(self._first_report, device))
        self._after(time_ns, self._rng.uniform(60, STATUS_INTERVAL_S), _bound(self._status, device))
        self._await_change(device, time_ns)

    def _first_report(self, device: Device, time_ns: int) -> None:
        """The first report comes soon after the join, the next one anywhere in the interval: no two stay in step."""
        self._uplink(device, device.report(time_ns))
        self._after(time_ns, self._rng.uniform(0.05, 1) * device.interval_s, _bound(self._report, device))

    def _report(self, device: Device, time_ns: int) -> None:
        self._uplink(device, device.report(time_ns))
        self._after(time_ns, device.interval_s, _bound(self._report, device))

    def _await_change(self, device: Device, time_ns: int) -> None:
        seconds = device.until_change_s(time_ns)
        if seconds is not None:
            self._after(time_ns, max(1.0, seconds), _bound(self._change, device))

    def _change(self, device: Device, time_ns: int) -> None:
        self._uplink(device, device.change(time_ns))
        self._await_change(device, time_ns)

    def _status(self, device: Device, time_ns: int) -> None:
        self._publish(device.status(time_ns), Outcome.STATUS)
        self._after(time_ns, STATUS_INTERVAL_S, _bound(self._status, device))


def _bound(act: Callable[[Device, int], None], device: Device) -> Callable[[int], None]:
    return lambda time_ns: act(device, time_ns)
