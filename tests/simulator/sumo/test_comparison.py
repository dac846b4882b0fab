"""What a study says: means, intervals, verdicts, the mode that follows; as a table, as JSON and as a picture."""

import json
import math
from io import StringIO
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from simulator.sumo.arterial import Control, Demand, Run
from simulator.sumo.comparison import T_95, Comparison, Interval, Verdict, compare, interval, modes
from simulator.sumo.loop import Ran, Task
from simulator.sumo.person_delay import Outcome
from simulator.sumo.report import as_dict, bars, carried_lines, closing, plot, tables

BASE = Outcome(
    person_delay_s=60,
    car_delay_s=62,
    bus_delay_s=50,
    pedestrian_delay_s=20,
    cyclist_delay_s=None,
    stops=2.5,
    throughput_vph=3000,
    switches_per_hour=0,
    pedestrians_p95_wait_s=70,
    persons=5000,
)


def _pair(seed: int, before: float, after: float, where: tuple[Demand, Control], **changes: float) -> list[Ran]:
    """Two runs of one seed; their person delays, and what else is different with Stadtfunk."""
    run = Run(where[0], seed, where[1])
    outcomes = BASE._replace(person_delay_s=before), BASE._replace(person_delay_s=after, **changes)
    return [Ran(Task(run, on_top), found, {}, {}, ()) for on_top, found in zip((False, True), outcomes, strict=True)]


def _study(
    delays: list[tuple[float, float]], demand: Demand, control: Control = Control.FIXED, **changes: float
) -> list[Ran]:
    return [
        ran
        for seed, (before, after) in enumerate(delays)
        for ran in _pair(seed, before, after, (demand, control), **changes)
    ]


LAST = (
    "Default mode of traffic.signal_plan that follows: active on top of fixed plan; "
    "shadow on top of local actuated control, time-of-day plans."
)
BETTER = [(60.0, 54.0), (50.0, 46.0), (70.0, 62.0)]
SAME = [(60.0, 59.0), (50.0, 52.0), (70.0, 69.5)]
LESS = [(60.0, 58.0), (50.0, 51.5), (70.0, 66.0)]
WORSE = [(60.0, 66.0), (50.0, 54.0), (70.0, 78.0)]
PEAK, EVENT = Demand.SCHEDULED_PEAK, Demand.UNSCHEDULED_PEAK


def _only(runs: list[Ran]) -> Comparison:
    (found,) = compare(runs)
    return found


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 9, 10, 19, 30])
def test_student(degrees: int) -> None:
    """97.5 % of Student's distribution lie below the table's value, by numerical integration of its density."""
    peak = math.gamma((degrees + 1) / 2) / math.sqrt(degrees * math.pi) / math.gamma(degrees / 2)
    steps, end = 20_000, T_95[degrees - 1]
    inner = sum((1 + ((i + 0.5) * end / steps) ** 2 / degrees) ** (-(degrees + 1) / 2) for i in range(steps))
    assert 0.5 + peak * inner * end / steps == pytest.approx(0.975, abs=2e-5)


def test_interval() -> None:
    """The mean of 1, 2, 3 is known to 4.303 · 1 / √3; a single value has no interval; 50 values use the last t."""
    assert interval([1, 2, 3]) == pytest.approx((2, 4.303 / math.sqrt(3)))
    assert interval([7]) == Interval(7, None)
    many = [0.0, 1.0] * 25
    assert interval(many).half == pytest.approx(2.042 * math.sqrt(0.25 * 50 / 49) / math.sqrt(50))


def test_pairs() -> None:
    """Differences are taken seed by seed: where seeds differ by more than Stadtfunk does, it is seen all the same."""
    found = _only(_study(BETTER, PEAK))
    change = found.changes["person_delay_s"]
    assert (change.without.mean, change.stadtfunk.mean) == (60, 54)
    assert change.difference == pytest.approx((-6, 4.303 * 2 / math.sqrt(3)))
    assert change.percent is not None
    assert change.percent.mean == pytest.approx((-10 - 8 - 800 / 70) / 3)
    assert change.without.half is not None
    assert change.difference.half is not None
    assert change.without.half > 4 * change.difference.half
    assert found.seeds == (0, 1, 2)


@pytest.mark.parametrize(
    ("delays", "verdict"),
    [(BETTER, Verdict.HELPS), (SAME, Verdict.NO_HELP), (LESS, Verdict.NO_HELP), (WORSE, Verdict.WORSE)],
)
def test_verdict(delays: list[tuple[float, float]], verdict: Verdict) -> None:
    """It helps or is worse where the whole interval says so, else it is no help."""
    assert _only(_study(delays, PEAK)).verdict is verdict


def test_one_seed_tells_nothing() -> None:
    """One pair has no interval, and so no verdict, however large the difference."""
    found = _only(_study(BETTER[:1], PEAK))
    assert found.verdict is Verdict.UNKNOWN
    assert modes([found]) == {Control.FIXED: "shadow"}


def test_lone_runs_are_left_out() -> None:
    """A run without its pair counts nowhere; a combination without any pair is not there."""
    runs = _study(BETTER, PEAK)
    assert _only(runs[:-1]).seeds == (0, 1)
    assert compare(runs[::2]) == []


def test_a_figure_that_nobody_has() -> None:
    """Where nobody rode a bicycle there is no delay of cyclists, and no percent of nothing."""
    found = _only(_study(BETTER, PEAK, switches_per_hour=3.0))
    assert "cyclist_delay_s" not in found.changes
    assert found.changes["switches_per_hour"].percent is None
    assert found.changes["switches_per_hour"].difference == (3, 0)


MODES: dict[str, tuple[list[tuple[list[tuple[float, float]], Demand, dict[str, float]]], str]] = {
    "helps once, harms never": ([(BETTER, PEAK, {}), (SAME, EVENT, {})], "active"),
    "helps nowhere": ([(SAME, PEAK, {}), (SAME, EVENT, {})], "shadow"),
    "helps here, harms there": ([(BETTER, PEAK, {}), (WORSE, EVENT, {})], "shadow"),
    "pedestrians pay": ([(BETTER, PEAK, {}), (BETTER, EVENT, {"pedestrians_p95_wait_s": 71})], "shadow"),
}


@pytest.mark.parametrize("case", MODES)
def test_mode(case: str) -> None:
    """The default is active only where it helps and nobody pays for it."""
    studies, mode = MODES[case]
    runs = [ran for delays, demand, changes in studies for ran in _study(delays, demand, Control.FIXED, **changes)]
    assert modes(compare(runs)) == {Control.FIXED: mode}


def _printed(comparisons: list[Comparison], width: int = 90) -> str:
    out = StringIO()
    Console(file=out, width=width).print(tables(comparisons))
    return out.getvalue()


def test_table_says_where_it_does_not_help() -> None:
    """Every combination has its verdict, the closing lines name those without help and the mode of each control."""
    found = compare(
        _study(BETTER, PEAK) + _study(WORSE, EVENT, Control.ACTUATED) + _study(SAME, PEAK, Control.TIME_OF_DAY)
    )
    text = _printed(found)
    assert "scheduled peak, fixed plan: helps" in text
    assert "unscheduled peak, local actuated control: worse" in text
    assert "scheduled peak, time-of-day plans: no help" in text
    assert "54.0 ± " in text
    assert closing(found) == [
        "unscheduled peak, local actuated control: worse.",
        "scheduled peak, time-of-day plans: no help.",
        LAST,
    ]


def test_closing_names_pedestrians() -> None:
    """Where pedestrians wait longer, it is said."""
    found = compare(_study(BETTER, PEAK, pedestrians_p95_wait_s=75))
    assert "scheduled peak, fixed plan: pedestrians wait longer." in closing(found)


def test_json() -> None:
    """JSON holds every figure with its interval, the verdicts and the modes."""
    runs = [
        ran._replace(uplinks={"published": 7, "unheard": 2, "seed": 9}, answers={"active": 1})
        for ran in _study(BETTER, PEAK)
    ]
    told = json.loads(json.dumps(as_dict(compare(runs), runs)))
    (only,) = told["comparisons"]
    assert (only["demand"], only["control"], only["seeds"], only["verdict"]) == (
        "scheduled-peak",
        "fixed",
        [0, 1, 2],
        "helps",
    )
    assert only["figures"]["person_delay_s"]["difference"] == {"mean": -6, "half": 4.9687}
    assert only["figures"]["switches_per_hour"]["percent"] is None
    assert told["modes"] == {"fixed": "active"}
    assert told["carried"] == [
        {"demand": "scheduled-peak", "control": "fixed", "published": 21, "unheard": 6, "active": 3}
    ]


def test_bars_of_text() -> None:
    """The longest bar is that of the longest delay; each has its figure."""
    lines = bars(compare(_study(BETTER, PEAK)))
    assert lines[1] == "  scheduled peak, fixed plan"
    assert lines[2].startswith("    without        " + "█" * 54 + " 60.0 ± ")
    assert lines[3].startswith("    with Stadtfunk " + "█" * 49 + " 54.0 ± ")


def test_what_went_through_the_loop_is_told() -> None:
    """Only runs with Stadtfunk have a loop."""
    runs = [ran._replace(uplinks={"published": 7, "unheard": 2}) for ran in _study(BETTER, PEAK)]
    assert carried_lines(runs)[1:] == ["  scheduled peak, fixed plan: published 21, unheard 6"]


def test_picture() -> None:
    """The picture is SVG with a pair of bars for each combination, the taller the longer the delay, with whiskers."""
    found = compare(_study(BETTER, PEAK) + _study(WORSE, EVENT, Control.ACTUATED))
    root = ET.fromstring(plot(found))  # noqa: S314 - our own text
    space = "{http://www.w3.org/2000/svg}"
    bars = [float(each.get("height", "0")) for each in root.iter(f"{space}rect") if each.get("width") == "36.0"]
    assert len(bars) == 4
    assert bars[0] / bars[1] == pytest.approx(60 / 54, rel=0.01)
    assert bars[2] / bars[3] == pytest.approx(60 / 66, rel=0.01)
    whiskers = [each for each in root.iter(f"{space}line") if each.get("stroke-width") == "2"]
    assert len(whiskers) == 4
    words = " ".join(each.text or "" for each in root.iter(f"{space}text"))
    assert "scheduled peak" in words
    assert "unscheduled peak" in words
