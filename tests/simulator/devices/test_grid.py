"""Values on the grid of a format are those that come out of it again."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.field import Field
from decoders.layout import Layout
from decoders.measurement import Measurement, Reading
from decoders.quantity import Quantity
from simulator.devices.grid import grid

T = Quantity.AIR_TEMPERATURE
EVEN = (
    Field(T, "h", divisor=10),
    Field(T, "B", divisor=2),
    Field(T, "H", offset=-400, divisor=10),
    Field(T, "H", divisor=250),
    Field(T, "i", divisor=1_000_000),
    Field(T, "I"),
    Field(T, "b", scale=5),
    Field(T, "H", scale=25, divisor=10),
    Field(T, "h", scale=3, divisor=64),
    Field(T, "f", digits=2),
    Field(T, "f", digits=3),
)


@pytest.mark.parametrize("field", EVEN, ids=lambda field: f"{field.format}-{field.scale}-{field.divisor}")
@settings(max_examples=50)
@given(share=st.floats(0, 1))
def test_what_is_on_the_grid_is_carried_as_it_is(field: Field, share: float) -> None:
    """Of even steps: the nearest value that the format has, to the last digit what decoding gives."""
    item = field.describe()
    low, high = max(item.low, -5000.0), min(item.high, 5000.0)
    value = low + (high - low) * share
    found = grid(item.low, item.high, item.step)(value)
    layout = Layout(">", field)
    (measurement,) = layout.decode(layout.encode(Measurement.of(0, (Reading(T, found),)), {}), 0, {})
    assert measurement.readings[0].value == found
    assert abs(found - value) <= item.step * 0.500001


@pytest.mark.parametrize(
    ("low", "high", "step", "value", "expected"),
    [
        (0, 1, 1, 0.6, 1.0),
        (-273.2, 6280.3, 0.1, 21.349, 21.3),
        (0, 16777.215, 0.001, 0.3, 0.3),
        (-2147483647, 2147483647, 1, 1_999_999_999.4, 1_999_999_999.0),
        (-3.4028234e38, 3.4028234e38, 0.01, 12.3456, 12.35),
        (0, 100, 100 / 255, 50.0, 128 * (100 / 255)),
        (0.5, 10, 3, 4.9, 3.5),
        (0, 10, 0.1, 11.0, 10.0),
        (0, 10, 4, 9.9, 8.0),
        (0, 11, 4, 11.0, 11.0),
        (2, 10, 0.1, 1.0, 2.0),
    ],
)
def test_nearest_step(low: float, high: float, step: float, value: float, expected: float) -> None:
    """Decimals are those of a division, steps begin at the lowest value, and nothing leaves the range."""
    assert grid(low, high, step)(value) == expected
