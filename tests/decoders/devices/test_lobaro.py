"""Lobaro: which echoes count."""

import struct

import pytest

from decoders.error import WrongLength
from tests.decoders.named import decode, named

STATE = "5f0de90000"


def echo(distance: int, width: int = 100, amplitude: int = 200) -> str:
    """One echo of an Oskar."""
    return struct.pack("<IHBB", distance, 2455, width, amplitude).hex()


@pytest.mark.parametrize(
    ("echoes", "distance"),
    [
        ((), None),
        ((echo(400),), 400),
        ((echo(400), echo(2000), echo(410)), 410),
        ((echo(403), echo(406)), 404),
        ((echo(1), echo(400), echo(410), echo(9000)), 405),
        ((echo(300, width=49), echo(310, amplitude=99)), None),
        ((echo(300, width=49), echo(400, width=50, amplitude=100)), 400),
    ],
)
def test_the_median_of_echoes_that_count(echoes: tuple[str, ...], distance: int | None) -> None:
    """Wide and loud enough; of two in the middle their mean, rounded down; none is no distance."""
    assert named("lobaro/oskar-v2", 2, STATE + "".join(echoes)).get("distance") == distance


@pytest.mark.parametrize("payload", ["", "5f0de900", STATE + "00", STATE + echo(400)[:-2]])
def test_half_echoes_are_refused(payload: str) -> None:
    """The state has five bytes, an echo eight."""
    with pytest.raises(WrongLength):
        decode("lobaro/oskar-v2", 2, payload)


@pytest.mark.parametrize("pressure", ["0000c07f", "0000807f", "000080ff"])
def test_no_number_is_no_pressure(pressure: str) -> None:
    """NaN and both infinities."""
    assert named("lobaro/pressure-26d", 1, pressure + "6f08") == {"water_temperature": 21.59}


@pytest.mark.parametrize("payload", ["", "60911f406f", "60911f406f0810", "60911f406f08100e00"])
def test_other_lengths_are_refused(payload: str) -> None:
    """Six bytes, or eight with the battery."""
    with pytest.raises(WrongLength):
        decode("lobaro/pressure-26d", 1, payload)
