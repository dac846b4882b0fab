"""From heights to volumes."""

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.asset import CityError
from rules.waste.shape import PRISM, Table, cone, shape_of, share_below
from tests.rules.waste.bins import asset

TABLES: dict[str, Table] = {
    "prism": shape_of(asset()),
    "cone": shape_of(asset(shape="cone", bottom_percent=40)),
    "wide": shape_of(asset(shape="cone", bottom_percent=150)),
    "lying": shape_of(asset(shape="lying_cylinder")),
    "underground": shape_of(asset(shape="underground", depth_mm=2500, shaft_mm=500, shaft_percent=25)),
    "table": shape_of(asset(shape="table", shape_table=[[0, 0], [20, 5], [60, 5], [100, 100]])),
}


@pytest.mark.parametrize("name", TABLES)
@given(st.floats(-1, 2), st.floats(-1, 2))
def test_more_height_is_never_less_volume(name: str, one: float, other: float) -> None:
    """Within 0 and 1, and 0 and 1 at the ends."""
    table = TABLES[name]
    low, high = sorted((one, other))
    assert 0 <= share_below(table, low) <= share_below(table, high) <= 1
    assert (share_below(table, 0), share_below(table, 1)) == (0, 1)


@pytest.mark.parametrize(
    ("name", "height", "volume"),
    [
        ("prism", 0.3, 0.3),
        ("lying", 0.5, 0.5),
        ("lying", 0.25, 0.1955),
        ("lying", 0.75, 0.8045),
        ("cone", 0.5, (0.7**3 - 0.4**3) / (1 - 0.4**3)),
        ("underground", 0.8, 0.8 / 0.85),
        ("underground", 0.9, 0.825 / 0.85),
        ("table", 0.1, 0.025),
        ("table", 0.4, 0.05),
        ("table", 0.8, 0.525),
    ],
)
def test_volumes_known_from_geometry(name: str, height: float, volume: float) -> None:
    """A circle's segment, a truncated cone, a chamber under a shaft a quarter as wide, a table's straight lines."""
    assert isclose(share_below(TABLES[name], height), volume, abs_tol=5e-4)


def test_a_funnel_holds_less_below_than_a_box() -> None:
    """And what widens below holds more; one as wide at both ends is a prism."""
    assert share_below(TABLES["cone"], 0.5) < 0.5 < share_below(TABLES["wide"], 0.5)
    assert cone(1.0) is PRISM


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"shape": "sphere"}, "'shape' is 'sphere', expected one of prism, cone"),
        ({"shape": ["cone"]}, "'shape' is ['cone']"),
        ({"shape": "cone", "bottom_percent": 0}, "'bottom_percent' is 0"),
        ({"shape": "underground"}, "'depth_mm' is missing"),
        ({"shape": "underground", "depth_mm": 2000}, "'shaft_mm' is missing"),
        ({"shape": "underground", "depth_mm": 2000, "shaft_mm": 2000}, "less than depth_mm (2000)"),
        ({"shape": "table"}, "'shape_table' is missing"),
        ({"shape": "table", "shape_table": [[0, 0], [50, 60], [40, 80], [100, 100]]}, "rising pairs"),
        ({"shape": "table", "shape_table": [[0, 0], [50, 60]]}, "rising pairs"),
        ({"shape": "table", "shape_table": [[0, 0], [50], [100, 100]]}, "rising pairs"),
    ],
)
def test_wrong_shapes_are_named(properties: dict[str, object], complaint: str) -> None:
    """The error names the asset, the property and what to write instead."""
    with pytest.raises(CityError, match="feature 'bin-a'") as caught:
        shape_of(asset(**properties))
    assert complaint in str(caught.value)
