"""A day of a small city through the whole service into a real InfluxDB: all is well, then nothing, then all again."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from decoders import catalog
from decoders.measurement import Reading
from decoders.quantity import Privacy, Quantity
from ingest.fleet.lifecycle import State
from ingest.influx import InfluxSink
from ingest.line_protocol import encode
from ingest.mqtt import Message
from ingest.service_points import Figures, points
from ingest.settings import InfluxSettings, given
from tests.doubles.influxd import Database
from tests.ingest.bench import Bench
from tests.ingest.uplinks import event, raw, rfc3339, topic

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
BEGIN: Final = 1_784_160_000_000
"""Thursday, 16 July 2026, 00:00 UTC."""
WELL, ILL, HEALED = BEGIN + 8 * HOUR, BEGIN + 11 * HOUR, BEGIN + 16 * HOUR
"""The ends of the three parts."""
STEP: Final = 10 * MINUTE
SPACES = tuple(f"70b3d57ed00004{number:02x}" for number in range(8))
WEATHER, AIR, GAUGE = (f"70b3d57ed00005{number:02x}" for number in range(3))
EAST, WEST = "0016c001f1000001", "0016c001f1000002"
WESTERN = SPACES[:2]
"""Heard by the western gateway alone, which falls silent."""
SILENT = SPACES[2:4]
IN_MAINTENANCE = SPACES[6:]
"""Silent since the fifth hour, and nobody is to be alarmed."""
MODELS = {
    **dict.fromkeys(SPACES, "bosch/tps110"),
    WEATHER: "seeed/sensecap-s2120",
    AIR: "milesight/am308",
    GAUGE: "milesight/em500-swl",
}
PLACES: dict[str, tuple[tuple[str, ...], dict[str, object]]] = {
    "lot": (SPACES, {"capacity": 8}),
    "station": ((WEATHER, AIR), {"indicative": True}),
    "gauge": ((GAUGE,), {f"information_value_{n}_cm": 100 + 50 * n for n in (1, 2, 3)}),
}
BROKEN: Final = 40


class Story(NamedTuple):
    """The database and its buckets by the name of their class."""

    server: Database
    buckets: dict[str, str]


def city() -> dict[str, Any]:
    """A lot, a station, a gauge."""
    features = [
        {
            "type": "Feature",
            "id": kind,
            "geometry": {"type": "Point", "coordinates": [7.82, 51.68]},
            "properties": {"kind": kind, "name": kind, "devices": [{"dev_eui": each} for each in devices], **more},
        }
        for kind, (devices, more) in PLACES.items()
    ]
    return {"type": "FeatureCollection", "features": features}


def uplinks(now_ms: int) -> Iterator[Message]:
    """What the devices send at this time."""
    ill = WELL <= now_ms < ILL
    for number, dev_eui in enumerate(MODELS):
        away = dev_eui in WESTERN + SILENT if ill else dev_eui in IN_MAINTENANCE and now_ms >= BEGIN + 5 * HOUR
        if away:
            continue
        f_port, readings = _said(dev_eui, now_ms, ill=ill)
        payload = catalog.codec(MODELS[dev_eui]).encode(f_port, readings)
        heard = {
            "gatewayId": WEST if dev_eui in WESTERN else EAST,
            "uplinkId": number,
            "nsTime": rfc3339(now_ms),
            "rssi": -90,
            "snr": 8.0,
            "crcStatus": "CRC_OK",
        }
        said = event(
            dev_eui,
            payload=payload,
            f_port=f_port,
            f_cnt=(now_ms - BEGIN) // STEP,
            time_ms=now_ms,
            profile=MODELS[dev_eui],
            rxInfo=[heard],
        )
        yield raw(json.dumps(said).encode(), where=topic(dev_eui))
    if ill and now_ms >= ILL - 20 * MINUTE:
        yield from (raw(f"{{broken {now_ms} {number}".encode()) for number in range(BROKEN // 2))


def _said(dev_eui: str, now_ms: int, *, ill: bool) -> tuple[int, list[Reading]]:
    if dev_eui == WEATHER:
        return 3, _weather(now_ms)
    if dev_eui == AIR:
        return 85, _air(80 if ill else 3)
    if dev_eui == GAUGE:
        return 85, [Reading(Quantity.BATTERY_LEVEL, 90), Reading(Quantity.WATER_LEVEL, _level(now_ms))]
    return 1, [Reading(Quantity.OCCUPIED, float(now_ms // STEP % 2))]


def _weather(now_ms: int) -> list[Reading]:
    """30 mm within the last 50 minutes of the second part."""
    fallen = 6.0 * min(5, max(0, (now_ms - (ILL - HOUR)) // STEP))
    return [
        Reading(Quantity.AIR_TEMPERATURE, 18.0),
        Reading(Quantity.AIR_HUMIDITY, 60),
        Reading(Quantity.ILLUMINANCE, 20_000),
        Reading(Quantity.UV_INDEX, 3.0),
        Reading(Quantity.WIND_SPEED, 3.0),
        Reading(Quantity.WIND_DIRECTION, 240),
        Reading(Quantity.PRECIPITATION_RATE, 0.0),
        Reading(Quantity.AIR_PRESSURE, 1003.0),
        Reading(Quantity.WIND_GUST, 5.0),
        Reading(Quantity.PRECIPITATION_TOTAL, 100.0 + fallen),
    ]


def _air(particles: float) -> list[Reading]:
    return [
        Reading(Quantity.BATTERY_LEVEL, 92),
        Reading(Quantity.AIR_TEMPERATURE, 21.4),
        Reading(Quantity.AIR_HUMIDITY, 45.5),
        Reading(Quantity.PRESENCE, 1),
        Reading(Quantity.LIGHT_LEVEL, 4),
        Reading(Quantity.CO2, 655),
        Reading(Quantity.TVOC_MASS, 112),
        Reading(Quantity.AIR_PRESSURE, 1013.2),
        Reading(Quantity.PM2_5, particles),
        Reading(Quantity.PM10, particles),
    ]


def _level(now_ms: int) -> float:
    """90 cm, rising to 210 in an hour and a half, and as slowly down again."""
    risen = min(9, max(0, now_ms - WELL) // STEP) - min(9, max(0, now_ms - ILL) // STEP)
    return 900.0 + 1200 / 9 * risen // 1


async def tell(server: Database, new_bucket: Callable[[], str], folder: Path) -> Story:
    """Live through the three parts, and write all that came of it."""
    buckets = {name: new_bucket() for name in ("open", "internal", "personal")}
    (folder / "city.geojson").write_text(json.dumps(city()), encoding="utf-8")
    settings = given(
        city={"file": folder / "city.geojson"},
        journal={"path": folder / "journal.db"},
        codecs={"profiles": {model: model for model in MODELS.values()}},
        http={"enabled": False},
        telemetry={"log_level": "error"},
    )
    bench = Bench(settings, BEGIN)
    influx = InfluxSettings(
        url=server.url,
        token=server.token or "any:thing",
        organisation=server.organisation,
        **{f"bucket_{name}": bucket for name, bucket in buckets.items()},
    )
    async with bench.service.without_broker(), _closing(InfluxSink(influx)) as sink:
        for now_ms in range(BEGIN, HEALED, STEP):
            if now_ms == BEGIN + 5 * HOUR:
                await _maintain(bench, now_ms)
            bench.now_ms = now_ms
            await bench.send(*uplinks(now_ms))
            for minute in range(0, STEP, MINUTE):
                await bench.tick(now_ms + minute)
                await _write(sink, Privacy.INTERNAL, await _figures(bench, now_ms + minute))
        await _drain(bench, sink)
    return Story(server, buckets)


async def _maintain(bench: Bench, now_ms: int) -> None:
    for each in IN_MAINTENANCE:
        await bench.service.register.set_state(each, State.MAINTENANCE, now_ms, HEALED + DAY, "os:anna", "a test")


async def _figures(bench: Bench, now_ms: int) -> str:
    """The service's word on itself; while all is ill its journal is nearly full."""
    service = bench.service
    size = await service.journal.size()
    full = WELL <= now_ms < ILL
    figures = Figures(
        size=size,
        totals=service.telemetry.totals,
        journal_limit_bytes=int(size.bytes * 1.05) if full else service.settings.journal.max_bytes,
        lag_s=1.5,
        uptime_s=(now_ms - BEGIN) / 1000,
        waiting=0,
        problems=0,
        broker_connected=True,
        chain_age_s=12.0,
        chain_round_trip_s=0.4,
        sinks={},
    )
    return "\n".join(line for point in points(figures, now_ms) if (line := encode(point)))


@asynccontextmanager
async def _closing(sink: InfluxSink) -> AsyncIterator[InfluxSink]:
    try:
        yield sink
    finally:
        await sink.close()


async def _drain(bench: Bench, sink: InfluxSink) -> None:
    seq = 0
    while rows := await bench.service.journal.points_after(seq, 2000, HEALED):
        for row in rows:
            await _write(sink, row.privacy, row.body.decode())
        seq = rows[-1].seq


async def _write(sink: InfluxSink, privacy: Privacy, lines: str) -> None:
    assert await sink.write(privacy, lines.encode()) == []
