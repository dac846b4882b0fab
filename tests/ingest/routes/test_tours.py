"""The service's tours from the evening before to the end of the shift, on a real journal with a clock of the tests."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ingest.journal_records import Batch
from ingest.routes import store
from ingest.routes.before import Before, Wanted, on_tour, request_of
from ingest.routes.day import Request, plan_day
from ingest.routes.outlook import outlook
from ingest.routes.planning import Job
from rules.engine import Engine
from rules.rule import TourFeedback
from rules.waste.collection_due import RULE
from rules.waste.route import life
from rules.waste.route.evaluate import evaluate
from rules.waste.route.record import record_of
from rules.waste.route.service_day import ServiceDay
from rules.waste.route.solution import Solution
from rules.waste.route.stops import due_on
from tests.ingest.routes.touring import (
    DAY_MS,
    EVENING,
    NAMES,
    NOON,
    REFRESH,
    SHIFT,
    TUESDAY,
    confirmed,
    said,
    stage,
    stops,
    town,
)
from tests.rules.waste.route.cities import HOUR_MS, MONDAY, city, container, depot, filling, site, vehicle

MINUTE_MS = 60_000


async def test_a_day_is_frozen_the_evening_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before the hour, then once: each vehicle gets its tour as a proposal, valid until its shift ends."""
    async with stage(tmp_path, monkeypatch) as scene:
        assert await scene.at(EVENING - 1) == []
        events = await scene.at(EVENING)
        assert said(events) == {"truck-1": "proposed", "truck-2": "proposed"}
        assert sorted(place for event in events for place in stops(event)) == list(NAMES[:5])
        assert {event["data"]["valid_until"] for event in events} == {"2026-09-15T13:00:00Z"}
        assert await scene.at(EVENING + HOUR_MS) == []
        assert len(scene.jobs) == 1
        (plan,) = await scene.plans()
        assert (plan.origin, plan.status, plan.fraction) == ("frozen", "proposed", "paper")
        assert scene.count("frozen") == 1


async def test_friday_evening_plans_monday(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While people are there to confirm it; on Saturday and Sunday nothing is planned again."""
    async with stage(tmp_path, monkeypatch) as scene:
        friday = EVENING + 4 * DAY_MS
        await scene.hear(*((name, 90.0, friday - HOUR_MS) for name in NAMES))
        assert len(await scene.at(friday)) == 2
        assert (await scene.plans(date(2026, 9, 21)))[0].origin == "frozen"
        for days in (1, 2):
            assert await scene.at(friday + days * DAY_MS) == []
        assert len(scene.jobs) == 1


async def test_a_restart_goes_on_where_the_service_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan of the journal is not made again; one that was missed in the evening is made in the night."""
    async with stage(tmp_path, monkeypatch) as scene:
        assert len(await scene.at(EVENING + 9 * HOUR_MS)) == 2
        scene.tours = scene.task()
        assert await scene.at(EVENING + 9 * HOUR_MS + MINUTE_MS) == []
        assert len(scene.jobs) == 1


async def test_without_vehicles_nothing_is_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor when the settings say that people plan."""
    async with stage(tmp_path, monkeypatch, automatic=False) as scene:
        assert await scene.at(EVENING) == []
        place = scene.city
        scene.city = type(place)(asset for asset in place.assets.values() if asset.kind != "vehicle")
        scene.settings = scene.settings.model_copy(
            update={"routes": scene.settings.routes.model_copy(update={"automatic": True})}
        )
        assert await scene.at(EVENING) == []
        assert scene.jobs == []


async def test_before_the_shift_the_plan_is_refreshed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once; what is still best says nothing again, and starts from the plan of the evening."""
    async with stage(tmp_path, monkeypatch) as scene:
        events = await scene.at(EVENING)
        assert await scene.at(REFRESH - 1) == []
        assert await scene.at(REFRESH) == []
        first, second = scene.jobs
        assert first.problem.previous == ()
        assert {order.vehicle: order.places for order in second.problem.previous}.keys() == {
            event["subject"] for event in events if stops(event)
        }
        assert second.problem.cost_per_change == 5_000_000
        assert await scene.at(REFRESH + MINUTE_MS) == []
        assert (len(scene.jobs), scene.count("unchanged")) == (2, 1)


async def test_the_refresh_changes_what_became_mandatory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container that filled overnight comes onto one tour, the other one is not said again."""
    async with stage(tmp_path, monkeypatch) as scene:
        await confirmed(scene)
        await scene.hear(("bin-5", 95.0, REFRESH - HOUR_MS))
        (event,) = await scene.at(REFRESH)
        assert "bin-5" in stops(event)
        assert (event["data"]["status"], scene.count("refreshed")) == ("proposed", 1)
        assert event["data"]["in_force"]
        assert "gilt die bestätigte Tour weiter" in event["data"]["text_de"]
        assert said(await scene.answer(event, "accepted")) == {event["subject"]: "confirmed"}
        assert [plan.status for plan in await scene.plans()] == ["withdrawn", "confirmed"]


async def test_a_container_that_becomes_mandatory_during_the_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Comes onto a tour, without those that are served; ten minutes later at the earliest something changes again."""
    async with stage(tmp_path, monkeypatch) as scene:
        driven = await confirmed(scene)
        await scene.at(REFRESH)
        now_ms = SHIFT + HOUR_MS
        emptied = next(names[0] for names in driven.values() if names)
        words = ((emptied, 90.0, NOON), (emptied, 2.0, SHIFT + 20 * MINUTE_MS), (emptied, 2.0, now_ms - MINUTE_MS))
        await scene.hear(("bin-5", 95.0, now_ms - MINUTE_MS), *words)
        assert await scene.at(REFRESH + 9 * MINUTE_MS) == []
        events = await scene.at(now_ms)
        assert "bin-5" in [place for event in events for place in stops(event)]
        assert set(said(events).values()) == {"proposed"}
        assert [plan.origin for plan in await scene.plans()] == ["frozen", "replanned"]
        driver = next(vehicle for vehicle, names in driven.items() if emptied in names)
        assert {one.id: one.start for one in scene.jobs[-1].problem.vehicles}[driver] == f"{driver} (under way)"
        assert emptied not in {one.id for one in scene.jobs[-1].problem.stops}
        assert await scene.at(now_ms + 9 * MINUTE_MS) == []
        made = len(scene.jobs)
        await scene.at(now_ms + HOUR_MS)
        assert len(scene.jobs) == made


async def test_after_the_shift_nothing_is_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever becomes mandatory then: it is for the next day."""
    async with stage(tmp_path, monkeypatch) as scene:
        await confirmed(scene)
        await scene.at(REFRESH)
        over = SHIFT + 9 * HOUR_MS
        await scene.hear(("bin-5", 99.0, over))
        assert await scene.at(over) == []


async def test_a_vehicle_that_drops_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person says so: withdrawn at once, its mandatory stops go to the other one or are left out with the reason."""
    async with stage(tmp_path, monkeypatch) as scene:
        driven = await confirmed(scene)
        await scene.at(REFRESH)
        scene.now_ms = SHIFT + HOUR_MS
        made = await scene.tours.control.replan(TUESDAY, None, ["truck-2"], "os:anna", "Panne")
        assert made["fractions"] == ["paper"]
        events = {event["subject"]: event for event in await scene.at(SHIFT + HOUR_MS)}
        assert events["truck-2"]["data"]["status"] == "withdrawn"
        left = events["truck-1"]["data"]
        planned = {*stops(events["truck-1"]), *(one["place"] for one in left["left_out"])}
        assert planned >= {*driven["truck-1"], *driven["truck-2"]}
        assert len(stops(events["truck-1"])) > len(driven["truck-1"]) or left["left_out"]
        assert await scene.at(SHIFT + HOUR_MS + 1) == []
        assert ("os:anna", "routes replan", "Panne") in await scene.audit()


async def test_a_vehicle_that_is_no_more_in_the_city_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is one that dropped out, once ten minutes are over since the newest plan."""
    async with stage(tmp_path, monkeypatch) as scene:
        await confirmed(scene)
        await scene.at(REFRESH)
        scene.city = town("truck-1")
        assert await scene.at(SHIFT) != []
        assert on_tour(await scene.plans()) == {"truck-1"}


async def test_a_vehicle_drives_for_one_fraction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fraction with more that must be emptied is planned first; who has a tour is not asked for the other one."""
    room = {name: {"mass_kg": 9000, "volume_l": 40_000} for name in ("paper", "glass")}
    bins = [container(name, forecast=False, fraction="glass" if name == "bin-0" else "paper") for name in NAMES[:4]]
    place = city(depot(), site(), vehicle("truck-1", capacity=room), vehicle("truck-2", capacity=room), *bins)
    async with stage(tmp_path, monkeypatch, place) as scene:
        await scene.at(EVENING)
        paper, glass = await scene.plans()
        assert (paper.fraction, glass.fraction) == ("paper", "glass")
        (driver,) = (tour.vehicle for tour in paper.tours if tour.visits)
        assert [tour.vehicle for tour in glass.tours] == [name for name in ("truck-1", "truck-2") if name != driver]
        newest = {event["subject"]: event["data"]["fraction"] for event in await scene.events()}
        assert newest[driver] == "paper"


async def test_a_vehicle_that_people_called_in_keeps_its_tour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though it is not on duty that day: it is planned again with the others."""
    room = {"paper": {"mass_kg": 9000, "volume_l": 40_000}}
    bins = [container(name, forecast=False) for name in NAMES]
    place = city(depot(), site(), vehicle("truck-1"), vehicle("spare", capacity=room, service_days=["sat"]), *bins)
    async with stage(tmp_path, monkeypatch, place) as scene:
        rows = await scene.journal.query(lambda connection: store.states(connection, "waste.collection_due"))
        called = Request(TUESDAY, "paper", vehicles=("spare",), iterations=20)
        made = await plan_day(place, rows, scene.settings.routes, called, NOON, None)
        scene.now_ms = NOON
        await scene.tours.control.propose(record_of(made), "os:anna", "")
        await scene.at(EVENING)
        assert {one.id for one in scene.jobs[-1].problem.vehicles} == {"truck-1", "spare"}


async def test_what_is_emptied_is_not_planned_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor who has another tour or dropped out; vehicles, changes and streets are the settings'."""
    async with stage(tmp_path, monkeypatch) as scene:
        await scene.at(EVENING)
        (plan,) = await scene.plans()
        held = life.standing([plan])
        vehicles = outlook(scene.city, ServiceDay(TUESDAY, "Europe/Berlin"), scene.settings.routes, {}).vehicles
        wanted = Wanted(
            ServiceDay(TUESDAY, "Europe/Berlin"), "paper", vehicles["paper"], scene.city, scene.settings.routes
        )
        before = Before([plan], held, frozenset({"bin-0"}), frozenset({"truck-2"}), frozenset({"truck-9"}))
        request = request_of(wanted, before, EVENING)
        assert request.without == frozenset({"bin-0"})
        assert request.unavailable == frozenset({"truck-2", "truck-9"})
        assert {order.vehicle for order in request.previous} == {"truck-1"}
        assert "bin-0" not in {place for order in request.previous for place in order.places}
        assert (request.cost_per_change, request.skip_invalid) == (5_000_000, True)
        assert not request.under_way


async def test_where_time_runs_faster_the_search_is_shorter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As much as the clock, down to a second: else the tours of a simulated morning came at its noon."""
    async with stage(tmp_path, monkeypatch) as scene:
        for speed, seconds in ((10, 2.0), (3000, 1.0)):
            simulation = scene.settings.simulation.model_copy(update={"speed": speed})
            scene.settings = scene.settings.model_copy(update={"simulation": simulation})
            await scene.at(EVENING if speed == 10 else REFRESH)
            assert scene.jobs[-1].seconds == seconds


async def test_what_may_be_emptied_is_no_reason_to_change_a_tour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container that became worthwhile overnight waits; one that was on the tour already is planned again."""
    bins = [container(name, forecast=False) for name in NAMES[:2]]
    some = (container("old", (7.82, 51.68)), container("new", (7.82, 51.69)))
    place = city(depot(), site(), vehicle("truck-1"), *bins, *some)
    known = MONDAY - 4 * DAY_MS
    async with stage(tmp_path, monkeypatch, place) as scene:
        await scene.hear(*filling("old", 12, 5, known), *filling("new", 7, 5, known))
        (event,) = await scene.at(EVENING)
        assert "old" in stops(event)
        await scene.hear(*filling("new", 7, 5, known), ("new", 44.0, REFRESH - HOUR_MS))
        rows = await scene.journal.query(lambda connection: store.states(connection, "waste.collection_due"))
        due = due_on(place, rows, ServiceDay(TUESDAY, "Europe/Berlin"), REFRESH)
        assert {name: why.obligation for name, why in due.why.items()}["new"] == "optional"
        assert await scene.at(REFRESH) == []
        assert "old" in {stop.id for stop in scene.jobs[-1].problem.stops}
        assert "new" not in {stop.id for stop in scene.jobs[-1].problem.stops}


@pytest.mark.parametrize("drivable", [True, False])
async def test_the_same_stops_in_another_order_are_told_only_where_they_must_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, drivable: bool
) -> None:
    """The solver turns a tour round: said where the tour in force cannot be driven any more, else not."""
    async with stage(tmp_path, monkeypatch) as scene:
        driven = await confirmed(scene)

        async def turned(job: Job, listener: object) -> Solution:
            found = await scene.plan(job, listener)
            orders = [order._replace(places=tuple(reversed(driven[order.vehicle]))) for order in found.orders]
            cost = found.previous_cost if drivable else None
            return replace(evaluate(job.problem, orders, job.unserved), previous_cost=cost)

        monkeypatch.setattr("ingest.routes.day.worker.plan", turned)
        events = await scene.at(REFRESH)
        assert {event["subject"] for event in events} == (set() if drivable else {*driven})


async def test_nobody_is_sent_twice_to_a_container_that_was_not_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Skipped in the morning, it is neither on the newer plan of the day nor a reason for one."""
    async with stage(tmp_path, monkeypatch) as scene:
        driven = await confirmed(scene)
        first = driven["truck-1"][0]
        engine = Engine(scene.city, [RULE])
        engine.load(await scene.journal.query(lambda connection: store.states(connection, RULE.id)))
        overlay = engine.overlay()
        overlay.advance(SHIFT + HOUR_MS)
        assert overlay.stop(TourFeedback(first, "skipped", SHIFT + HOUR_MS, "truck-1", "not_full"))
        await scene.journal.commit(Batch(states=list(overlay.dirty())), SHIFT + HOUR_MS)
        await scene.tours.control.replan(TUESDAY, None, ["truck-2"], "os:anna", "flat tyre")
        await scene.at(SHIFT + HOUR_MS + MINUTE_MS)
        newest = (await scene.plans())[-1]
        assert first not in newest.places
        assert newest.places & set(driven["truck-2"])
        jobs = len(scene.jobs)
        await scene.at(SHIFT + 2 * HOUR_MS)
        assert len(scene.jobs) == jobs
