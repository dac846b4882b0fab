"""Reading a GTFS feed."""

import json
import zipfile
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest.app import read_city
from ingest.gtfs import read, with_timetables
from ingest.settings import SettingsError, given
from rules.traffic.timetable import Call, FeedError, timetable_of
from tests.rules.traffic.town import asset

TABLES = {
    "stops.txt": "\ufeffstop_id,stop_name,parent_station\nA,Markt,\nB1,Bahnhof Steig 1,B\nB,Bahnhof,\nC,Depot,\n",
    "routes.txt": "route_id,route_type\nr3,3\nr700,700\nrail,2\n",
    "trips.txt": "route_id,service_id,trip_id\nr3,daily,t1\nr700,daily,t2\nrail,daily,t3\nr3,daily,t4\n",
    "stop_times.txt": (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        't1,08:00:00,08:00:00,A,1\nt2,08:05:00,"08:06:00",B1,1\nt3,08:07:00,08:07:00,B1,1\nt4,09:00:00,09:00:00,C,1\n'
        "t1,,,A,2\n"
    ),
    "calendar.txt": (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "daily,1,1,1,1,1,1,1,20260101,20261231\n"
    ),
}


def feed(folder: Path, **changes: str | None) -> Path:
    """A feed as a file; a table given as None is left out."""
    tables = {**TABLES, **{f"{name}.txt": text for name, text in changes.items()}}
    file = folder / "feed.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in tables.items():
            if text is not None:
                archive.writestr(name, text)
    return file


def test_only_buses_at_the_asked_stops_are_kept(tmp_path: Path) -> None:
    """Platforms belong to their station; trains, other stops and calls without a time are left out."""
    found = read(feed(tmp_path), ["A", "B"])
    assert found.calls == (Call("t1", "A", 28_800), Call("t2", "B1", 29_160))
    assert found.services == {"t1": "daily", "t2": "daily"}


def test_corridors_get_their_timetables(tmp_path: Path) -> None:
    """A corridor without stops stays as it is."""
    assets = [asset("road", "corridor", bus_stops=["A", "B"]), asset("path", "corridor")]
    road, path = with_timetables(assets, feed(tmp_path), ZoneInfo("Europe/Berlin"))
    found = timetable_of(road)
    assert found is not None
    assert [seconds for _, seconds in found.services] == [(28_800, 29_160)]
    assert path is assets[1]


FREQUENCIES = "trip_id,start_time,end_time,headway_secs,exact_times\n"
LOOP = """trip_id,arrival_time,departure_time,stop_id,stop_sequence
t1,04:05:00,04:06:00,A,2
t1,04:00:00,04:00:00,C,1
t2,08:05:00,08:06:00,B1,1
"""


@pytest.mark.parametrize("exact", ["0", "1", ""])
def test_a_repeated_trip_calls_once_for_each_departure(tmp_path: Path, exact: str) -> None:
    """From the start on, before the end, as long after a departure as its table says; the table itself is no trip."""
    rows = f"t1,06:00:00,07:00:00,1200,{exact}\nt1,25:00:00,25:00:01,600,{exact}\nt9,06:00:00,07:00:00,60,\n"
    found = read(feed(tmp_path, stop_times=LOOP, frequencies=FREQUENCIES + rows), ["A", "B"])
    assert sorted((call.stop, call.second) for call in found.calls) == [
        *(("A", 21_600 + at + 360) for at in (0, 1200, 2400)),
        ("A", 90_000 + 360),
        ("B1", 29_160),
    ]
    assert set(found.services.values()) == {"daily"}
    assert len(found.services) == len(found.calls) == 5


def test_corridors_count_repeated_trips(tmp_path: Path) -> None:
    """Each departure is one bus of the corridor, at the first of its stops."""
    rows = FREQUENCIES + "t1,06:00:00,07:00:00,1200,1\n"
    file = feed(tmp_path, stop_times=LOOP, frequencies=rows)
    (road,) = with_timetables([asset("road", "corridor", bus_stops=["A", "C"])], file, ZoneInfo("Europe/Berlin"))
    found = timetable_of(road)
    assert found is not None
    assert [seconds for _, seconds in found.services] == [(21_600, 22_800, 24_000)]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("t1,06:00:00,07:00:00,0,", "headway_secs '0' of trip 't1', expected seconds above 0"),
        ("t1,06:00:00,07:00:00,-60,", "headway_secs '-60'"),
        ("t1,06:00:00,07:00:00,,", "headway_secs ''"),
        (f"t1,06:00:00,07:00:00,{'9' * 5000},", "headway_secs '999"),
        ("t1,six,07:00:00,60,", "hours:minutes:seconds"),
        ("t1,06:00:00", "headway_secs ''"),
        ("t1,0:00:00,9999999:00:00,1,", "more than 1000000 departures"),
        ("t1,0:00:00,200:00:00,1,\nt2,0:00:00,200:00:00,1,", "more than 1000000 departures"),
    ],
)
def test_frequencies_that_are_none_are_named(tmp_path: Path, row: str, expected: str) -> None:
    """With what was expected; so many departures that no city has them are refused before they are counted out."""
    with pytest.raises(FeedError, match=expected):
        read(feed(tmp_path, frequencies=FREQUENCIES + row), ["A"])


def test_a_repeated_trip_without_times_does_not_run(tmp_path: Path) -> None:
    """Neither one that never calls, nor one that ends before it begins."""
    rows = FREQUENCIES + "t4,06:00:00,07:00:00,600,\nt2,07:00:00,06:00:00,600,\n"
    found = read(feed(tmp_path, frequencies=rows), ["A", "B"])
    assert found.calls == (Call("t1", "A", 28_800),)


@pytest.mark.parametrize("table", ["stops", "routes", "trips", "stop_times"])
def test_a_missing_table_is_named(tmp_path: Path, table: str) -> None:
    """The error says which one."""
    with pytest.raises(FeedError, match=f"{table}.txt is missing"):
        read(feed(tmp_path, **{table: None}), ["A"])


def test_a_feed_without_calendars_reads(tmp_path: Path) -> None:
    """Either calendar may be missing."""
    assert read(feed(tmp_path, calendar=None), ["A"]).calendar == ()


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 broken"])
def test_what_is_no_feed_is_said_so(tmp_path: Path, content: bytes) -> None:
    """One line with the file's name."""
    file = tmp_path / "feed.zip"
    file.write_bytes(content)
    with pytest.raises(FeedError, match="no GTFS feed"):
        read(file, ["A"])
    with pytest.raises(FeedError, match="no GTFS feed"):
        read(tmp_path / "missing.zip", ["A"])


def test_a_time_that_is_none_is_named(tmp_path: Path) -> None:
    """With what was expected."""
    broken = "trip_id,departure_time,stop_id\nt1,eight,A\n"
    with pytest.raises(FeedError, match="hours:minutes:seconds"):
        read(feed(tmp_path, stop_times=broken), ["A"])


def test_a_time_longer_than_any_is_named(tmp_path: Path) -> None:
    """As one that is none, whatever Python makes of five thousand digits."""
    broken = f"trip_id,departure_time,stop_id\nt1,{'9' * 5000}:00:00,A\n"
    with pytest.raises(FeedError, match="hours:minutes:seconds"):
        read(feed(tmp_path, stop_times=broken), ["A"])


def test_a_row_may_be_short(tmp_path: Path) -> None:
    """A cell that is not there is empty; a calendar without its dates is refused by name."""
    short = "service_id,monday,start_date,end_date\ndaily,1\n"
    with pytest.raises(FeedError, match="calendar: date ''"):
        with_timetables([asset("road", "corridor", bus_stops=["A"])], feed(tmp_path, calendar=short), ZoneInfo("UTC"))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_archive_is_no_feed(tmp_path: Path, method: int) -> None:
    """Each byte overwritten in turn, however the tables are packed: the feed, or one line, and no file stays open."""
    file = tmp_path / "feed.zip"
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, text in TABLES.items():
            archive.writestr(name, text)
    whole = file.read_bytes()
    for at in range(len(whole)):
        file.write_bytes(whole[:at] + bytes((whole[at] ^ 0xFF,)) + whole[at + 1 :])
        with suppress(FeedError):
            read(file, ["A", "B"])


def test_the_setting_is_named(tmp_path: Path) -> None:
    """A city whose feed cannot be read is refused with the name of the setting."""
    (tmp_path / "city.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    (tmp_path / "feed.zip").write_bytes(b"no zip")
    settings = given(city={"file": tmp_path / "city.geojson", "gtfs": tmp_path / "feed.zip"})
    assert read_city(settings).assets == {}, "without corridors nobody reads the feed"
    corridor = {
        "type": "Feature",
        "id": "corridor-1",
        "geometry": {"type": "LineString", "coordinates": [[7.8, 51.6], [7.9, 51.6]]},
        "properties": {"kind": "corridor", "name": "C", "bus_stops": ["s1"]},
    }
    (tmp_path / "city.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [corridor]}))
    with pytest.raises(SettingsError, match=r"city\.gtfs: .*no GTFS feed"):
        read_city(settings)
