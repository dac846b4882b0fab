"""What the depot and people say to tours, and when it is heard."""

import asyncio
import sqlite3
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ingest.routes import store, tours
from ingest.routes.engaged import engaged
from ingest.routes.planning import Job
from rules.waste.route.life import LifeError
from rules.waste.route.solution import Solution
from tests.ingest.routes.touring import (
    DAY_MS,
    EVENING,
    NOON,
    REFRESH,
    SHIFT,
    TUESDAY,
    confirmed,
    said,
    stage,
    town,
)
from tests.rules.waste.route.cities import HOUR_MS

MINUTE_MS = 60_000
FRIDAY = date(2026, 9, 18)


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


async def test_a_newer_plan_is_made_for_whatever_day_a_person_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days before its evening, too: the vehicle that drops out is withdrawn at once, and once."""
    async with stage(tmp_path, monkeypatch) as scene:
        await scene.at(EVENING)
        (plan,) = await scene.plans()
        await scene.tours.control.withdraw(plan.id, "os:anna", "")
        scene.now_ms = NOON
        await scene.tours.control.propose(replace(plan, id="early"), "os:anna", "")
        await scene.tours.control.replan(TUESDAY, None, ["truck-1"], "os:anna", "flat tyre")
        assert said(await scene.at(NOON + MINUTE_MS))["truck-1"] == "withdrawn"
        assert await scene.at(NOON + 2 * MINUTE_MS) == []


async def test_two_plans_made_side_by_side_do_not_share_a_vehicle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who comes second is refused, and the service plans again without the vehicle."""
    async with stage(tmp_path, monkeypatch) as scene:
        await scene.at(EVENING)
        (paper,) = await scene.plans()
        glass = replace(paper, id="glass", fraction="glass")
        with pytest.raises(LifeError, match="truck-1, truck-2: on a tour of another fraction by now"):
            await scene.tours.control.propose(glass, "os:anna", "")
        await scene.tours.control.withdraw(paper.id, "os:anna", "")
        solver = scene.plan

        async def meanwhile(job: Job, listener: object) -> Solution:
            monkeypatch.setattr("ingest.routes.day.worker.plan", solver)
            only = tuple(tour for tour in glass.tours if tour.vehicle == "truck-1")
            await scene.tours.control.propose(replace(glass, tours=only), "os:anna", "")
            return await solver(job, listener)

        monkeypatch.setattr("ingest.routes.day.worker.plan", meanwhile)
        made = [(event["subject"], event["data"]["fraction"]) for event in await scene.at(REFRESH)]
        assert made == [("truck-1", "glass")]
        again = await scene.at(REFRESH + MINUTE_MS)
        assert [(event["subject"], event["data"]["fraction"]) for event in again] == [("truck-2", "paper")]


async def test_the_tour_of_the_day_stands_on_its_topic_whatever_is_planned_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later day's word is followed by this day's, once; so is a topic that was emptied."""
    async with stage(tmp_path, monkeypatch) as scene:
        await confirmed(scene)
        await scene.publish()
        assert await scene.at(SHIFT + HOUR_MS) == []
        (tuesday,) = await scene.plans()
        later = replace(tuesday, id="later", day=FRIDAY, midnight_ms=tuesday.midnight_ms + 3 * DAY_MS)
        await scene.tours.control.propose(later, "os:anna", "")
        assert await scene.at(SHIFT + HOUR_MS + MINUTE_MS) == []
        await scene.publish()
        again = await scene.at(SHIFT + HOUR_MS + 2 * MINUTE_MS)
        assert said(again) == {"truck-1": "confirmed", "truck-2": "confirmed"}
        assert {event["data"]["day"] for event in again} == {"2026-09-15"}
        await scene.publish()
        assert await scene.at(SHIFT + HOUR_MS + 3 * MINUTE_MS) == []
        topics = [f"stadtfunk/v1/waste/vehicle/{name}/route" for name in ("truck-1", "truck-2")]
        await scene.journal.events_done([], [], topics, scene.now_ms)
        assert len(await scene.at(SHIFT + HOUR_MS + 4 * MINUTE_MS)) == len(topics)


async def test_tours_that_are_kept_in_are_not_said_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What never went out stands nowhere, and no look makes another event of it."""
    async with stage(tmp_path, monkeypatch) as scene:
        await confirmed(scene)
        await scene.publish("off")
        assert await scene.at(SHIFT + HOUR_MS) == []


async def test_a_vehicle_that_dropped_out_stays_out_when_nothing_is_left_of_its_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The only one has a flat tyre at noon: in the evening it is not planned for, and the day says why it is empty."""
    async with stage(tmp_path, monkeypatch, town("truck-1")) as scene:
        await scene.at(EVENING)
        await scene.tours.control.replan(TUESDAY, None, ["truck-1"], "os:anna", "flat tyre")
        assert said(await scene.at(EVENING + MINUTE_MS)) == {"truck-1": "withdrawn"}
        assert engaged(await scene.plans(), ["paper"], scene.now_ms).gone == {"truck-1"}
        assert await scene.at(REFRESH) == []
        assert len(scene.jobs) == 1
        assert list(scene.tours.warnings().values()) == ["all vehicles have other tours or are out"]


async def test_a_stop_that_moved_is_in_force_on_one_tour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The depot accepts the new tours one by one: the old ones hold until the last of them, then all change at once."""
    async with stage(tmp_path, monkeypatch) as scene:
        driven = await confirmed(scene)
        (plan,) = await scene.plans()
        first, second = plan.tours
        place = first.stops[-1]
        visit = next(one for one in first.visits if one.place == place)
        shorter = replace(
            first,
            places=tuple(one for one in first.places if one != place),
            visits=tuple(one for one in first.visits if one != visit),
        )
        longer = replace(second, places=(place, *second.places), visits=(visit, *second.visits))
        fresh = replace(plan, id="mine", tours=(shorter, longer))
        await scene.tours.control.propose(fresh, "os:anna", "")
        offered = {event["subject"]: event for event in (await scene.events())[-2:]}
        assert offered[first.vehicle]["data"]["confirm_with"] == [second.vehicle]
        with pytest.raises(LifeError, match=f"{place} from {first.vehicle} to {second.vehicle}"):
            await scene.tours.control.confirm("mine", [second.vehicle], "os:anna", "")
        assert await scene.answer(offered[second.vehicle], "accepted") == []
        day = await scene.journal.query(lambda connection: store.day_shown(TUESDAY, store.of_day(connection, TUESDAY)))
        assert {one["vehicle"]: one["stops"] for one in day["in_force"]} == driven
        assert said(await scene.answer(offered[first.vehicle], "accepted")) == {
            first.vehicle: "confirmed",
            second.vehicle: "confirmed",
        }
        assert await scene.dead_letters() == []
        assert [plan.status for plan in await scene.plans()] == ["withdrawn", "confirmed"]
