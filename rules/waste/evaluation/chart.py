"""Policies beside each other as a picture: a group of bars for each figure."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from rules.svg import Point, Size, line, picture, text
from rules.waste.evaluation.figures import Figures

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


def chart(title: str, rows: Sequence[Figures]) -> str:
    """SVG text; the longest bar of a group has the full width."""
    group = len(rows) * BAR + GAP
    parts = [text(Point(10, 24), title, font_size=16), *_legend(rows)]
    for number, (name, figure, form) in enumerate(ROWS):
        parts += _group(TOP + number * group, name, [figure(row) for row in rows], form)
    return picture(Size(WIDTH, TOP + len(ROWS) * group), title, parts)


def _legend(rows: Sequence[Figures]) -> Iterator[str]:
    for number, row in enumerate(rows):
        x = 10.0 + 130 * number
        yield _bar(Point(x, 42), 12, number)
        yield text(Point(x + 18, 46), row.policy)


def _group(top: float, name: str, values: Sequence[float], form: str) -> Iterator[str]:
    yield text(Point(10, top + 15), name)
    longest = max(values) or 1.0
    for number, value in enumerate(values):
        middle, width = top + number * BAR + THICK / 2, LONGEST * value / longest
        yield _bar(Point(LEFT, middle), width, number)
        yield text(Point(LEFT + width + 6, middle + 4), form.format(value))


def _bar(begin: Point, length: float, number: int) -> str:
    end = Point(begin.x + length, begin.y)
    return line(begin, end, stroke=COLOURS[number % len(COLOURS)], stroke_width=THICK)
