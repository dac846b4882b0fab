"""The ledger: what each device sent on a day and what became of it, what each gateway heard."""

from typing import NamedTuple

from pydantic_core import from_json, to_json

from decoders.quantity import Privacy
from ingest.calendar import Calendar
from ingest.journal_records import LedgerRow
from ingest.line_protocol import line, series
from ingest.series import DeviceTags
from rules.device.config import DeviceRules
from rules.device.network import NETWORK
from rules.device.record import About, Day, Record, learned

CHANNEL = "ledger"
COUNTS = ("expected", "received", "lost", "duplicates", "dead_letters", "stored")
DEFAULTS = DeviceRules()
MAX_DAYS = 31
"""Days without any uplink that a device which comes back gets in the ledger at most."""


class Entry(NamedTuple):
    """One device, one day. `expected` is what f_cnt says was sent, or more by the learned interval.

    The names are those that the device had when the day began; `privacy` is its class.
    """

    device: str
    model: str
    application: str
    asset: str
    expected: int
    received: int
    lost: int
    duplicates: int
    dead_letters: int
    stored: int
    interval_s: float | None
    district: str = ""
    privacy: str = ""


class Tally(NamedTuple):
    """What a gateway heard: uplinks, and the sums of their RSSI (dBm) and SNR (dB)."""

    uplinks: int = 0
    rssi: float = 0.0
    snr: float = 0.0


def entry(calendar: Calendar, record: Record, day: Day, now_ms: int, rules: DeviceRules = DEFAULTS) -> Entry:
    """The ledger of a device for that day as it stands at that time."""
    about = record.day_about or record.about
    begin_ms = max(calendar.begin_ms(day.number), record.first_ms)
    end_ms = min(calendar.begin_ms(day.number + 1), now_ms)
    known = learned(rules, record.intervals, record.last_ms - record.first_ms) and record.interval_ms > 0
    by_interval = int((end_ms - begin_ms) / record.interval_ms) if known else 0
    return Entry(
        about.name,
        about.model,
        about.application,
        about.asset,
        max(day.received + day.lost - day.earlier, by_interval),
        *day[1:6],
        round(record.interval_ms / 1000, 1) if record.intervals else None,
        about.district,
        max(about.privacy, record.about.privacy).name.lower(),
    )


def closed(calendar: Calendar, record: Record, day: int) -> list[tuple[int, Entry]]:
    """The days before this one that the device's record still holds, silent days in between included."""
    last = record.day
    if last.number >= day:
        return []
    end_ms = calendar.begin_ms(day)
    quiet = record._replace(day_about=None)
    silent = range(max(last.number + 1, day - MAX_DAYS), day)
    return [
        (last.number, entry(calendar, record, last, end_ms)),
        *((number, entry(calendar, quiet, Day(number), end_ms)) for number in silent),
    ]


def row(day: int, dev_eui: str, said: Entry) -> LedgerRow:
    """A closed day as it is kept."""
    privacy = Privacy[said.privacy.upper()] if said.privacy else Privacy.INTERNAL
    return LedgerRow(day, dev_eui, to_json(said._asdict()), privacy)


def mended(kept: bytes) -> Entry | None:
    """A closed day, one of whose dead letters went through after all; None when it counts none."""
    said = Entry(**from_json(kept))
    if not said.dead_letters:
        return None
    return said._replace(dead_letters=said.dead_letters - 1, stored=said.stored + 1)


def device_line(
    calendar: Calendar, dev_eui: str, day: int, said: Entry, battery_days_left: float | None = None
) -> tuple[Privacy, str]:
    """The point of Influx measurement `device` that holds a device's day, and its class; its time is the day's begin.

    The text is empty where the entry does not say which class the device is of, and thus not which series.
    """
    if not said.privacy:
        return Privacy.PERSONAL, ""
    privacy = Privacy[said.privacy.upper()]
    counts = [(name, float(getattr(said, name))) for name in COUNTS]
    if said.interval_s is not None:
        counts.append(("interval_s", said.interval_s))
    if battery_days_left is not None:
        counts.append(("battery_days_left", battery_days_left))
    about = About(said.device, said.model, said.application, said.asset, said.district, "", privacy)
    prefix = DeviceTags(dev_eui, about).series("device", CHANNEL)
    return max(Privacy.INTERNAL, privacy), line(prefix, counts, calendar.begin_ms(day)) or ""


def gateway_line(gateway_id: str, tally: Tally, total: int, time_ms: int) -> str | None:
    """The point of Influx measurement `gateway` for one hour: uplinks, share of all uplinks, mean RSSI and SNR."""
    return line(series("gateway", [("gateway", gateway_id)]), gateway_fields(tally, total).items(), time_ms)


def gateway_fields(tally: Tally, total: int, *, signal: bool = True) -> dict[str, float]:
    """A gateway's figures given the number of all uplinks (each counted once, whoever heard it)."""
    fields = {"uplinks": float(tally.uplinks), "share": round(tally.uplinks / max(total, 1), 4)}
    if signal and tally.uplinks:
        fields["rssi"] = round(tally.rssi / tally.uplinks, 2)
        fields["snr"] = round(tally.snr / tally.uplinks, 2)
    return fields


def gateway_row(day: int, gateway_id: str, tally: Tally, total: int) -> LedgerRow:
    """The closed day of a gateway."""
    return LedgerRow(day, gateway_id, to_json(gateway_fields(tally, total, signal=gateway_id != NETWORK)))
