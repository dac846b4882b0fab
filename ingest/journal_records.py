"""What goes through the journal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Self

from decoders.quantity import Privacy
from ingest.audit import Action
from ingest.dead_letter import DeadLetter
from ingest.downlink import Downlink, Named
from rules.device.record import Record
from rules.engine import StateRow
from rules.event import Event


class SeenUplink(NamedTuple):
    """The identity of an uplink: by its id, and by its frame (within the repeat window)."""

    ns_time_ms: int
    deduplication_id: bytes
    frame: bytes


class EventRow(NamedTuple):
    """An event on its way out, or kept only (`status` is then not `pending`)."""

    id: str
    topic: str
    payload: bytes
    retained: bool
    acting: bool
    time_ms: int
    valid_until_ms: int
    status: str = "pending"

    @classmethod
    def of(cls, event: Event, status: str) -> Self:
        """An event that is kept as this."""
        times = (event.time_ms, event.valid_until_ms)
        return cls(event.id, event.topic, event.payload(), event.retained, event.acting, *times, status)


class StoredEvent(NamedTuple):
    """An event in the journal; `superseded` when a newer one of its kind waits for its topic."""

    seq: int
    event: EventRow
    superseded: bool


class PointsRow(NamedTuple):
    """Lines of one commit and privacy class."""

    seq: int
    privacy: Privacy
    lines: int
    body: bytes


class Retained(NamedTuple):
    """The event that stands on a retained topic."""

    topic: str
    event_id: str
    valid_until_ms: int


class Resolved(NamedTuple):
    """What became of a dead letter that was tried again: `error` is the new one, None when it went through."""

    id: int
    error: DeadLetter | None


class Stay(NamedTuple):
    """Where a device was from `from_ms` on (ms since 1970, UTC): an asset and its district, empty without one."""

    from_ms: int
    asset: str
    district: str


class RawMessage(NamedTuple):
    """A message as it arrived, with the assets that its measurements were given to; `stays` are in order of time."""

    topic: str
    payload: bytes
    ns_time_ms: int
    privacy: Privacy
    stays: tuple[Stay, ...] = ()


class LedgerRow(NamedTuple):
    """The closed ledger of a device (or gateway) for one day: its JSON, and the class of the device."""

    day: int
    subject: str
    body: bytes
    privacy: Privacy = Privacy.INTERNAL


class Assigned(NamedTuple):
    """A device belongs to an asset (empty: to none) from then on; `source` is `tag`, `file` or an actor."""

    dev_eui: str
    valid_from_ms: int
    asset: str
    source: str


class Wanted(NamedTuple):
    """What a batch must know before it is processed.

    `keys` are identities (ns_time_ms, deduplication_id), `devices` those of which memory knows nothing; deadlines up
    to `due_ms` (None: no tick is due), at most `limit`, not of devices for which `skip` is true; `closed` are (day,
    dev_eui) of the ledger; `downlinks` those that events name, and with a tick those that ended `margin_ms` before it.
    """

    keys: Sequence[tuple[int, bytes]]
    devices: Sequence[str]
    due_ms: int | None
    limit: int
    skip: Callable[[str], bool]
    closed: Sequence[tuple[int, str]] = ()
    downlinks: Sequence[Named] = ()
    margin_ms: int = 0

    @property
    def nothing(self) -> bool:
        """Whether the journal need not be asked."""
        asked = self.keys or self.devices or self.closed or self.downlinks
        return not asked and self.due_ms is None


class Known(NamedTuple):
    """What the journal knows: identities that it holds, records of devices, deadlines as (ms, dev_eui), closed days.

    And downlinks, by the id of their request.
    """

    identifiers: set[bytes]
    records: Mapping[str, Record]
    due: Sequence[tuple[int, str]]
    closed: Mapping[tuple[int, str], bytes] = MappingProxyType({})
    downlinks: Mapping[str, Downlink] = MappingProxyType({})


NOTHING_KNOWN = Known(set(), {}, ())


@dataclass(slots=True)
class Batch:
    """What one commit holds.

    `ns_time_ms` is the newest believable network server time in it; `number` and `line_bytes` are known when it is
    written; `devices` are the records of the devices that it changed.
    """

    number: int = 0
    messages: int = 0
    ns_time_ms: int = 0
    line_bytes: int = 0
    seen: list[SeenUplink] = field(default_factory=list)
    ticks: list[int] = field(default_factory=list)
    lines: dict[Privacy, list[str]] = field(default_factory=lambda: {privacy: [] for privacy in Privacy})
    events: list[EventRow] = field(default_factory=list)
    states: list[StateRow] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    resolved: list[Resolved] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    raw: list[RawMessage] = field(default_factory=list)
    devices: bytes = b""
    ledger: list[LedgerRow] = field(default_factory=list)
    gateway_ledger: list[LedgerRow] = field(default_factory=list)
    assigned: list[Assigned] = field(default_factory=list)
    downlinks: dict[str, Downlink] = field(default_factory=dict)
    route_answers: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def newest_seen_ms(self) -> int:
        """The newest network server time among its identities, believable or not."""
        return max((seen.ns_time_ms for seen in self.seen), default=0)


class Size(NamedTuple):
    """How much the journal holds: bytes in use (file less free pages, and the WAL), and the rows that wait."""

    bytes: int
    points: int
    lines: int
    events: int
    dead_letters: int
