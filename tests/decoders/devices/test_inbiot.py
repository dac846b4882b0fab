"""inBiot: what a model has, sensors that heat up."""

import pytest

from decoders.catalog import codec
from decoders.error import DecodeError

NOW_MS = 1_800_000_000_000
SENSORS = "0100e90207032f" + "0002" + "0010" + "0001" + "0002" + "0003" + "0004" + "0014" + "000a" + "0005" + "0007"
TAIL = "00" + "3440314f" + "05" + "2d"


def decode(model: bytes, sensors: str = SENSORS) -> dict[str, float]:
    """Readings by name of a frame of a model."""
    payload = bytes.fromhex(sensors) + model + bytes.fromhex(TAIL)
    (measurement,) = codec("inbiot/plus").decode(1, payload, NOW_MS)
    assert b"MICA" not in repr(measurement).encode()
    return {item.quantity.field: item.value for item in measurement.readings}


def test_a_model_says_only_what_it_has() -> None:
    """The frame has room for all sensors; what a smaller model leaves in it is no reading."""
    every = decode(b"WELL")
    assert every["co"] == 500.0
    assert every.keys() - decode(b"PLUS").keys() == {"o3", "no2", "co"}
    assert decode(b"PLUS").keys() - decode(b"MICA").keys() == {"hcho", "pm1", "pm4"}
    assert decode(b"MICA").keys() - decode(b"MINI").keys() == {"tvoc", "pm2_5", "pm10"}
    assert decode(b"\0\0\0\0") == every


def test_a_sensor_that_heats_up_has_no_reading() -> None:
    """FFFF is no concentration, FF no index."""
    heating = decode(b"WELL", SENSORS.replace("00020010", "ffffffff"))
    assert {"tvoc", "hcho"} & heating.keys() == set()
    payload = bytes.fromhex(SENSORS) + b"PLUS" + bytes.fromhex("003440314fffff")
    (measurement,) = codec("inbiot/plus").decode(1, payload, NOW_MS)
    assert "mould_index" not in measurement.attributes


def test_an_earlier_frame_has_no_sound_level() -> None:
    """It ends with the index of mould; all else is there."""
    payload = bytes.fromhex(SENSORS) + b"WELL" + bytes.fromhex(TAIL)
    (later,), (earlier,) = (codec("inbiot/plus").decode(1, frame, NOW_MS) for frame in (payload, payload[:-1]))
    assert later.readings[:-1] == earlier.readings
    assert later.readings[-1].quantity.field == "sound_level_average"


def test_winter() -> None:
    """A temperature below zero is negative."""
    assert decode(b"MINI", SENSORS.replace("0100e9", "01ffe2"))["air_temperature"] == -3.0


def test_information_without_address() -> None:
    """Versions are attributes; the network address is in none of them."""
    payload = b"\2\x01\x2e\x05" + b"MICA".ljust(17, b"\0") + b"PLUS".ljust(9, b"\0") + bytes.fromhex("a1b2c3d4e5f6")
    (measurement,) = codec("inbiot/plus").decode(1, payload + bytes.fromhex("0100000025800101")[:7], NOW_MS)
    assert measurement.attributes["model"] == "MICA"
    assert measurement.attributes["modbus_baud"] == str(0x00002580)
    assert "a1b2c3" not in repr(measurement)


@pytest.mark.parametrize(
    "payload", ["", "03", "01", SENSORS + "41424344" + TAIL, SENSORS + "57454c4c" + TAIL[:-4], "00"]
)
def test_broken_frames(payload: str) -> None:
    """Unknown frames and models, and truncated ones."""
    with pytest.raises(DecodeError):
        codec("inbiot/plus").decode(1, bytes.fromhex(payload), NOW_MS)
