"""`rules explain` and `rules report`: what rules said, and why."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ingest.cli import app
from ingest.commands import rules_said as cli_rules_said
from ingest.decisions import explain as rules_explain
from ingest.decisions import report as rules_report
from ingest.decisions.explain import ExplainError, Explanation
from ingest.journal import Journal
from ingest.journal_records import Batch, EventRow
from ingest.replay.decode_again import Decoder
from ingest.settings import JournalSettings
from rules.catalog import RULES
from rules.city import City
from rules.rule import StateRow
from tests.ingest.bench import Bench, running
from tests.ingest.replays import reading
from tests.ingest.requesting import REQUESTING, requesting
from tests.ingest.test_answers import answer
from tests.ingest.test_modes import PLAN, STATE, newest, say, with_modes
from tests.ingest.uplinks import CITY, LOT_DEVICES, NOW

__all__ = ["requesting"]

HOUR_MS = 3_600_000


def city() -> City:
    """The small city with two more lots, one near, one far, of which nothing was ever heard."""
    features: list[dict[str, Any]] = json.loads(json.dumps(CITY))["features"]
    for name, east in (("lot-fern", 0.02), ("lot-nah", 0.001)):
        lot = json.loads(json.dumps(features[0]))
        lot["id"], lot["properties"]["devices"] = name, []
        lot["geometry"]["coordinates"][0] += east
        features.append(lot)
    return City.parse(json.dumps({"type": "FeatureCollection", "features": features}))


async def explained(bench: Bench, topic: str, days: float = 1, place: City | None = None) -> Explanation:
    """Why the newest event of a topic was said."""
    settings, where = bench.service.settings, place or City.parse(json.dumps(CITY))
    name = await newest(bench.service.journal, topic)
    with reading(settings) as connection:
        found = rules_explain.kept(connection, name)
        rules = (*RULES, REQUESTING)
        return rules_explain.explain(connection, Decoder(settings, where), where, rules, found, days)


@pytest.mark.usefixtures("requesting")
async def test_an_event_is_explained_by_the_step_that_made_it(tmp_path: Path) -> None:
    """Its uplink with the readings, the state before and after, exact to the byte; who confirmed it."""
    async with running(with_modes(tmp_path, modes={REQUESTING.id: "confirm"}), NOW + 2000) as bench:
        await say(bench, 0, NOW)
        await bench.send(answer(3))
        await say(bench, 1, NOW + 1000)
        await bench.service.rules.confirm(await newest(bench.service.journal, PLAN), "anna", "seen")
        found = await explained(bench, PLAN)
        assert (found.exact, found.problems) == (True, [])
        assert found.given is not None
        assert (found.given["kind"], found.given["dev_eui"]) == ("observation", LOT_DEVICES[-1])
        assert found.given["readings"] == [("occupied", 0.0, "")]
        before, after = found.before, found.after
        assert isinstance(before, dict)
        known = {"measured_ms": NOW + 1000 + len(LOT_DEVICES) - 2, "running": "3", "answers": 1}
        assert known.items() <= before.items()
        assert after == {**before, "measured_ms": NOW + 1000 + len(LOT_DEVICES) - 1}
        assert [(row["actor"], row["reason"]) for row in found.kept.audit] == [("anna", "seen")]
        assert found.kept.status == "pending"


@pytest.mark.usefixtures("requesting")
async def test_neighbours_are_shown_nearest_first(tmp_path: Path) -> None:
    """With their distance, their state at that time, and what they said last; nothing where they said nothing."""
    async with running(with_modes(tmp_path), NOW + 2000) as bench:
        await say(bench, 0, NOW)
        found = await explained(bench, STATE, place=city())
        assert [(near.subject, near.said) for near in found.neighbours] == [("lot-nah", None), ("lot-fern", None)]
        assert [near.distance_m // 10 for near in found.neighbours] == [6, 137]
        assert isinstance(found.neighbours[0].state, dict)
        assert found.neighbours[0].state["spaces"] == {}


@pytest.mark.usefixtures("requesting")
async def test_what_cannot_be_run_again_is_said(tmp_path: Path) -> None:
    """Less of the past than the state needs is not exact; no past at all, no asset, no such event say so."""
    async with running(with_modes(tmp_path), NOW) as bench:
        await say(bench, 0, NOW - 12 * HOUR_MS)
        await say(bench, 1, NOW - 12 * HOUR_MS + 1000)
        bench.now_ms = NOW
        await say(bench, 2, NOW)
        assert not (await explained(bench, STATE, days=1e-7)).exact
        larger = json.loads(json.dumps(CITY))
        larger["features"][0]["properties"]["capacity"] = 30
        other = await explained(bench, STATE, place=City.parse(json.dumps(larger)))
        assert (other.given is not None, other.exact) == (True, False)
        nothing = City.parse('{"type": "FeatureCollection", "features": []}')
        assert "no asset of the city" in (await explained(bench, STATE, place=nothing)).problems[0]
        with reading(bench.service.settings) as connection, pytest.raises(ExplainError, match="no event x"):
            rules_explain.kept(connection, "x")


@pytest.mark.usefixtures("requesting")
async def test_the_commands_print_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As text and as JSON; a wrong rule and a span that ends before it begins are wrong usage."""
    settings = with_modes(tmp_path)
    async with running(settings, NOW + 2000) as bench:
        await say(bench, 0, NOW)
        name = await newest(bench.service.journal, STATE)
    monkeypatch.setattr(cli_rules_said, "load", lambda _: settings)
    text = call("explain", name)
    assert text.startswith("city.stadtfunk.parking.lot_state.v1 about lot-markt, 2027-01-15T08:00:0")
    for part in ("by parking.lot_state version", '"state": "full"', "occupied", "before: {", "after: {"):
        assert part in text
    assert json.loads(call("explain", name, "--json"))["exact"] is True
    rows = json.loads(call("report", "--since", "2027-01-15T08:00:00Z", "--until", "2027-01-15T09:00:00Z", "--json"))
    assert {(row["rule"], row["subject"]) for row in rows["rows"]} >= {(REQUESTING.id, "lot-markt")}
    assert "lot-markt" in call("report", "--since", "2027-01-15", "--until", "2027-01-16", "--rule", RULES[0].id)
    for words in (["--since", "2027-01-15", "--rule", "x"], ["--since", "2027-01-15", "--until", "2027-01-14"]):
        assert CliRunner().invoke(app, ["rules", "report", *words]).exit_code == 2
    assert CliRunner().invoke(app, ["rules", "explain", "x"]).exit_code == 1


def call(*words: str) -> str:
    """What a command prints."""
    done = CliRunner().invoke(app, ["rules", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def plan(number: int, minute: int, wish: str, reported: str | None, coverage: float | None = None) -> EventRow:
    """A request for a plan in a shadow period, valid for ten minutes."""
    time_ms = NOW + minute * 60_000
    data = {"rule": "traffic.signal_plan", "plan": wish, "reported": reported}
    evidence = [{"coverage_pct": coverage}]
    payload = json.dumps({"id": str(number), "subject": "g", "data": {**data, "evidence": evidence}}).encode()
    return EventRow(str(number), "t", payload, False, True, time_ms, time_ms + 600_000, "shadow")  # noqa: FBT003 - acts


async def rows(tmp_path: Path, *events: EventRow) -> list[dict[str, Any]]:
    """The report of an hour in which these were said."""
    async with Journal(JournalSettings(path=tmp_path / "journal.db")) as journal:
        await journal.commit(Batch(events=list(events)), NOW)
        return await journal.query(lambda connection: rules_report.report(connection, NOW, NOW + HOUR_MS))


async def test_a_shadow_period_is_summed_up(tmp_path: Path) -> None:
    """Switches, agreement with what was reported, share of the hour with a valid decision, coverage."""
    (row,) = await rows(
        tmp_path,
        plan(0, -30, "1", "9"),
        plan(1, 0, "1", "1", 100),
        plan(2, 5, "1", "2", 50),
        plan(3, 20, "2", None),
        plan(4, 55, "1", "1"),
        plan(5, 60, "1", "1"),
    )
    assert (row["rule"], row["subject"], row["events"], row["statuses"]) == (
        "traffic.signal_plan",
        "g",
        4,
        {"shadow": 4},
    )
    assert (row["switches"], row["switches_per_hour"], row["agreement_pct"]) == (2, 2.0, 66.7)
    assert (row["availability_pct"], row["coverage_pct"]) == (50.0, 75.0)


async def test_whether_requests_are_carried_out_is_no_decision(tmp_path: Path) -> None:
    """Such an event is valid for a day and has a state: neither is a plan's; problems are counted apart."""
    data = {"rule": "traffic.signal_plan", "state": "problem", "problem": "rejected", "evidence": []}
    payload = json.dumps({"id": "h", "subject": "g", "data": data}).encode()
    health = EventRow("h", "t/health", payload, True, False, NOW + 60_000, NOW + 24 * HOUR_MS, "shadow")  # noqa: FBT003 - retained
    (row,) = await rows(tmp_path, plan(1, 0, "1", "1"), health, plan(2, 5, "1", "1"))
    assert (row["events"], row["switches"], row["availability_pct"]) == (2, 0, 25.0)
    assert row["problems"] == {"rejected": 1}


async def test_figures_that_are_not_known_are_null(tmp_path: Path) -> None:
    """No report of what runs, no coverage: null, never 0 or 100; no event at all: no row."""
    (row,) = await rows(tmp_path, plan(1, 0, "1", None))
    assert (row["agreement_pct"], row["coverage_pct"], row["measured_pct"]) == (None, None, None)
    assert await rows(tmp_path / "other") == []


def measuring(rule: str, days: list[list[int]]) -> StateRow:
    """The state of a rule that counted its decisions by day."""
    return StateRow(rule, "g", 1, json.dumps({"config": "", "rest": {"measured_days": days}}, separators=(",", ":")))


async def test_a_calm_shadow_period_tells_how_much_was_measured(tmp_path: Path) -> None:
    """A group that never wanted another plan has a row: the share of its decisions of those days on known flows."""
    today = NOW // 86_400_000
    days = [[today - 1, 100, 0], [today, 40, 30], [today + 1, 100, 0]]
    async with Journal(JournalSettings(path=tmp_path / "journal.db")) as journal:
        states = [measuring("traffic.signal_plan", days), measuring("traffic.green_wave", days[:1])]
        await journal.commit(Batch(states=states), NOW)
        (row,) = await journal.query(lambda connection: rules_report.report(connection, NOW, NOW + 1))
        assert await journal.query(lambda c: rules_report.report(c, NOW, NOW + 1, "parking.lot_state")) == []
    assert (row["rule"], row["subject"], row["events"]) == ("traffic.signal_plan", "g", 0)
    assert (row["measured_pct"], row["agreement_pct"], row["availability_pct"]) == (75.0, None, 0.0)
