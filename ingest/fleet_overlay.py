"""What a batch changes in the fleet: device records, gateways, ledger, and the events that follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pydantic_core import to_json

from decoders.quantity import Privacy
from ingest import ledger
from ingest.journal_records import LedgerRow
from ingest.ledger import Tally
from rules.device import battery, health, network
from rules.device.config import HOUR_MS
from rules.device.hearing import Heard, hear
from rules.device.network import NETWORK, Station
from rules.device.record import Day, Record
from rules.engine import RuleFailure, StateRow
from rules.event import Event

if TYPE_CHECKING:
    from ingest.fleet import Fleet

STATE = network.ID
"""The id under which stations are kept among the states of rules."""
MAX_DUE = 2000
"""Devices that one tick looks at because of their deadline; the others are looked at by the next ones."""
DOUBT_MS = 300_000
"""Ms until a device whose gateway is in doubt is looked at again."""
AWAY_MS = HOUR_MS
"""Ms between two ticks after which we were away ourselves, and devices get their time to be heard."""
CLOCK = ""
"""The subject under which the hour and day of the tallies are kept."""

Copy = tuple[str, int, float]
"""One gateway's copy of an uplink: gateway, RSSI (dBm), SNR (dB)."""


class FleetOverlay:
    """Reads through to the fleet, keeps its changes to itself.

    `events`, `lines` (by privacy class), `ledger` and `gateways` (closed days) are what the batch writes.
    """

    def __init__(self, fleet: Fleet, loaded: Mapping[str, Record], due: Iterable[tuple[int, str]]) -> None:
        self.loaded = loaded
        self.records: dict[str, Record] = {}
        self.looked_at: set[str] = set()
        self.stations: dict[str, Station] = {}
        self.hours, self.days = fleet.hours, fleet.days
        self.hour, self.day = fleet.hour, fleet.day
        self.tick_ms, self.resumed_ms = fleet.tick_ms, fleet.resumed_ms
        self.events: list[Event] = []
        self.failures: list[RuleFailure] = []
        self.lines: list[tuple[Privacy, str]] = []
        self.ledger: list[LedgerRow] = []
        self.gateways: list[LedgerRow] = []
        self._fleet = fleet
        self._due = list(due)
        self._earliest_ms: float = float("inf")
        self._heard: dict[str, list[Copy]] = {}
        self._heard_ms: dict[str, list[int]] = {}
        self._closed: set[str] = set()

    # -- what uplinks say ---------------------------------------------------------------------------------------------

    def record(self, dev_eui: str) -> Record | None:
        """A device as this batch sees it."""
        return self.records.get(dev_eui) or self._fleet.record(dev_eui) or self.loaded.get(dev_eui)

    def hear(
        self, dev_eui: str, before: Record | None, heard: Heard, copies: Iterable[Copy], now_ms: int, cause: str
    ) -> int:
        """Take an uplink of a device in, of which `before` is the record; returns the frames lost just before it."""
        fleet = self._fleet
        if heard.ns_time_ms // HOUR_MS > self.hour:
            self._turn_hour(heard.ns_time_ms)
        self._listen(heard.ns_time_ms, copies)
        if before is not None and heard.day > before.day.number:
            before = self._close_days(dev_eui, before, heard.day)
        record, lost = hear(fleet.rules, before, heard)
        if before is None or record.gateway != before.gateway:
            self._move(before.gateway if before else "", record.gateway, first=before is None)
        if heard.counts and (before is None or record.hour != before.hour):
            self._write_line(dev_eui, record, heard.ns_time_ms)
        record, event = self._conclude(dev_eui, record, now_ms, cause, counts=heard.counts)
        if event is not None:
            self.events.append(event)
        self._put(dev_eui, record)
        return lost

    def repeat(self, dev_eui: str, day: int) -> None:
        """Count a repeat of a device that is known."""
        record = self.record(dev_eui)
        if record is None or not self._fleet.counts(dev_eui, record.about.asset, record.last_ms):
            return
        if day > record.day.number:
            record = self._close_days(dev_eui, record, day)
        today = record.day
        self.records[dev_eui] = record._replace(day=today._replace(duplicates=today.duplicates + 1))

    def mend(self, dev_eui: str, day_number: int) -> None:
        """A dead letter of this device went through after all; counted where its day is still open."""
        record = self.record(dev_eui)
        if record is not None and record.day.number == day_number and record.day.dead_letters:
            day = record.day
            day = day._replace(dead_letters=day.dead_letters - 1, stored=day.stored + 1)
            self.records[dev_eui] = record._replace(day=day)

    def join(self, dev_eui: str, time_ms: int) -> None:
        """The device joined: its counter may begin again."""
        record = self.record(dev_eui)
        if record is not None:
            self.records[dev_eui] = record._replace(joined_ms=max(time_ms, record.joined_ms))

    def charge(self, dev_eui: str, level: float, day: int) -> None:
        """The network server was told the battery level in %."""
        record = self.record(dev_eui)
        if record is not None:
            charge = battery.charge(record.battery, level, day, volts=False, low=None, empty=None)
            self.records[dev_eui] = record._replace(battery=charge)

    # -- what time says -----------------------------------------------------------------------------------------------

    def tick(self, time_ms: int, now_ms: int) -> None:
        """Let time pass: the network first, then its gateways, then the devices whose deadline is over."""
        if time_ms // HOUR_MS > self.hour:
            self._turn_hour(time_ms)
        self._settle()
        if time_ms - self.tick_ms > AWAY_MS:
            self.resumed_ms = time_ms
        self.tick_ms = time_ms
        cause = str(time_ms)
        whole = self._look(NETWORK, now_ms, cause, 0)
        if whole == "heard":
            for name in sorted(self._fleet.stations.keys() | self.stations.keys()):
                if name != NETWORK:
                    self._look(name, now_ms, cause, self._station(NETWORK).back_ms)
        day = self._fleet.calendar.day_of(time_ms)
        for dev_eui in self._overdue(now_ms) if whole == "heard" else sorted(self._fleet.nudged):
            self._expire(dev_eui, day, now_ms, cause)

    def _overdue(self, now_ms: int) -> list[str]:
        """Devices that may have missed their deadline, in order of it; wherever their records are."""
        names = {dev_eui for deadline_ms, dev_eui in self._due if deadline_ms <= now_ms}
        names.update(dev_eui for _, dev_eui in self._fleet.due(now_ms))
        if self._earliest_ms <= now_ms:
            deadlines = [(r.deadline_ms, name) for name, r in self.records.items() if r.deadline_ms is not None]
            self._earliest_ms = min(deadlines, default=(float("inf"), ""))[0]
            names.update(dev_eui for deadline_ms, dev_eui in deadlines if deadline_ms <= now_ms)
        due: list[tuple[int, str]] = []
        for dev_eui in names:
            record = self.record(dev_eui)
            if dev_eui in self._fleet.nudged:
                due.append((0, dev_eui))
            elif record is not None and record.deadline_ms is not None and record.deadline_ms <= now_ms:
                due.append((record.deadline_ms, dev_eui))
        return [dev_eui for _, dev_eui in sorted(due)[:MAX_DUE]]

    def _expire(self, dev_eui: str, day: int, now_ms: int, cause: str) -> None:
        record = self.record(dev_eui)
        nudged = dev_eui in self._fleet.nudged
        if nudged:
            self.looked_at.add(dev_eui)
        if record is None or (not nudged and (record.deadline_ms is None or record.deadline_ms > now_ms)):
            return
        counts = self._fleet.counts(dev_eui, record.about.asset, now_ms)
        if day > record.day.number:
            record = self._close_days(dev_eui, record, day)
            if counts:
                self._write_line(dev_eui, record, now_ms)
        expected_ms = self._expected_ms(record, now_ms) if counts and not record.silent else now_ms + 1
        if expected_ms <= now_ms:
            record = record._replace(silent=True)
        record, event = self._conclude(dev_eui, record, now_ms, cause, counts=counts, not_before_ms=expected_ms)
        if event is not None:
            self.events.append(event)
        self._put(dev_eui, record)

    def _conclude(
        self, dev_eui: str, record: Record, now_ms: int, cause: str, *, counts: bool, not_before_ms: int = 0
    ) -> tuple[Record, Event | None]:
        rules = self._fleet.rules
        try:
            record, event = health.conclude(
                rules, dev_eui, record, now_ms, cause, counts=counts, not_before_ms=not_before_ms
            )
        except Exception as error:  # noqa: BLE001 - a rule that raises must stop no other
            self.failures.append(RuleFailure(health.ID, dev_eui, cause, f"{type(error).__name__}: {error}"))
            return record._replace(deadline_ms=now_ms + rules.validity_ms), None
        return record, None if record.about.privacy is Privacy.PERSONAL else event

    def _put(self, dev_eui: str, record: Record) -> None:
        self.records[dev_eui] = record
        if record.deadline_ms is not None and record.deadline_ms < self._earliest_ms:
            self._earliest_ms = record.deadline_ms

    def _expected_ms(self, record: Record, now_ms: int) -> int:
        """When the device counts as silent: later while its gateway is in doubt, or was not there to hear it."""
        after_ms = health.silent_after_ms(self._fleet.rules, record)
        if after_ms is None:
            return now_ms + 1
        gateway, whole = self._station(record.gateway), self._station(NETWORK)
        since_ms = max(record.last_ms, gateway.back_ms, whole.back_ms, self.resumed_ms)
        expected_ms = int(since_ms + after_ms)
        if expected_ms > now_ms:
            return expected_ms
        doubt = self._standing(NETWORK, 0, now_ms) != "heard"
        doubt = doubt or self._standing(record.gateway, whole.back_ms, now_ms) != "heard"
        return now_ms + DOUBT_MS if doubt else expected_ms

    # -- gateways -----------------------------------------------------------------------------------------------------

    def _station(self, name: str) -> Station:
        return self.stations.get(name) or self._fleet.stations.get(name) or Station()

    def _standing(self, name: str, since_ms: int, now_ms: int) -> network.Standing:
        rules = self._fleet.rules
        least_ms = rules.network_silent_ms if name == NETWORK else rules.gateway_silent_ms
        station = self._station(name)
        since_ms = since_ms if station.silent else max(since_ms, self.resumed_ms)
        return network.standing(rules, station, least_ms, now_ms, since_ms)

    def _look(self, name: str, now_ms: int, cause: str, since_ms: int) -> network.Standing:
        standing = self._standing(name, since_ms, now_ms)
        station = self._station(name)
        silent = standing == "silent" or (standing == "doubtful" and station.silent)
        silent = silent and (name == NETWORK or self._fleet.counts(name, "", now_ms))
        changed, event = network.conclude(self._fleet.rules, name, station, now_ms, cause, silent=silent)
        if event is not None:
            self.stations[name] = changed
            self.events.append(event)
        return standing

    def _listen(self, ns_time_ms: int, copies: Iterable[Copy]) -> None:
        heard, times = self._heard, self._heard_ms
        known: list[str] = []
        for copy in copies:
            name = copy[0]
            if name in known:
                continue
            known.append(name)
            if name in heard:
                heard[name].append(copy)
                times[name].append(ns_time_ms)
            else:
                heard[name] = [copy]
                times[name] = [ns_time_ms]
        times.setdefault(NETWORK, []).append(ns_time_ms)

    def _settle(self) -> None:
        """Tell the stations what they heard since the last look."""
        if not self._heard_ms:
            return
        self.hours, self.days = dict(self.hours), dict(self.days)
        for name, times in self._heard_ms.items():
            self.stations[name] = network.hear_all(self._fleet.rules, self._station(name), times)
            tally = _sum(self._heard.get(name, ()), len(times))
            self.hours[name] = _add(self.hours.get(name), tally)
            self.days[name] = _add(self.days.get(name), tally)
        self._heard, self._heard_ms = {}, {}

    def _move(self, before: str, now: str, *, first: bool) -> None:
        for name, step in ((before, -1), (now, 1), (NETWORK, int(first))):
            if name and step:
                station = self._station(name)
                self.stations[name] = station._replace(devices=max(0, station.devices + step))

    def _turn_hour(self, time_ms: int) -> None:
        """Close the hour of all gateways, and the day when it is over."""
        self._settle()
        total = self.hours.get(NETWORK, Tally()).uplinks
        for name in sorted(self.hours):
            if name != NETWORK:
                text = ledger.gateway_line(name, self.hours[name], total, self.hour * HOUR_MS)
                self.lines.append((Privacy.INTERNAL, text or ""))
        self._closed |= self.hours.keys()
        self.hours = {}
        self.hour = time_ms // HOUR_MS
        day = self._fleet.calendar.day_of(time_ms)
        if day > self.day:
            self._turn_day(day)

    def _turn_day(self, day: int) -> None:
        total = self.days.get(NETWORK, Tally()).uplinks
        self.gateways += [ledger.gateway_row(self.day, name, tally, total) for name, tally in sorted(self.days.items())]
        self._closed |= self.days.keys()
        self.days = {}
        self.day = day

    # -- devices ------------------------------------------------------------------------------------------------------

    def _close_days(self, dev_eui: str, record: Record, day: int) -> Record:
        fleet = self._fleet
        if record.day.number:
            last, begin_ms = record.day, fleet.calendar.begin_ms
            for row in ledger.closed(fleet.calendar, dev_eui, record, day):
                heard = row.day == last.number and any(last[1:])
                if heard or fleet.counts(dev_eui, record.about.asset, begin_ms(row.day + 1) - 1):
                    self.ledger.append(row)
                    if row.day == last.number:
                        self._write_line(dev_eui, record, begin_ms(day))
        return record._replace(day=Day(day))

    def _write_line(self, dev_eui: str, record: Record, now_ms: int) -> None:
        text = ledger.device_line(self._fleet.calendar, self._fleet.rules, dev_eui, record, now_ms)
        if text:
            self.lines.append((max(Privacy.INTERNAL, record.about.privacy), text))

    # -- what is kept -------------------------------------------------------------------------------------------------

    def states(self) -> list[StateRow]:
        """The rows to keep for stations and tallies."""
        self._settle()
        rows = [
            StateRow(
                STATE, name, network.VERSION, _text([self._station(name), self.hours.get(name), self.days.get(name)])
            )
            for name in sorted(self.stations.keys() | self._closed)
        ]
        clock = (self.hour, self.day, self.tick_ms, self.resumed_ms)
        if rows or clock != (self._fleet.hour, self._fleet.day, self._fleet.tick_ms, self._fleet.resumed_ms):
            rows.append(StateRow(STATE, CLOCK, network.VERSION, _text(clock)))
        return rows


def _text(value: object) -> str:
    return to_json(value).decode()


def _sum(copies: Iterable[Copy], uplinks: int) -> Tally:
    rssi = snr = 0.0
    for _, copy_rssi, copy_snr in copies:
        rssi += copy_rssi
        snr += copy_snr
    return Tally(uplinks, rssi, snr)


def _add(one: Tally | None, other: Tally) -> Tally:
    return other if one is None else Tally(one[0] + other[0], one[1] + other[1], one[2] + other[2])
