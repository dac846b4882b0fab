"""Decentlab level, pressure, water and soil sensors (DL-LID, MBX, CTD10, PR26, PR36, PR36CTD, NTU, SMTP, TRS12).

Source: as decoders.devices.decentlab, whose engine they share. A distance without a valid sample means nothing: no
reading, the vendor's decoder gives it all the same. The profile DL-SMTP has eight depths, whichever probe is
connected: those which the probe lacks are sent as zero, the vendor's decoder makes -5 % and -327.68 °C of it. Soil
moisture is percent of the volume; the permittivity that DL-TRS12's data sheet gives beside it is another formula of
the same number.
"""

from collections.abc import Mapping

from decoders import attribute
from decoders.codec import Decode, Parameter
from decoders.devices.decentlab import BATTERY, CENTRE, Groups, centred, model, unverified
from decoders.field import Field
from decoders.fitted import Fitted
from decoders.measurement import Measurement
from decoders.quantity import Quantity

QUARTER = 0x4000
PER_DEGREE = 256
# DL-TRS12: volumetric water content = counts / 10 · 0.0003879 - 0.6956.
MINERAL_SLOPE, MINERAL_OFFSET = 0.003879, -69.56
MILLI_TO_MICRO = 1000
LID_VALUES = ("average", "minimum", "maximum", "median", "p10", "p25", "p75", "p90", "mode")


class Rangefinder(Groups):
    """Groups in which distances count only if the number of samples, given beside them, is not zero."""

    def reader(self) -> Decode:
        """What `decode` does, as a function."""
        return self.decode

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
        """One measurement; without valid samples without distances."""
        (measurement,) = super().decode(payload, time_ms, parameters)
        if any(reading.quantity is Quantity.SAMPLE_COUNT for reading in measurement.readings):
            return (measurement,)
        kept = tuple(reading for reading in measurement.readings if reading.quantity is not Quantity.DISTANCE)
        return (measurement._replace(readings=kept),)


SAMPLES = Field(Quantity.SAMPLE_COUNT, "H", invalid=0)


def _pressure_26(figures: Mapping[str, float]) -> Groups:
    """Pressure over the sensor's range, a quarter of the words below it and a quarter above."""
    low, high = figures["pmin"], figures["pmax"]
    if high <= low:
        raise ValueError("pmax must be above pmin")
    span = high - low
    pressure = Field(
        Quantity.WATER_PRESSURE, "H", scale=span, offset=low * CENTRE - span * QUARTER, divisor=CENTRE, invalid=0
    )
    # (x - 384) · 0.003125 - 50 °C.
    temperature = Field(Quantity.WATER_TEMPERATURE, "H", offset=-384 - 50 * 320, divisor=320, invalid=0)
    return Groups(unverified(pressure, temperature), BATTERY)


def _positive(figures: Mapping[str, float], name: str) -> float:
    figure = figures[name]
    if figure <= 0:
        raise ValueError(f"{name} must be above 0")
    return figure


def _pressure_36(figures: Mapping[str, float]) -> Groups:
    return Groups(
        (
            centred(Quantity.WATER_PRESSURE, divisor=_positive(figures, "kp")),
            centred(Quantity.WATER_TEMPERATURE, divisor=PER_DEGREE),
        ),
        BATTERY,
    )


def _pressure_36ctd(figures: Mapping[str, float]) -> Groups:
    return Groups(
        unverified(
            centred(Quantity.WATER_PRESSURE, divisor=_positive(figures, "kp")),
            centred(Quantity.DEVICE_TEMPERATURE, divisor=PER_DEGREE),
            centred(Quantity.WATER_TEMPERATURE, divisor=PER_DEGREE),
            centred(Quantity.WATER_CONDUCTIVITY, scale=MILLI_TO_MICRO, divisor=_positive(figures, "kec")),
        ),
        BATTERY,
    )


def _depth(number: int) -> tuple[Field, Field]:
    channel = f"depth_{number}"
    moisture = Field(Quantity.SOIL_MOISTURE, "H", channel, offset=-2500, divisor=500, invalid=0)
    temperature = centred(Quantity.SOIL_TEMPERATURE, channel, divisor=100)
    return moisture, temperature


# The published probe has six depths.
DEPTHS = (
    *(part for number in range(6) for part in _depth(number)),
    *unverified(*_depth(6), *_depth(7)),
)
KP = Parameter("kp", "1/bar", "the sensor's pressure factor, on its label: 8192 for example")
KEC = Parameter("kec", "cm/mS", "the sensor's conductivity factor, 1024 if the label has none")

DL_CTD10 = model(
    "DL-CTD10",
    "water depth, temperature, conductivity",
    Groups(
        unverified(
            centred(Quantity.WATER_LEVEL),
            centred(Quantity.WATER_TEMPERATURE, divisor=10),
            Field(Quantity.WATER_CONDUCTIVITY, "H"),
            Field(Quantity.ALARM, "H", "freezing"),
        ),
        BATTERY,
    ),
)
DL_LID = model(
    "DL-LID",
    "laser distance",
    Rangefinder(
        (
            *(Field(Quantity.DISTANCE, "H", value, invalid=0) for value in LID_VALUES),
            SAMPLES,
            Field(Quantity.ACQUISITION_TIME, "H", divisor=1.024),
        ),
        BATTERY,
    ),
)
DL_MBX = model(
    "DL-MBX", "ultrasonic distance", Rangefinder((Field(Quantity.DISTANCE, "H", invalid=0), SAMPLES), BATTERY)
)
DL_NTU = model(
    "DL-NTU",
    "optical turbidity and temperature",
    Groups(
        (
            attribute.number("sensor_status", "H"),
            centred(Quantity.WATER_TEMPERATURE, divisor=100),
            Field(Quantity.TURBIDITY, "H", divisor=10),
            Field(Quantity.TURBIDITY, "H", "fnu", divisor=10),
            Field(Quantity.SUSPENDED_SOLIDS, "H", divisor=10),
        ),
        BATTERY,
    ),
)
DL_PR26 = model(
    "DL-PR26",
    "pressure or level and temperature",
    Fitted(_pressure_26, {"pmin": 0, "pmax": 1}),
    parameters=(
        Parameter("pmin", "bar", "lowest pressure of the sensor's range"),
        Parameter("pmax", "bar", "highest pressure of the sensor's range"),
    ),
)
DL_PR36 = model(
    "DL-PR36", "high precision pressure or level and temperature", Fitted(_pressure_36, {"kp": 8192}), parameters=(KP,)
)
DL_PR36CTD = model(
    "DL-PR36CTD",
    "high precision pressure or level, temperature, conductivity",
    Fitted(_pressure_36ctd, {"kp": 8192, "kec": 1024}),
    parameters=(KP, KEC),
)
DL_SMTP = model("DL-SMTP", "soil moisture and temperature profile", Groups(DEPTHS, BATTERY))
DL_TRS12 = model(
    "DL-TRS12",
    "soil moisture, temperature, conductivity",
    Groups(
        (
            Field(Quantity.SOIL_MOISTURE, "H", scale=MINERAL_SLOPE, offset=MINERAL_OFFSET, invalid=0),
            centred(Quantity.SOIL_TEMPERATURE, divisor=10),
            Field(Quantity.SOIL_CONDUCTIVITY, "H"),
        ),
        BATTERY,
    ),
)

CODECS = (DL_CTD10, DL_LID, DL_MBX, DL_NTU, DL_PR26, DL_PR36, DL_PR36CTD, DL_SMTP, DL_TRS12)
