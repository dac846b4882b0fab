"""What an uplink says of its device: lost frames, a counter that began again, the interval, the margin of the link.

The learned interval is the longest usual one. It rises at once, but no further than to where the device was called
silent, and fades with a half-life of a day: a device that reports by event is not called silent in a quiet night once a
few nights are known. A gap counts by the frames in it, lost ones too.
"""

from math import exp2
from typing import NamedTuple

from rules.condition_entry import NOTHING, Entries
from rules.device.battery import charge
from rules.device.config import DAY_MS, HOUR_MS, DeviceRules
from rules.device.record import About, Battery, Day, Record, learned

MAX_GAP = 16_384
"""A jump of f_cnt beyond this is no loss (LoRaWAN 1.0's MAX_FCNT_GAP)."""
MARGIN_WEIGHT = 0.1
SNR_FLOOR_DB = {7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}
"""SNR that a spreading factor needs (Semtech SX1276 datasheet, table 13)."""

new_tuple = tuple.__new__


class Heard(NamedTuple):
    """An uplink as this package sees it; `stored` is False for one that could not be decoded.

    `level` is the battery in % or V (`volts`) with its marks where known; `offset_ms` the furthest measurement time
    minus the network server's; `margin_db` None without a LoRa reception; `entries` what conditioning remembers now;
    `application_id` empty where nobody may command the device.
    """

    about: About
    ns_time_ms: int
    day: int
    day_begin_ms: int
    f_cnt: int
    dev_addr: str
    gateway: str
    margin_db: float | None
    offset_ms: int
    level: float | None
    volts: bool
    low: float | None
    empty: float | None
    stored: bool
    counts: bool
    entries: Entries = NOTHING
    application_id: str = ""
    data_rate: int | None = None


class Hearing(NamedTuple):
    """The device after an uplink, and the frames lost just before it."""

    record: Record
    lost: int


def hear(rules: DeviceRules, before: Record | None, heard: Heard) -> Hearing:
    """Take an uplink in; the day of `before` must be the uplink's already (or a later one)."""
    if before is None:
        return Hearing(_first(heard), 0)
    if heard.ns_time_ms < before.last_ms:
        return _late(before, heard)
    # One by one these fields would cost more than all the rest.
    about, now_ms, _, _, f_cnt, dev_addr, gateway, heard_db, offset_ms, level = heard[:10]
    was, first_ms, last_ms, interval_ms, intervals, last_cnt, address, joined_ms, reset_ms = before[:9]
    best_gateway, margin_db, margins, _, _, battery, day, _, problems, shown_until_ms, _, unread, day_about = before[
        9:22
    ]
    lost, frames = 0, 1
    if f_cnt != last_cnt + 1 or dev_addr != address or joined_ms > last_ms:
        lost, frames, reset = _frames(before, heard)
        lost = max(0, lost - unread)
        reset_ms = now_ms if reset else reset_ms
    if frames:
        interval_ms = _learn(rules, before, (now_ms - last_ms) / frames)
        intervals += 1
    if heard_db is not None:
        margins += 1
        margin_db += (heard_db - margin_db) * (MARGIN_WEIGHT if margins * MARGIN_WEIGHT > 1 else 1 / margins)
    deadline_ms: int | None = None
    if learned(rules, intervals, now_ms - first_ms):
        deadline_ms = now_ms + int(rules.silent_factor * interval_ms)
    if problems:
        renewal_ms = shown_until_ms - rules.renewal_ms
        deadline_ms = renewal_ms if deadline_ms is None else min(deadline_ms, renewal_ms)
    record = (
        about,
        first_ms,
        now_ms,
        interval_ms,
        intervals,
        f_cnt,
        dev_addr,
        min(joined_ms, now_ms),
        reset_ms,
        gateway or best_gateway,
        margin_db,
        margins,
        offset_ms,
        now_ms // HOUR_MS,
        battery if level is None else _battery(battery, heard),
        _count(day, heard, lost, _earlier(before, heard, lost) if lost else 0),
        False,
        problems,
        shown_until_ms,
        deadline_ms,
        0,
        day_about if about is was or about == was else day_about or was,
        *heard[-3:],
    )
    return new_tuple(Hearing, (new_tuple(Record, record), lost))


def _first(heard: Heard) -> Record:
    return Record(
        heard.about,
        first_ms=heard.ns_time_ms,
        last_ms=heard.ns_time_ms,
        interval_ms=0.0,
        intervals=0,
        f_cnt=heard.f_cnt,
        dev_addr=heard.dev_addr,
        joined_ms=0,
        reset_ms=0,
        gateway=heard.gateway,
        margin_db=heard.margin_db or 0.0,
        margins=0 if heard.margin_db is None else 1,
        offset_ms=heard.offset_ms,
        hour=heard.ns_time_ms // HOUR_MS,
        battery=_battery(None, heard),
        day=_count(Day(heard.day), heard, 0),
        silent=False,
        problems=0,
        shown_until_ms=0,
        deadline_ms=None,
        entries=heard.entries,
        application_id=heard.application_id,
        data_rate=heard.data_rate,
    )


def _late(before: Record, heard: Heard) -> Hearing:
    """An uplink overtaken by a newer one: it was counted as lost, and is not."""
    same = heard.dev_addr == before.dev_addr
    step = heard.f_cnt - before.f_cnt if same else 0
    found = -1 if step < 0 and before.day.lost else max(0, step - 1) if step <= MAX_GAP else 0
    f_cnt = max(before.f_cnt, heard.f_cnt) if same else before.f_cnt
    battery, day = _battery(before.battery, heard), _count(before.day, heard, found)
    return Hearing(before._replace(f_cnt=f_cnt, battery=battery, day=day, entries=heard.entries), max(0, found))


def _frames(before: Record, heard: Heard) -> tuple[int, int, bool]:
    """Frames lost, frames since the one before (0: not to be told), and whether f_cnt began again without a join."""
    step = heard.f_cnt - before.f_cnt
    if heard.dev_addr != before.dev_addr or before.joined_ms > before.last_ms:
        return (0, 1, False) if heard.f_cnt > MAX_GAP else (heard.f_cnt, heard.f_cnt + 1, False)
    if step <= 0:
        return 0, 0, True
    return (0, 0, False) if step > MAX_GAP else (step - 1, step, False)


def _learn(rules: DeviceRules, before: Record, gap_ms: float) -> float:
    interval_ms = before.interval_ms
    if gap_ms <= interval_ms:
        return gap_ms + (interval_ms - gap_ms) * exp2(-gap_ms / DAY_MS)
    known = learned(rules, before.intervals, before.last_ms - before.first_ms)
    return min(gap_ms, interval_ms * rules.silent_factor) if known else gap_ms


def _earlier(before: Record, heard: Heard, lost: int) -> int:
    """How many of the lost frames were sent before the uplink's day began, if they came evenly."""
    gap_ms = heard.ns_time_ms - before.last_ms
    away_ms = heard.day_begin_ms - before.last_ms
    return round(lost * min(1.0, away_ms / gap_ms)) if away_ms > 0 and gap_ms else 0


def _count(day: Day, heard: Heard, lost: int, sent_earlier: int = 0) -> Day:
    if not heard.counts:
        return day
    number, received, lost_before, duplicates, dead_letters, stored, earlier = day
    lost += lost_before
    counted = (
        number,
        received + 1,
        max(0, lost),
        duplicates,
        dead_letters + (not heard.stored),
        stored + heard.stored,
        earlier + sent_earlier,
    )
    return new_tuple(Day, counted)


def _battery(before: Battery | None, heard: Heard) -> Battery | None:
    if heard.level is None:
        return before
    return charge(before, heard.level, heard.day, volts=heard.volts, low=heard.low, empty=heard.empty)
