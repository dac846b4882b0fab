"""Nwave: overflows, what a driver's tag says, counters."""

import pytest

from decoders.error import WrongLength
from tests.decoders.named import decode, named


@pytest.mark.parametrize(("code", "minutes"), [(0, 0), (89, 89), (90, 90), (119, 235), (120, 240), (126, 600)])
def test_durations_are_expanded(code: int, minutes: int) -> None:
    """Exact below 90 minutes, then in steps of five minutes, then of an hour."""
    assert named("nwave/nps405", 1, f"{code << 1:02x}") == {"occupied": 0, "state_duration": minutes}


def test_an_overflow_is_no_duration() -> None:
    """660 minutes or more: the space is occupied, for how long before is not known."""
    assert named("nwave/nps405", 1, "ff") == {"occupied": 1}


def test_the_voltage_is_unsigned() -> None:
    """A byte above 127 is a full battery, not an empty one."""
    assert named("nwave/nps405", 2, "00ff00")["battery_voltage"] == 3.52
    assert named("nwave/ncc405", 2, "00ff80")["battery_voltage.mean_24h"] == 3.012


def test_a_tag_is_dropped() -> None:
    """No reading and no attribute holds a driver's tag id."""
    (measurement,) = decode("nwave/nps405", 10, "d11f345678")
    assert "1f345678" not in repr(measurement).lower()
    assert str(0x1F345678) not in repr(measurement)


@pytest.mark.parametrize(("model", "f_port"), [("nps310sm", 1), ("nps310sm", 2), ("nps310sm", 3), ("ncc405", 1)])
def test_too_short_frames_are_refused(model: str, f_port: int) -> None:
    """An empty payload says nothing, least of all that a space is free."""
    with pytest.raises(WrongLength):
        decode(f"nwave/{model}", f_port, "")
