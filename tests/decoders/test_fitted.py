"""Tables for the figures of a device, and fields with a formula of their own."""

from collections.abc import Mapping
from math import isqrt

import pytest

from decoders.codec import CodecField
from decoders.error import EncodeError, MissingParameter
from decoders.field import Curve, Field
from decoders.fitted import KEPT_TABLES, Fitted
from decoders.layout import Layout
from decoders.measurement import Measurement, Reading
from decoders.quantity import Quantity

SQUARES = Field(
    Quantity.DISTANCE,
    "H",
    curve=Curve(lambda raw: float(raw * raw) if raw < 100 else None, lambda value: isqrt(int(value)), 0, 99 * 99, 199),
    invalid=7,
)
built: list[float] = []


def table(figures: Mapping[str, float]) -> Layout:
    """A distance in steps of a figure, which must be positive."""
    built.append(figures["step"])
    if figures["step"] < 0:
        raise ValueError("a step goes forward")
    return Layout(">", Field(Quantity.DISTANCE, "B", divisor=1 / figures["step"]))


def distance(frame: Layout | Fitted, payload: bytes, **figures: float) -> float | None:
    """The distance in a payload."""
    (measurement,) = frame.decode(payload, 0, figures)
    return measurement.readings[0].value if measurement.readings else None


def test_a_table_is_built_once_for_its_figures() -> None:
    """The same figures use the same table, others their own."""
    frame = Fitted(table, {"step": 1})
    built.clear()
    assert [distance(frame, b"\x08", step=step) for step in (2, 4, 2, 4)] == [16, 32, 16, 32]
    assert built == [2, 4]


def test_tables_are_bounded() -> None:
    """More figures than are kept do not pile up, and stay right."""
    frame = Fitted(table, {"step": 1})
    assert [distance(frame, b"\x01", step=step) for step in range(1, KEPT_TABLES + 9)] == [
        pytest.approx(step) for step in range(1, KEPT_TABLES + 9)
    ]
    built.clear()
    assert distance(frame, b"\x01", step=3.0) == pytest.approx(3)
    assert built == [3.0]


@pytest.mark.parametrize("step", [0, -1])
def test_figures_that_cannot_be(step: float) -> None:
    """A figure of which no table can be made is told, decoding and encoding."""
    frame = Fitted(table, {"step": 1})
    with pytest.raises(MissingParameter, match="step"):
        frame.decode(b"\x01", 0, {"step": step})
    with pytest.raises(MissingParameter, match="step"):
        frame.encode(Measurement.of(0, (Reading(Quantity.DISTANCE, 1.0),)), {"step": step})


def test_fields_are_those_of_a_typical_device() -> None:
    """Ranges for lists come from the typical figures."""
    assert Fitted(table, {"step": 2}).fields() == (
        CodecField(Quantity.DISTANCE, "", verified=True, low=0.0, high=510.0, step=2.0),
    )


@pytest.mark.parametrize(("raw", "value"), [(3, 9), (99, 9801), (7, None), (100, None)])
def test_a_curve_gives_its_values(raw: int, value: float | None) -> None:
    """The formula, but for markers and where it has none."""
    assert distance(Layout(">", SQUARES), raw.to_bytes(2, "big")) == value


def test_a_curve_is_encoded_by_its_inverse() -> None:
    """Within its range, and never as a marker; without a reading as the marker."""
    layout = Layout(">", SQUARES)
    assert layout.encode(Measurement.of(0, (Reading(Quantity.DISTANCE, 81.0),)), {}) == b"\0\x09"
    assert layout.encode(Measurement.of(0, ()), {}) == b"\0\x07"
    for value in (-1.0, 9802.0, 49.0):
        with pytest.raises(EncodeError, match="0 to 9801 can"):
            layout.encode(Measurement.of(0, (Reading(Quantity.DISTANCE, value),)), {})


def test_a_curve_says_its_range() -> None:
    """Range and step are the curve's own."""
    assert SQUARES.describe() == CodecField(Quantity.DISTANCE, "", verified=True, low=0, high=9801, step=199)
    assert not SQUARES.plain
