"""What is remembered of a device: who it is, how it sends, its battery, its day in the ledger, what was said of it."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from pydantic import TypeAdapter
from pydantic_core import from_json

from decoders.quantity import Privacy
from rules.condition_entry import NOTHING, Entries
from rules.device.config import HOUR_MS, DeviceRules

FORM: Final = 1
"""The form in which records are kept."""


class About(NamedTuple):
    """Who a device is: codec id as `model`, the asset it belongs to and its district, its ChirpStack tag `asset`."""

    name: str
    model: str
    application: str
    asset: str
    district: str
    tag: str
    privacy: Privacy


class Day(NamedTuple):
    """The ledger of one day of the city's calendar (days since 1970): uplinks, and what became of them.

    `received` = `stored` + `dead_letters`; `lost` on the radio (gaps of f_cnt), of which `earlier` were sent on days
    before; `duplicates` are repeats.
    """

    number: int = 0
    received: int = 0
    lost: int = 0
    duplicates: int = 0
    dead_letters: int = 0
    stored: int = 0
    earlier: int = 0


class Battery(NamedTuple):
    """The newest level (% or V) with its low and empty marks, the mean of today, and the weighted sums of the trend.

    The sums are of weight, day, value, day squared and day times value over the days before `day`; days count from
    `first_day`.
    """

    value: float
    low: float | None
    empty: float | None
    volts: bool
    first_day: int
    day: int
    total: float
    readings: int
    weight: float = 0.0
    days: float = 0.0
    values: float = 0.0
    squares: float = 0.0
    products: float = 0.0
    samples: int = 0


class Record(NamedTuple):
    """A device; times in ms since 1970 (UTC), `interval_ms` learned from `intervals` of them.

    `margin_db` is the mean distance of the best copy's SNR from what its spreading factor needs; `offset_ms` how far
    the newest measurement time lies from the network server's. `problems` is what the newest event said (bits of
    health.PROBLEMS), valid until `shown_until_ms`; `deadline_ms` when time alone may change something. `unread` are
    uplinks since `last_ms` that nobody could read. `day_about` is who the device was when the day began, where it is
    somebody else since: a day has one name. `entries` are what conditioning remembers. `application_id` is where the
    newest uplink came from and `data_rate` how it was sent: what a downlink needs; empty and None when not known.
    """

    about: About
    first_ms: int
    last_ms: int
    interval_ms: float
    intervals: int
    f_cnt: int
    dev_addr: str
    joined_ms: int
    reset_ms: int
    gateway: str
    margin_db: float
    margins: int
    offset_ms: int
    hour: int
    battery: Battery | None
    day: Day
    silent: bool
    problems: int
    shown_until_ms: int
    deadline_ms: int | None
    unread: int = 0
    day_about: About | None = None
    entries: Entries = NOTHING
    application_id: str = ""
    data_rate: int | None = None


class Log(NamedTuple):
    """Records by dev_eui, as they are kept together."""

    form: Literal[1]
    devices: dict[str, Record]


class Kept(NamedTuple):
    """One record, as it is kept alone."""

    form: Literal[1]
    device: Record


LOG, KEPT = TypeAdapter(Log), TypeAdapter(Kept)
ABOUT, BATTERY, DAY, DAY_ABOUT, ENTRIES = (
    Record._fields.index(name) for name in ("about", "battery", "day", "day_about", "entries")
)
DEFAULTS: Final = tuple(Record._field_defaults.get(name) for name in Record._fields)
"""For fields that a record written earlier does not have."""
PRIVACY: Final = {privacy.value: privacy for privacy in Privacy}
# NamedTuple's own constructor costs twice this one.
new_tuple = tuple.__new__


def learned(rules: DeviceRules, intervals: int, followed_ms: int) -> bool:
    """Whether an interval is believed: a burst after a join teaches none."""
    return intervals >= rules.least_intervals and followed_ms >= HOUR_MS


def since(entries: Entries, time_ms: int) -> Entries:
    """What is remembered of values from this time on; the same object where that is all."""
    kept = {key: entry for key, entry in entries.items() if entry[-1] >= time_ms}
    return entries if len(kept) == len(entries) else kept


def dump(records: dict[str, Record]) -> bytes:
    """Records by dev_eui as JSON."""
    return join({dev_eui: dump_one(record) for dev_eui, record in records.items()})


def join(bodies: Mapping[str, bytes]) -> bytes:
    """Records by dev_eui as JSON, from what `dump_one` made of each."""
    head, tail = len(b"[1,"), len(b"]")
    return b"[1,{%s}]" % b",".join(
        [b'"%s":%s' % (dev_eui.encode(), body[head:-tail]) for dev_eui, body in bodies.items()]
    )


def load(body: bytes) -> dict[str, Record]:
    """Records from JSON; raises ValueError for a form that is not known."""
    return LOG.validate_json(body).devices


def dump_one(record: Record) -> bytes:
    """One record as JSON."""
    return KEPT.dump_json(Kept(FORM, record))


def load_one(body: bytes) -> Record:
    """One record from JSON that `dump_one` wrote; raises ValueError for a form that is not known.

    A model's validation would cost five times as much, for each uplink of a device that is not in memory; that the
    bytes are those that were written is for a checksum to say.
    """
    form, fields = from_json(body)
    if form != FORM:
        raise ValueError(f"records of form {form!r}; known is {FORM}")
    fields += DEFAULTS[len(fields) :]
    about, battery, day, day_about = fields[ABOUT], fields[BATTERY], fields[DAY], fields[DAY_ABOUT]
    fields[ABOUT] = new_tuple(About, (*about[:-1], PRIVACY[about[-1]]))
    fields[DAY_ABOUT] = day_about and new_tuple(About, (*day_about[:-1], PRIVACY[day_about[-1]]))
    fields[BATTERY] = battery and new_tuple(Battery, battery)
    fields[DAY] = new_tuple(Day, day)
    if fields[ENTRIES]:
        fields[ENTRIES] = {key: tuple(entry) for key, entry in fields[ENTRIES].items()}
    return new_tuple(Record, fields)
