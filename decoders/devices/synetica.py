"""Synetica enLink, air quality inside and out and many others: type, big-endian value.

Source: synetica/enlink-decoder payload tables, as in akenza-io/device-type-library types/synetica/enlinkIAQ. What that
library calls tvoc is type 05, the index of indoor air quality. Types of status and reasons of alarms are attributes.
The port is set in the device.
"""

from collections.abc import Iterable

from decoders import attribute
from decoders.codec import Codec
from decoders.field import Field, Part
from decoders.quantity import Family, Quantity
from decoders.tlv import ChannelTlv

TENTHS, HUNDREDTHS, THOUSANDTHS = 10, 100, 1000
PARTICLES = ("pm0_5", "pm1", "pm2_5", "pm4", "pm10")
INPUTS = range(3)
PROBES = range(1, 4)

number = attribute.number


def _word(
    quantity: Quantity, channel: str = "", *, scale: float = 1, divisor: float = 1, verified: bool = False
) -> Field:
    return Field(quantity, "H", channel, scale=scale, divisor=divisor, verified=verified)


def _signed(quantity: Quantity, channel: str = "", *, verified: bool = False) -> Field:
    return Field(quantity, "h", channel, divisor=TENTHS, verified=verified)


def _byte(quantity: Quantity, channel: str = "", *, divisor: float = 1, verified: bool = False) -> Field:
    return Field(quantity, "B", channel, divisor=divisor, verified=verified)


def _real(quantity: Quantity, channel: str = "", *, scale: float = 1, verified: bool = False) -> Field:
    return Field(quantity, "f", channel, scale=scale, digits=3, verified=verified)


def _bands() -> Iterable[tuple[int, Part]]:
    """How long and how often three probes were in their band, below it, above it."""
    for base, band in ((0x1A, "in_band"), (0x20, "low"), (0x26, "high")):
        for probe in PROBES:
            yield base + probe - 1, number(f"probe{probe}_{band}_s", "I")
            yield base + probe + 2, number(f"probe{probe}_{band}_alarms", "H")


TABLE: dict[int, Part | tuple[Part, ...]] = {
    0x01: _signed(Quantity.AIR_TEMPERATURE, verified=True),
    0x02: _byte(Quantity.AIR_HUMIDITY, verified=True),
    0x03: _word(Quantity.ILLUMINANCE),
    0x04: _word(Quantity.AIR_PRESSURE, verified=True),
    0x05: _word(Quantity.AIR_QUALITY_INDEX, verified=True),
    0x06: _byte(Quantity.OXYGEN, divisor=TENTHS),
    # Gases in hundredths, tenths of thousandths and thousandths of ppm; here in ppb.
    0x07: _word(Quantity.CO, scale=10),
    0x08: _word(Quantity.CO2, verified=True),
    0x09: _word(Quantity.O3, divisor=TENTHS),
    0x0A: _word(Quantity.GAS_RESISTANCE, scale=100),
    0x0B: _word(Quantity.PM2_5, verified=True),
    0x0C: _word(Quantity.PM10, verified=True),
    0x0D: _word(Quantity.H2S, scale=10),
    **{0x0E00 | entry: Field(Quantity.PULSE_COUNT_TOTAL, "I", f"input{entry}", verified=False) for entry in INPUTS},
    0x0F: (number("modbus_error_register", "B"), number("modbus_error", "B")),
    0x10: (number("modbus_interval_register", "B"), attribute.real("modbus_interval_value")),
    0x11: (number("modbus_total_register", "B"), attribute.real("modbus_total_value")),
    0x12: _real(Quantity.TVOC, "breath", scale=1000, verified=True),
    0x13: Field(Quantity.PULSE_COUNT_TOTAL, "I", "detections", verified=False),
    0x14: Field(Quantity.OCCUPIED_TIME_TOTAL, "I", verified=False),
    0x15: _byte(Quantity.PRESENCE),
    **{0x16 + probe: _signed(Quantity.EXTERNAL_TEMPERATURE, f"probe{probe}") for probe in PROBES},
    **dict(_bands()),
    0x2C: _real(Quantity.DIFFERENTIAL_PRESSURE),
    0x2D: _real(Quantity.WIND_SPEED, "duct"),
    0x2E: _word(Quantity.INPUT_VOLTAGE, divisor=THOUSANDTHS),
    0x2F: _word(Quantity.INPUT_CURRENT, divisor=THOUSANDTHS),
    0x30: number("resistance_ohm", "H"),
    0x31: _byte(Quantity.WATER_LEAK),
    0x32: _byte(Quantity.ALARM, "vibration"),
    # Millibars or millimetres, as the transducer is.
    0x3A: number("transducer", "H"),
    0x3B: _signed(Quantity.WATER_TEMPERATURE),
    0x3F: _real(Quantity.CO2, "equivalent", verified=True),
    0x40: attribute.hexadecimal("processor_temperature", 2),
    0x41: number("battery_status", "B"),
    0x42: _word(Quantity.BATTERY_VOLTAGE, divisor=THOUSANDTHS, verified=True),
    0x43: number("rssi_dbm", "h"),
    0x44: number("snr_db", "b"),
    0x45: number("downlinks", "H"),
    0x46: number("send_time_ms", "H"),
    0x47: number("send_power_dbm", "b"),
    0x48: _word(Quantity.UPLINK_COUNT_TOTAL),
    0x49: _word(Quantity.RESET_COUNT_TOTAL, "power_up"),
    0x4A: number("usb_count", "H"),
    0x4B: number("logins", "H"),
    0x4C: number("failed_logins", "H"),
    0x4D: number("fan_s", "I"),
    0x4E: _signed(Quantity.DEVICE_TEMPERATURE),
    0x50: attribute.real("sound_level_minimum_db"),
    0x51: _real(Quantity.SOUND_LEVEL_AVERAGE),
    0x52: _real(Quantity.SOUND_LEVEL_PEAK),
    0x53: _word(Quantity.NO, scale=10),
    0x54: _word(Quantity.NO2, divisor=TENTHS),
    0x55: _word(Quantity.NO2),
    0x56: _word(Quantity.SO2),
    0x57: _real(Quantity.PM1, verified=True),
    0x58: _real(Quantity.PM2_5, verified=True),
    0x59: _real(Quantity.PM4, verified=True),
    0x5A: _real(Quantity.PM10, verified=True),
    **{
        0x5B + place: _real(Quantity.PARTICLE_CONCENTRATION, size, verified=True)
        for place, size in enumerate(PARTICLES)
    },
    # Micrometres.
    0x60: _real(Quantity.PARTICLE_SIZE, scale=1000, verified=True),
}
VALUES = ChannelTlv(">", TABLE, type_bytes=1)

ENLINK = Codec(
    id="synetica/enlink",
    vendor="Synetica",
    model="enLink Air, IAQ/OAQ, Zone, Status",
    family=Family.ENVIRONMENT,
    source="synetica/enlink-decoder README; akenza-io/device-type-library types/synetica/enlinkIAQ/uplink.js",
    ports={1: VALUES},
    any_port=VALUES,
)

CODECS = (ENLINK,)
