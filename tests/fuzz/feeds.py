"""Fuzzed: a GTFS feed, as bytes of a zip file and as tables inside one, and the timetables that it becomes."""

import io
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from ingest.gtfs import with_timetables
from rules.asset import Asset, CityError
from rules.traffic.timetable import FeedError, timetable_of
from tests.fuzz.mutation import mutate_bytes
from tests.fuzz.target import Target
from tests.rules.traffic.town import asset

ZONE = ZoneInfo("Europe/Berlin")
NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000
TABLES: Mapping[str, str] = {
    "stops.txt": "\ufeffstop_id,stop_name,parent_station\nA,Markt,\nB1,Bahnhof Steig 1,B\nB,Bahnhof,\n",
    "routes.txt": "route_id,route_type\nr3,3\nr700,700\nrail,2\n",
    "trips.txt": "route_id,service_id,trip_id\nr3,daily,t1\nr700,extra,t2\nrail,daily,t3\n",
    "calendar.txt": "service_id,monday,tuesday,sunday,start_date,end_date\ndaily,1,1,0,20260101,20261231\n",
    "calendar_dates.txt": "service_id,date,exception_type\ndaily,20260501,2\nextra,20261224,1\n",
    "stop_times.txt": (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        't1,08:00:00,08:00:00,A,1\nt2,25:05:00,"25:06:00",B1,1\nt3,08:07:00,08:07:00,B1,1\n'
    ),
}
WORDS = (
    *("", "-1", "0", "99:59:59", "24:00:00", "8:0:0", "²:00:00", "\u0663:00:00", "9" * 5000 + ":00:00", "08:00", "::"),
    *(
        "20260101",
        "00010101",
        "99991231",
        "20260230",
        "\uff12\uff10260101",
        '"',
        '"a\nb"',
        "\0",
        "\ufeff",
        "A",
        "B1",
        "r3",
        "x" * 3000,
    ),
)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def run(data: bytes) -> None:
    """The corridor's timetable counts buses on any day."""
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        file.write(data)
        file.flush()
        (road,) = with_timetables([corridor()], Path(file.name), ZONE)
    timetable = timetable_of(road)
    assert timetable is not None
    assert timetable.last_day
    for _, seconds in timetable.services:
        assert list(seconds) == sorted(seconds)
    assert timetable.buses(NOW_MS, NOW_MS + DAY_MS) >= 0


def corridor() -> Asset:
    """A corridor with two stops of the feed."""
    return asset("road", "corridor", bus_stops=["A", "B"])


def packed(tables: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file of these tables, the same in every run."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, text in tables.items():
            archive.writestr(zipfile.ZipInfo(name), text, method)
    return made.getvalue()


def mutate(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """A table's bytes or one of its cells; half of the time the zip file itself."""
    if random.randint(0, 1):
        return mutate_bytes(random, data, others)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            tables = {item.filename: archive.read(item) for item in archive.infolist()}
    except Exception:  # noqa: BLE001 - whatever a damaged file does to the reader, this is not what is tested here
        return mutate_bytes(random, data, others)
    if not tables:
        return mutate_bytes(random, data, others)
    name = random.choice(list(tables))
    text = tables[name]
    if not random.randint(0, 7):
        del tables[name]
    else:
        tables[name] = _changed_cell(random, text) if random.randint(0, 2) else mutate_bytes(random, text, others)
    return packed(tables, random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))


def _changed_cell(random: Random, text: bytes) -> bytes:
    lines = text.split(b"\n")
    at = random.randrange(len(lines))
    cells = lines[at].split(b",")
    cells[random.randrange(len(cells))] = random.choice(WORDS).encode()
    lines[at] = b",".join(cells)
    return b"\n".join(lines)


def damaged() -> Iterator[bytes]:
    """Feeds in which something is missing from the last table, overwritten in it, or hides what is behind it."""
    for method in METHODS:
        whole = packed(TABLES, method)
        with zipfile.ZipFile(io.BytesIO(whole)) as archive:
            at = archive.infolist()[-1].header_offset + 30 + len("stop_times.txt")
        yield whole[: at + 20] + whole[at + 30 :]
        yield whole[: at + 20] + bytes(10) + whole[at + 30 :]
        yield whole[:29] + b"\xff" + whole[30:]


LONG = {**TABLES, "stop_times.txt": f"trip_id,departure_time,stop_id\nt1,{'9' * 5000}:0:0,A\n"}
SHORT = {**TABLES, "calendar.txt": "service_id,monday,start_date,end_date\ndaily,1\n"}
TARGETS = (
    Target(
        name="gtfs",
        run=run,
        refuses=(FeedError, CityError),
        seeds=(*(packed(TABLES, method) for method in METHODS), *map(packed, (LONG, SHORT, {})), *damaged()),
        mutate=mutate,
        weight=2.0,
    ),
)
