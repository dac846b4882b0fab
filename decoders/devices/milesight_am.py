"""Milesight indoor air, sound and smell: AM107, AM307, AM308, AM319 (O₃ and HCHO), WS302, GS301.

Source: Milesight-IoT/SensorDecoders am-series, ws-series, gs-series (README tables and decoders). Channel 08 of an
AM300 has two units: a rating of the air (0 the best) and micrograms. An AM300's light is a level of 0 to 5. A GS301
says that its gas sensors warm up (fffe) or fail (ffff).
"""

from decoders.codec import Codec
from decoders.devices.milesight_common import (
    ANSWERED,
    BATTERY,
    CO2,
    HUMIDITY,
    PRESSURE,
    SHORT_SERIAL_START,
    START,
    TEMPERATURE,
    answers,
    compiled,
    covered,
    hexadecimal,
    model,
    number,
    switch,
    words,
)
from decoders.field import Bits, Field, Part
from decoders.quantity import Family, Quantity
from decoders.tlv import ChannelTlv
from decoders.typed import Table

OFF_ON = {0: "off", 1: "on"}
LED_MODES = {**OFF_ON, 2: "blink"}
TVOC_UNITS = {0: "rating", 1: "µg/m³"}
FREQUENCY_WEIGHTINGS = {0: "Z", 1: "A", 2: "C"}
TIME_WEIGHTINGS = {0: "impulse", 1: "fast", 2: "slow"}
WARMING_UP, FAILED = 0xFFFE, 0xFFFF
NO_GAS = (FAILED, WARMING_UP)
MEASURED = ("air_temperature", "air_humidity", "presence", "light_level", "co2", "iaq_rating", "air_pressure")
PARTICLES = ("pm2_5", "pm10")

AM107_ANSWERED = {
    **ANSWERED,
    **answers(
        {
            0x2D: switch("screen_enabled"),
            0x2F: words("led_mode", "B", LED_MODES),
            0x39: hexadecimal("co2_abc_calibration", 5),
            0x54: hexadecimal("co2_alarm", 5),
            0x56: switch("screen_saving_enabled"),
            0x57: number("schedule_cleared", "B"),
            0x59: number("battery_reset", "B"),
            0x5A: number("screen_interval_s", "H"),
            0x75: hexadecimal("hibernation", 7),
            0x85: switch("screen_clock_enabled"),
            0x86: number("screen_last_interval", "B"),
            0x87: hexadecimal("altitude_calibration", 3),
            0xF0: hexadecimal("screen_elements", 4),
        }
    ),
}
AM107 = model(
    "AM107",
    "indoor air, light, motion",
    Family.ENVIRONMENT,
    "am-series/am107",
    ChannelTlv(
        "<",
        {
            **covered(
                {
                    0x0175: BATTERY,
                    0x0367: TEMPERATURE,
                    0x0468: HUMIDITY,
                    0x056A: Field(Quantity.MOTION_COUNT, "H"),
                    0x0665: (
                        Field(Quantity.ILLUMINANCE, "H"),
                        Field(Quantity.LIGHT_RAW, "H", "infrared_and_visible"),
                        Field(Quantity.LIGHT_RAW, "H", "infrared"),
                    ),
                    0x077D: CO2,
                    0x087D: Field(Quantity.TVOC, "H"),
                    0x0973: PRESSURE,
                },
                *("illuminance", "light_raw.infrared_and_visible", "light_raw.infrared", "co2", "tvoc", "air_pressure"),
            ),
            **SHORT_SERIAL_START,
            **AM107_ANSWERED,
        },
    ),
)

PRESENCE = Field(Quantity.PRESENCE, "B", values={0: 0, 1: 1})
LIGHT = Field(Quantity.LIGHT_LEVEL, "B")
RATING = Field(Quantity.IAQ_RATING, "H", divisor=100)
TVOC = Field(Quantity.TVOC_MASS, "H")
PM2_5 = Field(Quantity.PM2_5, "H")
PM10 = Field(Quantity.PM10, "H")
# Hundredths of ppm.
O3 = Field(Quantity.O3, "H", scale=10)
# Hundredths of mg/m³.
HCHO = Field(Quantity.HCHO_MASS, "H", scale=10)
AM300: Table = {
    0x0175: BATTERY,
    0x0367: TEMPERATURE,
    0x0468: HUMIDITY,
    0x0500: PRESENCE,
    0x06CB: LIGHT,
    0x077D: CO2,
    0x087D: RATING,
    0x08E6: TVOC,
    0x0973: PRESSURE,
}
AM300_PARTICLES: Table = {0x0B7D: PM2_5, 0x0C7D: PM10}
AM300_ANSWERED = {
    **ANSWERED,
    **compiled({0x0E01: words("buzzer", "B", OFF_ON)}),
    **answers(
        {
            0x25: number("child_lock", "B"),
            0x2C: number("status_queried", "B"),
            0x2D: switch("screen_enabled"),
            0x2E: words("led_mode", "B", LED_MODES),
            0x3A: number("report_interval_s", "H"),
            0x3C: number("screen_pattern", "B"),
            0x3D: number("buzzer_stopped", "B"),
            0x3E: switch("buzzer_enabled"),
            0x65: number("pm_interval_s", "H"),
            0x66: switch("screen_alarm_enabled"),
            0xEB: words("tvoc_unit", "B", TVOC_UNITS),
            0xF0: hexadecimal("screen_elements", 4),
            0xF4: switch("co2_calibration_enabled"),
        }
    ),
}


def _am300(name: str, kind: str, folder: str, further: Table, history: tuple[Part, ...], *names: str) -> Codec:
    """An AM300: its further values, those at the end of its records, which of the former a vector covers."""
    half_percent = Field(Quantity.AIR_HUMIDITY, "H", divisor=2)
    head = (TEMPERATURE, half_percent, PRESENCE, LIGHT, CO2)
    frame = ChannelTlv(
        "<",
        {**covered({**AM300, **further}, *names), **START, **AM300_ANSWERED},
        history={0x20CE: (*head, RATING, PRESSURE, *history), 0x21CE: (*head, TVOC, PRESSURE, *history)},
    )
    return model(name, kind, Family.ENVIRONMENT, f"am-series/{folder}", frame, untested=not names)


AM307 = _am300("AM307", "indoor air, light, presence", "am307", {}, (), *MEASURED)
AM308 = _am300(
    "AM308", "indoor air, particles, light, presence", "am308", AM300_PARTICLES, (PM2_5, PM10), *MEASURED, *PARTICLES
)
AM319_O3 = _am300(
    "AM319-O3",
    "indoor air, particles, ozone",
    "am319-o3",
    {**AM300_PARTICLES, 0x0D7D: O3},
    (PM2_5, PM10, O3),
    *MEASURED,
    *PARTICLES,
)
AM319_HCHO = _am300(
    "AM319-HCHO",
    "indoor air, particles, formaldehyde",
    "am319-hcho",
    {0x0A7D: HCHO, **AM300_PARTICLES},
    (PM2_5, PM10, HCHO),
)


WS302 = model(
    "WS302",
    "sound level",
    Family.ENVIRONMENT,
    "ws-series/ws302",
    ChannelTlv(
        "<",
        {
            0x0175: BATTERY,
            0x055B: (
                Bits(
                    "B",
                    words("frequency_weighting", "0-1", FREQUENCY_WEIGHTINGS),
                    words("time_weighting", "2-3", TIME_WEIGHTINGS),
                ),
                Field(Quantity.SOUND_LEVEL, "H", divisor=10),
                Field(Quantity.SOUND_LEVEL_AVERAGE, "H", divisor=10),
                Field(Quantity.SOUND_LEVEL_PEAK, "H", divisor=10),
            ),
            **START,
            **ANSWERED,
            **answers({0x1D: hexadecimal("weightings", 2), 0x2D: switch("led_enabled")}),
        },
    ),
)

GS301 = model(
    "GS301",
    "smell in toilets: ammonia, hydrogen sulphide",
    Family.ENVIRONMENT,
    "gs-series/gs301",
    ChannelTlv(
        "<",
        {
            0x0175: BATTERY,
            0x0267: TEMPERATURE,
            0x0368: HUMIDITY,
            # Hundredths of ppm; thousandths below.
            0x047D: Field(Quantity.NH3, "H", scale=10, invalid=NO_GAS),
            0x067D: Field(Quantity.H2S, "H", invalid=NO_GAS),
            0x057D: Field(Quantity.H2S, "H", scale=10, invalid=NO_GAS),
            **compiled({0x07EA: hexadecimal("gas_calibration", 5)}),
            **START,
            **ANSWERED,
        },
    ),
)

CODECS = (AM107, AM307, AM308, AM319_HCHO, AM319_O3, GS301, WS302)
