"""Which plan the time of day asks for: a weekly table in the city's wall time, holidays like Sundays."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rules.asset import Asset
from rules.local_time import timezone_of

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
SUNDAY = 6
EXPECTED = 'entries like {"days": "Mo-Fr", "from": "06:30", "plan": "2"}'


class Entry(NamedTuple):
    """From that minute of its days on a plan holds, until the next entry."""

    days: frozenset[int]
    minute: int
    plan: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """The entries in the order of their minutes."""

    zone: ZoneInfo
    entries: tuple[Entry, ...]
    holidays: frozenset[date]

    def __repr__(self) -> str:
        return f"Schedule({self.zone.key}, {[(sorted(days), *rest) for days, *rest in self.entries]}, {self._dates()})"

    def plan_at(self, time_ms: int) -> str | None:
        """The plan at that time (ms since 1970, UTC); the last entry of an earlier day holds past midnight."""
        if not self.entries:
            return None
        local = datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(self.zone)
        minute, day = local.hour * 60 + local.minute, local.date()
        for _ in range(len(DAYS) + 1):
            weekday = SUNDAY if day in self.holidays else day.weekday()
            found = [entry.plan for entry in self.entries if weekday in entry.days and entry.minute <= minute]
            if found:
                return found[-1]
            minute, day = 24 * 60, day - timedelta(days=1)
        return None

    def _dates(self) -> list[str]:
        return sorted(day.isoformat() for day in self.holidays)


def schedule(asset: Asset) -> Schedule:
    """The asset's `schedule`, `holidays` and `timezone`; raises CityError."""
    value = asset.properties.get("schedule", [])
    if not isinstance(value, list):
        raise asset.error("schedule", value, EXPECTED)
    entries = sorted((_entry(asset, each) for each in value), key=lambda entry: entry.minute)
    return Schedule(ZoneInfo(timezone_of(asset)), tuple(entries), frozenset(_holidays(asset)))


def _entry(asset: Asset, value: object) -> Entry:
    if not isinstance(value, Mapping) or not {"days", "from", "plan"} <= value.keys():
        raise asset.error("schedule", value, EXPECTED)
    days = frozenset(day for part in str(value["days"]).split(",") for day in _days(asset, part.strip()))
    hour, _, minute = str(value["from"]).partition(":")
    plan = value["plan"]
    if not (hour.isdecimal() and minute.isdecimal() and int(hour) < 24 and int(minute) < 60):  # noqa: PLR2004 - a clock
        raise asset.error("schedule", value["from"], "a time like 06:30")
    if isinstance(plan, bool) or not isinstance(plan, str | int):
        raise asset.error("schedule", plan, "the number of a plan")
    return Entry(days, int(hour) * 60 + int(minute), str(plan))


def _days(asset: Asset, part: str) -> list[int]:
    first, _, last = part.partition("-")
    if first not in DAYS or (last or first) not in DAYS:
        raise asset.error("schedule", part, f"days like Mo-Fr or Sa,Su, of {', '.join(DAYS)}")
    begin, end = DAYS.index(first), DAYS.index(last or first)
    return [day % len(DAYS) for day in range(begin, end + 1 + (len(DAYS) if end < begin else 0))]


def _holidays(asset: Asset) -> list[date]:
    value = asset.properties.get("holidays", [])
    if not isinstance(value, list):
        raise asset.error("holidays", value, "a list of dates like 2026-12-25")
    try:
        return [date.fromisoformat(str(each)) for each in value]
    except ValueError as error:
        raise asset.error("holidays", value, "a list of dates like 2026-12-25") from error
