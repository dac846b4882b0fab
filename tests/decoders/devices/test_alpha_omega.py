"""KLAX: history, validity, blocks that are unknown or cut off, readers of another kind."""

import pytest

from decoders.devices.alpha_omega import KLAX
from decoders.error import MalformedPayload, MissingParameter, WrongLength
from decoders.measurement import Reading
from decoders.quantity import Quantity

NOW_MS = 1_800_000_000_000
QUARTER_MS = 900_000
FIGURES = {"interval_min": 15.0}
HEAD = bytes.fromhex("004add11")
SERVER = bytes.fromhex("030901454d4800006efd0f")
HISTORY = bytes.fromhex("01390100bdd99000bdd99000bdd99000bdd5a800000000000000000000000000000000")


def test_four_values_are_a_quarter_of_an_hour_apart() -> None:
    """The published register: the newest now, the oldest three intervals ago."""
    measurements = KLAX.decode(3, HEAD + HISTORY, NOW_MS, FIGURES)
    energies = [
        (item.time_ms, reading.value)
        for item in measurements
        for reading in item.readings
        if reading.quantity is Quantity.ENERGY_TOTAL
    ]
    assert energies == [
        (NOW_MS, 12442.0),
        (NOW_MS - QUARTER_MS, 12442.0),
        (NOW_MS - 2 * QUARTER_MS, 12442.0),
        (NOW_MS - 3 * QUARTER_MS, 12441.0),
    ]


def test_the_interval_is_needed() -> None:
    """Without it nobody knows the time of earlier values; other ports have none, and do without."""
    with pytest.raises(MissingParameter, match="interval_min"):
        KLAX.decode(3, HEAD + HISTORY, NOW_MS)
    (measurement,) = KLAX.decode(100, HEAD[:2] + bytes((0, 15)), NOW_MS)
    assert measurement.attributes["measurement_interval_min"] == "15"


@pytest.mark.parametrize("minutes", [0.0, -15.0, 65_536.0, float("nan"), float("inf")])
def test_an_interval_that_cannot_be(minutes: float) -> None:
    """Earlier values are never of now, of later, or of no time."""
    with pytest.raises(MissingParameter, match="interval_min"):
        KLAX.decode(3, HEAD + HISTORY, NOW_MS, {"interval_min": minutes})


def test_a_register_that_is_not_valid_gives_nothing() -> None:
    """The same register with its flag cleared."""
    payload = HEAD + bytes((HISTORY[0], 0x31)) + HISTORY[2:]
    (measurement,) = KLAX.decode(3, payload, NOW_MS, FIGURES)
    assert measurement.readings == (Reading(Quantity.BATTERY_LEVEL, 100.0),)


def test_a_register_that_is_not_active_gives_nothing() -> None:
    """A register of no filter, whatever its bytes."""
    payload = HEAD + bytes((HISTORY[0], 0x38)) + HISTORY[2:]
    (measurement,) = KLAX.decode(3, payload, NOW_MS, FIGURES)
    assert measurement.readings == (Reading(Quantity.BATTERY_LEVEL, 100.0),)


def test_old_versions_send_integers_of_now() -> None:
    """Version 0: signed numbers of 32 bits, here a power that flows back in the fourth register."""
    payload = HEAD + bytes.fromhex("02880020") + bytes(12) + (-250).to_bytes(4, "big", signed=True)
    (measurement,) = KLAX.decode(3, payload, NOW_MS, FIGURES)
    assert Reading(Quantity.POWER, -250.0, "register4") in measurement.readings
    assert len(measurement.readings) == 2


def test_an_unknown_block_keeps_what_came_before() -> None:
    """The server's number holds; the block's type is named."""
    (measurement,) = KLAX.decode(3, HEAD + SERVER + b"\x63\x01\x02", NOW_MS, FIGURES)
    assert measurement.attributes["server_id"] == "0901454d4800006efd0f"
    assert measurement.attributes["unknown_type"] == "0x63"


def test_an_unknown_block_alone_is_refused() -> None:
    """Nothing readable in it."""
    with pytest.raises(MalformedPayload, match="unknown block"):
        KLAX.decode(3, HEAD + b"\x63\x01\x02", NOW_MS, FIGURES)


@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 38])
def test_a_truncated_frame_is_refused(length: int) -> None:
    """In the header, and in a block."""
    with pytest.raises(WrongLength):
        KLAX.decode(3, (HEAD + HISTORY)[:length], NOW_MS, FIGURES)


def test_a_modbus_reader_is_refused() -> None:
    """Its registers may mean anything."""
    with pytest.raises(MalformedPayload, match="no SML reader"):
        KLAX.decode(100, bytes.fromhex("0545000f"), NOW_MS, FIGURES)


def test_a_battery_beyond_full_is_no_reading() -> None:
    """Version 0 counts to ten; eleven is no level."""
    (measurement,) = KLAX.decode(100, bytes.fromhex("004b000f"), NOW_MS, FIGURES)
    assert measurement.readings == ()
