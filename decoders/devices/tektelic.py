"""Tektelic agriculture sensors (Kiwi, Clover): channel, type, big-endian value.

Source: actility/device-catalog vendors/tektelic/drivers/agro/index.js, with the vendor's curves of its probes. Beside
the raw number (frequency, voltage) a device sends, that decoder gives what the probe means by it; here it is only the
latter. A Watermark's tension is interpolated between the vendor's points, a capacitance probe's gravimetric moisture
comes in steps of 10 %, from 0 (dry) to 130 (wet and above). A frequency or voltage of zero is a probe that is not
there. The vendor's decoder takes an alarm bit for invalid, since it compares one bit with 255.
"""

from bisect import bisect_left
from collections.abc import Mapping
from itertools import pairwise
from math import exp, log

from decoders import attribute
from decoders.codec import Codec, CodecField
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.field import Bits, Curve, Field, Pad, Part
from decoders.measurement import Measurement
from decoders.quantity import Family, Quantity
from decoders.tlv import ChannelTlv

DIGITS = 3
# A Watermark's frequency in Hz and tension in kPa.
WATERMARK = ((293, 200), (485, 100), (600, 75), (770, 55), (1110, 35), (2820, 15), (4330, 9), (6430, 0))
FREQUENCIES = tuple(frequency for frequency, _ in WATERMARK)
TENSIONS = tuple(tension for _, tension in WATERMARK)
DRIEST_HZ, WETTEST_HZ, HZ_PER_STEP, STEP = 1399, 1342, 5, 10
WET = 130
# Soil temperature = A · ln(mV) + B.
SOIL_SLOPE, SOIL_OFFSET = -32.46, 236.36
# A thermistor's temperature by powers of its voltage, highest first; falling over these millivolts.
THERMISTOR = (-33.01, 217.4, -538.6, 628.1, -378.9, 102.9)
THERMISTOR_MV = range(1, 2401)


def _tension(hertz: int) -> float:
    if hertz <= FREQUENCIES[0] or hertz >= FREQUENCIES[-1]:
        return float(TENSIONS[0] if hertz <= FREQUENCIES[0] else TENSIONS[-1])
    at = bisect_left(FREQUENCIES, hertz)
    (lower, upper), (first, last) = FREQUENCIES[at - 1 : at + 1], TENSIONS[at - 1 : at + 1]
    return round(first + (last - first) * (hertz - lower) / (upper - lower), DIGITS)


def _hertz(tension: float) -> int:
    for (lower, first), (upper, last) in pairwise(WATERMARK):
        if tension >= last:
            return round(lower + (upper - lower) * (first - tension) / (first - last))
    return FREQUENCIES[-1]


def _moisture(hertz: int) -> float:
    if hertz > DRIEST_HZ:
        return 0.0
    return float(((DRIEST_HZ + 2 - hertz) // HZ_PER_STEP + 1) * STEP) if hertz >= WETTEST_HZ else float(WET)


def _probe(moisture: float) -> int:
    return DRIEST_HZ + HZ_PER_STEP - HZ_PER_STEP * round(moisture / STEP)


def _soil_temperature(millivolts: int) -> float:
    return round(SOIL_SLOPE * log(millivolts) + SOIL_OFFSET, DIGITS)


def _soil_voltage(celsius: float) -> int:
    return round(exp((celsius - SOIL_OFFSET) / SOIL_SLOPE))


def _thermistor(millivolts: int) -> float:
    celsius = 0.0
    for coefficient in THERMISTOR:
        celsius = celsius * millivolts / 1000 + coefficient
    return round(celsius, 2)


THERMISTOR_VALUES = {millivolts: _thermistor(millivolts) for millivolts in THERMISTOR_MV}


def _watermark(channel: str, *, verified: bool) -> Field:
    return Field(
        Quantity.SOIL_WATER_TENSION,
        "H",
        channel,
        curve=Curve(_tension, _hertz, low=0, high=TENSIONS[0], step=0.53),
        invalid=0,
        verified=verified,
    )


def _wired(channel: str) -> Field:
    """A thermistor by its voltage."""
    return Field(Quantity.EXTERNAL_TEMPERATURE, "H", channel, values=THERMISTOR_VALUES, verified=False)


def _digital(channel: str) -> Field:
    """A probe that says its temperature."""
    return Field(Quantity.EXTERNAL_TEMPERATURE, "h", channel, divisor=10, verified=False)


def _alarm(channel: str) -> Field:
    return Field(Quantity.ALARM, "B", channel, values={0: 0, 0xFF: 1}, verified=False)


VALUES = ChannelTlv(
    ">",
    {
        # Hundredths of a volt above 2.5 V.
        0x00BA: Bits(
            "B",
            Field(Quantity.BATTERY_VOLTAGE, "0-6", offset=250, divisor=100, verified=False),
            Field(Quantity.ALARM, "7", "battery", verified=False),
        ),
        0x00D3: Bits("B", Field(Quantity.BATTERY_LEVEL, "0-6", verified=False)),
        0x00BD: attribute.number("battery_days", "H"),
        0x0104: Field(
            Quantity.SOIL_MOISTURE_GRAVIMETRIC,
            "H",
            curve=Curve(_moisture, _probe, low=0, high=WET, step=STEP),
            invalid=0,
        ),
        0x0202: Field(
            Quantity.SOIL_TEMPERATURE,
            "H",
            curve=Curve(_soil_temperature, _soil_voltage, low=-40, high=85, step=0.32),
            invalid=0,
        ),
        0x0367: _digital("input3"),
        0x0302: _wired("input3"),
        0x0467: _digital("input4"),
        0x0402: _wired("input4"),
        0x0504: _watermark("watermark1", verified=True),
        0x0604: _watermark("watermark2", verified=False),
        0x0965: Field(Quantity.ILLUMINANCE, "H", verified=False),
        0x0900: _alarm("light"),
        0x0A71: tuple(
            Field(Quantity.ACCELERATION, "h", axis, divisor=1000, verified=False) for axis in ("x", "y", "z")
        ),
        0x0A00: _alarm("orientation"),
        0x0B67: Field(Quantity.AIR_TEMPERATURE, "h", divisor=10, verified=False),
        0x0B68: Field(Quantity.AIR_HUMIDITY, "B", divisor=2, verified=False),
        0x0C67: Field(Quantity.DEVICE_TEMPERATURE, "h", divisor=10, verified=False),
        # Reserved.
        0x0D73: Pad(2),
    },
)

number, hexadecimal = attribute.number, attribute.hexadecimal
TICKS = (
    "battery",
    "ambient_temperature",
    "humidity",
    "light",
    "input1",
    "input2",
    "input3",
    "input4",
    "watermark1",
    "watermark2",
)
THRESHOLDS = ("input1", "input2", "input3", "input4", "watermark1", "watermark2")
# Registers that were asked for, as they are.
REGISTERS: Mapping[int, Part | tuple[Part, ...]] = {
    0x10: hexadecimal("join_mode", 2),
    0x11: hexadecimal("lorawan_options", 2),
    0x12: hexadecimal("data_rate_and_power", 2),
    0x13: hexadecimal("second_window", 5),
    0x20: number("seconds_per_tick", "I"),
    **{register: number(f"ticks_per_{name}", "H") for register, name in enumerate(TICKS, start=0x21)},
    0x2C: number("ticks_per_acceleration", "H"),
    0x2D: number("ticks_per_orientation_alarm", "H"),
    0x2E: number("ticks_per_device_temperature", "H"),
    0x2F: number("register_2f", "H"),
    0x30: number("climate_sample_idle_s", "I"),
    0x31: number("climate_sample_active_s", "I"),
    0x32: hexadecimal("ambient_temperature_thresholds", 2),
    0x33: number("ambient_temperature_threshold_enabled", "B"),
    0x34: hexadecimal("humidity_thresholds", 2),
    0x35: number("humidity_threshold_enabled", "B"),
    0x36: number("input_sample_idle_s", "I"),
    0x37: number("input_sample_active_s", "I"),
    **{register: hexadecimal(f"{name}_thresholds", 4) for register, name in enumerate(THRESHOLDS, start=0x38)},
    0x3F: hexadecimal("thresholds_enabled", 1),
    0x40: number("device_temperature_sample_idle_s", "I"),
    0x41: number("device_temperature_sample_active_s", "I"),
    0x42: hexadecimal("device_temperature_thresholds", 2),
    0x43: number("device_temperature_threshold_enabled", "B"),
    0x44: hexadecimal("input3_digital_thresholds", 2),
    0x45: hexadecimal("input4_digital_thresholds", 2),
    0x48: number("light_interrupt_enabled", "B"),
    0x49: number("light_upper_threshold", "H"),
    0x4A: number("light_lower_threshold", "H"),
    0x4B: number("light_sample_idle_s", "I"),
    0x4C: number("light_sample_active_s", "I"),
    0x4D: hexadecimal("light_reports", 1),
    0x50: number("orientation_alarm_threshold", "H"),
    0x51: hexadecimal("orientation_reports", 1),
    0x52: hexadecimal("acceleration_mode", 1),
    0x61: hexadecimal("battery_reports", 1),
    0x62: number("average_current_window", "B"),
    0x71: (attribute.version("firmware_version"), attribute.version("lorawan_version"), number("region", "B")),
}


class Answers:
    """What became of downlinks: their number, how many registers were refused, which."""

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """A measurement without readings; an attribute for each downlink says `done` or the refused registers."""
        attributes, at = {}, 0
        while at < len(payload):
            behind = at + 2 + (payload[at + 1] if at + 1 < len(payload) else 0)
            if at + 2 > len(payload) or behind > len(payload):
                raise WrongLength(f"an answer ends at byte {behind}; the payload has {len(payload)} bytes")
            attributes[f"downlink_{payload[at]}"] = payload[at + 2 : behind].hex(" ") or "done"
            at = behind
        if not attributes:
            raise MalformedPayload("the payload is empty")
        return (Measurement.of(time_ms, (), attributes),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """The answers that the attributes name."""
        if measurement.readings or not measurement.attributes:
            raise EncodeError("answers carry attributes and no reading")
        payload = b""
        for name, text in measurement.attributes.items():
            try:
                refused = b"" if text == "done" else bytes.fromhex(text)
                payload += bytes((int(name.removeprefix("downlink_")), len(refused))) + refused
            except ValueError as error:
                raise EncodeError(f"{name} = {text!r} is no answer") from error
        return payload

    def fields(self) -> tuple[CodecField, ...]:
        """Nothing: answers are attributes."""
        return ()


AGRO = Codec(
    id="tektelic/agro",
    vendor="Tektelic",
    model="Kiwi and Clover agriculture sensors",
    family=Family.ENVIRONMENT,
    source="actility/device-catalog vendors/tektelic/drivers/agro/index.js",
    ports={10: VALUES, 100: ChannelTlv(">", REGISTERS, type_bytes=1), 101: Answers()},
)

CODECS = (AGRO,)
