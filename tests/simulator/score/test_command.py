"""The command: a short play through the real service, and its errors."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from simulator.cli import register
from simulator.error import SimulatorError
from simulator.play import Plan
from simulator.scenario.file import load
from simulator.score.command import run
from simulator.score.play import ITERATIONS, SEARCH_S, settings_of
from tests.simulator.score.scenes import smaller

pytestmark = [pytest.mark.xdist_group("score-1"), pytest.mark.timeout(300)]
START_NS = 1_781_503_200_000_000_000
PLAN = Plan(seed=3, start_ns=START_NS)
HALF_AN_HOUR_NS = 1_800_000_000_000


def test_through_the_real_service(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half an hour of the lots: their states become known within minutes, and are right from then on."""
    score = run(smaller(("lot",), tmp_path), PLAN, START_NS + HALF_AN_HOUR_NS, as_json=True, quiet=True)
    printed = capsys.readouterr().out
    assert json.loads(printed) == json.loads(json.dumps(score.as_dict()))
    assert printed.count("\n") == 1
    assert score.lots_together is not None
    assert score.lots_together.accuracy_pct is not None
    assert score.lots_together.accuracy_pct > 95
    assert score.lots_together.unknown_pct is not None
    assert 0 < score.lots_together.unknown_pct < 20
    assert score.played.events > 4


def test_the_example_city_and_tables(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a city it is the example's; without --json tables come."""
    run(None, Plan(seed=3, start_ns=START_NS, devices=10), START_NS + HALF_AN_HOUR_NS // 6, as_json=False, quiet=True)
    printed = capsys.readouterr().out
    assert "lot-bahnhof" in printed
    assert "not scored: " in printed


def test_at_the_front_door() -> None:
    """The option prints the score as JSON; with an option that it does not take it is used wrongly."""
    five_minutes = (
        "--score",
        "--from",
        "2026-06-15T08:00:00+02:00",
        "--for",
        "5m",
        "--devices",
        "10",
        "--json",
        "--quiet",
    )
    result = _simulate(*five_minutes)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["played"]["devices"], found["lots_together"]["lot"]) == (10, "all")
    assert _simulate(*five_minutes, "--truth", "truth.csv").exit_code == 2
    endless = _simulate("--score", "--quiet")
    assert (endless.exit_code, endless.stdout) == (2, "")
    assert "--score needs an end" in endless.stderr


def test_tours_of_the_service_at_the_front_door() -> None:
    """With --collected a play is scored, too; so short a one cannot say anything of collection."""
    result = _simulate(
        "--score", "--collected", "--from", "2026-06-15T08:00:00+02:00", "--for", "5m", "--json", "--quiet"
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["collection"] is None
    assert "collection" in {each["what"] for each in found["unscored"]}


def test_tours_are_planned_only_where_they_are_driven() -> None:
    """Else their planning would take its time for nothing."""
    assert settings_of(PLAN)["routes"]["automatic"] is False
    assert settings_of(replace(PLAN, own_rounds=False))["routes"] == {"iterations": ITERATIONS, "seconds": SEARCH_S}


def _simulate(*arguments: str) -> Result:
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    register(app)
    return CliRunner().invoke(app, ["simulate", *arguments])


@pytest.mark.parametrize(
    ("plan", "end_ns", "why"),
    [
        (Plan(seed=3, start_ns=START_NS, models=("elsys/generic",)), START_NS + 1, "--models"),
        (PLAN, START_NS, "nothing to play"),
    ],
)
def test_what_cannot_be_scored(plan: Plan, end_ns: int, why: str) -> None:
    """Of devices that are nowhere, or of no time at all."""
    with pytest.raises(SimulatorError, match=why):
        run(None, plan, end_ns, as_json=True, quiet=True)


def test_what_cannot_be_collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A city without vehicles, vehicles on strike, and no solver."""
    plan, end_ns = replace(PLAN, own_rounds=False), START_NS + HALF_AN_HOUR_NS
    with pytest.raises(SimulatorError, match="no feature of kind vehicle"):
        run(smaller(("container",), tmp_path), plan, end_ns, as_json=True, quiet=True)
    strike = replace(plan, scenario=load("collection-strike").scenario)
    with pytest.raises(SimulatorError, match="strike"):
        run(None, strike, end_ns, as_json=True, quiet=True)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(SimulatorError, match=r"install stadtfunk\[routes\]"):
        run(None, plan, end_ns, as_json=True, quiet=True)
