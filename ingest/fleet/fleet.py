"""All devices that were ever heard: the busy ones in memory, the quiet ones on disk.

A batch works on an overlay that is merged after its commit; its commit logs the records that it changed. Every
quarter of an hour (or when there are many) the logged records are folded into the table of devices (`unfolded`,
`folded`), and leave memory: a device that sends every minute is written there once for fifteen uplinks. Until then they
are kept packed, a third of a kilobyte each; only those in use are unpacked.
"""

from collections.abc import Callable, Iterable, Mapping

from pydantic_core import from_json

from decoders.quantity import Privacy
from ingest.calendar import Calendar
from ingest.fleet.ledger import Tally
from ingest.fleet.overlay import DayOf, FleetOverlay
from ingest.fleet.stations import CLOCK, STATE
from ingest.fleet.store import Folded
from rules.device.config import DeviceRules
from rules.device.network import NETWORK, VERSION, Station
from rules.device.record import Record, dump_one, load_one, since
from rules.engine import StateRow

REMEMBERED = 5_000
"""Records of each generation that are kept in memory unpacked, beside the packed ones that are not folded yet."""
Counts = Callable[[str, str, int], bool]
"""Whether a device at an asset counts in the ledger and raises events at a time."""
Turns = Callable[[str, str, int], int | None]
"""When after a time that may change for a device at an asset by itself."""
NO_DAYS: Mapping[DayOf, bytes] = {}


class Fleet:
    """The records of devices and the stations (gateways, and the network) that hear them."""

    def __init__(
        self, rules: DeviceRules, calendar: Calendar, counts: Counts, turns_ms: Turns = lambda *_: None
    ) -> None:
        self.rules = rules
        self.calendar = calendar
        self.counts = counts
        self.turns_ms = turns_ms
        self.stations: dict[str, Station] = {NETWORK: Station()}
        self.hours: dict[str, Tally] = {}
        self.days: dict[str, Tally] = {}
        self.hour = 0
        self.day = 0
        self.tick_ms = 0
        self.resumed_ms = 0
        self.logged = 0
        self.nudged: set[str] = set()
        self.unfolded_logs = 0
        self._packed: dict[str, bytes] = {}
        self._deadlines: dict[str, int] = {}
        self._young: dict[str, Record] = {}
        self._old: dict[str, Record] = {}
        self._folded: list[Mapping[str, Folded]] = []
        self._earliest_ms: float = 0

    def __len__(self) -> int:
        return len(self._packed.keys() | self._young.keys() | self._old.keys())

    def record(self, dev_eui: str) -> Record | None:
        """What is in memory of a device."""
        known = self._young.get(dev_eui) or self._old.get(dev_eui)
        if known is None:
            packed = self._packed.get(dev_eui)
            return None if packed is None else load_one(packed)
        return known

    def missing(self, names: Iterable[str]) -> list[str]:
        """Those devices of which memory knows nothing; the disk may."""
        packed, young, old = self._packed, self._young, self._old
        return [name for name in dict.fromkeys(names) if not (name in packed or name in young or name in old)]

    def due(self, time_ms: int) -> list[tuple[int, str]]:
        """Deadlines up to this time of devices that the disk does not know rightly, in order."""
        found = [(0, name) for name in self.nudged]
        if self._earliest_ms <= time_ms:
            self._earliest_ms = min(self._deadlines.values(), default=float("inf"))
            found += [(deadline_ms, name) for name, deadline_ms in self._deadlines.items() if deadline_ms <= time_ms]
        return sorted(found)

    def first_nudged(self, limit: int) -> list[str]:
        """Those devices that are to be looked at with the next tick, whatever their deadline."""
        return sorted(self.nudged)[:limit] if self.nudged else []

    @property
    def fresh(self) -> int:
        """How many records in memory are newer than those on disk."""
        return len(self._packed)

    def is_fresh(self, dev_eui: str) -> bool:
        """Whether the record in memory is newer than the one on disk."""
        return dev_eui in self._packed

    def overlay(
        self,
        loaded: Mapping[str, Record],
        due: Iterable[tuple[int, str]] = (),
        closed: Mapping[DayOf, bytes] = NO_DAYS,
    ) -> FleetOverlay:
        """A batch's view of records from disk, deadlines on disk that its ticks may reach, closed days it may mend."""
        return FleetOverlay(self, loaded, due, closed)

    def merge(self, overlay: FleetOverlay, number: int) -> None:
        """Put the changes of a batch in force, which was logged under this number."""
        for dev_eui, record in overlay.loaded.items():
            if dev_eui not in overlay.records and dev_eui not in self._packed:
                self._remember(dev_eui, record)
        for dev_eui, record in overlay.records.items():
            self._pack(dev_eui, record, overlay.bodies.get(dev_eui) or dump_one(record))
            self._remember(dev_eui, record)
        self.unfolded_logs += len(overlay.records)
        stations = overlay.stations
        self.stations.update(stations.changed)
        self.hours, self.days = stations.hours, stations.days
        self.hour, self.day = stations.hour, stations.day
        self.tick_ms, self.resumed_ms = stations.tick_ms, stations.resumed_ms
        self.nudged -= overlay.looked_at
        self.logged = max(self.logged, number)
        self._settle()

    def restore(self, records: Mapping[str, Record], states: Iterable[StateRow], number: int) -> None:
        """Take up what was kept, at the start: logged records, and the states of stations among those of rules.

        `number` is that of the newest commit, up to which they were logged.
        """
        self.logged = number
        for dev_eui, record in records.items():
            self._pack(dev_eui, record, dump_one(record))
        self.unfolded_logs = len(records)
        for row in states:
            if row.rule == STATE and row.version == VERSION:
                body = from_json(row.body)
                if row.subject == CLOCK:
                    self.hour, self.day, self.tick_ms, self.resumed_ms = body
                    continue
                station, hour, day = body
                found = Station(*station)
                self.stations[row.subject] = found._replace(outages=tuple((begin, end) for begin, end in found.outages))
                if hour is not None:
                    self.hours[row.subject] = Tally(*hour)
                if day is not None:
                    self.days[row.subject] = Tally(*day)

    def unfolded(self) -> tuple[int, dict[str, Folded]]:
        """The number of the newest log that is merged, and the records to fold."""
        self.unfolded_logs = 0
        deadlines = self._deadlines
        return self.logged, {name: (deadlines.get(name), body) for name, body in self._packed.items()}

    def folded(self, records: Mapping[str, Folded]) -> None:
        """These records are on disk now; they leave memory with the next merge, never in the middle of a batch."""
        self._folded.append(records)

    def forget(self, before_ms: int) -> None:
        """Raw values of personal devices that were measured before leave memory, as they leave the disk."""
        for records in (self._young, self._old):
            for dev_eui, record in records.items():
                kept = since(record.entries, before_ms) if record.about.privacy is Privacy.PERSONAL else record.entries
                if kept is not record.entries:
                    records[dev_eui] = record._replace(entries=kept)

    def _pack(self, dev_eui: str, record: Record, body: bytes) -> None:
        self._packed[dev_eui] = body
        if record.deadline_ms is None:
            self._deadlines.pop(dev_eui, None)
            return
        self._deadlines[dev_eui] = record.deadline_ms
        self._earliest_ms = min(self._earliest_ms, record.deadline_ms)

    def _settle(self) -> None:
        for records in self._folded:
            for dev_eui, (_, body) in records.items():
                if self._packed.get(dev_eui) is body:
                    del self._packed[dev_eui]
                    self._deadlines.pop(dev_eui, None)
        self._folded.clear()

    def _remember(self, dev_eui: str, record: Record) -> None:
        if len(self._young) >= REMEMBERED:
            self._old, self._young = self._young, {}
        self._old.pop(dev_eui, None)
        self._young[dev_eui] = record
