"""uRADMonitor: sign and magnitude, gases in any slot, particles as distances."""

import pytest

from decoders.catalog import codec
from decoders.error import DecodeError, EncodeError
from decoders.measurement import Reading
from decoders.quantity import Quantity

NOW_MS = 1_800_000_000_000
HEAD = "1400008e064e00001c20"
NOWHERE = "00000000000000000000"
CLIMATE = "0732879782031276a3"
NO_GAS = "00000000"
PARTICLES = "0200070245"
FULL = HEAD + NOWHERE + CLIMATE + NO_GAS * 4 + PARTICLES
NEEDED = [
    Reading(Quantity.UPTIME, 1.0),
    Reading(Quantity.AIR_TEMPERATURE, 1.0),
    Reading(Quantity.AIR_PRESSURE, 1000.0),
    Reading(Quantity.AIR_HUMIDITY, 50.0),
    Reading(Quantity.GAS_RESISTANCE, 1.0),
    Reading(Quantity.SOUND_LEVEL_AVERAGE, 50.0),
]


def decode(model: str, payload: str) -> dict[str, float]:
    """Readings by name."""
    (measurement,) = codec(f"uradmonitor/{model}").decode(1, bytes.fromhex(payload), NOW_MS)
    return {item.quantity.field: item.value for item in measurement.readings}


@pytest.mark.parametrize(
    ("raw", "celsius"), [("0001", 0.01), ("8001", -0.01), ("87ff", -20.47), ("8000", 0.0), ("0000", 0.0)]
)
def test_temperatures_are_sign_and_magnitude(raw: str, celsius: float) -> None:
    """8001 is -0.01 °C; as two's complement it would be -327.67 °C."""
    assert decode("industrial", FULL.replace("0732", raw, 1))["air_temperature"] == celsius


def test_without_gps_there_is_no_position() -> None:
    """Zeros in the places of a GPS receiver are no reading; real values on the southern half are negative."""
    assert not {"latitude", "longitude", "altitude", "speed"} & decode("industrial", FULL).keys()
    south = decode("industrial", FULL.replace(HEAD + NOWHERE, HEAD + "8f4240" + "07a120" + "8005" + "0001"))
    assert (south["latitude"], south["longitude"]) == (-100.0, 50.0)
    assert (south["altitude"], south["speed"]) == (-5.0, 0.1)


def test_gases_name_themselves() -> None:
    """Any slot may hold any gas; a gas that is not known gives nothing, of a gas that comes twice the first holds."""
    slots = "0300000a" + "ff000001" + "2a80000c" + "2a000001"
    readings = decode("industrial", FULL.replace(NO_GAS * 4 + PARTICLES, slots + PARTICLES))
    assert (readings["h2s"], readings["o3"]) == (10.0, -12.0)
    assert not {"no2", "so2", "co"} & readings.keys()


def test_particles_are_distances_from_pm2_5() -> None:
    """02 0007 02 is PM1 5, PM2.5 7, PM10 9."""
    readings = decode("industrial", FULL)
    assert (readings["pm1"], readings["pm2_5"], readings["pm10"]) == (5.0, 7.0, 9.0)


@pytest.mark.parametrize(
    "particles",
    [
        {},
        {Quantity.PM1: 5, Quantity.PM2_5: 7},
        {Quantity.PM1: 8, Quantity.PM2_5: 7, Quantity.PM10: 9},
        {Quantity.PM1: 5, Quantity.PM2_5: 7, Quantity.PM10: 263},
        {Quantity.PM1: 5, Quantity.PM2_5: float("nan"), Quantity.PM10: 9},
    ],
)
def test_particles_that_cannot_be_sent(particles: dict[Quantity, float]) -> None:
    """All three are needed, in their order, and at most 255 apart."""
    readings = [*NEEDED, *(Reading(quantity, value) for quantity, value in particles.items())]
    with pytest.raises(EncodeError):
        codec("uradmonitor/industrial").encode(1, readings)


def test_five_gases_are_too_many() -> None:
    """The frame has four slots."""
    gases = [Quantity.O3, Quantity.SO2, Quantity.NO2, Quantity.CO, Quantity.H2S]
    dust = [Reading(Quantity.PM1, 1.0), Reading(Quantity.PM2_5, 2.0), Reading(Quantity.PM10, 3.0)]
    readings = [*NEEDED, *dust, *(Reading(gas, 5.0) for gas in gases)]
    with pytest.raises(EncodeError, match="5 gases"):
        codec("uradmonitor/industrial").encode(1, readings)
    assert len(codec("uradmonitor/industrial").encode(1, readings[:-1])) == len(FULL) // 2


@pytest.mark.parametrize("payload", ["", FULL[:-2], FULL + "00"])
def test_other_lengths_are_refused(payload: str) -> None:
    """Each truncation and extension is an error."""
    with pytest.raises(DecodeError):
        codec("uradmonitor/industrial").decode(1, bytes.fromhex(payload), NOW_MS)
