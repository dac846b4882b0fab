"""A day in the city's calendar, with times as tours have them: seconds that have passed since local midnight.

On the days of a clock change they differ from what clocks show: 06:00 is 18,000 s after midnight in spring.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rules.waste.days import Service, Tour, is_holiday


class ServiceDay(NamedTuple):
    """A local day; `timezone` is an IANA name."""

    date: date
    timezone: str

    @property
    def midnight_ms(self) -> int:
        """Its first instant, ms since 1970 (UTC)."""
        return self._ms(0)

    def second(self, minutes: int) -> int:
        """When clocks show so many minutes after midnight, 1440 is the next midnight; of two times the first."""
        return (self._ms(minutes) - self._ms(0)) // 1000

    def works(self, weekdays: frozenset[int]) -> bool:
        """Whether the day is one of these (Monday 0) and no public holiday."""
        service = Service(weekdays, 0, 0, self.timezone)
        midnight_ms = self.midnight_ms
        return self.date.weekday() in weekdays and not is_holiday(service, Tour(midnight_ms, midnight_ms))

    def _ms(self, minutes: int) -> int:
        wall = datetime.combine(self.date, time(), ZoneInfo(self.timezone)) + timedelta(minutes=minutes)
        return int(wall.astimezone(UTC).timestamp()) * 1000
