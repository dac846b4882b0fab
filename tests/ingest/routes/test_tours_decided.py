"""What the depot and people say to tours, and when it is heard."""

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.routes import store, tours
from ingest.routes.planning import Job
from rules.waste.route.life import LifeError
from rules.waste.route.solution import Solution
from tests.ingest.routes.touring import (
    EVENING,
    REFRESH,
    TUESDAY,
    said,
    stage,
)
from tests.rules.waste.route.cities import HOUR_MS

MINUTE_MS = 60_000


async def test_answers_are_heard_once_and_by_the_tour_they_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second one changes nothing; rejected with a reason it is told; what names no tour becomes a dead letter."""
    async with stage(tmp_path, monkeypatch) as scene:
        first, second = await scene.at(EVENING)
        assert said(await scene.answer(first, "accepted")) == {first["subject"]: "confirmed"}
        assert await scene.answer(first, "active") == []
        (event,) = await scene.answer(second, "rejected", reason="Baustelle in der Ritterstraße")
        assert event["data"]["status"] == "proposed"
        assert "abgelehnt: Baustelle in der Ritterstraße" in event["data"]["text_de"]
        assert said(await scene.answer(event, "accepted")) == {second["subject"]: "confirmed"}
        assert await scene.answer({**first, "id": "nobody's"}, "accepted") == []
        assert await scene.answer({**first, "subject": "truck-2"}, "accepted") == []
        assert await scene.letter("stadtfunk/v1/waste/vehicle/truck-1/route/status", b"{") == []
        letters = await scene.dead_letters()
        assert len(letters) == 3
        assert "request_id" in letters[0]
        assert ("mqtt:/telematics", "routes answer", "Baustelle in der Ritterstraße") in await scene.audit()


async def test_a_tour_that_goes_on_in_a_newer_plan_hears_the_answer_to_the_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the other tour changed: the answer to this one's event confirms it in the plan that it belongs to now."""
    async with stage(tmp_path, monkeypatch) as scene:
        events = {event["subject"]: event for event in await scene.at(EVENING)}
        await scene.hear(("bin-5", 95.0, REFRESH - HOUR_MS))
        (changed,) = await scene.at(REFRESH)
        (other,) = events.keys() - {changed["subject"]}
        (event,) = await scene.answer(events[other], "accepted")
        assert event["data"]["plan"] == changed["data"]["plan"]


async def test_the_depot_says_that_a_vehicle_broke_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Overridden by a fault: it is planned without it."""
    async with stage(tmp_path, monkeypatch) as scene:
        first, _ = await scene.at(EVENING)
        await scene.answer(first, "overridden", by="fault")
        assert said(await scene.at(EVENING + MINUTE_MS))[first["subject"]] == "withdrawn"


async def test_a_damaged_answer_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a flipped bit it is no word of the depot; those behind it are heard."""
    async with stage(tmp_path, monkeypatch) as scene:
        first, _ = await scene.at(EVENING)

        def write(connection: sqlite3.Connection) -> None:
            store.take_answers(connection, [("stadtfunk/v1/waste/vehicle/x/route/status", b"{}")], 1)
            connection.execute("UPDATE route_answer SET payload = x'00'")

        await scene.journal.note(write)
        assert said(await scene.answer(first, "accepted")) == {first["subject"]: "confirmed"}
        assert await scene.dead_letters() == ["checksum of a journal row does not fit"]


async def test_the_task_plans_and_hears_by_itself_and_ends_when_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers are heard while a plan is being made; cancelled, the plan in the making is given up."""
    async with stage(tmp_path, monkeypatch) as scene:
        first, _ = await scene.at(EVENING)
        planning, cancelled = asyncio.Event(), asyncio.Event()

        async def forever(*_: object) -> None:
            planning.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

        monkeypatch.setattr("ingest.routes.day.worker.plan", forever)
        scene.now_ms = REFRESH
        task = asyncio.create_task(scene.tours.run())
        async with asyncio.timeout(60):
            await planning.wait()
            topic_said = len(await scene.events())
            await scene.answer(first, "accepted")
            while len(await scene.events()) == topic_said:
                await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait([task])
        assert cancelled.is_set()
        assert (await scene.events())[-1]["data"]["status"] == "confirmed"


async def test_what_a_person_asks_for_while_a_plan_is_made_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan that knew nothing of it is dropped, the next look plans without the vehicle."""
    async with stage(tmp_path, monkeypatch) as scene:
        await scene.at(EVENING)
        scene.now_ms = REFRESH
        solver = scene.plan

        async def meanwhile(job: Job, listener: object) -> Solution:
            monkeypatch.setattr("ingest.routes.day.worker.plan", solver)
            scene.now_ms += 1
            await scene.tours.control.replan(TUESDAY, "paper", ["truck-1"], "os:anna", "")
            return await solver(job, listener)

        monkeypatch.setattr("ingest.routes.day.worker.plan", meanwhile)
        await scene.hear(("bin-5", 95.0, REFRESH - HOUR_MS))
        assert await scene.at(REFRESH) == []
        assert said(await scene.at(REFRESH + MINUTE_MS))["truck-1"] == "withdrawn"


async def test_a_plan_that_a_person_offers_is_a_proposal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it says of itself: nobody confirmed it; one that is known already is refused."""
    async with stage(tmp_path, monkeypatch) as scene:
        await scene.at(EVENING)
        (frozen,) = await scene.plans()
        with pytest.raises(LifeError, match="known already"):
            await scene.tours.control.propose(frozen, "os:anna", "")
        idle = tuple(replace(tour, status="confirmed", confirmed_ms=1, places=(), visits=()) for tour in frozen.tours)
        scene.now_ms += 1
        made = await scene.tours.control.propose(replace(frozen, id="mine", tours=idle, asked_ms=5), "os:anna", "so")
        assert (made["status"], made["events"]) == ("proposed", 2)
        assert ("os:anna", "routes plan", "so") in await scene.audit()
        assert await scene.at(EVENING + MINUTE_MS) == []


async def test_an_answer_that_cannot_be_heard_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It becomes a dead letter, the next one is heard."""
    async with stage(tmp_path, monkeypatch) as scene:
        first, second = await scene.at(EVENING)

        def broken(*_: object) -> None:
            raise ZeroDivisionError("our own")

        with monkeypatch.context() as patch:
            patch.setattr("rules.waste.route.life.confirmed", broken)
            assert await scene.answer(first, "accepted") == []
        assert await scene.dead_letters() == ["ZeroDivisionError: our own"]
        assert said(await scene.answer(second, "accepted")) == {second["subject"]: "confirmed"}


async def test_a_breakdown_is_planned_for_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not with the next look only, which may be far."""
    monkeypatch.setattr(tours, "LOOK_S", 3600.0)
    async with stage(tmp_path, monkeypatch) as scene:
        first, _ = await scene.at(EVENING)
        task = asyncio.create_task(scene.tours.run())
        async with asyncio.timeout(60):
            await scene.send(first, "overridden", by="fault")
            while said((await scene.events())[2:]).get(first["subject"]) != "withdrawn":
                await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait([task])
