"""The comparison for people, for scripts and as a picture."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from rules import svg
from rules.svg import Point, Size
from simulator.sumo.arterial import Control
from simulator.sumo.comparison import DELAY, FIGURES, Change, Comparison, Figure, Interval, Mode, Verdict, modes
from simulator.sumo.loop import Ran

COLUMNS = ("without", "with Stadtfunk", "difference", "percent")
LABEL_WIDTH, CELL_WIDTH, LONGEST_BAR = 26, 14, 54
UPLINKS = frozenset({"published", "unheard", "unsent"})
WITHOUT_COLOUR, WITH_COLOUR, WHISKER = "#9aa5b1", "#00796b", "#1f2933"
PANEL_WIDTH, LEFT, RIGHT, TOP, BOTTOM, HEIGHT = 500.0, 60.0, 20.0, 70.0, 70.0, 420.0
BAR, GAP = 36.0, 6.0
TICKS = 4
ROUND = 5.0 * TICKS
"""The scale ends at a multiple of this, and its lines stand at whole numbers."""


def tables(comparisons: Sequence[Comparison]) -> Group:
    """For each demand and control a verdict, and a row for each figure; 90 columns wide."""
    return Group(
        *(part for each in comparisons for part in (Text(f"{heading(each)}: {each.verdict}"), _table(each), ""))
    )


def _table(comparison: Comparison) -> Table:
    made = Table(box=None, pad_edge=False)
    made.add_column("", min_width=LABEL_WIDTH, no_wrap=True)
    for title in COLUMNS:
        made.add_column(title, min_width=CELL_WIDTH, justify="right", no_wrap=True)
    for figure in FIGURES:
        if figure.name in comparison.changes:
            made.add_row(*_cells(figure, comparison.changes[figure.name]))
    return made


def heading(comparison: Comparison) -> str:
    """Demand and control, in words."""
    return f"{comparison.demand.value.replace('-', ' ')}, {_control(comparison.control)}"


def bars(comparisons: Sequence[Comparison]) -> list[str]:
    """The delay of all people as bars of text: two for each demand and control, 90 columns wide."""
    highest = max((side.mean for each in comparisons for side in each.changes[DELAY][:2]), default=0.0) or 1.0
    lines = ["Delay of all people, s a person"]
    for each in comparisons:
        lines.append(f"  {heading(each)}")
        for words, side in zip(("without", "with Stadtfunk"), each.changes[DELAY][:2], strict=True):
            length = round(LONGEST_BAR * max(0.0, side.mean) / highest)
            lines.append(f"    {words:<15}{'█' * length} {_written(side, 1)}")
    return lines


def carried(runs: Sequence[Ran]) -> list[dict[str, Any]]:
    """What went through the loop in the runs with Stadtfunk, by demand and control: uplinks and answers to requests."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for ran in runs:
        if ran.task.stadtfunk:
            sums = found.setdefault((ran.task.run.demand.value, ran.task.run.control.value), Counter())
            for name, number in ran.uplinks.items():
                if name in UPLINKS and isinstance(number, int):
                    sums[name] += number
            sums.update(ran.answers)
    return [{"demand": demand, "control": control, **sums} for (demand, control), sums in found.items()]


def carried_lines(runs: Sequence[Ran]) -> list[str]:
    """The same for people: a loop in which nothing arrives would look like one that does not help."""
    lines = ["Through the loop"]
    for each in carried(runs):
        counts = ", ".join(f"{name} {number}" for name, number in each.items() if name not in {"demand", "control"})
        where = f"{each['demand'].replace('-', ' ')}, {_control(Control(each['control']))}"
        lines.append(f"  {where}: {counts}")
    return lines


def closing(comparisons: Sequence[Comparison]) -> list[str]:
    """What follows: where it does not help, and the mode for each local control."""
    lines = []
    for each in comparisons:
        if each.verdict in {Verdict.WORSE, Verdict.NO_HELP}:
            lines.append(f"{heading(each)}: {each.verdict}.")
        if each.longer_wait:
            lines.append(f"{heading(each)}: pedestrians wait longer.")
    found = modes(comparisons)
    words = [
        f"{mode} on top of {', '.join(_control(control) for control in chosen)}" for mode, chosen in _by_mode(found)
    ]
    return [*lines, f"Default mode of traffic.signal_plan that follows: {'; '.join(words)}."]


def as_dict(comparisons: Sequence[Comparison], runs: Sequence[Ran]) -> dict[str, Any]:
    """The same for scripts; `half` is half the width of the 95 % interval, null for one seed."""
    return {
        "carried": carried(runs),
        "comparisons": [
            {
                "demand": each.demand.value,
                "control": each.control.value,
                "seeds": [*each.seeds],
                "verdict": each.verdict.value,
                "figures": {name: _change(change) for name, change in each.changes.items()},
            }
            for each in comparisons
        ],
        "modes": {control.value: mode for control, mode in modes(comparisons).items()},
    }


def plot(comparisons: Sequence[Comparison]) -> str:
    """The delay of all people as SVG: a panel for each demand, a pair of bars for each control, with intervals."""
    demands = list(dict.fromkeys(each.demand for each in comparisons))
    panels = [[each for each in comparisons if each.demand is demand] for demand in demands]
    highest = max((side.mean + (side.half or 0) for each in comparisons for side in each.changes[DELAY][:2]), default=1)
    most = math.ceil(highest / ROUND) * ROUND
    parts = [
        svg.text(Point(LEFT, 26), "Delay of all people, s a person", font_size=16),
        *_legend(),
        *(line for number, panel in enumerate(panels) for line in _panel(panel, number, most)),
    ]
    size = Size(max(1, len(panels)) * PANEL_WIDTH, HEIGHT)
    return svg.picture(size, "Person delay without and with Stadtfunk", parts, " ".join(closing(comparisons)))


def _control(control: Control) -> str:
    return {"fixed": "fixed plan", "time-of-day": "time-of-day plans", "actuated": "local actuated control"}[control]


def _by_mode(found: Mapping[Control, Mode]) -> Iterator[tuple[Mode, list[Control]]]:
    for mode in dict.fromkeys(found.values()):
        yield mode, [control for control, of_control in found.items() if of_control == mode]


def _cells(figure: Figure, change: Change) -> list[str]:
    percent = "–" if change.percent is None else _written(change.percent, 1, signed=True)
    return [
        f"  {figure.label}, {figure.unit}" if figure.unit != "1" else f"  {figure.label}",
        _written(change.without, figure.decimals),
        _written(change.stadtfunk, figure.decimals),
        _written(change.difference, figure.decimals, signed=True),
        percent,
    ]


def _written(value: Interval, decimals: int, *, signed: bool = False) -> str:
    mean = f"{value.mean:{'+' if signed else ''}z.{decimals}f}"
    return mean if value.half is None else f"{mean} ± {value.half:.{decimals}f}"


def _change(change: Change) -> dict[str, Any]:
    return {
        name: None if value is None else {"mean": round(value.mean, 4), "half": value.half and round(value.half, 4)}
        for name, value in change._asdict().items()
    }


def _legend() -> Iterator[str]:
    x = LEFT
    for colour, words in ((WITHOUT_COLOUR, "without"), (WITH_COLOUR, "with Stadtfunk; whiskers: 95 % interval")):
        yield _box(Point(x, 36), Size(12, 12), colour)
        yield svg.text(Point(x + 18, 46), words)
        x += 90


def _panel(comparisons: Sequence[Comparison], number: int, most: float) -> Iterator[str]:
    begin, floor = number * PANEL_WIDTH + LEFT, HEIGHT - BOTTOM
    end = (number + 1) * PANEL_WIDTH - RIGHT
    for tick in range(TICKS + 1):
        y = _y(most * tick / TICKS, most)
        yield svg.line(Point(begin, y), Point(end, y), stroke="#d9dee3")
        yield svg.text(Point(begin - 8, y + 4), f"{most * tick / TICKS:.0f}", text_anchor="end")
    width = (end - begin) / len(comparisons)
    for place, each in enumerate(comparisons):
        middle = begin + (place + 0.5) * width
        change = each.changes[DELAY]
        yield from _bar(middle - BAR - GAP / 2, change.without, WITHOUT_COLOUR, most)
        yield from _bar(middle + GAP / 2, change.stadtfunk, WITH_COLOUR, most)
        yield svg.text(Point(middle, floor + 18), _control(each.control), text_anchor="middle")
        said = each.verdict.value if change.percent is None else f"{_written(change.percent, 1, signed=True)} %"
        yield svg.text(Point(middle, floor + 34), said, text_anchor="middle", font_weight="bold")
    title = comparisons[0].demand.value.replace("-", " ")
    yield svg.text(Point((begin + end) / 2, HEIGHT - 12), title, text_anchor="middle")


def _bar(x: float, value: Interval, colour: str, most: float) -> Iterator[str]:
    top = _y(value.mean, most)
    yield _box(Point(x, top), Size(BAR, HEIGHT - BOTTOM - top), colour)
    if value.half is not None:
        middle = x + BAR / 2
        ends = Point(middle, _y(value.mean - value.half, most)), Point(middle, _y(value.mean + value.half, most))
        yield svg.line(*ends, stroke=WHISKER, stroke_width=2)


def _y(value: float, most: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * max(0.0, value) / most


def _box(at: Point, size: Size, colour: str) -> str:
    return f'<rect x="{at.x:.1f}" y="{at.y:.1f}" width="{size.width:.1f}" height="{size.height:.1f}" fill="{colour}"/>'
