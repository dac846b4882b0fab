"""Figures that correct a single device: read from tags, applied to values, named where they are wrong."""

import pytest

from decoders.codec import CodecField
from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules import calibration
from tests.rules.conditioned import PEOPLE_TOTAL, Device, H, T, at

Q = Quantity


def test_a_value_is_multiplied_and_then_shifted() -> None:
    """The stored value is value · factor + offset, without what floats add."""
    device = Device(factor_air_temperature="2", offset_air_temperature="0.1")
    assert device.give(0, Reading(T, 0.1)) == {(T, ""): (0.3, 0)}
    assert Device(factor_air_temperature=3).give(0, Reading(T, 2.0), Reading(H, 2.0))[T, ""] == (6.0, 0)
    assert Device(offset_air_temperature=3).give(0, Reading(H, 2.0), Reading(T, 2.0))[T, ""] == (5.0, 0)


def test_a_channels_own_figure_comes_before_the_one_for_all() -> None:
    """`__<channel>` is for one channel; figures of the other kind still hold for it."""
    device = Device(offset_soil_moisture=1, offset_soil_moisture__depth_20cm=2, factor_soil_moisture=10)
    found = device.give(0, Reading(Q.SOIL_MOISTURE, 3.0, "depth_10cm"), Reading(Q.SOIL_MOISTURE, 3.0, "depth_20cm"))
    assert [value for value, _ in found.values()] == [31.0, 32.0]


def test_uncalibrated_readings_are_passed_on_as_they_are() -> None:
    """Without figures and counters the measurement is the very same object."""
    measurement = at(0, Reading(T, 20.0), Reading(Q.OCCUPIED, 1.0))
    (judged,) = Device().uplink(measurement).judged
    assert judged.measurement is measurement
    assert judged.sound is measurement


@pytest.mark.parametrize("value", ["0,5", "", "nan", "inf", "1e300", True, None, [1]])
def test_a_figure_that_is_no_number_is_told_and_not_used(value: object) -> None:
    """The rest of the figures still counts."""
    found = calibration.read({"offset_air_temperature": value, "factor_air_humidity": "1.5"})
    assert list(found.figures.values()) == [1.5]
    (problem,) = found.problems
    assert problem.startswith("offset_air_temperature is ")
    assert "expected a number" in problem


@pytest.mark.parametrize("value", ["0", 0, "-0.0"])
def test_a_factor_of_zero_is_told_and_not_used(value: object) -> None:
    """It would make every value the same; an offset of 0 is fine."""
    found = calibration.read({"factor_co2": value, "offset_co2": value})
    assert [figure.kind for figure in found.figures] == ["offset"]
    assert found.problems == (f"factor_co2 is {value!r}, expected a number other than 0; it is not used",)


def test_a_misspelt_quantity_is_told_and_a_foreign_name_is_not() -> None:
    """A junction's `offset_s` is none of ours."""
    found = calibration.read({"offset_air_temprature": 1, "offset_s": 3, "factor_of_safety": 2, "sensor_offset_mm": 7})
    assert found.figures == {}
    assert found.problems == ("offset_air_temprature names no quantity; did you mean offset_air_temperature?",)


def test_a_figure_that_meets_nothing_is_told() -> None:
    """A channel that the codec does not have, a quantity that it does not tell; amounts of its counters are told."""
    fields = [
        CodecField(quantity, channel, verified=True, low=0, high=100, step=1)
        for quantity, channels in ((Q.SOIL_MOISTURE, ("depth_20cm", "depth_10cm")), (T, ("",)), (PEOPLE_TOTAL, ("in",)))
        for channel in channels
    ]
    given = {
        "offset_soil_moisture": 1,
        "offset_soil_moisture__depth_20cm": 1,
        "factor_soil_moisture__depth_20": 2,
        "offset_air_temperature__inside": 3,
        "offset_co2": 4,
        "factor_people_count__in": 5,
        "factor_people_count": 5,
    }
    known = "depth_10cm, depth_20cm"
    assert list(calibration.unfit(calibration.read(given).figures, fields)) == [
        f"factor_soil_moisture__depth_20: soil_moisture has no channel 'depth_20', known: {known}; it is not used",
        "offset_air_temperature__inside: air_temperature has no channel 'inside', known: none; it is not used",
        "offset_co2: the device does not tell co2; it is not used",
    ]
