"""What is wrong with a device, and the event that says so: one table of problems, each a check and its evidence."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from rules.device import battery
from rules.device.config import DeviceRules
from rules.device.record import Record, learned
from rules.event import SOURCE_ROOT, DeviceHealth, event_id, instant

ID = "device.health"
VERSION = 1
SOURCE = f"{SOURCE_ROOT}/{ID}"
LEAST_MARGINS = 10
LINK_CLEAR_DB = 2.0


class Check(Protocol):
    """Whether a device has a problem now; `before` is whether it was said to have it."""

    def __call__(self, rules: DeviceRules, record: Record, /, *, before: bool) -> bool:
        """True while the problem lasts."""
        ...


class Problem(NamedTuple):
    """A kind of problem: its name in events, and what the word stands on at that time (ms)."""

    name: str
    check: Check
    evidence: Callable[[DeviceRules, Record, int], dict[str, object]]


def is_silent(_rules: DeviceRules, record: Record, *, before: bool) -> bool:  # noqa: ARG001 - a Check
    """Found by a tick, ended by an uplink."""
    return record.silent


def is_weak(rules: DeviceRules, record: Record, *, before: bool) -> bool:
    """The mean margin of the link is small."""
    limit = rules.link_margin_db + LINK_CLEAR_DB * before
    return record.margins >= LEAST_MARGINS and record.margin_db < limit


def is_reset(rules: DeviceRules, record: Record, *, before: bool) -> bool:  # noqa: ARG001 - a Check
    """f_cnt began again without a join, not long ago."""
    return bool(record.reset_ms) and record.last_ms < record.reset_ms + rules.reset_shown_ms


def is_implausible(rules: DeviceRules, record: Record, *, before: bool) -> bool:  # noqa: ARG001 - a Check
    """The newest measurement time is far from the network server's."""
    return abs(record.offset_ms) > rules.clock_offset_ms


def silent_after_ms(rules: DeviceRules, record: Record) -> float | None:
    """Ms after which the device counts as silent; None while its interval is not learned."""
    known = learned(rules, record.intervals, record.last_ms - record.first_ms)
    return rules.silent_factor * record.interval_ms if known else None


def _silence(rules: DeviceRules, record: Record, now_ms: int) -> dict[str, object]:
    threshold = (silent_after_ms(rules, record) or 0.0) / 1000
    return _evidence("silence", (now_ms - record.last_ms) / 1000, "s", threshold, 0, record.intervals)


def _battery(rules: DeviceRules, record: Record, _now_ms: int) -> dict[str, object]:
    charge = record.battery
    if charge is None:
        return _evidence("battery_level", None, "%", rules.battery_low, 0, 0)
    mark = battery.mark_of(rules, charge)
    left = battery.days_left(rules, charge)
    if left is not None and (mark is None or charge.value > mark):
        return _evidence("battery_days_left", left, "d", rules.battery_days, rules.battery_days / 4, charge.samples)
    if charge.volts:
        return _evidence("battery_voltage", charge.value, "V", mark, 0, charge.readings)
    return _evidence("battery_level", charge.value, "%", mark, rules.battery_low / 4, charge.readings)


def _margin(rules: DeviceRules, record: Record, _now_ms: int) -> dict[str, object]:
    value = round(record.margin_db, 2)
    return _evidence("link_margin", value, "dB", rules.link_margin_db, LINK_CLEAR_DB, record.margins)


def _counter(_rules: DeviceRules, record: Record, _now_ms: int) -> dict[str, object]:
    return _evidence("f_cnt", record.f_cnt, "1", None, 0, 1)


def _offset(rules: DeviceRules, record: Record, _now_ms: int) -> dict[str, object]:
    return _evidence("clock_offset", record.offset_ms / 1000, "s", rules.clock_offset_ms / 1000, 0, 1)


PROBLEMS: tuple[Problem, ...] = (
    Problem("silent", is_silent, _silence),
    Problem("battery_low", battery.low, _battery),
    Problem("link_weak", is_weak, _margin),
    Problem("f_cnt_reset", is_reset, _counter),
    Problem("clock_implausible", is_implausible, _offset),
)
"""The bits of `Record.problems` are the places in this table."""


def found(rules: DeviceRules, record: Record) -> int:
    """The problems of a device as bits."""
    said, bits, bit = record.problems, 0, 1
    if not said and _is_well(rules, record):
        return 0
    for problem in PROBLEMS:
        if problem.check(rules, record, before=said & bit != 0):
            bits |= bit
        bit += bit
    return bits


def _is_well(rules: DeviceRules, record: Record) -> bool:
    """Whether none of the checks can find anything: what nearly every uplink says, told in one look."""
    return (
        record.margin_db >= rules.link_margin_db
        and record.battery is None
        and not record.silent
        and not record.reset_ms
        and -rules.clock_offset_ms <= record.offset_ms <= rules.clock_offset_ms
    )


def names(bits: int) -> tuple[str, ...]:
    """The names of problems given as bits."""
    return tuple(problem.name for place, problem in enumerate(PROBLEMS) if bits >> place & 1)


def conclude(
    rules: DeviceRules,
    dev_eui: str,
    record: Record,
    now_ms: int,
    cause: str,
    *,
    counts: bool,
    not_before_ms: int = 0,
    turns_ms: int | None = None,
) -> tuple[Record, DeviceHealth | None]:
    """Say what changed, or say it again before it expires; a device that does not count has no problems.

    Before `not_before_ms` it need not be looked at for being silent; at `turns_ms` it may begin or cease to count.
    """
    bits = found(rules, record) if counts else 0
    if bits == record.problems and (not bits or now_ms < record.shown_until_ms - rules.renewal_ms):
        if counts and turns_ms is None and (record.deadline_ms is None or record.deadline_ms > now_ms):
            return record, None
        deadline_ms = _deadline(rules, record, not_before_ms, turns_ms, counts=counts)
        return record if deadline_ms == record.deadline_ms else record._replace(deadline_ms=deadline_ms), None
    record = record._replace(problems=bits, shown_until_ms=now_ms + rules.validity_ms)
    record = record._replace(deadline_ms=_deadline(rules, record, not_before_ms, turns_ms, counts=counts))
    return record, _event(rules, dev_eui, record, now_ms, cause)


def _deadline(
    rules: DeviceRules, record: Record, not_before_ms: int, turns_ms: int | None, *, counts: bool
) -> int | None:
    """When the device must be looked at again; one that does not count, when it may do so again."""
    at = turns_ms
    if not counts:
        return at
    if not record.silent:
        after_ms = silent_after_ms(rules, record)
        if after_ms is not None:
            silent_ms = max(record.last_ms + int(after_ms), not_before_ms)
            at = silent_ms if at is None else min(at, silent_ms)
    if record.problems:
        renewal_ms = record.shown_until_ms - rules.renewal_ms
        at = renewal_ms if at is None else min(at, renewal_ms)
    return at


def _event(rules: DeviceRules, dev_eui: str, record: Record, now_ms: int, cause: str) -> DeviceHealth:
    about, bits = record.about, record.problems
    charge = record.battery
    left = battery.days_left(rules, charge) if charge else None
    shown = [problem for place, problem in enumerate(PROBLEMS) if bits >> place & 1]
    common = {"newest_at": instant(record.last_ms), "age_s": max(0, now_ms - record.last_ms) / 1000}
    return DeviceHealth.model_validate(
        {
            "id": event_id(ID, dev_eui, "health", cause),
            "source": SOURCE,
            "subject": dev_eui,
            "time": instant(now_ms),
            "data": {
                "rule": ID,
                "rule_version": VERSION,
                "valid_until": instant(record.shown_until_ms),
                "evidence": [
                    {**problem.evidence(rules, record, now_ms), **common, "sources": (dev_eui,)} for problem in shown
                ],
                "state": "problem" if bits else "ok",
                "problems": names(bits),
                "device": about.name,
                "model": about.model,
                "asset": about.asset or None,
                "gateway": record.gateway or None,
                "last_heard": instant(record.last_ms),
                "interval_s": round(record.interval_ms / 1000, 1) if record.intervals else None,
                "battery_days_left": None if left is None else round(left, 1),
            },
        }
    )


def _evidence(
    quantity: str, value: float | None, unit: str, threshold: float | None, hysteresis: float, samples: int
) -> dict[str, object]:
    return {
        "quantity": quantity,
        "value": value,
        "unit": unit,
        "window_s": None,
        "threshold": threshold,
        "hysteresis": hysteresis,
        "n_samples": samples,
    }
