"""When a rule is in force: days, hours and holidays of the city's calendar, across both clock changes."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from rules.custom.definition import Holidays, Schedule

DAY = timedelta(days=1)
SUNDAY = 6
LOOK_DAYS = 400
"""How far ahead the next window is looked for: a schedule of holidays alone has one every year."""


@dataclass(frozen=True, slots=True)
class Hours:
    """A schedule: weekdays (Monday 0), minutes after local midnight, what holidays are."""

    weekdays: frozenset[int]
    begin_min: int
    end_min: int
    holidays: Holidays
    timezone: str

    @classmethod
    def of(cls, schedule: Schedule, timezone: str) -> "Hours":
        """The schedule in a time zone."""
        begin, end = schedule.minutes
        return cls(schedule.weekdays, begin, end, schedule.holidays, timezone)


def in_force(hours: Hours, now_ms: int) -> tuple[bool, int | None]:
    """Whether a time lies in a window, and when to look again (ms; None where no window begins within a year)."""
    day = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(hours.timezone)).date() - DAY
    for ahead in range(LOOK_DAYS):
        found = _window(hours, day + ahead * DAY)
        if found is not None and found[1] > now_ms:
            begin_ms, end_ms = found
            return (True, end_ms) if begin_ms <= now_ms else (False, begin_ms)
    return False, None


@lru_cache(maxsize=4096)
def _window(hours: Hours, day: date) -> tuple[int, int] | None:
    """The window that begins on a day, None where none does."""
    holiday = hours.holidays != "ignore" and day in _holidays()
    if (hours.holidays == "only" and not holiday) or (hours.holidays == "never" and holiday):
        return None
    weekday = SUNDAY if holiday and hours.holidays == "like_sunday" else day.weekday()
    if weekday not in hours.weekdays:
        return None
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(hours.timezone))
    last = midnight + DAY if hours.end_min <= hours.begin_min else midnight
    return _ms(midnight, hours.begin_min), _ms(last, hours.end_min)


def _ms(midnight: datetime, minutes: int) -> int:
    wall = midnight + timedelta(minutes=minutes)
    return int(wall.astimezone(UTC).timestamp()) * 1000


@lru_cache(maxsize=1)
def _holidays() -> Container[date]:
    from holidays import country_holidays  # noqa: PLC0415 - half a second to import, where it is needed only

    return country_holidays("DE", subdiv="NW")
