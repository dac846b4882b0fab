"""A GTFS feed (zip) read as far as bus priority needs it: only calls at the stops of corridors are kept.

Trips of `frequencies.txt` (GTFS Schedule reference, gtfs.org) are departures from their first stop at equal intervals,
from `start_time` on and before `end_time`; their times in `stop_times.txt` tell only how long they take. That is the
timetable where `exact_times` is 1; where it is not, buses keep to the interval alone, and as many are on the way.
"""

import csv
import io
import lzma
import zipfile
import zlib
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rules.asset import Asset
from rules.traffic.timetable import BUS, LONGEST, Call, Feed, FeedError, Row, attach, second_of_day, stops_of

MAX_TABLE_BYTES = 2_000_000_000
MOST_DEPARTURES = 1_000_000
"""That the tables of frequencies may stand for: ten thousand trips a day in a hundred calendars."""
REPEAT = "\x00"
"""Between a trip and its departure; no id holds it."""
BAD_ARCHIVE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError)
"""What reading a broken archive, or one packed in another way, may raise."""


class Frequency(NamedTuple):
    """Departures of a trip from its first stop: seconds of its service day, `end` excluded."""

    begin: int
    end: int
    every: int


def with_timetables(assets: Iterable[Asset], file: Path, zone: ZoneInfo) -> list[Asset]:
    """The assets, corridors with the timetables of the feed; raises FeedError or CityError."""
    listed = list(assets)
    stops = {stop for asset in listed if asset.kind == "corridor" for stop in stops_of(asset)}
    return attach(listed, read(file, stops), zone) if stops else listed


def read(file: Path, stops: Iterable[str]) -> Feed:
    """The part of a feed about these stops and the stops within them; raises FeedError."""
    try:
        with file.open("rb") as raw, zipfile.ZipFile(raw) as feed:
            return _feed(feed, set(stops))
    except (OSError, *BAD_ARCHIVE, UnicodeDecodeError, csv.Error) as error:
        raise FeedError(f"{file}: no GTFS feed: {error or 'it ends too early'}") from error


def _feed(feed: zipfile.ZipFile, stops: set[str]) -> Feed:
    parents = {
        row.get("stop_id", ""): row["parent_station"] for row in _rows(feed, "stops.txt") if row.get("parent_station")
    }
    inside = stops | {stop for stop, parent in parents.items() if parent in stops}
    buses = {row.get("route_id", "") for row in _rows(feed, "routes.txt") if row.get("route_type") in BUS}
    services = {
        row.get("trip_id", ""): row.get("service_id", "")
        for row in _rows(feed, "trips.txt")
        if row.get("route_id") in buses
    }
    calls = _calls(feed, inside, services)
    frequencies = _frequencies(feed, services)
    if frequencies:
        calls, services = _repeated(calls, services, frequencies, _starts(feed, frequencies))
    used = {call.trip for call in calls}
    return Feed(
        tuple(calls),
        {trip: service for trip, service in services.items() if trip in used},
        tuple(_rows(feed, "calendar.txt", needed=False)),
        tuple(_rows(feed, "calendar_dates.txt", needed=False)),
        {stop: parent for stop, parent in parents.items() if parent in stops},
    )


def _calls(feed: zipfile.ZipFile, inside: set[str], services: Mapping[str, str]) -> list[Call]:
    return [
        Call(row.get("trip_id", ""), row["stop_id"], second_of_day(row["departure_time"]))
        for row in _rows(feed, "stop_times.txt")
        if row.get("stop_id") in inside and row.get("departure_time") and row.get("trip_id") in services
    ]


def _frequencies(feed: zipfile.ZipFile, services: Mapping[str, str]) -> dict[str, list[Frequency]]:
    """By trip when it is repeated; raises FeedError."""
    found: dict[str, list[Frequency]] = {}
    left = MOST_DEPARTURES
    for row in _rows(feed, "frequencies.txt", needed=False):
        trip, headway = row.get("trip_id", ""), row.get("headway_secs", "").strip()
        if trip not in services:
            continue
        if not headway.isdecimal() or len(headway) > LONGEST or not int(headway):
            raise FeedError(
                f"frequencies.txt: headway_secs {headway!r:.40} of trip {trip!r:.40}, expected seconds above 0"
            )
        begin, end = (second_of_day(row.get(name, "")) for name in ("start_time", "end_time"))
        frequency = Frequency(begin, end, int(headway))
        left -= len(range(*frequency))
        if left < 0:
            raise FeedError(f"frequencies.txt: more than {MOST_DEPARTURES} departures")
        found.setdefault(trip, []).append(frequency)
    return found


def _starts(feed: zipfile.ZipFile, trips: Container[str]) -> dict[str, int]:
    """When these trips leave their first stop in their table, in seconds: what their other times are measured from."""
    found: dict[str, int] = {}
    for row in _rows(feed, "stop_times.txt"):
        trip, departure = row.get("trip_id", ""), row.get("departure_time")
        if trip in trips and departure:
            second = second_of_day(departure)
            found[trip] = min(second, found.get(trip, second))
    return found


def _repeated(
    calls: Iterable[Call],
    services: Mapping[str, str],
    frequencies: Mapping[str, Iterable[Frequency]],
    starts: Mapping[str, int],
) -> tuple[list[Call], dict[str, str]]:
    """The calls, those of a repeated trip once for each of its departures, and the service of each trip then."""
    found: list[Call] = []
    known = dict(services)
    for call in calls:
        if call.trip not in frequencies:
            found.append(call)
            continue
        for frequency in frequencies[call.trip]:
            for begin in range(*frequency):
                trip = f"{call.trip}{REPEAT}{begin}"
                known[trip] = services[call.trip]
                found.append(Call(trip, call.stop, call.second - starts[call.trip] + begin))
    return found, known


def _rows(feed: zipfile.ZipFile, name: str, *, needed: bool = True) -> Iterator[Row]:
    """The rows of a table; one that is missing is empty or a FeedError."""
    try:
        info = feed.getinfo(name)
    except KeyError as error:
        if needed:
            raise FeedError(f"{feed.filename}: table {name} is missing") from error
        return
    if info.file_size > MAX_TABLE_BYTES:
        raise FeedError(f"{feed.filename}: table {name} has {info.file_size} bytes, {MAX_TABLE_BYTES} are the most")
    with feed.open(info) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
        yield from csv.DictReader(text, restval="")
