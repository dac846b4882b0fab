"""All devices that were ever heard: the busy ones in memory, the quiet ones on disk.

A batch works on an overlay that is merged after its commit; its commit logs the records that it changed. Now and then
the logged records are folded into the table of devices (`unfolded`, `folded`), and may then leave memory.
"""

from collections.abc import Callable, Iterable, Mapping

from pydantic_core import from_json

from ingest.calendar import Calendar
from ingest.fleet_overlay import DayOf, FleetOverlay
from ingest.fleet_stations import CLOCK, STATE
from ingest.ledger import Tally
from rules.device.config import DeviceRules
from rules.device.network import NETWORK, VERSION, Station
from rules.device.record import Record
from rules.engine import StateRow

REMEMBERED = 10_000
"""Records of each generation that are kept in memory beside those not folded yet."""
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
        self._fresh: dict[str, Record] = {}
        self._young: dict[str, Record] = {}
        self._old: dict[str, Record] = {}
        self._folded: list[Mapping[str, Record]] = []
        self._earliest_ms: float = 0

    def __len__(self) -> int:
        return len(self._fresh) + len(self._young) + len(self._old)

    def record(self, dev_eui: str) -> Record | None:
        """What is in memory of a device."""
        return self._fresh.get(dev_eui) or self._young.get(dev_eui) or self._old.get(dev_eui)

    def missing(self, names: Iterable[str]) -> list[str]:
        """Those devices of which memory knows nothing; the disk may."""
        fresh, young, old = self._fresh, self._young, self._old
        return [name for name in dict.fromkeys(names) if not (name in fresh or name in young or name in old)]

    def due(self, time_ms: int) -> list[tuple[int, str]]:
        """Deadlines up to this time of devices that the disk does not know rightly, in order."""
        found = [(0, name) for name in self.nudged]
        if self._earliest_ms <= time_ms:
            deadlines = [(r.deadline_ms, name) for name, r in self._fresh.items() if r.deadline_ms is not None]
            self._earliest_ms = min(deadlines)[0] if deadlines else float("inf")
            found += [item for item in deadlines if item[0] <= time_ms]
        return sorted(found)

    def first_nudged(self, limit: int) -> list[str]:
        """Those devices that are to be looked at with the next tick, whatever their deadline."""
        return sorted(self.nudged)[:limit] if self.nudged else []

    @property
    def fresh(self) -> int:
        """How many records in memory are newer than those on disk."""
        return len(self._fresh)

    def is_fresh(self, dev_eui: str) -> bool:
        """Whether the record in memory is newer than the one on disk."""
        return dev_eui in self._fresh

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
            if dev_eui not in overlay.records and dev_eui not in self._fresh:
                self._remember(dev_eui, record)
        for dev_eui, record in overlay.records.items():
            self._fresh[dev_eui] = record
            if record.deadline_ms is not None and record.deadline_ms < self._earliest_ms:
                self._earliest_ms = record.deadline_ms
        stations = overlay.stations
        self.stations.update(stations.changed)
        self.hours, self.days = stations.hours, stations.days
        self.hour, self.day = stations.hour, stations.day
        self.tick_ms, self.resumed_ms = stations.tick_ms, stations.resumed_ms
        self.nudged -= overlay.looked_at
        self.logged = max(self.logged, number)
        self._settle()

    def restore(self, records: Mapping[str, Record], states: Iterable[StateRow]) -> None:
        """Take up what was kept, at the start: logged records, and the states of stations among those of rules."""
        self._fresh.update(records)
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

    def unfolded(self) -> tuple[int, dict[str, Record]]:
        """The number of the newest log that is merged, and the records to fold."""
        return self.logged, dict(self._fresh)

    def folded(self, records: Mapping[str, Record]) -> None:
        """These records are on disk now; they leave memory with the next merge, never in the middle of a batch."""
        self._folded.append(records)

    def _settle(self) -> None:
        for records in self._folded:
            for dev_eui, record in records.items():
                if self._fresh.get(dev_eui) is record:
                    del self._fresh[dev_eui]
                    self._remember(dev_eui, record)
        self._folded.clear()

    def _remember(self, dev_eui: str, record: Record) -> None:
        if len(self._young) >= REMEMBERED:
            self._old, self._young = self._young, {}
        self._old.pop(dev_eui, None)
        self._young[dev_eui] = record
