"""ESP32 Paxcounter: nothing of a person but counts, boards without battery probe, lengths."""

import pytest

from decoders.devices.paxcounter import PAXCOUNTER
from decoders.error import WrongLength
from decoders.quantity import Privacy, Quantity


def test_it_is_personal() -> None:
    """Counts of phones are of people."""
    assert PAXCOUNTER.privacy is Privacy.PERSONAL


def test_a_beacons_number_is_dropped() -> None:
    """Two people's beacons give the same measurement."""
    mine, yours = (PAXCOUNTER.decode(6, bytes((0xB5, number)), 0) for number in (3, 4))
    assert mine == yours


@pytest.mark.parametrize(("f_port", "payload"), [(8, "0000"), (2, "0000" + "00" * 18)])
def test_without_a_battery_probe_there_is_no_voltage(f_port: int, payload: str) -> None:
    """Zero is no voltage of a board that runs."""
    (measurement,) = PAXCOUNTER.decode(f_port, bytes.fromhex(payload), 0)
    assert Quantity.BATTERY_VOLTAGE not in {reading.quantity for reading in measurement.readings}


@pytest.mark.parametrize("length", [0, 1, 3, 5, 14, 16, 18])
def test_counts_have_four_lengths(length: int) -> None:
    """One or two counts, with or without a position."""
    with pytest.raises(WrongLength):
        PAXCOUNTER.decode(1, bytes(length), 0)
