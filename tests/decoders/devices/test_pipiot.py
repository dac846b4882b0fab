"""Pipiot LevelSense: what broken parts say."""

import pytest

from decoders.error import DecodeError, MalformedPayload
from tests.decoders.named import decode, named

EXTENDED = "30{flags}001060d701d219049d02"


@pytest.mark.parametrize(
    ("flags", "dropped"),
    [
        ("00", set()),
        ("04", {"distance.ultrasonic"}),
        ("02", {"distance.laser"}),
        ("01", {"tilt_angle"}),
        ("20", {"distance.ultrasonic", "distance.laser", "tilt_angle"}),
    ],
)
def test_what_a_broken_part_says_is_dropped(flags: str, dropped: set[str]) -> None:
    """The flags of ultrasound, laser and accelerometer, and that of heat."""
    every = named("pipiot/levelsense", 1, EXTENDED.format(flags="00"))
    assert every["distance.ultrasonic"] == 8384
    assert every["distance.laser"] == 430
    assert every["tilt_angle"] == 4
    found = named("pipiot/levelsense", 1, EXTENDED.format(flags=flags))
    assert found == {name: value for name, value in every.items() if name not in dropped}


@pytest.mark.parametrize(("laser", "millimetres"), [("00", None), ("01", 10), ("c8", 2000), ("c9", None), ("ff", None)])
def test_lasers_reach_two_metres(laser: str, millimetres: int | None) -> None:
    """0 and what is above 200 cm are no distances."""
    assert named("pipiot/levelsense", 1, f"000078{laser}0002fd5f18").get("distance.laser") == millimetres


@pytest.mark.parametrize("fix", ["00", "ff"])
def test_no_fix_is_no_position(fix: str) -> None:
    """Neither after a time-out nor with a fault, even if numbers stand there."""
    assert named("pipiot/levelsense", 1, f"10{fix}0314961000775aaa0678") == {}


@pytest.mark.parametrize(("payload", "error"), [("", DecodeError), ("40", MalformedPayload), ("70", MalformedPayload)])
def test_unknown_kinds_are_refused(payload: str, error: type[DecodeError]) -> None:
    """Only four kinds are known."""
    with pytest.raises(error):
        decode("pipiot/levelsense", 1, payload)
