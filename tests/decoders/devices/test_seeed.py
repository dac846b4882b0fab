"""Seeed SenseCAP: several frames in one payload, unsigned numbers, checksums, unknown ids."""

import pytest

from decoders.devices.seeed import checksum
from decoders.error import DecodeError, MalformedPayload, WrongLength
from tests.decoders.named import decode, named


def frame(*records: str) -> str:
    """Records with their checksum."""
    body = bytes.fromhex("".join(records))
    return (body + checksum(body).to_bytes(2, "little")).hex()


def test_frames_stand_one_after_the_other() -> None:
    """Weather and battery in one payload are one measurement."""
    found = named("seeed/sensecap-s2120", 3, "02007200000000273703640600")
    assert found == {"wind_direction": 114, "precipitation_rate": 0, "air_pressure": 1003.9, "battery_level": 100}


def test_only_the_temperature_is_signed() -> None:
    """The vendor's decoder calls 210 % of light and 180 km/h of wind negative."""
    found = named("seeed/sensecap-s2120", 3, "01ff9c64ffffffffffffff")
    assert found["air_temperature"] == -10
    assert all(value >= 0 for name, value in found.items() if name != "air_temperature")


def test_what_came_before_an_unknown_frame_is_kept() -> None:
    """Frame 20 is not described: it ends the payload, alone it is an error."""
    (measurement,) = decode("seeed/sensecap-s2120", 3, "03642000")
    assert [item.value for item in measurement.readings] == [100.0]
    assert measurement.attributes == {"unknown_type": "0x20"}
    with pytest.raises(MalformedPayload):
        decode("seeed/sensecap-s2120", 3, "2000")


@pytest.mark.parametrize("length", range(1, 11))
def test_cut_frames_are_refused(length: int) -> None:
    """No byte of a frame may be missing."""
    with pytest.raises(DecodeError):
        decode("seeed/sensecap-s2120", 3, "4a00bf420000002b00004b"[: 2 * length])


@pytest.mark.parametrize("at", range(16))
def test_a_wrong_byte_is_noticed(at: int) -> None:
    """The checksum covers every byte; the vendor's decoder takes whatever comes."""
    payload = bytearray.fromhex("01011098530000010210a87a0000af51")
    payload[at] ^= 0x10
    with pytest.raises(MalformedPayload, match="checksum"):
        decode("seeed/sensecap-s210x", 2, payload.hex())


@pytest.mark.parametrize("payload", ["", "0000", "0101109853000001"])
def test_half_records_are_refused(payload: str) -> None:
    """Records have seven bytes, the checksum two."""
    with pytest.raises(WrongLength):
        decode("seeed/sensecap-s210x", 2, payload)


def test_unknown_ids_are_stepped_over() -> None:
    """Their length is known: what stands before and behind them is read, the first one is named."""
    payload = frame("01031027060000", "01aa2f01000000", "01bb2f01000000", "010210a87a0000")
    (measurement,) = decode("seeed/sensecap-s210x", 2, payload)
    assert measurement.attributes == {"unknown_type": "0x2faa"}
    assert named("seeed/sensecap-s210x", 2, payload) == {"illuminance": 1.575, "air_humidity": 31.4}


def test_the_later_of_two_readings_holds() -> None:
    """One quantity occurs once, even if two channels report it."""
    assert named("seeed/sensecap-s210x", 2, frame("010210a87a0000", "02021030750000")) == {"air_humidity": 30}


@pytest.mark.parametrize(
    ("key", "raw", "quantity", "value"),
    [
        (4099, 1_575_000, "illuminance", 1575),
        (4100, 415_000, "co2", 415),
        (4101, 100_390_000, "air_pressure", 1003.9),
        (4103, 23_100, "soil_moisture", 23.1),
        (4104, 114_000, "wind_direction", 114),
        (4105, 3_400, "wind_speed", 3.4),
        (4106, 7_200, "ph", 7.2),
        (4107, 900_000, "par.light_quantum", 900),
        (4108, 1_200, "soil_conductivity", 1200),
        (4110, 31_400, "soil_moisture.volumetric", 31.4),
        (4113, 240, "precipitation_rate", 0.24),
        (4115, 120_500, "distance", 1205),
        (4117, 80_250, "water_level", 802.5),
        (4118, 1_500, "nh3", 1500),
        (4119, 20, "h2s", 20),
        (4123, 780_000, "water_conductivity", 780),
        (4124, -500, "water_temperature", -0.5),
        (4127, 650_000, "solar_irradiance", 650),
        (4129, 1_200_000, "par", 1200),
        (4133, -20_000, "soil_water_tension", 20),
        (4136, 18_000, "surface_temperature.leaf", 18),
        (4137, 55_000, "leaf_wetness", 55),
    ],
)
def test_units_are_ours(key: int, raw: int, quantity: str, value: float) -> None:
    """Pascals, centimetres, dS/m, ppm and suctions become ours (units: Seeed's list of measurement ids)."""
    record = "01" + key.to_bytes(2, "little").hex() + raw.to_bytes(4, "little", signed=True).hex()
    assert named("seeed/sensecap-s210x", 2, frame(record)) == {quantity: value}


@pytest.mark.parametrize(("date", "words"), [("090c1314", "2019-12-09"), ("090c138c", None), ("090cff14", None)])
def test_a_date_of_more_digits_than_there_are_is_none(date: str, words: str | None) -> None:
    """Day, month, year and century have two digits each."""
    (measurement,) = decode("seeed/sensecap-s210x", 2, frame("010400" + date))
    assert measurement.attributes.get("production_date") == words
