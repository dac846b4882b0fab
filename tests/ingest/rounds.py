"""Twenty devices that send in rounds through a running pipeline, and what is said and counted of them."""

import json
from typing import Any

from ingest.calendar import Calendar
from ingest.fleet import ledger_view
from ingest.mqtt import Message
from ingest.settings import Settings
from tests.ingest.bench import Bench
from tests.ingest.uplinks import LOT_DEVICES, NOW, event, occupied, raw, rfc3339, topic

MINUTE = 60_000
GATEWAYS = ("0016c001f153a14c", "0016c001f153a14d")
FIRST, SECOND = range(0, 20, 2), range(1, 20, 2)
APART_MS = 25_000


def uplink(number: int, f_cnt: int, time_ms: int, **fields: Any) -> Message:  # noqa: ANN401 - any field of the event
    """An uplink of the lot's device with this number, heard by one of two gateways in turns."""
    gateway = GATEWAYS[number % 2]
    received = [{"gatewayId": gateway, "nsTime": rfc3339(time_ms), "rssi": -90, "snr": 8.0}]
    payload = occupied(yes=f_cnt % 2 == 0)
    fields = {"rxInfo": received, **fields}
    made = event(LOT_DEVICES[number], f_cnt=f_cnt, time_ms=time_ms, payload=payload, **fields)
    return raw(json.dumps(made).encode(), where=topic(LOT_DEVICES[number]))


async def live(bench: Bench, rounds: range, devices: range) -> int:
    """Every device sends every ten minutes, 25 s apart; returns the time of the end of the last round."""
    for turn in rounds:
        time_ms = NOW + turn * 10 * MINUTE
        bench.now_ms = time_ms + 10 * MINUTE
        await bench.send(*(uplink(number, turn, time_ms + number * APART_MS) for number in devices))
    return NOW + rounds.stop * 10 * MINUTE


async def wait(bench: Bench, begin_ms: int, minutes: int) -> None:
    """Ticks, one a minute."""
    for minute in range(1, minutes + 1):
        await bench.tick(begin_ms + minute * MINUTE)


async def said(bench: Bench) -> list[tuple[str, str]]:
    """Subject and state of all words on health, oldest first; of devices their problems."""
    query = "SELECT payload FROM event WHERE topic LIKE '%/health' ORDER BY seq"
    rows = await bench.service.journal.query(lambda connection: connection.execute(query).fetchall())
    found = [json.loads(row[0]) for row in rows]
    return [(item["subject"], ",".join(item["data"].get("problems", ())) or item["data"]["state"]) for item in found]


async def ledger_of(bench: Bench, settings: Settings, number: int = 0) -> dict[str, list[int]]:
    """Expected, received, lost, duplicates, dead letters, stored of a device by day."""
    calendar = Calendar(settings.city.timezone)
    days = calendar.day_of(NOW) - 1, calendar.day_of(bench.now_ms) + 1
    found = await bench.service.journal.query(
        lambda connection: ledger_view.view(connection, calendar, *days, bench.now_ms, LOT_DEVICES[number], 100)
    )
    return {row["day"]: [row[name] for name in ledger_view.COUNTS] for row in found["devices"]}
