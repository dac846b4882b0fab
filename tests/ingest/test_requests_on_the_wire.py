"""Requests of the shipped rules through the whole service and a real broker: nothing old ever reaches a consumer.

The clock runs sixty times as fast as the wall's, so that hours take minutes and a second is a minute.
"""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import aiomqtt
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from decoders import catalog
from decoders.measurement import Reading
from decoders.quantity import Quantity
from ingest import pipeline
from ingest.app import Service
from ingest.broker import Mosquitto
from ingest.clock import Clock
from ingest.settings import Settings, load
from tests.ingest.uplinks import LOT_DEVICES, event, occupied, topic

pytestmark = [pytest.mark.mosquitto, pytest.mark.timeout(300)]

SPEED = 60
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
PEAK = 1_795_071_600_000
"""Thursday, 19 November 2026, 08:00 in Berlin."""
SLACK_MS = SPEED * SECOND
"""A second of the wall's, for the way to the consumer."""
LATE_MS = 60 * SECOND
VALID_S = 540
FRESH_MS = {"signal-plan": 10 * MINUTE, "guidance": 15 * MINUTE}
WAIT_S = 120.0
INBOUND, OUTBOUND = "70b3d57ed0000101", "70b3d57ed0000102"
SPACES = LOT_DEVICES[:10]
PROFILES = {"Bosch TPS110": "bosch/tps110", "PMX TCR": "pmx/tcr"}
PLANS = [
    {"number": 2, "name": "Tag", "level": 1, "serves_inbound": 450, "serves_outbound": 450},
    {"number": 3, "name": "Früh", "level": 2, "serves_inbound": 1500, "serves_outbound": 900},
]


def feature(id_: str, kind: str, *devices: str, **properties: object) -> dict[str, Any]:
    """An asset of the town."""
    own = {"kind": kind, **properties, "devices": [{"dev_eui": name, "interval_s": 300} for name in devices]}
    return {
        "type": "Feature",
        "id": id_,
        "geometry": {"type": "Point", "coordinates": [7.82, 51.68]},
        "properties": own,
    }


def detector(direction: str) -> dict[str, object]:
    """A demand detector upstream of the one junction."""
    return {"role": "demand", "direction": direction, "junction": "j", "distance_m": 200, "channel": "ltr"}


TOWN = {
    "type": "FeatureCollection",
    "features": [
        feature("in", "detector", INBOUND, **detector("inbound")),
        feature("out", "detector", OUTBOUND, **detector("outbound")),
        feature("j", "junction", plans=[2, 3]),
        feature(
            "group",
            "control_group",
            junctions=["j"],
            plans=PLANS,
            schedule=[{"days": "Mo-Su", "from": "00:00", "plan": 2}],
            validity_s=VALID_S,
        ),
        feature("lot", "lot", *SPACES, capacity=10),
        feature("zone", "zone", lots=["lot"], validity_s=VALID_S),
    ],
}


class Arrival(NamedTuple):
    """A request as it reached the consumer."""

    what: str
    now_ms: int
    time_ms: int
    valid_until_ms: int
    newest_ms: int | None


def milliseconds(text: str) -> int:
    """A time of an event."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


class Consumer:
    """A paho client with a session that stays, so that nothing that was sent is missed; `clock` is the service's."""

    def __init__(self, port: int) -> None:
        self.clock: Clock = lambda: 0
        self.arrived: list[Arrival] = []
        client = self._client = paho.Client(CallbackAPIVersion.VERSION2, "consumer", protocol=paho.MQTTv5)
        client.reconnect_delay_set(1, 1)
        client.on_connect = self._connected
        client.on_message = self._take
        session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no type for it
        session.SessionExpiryInterval = 3600
        client.connect("127.0.0.1", port, clean_start=False, properties=session)
        client.loop_start()

    @staticmethod
    def _connected(client: paho.Client, *_: object) -> None:
        client.subscribe("stadtfunk/v1/#", 1)

    def _take(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        now_ms, what = self.clock(), message.topic.rpartition("/")[2]
        if what in FRESH_MS and message.payload:
            body = json.loads(message.payload)
            data = body["data"]
            news = [milliseconds(each["newest_at"]) for each in data["evidence"] if each["newest_at"]]
            until_ms = milliseconds(data["valid_until"])
            self.arrived.append(Arrival(what, now_ms, milliseconds(body["time"]), until_ms, min(news, default=None)))

    def of(self, what: str) -> list[Arrival]:
        """The requests of a kind."""
        return [each for each in self.arrived if each.what == what]

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()


class Street:
    """What sensors say in the peak: far more traffic than the plan of the day serves, and a lot that fills."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._numbers = count()

    def uplinks(self, time_ms: int) -> Iterable[tuple[str, bytes]]:
        """What all of them say at a time."""
        number = next(self._numbers)
        for dev_eui, vehicles in ((INBOUND, 80 + number % 3), (OUTBOUND, 30 + number % 2)):
            readings = [Reading(Quantity.DEVICE_CLOCK, number % 1440), Reading(Quantity.SUPPLY_VOLTAGE, 3.9)]
            for channel, passed in (("ltr", vehicles), ("rtl", 12)):
                readings += [
                    Reading(Quantity.VEHICLE_COUNT, passed, channel),
                    Reading(Quantity.VEHICLE_SPEED, 40, channel),
                ]
            payload = catalog.codec("pmx/tcr").encode(13, readings)
            yield self._message(dev_eui, number, time_ms, payload=payload, f_port=13, profile="PMX TCR")
        for place, dev_eui in enumerate(SPACES):
            taken = place < 4 + number % 4
            yield self._message(dev_eui, number, time_ms + place, payload=occupied(yes=taken))

    def _message(self, dev_eui: str, number: int, time_ms: int, **fields: Any) -> tuple[str, bytes]:  # noqa: ANN401 - as `event`
        return topic(dev_eui), json.dumps(event(dev_eui, f_cnt=number, time_ms=time_ms, **fields)).encode()

    async def say(self, *times_ms: int) -> None:
        """Publish what they say at these times."""
        async with aiomqtt.Client("127.0.0.1", self._port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            for time_ms in times_ms:
                for where, payload in self.uplinks(time_ms):
                    await client.publish(where, payload, qos=1)


def settings(folder: Path, port: int, start_ms: int) -> Settings:
    """A service whose clock begins there; signal plans go out."""
    (folder / "city.geojson").write_text(json.dumps(TOWN))
    return load(
        city={"file": folder / "city.geojson"},
        mqtt={"port": port, "reconnect_min_s": 0.05, "reconnect_max_s": 0.2},
        journal={"path": folder / "journal.db"},
        codecs={"profiles": PROFILES},
        http={"enabled": False},
        telemetry={"heartbeat_s": 0},
        simulation={"start_ms": start_ms, "speed": SPEED},
        rules={"modes": {"traffic.signal_plan": "active"}, "request_late_s": LATE_MS / SECOND / SPEED},
    )


@contextlib.asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Service]:
    """A whole service, connected."""
    service = Service(settings)
    task = asyncio.create_task(service.run())
    try:
        await becomes(lambda: service.subscriber.connected and service.publisher.connected)
        yield service
    finally:
        service.stop()
        await task


async def becomes(condition: Callable[[], object]) -> None:
    """Wait until it is true."""
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.05)


def kept(folder: Path, status: str, before_ms: int) -> int:
    """Requests that the journal keeps as this and that were over at a time."""
    with contextlib.closing(sqlite3.connect(f"file:{folder}/journal.db?mode=ro", uri=True)) as connection:
        query = "SELECT count(*) FROM event WHERE acting AND status = ? AND valid_until_ms <= ?"
        return int(connection.execute(query, (status, before_ms)).fetchone()[0])


async def test_two_hours_off_and_ten_minutes_without_broker_leave_nothing_old_on_the_wire(
    tmp_path: Path, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Off in the peak while the broker queues, the backlog drains; later no broker while rules go on deciding.

    Whatever arrives is valid, decided not long before the service could send it, on data within their limits.
    """
    monkeypatch.setattr(pipeline, "ABSENT_S", 0.5)
    start_ms, street = PEAK + 2 * HOUR, Street(mosquitto.port)
    async with serving(settings(tmp_path, mosquitto.port, PEAK)):
        pass
    times = range(PEAK, start_ms - 4 * MINUTE, 150 * SECOND)
    await street.say(*times)
    consumer = Consumer(mosquitto.port)
    try:
        async with serving(settings(tmp_path, mosquitto.port, start_ms)) as service:
            consumer.clock = service.clock
            await becomes(lambda: service.telemetry.totals.stored >= len(times) * (2 + len(SPACES)))
            drained = len(consumer.arrived)

            async def flowing() -> None:
                while True:
                    await street.say(service.clock())
                    await asyncio.sleep(150 / SPEED)

            live = asyncio.create_task(flowing())
            await becomes(lambda: all(len(consumer.of(what)) > 2 for what in FRESH_MS))
            live.cancel()
            await asyncio.wait([live])
            await mosquitto.stop()
            gone_ms = service.clock()
            await becomes(lambda: service.clock() > gone_ms + 10 * MINUTE)
            await becomes(lambda: kept(tmp_path, "pending", service.clock()) >= 2)
            before = len(consumer.arrived)
            await mosquitto.start()
            await becomes(lambda: service.publisher.connected and not kept(tmp_path, "pending", 2 * PEAK))
            await asyncio.sleep(1)
    finally:
        consumer.close()
    assert [each for each in consumer.arrived if each.now_ms >= each.valid_until_ms + SLACK_MS] == []
    told = [(each, each.newest_ms) for each in consumer.arrived if each.newest_ms is not None]
    assert [each for each, newest_ms in told if each.time_ms - newest_ms > FRESH_MS[each.what]] == []
    assert [each for each in consumer.arrived[:before] if each.now_ms - each.time_ms > LATE_MS + 2 * SLACK_MS] == []
    assert len(consumer.arrived) > drained
    assert kept(tmp_path, "backlog", start_ms + HOUR) > 20
    assert kept(tmp_path, "expired_unpublished", start_ms + DAY) >= 2
