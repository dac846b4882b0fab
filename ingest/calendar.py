"""The city's days: from times to days of its calendar and back."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = date(1970, 1, 1).toordinal()


class Calendar:
    """Days since 1970 in a time zone; a day has 23 or 25 hours when the clocks change."""

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)
        self._day = 0
        self._begin_ms = self._end_ms = 0

    def day_of(self, time_ms: int) -> int:
        """The day on which this instant (ms since 1970, UTC) falls."""
        if not self._begin_ms <= time_ms < self._end_ms:
            local = datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(self._zone)
            self._day = local.date().toordinal() - EPOCH
            self._begin_ms, self._end_ms = self.begin_ms(self._day), self.begin_ms(self._day + 1)
        return self._day

    def begin_ms(self, day: int) -> int:
        """The instant at which a day begins."""
        return _begin_ms(self._zone, day)


@lru_cache(1000)
def _begin_ms(zone: ZoneInfo, day: int) -> int:
    return round(datetime.combine(date.fromordinal(EPOCH + day), time(), zone).timestamp() * 1000)


def iso_day(day: int) -> str:
    """A day as ISO 8601."""
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()
