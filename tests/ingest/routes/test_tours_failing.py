"""What comes out where tours cannot be planned."""

from datetime import date
from pathlib import Path

import pytest

from ingest.routes.before import on_tour
from tests.ingest.routes.touring import (
    DAY_MS,
    EVENING,
    NAMES,
    REFRESH,
    SHIFT,
    TUESDAY,
    confirmed,
    said,
    stage,
    stops,
    town,
)
from tests.rules.waste.route.cities import HOUR_MS, city, container, depot, site, vehicle

WEDNESDAY = date(2026, 9, 16)
MINUTE_MS = 60_000


async def test_where_planning_fails_the_last_confirmed_tour_comes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a fallback with the reason in both languages; the depot can confirm it."""
    async with stage(tmp_path, monkeypatch) as scene:
        driven = await confirmed(scene)
        scene.refusal = "PyVRP cannot be imported: install stadtfunk[routes]"
        events = await scene.at(EVENING + DAY_MS)
        assert said(events) == {"truck-1": "fallback", "truck-2": "fallback"}
        assert {event["subject"]: stops(event) for event in events} == driven
        for event in events:
            data = event["data"]
            assert data["day"] == "2026-09-16"
            assert "letzte bestätigte Tour vom Di 15.09.2026; Planung fehlgeschlagen: PyVRP" in data["text_de"]
            assert "last confirmed tour, of Tue 15 Sep 2026; planning failed: PyVRP" in data["text_en"]
        assert scene.count("fallback") == 1
        assert scene.tours.warnings() == {"routes 2026-09-16 paper": f"planning failed: {scene.refusal}"}
        assert await scene.at(EVENING + DAY_MS + MINUTE_MS) == []
        assert said(await scene.answer(events[0], "accepted")) == {events[0]["subject"]: "confirmed"}


async def test_after_a_fallback_the_refresh_tries_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what it plans takes the place of the fallback, and of the warning."""
    async with stage(tmp_path, monkeypatch) as scene:
        await confirmed(scene)
        scene.refusal = "no"
        await scene.at(EVENING + DAY_MS)
        scene.refusal = ""
        assert set(said(await scene.at(REFRESH + DAY_MS)).values()) == {"proposed"}
        assert [plan.status for plan in await scene.plans(WEDNESDAY)] == ["withdrawn", "proposed"]
        assert scene.tours.warnings() == {}


async def test_without_any_confirmed_tour_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never silence: each vehicle hears that nothing is planned, why, and what lies undone."""
    async with stage(tmp_path, monkeypatch) as scene:
        scene.refusal = "it is broken"
        events = await scene.at(EVENING)
        assert said(events) == {"truck-1": "fallback", "truck-2": "fallback"}
        for event in events:
            assert stops(event) == []
            assert "keine bestätigte Tour bekannt, nichts geplant" in event["data"]["text_de"]
            assert event["data"]["left_out_in"] == "truck-1"
        left = [one for event in events for one in event["data"]["left_out"]]
        assert sorted(one["place"] for one in left) == sorted(NAMES[:5])
        assert {one["reason"] for one in left} == {"not_planned"}
        assert {(one["text_de"], one["text_en"]) for one in left} == {
            ("Planung fehlgeschlagen: it is broken", "planning failed: it is broken")
        }


async def test_a_failure_that_nobody_thought_of_is_one_like_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fallback comes out, and the task goes on."""
    async with stage(tmp_path, monkeypatch) as scene:

        async def broken(*_: object) -> None:
            raise ZeroDivisionError("our own")

        monkeypatch.setattr("ingest.routes.day.worker.plan", broken)
        assert set(said(await scene.at(EVENING)).values()) == {"fallback"}
        assert scene.tours.warnings() == {"routes 2026-09-15 paper": "planning failed: ZeroDivisionError: our own"}


async def test_a_plan_that_fails_leaves_the_tours_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the shift and during it; a vehicle that dropped out is withdrawn all the same, with what it leaves."""
    async with stage(tmp_path, monkeypatch) as scene:
        driven = await confirmed(scene)
        scene.refusal = "no"
        assert await scene.at(REFRESH) == []
        assert scene.tours.warnings() == {"routes 2026-09-15 paper": "planning failed: no"}
        await scene.tours.control.replan(TUESDAY, "paper", ["truck-1"], "os:anna", "")
        (event,) = await scene.at(SHIFT + HOUR_MS)
        assert (event["subject"], event["data"]["status"]) == ("truck-1", "withdrawn")
        assert {one["place"] for one in event["data"]["left_out"]} >= set(driven["truck-1"])
        assert await scene.at(SHIFT + 2 * HOUR_MS) == []
        assert on_tour(await scene.plans()) == {"truck-2"}


async def test_a_day_that_nobody_planned_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Off from evening to shift: the last confirmed tours come out; the first day of all is none that was missed."""
    async with stage(tmp_path, monkeypatch) as scene:
        assert await scene.at(SHIFT) == []
        scene.now_ms = EVENING
        driven = await confirmed(scene)
        events = await scene.at(SHIFT + DAY_MS + HOUR_MS)
        assert {event["subject"]: stops(event) for event in events} == driven
        assert "planning did not run when it was due" in events[0]["data"]["text_en"]


async def test_the_same_weekday_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A week later the tour of last Tuesday, though Monday's is newer."""
    async with stage(tmp_path, monkeypatch) as scene:
        driven = await confirmed(scene)
        friday = EVENING + 4 * DAY_MS
        await scene.hear(("bin-5", 95.0, friday - HOUR_MS))
        for event in await scene.at(friday):
            await scene.answer(event, "accepted")
        scene.refusal = "no"
        events = await scene.at(EVENING + 7 * DAY_MS)
        assert {event["subject"]: stops(event) for event in events} == driven
        assert "vom Di 15.09.2026" in events[0]["data"]["text_de"]


async def test_a_fraction_without_a_free_vehicle_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a warning, once; where nothing of it is due nobody is warned."""
    room = {name: {"mass_kg": 9000, "volume_l": 40_000} for name in ("paper", "glass")}
    bins = [container(name, forecast=False, fraction="glass" if name == "bin-5" else "paper") for name in NAMES]
    place = city(depot(), site(), vehicle("truck-1", capacity=room), *bins)
    async with stage(tmp_path, monkeypatch, place) as scene:
        assert said(await scene.at(EVENING)) == {"truck-1": "proposed"}
        assert scene.tours.warnings() == {}
        await scene.hear(("bin-5", 99.0, REFRESH - HOUR_MS))
        assert await scene.at(REFRESH) == []
        assert scene.tours.warnings() == {
            "routes 2026-09-15 glass": "all vehicles have other tours or are out",
        }
        assert await scene.at(SHIFT) == []


async def test_where_the_only_vehicle_is_gone_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken out of the city's file during the day, with nobody to take over."""
    async with stage(tmp_path, monkeypatch, town("truck-1")) as scene:
        driven = await confirmed(scene)
        await scene.at(REFRESH)
        scene.city = city(depot(), site(), vehicle("other", capacity={"glass": {"mass_kg": 1, "volume_l": 1}}))
        (event,) = await scene.at(SHIFT + HOUR_MS)
        assert (event["subject"], event["data"]["status"]) == ("truck-1", "withdrawn")
        assert {one["place"] for one in event["data"]["left_out"]} >= set(driven["truck-1"])
        assert await scene.at(SHIFT + 2 * HOUR_MS) == []


async def test_a_city_that_cannot_be_planned_for_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the asset and the property; once it is mended, planning goes on."""
    async with stage(tmp_path, monkeypatch) as scene:
        good = scene.city
        scene.city = city(depot(), site(), vehicle("truck-1", capacity={}), container())
        assert await scene.at(EVENING) == []
        assert "capacity" in scene.tours.warnings()["routes"]
        scene.city = good
        assert len(await scene.at(EVENING + MINUTE_MS)) == 2
        assert scene.tours.warnings() == {}
