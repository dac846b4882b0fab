"""What must hold after every fault, counted in the database, in the journal and at a consumer, by nobody's own word.

* Every uplink that the broker acknowledged to its publisher is one point of the Influx measurement `link`: the pairs
  (device, f_cnt) of all points, each as often as it is there, are those that were published, each once. A double point
  would be a pair too many, a lost uplink a pair too few; what was published twice adds nothing.
* Every message that nobody can read is one dead letter, told by its bytes.
* Every event that the journal calls published was heard; none was heard that the journal does not know; under one id
  goes one content.
"""

from collections import Counter
from typing import NamedTuple, Protocol

from tests.doubles.influxd import Influxd
from tests.faults.harness import Installation, Listener, Traffic
from tests.ingest.uplinks import LOT_DEVICES

DATABASES = ("stadtfunk_open", "stadtfunk_internal", "stadtfunk_personal")
EVENT_ENDS = {"published", "superseded", "expired_unpublished"}

Pair = tuple[str, int]


class Points(Protocol):
    """A database: the link points in it."""

    def links(self) -> Counter[Pair]:
        """(device, f_cnt) of every link point, as often as there are points."""
        ...


class StoredPoints(NamedTuple):
    """The embedded store."""

    installation: Installation

    def links(self) -> Counter[Pair]:
        """Read from its file."""
        if not self.installation.store.exists():
            return Counter()
        rows = self.installation.store_rows(
            "SELECT json_extract(tags, '$.dev_eui'), json_extract(fields, '$.f_cnt')"
            " FROM point JOIN series ON series = id WHERE measurement = 'link'"
        )
        return Counter((str(name), int(number)) for name, number in rows)


class InfluxPoints(NamedTuple):
    """InfluxDB, asked directly, past any proxy."""

    server: Influxd

    def links(self) -> Counter[Pair]:
        """Read from all three databases."""
        found: Counter[Pair] = Counter()
        for database in DATABASES:
            rows = self.server.query('SELECT "f_cnt", "dev_eui" FROM "link"', database)
            found.update((str(name), int(float(str(number)))) for _, number, name in rows)
        return found


class Imbalance(AssertionError):
    """The books do not add up; the message says where."""


def published(traffic: Traffic) -> Counter[Pair]:
    """What must be in the database."""
    return Counter((LOT_DEVICES[number % len(LOT_DEVICES)], number) for number in range(traffic.sent))


def check_uplinks(found: Counter[Pair], expected: Counter[Pair]) -> None:
    """Each once: raises Imbalance with what is missing and what is too much."""
    missing, extra = expected - found, found - expected
    if missing or extra:
        raise Imbalance(
            f"{sum(expected.values())} uplinks published, {sum(found.values())} stored; missing {missing.total()}:"
            f" {sorted(missing, key=lambda pair: pair[1])[:5]}, too many {extra.total()}: {sorted(extra)[:5]}"
        )


def check_dead_letters(installation: Installation, expected: set[bytes]) -> None:
    """One for each message that nobody can read, and no other."""
    query = "SELECT payload FROM dead_letter WHERE source LIKE 'application/%'"
    found = Counter(bytes(row[0]) for row in installation.journal_rows(query))
    if found != Counter(expected):
        raise Imbalance(f"{len(expected)} unreadable messages, {found.total()} dead letters of {len(found)} kinds")


def check_events(installation: Installation, listener: Listener, *, lossy: bool = False) -> int:
    """Published, heard and in the journal fit together; returns how many that the broker took were never heard.

    With `lossy` the broker may have lost what it had acknowledged; without it the number is 0.
    """
    rows = installation.journal_rows("SELECT id, status FROM event")
    heard = {name: payloads for name, payloads in listener.payloads.items() if not any(map(is_service_state, payloads))}
    unknown = {status for _, status in rows} - EVENT_ENDS
    if unknown:
        raise Imbalance(f"events that are neither out nor expired: {unknown}")
    from_nowhere = set(heard) - {name for name, _ in rows}
    if from_nowhere:
        raise Imbalance(f"{len(from_nowhere)} events were heard that the journal does not know")
    if any(len(payloads) != 1 for payloads in heard.values()):
        raise Imbalance("an event went out with two contents under one id")
    unheard = {name for name, status in rows if status == "published"} - set(heard)
    if unheard and not lossy:
        raise Imbalance(f"{len(unheard)} events of {len(rows)} are called published and were never heard")
    return len(unheard)


def is_service_state(payload: bytes) -> bool:
    """Whether it is the service's word on itself, which is no rule's event."""
    return b"city.stadtfunk.service.state" in payload
