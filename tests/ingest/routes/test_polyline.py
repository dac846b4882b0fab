"""Encoded lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.routes.polyline import PolylineError, decode
from tests.doubles.routing_engine import polyline

DEGREES = st.tuples(st.integers(-180_000_000, 180_000_000), st.integers(-90_000_000, 90_000_000))


def test_the_example_of_the_format() -> None:
    """Google's own example, whose five digits are read as six here."""
    assert decode("_p~iF~ps|U_ulLnnqC_mqNvxq`@") == ((-12.02, 3.85), (-12.095, 4.07), (-12.6453, 4.3252))


@given(st.lists(DEGREES, max_size=20))
def test_what_is_encoded_comes_back(points: list[tuple[int, int]]) -> None:
    """To the last digit, whatever the signs."""
    line = [(longitude / 1e6, latitude / 1e6) for longitude, latitude in points]
    assert decode(polyline(line)) == tuple(line)


@given(st.text(max_size=60))
def test_any_text_is_a_line_or_an_error(text: str) -> None:
    """Nothing else comes out."""
    try:
        line = decode(text)
    except PolylineError:
        return
    assert all(len(point) == 2 for point in line)


@pytest.mark.parametrize("text", ["_", "?", "??_", "? ", "\x7f?", "_" * 100 + "??"])
def test_broken_ones_are_refused(text: str) -> None:
    """Half a number, half a pair, letters that do not belong, numbers without end."""
    with pytest.raises(PolylineError):
        decode(text)
