"""A real InfluxDB filled by the simulated city through the whole service, as dashboards find it."""

import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from decoders.quantity import Privacy
from ingest import answers
from ingest.event_points import point_of
from ingest.influx import InfluxSink
from ingest.journal_records import EventRow
from ingest.line_protocol import encode
from ingest.mqtt import Message
from ingest.service_points import Figures, SinkFigures, points
from ingest.settings import InfluxSettings, Settings, given
from rules.city import City
from simulator.play import Plan, Simulation
from tests.doubles.influxd import Database
from tests.ingest.bench import Bench
from tests.ingest.grafana.dashboards import town
from tests.ingest.grafana.dashboards.town import BEFORE, DAY, END, HOUR, MINUTE, T0
from tests.ingest.uplinks import raw

SHIPPED = Path(__file__).parents[4] / "deploy" / "city" / "hamm.geojson"
ACTIVE = ("measured", "queue_warning", "signal_plan", "green_wave", "bus_priority")
SEVERE = {
    "name": "storm",
    "kind": "station",
    "units": {"wind_gust": "m/s"},
    "when": 'max("wind_gust", "20m") > 20.0',
    "coverage": 0,
    "severity": "severe",
    "text_de": "{name}: Sturm",
    "text_en": "{name}: storm",
}
STEP = 5 * MINUTE
REQUESTS = "SELECT id, topic, payload FROM event WHERE acting = 1 AND status = 'pending' ORDER BY seq"
LOTS = """
SELECT topic, payload FROM event WHERE topic LIKE '%/parking/lot/%/state' ORDER BY seq
"""


class Truth(NamedTuple):
    """What really happened, from elsewhere than the database: counts of the service, requests, free spaces."""

    stored: int
    dead_letters: int
    requests: int
    free: float
    span: tuple[int, int]


class Town(NamedTuple):
    """The database, its buckets by class, and the truth."""

    server: Database
    buckets: dict[str, str]
    truth: Truth


def settings_of(folder: Path, *, by_hand: bool) -> Settings:
    """A service for the city, with what is added by hand if wanted, whose traffic rules act."""
    city, buses = town.city_with_more(SHIPPED, folder) if by_hand else (SHIPPED, None)
    return given(
        city={"file": city, "gtfs": buses},
        journal={"path": folder / "journal.db"},
        codecs={"profiles": town.PROFILES},
        http={"enabled": False},
        simulation={"accept": True, "acting": True},
        rules={"modes": {f"traffic.{name}": "active" for name in ACTIVE}, "custom": (SEVERE,) if by_hand else ()},
        telemetry={"log_level": "error"},
    )


class Play:
    """Lets time pass at a bench: messages, ticks, answers to requests, and the service's word on itself."""

    def __init__(self, bench: Bench, *, by_hand: bool) -> None:
        self.bench = bench
        self.by_hand = by_hand
        self.lines: list[str] = []
        self.requests: dict[str, str] = {}
        self._words: list[Message] = []

    async def before(self) -> None:
        """A fortnight of the devices by hand, with few ticks."""
        for begin_ms in range(BEFORE, T0, HOUR):
            await self.pass_time(list(town.uplinks(begin_ms, begin_ms + HOUR)), begin_ms + HOUR)

    async def day(self) -> None:
        """The simulated city and the devices by hand beside it."""
        city = City.parse(SHIPPED.read_text(encoding="utf-8"), "Europe/Berlin")
        simulation = Simulation(city, Plan(seed=5, start_ns=T0 * 10**6, faults=True))
        coming = simulation.messages(END * 10**6)
        ahead = next(coming, None)
        for begin_ms in range(T0, END, STEP):
            batch = list(town.uplinks(begin_ms, begin_ms + STEP)) if self.by_hand else []
            while ahead is not None and ahead.time_ns < (begin_ms + STEP) * 10**6:
                batch.append(raw(ahead.payload, where=ahead.topic))
                ahead = next(coming, None)
            await self.pass_time(batch, begin_ms + STEP)
            await self._note(begin_ms + STEP)

    async def pass_time(self, batch: list[Message], now_ms: int) -> None:
        """Deliver, tick, and answer what was asked for."""
        bench = self.bench
        bench.now_ms = now_ms
        await bench.send(*self._words, *batch)
        await bench.tick(now_ms)
        self._words = []
        for name, where, payload in await self._read(REQUESTS):
            if name not in self.requests:
                self.requests[name] = where
                self._words += _answered(name, where, json.loads(payload), now_ms)

    async def _note(self, now_ms: int) -> None:
        service = self.bench.service
        figures = Figures(
            size=await service.journal.size(),
            totals=service.telemetry.totals,
            journal_limit_bytes=service.settings.journal.max_bytes,
            lag_s=1.5,
            uptime_s=(now_ms - T0) / 1000,
            waiting=0,
            problems=0,
            broker_connected=True,
            chain_age_s=12.0,
            chain_round_trip_s=0.4,
            sinks={"influxdb": SinkFigures(0.0, 3)},
        )
        self.lines += [line for point in points(figures, now_ms) if (line := encode(point))]

    async def _read(self, query: str) -> list[tuple[Any, ...]]:
        return await self.bench.service.journal.query(lambda c: [tuple(row) for row in c.execute(query)])

    async def truth(self) -> Truth:
        """What happened, as journal and counters tell it."""
        totals = self.bench.service.telemetry.totals
        lots = {where: json.loads(payload)["data"] for where, payload in await self._read(LOTS)}
        free = sum(lot["capacity"] - lot["occupied"] for lot in lots.values() if lot["occupied"] is not None)
        traffic = [where for where in self.requests.values() if "/traffic/" in where]
        size = await self.bench.service.journal.size()
        return Truth(totals.stored, size.dead_letters, len(traffic), free, (BEFORE - DAY, END))


def _answered(name: str, where: str, request: dict[str, Any], now_ms: int) -> list[Message]:
    """The word that it went out, and the answer; the corridor's controller never answers."""
    sent = answers.sent(where, name, now_ms)
    words = [] if sent is None else [sent._replace(receipt=raw(b"").receipt)]
    if "/corridor/" in where:
        return words
    answer = {
        "specversion": "1.0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, name)),
        "source": "/controller",
        "type": "controller.answer",
        "time": datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(),
        "data": {"request_id": name, "status": "active", "plan": request["data"].get("plan")},
    }
    return [*words, raw(json.dumps(answer).encode(), where=f"{where}/status")]


@asynccontextmanager
async def closing(sink: InfluxSink) -> AsyncIterator[InfluxSink]:
    """The sink, closed at the end."""
    try:
        yield sink
    finally:
        await sink.close()


async def filled(server: Database, new_bucket: Callable[[], str], folder: Path, *, by_hand: bool = True) -> Town:
    """The database after a day of the city, and a fortnight by hand before it if wanted."""
    names = {name: new_bucket() for name in ("open", "internal", "personal")}
    bench = Bench(settings_of(folder, by_hand=by_hand), BEFORE if by_hand else T0)
    play = Play(bench, by_hand=by_hand)
    influx = InfluxSettings(
        url=server.url,
        token=server.token or "any:thing",
        organisation=server.organisation,
        **{f"bucket_{name}": bucket for name, bucket in names.items()},
    )
    async with bench.service.without_broker(), closing(InfluxSink(influx)) as sink:
        if by_hand:
            await play.before()
        await play.day()
        await _drain(bench, sink)
        await _write(sink, Privacy.INTERNAL, *play.lines)
        for event in town.told() if by_hand else ():
            point = point_of(event, EventRow.of(event, "pending"), bench.service.city.assets)
            assert point is not None, event
            await _write(sink, *point)
        truth = await play.truth()
    return Town(server, names, truth)


async def _drain(bench: Bench, sink: InfluxSink) -> None:
    seq = 0
    while rows := await bench.service.journal.points_after(seq, 2000, END):
        for row in rows:
            await _write(sink, row.privacy, row.body.decode())
        seq = rows[-1].seq


async def _write(sink: InfluxSink, privacy: Privacy, *lines: str) -> None:
    assert await sink.write(privacy, "\n".join(lines).encode()) == []
