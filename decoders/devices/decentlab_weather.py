"""Decentlab weather, rain, road surface and radiation sensors (DL-ATM*, TBRG, CWS*, BLG, LWS, PYR, RHC).

Source: as decoders.devices.decentlab, whose engine they share. A distance of lightning is sent as 0 km where none
struck: no reading. Numbers of 32 bits come low word first.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import cbrt, exp, log, sqrt

from decoders import attribute
from decoders.codec import Parameter
from decoders.devices.decentlab import (
    BATTERY,
    CENTRE,
    FINE_HUMIDITY,
    FINE_TEMPERATURE,
    WORD,
    WORD_BITS,
    Group,
    Groups,
    centred,
    model,
    unverified,
)
from decoders.field import Attribute, Curve, Field, Raw
from decoders.fitted import Fitted
from decoders.quantity import Quantity

ADC_CENTRE = 1 << 23
LARGEST_TOTAL = 0xFFFFFFFF
TIP_DIGITS = 6
# DL-BLG: a thermistor below 41 kΩ at 1 kΩ per unit of the voltage ratio; Steinhart and Hart's coefficients of it.
BRIDGE_OHM = 41_000
BRIDGE_SCALE = 1000
STEINHART_A, STEINHART_B, STEINHART_C = 0.0008271111, 0.000208802, 0.000000080592
KELVIN = 273.15
GLOBE_DIGITS = 4


def _swapped(raw: int) -> int:
    """A number of 32 bits whose words change places."""
    return (raw & WORD) << WORD_BITS | raw >> WORD_BITS


def _globe(raw: int) -> float | None:
    """Temperature of the thermistor in °C; None where it is broken or missing."""
    ratio = (_swapped(raw) / ADC_CENTRE - 1) / 2
    ohm = BRIDGE_SCALE / ratio - BRIDGE_OHM if ratio > 0 else 0
    if ohm <= 0:
        return None
    kelvin = 1 / (STEINHART_A + STEINHART_B * log(ohm) + STEINHART_C * log(ohm) ** 3)
    return round(kelvin - KELVIN, GLOBE_DIGITS)


def _bridge(celsius: float) -> int:
    """Steinhart and Hart's equation solved for the resistance (Cardano), and what the bridge makes of it."""
    linear, constant = STEINHART_B / STEINHART_C, (STEINHART_A - 1 / (celsius + KELVIN)) / STEINHART_C
    root = sqrt(constant**2 / 4 + linear**3 / 27)
    ohm = exp(cbrt(-constant / 2 + root) + cbrt(-constant / 2 - root))
    ratio = BRIDGE_SCALE / (ohm + BRIDGE_OHM)
    return _swapped(round((2 * ratio + 1) * ADC_CENTRE))


def _leaf(raw: int) -> float | None:
    index = _swapped(raw) / ADC_CENTRE - 1
    return index if -1 < index < 1 else None


def _kilometres(raw: int) -> float | None:
    return float(raw - CENTRE) if raw > CENTRE else None


def _wetness(index: float) -> int:
    return _swapped(round((index + 1) * ADC_CENTRE))


GLOBE = Field(Quantity.GLOBE_TEMPERATURE, "I", curve=Curve(_globe, _bridge, low=-40, high=85, step=0.005))
LEAF = Field(
    Quantity.LEAF_WETNESS_INDEX,
    "I",
    curve=Curve(_leaf, _wetness, low=1 / ADC_CENTRE - 1, high=1 - 1 / ADC_CENTRE, step=1 / ADC_CENTRE),
)


def _total(step_mm: float) -> Field:
    """Precipitation since the device was started."""
    return Field(
        Quantity.PRECIPITATION_TOTAL,
        "I",
        curve=Curve(
            lambda raw: round(_swapped(raw) * step_mm, TIP_DIGITS),
            lambda total: _swapped(round(total / step_mm)),
            low=0,
            high=LARGEST_TOTAL * step_mm,
            step=step_mm,
        ),
    )


def _rain(figures: Mapping[str, float]) -> Groups:
    """Tips of the bucket, in millimetres."""
    step_mm = figures["resolution"]
    if step_mm <= 0:
        raise ValueError("a tip needs an amount of rain")
    tips = Field(
        Quantity.PRECIPITATION,
        "H",
        curve=Curve(
            lambda raw: round(raw * step_mm, TIP_DIGITS),
            lambda rain: round(rain / step_mm),
            low=0,
            high=WORD * step_mm,
            step=step_mm,
        ),
    )
    interval = attribute.number("precipitation_interval_s", "H")
    return Groups((*unverified(tips), interval, *unverified(_total(step_mm))), BATTERY)


def _sensor_id() -> Attribute:
    def text(raw: Raw) -> str:
        return str(_swapped(int(raw)))

    return Attribute("sensor_id", "I", text, lambda words: _swapped(int(words)))


WIND: Group = (
    centred(Quantity.WIND_SPEED, divisor=100),
    centred(Quantity.WIND_DIRECTION, divisor=10),
    centred(Quantity.WIND_GUST, divisor=100),
)
TILT: Group = (centred(Quantity.TILT_ANGLE, "x", divisor=10), centred(Quantity.TILT_ANGLE, "y", divisor=10))
COMPONENTS: Group = (
    centred(Quantity.WIND_COMPONENT, "north", divisor=100),
    centred(Quantity.WIND_COMPONENT, "east", divisor=100),
)
AIR_TEMPERATURE = centred(Quantity.AIR_TEMPERATURE, divisor=10)
LIGHTNING: Group = (
    centred(Quantity.LIGHTNING_COUNT),
    *unverified(
        Field(
            Quantity.LIGHTNING_DISTANCE,
            "H",
            curve=Curve(_kilometres, lambda distance: CENTRE + round(distance), low=1, high=CENTRE - 1, step=1),
            invalid=CENTRE,
        )
    ),
)
AIR: Group = (
    AIR_TEMPERATURE,
    # Hundredths of kilopascals, both.
    centred(Quantity.VAPOUR_PRESSURE, divisor=10),
    centred(Quantity.AIR_PRESSURE, divisor=10),
    centred(Quantity.AIR_HUMIDITY, divisor=10),
    centred(Quantity.DEVICE_TEMPERATURE, divisor=10),
)
ROAD: Group = (
    centred(Quantity.SURFACE_TEMPERATURE, divisor=100),
    centred(Quantity.AIR_TEMPERATURE, divisor=100),
    centred(Quantity.AIR_HUMIDITY, divisor=100),
    centred(Quantity.DEW_POINT, divisor=100),
    centred(Quantity.TILT_ANGLE),
    centred(Quantity.DEVICE_TEMPERATURE, divisor=100),
)

DL_ATM22 = model(
    "DL-ATM22",
    "wind speed, wind direction, air temperature",
    Groups((*WIND, AIR_TEMPERATURE, *TILT, *COMPONENTS), BATTERY),
)
DL_ATM41 = model(
    "DL-ATM41",
    "weather station",
    Groups(
        unverified(
            centred(Quantity.SOLAR_IRRADIANCE),
            centred(Quantity.PRECIPITATION, divisor=1000),
            *LIGHTNING,
            *WIND,
            *AIR,
            *TILT,
            centred(Quantity.HEADING),
            *COMPONENTS,
        ),
        BATTERY,
    ),
)
DL_ATM41G2 = model(
    "DL-ATM41G2",
    "weather station, second generation",
    Groups(
        (
            centred(Quantity.SOLAR_IRRADIANCE, divisor=10),
            Field(Quantity.PRECIPITATION, "H", divisor=1000),
            *LIGHTNING,
            *WIND,
            *AIR,
            *TILT,
            centred(Quantity.WATER_CONDUCTIVITY, "precipitation"),
            _total(0.001),
        ),
        BATTERY,
    ),
)
DL_BLG = model("DL-BLG", "black globe temperature", Groups(unverified(GLOBE), BATTERY))
DL_CWS = model("DL-CWS", "winter road surface", Groups(ROAD, BATTERY))
DL_CWS2 = model(
    "DL-CWS2",
    "winter road surface, with radiation shield",
    Groups(
        unverified(
            replace(FINE_TEMPERATURE, channel="radiation_shield"), replace(FINE_HUMIDITY, channel="radiation_shield")
        ),
        unverified(*ROAD),
        BATTERY,
    ),
)
DL_LWS = model("DL-LWS", "leaf wetness", Groups(unverified(LEAF), BATTERY))
DL_PYR = model(
    "DL-PYR",
    "total solar radiation",
    # 3 V · (x / 32768 - 1), 5 W/m² a millivolt.
    Groups((centred(Quantity.SOLAR_IRRADIANCE, scale=15_000, divisor=CENTRE),), BATTERY),
)
DL_RHC = model(
    "DL-RHC",
    "air temperature and humidity with radiation shield",
    Groups(
        (
            _sensor_id(),
            Field(Quantity.AIR_HUMIDITY, "H", divisor=100),
            centred(Quantity.AIR_TEMPERATURE, divisor=100),
        ),
        BATTERY,
    ),
)
DL_TBRG = model(
    "DL-TBRG",
    "tipping bucket rain gauge",
    Fitted(_rain, {"resolution": 0.1}),
    parameters=(Parameter("resolution", "mm", "rain of one tip, 0.1 or 0.2"),),
)

CODECS = (DL_ATM22, DL_ATM41, DL_ATM41G2, DL_BLG, DL_CWS, DL_CWS2, DL_LWS, DL_PYR, DL_RHC, DL_TBRG)
