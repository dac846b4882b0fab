"""The ledger: what each device sent on a day and what became of it, what each gateway heard."""

from typing import NamedTuple

from pydantic_core import to_json

from ingest.calendar import Calendar
from ingest.journal_records import LedgerRow
from ingest.line_protocol import line, series
from ingest.series import DeviceTags
from rules.device import battery
from rules.device.config import DeviceRules
from rules.device.network import NETWORK
from rules.device.record import Day, Record, learned

CHANNEL = "ledger"
DEFAULTS = DeviceRules()
MAX_DAYS = 31
"""Days without any uplink that a device which comes back gets in the ledger at most."""


class Entry(NamedTuple):
    """One device, one day. `expected` is what f_cnt says was sent, or more by the learned interval."""

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


class Tally(NamedTuple):
    """What a gateway heard: uplinks, and the sums of their RSSI (dBm) and SNR (dB)."""

    uplinks: int = 0
    rssi: float = 0.0
    snr: float = 0.0


def entry(calendar: Calendar, record: Record, day: Day, now_ms: int, rules: DeviceRules = DEFAULTS) -> Entry:
    """The ledger of a device for that day as it stands at that time."""
    about = record.about
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
    )


def closed(calendar: Calendar, dev_eui: str, record: Record, day: int) -> list[LedgerRow]:
    """The rows of the days before this one that the device's record still holds, silent days in between included."""
    last = record.day
    if last.number >= day:
        return []
    end_ms = calendar.begin_ms(day)
    rows = [LedgerRow(last.number, dev_eui, to_json(entry(calendar, record, last, end_ms)._asdict()))]
    silent = range(max(last.number + 1, day - MAX_DAYS), day)
    return rows + [
        LedgerRow(number, dev_eui, to_json(entry(calendar, record, Day(number), end_ms)._asdict())) for number in silent
    ]


def device_line(calendar: Calendar, rules: DeviceRules, dev_eui: str, record: Record, now_ms: int) -> str | None:
    """The point of Influx measurement `device` that holds a device's day so far; its time is the day's begin."""
    said = entry(calendar, record, record.day, now_ms)
    counts = [(name, float(getattr(said, name))) for name in said._fields[4:10]]
    if said.interval_s is not None:
        counts.append(("interval_s", said.interval_s))
    left = battery.days_left(rules, record.battery) if record.battery else None
    if left is not None:
        counts.append(("battery_days_left", left))
    prefix = DeviceTags(dev_eui, record.about).series("device", CHANNEL)
    return line(prefix, counts, calendar.begin_ms(record.day.number))


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
