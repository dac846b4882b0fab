"""The lines of a measurement: one for each series, into the privacy class of what it says."""

import math

from decoders.measurement import Measurement, Reading
from decoders.quantity import Privacy, Quantity
from decoders.uplink import Device
from ingest.devices import Place
from ingest.lines import Lines, write_readings

DEVICE = Device("70b3d57ed0000001", "bin", "profile", "1", "waste", {})


def written(privacy: Privacy, *readings: Reading) -> dict[Privacy, list[str]]:
    """The lines of these readings, of a codec of family `waste`, without their tags and times."""
    lines: Lines = {each: [] for each in Privacy}
    write_readings(Measurement.of(5, readings), Place(DEVICE, "acme/bin", "waste", privacy, None), lines)
    return {each: [_short(line) for line in found] for each, found in lines.items() if found}


def _short(line: str) -> str:
    series, fields, time = line.split(" ")
    assert time == "5"
    channel = series.partition("channel=")[2].partition(",")[0]
    return f"{series.partition(',')[0]} {channel} {fields}".replace("  ", " ")


def test_what_a_device_says_of_itself_is_internal() -> None:
    """Fill level is for everybody; battery and device temperature stand in one line of their own, internal."""
    found = written(
        Privacy.OPEN,
        Reading(Quantity.BATTERY_LEVEL, 90.0),
        Reading(Quantity.FILL_LEVEL, 42.5),
        Reading(Quantity.DEVICE_TEMPERATURE, 3.25),
    )
    assert found == {
        Privacy.OPEN: ["waste fill_level=42.5"],
        Privacy.INTERNAL: ["device battery_level=90.0,device_temperature=3.25"],
    }


def test_the_strictest_privacy_class_wins() -> None:
    """A quantity that is internal stays so in an open application; in a personal one everything is personal."""
    readings = (Reading(Quantity.DISTANCE, 1.0), Reading(Quantity.LATITUDE, 2.0), Reading(Quantity.BATTERY_LEVEL, 3.0))
    assert written(Privacy.OPEN, *readings) == {
        Privacy.OPEN: ["waste distance=1.0"],
        Privacy.INTERNAL: ["waste latitude=2.0", "device battery_level=3.0"],
    }
    assert written(Privacy.PERSONAL, *readings) == {
        Privacy.PERSONAL: ["waste distance=1.0,latitude=2.0", "device battery_level=3.0"]
    }


def test_each_channel_has_a_line() -> None:
    """Readings of one channel share a line, those of others do not."""
    found = written(
        Privacy.OPEN,
        Reading(Quantity.VEHICLE_COUNT, 1.0, "ltr"),
        Reading(Quantity.VEHICLE_COUNT, 2.0, "rtl"),
        Reading(Quantity.VEHICLE_SPEED, 3.0, "ltr"),
    )
    assert found == {Privacy.OPEN: ["waste ltr vehicle_count=1.0,vehicle_speed=3.0", "waste rtl vehicle_count=2.0"]}


def test_only_finite_values_are_written() -> None:
    """Not-a-number and infinities leave no trace, and no empty line."""
    wrong = (math.nan, math.inf, -math.inf)
    readings = [Reading(Quantity.FILL_LEVEL, value, f"c{number}") for number, value in enumerate(wrong)]
    assert written(Privacy.OPEN, *readings, Reading(Quantity.DISTANCE, 0.0)) == {Privacy.OPEN: ["waste distance=0.0"]}
