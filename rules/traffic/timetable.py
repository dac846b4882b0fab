"""When buses come by, from the tables of a GTFS feed (GTFS Schedule reference, gtfs.org).

Times count from noon minus twelve hours of the service day, so that they also hold on the days of clock changes, and
go beyond 24:00 for trips after midnight.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rules.asset import Asset, CityError

TIMETABLE = "\x00timetable"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ADDED, REMOVED = "1", "2"
BUS = frozenset({"3", "11", *(str(number) for number in range(700, 720)), "800"})
"""Route types of buses and trolleybuses, extended ones included."""
LONGEST = 10
"""Digits that a part of a time may have."""
Row = Mapping[str, str]


class FeedError(ValueError):
    """A feed that cannot be used; the message names the table and what was expected."""


class Call(NamedTuple):
    """A trip at a stop: seconds of its service day."""

    trip: str
    stop: str
    second: int


@dataclass(frozen=True, slots=True)
class Feed:
    """What is needed of a feed: calls at stops, the service of each bus trip, calendars, children of stations."""

    calls: tuple[Call, ...]
    services: Mapping[str, str]
    calendar: tuple[Row, ...]
    exceptions: tuple[Row, ...]
    parents: Mapping[str, str]


class Service(NamedTuple):
    """On which days a service runs: weekdays within a span, days added, days removed."""

    weekdays: tuple[bool, ...]
    begin: date
    end: date
    added: tuple[date, ...]
    removed: tuple[date, ...]

    def runs(self, day: date) -> bool:
        """Whether it runs on that day."""
        if day in self.added:
            return True
        return self.begin <= day <= self.end and self.weekdays[day.weekday()] and day not in self.removed


@dataclass(frozen=True, slots=True)
class Timetable:
    """Departures of the trips along a corridor, each counted once, in seconds of the service day, sorted."""

    zone: str
    services: tuple[tuple[Service, tuple[int, ...]], ...]

    @property
    def last_day(self) -> date:
        """The last day that it knows of."""
        return max((max((service.end, *service.added)) for service, _ in self.services), default=date.min)

    @property
    def first_day(self) -> date:
        """The first day that it knows of."""
        return min((min((service.begin, *service.added)) for service, _ in self.services), default=date.max)

    def knows(self, time_ms: int) -> bool:
        """Whether a time (ms since 1970, UTC) lies within its days: outside of them no bus says nothing."""
        today = datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(ZoneInfo(self.zone)).date()
        return self.first_day <= today <= self.last_day

    def buses(self, begin_ms: int, end_ms: int) -> int:
        """Departures from begin (included) to end (excluded), ms since 1970 (UTC)."""
        zone = ZoneInfo(self.zone)
        today = datetime.fromtimestamp(begin_ms / 1000, UTC).astimezone(zone).date()
        total = 0
        for back in range(-1, 3):
            day = today - timedelta(days=back)
            noon = datetime.combine(day, time(12), zone)
            start_ms = round(noon.timestamp()) * 1000 - 12 * 3_600_000
            first, last = (begin_ms - start_ms) / 1000, (end_ms - start_ms) / 1000
            for service, seconds in self.services:
                if service.runs(day):
                    total += bisect_left(seconds, last) - bisect_left(seconds, first)
        return total


def attach(assets: Iterable[Asset], feed: Feed, zone: ZoneInfo) -> list[Asset]:
    """The same assets, corridors with `bus_stops` with their timetables; CityError for stops that are not there."""
    return [_with(asset, feed, zone) if asset.kind == "corridor" else asset for asset in assets]


def timetable_of(asset: Asset) -> Timetable | None:
    """The timetable of a corridor; None where no feed was read or it has no stops."""
    found = asset.properties.get(TIMETABLE)
    return found if isinstance(found, Timetable) else None


def stops_of(asset: Asset) -> tuple[str, ...]:
    """The ids of the stops along a corridor; raises CityError."""
    value = asset.properties.get("bus_stops", [])
    if not isinstance(value, list) or any(not isinstance(each, str) for each in value):
        raise asset.error("bus_stops", value, "a list of stop ids of the GTFS feed")
    return tuple(value)


def second_of_day(text: str) -> int:
    """Seconds of a GTFS time like 25:10:00; raises FeedError."""
    parts = text.strip().split(":")
    if len(parts) != 3 or not all(part.strip().isdecimal() and len(part) <= LONGEST for part in parts):  # noqa: PLR2004 - h, m, s
        raise FeedError(f"stop_times.txt: time {text!r:.40}, expected hours:minutes:seconds")
    hours, minutes, seconds = map(int, parts)
    return hours * 3600 + minutes * 60 + seconds


def _with(asset: Asset, feed: Feed, zone: ZoneInfo) -> Asset:
    stops = set(stops_of(asset))
    if not stops:
        return asset
    inside = stops | {stop for stop, parent in feed.parents.items() if parent in stops}
    first: dict[str, int] = {}
    for trip, stop, second in feed.calls:
        if stop in inside and trip in feed.services:
            first[trip] = min(second, first.get(trip, second))
    if not first:
        raise CityError(f"feature {asset.id!r}: no bus of the GTFS feed calls at its bus_stops {sorted(stops)!r:.80}")
    by_service: dict[str, list[int]] = {}
    for trip, second in first.items():
        by_service.setdefault(feed.services[trip], []).append(second)
    known = _services(feed)
    found = [(known[name], tuple(sorted(seconds))) for name, seconds in sorted(by_service.items()) if name in known]
    return replace(asset, properties={**asset.properties, TIMETABLE: Timetable(zone.key, tuple(found))})


def _services(feed: Feed) -> dict[str, Service]:
    found: dict[str, Service] = {}
    for row in feed.calendar:
        weekdays = tuple(row.get(day) == "1" for day in DAYS)
        span = (_day(row.get("start_date", "")), _day(row.get("end_date", "")))
        found[row.get("service_id", "")] = Service(weekdays, *span, (), ())
    for row in feed.exceptions:
        name, day = row.get("service_id", ""), _day(row.get("date", ""))
        service = found.get(name) or Service((False,) * 7, day, day, (), ())
        if row.get("exception_type") == ADDED:
            service = service._replace(added=(*service.added, day))
        elif row.get("exception_type") == REMOVED:
            service = service._replace(removed=(*service.removed, day))
        found[name] = service
    return found


def _day(text: str) -> date:
    try:
        return datetime.strptime(text.strip(), "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise FeedError(f"calendar: date {text!r:.40}, expected eight digits like 20260131") from error
