"""What is added to the example city by hand, so that also happens what chance does not bring in a day of summer.

Places with devices of their own, what those say over a fortnight before the simulation and in its last hours, and
events whose rules want more than a fortnight.
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from decoders import catalog
from decoders.measurement import Reading
from decoders.quantity import Quantity
from ingest.events_example import example
from ingest.mqtt import Message
from rules.event import Event
from rules.event_parking import GuidanceHealth, SensorSuspicion
from rules.event_route import RoutePlanned
from tests.ingest.uplinks import event, raw, rfc3339, topic

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
T0 = 1_784_131_200_000
"""Wednesday, 15 July 2026, 16:00 UTC: when the simulation begins."""
END = T0 + 26 * HOUR
BEFORE = T0 - 14 * DAY
STRANGE = END - 6 * HOUR
"""When the weather turns, a container burns and a river rises."""
QUIET = END - 3 * HOUR
"""The last word of the devices by hand: their gateway falls silent."""

WEATHER, NOISE, GAUGE, ROAD = (f"70b3d57ed00003{number:02x}" for number in range(1, 5))
BIN, HOT_BIN, LAMP, METER = (f"70b3d57ed00003{number:02x}" for number in range(5, 9))
MODELS = {
    WEATHER: "seeed/sensecap-s2120",
    NOISE: "elsys/generic",
    GAUGE: "milesight/em500-swl",
    ROAD: "decentlab/dl-cws2",
    BIN: "milesight/em310-udl",
    HOT_BIN: "pepperl-fuchs/wilsen-sonic",
    LAMP: "nas/luminaire",
    METER: "milesight/ct101",
}
PROFILES = {f"By hand {model}": model for model in MODELS.values()}
GAUGE_MM = 2650
DEPTH_MM = 900
LAMP_STATUS = bytes.fromhex("dfd41d5e004b041502ae05050aff32030306ff00")
"""The status of a luminaire as its maker prints it (tests/vectors/lighting)."""
METER_STATUS = bytes.fromhex("039710270000049910270200")
"""A current transformer: 100 A·h in all, 100 A (tests/vectors/other)."""

DISTRICT = "district-mitte"
FEATURES: tuple[tuple[str, str, tuple[str, ...], dict[str, object]], ...] = (
    ("station-by-hand", "station", (WEATHER, NOISE), {"noise_area": "WA", "heat_needs_warm_night": False}),
    ("gauge-by-hand", "gauge", (GAUGE,), {f"information_value_{n}_cm": 100 + 50 * n for n in (1, 2, 3)}),
    ("road-by-hand", "road_section", (ROAD,), {}),
    ("container-by-hand", "container", (BIN,), {"depth_mm": DEPTH_MM, "sensor_offset_mm": 0}),
    ("lot-unheard", "lot", ("70b3d57ed0000309", "70b3d57ed000030a"), {"capacity": 8}),
    ("container-hot", "container", (HOT_BIN,), {"depth_mm": DEPTH_MM, "sensor_offset_mm": 0}),
)
BUSES = {
    "stops.txt": "stop_id,stop_name,parent_station\nA,Marker Allee,\nB,Ostring,\n",
    "routes.txt": "route_id,route_type\nr3,3\n",
    "trips.txt": "route_id,service_id,trip_id\nr3,daily,t1\n",
    "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nt1,00:00:00,00:00:00,A,1\n",
    "frequencies.txt": "trip_id,start_time,end_time,headway_secs,exact_times\nt1,00:00:00,24:00:00,600,1\n",
    "calendar.txt": (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "daily,1,1,1,1,1,1,1,20260101,20261231\n"
    ),
}


def city_with_more(shipped: Path, folder: Path) -> tuple[Path, Path]:
    """The city file with what is added, and a timetable for its corridor."""
    town = json.loads(shipped.read_text(encoding="utf-8"))
    for feature in town["features"]:
        if feature["properties"]["kind"] == "corridor":
            feature["properties"] |= {"bus_stops": ["A", "B"], "capacity_vehicles_per_hour": 1200}
    town["features"] += [_feature(*each) for each in FEATURES]
    city, buses = folder / "city.geojson", folder / "buses.zip"
    city.write_text(json.dumps(town), encoding="utf-8")
    with zipfile.ZipFile(buses, "w") as archive:
        for name, table in BUSES.items():
            archive.writestr(name, table)
    return city, buses


def _feature(name: str, kind: str, devices: tuple[str, ...], properties: dict[str, object]) -> dict[str, Any]:
    own = {"kind": kind, "name": name, "district": DISTRICT, "devices": [{"dev_eui": each} for each in devices]}
    point = {"type": "Point", "coordinates": [7.82, 51.68]}
    return {"type": "Feature", "id": name, "geometry": point, "properties": {**own, **properties}}


# -- what the devices say ---------------------------------------------------------------------------------------------


def uplinks(begin_ms: int, end_ms: int) -> Iterator[Message]:
    """What the devices by hand send in [begin_ms, end_ms), in the order of time."""
    for time_ms in range(begin_ms, min(end_ms, QUIET), 5 * MINUTE):
        if time_ms % (10 * MINUTE):
            continue
        hourly = time_ms % HOUR == 0
        if hourly:
            yield _sent(BIN, time_ms, 85, *_bin(time_ms))
        if time_ms < T0 - 2 * DAY:
            continue
        yield _sent(WEATHER, time_ms, 3, *_weather(time_ms))
        yield _sent(NOISE, time_ms, 5, *_noise(time_ms))
        yield _sent(GAUGE, time_ms, 85, Reading(Quantity.BATTERY_LEVEL, 90), _level(time_ms))
        yield _sent(ROAD, time_ms, 1, *_road(time_ms))
        if hourly:
            yield _sent(HOT_BIN, time_ms, 1, *_hot(time_ms))
            yield _raw(LAMP, time_ms, 24, LAMP_STATUS)
            yield _raw(METER, time_ms, 85, METER_STATUS)


def _sent(dev_eui: str, time_ms: int, f_port: int, *readings: Reading) -> Message:
    return _raw(dev_eui, time_ms, f_port, catalog.codec(MODELS[dev_eui]).encode(f_port, readings))


def _raw(dev_eui: str, time_ms: int, f_port: int, payload: bytes) -> Message:
    ahead_ms = 20 * MINUTE if dev_eui == LAMP and time_ms == STRANGE else 0
    said = event(
        dev_eui,
        payload=payload,
        f_port=f_port,
        f_cnt=(time_ms - BEFORE) // (10 * MINUTE),
        time_ms=time_ms,
        profile=f"By hand {MODELS[dev_eui]}",
        time=rfc3339(time_ms + ahead_ms),
    )
    return raw(json.dumps(said).encode(), where=topic(dev_eui))


def _bin(time_ms: int) -> tuple[Reading, ...]:
    """Full in five days and emptied, at last 60 % full; its battery is at its end in the last days."""
    hours = (time_ms - BEFORE) // HOUR
    distance = DEPTH_MM - round(7.5 * ((hours + 74) % 120))
    return (
        Reading(Quantity.BATTERY_LEVEL, max(5, 75 - hours // 5)),
        Reading(Quantity.DISTANCE, distance),
        Reading(Quantity.TILTED, 0.0),
    )


def _weather(time_ms: int) -> tuple[Reading, ...]:
    """Rain without end and gusts in the last hours."""
    strange = time_ms >= STRANGE
    rained = max(0, time_ms - STRANGE) / MINUTE * 0.6
    return (
        Reading(Quantity.AIR_TEMPERATURE, 31.0),
        Reading(Quantity.AIR_HUMIDITY, 55),
        Reading(Quantity.ILLUMINANCE, 20_000),
        Reading(Quantity.UV_INDEX, 3.0),
        Reading(Quantity.WIND_SPEED, 12.0 if strange else 3.0),
        Reading(Quantity.WIND_DIRECTION, 240),
        Reading(Quantity.PRECIPITATION_RATE, 36.0 if strange else 0.0),
        Reading(Quantity.AIR_PRESSURE, 1003.0),
        Reading(Quantity.WIND_GUST, 25.0 if strange else 5.0),
        Reading(Quantity.PRECIPITATION_TOTAL, round(100 + rained, 1)),
    )


def _noise(time_ms: int) -> tuple[Reading, ...]:
    """A loud street, and one temperature that nobody believes."""
    return (
        Reading(Quantity.AIR_TEMPERATURE, 60.0 if time_ms == STRANGE else 30.0 + time_ms // HOUR % 3 / 10),
        Reading(Quantity.AIR_HUMIDITY, 50 + time_ms // HOUR % 2),
        Reading(Quantity.SOUND_LEVEL_PEAK, 80),
        Reading(Quantity.SOUND_LEVEL_AVERAGE, 66 + time_ms // (10 * MINUTE) % 3),
    )


def _level(time_ms: int) -> Reading:
    """A river that rises in an hour, slowly enough to be believed."""
    risen = min(GAUGE_MM - 900, max(0, time_ms - STRANGE) // (10 * MINUTE) * 400)
    return Reading(Quantity.WATER_LEVEL, 900 + risen)


def _road(time_ms: int) -> tuple[Reading, ...]:
    """Freezing from the strange hours on, by a degree in ten minutes."""
    fallen = min(12.0, max(0, time_ms - STRANGE) / (10 * MINUTE))
    air, surface = 10.0 - fallen, 10.0 - fallen
    readings = (
        Reading(Quantity.AIR_TEMPERATURE, air, "radiation_shield"),
        Reading(Quantity.AIR_HUMIDITY, 97.0, "radiation_shield"),
        Reading(Quantity.SURFACE_TEMPERATURE, surface),
        Reading(Quantity.AIR_TEMPERATURE, air),
        Reading(Quantity.AIR_HUMIDITY, 97.0),
        Reading(Quantity.DEW_POINT, round(air - 0.4, 2)),
        Reading(Quantity.TILT_ANGLE, 3),
        Reading(Quantity.DEVICE_TEMPERATURE, air),
        Reading(Quantity.BATTERY_VOLTAGE, 3.0),
    )
    codec = catalog.codec(MODELS[ROAD])
    (measurement,) = codec.decode(1, codec.encode(1, readings), 0)
    return measurement.readings


def _hot(time_ms: int) -> tuple[Reading, ...]:
    return (
        Reading(Quantity.DISTANCE, 500),
        Reading(Quantity.AIR_TEMPERATURE, 95.0 if time_ms >= STRANGE else 25.0),
        Reading(Quantity.BATTERY_VOLTAGE, 3.5),
    )


# -- what nobody can wait for -----------------------------------------------------------------------------------------


def told() -> tuple[Event, ...]:
    """Events as their rules would tell them: a suspicion, trouble with guidance, a tour that was confirmed."""
    return (
        _made(SensorSuspicion, "lot-bahnhof", rule="parking.space_days", state="suspicious"),
        _made(GuidanceHealth, "zone-innenstadt", rule="parking.guidance", state="problem"),
        _made(
            RoutePlanned,
            "vehicle-1",
            rule="waste.route_planned",
            status="confirmed",
            distance=23_400,
            fixed_distance=30_100,
        ),
    )


def _made(kind: type[Event], subject: str, **data: object) -> Event:
    fields = example(kind.model_json_schema(), {})
    instant = "2026-07-16T12:00:00Z"
    own = {**fields["data"], **data}
    return kind.model_validate({**fields, "subject": subject, "time": instant, "data": own})
