"""The city's calendar: local time, weekdays, school holidays."""

from datetime import UTC, date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

MS_PER_S = 1000
S_PER_HOUR = 3600
S_PER_DAY = 86_400
WEEKEND = 5
EPOCH = date(1970, 1, 1)
SCHOOL_HOLIDAYS = (
    ("2025-12-22", "2026-01-06"),
    ("2026-03-30", "2026-04-11"),
    ("2026-05-26", "2026-05-26"),
    ("2026-07-20", "2026-09-01"),
    ("2026-10-17", "2026-10-31"),
    ("2026-12-23", "2027-01-06"),
    ("2027-03-22", "2027-04-03"),
    ("2027-05-18", "2027-05-18"),
    ("2027-07-19", "2027-08-31"),
    ("2027-10-23", "2027-11-06"),
    ("2027-12-24", "2028-01-08"),
)
"""Of North Rhine-Westphalia, first and last day. Beyond them no year is known, and none is made up."""
_NO_SCHOOL = frozenset(
    day
    for first, last in SCHOOL_HOLIDAYS
    for day in range((date.fromisoformat(first) - EPOCH).days, (date.fromisoformat(last) - EPOCH).days + 1)
)


class Moment(NamedTuple):
    """An instant with its place in the city's calendar: ms since 1970 (UTC), local hour, weekday (Monday 0)."""

    ms: int
    hour: float
    weekday: int
    day_of_year: int
    day: int = 0
    """Days since 1970 of the local date."""

    @property
    def school_holidays(self) -> bool:
        """Whether schools are closed for holidays."""
        return self.day in _NO_SCHOOL

    def later(self, seconds: float) -> "Moment":
        """So much later, across midnight but not across a clock change."""
        days, hour = divmod(self.hour + seconds / S_PER_HOUR, 24)
        number = int(days)
        return Moment(
            self.ms + int(seconds * MS_PER_S),
            hour,
            (self.weekday + number) % 7,
            self.day_of_year + number,
            self.day + number,
        )


class Calendar:
    """The local time of a city."""

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)
        self._begin_ms = -1
        self._hour, self._weekday, self._day_of_year, self._day = 0.0, 0, 0, 0

    def at(self, ms: int) -> Moment:
        """The calendar's view of an instant."""
        begin = ms - ms % (900 * MS_PER_S)
        if begin != self._begin_ms:
            self._begin_ms = begin
            local = datetime.fromtimestamp(begin / MS_PER_S, UTC).astimezone(self._zone)
            self._hour, self._weekday = local.hour + local.minute / 60, local.weekday()
            self._day_of_year, self._day = local.timetuple().tm_yday, local.toordinal() - EPOCH.toordinal()
        hour = self._hour + (ms - begin) / (S_PER_HOUR * MS_PER_S)
        return Moment(ms, hour, self._weekday, self._day_of_year, self._day)
