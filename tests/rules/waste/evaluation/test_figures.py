"""Rows of the table, and their picture."""

from xml.etree import ElementTree as ET

import pytest

from rules.waste.evaluation.chart import chart
from rules.waste.evaluation.figures import CO2_KG_A_LITRE, LITRES_A_KM, added, change, figures, quantile
from rules.waste.evaluation.rolling import Driven, Emptying, Span

SPAN = Span(
    range(10, 14),
    (Driven({}, 30_000, 3_600, 9_000, 1), Driven({}, 10_000, 1_800, 4_000, 2, ("b",))),
    (Emptying("a", 10, 40.0), Emptying("a", 12, 60.0), Emptying("b", 12, 80.0)),
    (("a", 11), ("b", 13)),
)


def test_a_row_sums_up_the_days() -> None:
    """Distances, times, visits, fills, overflows and what follows from them."""
    row = figures("prize", 5, SPAN)
    assert (row.km, row.hours, row.tours, row.visits, row.left) == (40.0, 1.5, 3, 3, 1)
    assert [row.fill_mean, row.fill_p50, row.fill_p90] == pytest.approx([60.0, 60.0, 76.0])
    assert (row.overflow_days, row.overflow) == (2, 2 / 20)
    assert row.co2_kg == pytest.approx(40 * LITRES_A_KM * CO2_KG_A_LITRE)
    assert row.cost_eur == 130.0


def test_rows_compare_and_add_up() -> None:
    """A quarter less is −25 %; twice the same row is twice its sums, and the same fills."""
    row = figures("fixed", 5, SPAN)
    told = change(row._replace(km=30.0, overflow_days=5), row)
    assert (told.km, told.hours, told.overflow_days) == (-0.25, 0.0, 3)
    both = added([row, row])
    assert (both.km, both.visits, both.overflow_days) == (80.0, 6, 4)
    assert (both.fill_mean, both.overflow) == (60.0, row.overflow)


def test_no_visits_are_no_error() -> None:
    """A policy that never goes has a row, too."""
    row = figures("none", 5, Span(range(2), (), (), ()))
    assert (row.km, row.fill_mean, row.fill_p90) == (0.0, 0.0, 0.0)
    assert change(row, row).km == 0.0
    assert quantile([], 0.5) == 0.0


def test_the_chart_is_one_picture_with_a_bar_for_each_figure() -> None:
    """It is XML, names are escaped, and the longest bar of a group is the policy with the most."""
    row = figures("a<b", 5, SPAN)
    root = ET.fromstring(chart("x & y", [row, row._replace(policy="less", km=20.0)]))  # noqa: S314 - our own text
    bars = list(root.iter("{http://www.w3.org/2000/svg}line"))
    lengths = [float(each.get("x2", "0")) - float(each.get("x1", "0")) for each in bars]
    legend = 2
    assert len(bars) == legend + 14
    assert lengths[legend] == pytest.approx(2 * lengths[legend + 1])
    assert "a<b" in {each.text for each in root.iter("{http://www.w3.org/2000/svg}text")}
