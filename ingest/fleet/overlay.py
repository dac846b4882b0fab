"""What a batch changes in the fleet: device records, the ledger, and the events that follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from decoders.quantity import Privacy
from ingest.fleet import ledger
from ingest.fleet.stations import Copy, StationsOverlay
from ingest.journal_records import LedgerRow
from rules.condition_entry import Entries
from rules.device import battery, health
from rules.device.hearing import Heard, hear
from rules.device.record import Day, Record
from rules.engine import RuleFailure
from rules.event import Event

if TYPE_CHECKING:
    from ingest.fleet.fleet import Fleet

MAX_DUE = 2000
"""Devices that one tick looks at because of their deadline; the others are looked at by the next ones."""

DayOf = tuple[int, str]
"""A day and a device."""


class FleetOverlay:
    """Reads through to the fleet, keeps its changes to itself.

    `events`, `lines` (by privacy class) and `ledger` (closed days) are what the batch writes, beside what `stations`
    hold. `closed` are closed days that the journal holds, as they are kept; `bodies` the changed records as logged.
    """

    def __init__(
        self,
        fleet: Fleet,
        loaded: Mapping[str, Record],
        due: Iterable[tuple[int, str]],
        closed: Mapping[DayOf, bytes],
    ) -> None:
        self.loaded = loaded
        self.records: dict[str, Record] = {}
        self.bodies: dict[str, bytes] = {}
        self.looked_at: set[str] = set()
        self.stations = StationsOverlay(fleet)
        self.events: list[Event] = []
        self.failures: list[RuleFailure] = []
        self.lines: list[tuple[Privacy, str]] = []
        self.ledger: dict[DayOf, LedgerRow] = {}
        self._fleet = fleet
        self._due = list(due)
        self._closed = closed
        self._earliest_ms: float = float("inf")

    # -- what uplinks say ---------------------------------------------------------------------------------------------

    def record(self, dev_eui: str) -> Record | None:
        """A device as this batch sees it."""
        return self.records.get(dev_eui) or self._fleet.record(dev_eui) or self.loaded.get(dev_eui)

    def hear(
        self, dev_eui: str, before: Record | None, heard: Heard, copies: Iterable[Copy], now_ms: int, cause: str
    ) -> int:
        """Take an uplink of a device in, of which `before` is the record; returns the frames lost just before it."""
        ns_time_ms, counts = heard.ns_time_ms, heard.counts
        self.stations.listen(ns_time_ms, copies)
        if before is not None and heard.day > before.day.number:
            before = self._close_days(dev_eui, before, heard.day)._replace(about=heard.about)
        record, lost = hear(self._fleet.rules, before, heard)
        if before is None:
            self.stations.move("", record.gateway)
        elif record.gateway != before.gateway:
            self.stations.move(before.gateway, record.gateway)
        if counts and (before is None or record.hour != before.hour):
            self._write_line(dev_eui, record, ns_time_ms)
        record, event = self._conclude(dev_eui, record, now_ms, cause, counts=counts)
        if event is not None:
            self.events.append(event)
        self._put(dev_eui, record)
        return lost

    def repeat(self, dev_eui: str, day: int) -> None:
        """Count a repeat of a device that is known."""
        record = self.record(dev_eui)
        if record is None or not self._fleet.counts(dev_eui, record.about.asset, record.last_ms):
            return
        record = self._on(dev_eui, record, day)
        today = record.day
        self.records[dev_eui] = record._replace(day=today._replace(duplicates=today.duplicates + 1))

    def reject(self, dev_eui: str, now_ms: int) -> bool:
        """Count an uplink that nobody can read, whose frame is then not lost, too; False for an unknown device."""
        record = self.record(dev_eui)
        if record is None:
            return False
        record = self._on(dev_eui, record, self._fleet.calendar.day_of(now_ms))
        today = record.day
        if self._fleet.counts(dev_eui, record.about.asset, now_ms):
            today = today._replace(received=today.received + 1, dead_letters=today.dead_letters + 1)
        self.records[dev_eui] = record._replace(day=today, unread=record.unread + 1)
        return True

    def mend(self, dev_eui: str, day: int) -> None:
        """A dead letter that this device sent on that day went through after all."""
        record = self.record(dev_eui)
        if record is not None and record.day.number == day:
            today = record.day
            if today.dead_letters:
                today = today._replace(dead_letters=today.dead_letters - 1, stored=today.stored + 1)
                self.records[dev_eui] = record._replace(day=today)
            return
        row = self.ledger.get((day, dev_eui))
        kept = row.body if row is not None else self._closed.get((day, dev_eui))
        said = ledger.mended(kept) if kept is not None else None
        if said is not None:
            self.ledger[day, dev_eui] = ledger.row(day, dev_eui, said)
            self.lines.append(ledger.device_line(self._fleet.calendar, dev_eui, day, said))

    def remember(self, dev_eui: str, entries: Entries) -> None:
        """Keep what conditioning remembers of a device that is known, beside an uplink that is not heard again."""
        record = self.record(dev_eui)
        if record is not None:
            self.records[dev_eui] = record._replace(entries=entries)

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
        cause = str(time_ms)
        alive = self.stations.tick(time_ms, now_ms, cause)
        day = self._fleet.calendar.day_of(time_ms)
        for dev_eui in self._overdue(now_ms) if alive else self._fleet.first_nudged(MAX_DUE):
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
        expected_ms = self.stations.expected_ms(record, now_ms) if counts and not record.silent else now_ms + 1
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
        turns_ms = self._fleet.turns_ms(dev_eui, record.about.asset, now_ms)
        try:
            record, event = health.conclude(
                rules,
                dev_eui,
                record,
                now_ms,
                cause,
                counts=counts,
                not_before_ms=not_before_ms,
                turns_ms=turns_ms,
            )
        except Exception as error:  # noqa: BLE001 - a rule that raises must stop no other
            self.failures.append(RuleFailure(health.ID, dev_eui, cause, f"{type(error).__name__}: {error}"))
            return record._replace(deadline_ms=now_ms + rules.validity_ms), None
        return record, None if record.about.privacy is Privacy.PERSONAL else event

    def _put(self, dev_eui: str, record: Record) -> None:
        self.records[dev_eui] = record
        if record.deadline_ms is not None and record.deadline_ms < self._earliest_ms:
            self._earliest_ms = record.deadline_ms

    # -- the ledger ---------------------------------------------------------------------------------------------------

    def _on(self, dev_eui: str, record: Record, day: int) -> Record:
        """The record with this day open, or a later one that is."""
        return self._close_days(dev_eui, record, day) if day > record.day.number else record

    def _close_days(self, dev_eui: str, record: Record, day: int) -> Record:
        fleet, last = self._fleet, record.day
        for number, said in ledger.closed(fleet.calendar, record, day) if last.number else ():
            sent = number == last.number and any(last[1:])
            if sent or fleet.counts(dev_eui, record.about.asset, fleet.calendar.begin_ms(number + 1) - 1):
                self.ledger[number, dev_eui] = ledger.row(number, dev_eui, said)
                left = self._days_left(record) if number == last.number else None
                self.lines.append(ledger.device_line(fleet.calendar, dev_eui, number, said, left))
        return record._replace(day=Day(day), day_about=None)

    def _write_line(self, dev_eui: str, record: Record, now_ms: int) -> None:
        calendar, day = self._fleet.calendar, record.day
        said = ledger.entry(calendar, record, day, now_ms)
        self.lines.append(ledger.device_line(calendar, dev_eui, day.number, said, self._days_left(record)))

    def _days_left(self, record: Record) -> float | None:
        return battery.days_left(self._fleet.rules, record.battery) if record.battery else None
