"""Dragino LAQ4 (air quality) and WSC1-L (weather station of RS485 sensors).

Source: Dragino user manuals; TheThingsNetwork/lorawan-devices vendor/dragino (laq4, wsc1-l). An LAQ4 answers a question
for its limits in a frame of the same length, told by its mode. A WSC1-L sends type, length, value; a temperature below
zero is 0.1 °C colder than its decoder says, which subtracts ffff. What a rain gauge counts in is not in the decoder:
its number is an attribute, no rain. Sensors of the user's own (types a1 to a4) are raw numbers.
"""

from decoders.attribute import hexadecimal, number, words
from decoders.choice import Choice
from decoders.devices.dragino_common import BANDS, F_PORT, INFORMATION_PORT, firmware, model
from decoders.error import MalformedPayload, WrongLength
from decoders.field import Attribute, Bits, Const, Field, Raw
from decoders.layout import Layout
from decoders.quantity import Family, Quantity
from decoders.tlv import ChannelTlv

FRAME_BYTES, MODE_AT = 11, 2
MEASURING, LIMITS = 1, 31
MODE_BITS, ALARM_BIT = "2-6", "0"
MODES = {MEASURING: "air", LIMITS: "limits"}


def _unverified(quantity: Quantity, code: str, channel: str = "", *, divisor: float = 1, scale: float = 1) -> Field:
    return Field(quantity, code, channel, divisor=divisor, scale=scale, verified=False)


def _mode(payload: bytes) -> str:
    if len(payload) != FRAME_BYTES:
        raise WrongLength(f"{len(payload)} bytes; frames have {FRAME_BYTES}")
    mode = payload[MODE_AT] >> 2 & LIMITS
    if mode not in MODES:
        raise MalformedPayload(f"mode {mode}; known are {', '.join(str(known) for known in MODES)}")
    return MODES[mode]


POWER = _unverified(Quantity.BATTERY_VOLTAGE, "H", divisor=1000)
LAQ4 = model(
    "LAQ4",
    "indoor air: CO₂, TVOC",
    Family.ENVIRONMENT,
    {
        F_PORT: Choice(
            {
                "air": Layout(
                    ">",
                    POWER,
                    Bits("B", Const(MODE_BITS, MEASURING, "mode"), _unverified(Quantity.ALARM, ALARM_BIT)),
                    _unverified(Quantity.TVOC, "H"),
                    _unverified(Quantity.CO2, "H"),
                    _unverified(Quantity.AIR_TEMPERATURE, "h", divisor=10),
                    _unverified(Quantity.AIR_HUMIDITY, "H", divisor=10),
                ),
                "limits": Layout(
                    ">",
                    POWER,
                    Bits("B", Const(MODE_BITS, LIMITS, "mode")),
                    number("temperature_min", "b"),
                    number("temperature_max", "b"),
                    number("humidity_min", "B"),
                    number("humidity_max", "B"),
                    number("co2_min", "H"),
                    number("co2_max", "H"),
                ),
            },
            _mode,
        )
    },
    untested=True,
)

POINTS = {
    **dict(enumerate(("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE"))),
    **dict(enumerate(("S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"), start=8)),
}
SENSORS_BYTES = 3


def _tenths(name: str) -> Attribute:
    """An unsigned word of tenths."""

    def text(raw: Raw) -> str:
        return str(int(raw) / 10)

    return Attribute(name, "H", text, lambda text: round(float(text) * 10))


# Type, then the length of its value.
WEATHER = ChannelTlv(
    ">",
    {
        # Thirtieths of a volt.
        0x0002: _unverified(Quantity.BATTERY_VOLTAGE, "H", divisor=30),
        0x0103: (_unverified(Quantity.WIND_SPEED, "H", divisor=10), number("wind_force", "B")),
        0x0203: (_unverified(Quantity.WIND_DIRECTION, "H", divisor=10), words("wind_point", "B", POINTS)),
        0x0302: _unverified(Quantity.ILLUMINANCE, "H", scale=10),
        0x0401: Field(Quantity.RAIN_DETECTED, "B", values={0: 0, 1: 1}, verified=False),
        0x0502: _unverified(Quantity.CO2, "H"),
        0x0602: _unverified(Quantity.AIR_TEMPERATURE, "h", divisor=10),
        0x0702: _unverified(Quantity.AIR_HUMIDITY, "H", divisor=10),
        0x0802: _unverified(Quantity.AIR_PRESSURE, "H", divisor=10),
        0x0902: _tenths("rain_gauge"),
        0x0A02: _unverified(Quantity.PM2_5, "H"),
        0x0B02: _unverified(Quantity.PM10, "H"),
        0x0C02: _unverified(Quantity.PAR, "H"),
        0x0D02: _unverified(Quantity.SOLAR_IRRADIANCE, "H", divisor=10),
        **{0xA102 + 0x100 * index: number(f"sensor_a{index + 1}", "H") for index in range(4)},
    },
)
WSC1_L = model(
    "WSC1-L",
    "weather station",
    Family.ENVIRONMENT,
    {
        F_PORT: WEATHER,
        INFORMATION_PORT: Layout(
            ">",
            number("sensor_model", "B"),
            firmware(),
            words("frequency_band", "B", BANDS),
            number("sub_band", "B"),
            _unverified(Quantity.BATTERY_VOLTAGE, "H", divisor=1000),
            hexadecimal("sensors", SENSORS_BYTES),
        ),
    },
    untested=True,
)

CODECS = (LAQ4, WSC1_L)
