"""A GTFS feed (zip) read as far as bus priority needs it: only calls at the stops of corridors are kept."""

import csv
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from rules.asset import Asset
from rules.traffic.timetable import BUS, Call, Feed, FeedError, Row, attach, second_of_day, stops_of

MAX_TABLE_BYTES = 2_000_000_000
BAD_ARCHIVE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError)
"""What reading a broken archive, or one packed in another way, may raise."""


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
    calls = [
        Call(row.get("trip_id", ""), row["stop_id"], second_of_day(row["departure_time"]))
        for row in _rows(feed, "stop_times.txt")
        if row.get("stop_id") in inside and row.get("departure_time") and row.get("trip_id") in services
    ]
    used = {call.trip for call in calls}
    return Feed(
        tuple(calls),
        {trip: service for trip, service in services.items() if trip in used},
        tuple(_rows(feed, "calendar.txt", needed=False)),
        tuple(_rows(feed, "calendar_dates.txt", needed=False)),
        {stop: parent for stop, parent in parents.items() if parent in stops},
    )


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
