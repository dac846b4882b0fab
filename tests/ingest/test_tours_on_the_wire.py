"""Tours through the whole service and a real broker: proposed, confirmed by the depot's answer, and the fallback."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiohttp
import aiomqtt
import pytest

from ingest import audit
from ingest.app import Service
from ingest.broker import Mosquitto
from ingest.journal_privacy import PersonalData
from ingest.journal_records import Batch
from ingest.journal_schema import open_writer
from ingest.journal_sql import write_batch
from ingest.routes import tours, worker
from ingest.settings import Settings, load
from ingest.token_file import token_path
from rules.city import City
from tests.ingest.routes.touring import EVENING, NAMES, NOON, stops
from tests.rules.waste.route.cities import DAY_MS, container, depot, document, site, states, vehicle

pytestmark = [pytest.mark.mosquitto, pytest.mark.timeout(300)]
WAIT_S = 120.0
TOURS = "stadtfunk/v1/waste/vehicle/+/route"


class Depot:
    """What the depot's program sees on the broker, and says."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client

    async def next_tour(self) -> dict[str, Any]:
        """The next event of a tour; topics that are emptied are passed over."""
        async with asyncio.timeout(WAIT_S):
            async for message in self._client.messages:
                if message.payload:
                    found: dict[str, Any] = json.loads(message.payload)
                    assert str(message.topic) == f"stadtfunk/v1/waste/vehicle/{found['subject']}/route"
                    return found
        raise AssertionError("the connection ended")

    async def answer(self, event: dict[str, Any], status: str) -> None:
        """Say this to a tour, twice: consumers may."""
        said = {
            "specversion": "1.0",
            "id": f"answer-{event['id']}",
            "source": "/telematics",
            "type": "depot.status",
            "time": "2026-09-14T16:00:00Z",
            "data": {"request_id": event["id"], "status": status},
        }
        for _ in range(2):
            await self._client.publish("stadtfunk/v1/waste/vehicle/truck-1/route/status", json.dumps(said), qos=1)


def prepared(folder: Path, port: int) -> Settings:
    """Settings and a journal in which three containers are full, on Monday at noon."""
    bins = [container(name, (7.81 + number / 100, 51.68), forecast=False) for number, name in enumerate(NAMES[:3])]
    text = document(depot(), site(), vehicle(), *bins)
    (folder / "city.geojson").write_text(text)
    with closing(open_writer(folder / "journal.db")) as connection:
        full = states(City.parse(text), *((name, 92.0, NOON) for name in NAMES[:3]))
        write_batch(connection, 1, Batch(states=full), NOON, PersonalData())
    return load(
        city={"file": folder / "city.geojson"},
        journal={"path": folder / "journal.db"},
        mqtt={"port": port},
        http={"port": 0},
        routes={"iterations": 20, "seconds": 60},
    )


@asynccontextmanager
async def depot_at(port: int) -> AsyncIterator[Depot]:
    """A program that hears tours."""
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(TOURS, qos=1)
        yield Depot(client)


async def api(service: Service, path: str) -> Any:  # noqa: ANN401 - JSON
    """What the HTTP interface shows with the token."""
    status, body = await asked(service, "GET", path)
    assert status == 200, body
    return body


async def asked(service: Service, method: str, path: str, *, token: str | None = None) -> tuple[int, Any]:
    """Status and body of an answer of the HTTP interface."""
    if token is None:
        token = json.loads(token_path(service.settings.journal.path).read_text())["token"]
    headers = {"Authorization": f"Bearer {token}"}
    body = None if method == "GET" else {"actor": "os:anna"}
    async with aiohttp.ClientSession(headers=headers) as session:
        answer = await session.request(method, service.url + path, json=body)
        return answer.status, await answer.json()


async def test_a_tour_is_proposed_confirmed_and_falls_back(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read from the broker, in force with the depot's answer, there again the day after when planning fails."""
    monkeypatch.setattr(tours, "LOOK_S", 0.2)
    monkeypatch.chdir(tmp_path)
    now = [EVENING]
    service = Service(prepared(tmp_path, mosquitto.port), clock=lambda: now[0])
    async with depot_at(mosquitto.port) as heard, asyncio.TaskGroup() as group:
        group.create_task(service.run())
        proposed = await heard.next_tour()
        assert proposed["data"]["status"] == "proposed"
        assert sorted(stops(proposed)) == list(NAMES[:3])
        now[0] += 1000
        await heard.answer(proposed, "accepted")
        confirmed = await heard.next_tour()
        assert (confirmed["data"]["status"], confirmed["data"]["plan"]) == ("confirmed", proposed["data"]["plan"])
        day = await api(service, "/api/v1/routes?day=2026-09-15")
        assert [(one["vehicle"], one["status"]) for one in day["in_force"]] == [("truck-1", "confirmed")]
        whole = await api(service, f"/api/v1/routes/{proposed['data']['plan']}")
        assert whole["status"] == "confirmed"
        assert await asked(service, "GET", "/api/v1/routes/nobody") == (404, {"detail": "no plan nobody"})
        assert await asked(service, "POST", "/api/v1/routes/nobody/confirm") == (409, {"detail": "no plan nobody"})
        assert (await asked(service, "GET", "/api/v1/routes", token="guess"))[0] == 401
        monkeypatch.setattr(worker, "PROGRAM", "raise SystemExit(3)")
        now[0] = EVENING + DAY_MS
        fallback = await heard.next_tour()
        assert (fallback["data"]["status"], fallback["data"]["day"]) == ("fallback", "2026-09-16")
        assert stops(fallback) == stops(proposed)
        assert "planning ended without a plan: status 3" in fallback["data"]["text_en"]
        assert "routes 2026-09-16 paper" in (await api(service, "/api/v1/status"))["warnings"]
        service.stop()
    with closing(open_writer(tmp_path / "journal.db")) as connection:
        actions = [row.action.action for row in audit.rows(connection)]
        assert actions.count("routes answer") == 1
        assert connection.execute("SELECT count(*) FROM dead_letter").fetchone() == (0,)
