"""Milesight environment: EM300-TH, EM500-CO2, -PP, -SMTC, -SWL, -UDL, weather station WTS506.

Source: Milesight-IoT/SensorDecoders em-series and wts-series (README tables and decoders). An EM500 says in place of a
value that its sensor fails (ffff) or is out of its range (fffd); of the temperature its own decoder compares a signed
number with ffff, which it never is, and prints -0.1 and -0.3 °C. The README of the EM500-SMTC has a record of three
depths, its decoder one of one depth, as here; its moisture has a resolution of 0.5 % (type 68) or 0.01 % (type ca).
Of an EM500-UDL's alarm only the alarm itself is read: on the unit of its distance README and decoder do not agree.
A WTS506 counts the frames since its rain began to be summed up anew; user guide, chapter 5.2.
"""

from decoders.devices.milesight_common import (
    ANSWERED,
    BATTERY,
    CO2,
    HUMIDITY,
    PRESSURE,
    START,
    TEMPERATURE,
    alarm,
    answers,
    covered,
    decimal,
    hexadecimal,
    model,
    number,
    words,
)
from decoders.field import Field, Pad, Part
from decoders.quantity import Family, Quantity
from decoders.tlv import ChannelTlv
from decoders.typed import Table

FAILED, OFF, OUT_OF_RANGE = 0xFFFF, 0xFFFE, 0xFFFD
NO_READING = (FAILED, OFF, OUT_OF_RANGE)
# -0.2 °C, fffe, is a temperature; -3276.8 °C is none.
NO_TEMPERATURE = (-1, -3, -0x8000)
RUN_MODES = {0: "off", 1: "on", 2: "keep"}
SUDDEN: dict[int, float] = {0: 1, 1: 0, 2: 1}
"""Of a temperature: 0 an alarm, 1 no longer one, 2 a sudden change."""


def _frame(table: Table, *names: str, history: Table | None = None, further: Table | None = None) -> ChannelTlv:
    return ChannelTlv("<", {**covered(table, *names), **START, **ANSWERED, **(further or {})}, history=history)


D2D = answers({0x79: hexadecimal("d2d_configuration", 6)})
EM300_TH = model(
    "EM300-TH",
    "air temperature and humidity",
    Family.ENVIRONMENT,
    "em-series/em300-th",
    _frame(
        {0x0175: BATTERY, 0x0367: TEMPERATURE, 0x0468: HUMIDITY},
        "air_temperature",
        "air_humidity",
        history={0x20CE: (TEMPERATURE, HUMIDITY, Pad(1))},
        further={
            **D2D,
            **answers(
                {
                    0xD6: hexadecimal("calibration", 6),
                    0xD7: number("retransmission_reset", "B"),
                    0xEA: hexadecimal("calibration", 3),
                }
            ),
        },
    ),
)

EM500_CO2 = model(
    "EM500-CO2",
    "CO₂, air temperature, humidity, pressure",
    Family.ENVIRONMENT,
    "em-series/em500-co2",
    _frame(
        {
            0x0175: BATTERY,
            0x83D7: (TEMPERATURE, decimal("temperature_change", 10), alarm("temperature", SUDDEN)),
            0x0367: TEMPERATURE,
            0x0468: HUMIDITY,
            0x057D: CO2,
            0x0673: PRESSURE,
        },
        *("battery_level", "air_temperature", "air_humidity", "co2", "air_pressure"),
        history={0x20CE: (CO2, PRESSURE, TEMPERATURE, HUMIDITY)},
        further=answers({0x39: hexadecimal("co2_abc_calibration", 5), 0x87: hexadecimal("altitude_calibration", 3)}),
    ),
)

PIPE_PRESSURE = Field(Quantity.WATER_PRESSURE, "h", divisor=100)
EM500_PP = model(
    "EM500-PP",
    "pressure in pipes",
    Family.ENVIRONMENT,
    "em-series/em500-pp",
    _frame(
        {0x0175: BATTERY, 0x037B: PIPE_PRESSURE},
        "battery_level",
        "water_pressure",
        history={0x20CE: PIPE_PRESSURE},
    ),
)

# Centimetres.
DEPTH = Field(Quantity.WATER_LEVEL, "H", scale=10, invalid=NO_READING)
EM500_SWL = model(
    "EM500-SWL",
    "submersible water level",
    Family.ENVIRONMENT,
    "em-series/em500-swl",
    _frame(
        {0x0175: BATTERY, 0x0377: DEPTH},
        "battery_level",
        "water_level",
        history={0x20CE: DEPTH},
        further=answers({0x1B: hexadecimal("measuring_range", 5)}),
    ),
)

DISTANCE = Field(Quantity.DISTANCE, "H")
EM500_UDL = model(
    "EM500-UDL",
    "ultrasonic level",
    Family.ENVIRONMENT,
    "em-series/em500-udl",
    _frame(
        {
            0x0175: BATTERY,
            0x0382: DISTANCE,
            0x83E9: (Pad(4), alarm("distance", {0: 0, 1: 1, 2: 1})),
        },
        "battery_level",
        "distance",
        history={0x20CE: DISTANCE},
    ),
)

SOIL_TEMPERATURE = Field(Quantity.SOIL_TEMPERATURE, "h", divisor=10, invalid=NO_TEMPERATURE)
SOIL_MOISTURE = Field(Quantity.SOIL_MOISTURE, "H", divisor=100, invalid=NO_READING)
SOIL_CONDUCTIVITY = Field(Quantity.SOIL_CONDUCTIVITY, "H", invalid=NO_READING)
EM500_SMTC = model(
    "EM500-SMTC",
    "soil moisture, temperature, conductivity",
    Family.ENVIRONMENT,
    "em-series/em500-smtc",
    _frame(
        {
            0x0175: BATTERY,
            0x83D7: (SOIL_TEMPERATURE, decimal("temperature_change", 10), alarm("temperature", SUDDEN)),
            0x0367: SOIL_TEMPERATURE,
            0x04CA: SOIL_MOISTURE,
            0x0468: Field(Quantity.SOIL_MOISTURE, "B", divisor=2),
            0x057F: SOIL_CONDUCTIVITY,
        },
        history={0x20CE: (SOIL_CONDUCTIVITY, SOIL_TEMPERATURE, SOIL_MOISTURE)},
    ),
    untested=True,
)

WIND_DIRECTION = Field(Quantity.WIND_DIRECTION, "H", divisor=10)
WIND_SPEED = Field(Quantity.WIND_SPEED, "H", divisor=10)
RAIN = Field(Quantity.PRECIPITATION_TOTAL, "I", divisor=100)
RAIN_V1 = Field(Quantity.PRECIPITATION_TOTAL, "H", divisor=100)
RAIN_COUNTER = number("rainfall_counter", "B")
WEATHER: tuple[Part, ...] = (TEMPERATURE, HUMIDITY, PRESSURE, WIND_DIRECTION, WIND_SPEED)
WTS506 = model(
    "WTS506",
    "weather station (also WTS305 and WTS505)",
    Family.ENVIRONMENT,
    "wts-series/wts506",
    _frame(
        {
            0x0175: BATTERY,
            0x8367: (TEMPERATURE, alarm("temperature")),
            0x0367: TEMPERATURE,
            0x0468: HUMIDITY,
            0x0584: WIND_DIRECTION,
            0x8673: (PRESSURE, alarm("pressure")),
            0x0673: PRESSURE,
            0x8792: (WIND_SPEED, alarm("wind_speed")),
            0x0792: WIND_SPEED,
            0x88EC: (RAIN, RAIN_COUNTER, alarm("rainfall")),
            0x08EC: (RAIN, RAIN_COUNTER),
            0x0877: (RAIN_V1, RAIN_COUNTER),
        },
        *("battery_level", "air_temperature", "air_humidity", "air_pressure", "wind_direction", "wind_speed"),
        *("precipitation_total", "alarm.temperature", "alarm.pressure"),
        history={0x20CE: (*WEATHER, RAIN_V1), 0x21CE: (*WEATHER, RAIN)},
        further=answers({0x67: words("power_on_mode", "B", RUN_MODES), 0x6E: number("rainfall_phase_min", "H")}),
    ),
)

CODECS = (EM300_TH, EM500_CO2, EM500_PP, EM500_SMTC, EM500_SWL, EM500_UDL, WTS506)
