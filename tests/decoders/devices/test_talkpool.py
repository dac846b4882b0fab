"""Talkpool: numbers in two pieces."""

import pytest

from decoders.catalog import codec
from decoders.error import EncodeError, WrongLength
from decoders.measurement import Reading
from decoders.quantity import Quantity

NOW_MS = 1_800_000_000_000


@pytest.mark.parametrize(
    ("payload", "celsius", "percent"),
    [
        ("000000" + "0000", -80.0, -25.0),
        ("ffffff" + "0000", 329.5, 384.5),
        ("320000", -0.0, -25.0),
        ("3200f0", 1.5, -25.0),
    ],
)
def test_twelve_bits_in_two_places(payload: str, celsius: float, percent: float) -> None:
    """The upper eight bits of each number in its own byte, the lower four side by side in the third."""
    (measurement,) = codec("talkpool/oy1210").decode(2, bytes.fromhex(payload.ljust(10, "0")), NOW_MS)
    assert measurement.readings[:2] == (
        Reading(Quantity.AIR_TEMPERATURE, celsius),
        Reading(Quantity.AIR_HUMIDITY, percent),
    )


def test_out_of_range() -> None:
    """A temperature below what twelve bits hold is refused."""
    readings = [
        Reading(Quantity.AIR_TEMPERATURE, -81.0),
        Reading(Quantity.AIR_HUMIDITY, 50.0),
        Reading(Quantity.CO2, 400.0),
    ]
    with pytest.raises(EncodeError, match="air_temperature"):
        codec("talkpool/oy1210").encode(2, readings)


def test_the_models_do_not_share_frames() -> None:
    """An OY1210's frame is none of an OY1700."""
    with pytest.raises(WrongLength):
        codec("talkpool/oy1700").decode(2, bytes.fromhex("3e441d021b"), NOW_MS)
