"""Browan Tabs: errors in seven bits, sensors that a model lacks."""

import pytest

from decoders.catalog import codec
from decoders.error import DecodeError, UnknownPort, WrongLength

NOW_MS = 1_800_000_000_000


def decode(f_port: int, payload: str) -> dict[str, float]:
    """Readings by name."""
    (measurement,) = codec("browan/tabs").decode(f_port, bytes.fromhex(payload), NOW_MS)
    return {item.quantity.field: item.value for item in measurement.readings}


def test_127_is_a_sensing_error() -> None:
    """Neither 95 °C nor 127 %; the upper bit is not part of the number."""
    assert decode(103, "080b7fffffffffff") == {"battery_voltage": 3.6}
    assert decode(103, "080bb5a2ffffffff") == {"battery_voltage": 3.6, "air_temperature": 21.0, "air_humidity": 34.0}


def test_ffff_is_a_sensor_that_is_not_there() -> None:
    """FFFF is no 65535 ppm and no 0 ppm; a model with these sensors says their numbers."""
    assert not {"co2", "tvoc"} & decode(103, "080b3522ffffffff").keys()
    assert decode(103, "080b3522bf030200")["co2"] == 959.0
    assert decode(103, "080b3522bf030200")["tvoc"] == 2000.0


def test_door_counts_come_low_byte_first() -> None:
    """Three bytes of count, two of minutes."""
    assert decode(100, "01cb350a01010203")["open"] == 1.0
    readings = decode(100, "00cb350a01010203")
    assert (readings["state_duration"], readings["state_change_count_total"]) == (266.0, 197121.0)


@pytest.mark.parametrize(
    ("f_port", "payload"), [(100, "00cb3500008a3a"), (103, "080a0d3affffff"), (105, "000b36"), (106, "110b3628")]
)
def test_truncated_frames(f_port: int, payload: str) -> None:
    """A byte less than a model sends is an error."""
    with pytest.raises(WrongLength):
        decode(f_port, payload)


def test_other_ports_are_no_tabs() -> None:
    """The port is the model; another one is unknown."""
    with pytest.raises(UnknownPort):
        decode(107, "00")


def test_merryiot_lengths() -> None:
    """Whole degrees or tenths by length; a longer frame that lost its end is none of the shorter ones."""
    merry = codec("browan/merryiot-cd10")
    (whole,) = merry.decode(127, bytes.fromhex("000f19200c02"), NOW_MS)
    (tenths,) = merry.decode(127, bytes.fromhex("000ffa00200c02"), NOW_MS)
    assert whole.readings == tenths.readings
    for lost in ("000ffa00200c", "000fd3ff200c", "000f19200c", "000ffa00200c0200"):
        with pytest.raises(DecodeError):
            merry.decode(127, bytes.fromhex(lost), NOW_MS)
