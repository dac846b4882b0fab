"""Policies beside each other as a picture: a group of bars for each figure."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from rules.svg import Point, Size, line, picture, text
from rules.waste.evaluation.figures import Figures
from rules.waste.evaluation.log_study import Row

WIDTH, TOP, BAR, GAP, LEFT, LONGEST = 860.0, 64.0, 20.0, 26.0, 190.0, 480.0
THICK: Final = BAR - 4
COLOURS: Final = ("#8a8d91", "#e08a00", "#2e7d32", "#1f6feb")
ROWS: Final[tuple[tuple[str, Callable[[Figures], float], str], ...]] = (
    ("km", lambda row: row.km, "{:,.0f}"),
    ("hours", lambda row: row.hours, "{:,.1f}"),
    ("visits", lambda row: row.visits, "{:,.0f}"),
    ("fill at visit, %", lambda row: row.fill_mean, "{:.1f}"),
    ("overflow container-days", lambda row: row.overflow_days, "{:,.0f}"),
    ("CO2, kg", lambda row: row.co2_kg, "{:,.0f}"),
    ("cost, EUR", lambda row: row.cost_eur, "{:,.0f}"),
)
LOG_ROWS: Final[tuple[tuple[str, Callable[[Row], float | None], str], ...]] = (
    ("km", lambda row: row.km, "{:,.0f}"),
    ("hours", lambda row: row.hours, "{:,.1f}"),
    ("visits", lambda row: row.visits, "{:,.0f}"),
    ("fill at visit, %", lambda row: row.fill, "{:.1f}"),
    ("overflow container-days", lambda row: row.overflow_days, "{:,.1f}"),
    ("CO2, kg", lambda row: row.co2_kg, "{:,.0f}"),
)


class Group(NamedTuple):
    """A figure of each policy, in the order of the policies; `form` is how a value is written."""

    name: str
    values: Sequence[float]
    form: str


def chart(title: str, rows: Sequence[Figures]) -> str:
    """SVG text of a made city's policies."""
    groups = [Group(name, [figure(row) for row in rows], form) for name, figure, form in ROWS]
    return bars(title, [row.policy for row in rows], groups)


def log_chart(title: str, rows: Sequence[Row]) -> str:
    """SVG text of what became of a log; a figure that the log does not tell is left out."""
    groups: list[Group] = []
    for name, figure, form in LOG_ROWS:
        values = [value for row in rows if (value := figure(row)) is not None]
        if len(values) == len(rows):
            groups.append(Group(name, values, form))
    return bars(title, [row.policy for row in rows], groups)


def bars(title: str, policies: Sequence[str], groups: Sequence[Group]) -> str:
    """SVG text; the longest bar of a group has the full width."""
    height = len(policies) * BAR + GAP
    parts = [text(Point(10, 24), title, font_size=16), *_legend(policies)]
    for number, group in enumerate(groups):
        parts += _group(TOP + number * height, group)
    return picture(Size(WIDTH, TOP + len(groups) * height), title, parts)


def _legend(policies: Sequence[str]) -> Iterator[str]:
    for number, policy in enumerate(policies):
        x = 10.0 + 130 * number
        yield _bar(Point(x, 42), 12, number)
        yield text(Point(x + 18, 46), policy)


def _group(top: float, group: Group) -> Iterator[str]:
    yield text(Point(10, top + 15), group.name)
    longest = max(group.values) or 1.0
    for number, value in enumerate(group.values):
        middle, width = top + number * BAR + THICK / 2, LONGEST * value / longest
        yield _bar(Point(LEFT, middle), width, number)
        yield text(Point(LEFT + width + 6, middle + 4), group.form.format(value))


def _bar(begin: Point, length: float, number: int) -> str:
    end = Point(begin.x + length, begin.y)
    return line(begin, end, stroke=COLOURS[number % len(COLOURS)], stroke_width=THICK)
