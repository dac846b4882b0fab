"""Tektelic agriculture: the vendor's curves, alarms, answers."""

import pytest

from decoders.catalog import codec
from decoders.error import DecodeError, EncodeError
from decoders.measurement import Reading
from decoders.quantity import Quantity

NOW_MS = 1_800_000_000_000


def decode(payload: str) -> dict[str, float]:
    """Readings by name."""
    (measurement,) = codec("tektelic/agro").decode(10, bytes.fromhex(payload), NOW_MS)
    return {
        f"{item.quantity.field}/{item.channel}" if item.channel else item.quantity.field: item.value
        for item in measurement.readings
    }


@pytest.mark.parametrize(
    ("hertz", "kilopascal"),
    [
        (1, 200),
        (293, 200),
        (389, 150),
        (485, 100),
        (600, 75),
        (770, 55),
        (1110, 35),
        (2820, 15),
        (4330, 9),
        (6430, 0),
        (9000, 0),
    ],
)
def test_tension_follows_the_vendors_points(hertz: int, kilopascal: float) -> None:
    """At every point, half way between two, and beyond both ends."""
    assert decode(f"0504{hertz:04x}") == {"soil_water_tension/watermark1": kilopascal}


@pytest.mark.parametrize("payload", ["05040000", "01040000", "02020000", "03020000"])
def test_no_probe_is_no_reading(payload: str) -> None:
    """A frequency or voltage of zero is a probe that is not there, neither 200 kPa nor wet soil."""
    assert decode(payload) == {}


@pytest.mark.parametrize(
    ("hertz", "percent"),
    [(1500, 0), (1400, 0), (1399, 10), (1397, 10), (1396, 20), (1362, 80), (1342, 120), (1341, 130), (900, 130)],
)
def test_moisture_steps(hertz: int, percent: float) -> None:
    """Steps of 10 % every 5 Hz, as in the vendor's table; dry and wet are its ends."""
    assert decode(f"0104{hertz:04x}") == {"soil_moisture_gravimetric": percent}


def test_temperatures_of_probes() -> None:
    """By voltage (the vendor's curves) or by number."""
    assert decode("03020190") == {"external_temperature/input3": 22.59}
    assert decode("0367ff38") == {"external_temperature/input3": -20.0}
    assert decode("02020160")["soil_temperature"] == pytest.approx(46.0, abs=0.05)
    assert decode("0302ffff") == {}


def test_the_alarm_bit_of_the_battery() -> None:
    """One bit, which the vendor's decoder compares with 255."""
    assert decode("00bade") == {"battery_voltage": 3.44, "alarm/battery": 1.0}
    assert decode("0900ff") == {"alarm/light": 1.0}


def test_what_came_before_an_unknown_channel_is_kept() -> None:
    """An unknown channel ends the frame."""
    assert decode("0b6864" + "7f01" + "00") == {"air_humidity": 50.0}


@pytest.mark.parametrize("payload", ["", "07", "0701", "070220"])
def test_broken_answers(payload: str) -> None:
    """An answer names as many registers as it says."""
    with pytest.raises(DecodeError):
        codec("tektelic/agro").decode(101, bytes.fromhex(payload), NOW_MS)


@pytest.mark.parametrize("attributes", [{}, {"downlink_x": "done"}, {"downlink_300": "done"}, {"downlink_3": "zz"}])
def test_answers_that_cannot_be_sent(attributes: dict[str, str]) -> None:
    """Answers are numbers of downlinks and registers; readings have no place in them."""
    with pytest.raises(EncodeError):
        codec("tektelic/agro").encode(101, [], attributes=attributes)
    with pytest.raises(EncodeError):
        codec("tektelic/agro").encode(101, [Reading(Quantity.AIR_HUMIDITY, 1.0)], attributes={"downlink_1": "done"})
