"""Tekzitel TekziPark: beacons that are not kept, lengths."""

import pytest

from decoders.error import WrongLength
from tests.decoders.named import decode, named


def test_beacons_are_dropped() -> None:
    """The frame with beacons (85 and 288, -80 dBm) decodes to just what the frame without them does."""
    assert decode("tekzitel/tekzipark", 1, "a82d63b000550120") == decode("tekzitel/tekzipark", 1, "a82d63")


def test_a_good_battery_is_no_alarm() -> None:
    """The bit is set while the battery is good."""
    assert named("tekzitel/tekzipark", 1, "a02d63")["alarm.battery"] == 0
    assert named("tekzitel/tekzipark", 1, "802d63")["alarm.battery"] == 1


def test_temperatures_are_signed() -> None:
    """Winter is below zero."""
    assert named("tekzitel/tekzipark", 1, "a0f663")["device_temperature"] == -10


@pytest.mark.parametrize("payload", ["", "a8", "a82d", "a82d63b000", "a82d63b0005501"])
def test_half_frames_are_refused(payload: str) -> None:
    """A status cut short, or half a beacon, is an error."""
    with pytest.raises(WrongLength):
        decode("tekzitel/tekzipark", 1, payload)
