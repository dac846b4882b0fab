"""ELSYS: ERS, ELT, EMS and relatives, all with one TLV payload.

Source: ELSYS payload description and the vendor's simple decoder as published in TheThingsNetwork/lorawan-devices
(vendor/elsys). Where that decoder is wrong, this one is not: it reads positions as signed numbers, and it steps over
the time offsets of logged values (upper two bits of the type), at which the simple decoder loses its place.
"""

from decoders.codec import Codec
from decoders.field import Field, Pad
from decoders.quantity import Family, Quantity
from decoders.tlv import OffsetTlv

COUNTS_PER_G = 63
THERMAL_IMAGE_BYTES = 65
DEBUG = 0x3D
SETTINGS = 0x3E
PROBES = tuple(f"probe{number}" for number in range(2, 10))


def _external(channel: str) -> Field:
    return Field(Quantity.EXTERNAL_TEMPERATURE, "h", channel, divisor=10, verified=False)


VALUES = OffsetTlv(
    ">",
    {
        0x01: Field(Quantity.AIR_TEMPERATURE, "h", divisor=10),
        0x02: Field(Quantity.AIR_HUMIDITY, "B"),
        0x03: tuple(Field(Quantity.ACCELERATION, "b", axis, divisor=COUNTS_PER_G) for axis in ("x", "y", "z")),
        0x04: Field(Quantity.ILLUMINANCE, "H"),
        0x05: Field(Quantity.MOTION_COUNT, "B"),
        0x06: Field(Quantity.CO2, "H", verified=False),
        0x07: Field(Quantity.BATTERY_VOLTAGE, "H", divisor=1000),
        0x08: Field(Quantity.INPUT_VOLTAGE, "H", "analog1", divisor=1000, verified=False),
        0x09: (
            Field(Quantity.LATITUDE, "s24", divisor=10_000, verified=False),
            Field(Quantity.LONGITUDE, "s24", divisor=10_000, verified=False),
        ),
        0x0A: Field(Quantity.PULSE_COUNT, "H", "pulse1"),
        0x0B: Field(Quantity.PULSE_COUNT_TOTAL, "I", "pulse1"),
        0x0C: _external("probe1"),
        0x0D: Field(Quantity.DIGITAL_INPUT, "B", "digital1", verified=False),
        0x0E: Field(Quantity.DISTANCE, "H"),
        0x0F: Field(Quantity.VIBRATION_COUNT, "B", verified=False),
        0x10: (
            Field(Quantity.DEVICE_TEMPERATURE, "h", "infrared", divisor=10, verified=False),
            Field(Quantity.SURFACE_TEMPERATURE, "h", divisor=10, verified=False),
        ),
        0x11: Field(Quantity.PRESENCE, "B", verified=False),
        0x12: Field(Quantity.WATER_LEAK, "B", verified=False),
        # A thermal image shows people: stepped over, never kept.
        0x13: Pad(THERMAL_IMAGE_BYTES),
        0x14: Field(Quantity.AIR_PRESSURE, "I", divisor=1000),
        0x15: (Field(Quantity.SOUND_LEVEL_PEAK, "B"), Field(Quantity.SOUND_LEVEL_AVERAGE, "B")),
        0x16: Field(Quantity.PULSE_COUNT, "H", "pulse2", verified=False),
        0x17: Field(Quantity.PULSE_COUNT_TOTAL, "I", "pulse2", verified=False),
        0x18: Field(Quantity.INPUT_VOLTAGE, "H", "analog2", divisor=1000, verified=False),
        0x19: [_external(probe) for probe in PROBES],
        0x1A: Field(Quantity.DIGITAL_INPUT, "B", "digital2", verified=False),
        0x1B: Field(Quantity.INPUT_VOLTAGE, "i", "load_cell", divisor=1_000_000, verified=False),
        0x1C: Field(Quantity.TVOC, "H", verified=False),
    },
    stop=(DEBUG, SETTINGS),
)

GENERIC = Codec(
    id="elsys/generic",
    vendor="ELSYS",
    model="ERS, ELT, EMS (TLV payload)",
    family=Family.ENVIRONMENT,
    source="ELSYS payload description; TheThingsNetwork/lorawan-devices vendor/elsys/elsys.js",
    ports={5: VALUES},
    any_port=VALUES,
)

CODECS = (GENERIC,)
