"""No shipped scenario is scored worse than it was: committed.json holds the scores, renew.py writes them anew."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from simulator.scenario.file import shipped
from tests.simulator.score.compared import MARGINS, figures, worse
from tests.simulator.score.scenes import COMMITTED, SCENES, Scene, played

LONGEST = ("collection-strike", "ordinary-week", "heat-wave", "collected")
"""Half of the time that all of them take."""
KNOWN: dict[str, dict[str, Any]] = json.loads(COMMITTED.read_text(encoding="utf-8"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(scene, id=scene.name, marks=pytest.mark.xdist_group(f"score-{1 + (scene.name in LONGEST)}"))
        for scene in SCENES
    ],
)
def test_no_score_is_worse(scene: Scene, tmp_path: Path) -> None:
    """The scenario through the real service: each figure is as good as the committed one, within its margin."""
    assert worse(KNOWN[scene.name], played(scene, tmp_path)) == []


def test_each_shipped_scenario_has_a_scene_with_something_in_it() -> None:
    """Each is there once, and has figures that can become worse."""
    assert sorted(scene.name for scene in SCENES) == sorted(KNOWN)
    assert {scene.plays for scene in SCENES} == set(shipped())
    for name, score in KNOWN.items():
        known = [value for value in figures(score).values() if value is not None]
        assert len(known) >= 5, name


def test_together_they_have_every_figure() -> None:
    """No margin is there for a figure that no scene has."""
    found = {name.rpartition(".")[2] for name, value in _all_figures() if value is not None}
    assert found == set(MARGINS)


def test_each_day_ahead_is_foretold() -> None:
    """The figures of 1, 2 and 3 days ahead are of forecasts that some scene has."""
    for days in (1, 2, 3):
        names = [name for name, value in _all_figures() if f".{days}d.error_pp" in name and value is not None]
        assert names, days


def test_a_level_that_was_not_there_before_is_seen() -> None:
    """An alert that goes higher than ever has no committed line; false alarms of that level are named, hits are not."""
    score = KNOWN["heavy-rain"]
    higher = copy.deepcopy(next(each for each in score["alerts"] if each["kind"] == "gauge"))
    higher |= {"level": 99, "hit": 1, "missed": 0, "false": 0, "false_h": 0.5, "lead_median_s": 0}
    assert worse(score, _with(score, higher)) == []
    for figure, value in (("missed", 1), ("false", 7), ("false_h", 0.6)):
        (complaint,) = worse(score, _with(score, {**higher, figure: value}))
        assert complaint == f"alerts.gauge.99.{figure} is {value} and was not there before"


@pytest.mark.parametrize("name", sorted(MARGINS))
def test_what_is_worse_is_seen(name: str) -> None:
    """A figure just within its margin passes, one beyond it is named, and so is one that is gone."""
    score = next(score for score in KNOWN.values() if _places(score, name))
    assert worse(score, score) == []
    margin = MARGINS[name]
    sign = -1 if margin.more_is_better else 1
    for change, complaints in ((margin.worse_by, 0), (margin.worse_by + 0.5, 1), (-1000, 0)):
        moved = _moved(score, name, sign * change)
        found = [each for each in worse(score, moved) if f".{name} " in each]
        assert len(found) == complaints
    gone = _moved(score, name, None)
    assert any("no longer" in each for each in worse(score, gone))


def _all_figures() -> list[tuple[str, float | None]]:
    return [pair for score in KNOWN.values() for pair in figures(score).items()]


def _with(score: dict[str, Any], alert: dict[str, Any]) -> dict[str, Any]:
    """The score with one more line of alerts."""
    return {**score, "alerts": [*score["alerts"], alert]}


def _places(score: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Where a score holds a figure; a share is held by its count."""
    counted = {"followed_pct": "followed", "overflows_unannounced": "overflows_announced"}.get(name, name)
    counted = counted.removeprefix("planned_")
    containers = score["containers"]
    if name.startswith("planned_"):
        collection = score.get("collection")
        return [collection["planned_tours"]] if collection else []
    found = [score["lots_together"], *score["signal_plans"], *score["green_waves"], *score["alerts"], containers]
    found += containers["horizons"] if containers else []
    places = [each for each in found if each and each.get(counted) is not None]
    return [each for each in places if name != "followed_pct" or each["changes"]]


def _moved(score: dict[str, Any], name: str, by: float | None) -> dict[str, Any]:
    """The score with the figure moved in its first place, or without it."""
    moved = copy.deepcopy(score)
    place = _places(moved, name)[0]
    match name:
        case "followed_pct" if by is not None:
            place["followed"] += by * place["changes"] / 100
        case "followed_pct":
            place["changes"] = 0
        case "overflows_unannounced" if by is not None:
            place["overflows_announced"] -= by
        case "overflows_unannounced":
            moved["containers"] = None
        case _:
            key = name.removeprefix("planned_")
            place[key] = None if by is None else place[key] + by
    return moved
