"""Days and years of the city's calendar, and the three parts of a noise day."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from rules.local_time import day_of, window_after

PartName = Literal["day", "evening", "night"]
PARTS: dict[PartName, tuple[int, int]] = {"day": (6, 18), "evening": (18, 22), "night": (22, 6)}
"""First and last hour (34. BImSchV § 2 with Directive 2002/49/EC, annex I)."""
MINUTES = 60


class Day(NamedTuple):
    """A local day: its first ms, the first ms of the next one, its year."""

    begin_ms: int
    end_ms: int
    year: int


class Part(NamedTuple):
    """Part of a noise day: its first ms and the first ms after it; a night has 7, 8 or 9 hours."""

    name: PartName
    begin_ms: int
    end_ms: int


@lru_cache(maxsize=256)
def day_at(timezone: str, time_ms: int) -> Day:
    """The local day of a time (ms since 1970, UTC)."""
    begin_ms, end_ms = day_of(timezone, time_ms)
    return Day(begin_ms, end_ms, _local(timezone, begin_ms).year)


@lru_cache(maxsize=64)
def year_begin_ms(timezone: str, year: int) -> int:
    """The first ms of a local year."""
    return round(datetime(year, 1, 1, tzinfo=ZoneInfo(timezone)).timestamp()) * 1000


@lru_cache(maxsize=256)
def part_at(timezone: str, time_ms: int) -> Part:
    """The part of a noise day in which a time lies."""
    hour = _local(timezone, time_ms).hour
    for name, (first, last) in PARTS.items():
        if first <= hour < last or (last < first and not last <= hour < first):
            return Part(name, *window_after(timezone, time_ms, first * MINUTES, last * MINUTES))
    raise ValueError(f"no part of the day has the hour {hour}")


def _local(timezone: str, time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(ZoneInfo(timezone))
