"""What a batch changes of gateways and the network: what they heard by hour and day, and whether they are heard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic_core import to_json

from ingest.fleet import ledger
from ingest.fleet.ledger import Tally
from ingest.journal_records import LedgerRow
from rules.device import health, network
from rules.device.config import HOUR_MS
from rules.device.network import NETWORK, Station
from rules.device.record import Record
from rules.engine import StateRow
from rules.event import Event

if TYPE_CHECKING:
    from ingest.fleet.fleet import Fleet

STATE = network.ID
"""The id under which stations are kept among the states of rules."""
CLOCK = ""
"""The subject under which the hour and day of the tallies are kept."""
DOUBT_MS = 300_000
"""Ms until a device whose gateway is in doubt is looked at again."""
AWAY_MS = HOUR_MS
"""Ms between two ticks after which we were away ourselves, and devices get their time to be heard."""
PATIENCE = 2
"""Times its patience that a device's gateway may hear others, outages between, until the device is silent."""

Copy = tuple[str, int, float]
"""One gateway's copy of an uplink: gateway, RSSI (dBm), SNR (dB)."""


class StationsOverlay:
    """Reads through to the fleet's stations, keeps its changes to itself.

    `events`, `lines` (of Influx measurement `gateway`) and `closed_days` are what the batch writes.
    """

    def __init__(self, fleet: Fleet) -> None:
        self.changed: dict[str, Station] = {}
        self.hours, self.days = fleet.hours, fleet.days
        self.hour, self.day = fleet.hour, fleet.day
        self.tick_ms, self.resumed_ms = fleet.tick_ms, fleet.resumed_ms
        self.events: list[Event] = []
        self.lines: list[str] = []
        self.closed_days: list[LedgerRow] = []
        self._fleet = fleet
        self._heard: list[tuple[int, Iterable[Copy]]] = []
        self._moved: Counter[str] = Counter()
        self._closed: set[str] = set()

    # -- what uplinks say ---------------------------------------------------------------------------------------------

    def listen(self, ns_time_ms: int, copies: Iterable[Copy]) -> None:
        """Take in which gateways heard an uplink."""
        if ns_time_ms // HOUR_MS > self.hour:
            self._turn_hour(ns_time_ms)
        self._heard.append((ns_time_ms, copies))

    def move(self, before: str, now: str) -> None:
        """A device is heard best by another gateway than before; empty `before` for a device never heard."""
        if before:
            self._moved[before] -= 1
        else:
            self._moved[NETWORK] += 1
        if now:
            self._moved[now] += 1

    def station(self, name: str) -> Station:
        """A gateway, or the network, as this batch sees it at its newest tick."""
        return self.changed.get(name) or self._fleet.stations.get(name) or Station()

    # -- what time says -----------------------------------------------------------------------------------------------

    def tick(self, time_ms: int, now_ms: int, cause: str) -> bool:
        """Look at the network, then at its gateways; False while it is not certain that the network lives."""
        if time_ms // HOUR_MS > self.hour:
            self._turn_hour(time_ms)
        self._settle()
        if time_ms - self.tick_ms > AWAY_MS:
            self._resume(time_ms)
        self.tick_ms = time_ms
        if self._look(NETWORK, now_ms, cause, 0) != "heard":
            return False
        since_ms = self.station(NETWORK).back_ms
        for name in sorted(self._fleet.stations.keys() | self.changed.keys()):
            if name != NETWORK:
                self._look(name, now_ms, cause, since_ms)
        return True

    def expected_ms(self, record: Record, now_ms: int) -> int:
        """When the device counts as silent: later while its gateway is in doubt, or was not there to hear it.

        After an outage a device gets its time again, but no more than `PATIENCE` times it in all.
        """
        after_ms = health.silent_after_ms(self._fleet.rules, record)
        if after_ms is None:
            return now_ms + 1
        gateway, whole = self.station(record.gateway), self.station(NETWORK)
        since_ms = max(record.last_ms, gateway.back_ms, whole.back_ms, self.resumed_ms)
        away_ms = network.away_ms((*gateway.outages, *whole.outages), record.last_ms)
        expected_ms = int(min(since_ms + after_ms, record.last_ms + away_ms + PATIENCE * after_ms))
        if expected_ms > now_ms:
            return expected_ms
        doubt = self._standing(NETWORK, 0, now_ms) != "heard"
        doubt = doubt or self._standing(record.gateway, whole.back_ms, now_ms) != "heard"
        return now_ms + DOUBT_MS if doubt else expected_ms

    def _resume(self, time_ms: int) -> None:
        self.resumed_ms = time_ms
        if self.tick_ms:
            whole = self.station(NETWORK)
            self.changed[NETWORK] = whole._replace(outages=network.with_outage(whole.outages, self.tick_ms, time_ms))

    def _standing(self, name: str, since_ms: int, now_ms: int) -> network.Standing:
        rules = self._fleet.rules
        least_ms = rules.network_silent_ms if name == NETWORK else rules.gateway_silent_ms
        station = self.station(name)
        since_ms = since_ms if station.silent else max(since_ms, self.resumed_ms)
        return network.standing(rules, station, least_ms, now_ms, since_ms)

    def _look(self, name: str, now_ms: int, cause: str, since_ms: int) -> network.Standing:
        standing = self._standing(name, since_ms, now_ms)
        station = self.station(name)
        silent = standing == "silent" or (standing == "doubtful" and station.silent)
        silent = silent and (name == NETWORK or self._fleet.counts(name, "", now_ms))
        changed, event = network.conclude(self._fleet.rules, name, station, now_ms, cause, silent=silent)
        if event is not None:
            self.changed[name] = changed
            self.events.append(event)
        return standing

    # -- tallies ------------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Tell the stations what they heard since the last look."""
        if self._heard:
            self.hours, self.days = dict(self.hours), dict(self.days)
            for name, (times, tally) in _by_station(self._heard).items():
                self.changed[name] = network.hear_all(self._fleet.rules, self.station(name), times)
                self.hours[name] = _add(self.hours.get(name), tally)
                self.days[name] = _add(self.days.get(name), tally)
            self._heard = []
        if self._moved:
            for name, step in self._moved.items():
                station = self.station(name)
                self.changed[name] = station._replace(devices=max(0, station.devices + step))
            self._moved = Counter()

    def _turn_hour(self, time_ms: int) -> None:
        """Close the hour of all gateways, and the day when it is over."""
        self._settle()
        total = self.hours.get(NETWORK, Tally()).uplinks
        for name in sorted(self.hours):
            if name != NETWORK:
                self.lines.append(ledger.gateway_line(name, self.hours[name], total, self.hour * HOUR_MS) or "")
        self._closed |= self.hours.keys()
        self.hours = {}
        self.hour = time_ms // HOUR_MS
        day = self._fleet.calendar.day_of(time_ms)
        if day > self.day:
            self._turn_day(day)

    def _turn_day(self, day: int) -> None:
        total = self.days.get(NETWORK, Tally()).uplinks
        self.closed_days += [
            ledger.gateway_row(self.day, name, tally, total) for name, tally in sorted(self.days.items())
        ]
        self._closed |= self.days.keys()
        self.days = {}
        self.day = day

    # -- what is kept -------------------------------------------------------------------------------------------------

    def states(self) -> list[StateRow]:
        """The rows to keep for stations and tallies."""
        self._settle()
        rows = [
            StateRow(
                STATE, name, network.VERSION, _text([self.station(name), self.hours.get(name), self.days.get(name)])
            )
            for name in sorted(self.changed.keys() | self._closed)
        ]
        clock = (self.hour, self.day, self.tick_ms, self.resumed_ms)
        if rows or clock != (self._fleet.hour, self._fleet.day, self._fleet.tick_ms, self._fleet.resumed_ms):
            rows.append(StateRow(STATE, CLOCK, network.VERSION, _text(clock)))
        return rows


def _text(value: object) -> str:
    return to_json(value).decode()


def _by_station(heard: Iterable[tuple[int, Iterable[Copy]]]) -> dict[str, tuple[list[int], Tally]]:
    """Times and tally of what each gateway heard, and the network; of several copies by one gateway the first."""
    times: dict[str, list[int]] = {}
    sums: dict[str, list[float]] = {}
    for time_ms, copies in heard:
        names = []
        for name, rssi, snr in copies:
            if name in names:
                continue
            names.append(name)
            if name in sums:
                total = sums[name]
                total[0] += rssi
                total[1] += snr
                times[name].append(time_ms)
            else:
                sums[name] = [float(rssi), snr]
                times[name] = [time_ms]
    everything = [time_ms for time_ms, _ in heard]
    found = {name: (own, Tally(len(own), *sums[name])) for name, own in times.items()}
    return {**found, NETWORK: (everything, Tally(len(everything)))}


def _add(one: Tally | None, other: Tally) -> Tally:
    return other if one is None else Tally(one[0] + other[0], one[1] + other[1], one[2] + other[2])
