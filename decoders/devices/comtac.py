"""Comtac LPN CM-1, temperature and humidity with a button; big-endian.

Source: akenza-io/device-type-library types/comtac/CM-1/uplink.js.
"""

from decoders import attribute
from decoders.codec import Codec
from decoders.field import Bits, Field
from decoders.layout import Layout
from decoders.quantity import Family, Quantity

NO_YES = {0: "no", 1: "yes"}
FLAGS = {
    "booster": 0,
    "minimum_humidity_on": 2,
    "maximum_humidity_on": 3,
    "sent_by_event": 4,
    "minimum_temperature_on": 6,
    "maximum_temperature_on": 7,
}

CM1 = Codec(
    id="comtac/cm1",
    vendor="Comtac",
    model="LPN CM-1 temperature and humidity",
    family=Family.ENVIRONMENT,
    source="akenza-io/device-type-library types/comtac/CM-1/uplink.js",
    ports={
        3: Layout(
            ">",
            Bits("B", *(attribute.words(name, str(bit), NO_YES) for name, bit in FLAGS.items())),
            attribute.number("minimum_temperature", "b"),
            attribute.number("maximum_temperature", "b"),
            attribute.number("minimum_humidity", "b"),
            attribute.number("maximum_humidity", "b"),
            attribute.number("send_interval_min", "H"),
            Field(Quantity.BATTERY_VOLTAGE, "H", divisor=1000),
            Field(Quantity.AIR_TEMPERATURE, "h", divisor=100),
            Field(Quantity.AIR_HUMIDITY, "h", divisor=100),
        )
    },
)

CODECS = (CM1,)
