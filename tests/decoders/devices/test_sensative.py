"""Sensative Strips: histories with their own times, reports that are not known."""

import pytest

from decoders.catalog import codec
from decoders.error import DecodeError, MalformedPayload, WrongLength
from decoders.measurement import Measurement, Reading
from decoders.quantity import Quantity

NOW_MS = 1_800_000_000_000


def decode(f_port: int, payload: str) -> tuple[Measurement, ...]:
    """The measurements of a payload."""
    return codec("sensative/strips").decode(f_port, bytes.fromhex(payload), NOW_MS)


def test_a_history_has_its_own_times() -> None:
    """Newest first, whatever the order on the air; records of one time are one measurement."""
    newest, oldest = decode(2, "0005" + "00000e10" + "0200c8" + "0000003c" + "0200d7" + "0000003c" + "8664")
    assert (newest.time_ms, oldest.time_ms) == (NOW_MS - 60_000, NOW_MS - 3_600_000)
    assert newest.readings == (Reading(Quantity.AIR_TEMPERATURE, 21.5), Reading(Quantity.AIR_HUMIDITY, 50.0))
    assert oldest.readings == (Reading(Quantity.AIR_TEMPERATURE, 20.0),)


def test_a_flagged_report_is_the_same_report() -> None:
    """The upper bit of a type only says that the history has it, too."""
    assert decode(1, "ffff8200c8") == decode(1, "ffff0200c8")


def test_what_came_before_an_unknown_report_is_kept() -> None:
    """An unknown type ends the frame, in histories, too; as the first it is an error."""
    (measurement,) = decode(1, "ffff0200c8600102")
    assert measurement.readings == (Reading(Quantity.AIR_TEMPERATURE, 20.0),)
    assert measurement.attributes["unknown_type"] == "0x60"
    (earlier,) = decode(2, "0005" + "0000003c" + "0200c8" + "0000003c" + "60")
    assert earlier.readings == (Reading(Quantity.AIR_TEMPERATURE, 20.0),)
    assert earlier.attributes["unknown_type"] == "0x60"
    for f_port, payload in ((1, "ffff60"), (2, "0005" + "0000003c" + "60")):
        with pytest.raises(MalformedPayload):
            decode(f_port, payload)


def test_an_empty_report_says_nothing() -> None:
    """Type 0 has no value: a sign of life."""
    (measurement,) = decode(1, "ffff00")
    assert (measurement.readings, measurement.attributes) == ((), {"history_position": "65535"})
    assert decode(2, "0005") == (Measurement.of(NOW_MS, (), {"history_position": "5"}),)


@pytest.mark.parametrize(
    ("f_port", "payload"),
    [
        (1, ""),
        (1, "ff"),
        (1, "ffff"),
        (1, "ffff02"),
        (1, "ffff0200"),
        (2, "00"),
        (2, "0005000000"),
        (2, "00050000003c0200"),
        (11, "0301ff"),
    ],
)
def test_truncated_frames(f_port: int, payload: str) -> None:
    """Heads, records and values that end too early."""
    with pytest.raises(WrongLength):
        decode(f_port, payload)


@pytest.mark.parametrize("payload", ["", "04", "02", "02ff00000000"])
def test_broken_settings(payload: str) -> None:
    """Unknown kinds and settings, and truncated ones."""
    with pytest.raises(DecodeError):
        decode(11, payload)


def test_alarm_bits() -> None:
    """A temperature alarm has a bit for each limit."""
    (measurement,) = decode(1, "ffff0302")
    assert set(measurement.readings) == {
        Reading(Quantity.ALARM, 0.0, "temperature_high"),
        Reading(Quantity.ALARM, 1.0, "temperature_low"),
    }
