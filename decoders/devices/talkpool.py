"""Talkpool OY1210 (CO2) and OY1700 (particulate matter), with temperature and humidity.

Source: TheThingsNetwork/lorawan-devices vendor/talkpool (oy1210.js, oy1700.js). Temperature and humidity have twelve
bits each: their upper eight in a byte of their own, the lower four side by side in the third byte.
"""

from decoders.codec import Codec
from decoders.field import Bits, Curve, Field
from decoders.layout import Layout
from decoders.quantity import Family, Quantity

LOW_BITS = 4
LOW = 0xF
LARGEST = 0xFFF


def _parted(gap: int, offset: int) -> Curve:
    """Tenths above an offset, in twelve bits with a gap before the lower four."""

    def value(raw: int) -> float:
        return (((raw >> LOW_BITS + gap) << LOW_BITS | raw & LOW) - 10 * offset) / 10

    def raw(value: float) -> int:
        tenths = round(value * 10) + 10 * offset
        return tenths >> LOW_BITS << LOW_BITS + gap | tenths & LOW

    return Curve(value, raw, low=-offset, high=LARGEST / 10 - offset, step=0.1)


CLIMATE = Bits(
    "3s",
    Field(Quantity.AIR_TEMPERATURE, "4-23", curve=_parted(gap=8, offset=80)),
    Field(Quantity.AIR_HUMIDITY, "0-15", curve=_parted(gap=4, offset=25)),
)

OY1210 = Codec(
    id="talkpool/oy1210",
    vendor="Talkpool",
    model="OY1210 CO2, temperature, humidity",
    family=Family.ENVIRONMENT,
    source="TheThingsNetwork/lorawan-devices vendor/talkpool/oy1210.js",
    ports={2: Layout(">", CLIMATE, Field(Quantity.CO2, "H"))},
)
OY1700 = Codec(
    id="talkpool/oy1700",
    vendor="Talkpool",
    model="OY1700 particulate matter, temperature, humidity",
    family=Family.ENVIRONMENT,
    source="TheThingsNetwork/lorawan-devices vendor/talkpool/oy1700.js",
    ports={2: Layout(">", CLIMATE, Field(Quantity.PM1, "H"), Field(Quantity.PM2_5, "H"), Field(Quantity.PM10, "H"))},
)

CODECS = (OY1210, OY1700)
