"""The simulation in time: a queue of what happens when, and the messages that come of it, in order."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from random import Random

from rules.city import City
from simulator import chirpstack
from simulator.chirpstack import Encoding, Flight, Up
from simulator.city import Builder, gateways, places
from simulator.depot.collected import Collected
from simulator.device import FIRST_REPORT_S, JOIN_SPREAD_S, NS_PER_MS, NS_PER_S, STATUS_INTERVAL_S, Device
from simulator.devices import answers
from simulator.devices.downlinks import Downlinks
from simulator.devices.exchange import Exchange
from simulator.devices.fleet import scattered
from simulator.duty_cycle import FRAME_BYTES, airtime_ns
from simulator.ether import Ether, OnAir
from simulator.faults import Faults, Message, Outcome
from simulator.outage import Outages
from simulator.report import Report
from simulator.scenario.bad_day import BadDay
from simulator.scenario.model import ORDINARY, Scenario, Strike
from simulator.scenario.script import Script
from simulator.truth import EVERY_S, OCCUPIED_SPACES, Row, Witness, rows
from simulator.world import Calendar

__all__ = ["TIMEZONE", "Plan", "Report", "Simulation"]

TIMEZONE = "Europe/Berlin"
JOIN_REQUEST_BYTES, STATUS_BYTES = 23, 15
JOIN_AGAIN_S, LONGEST_JOIN_WAIT_S = (15.0, 45.0), 600.0
STATUS_AGAIN_S = 3600.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be played: `start_ns` since 1970, `devices` None for the city's own number.

    With `models` there are such devices in place of the city's own, one of each or as many as `devices` says.
    Without `own_rounds` no container is emptied but by who is told to.
    """

    seed: int
    start_ns: int
    devices: int | None = None
    encoding: Encoding = "json"
    faults: bool = False
    timezone: str = TIMEZONE
    scenario: Scenario = ORDINARY
    models: tuple[str, ...] = ()
    own_rounds: bool = True

    @property
    def played(self) -> Scenario:
        """The scenario, with a strike for good where the city's own rounds do not take place."""
        if self.own_rounds:
            return self.scenario
        return self.scenario.model_copy(update={"strike": (*self.scenario.strike, Strike())})


class Simulation:
    """A city of devices. The same plan and city give the same messages, byte by byte, whether or not `witness` looks.

    `witness` is told the truth in the order of time; containers of `collected` are emptied when vehicles say so.
    """

    def __init__(
        self,
        city: City,
        plan: Plan,
        witness: Witness | None = None,
        downlinks: Downlinks | None = None,
        collected: Collected | None = None,
    ) -> None:
        rng = Random(plan.seed)
        calendar = Calendar(plan.timezone)
        self.plan = plan
        self.report = Report(plan.seed, self._unsent, lambda: 0 if downlinks is None else downlinks.refused)
        self._rng = rng
        self._faults = Faults(rng, plan.encoding, enabled=plan.faults)
        self._order = count()
        self._downlinks = downlinks
        self._collected = collected
        self._queue: list[tuple[int, int, Callable[[int], None] | Message]] = []
        chosen = scattered(city, plan.models, plan.devices, rng) if plan.models else places(city, plan.devices, rng)
        script = Script(plan.played, plan.start_ns // NS_PER_MS)
        builder = Builder(rng, calendar, calendar.at(plan.start_ns // NS_PER_MS), gateways(city), script)
        self._builder = builder
        self.devices = [builder.device(place) for place in chosen]
        if plan.faults:
            self.devices.append(builder.unknown(chosen))
        self._calendar = calendar
        self._witness = witness
        self._facts = builder.facts
        self._lots = {fact.asset: fact for fact in self._facts if fact.quantity == OCCUPIED_SPACES}
        self._bad_day = BadDay(script, self.devices, rng, plan.encoding)
        self._outages = Outages(script, city)
        self._ether = Ether(self._outages.listens)
        self._exchange = Exchange(rng, self.report, self._at, self._uplink, self._outages.answers)
        self._waiting: set[int] = set()
        self._on_air: set[str] = set()
        self._at(plan.start_ns, self._look)
        for device in self.devices:
            joins = plan.start_ns + int(rng.uniform(0, JOIN_SPREAD_S) * NS_PER_S)
            self._at(joins, _bound(self._start, device))

    def messages(self, end_ns: int | None = None) -> Iterator[Message]:
        """The messages in the order of time, up to `end_ns`; without it for ever."""
        queue = self._queue
        while queue and (end_ns is None or queue[0][0] < end_ns):
            time_ns, _, what = heapq.heappop(queue)
            if self._collected is not None:
                self._collected.settle(time_ns, self._empty_at(time_ns))
            if isinstance(what, Message):
                if not self._held(what):
                    yield what
            else:
                what(time_ns)

    def _unsent(self) -> int:
        return sum(device.unsent for device in self.devices)

    def _empty_at(self, time_ns: int) -> Callable[[str], bool]:
        return lambda asset_id: self._builder.empty(asset_id, self._calendar.at(time_ns // NS_PER_MS))

    def _at(self, time_ns: int, what: Callable[[int], None] | Message) -> None:
        heapq.heappush(self._queue, (time_ns, next(self._order), what))

    def _after(self, time_ns: int, seconds: float, what: Callable[[int], None]) -> None:
        self._at(time_ns + int(seconds * NS_PER_S), what)

    def _publish(self, event: chirpstack.Join | chirpstack.Status, outcome: Outcome) -> None:
        body = chirpstack.payload(event, self.plan.encoding)
        self._at(event.time_ns, Message(event.time_ns, chirpstack.topic(event), body, outcome))

    def _uplink(self, device: Device, up: Up | None) -> None:
        if up is not None and self._bad_day.silent(device.identity.dev_eui, up.time_ns):
            self.report.silent += 1
        elif up is None or up.flight is None:
            self.report.lost += 1
        else:
            self._at(up.flight.start_ns, lambda _: self._begin(device, up, up.flight))

    def _begin(self, device: Device, up: Up, flight: Flight | None) -> None:
        """A frame goes on the air."""
        if flight is not None:
            sent = self._ether.begin(flight.air, flight.start_ns, flight.airtime_ns)
            self._at(sent.end_ns, lambda _: self._end(device, up, sent))

    def _end(self, device: Device, up: Up, sent: OnAir) -> None:
        """It is over; what gateways have of it goes to the network server."""
        having = self._ether.end(sent)
        heard = None
        if len(having) == len(up.copies):
            heard = up if having else None
        elif having:
            heard = up._replace(copies=tuple(copy for copy in up.copies if copy.gateway.gateway_id in having))
        again = self._exchange.over(device, up, heard, sent.end_ns)
        if heard is None:
            self.report.lost += 1
            device.link.missed()
            return
        device.link.answered(max(copy.snr for copy in heard.copies))
        if again is None:
            self._received(device, heard)
        else:
            self._answer(again)

    def _received(self, device: Device, up: Up) -> None:
        """An uplink has reached the network server."""
        for answer in () if self._downlinks is None else self._downlinks.heard(device, up):
            self._answer(answer)
        wrong = self._bad_day.messages(up, device.codec)
        for message in self._faults.messages(up, device.codec) if wrong is None else wrong:
            self._at(message.time_ns, message)

    def _answer(self, answer: answers.Answer) -> None:
        body = answers.payload(answer, self.plan.encoding)
        self._at(answer.time_ns, Message(answer.time_ns, answers.topic(answer), body, Outcome.ANSWER))

    def _look(self, time_ns: int) -> None:
        """The world moves on, and its truth is told; it moves as well when nobody listens."""
        self._tell(rows(self._facts, self._calendar.at(time_ns // NS_PER_MS), time_ns))
        self._after(time_ns, EVERY_S, self._look)

    def _tell(self, found: list[Row]) -> None:
        if self._witness is not None:
            for row in found:
                self._witness(row)

    def _held(self, message: Message) -> bool:
        """Whether no broker can be reached; what the network server keeps comes out when it is back."""
        back_ns = self._outages.held(message)
        if back_ns is None:
            return False
        if back_ns not in self._waiting:
            self._waiting.add(back_ns)
            self._at(back_ns, self._release)
        self.report.unpublished = self._outages.unpublished
        return True

    def _release(self, time_ns: int) -> None:
        for message in self._outages.released(time_ns):
            self._at(time_ns, message)

    def _ask(self, device: Device, time_ns: int, size: int, then: Callable[[int, bool], None]) -> None:
        """A frame of so many bytes that carries no reading; `then` is told when it ends and whether anybody has it.

        It disturbs nobody, so that a hundred thousand devices can join in a minute.
        """
        air = device.link.send()
        end_ns = time_ns + airtime_ns(size - FRAME_BYTES, air.spreading_factor)
        heard = self._ether.reaches(air, time_ns, end_ns)
        self._at(end_ns, lambda now_ns: then(now_ns, heard))

    def _join(self, device: Device, time_ns: int, attempt: int = 1) -> None:
        """The device asks to join; who is not answered asks again, rarer and rarer."""

        def then(end_ns: int, heard: bool) -> None:
            if heard:
                self._joined(device, end_ns)
                return
            wait_s = min(LONGEST_JOIN_WAIT_S, attempt * self._rng.uniform(*JOIN_AGAIN_S))
            self._after(end_ns, wait_s, lambda again_ns: self._join(device, again_ns, attempt + 1))

        self._ask(device, time_ns, JOIN_REQUEST_BYTES, then)

    def _start(self, device: Device, time_ns: int) -> None:
        """What the device looks at goes on from now, whether or not it ever joins."""
        self._await_change(device, time_ns)
        self._join(device, time_ns)

    def _joined(self, device: Device, time_ns: int) -> None:
        self._on_air.add(device.identity.dev_eui)
        self._publish(device.join(time_ns), Outcome.JOIN)
        self._after(time_ns, self._rng.uniform(*FIRST_REPORT_S), _bound(self._first_report, device))
        self._after(time_ns, self._rng.uniform(60, STATUS_INTERVAL_S), _bound(self._status, device))

    def _first_report(self, device: Device, time_ns: int) -> None:
        """The first report comes soon after the join, the next one anywhere in the interval: no two stay in step."""
        self._uplink(device, device.report(time_ns))
        self._after(time_ns, self._rng.uniform(0.05, 1) * device.interval_s, _bound(self._report, device))

    def _report(self, device: Device, time_ns: int) -> None:
        self._uplink(device, device.report(time_ns))
        self._after(time_ns, device.until_report_s(), _bound(self._report, device))

    def _await_change(self, device: Device, time_ns: int) -> None:
        seconds = device.until_change_s(time_ns)
        if seconds is not None:
            self._after(time_ns, max(1.0, seconds), _bound(self._change, device))

    def _change(self, device: Device, time_ns: int) -> None:
        if device.identity.dev_eui in self._on_air:
            self._uplink(device, device.change(time_ns))
        else:
            device.sensor.change(self._calendar.at(time_ns // NS_PER_MS))
        lot = self._lots.get(device.identity.tags.get("asset", ""))
        if lot is not None:
            self._tell(rows([lot], self._calendar.at(time_ns // NS_PER_MS), time_ns))
        self._await_change(device, time_ns)

    def _status(self, device: Device, time_ns: int) -> None:
        """The network server asks; an answer that nobody heard is asked for again."""

        def then(end_ns: int, heard: bool) -> None:
            if heard:
                self._publish(device.status(end_ns), Outcome.STATUS)
            self._after(end_ns, STATUS_INTERVAL_S if heard else STATUS_AGAIN_S, _bound(self._status, device))

        self._ask(device, time_ns, STATUS_BYTES, then)


def _bound(act: Callable[[Device, int], None], device: Device) -> Callable[[int], None]:
    return lambda time_ns: act(device, time_ns)
