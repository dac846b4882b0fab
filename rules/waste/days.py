"""The days of waste: weekdays with public holidays (North Rhine-Westphalia), and the tours of a container."""

from collections.abc import Container, Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rules.local_time import day_of, window_after

DAY_MS = 86_400_000
SUNDAY = 6
LOOK_DAYS = 30
"""How far ahead tours are looked for; a container with one service day a week has four in it."""


class Tour(NamedTuple):
    """A span in which containers are emptied; ms since 1970 (UTC)."""

    begin_ms: int
    end_ms: int


class Service(NamedTuple):
    """When tours go: weekdays (Monday 0), not on public holidays; minutes after local midnight."""

    weekdays: frozenset[int]
    begin_min: int
    end_min: int
    timezone: str


@lru_cache(maxsize=4096)
def weekday(timezone: str, begin_ms: int) -> int:
    """The weekday of the local day that begins then, a public holiday as a Sunday."""
    day = local_date(timezone, begin_ms)
    return SUNDAY if day in _holidays() else day.weekday()


def local_date(timezone: str, time_ms: int) -> date:
    """The local date of a time."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(ZoneInfo(timezone)).date()


def spans(timezone: str, begin_ms: int, end_ms: int) -> Iterator[tuple[int, int, int]]:
    """The local days between two times: weekday, begin and end of the part between them."""
    while begin_ms < end_ms:
        first_ms, next_ms = day_of(timezone, begin_ms)
        until_ms = min(next_ms, end_ms)
        yield weekday(timezone, first_ms), begin_ms, until_ms
        begin_ms = until_ms


@lru_cache(maxsize=4096)
def tour_after(service: Service, time_ms: int) -> Tour:
    """The first tour that ends after a time; where holidays leave none within 30 days, the last looked at."""
    for _ in range(LOOK_DAYS):
        tour = Tour(*window_after(service.timezone, time_ms, service.begin_min, service.end_min))
        if local_date(service.timezone, tour.begin_ms).weekday() in service.weekdays and not is_holiday(service, tour):
            return tour
        time_ms = tour.end_ms
    return tour


def is_holiday(service: Service, tour: Tour) -> bool:
    """Whether a tour would begin on a public holiday."""
    return local_date(service.timezone, tour.begin_ms) in _holidays()


@lru_cache(maxsize=1)
def _holidays() -> Container[date]:
    from holidays import country_holidays  # noqa: PLC0415 - half a second to import, where it is needed only

    return country_holidays("DE", subdiv="NW")
