"""MClimate HT and AQI sensors: commands one after the other, of which 01 is the regular measurement; Vicki.

Source: TheThingsNetwork/lorawan-devices vendor/mclimate (ht-sensor.js, aqi-sensor.js and its codec's example). That
decoder drops a zero digit of the HT's temperature (02 05 becomes 0x25) and looks for "thermistor not connected" in a
number without its leading zeros, so that it never finds a connected one; here both are read as the bits they are.
Organic compounds come in steps of 4 ppm. The port is set in the device. Vicki is in mclimate_vicki.
"""

from decoders import attribute
from decoders.codec import Codec
from decoders.devices.mclimate_vicki import VICKI
from decoders.field import Bits, Curve, Field, Part
from decoders.quantity import Family, Quantity
from decoders.tlv import ChannelTlv

MEASUREMENT = 0x01
NOT_CONNECTED = 0x0400
THERMISTOR = 0x03FF


def _thermistor(raw: int) -> float | None:
    return None if raw & NOT_CONNECTED else (raw & THERMISTOR) / 10


# Answers to downlinks, before the measurement.
ANSWERS: dict[int, Part] = {
    0x04: attribute.hexadecimal("hardware_and_software_version", 2),
    0x12: attribute.number("keep_alive_min", "B"),
    0x19: attribute.number("join_retry_5s", "B"),
    0x1B: attribute.number("uplink_type", "B"),
    0x1D: attribute.hexadecimal("watchdog", 2),
}
HT_VALUES = ChannelTlv(
    ">",
    {
        **ANSWERS,
        MEASUREMENT: (
            Field(Quantity.AIR_TEMPERATURE, "H", offset=-400, divisor=10),
            Field(Quantity.AIR_HUMIDITY, "B", scale=100, divisor=256),
            Bits("B", Field(Quantity.BATTERY_VOLTAGE, "4-7", offset=20, divisor=10)),
            Field(
                Quantity.EXTERNAL_TEMPERATURE,
                "H",
                curve=Curve(_thermistor, lambda celsius: round(celsius * 10), low=0, high=THERMISTOR / 10, step=0.1),
                invalid=NOT_CONNECTED,
                verified=False,
            ),
        ),
    },
    type_bytes=1,
)
AQI_VALUES = ChannelTlv(
    ">",
    {
        **ANSWERS,
        MEASUREMENT: (
            Bits(
                "8s",
                Field(Quantity.AIR_QUALITY_INDEX, "55-63", "static", scale=16),
                Field(Quantity.AIR_QUALITY_INDEX, "50-54", scale=16),
                Field(Quantity.CO2, "40-49", "equivalent", scale=32),
                Field(Quantity.TVOC, "32-39", scale=4000),
                Field(Quantity.AIR_HUMIDITY, "24-31", scale=4, divisor=10),
                # 40 Pa above 300 hPa.
                Field(Quantity.AIR_PRESSURE, "13-23", scale=4, offset=3000, divisor=10),
                Field(Quantity.AIR_TEMPERATURE, "2-11", offset=-400, divisor=10),
                attribute.number("air_quality_accuracy", "0-1"),
            ),
            Field(Quantity.BATTERY_VOLTAGE, "B", scale=8, offset=1600, divisor=1000),
        ),
    },
    type_bytes=1,
)

HT = Codec(
    id="mclimate/ht",
    vendor="MClimate",
    model="HT temperature and humidity",
    family=Family.ENVIRONMENT,
    source="TheThingsNetwork/lorawan-devices vendor/mclimate/ht-sensor.js",
    ports={2: HT_VALUES},
    any_port=HT_VALUES,
)
AQI = Codec(
    id="mclimate/aqi",
    vendor="MClimate",
    model="AQI air quality",
    family=Family.ENVIRONMENT,
    source="TheThingsNetwork/lorawan-devices vendor/mclimate/aqi-sensor.js and aqi-sensor-codec.yaml",
    ports={2: AQI_VALUES},
    any_port=AQI_VALUES,
)

CODECS = (AQI, HT, VICKI)
