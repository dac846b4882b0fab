"""A journal, a small city and a clock for tests of the life of tours; plans come from the solver in this process."""

import json
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingest.decisions.modes import Modes
from ingest.journal import Journal
from ingest.journal_records import Batch, Retained
from ingest.routes import store
from ingest.routes.planning import Job
from ingest.routes.tours import Tours
from ingest.settings import given
from ingest.telemetry import Telemetry
from rules.city import City
from rules.waste.route.model import RouteError
from rules.waste.route.record import PlanRecord
from rules.waste.route.solution import Solution
from rules.waste.route.solve import Limit, solve
from tests.rules.waste.route.cities import HOUR_MS, MONDAY, city, container, depot, site, states, vehicle

TUESDAY = date(2026, 9, 15)
DAY_MS = 24 * HOUR_MS
EVENING = MONDAY + 18 * HOUR_MS
REFRESH = MONDAY + DAY_MS + 5 * HOUR_MS + HOUR_MS // 2
SHIFT = MONDAY + DAY_MS + 6 * HOUR_MS
NAMES = ("bin-0", "bin-1", "bin-2", "bin-3", "bin-4", "bin-5")
NOON = MONDAY + 12 * HOUR_MS


def town(*trucks: str, without: Iterable[str] = ()) -> City:
    """Six containers for paper and these trucks, each too small for more than four containers."""
    room = {"paper": {"mass_kg": 9000, "volume_l": 11_000}}
    bins = (
        container(name, (7.81 + number / 100, 51.68 + number % 2 / 50), forecast=False)
        for number, name in enumerate(NAMES)
        if name not in without
    )
    fleet = (vehicle(name, capacity=room, max_reloads=0) for name in trucks or ("truck-1", "truck-2"))
    return city(depot(), site(), *fleet, *bins)


class Stage:
    """The task with everything it needs; `now_ms` is the clock, `refusal` why the solver refuses."""

    def __init__(self, journal: Journal, place: City, **routes: object) -> None:
        self.journal = journal
        self.city = place
        self.now_ms = EVENING
        self.refusal = ""
        self.jobs: list[Job] = []
        self.settings = given(
            journal={"path": journal.settings.path}, routes={"iterations": 30, "seconds": 20, **routes}
        )
        self.telemetry = Telemetry(lambda: self.now_ms)
        self.tours = self.task()

    def task(self) -> Tours:
        """Another one on the same journal, as after a restart."""
        modes = Modes(self.settings)
        return Tours(self.journal, modes, lambda: self.settings, lambda: self.city, lambda: self.now_ms, self.telemetry)

    async def plan(self, job: Job, _listener: object) -> Solution:
        """The solver, in the place of its process."""
        self.jobs.append(job)
        if self.refusal:
            raise RouteError(self.refusal)
        return solve(job.problem, Limit(job.iterations, job.seconds), job.seed, unserved=job.unserved)

    async def hear(self, *levels: tuple[str, float, int]) -> None:
        """Levels of containers, as the rule keeps them; others stay what they were."""
        await self.journal.commit(Batch(states=states(self.city, *levels)), self.now_ms)

    async def at(self, now_ms: int) -> list[dict[str, Any]]:
        """Look at this time; what is said by it."""
        self.now_ms = now_ms
        before = len(await self.events())
        await self.tours.look()
        return (await self.events())[before:]

    async def answer(self, event: dict[str, Any], status: str, **data: object) -> list[dict[str, Any]]:
        """The depot answers to a tour; what is said by it."""
        before = len(await self.events())
        await self.send(event, status, **data)
        await self.tours.hear()
        return (await self.events())[before:]

    async def send(self, event: dict[str, Any], status: str, **data: object) -> None:
        """The depot's answer to a tour comes in."""
        about = {
            "specversion": "1.0",
            "id": f"a{self.now_ms}{status}{event['subject']}",
            "source": "/telematics",
            "type": "depot.answer",
            "time": "2026-09-14T16:00:00Z",
            "data": {"request_id": event["id"], "status": status, **data},
        }
        topic = f"stadtfunk/v1/waste/vehicle/{event['subject']}/route/status"
        self.now_ms += 1
        await self.take(topic, json.dumps(about).encode())

    async def take(self, topic: str, payload: bytes) -> None:
        """What the pipeline keeps for the depot's ears."""
        await self.journal.commit(Batch(messages=1, route_answers=[(topic, payload)]), self.now_ms)

    async def letter(self, topic: str, payload: bytes) -> list[dict[str, Any]]:
        """Any message to the depot's ears; what is said by it."""
        before = len(await self.events())
        await self.take(topic, payload)
        await self.tours.hear()
        return (await self.events())[before:]

    async def events(self) -> list[dict[str, Any]]:
        """All that was said, oldest first."""

        def read(connection: sqlite3.Connection) -> list[dict[str, Any]]:
            rows = connection.execute("SELECT payload FROM event ORDER BY seq")
            return [json.loads(payload) for (payload,) in rows]

        return await self.journal.query(read)

    async def publish(self, status: str = "published") -> None:
        """What waits goes out and stands on its topic, or with another status does not."""
        waiting = await self.journal.pending_events(100, self.now_ms)
        standing = [Retained(row.event.topic, row.event.id, row.event.valid_until_ms) for row in waiting]
        done = [(row.seq, status) for row in waiting]
        await self.journal.events_done(done, standing if status == "published" else [], [], self.now_ms)

    async def plans(self, of: date = TUESDAY) -> list[PlanRecord]:
        """The plans of a day, oldest first."""
        return await self.journal.query(lambda connection: store.of_day(connection, of))

    async def dead_letters(self) -> list[str]:
        """Why messages were set aside."""
        query = "SELECT detail FROM dead_letter ORDER BY id"
        return await self.journal.query(lambda connection: [row[0] for row in connection.execute(query)])

    async def audit(self) -> list[tuple[str, str, str]]:
        """Who did what, and why."""
        query = "SELECT actor, action, reason FROM audit ORDER BY number"
        return await self.journal.query(lambda connection: [tuple(row) for row in connection.execute(query)])

    def count(self, what: str) -> float:
        """How many plans became this, as Prometheus sees it."""
        return self.telemetry.registry.get_sample_value("stadtfunk_route_plans_total", {"what": what}) or 0.0


@asynccontextmanager
async def stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: City | None = None, **routes: object
) -> AsyncIterator[Stage]:
    """A stage on a journal of its own; five containers were heard full at noon, the sixth half full."""
    place = town() if place is None else place
    settings = given(journal={"path": tmp_path / "journal.db"})
    async with Journal(settings.journal) as journal:
        made = Stage(journal, place, **routes)
        monkeypatch.setattr("ingest.routes.day.worker.plan", made.plan)
        await made.hear(*((name, 90.0 if name != "bin-5" else 20.0, NOON) for name in NAMES if name in place.assets))
        yield made


def stops(event: dict[str, Any]) -> list[str]:
    """The containers on a tour."""
    return [halt["place"] for halt in event["data"]["halts"] if halt["kind"] == "stop"]


def said(events: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The status by vehicle; each vehicle once."""
    listed = list(events)
    found = {event["subject"]: str(event["data"]["status"]) for event in listed}
    assert len(found) == len(listed)
    return found


async def confirmed(scene: Stage) -> dict[str, list[str]]:
    """A day that was planned and confirmed; the stops by vehicle."""
    events = await scene.at(EVENING)
    for event in events:
        await scene.answer(event, "accepted")
    return {event["subject"]: stops(event) for event in events}
