"""Pepperl+Fuchs WILSEN.sonic.level and .distance: length, two byte id, big-endian value.

Source: WILSEN.sonic manual, payload chapter; actility/device-catalog vendors/pf/drivers/wilsen and
TheThingsNetwork/lorawan-devices vendor/pepperl-fuchs. The vendor's decoder looks for ids at every byte; this one steps
by length, so that a value which looks like an id is no id. The temperature is that at the container (family `waste`).
"""

from decoders import attribute
from decoders.codec import Codec
from decoders.field import Attribute, Field, Pad, Raw
from decoders.quantity import Family, Quantity
from decoders.tlv import LengthTlv

NAME_BYTES = 16
HALF_NAME_BYTES = 8
SERIAL_BYTES = 14
MICRODEGREES = 1_000_000
NO_YES = {0: "no", 1: "yes"}
BEAMS = {252: "wide", 253: "medium", 254: "small", 55: "user-defined"}
BURSTS = {5: "normal", 3: "short", 16: "very short"}
POWERS = {63: "high", 40: "medium", 12: "low"}
SENSITIVITIES = {63: "maximum", 51: "very high", 48: "high", 38: "medium", 27: "low", 15: "minimum"}

number, words = attribute.number, attribute.words


def _revision(name: str) -> Attribute:
    """Three words: 1.0.12."""

    def text(raw: Raw) -> str:
        if not isinstance(raw, bytes):
            raise TypeError(f"{raw!r} are no bytes")
        return ".".join(str(int.from_bytes(raw[at : at + 2], "big")) for at in range(0, len(raw), 2))

    return Attribute(name, "6s", text, lambda text: b"".join(int(part).to_bytes(2, "big") for part in text.split(".")))


VALUES = LengthTlv(
    ">",
    {
        0x0B02: Field(Quantity.DISTANCE, "H"),
        # Centimetres.
        0x0B01: Field(Quantity.DISTANCE, "H", scale=10),
        0x0B06: Field(Quantity.FILL_LEVEL, "B"),
        0x0B07: Field(Quantity.ECHO_AMPLITUDE, "B"),
        0x0B08: Field(Quantity.WATER_LEVEL, "H"),
        0x0201: Field(Quantity.AIR_TEMPERATURE, "f", digits=2),
        0x5101: Field(Quantity.BATTERY_VOLTAGE, "B", divisor=10),
        0x5001: Field(Quantity.LATITUDE, "i", divisor=MICRODEGREES),
        0x5002: Field(Quantity.LONGITUDE, "i", divisor=MICRODEGREES),
        0x2A25: attribute.plain_text("serial_number", SERIAL_BYTES),
        0x3101: Field(Quantity.UPLINK_COUNT_TOTAL, "H"),
        0x3102: Field(Quantity.MEASUREMENT_COUNT_TOTAL, "H", "gps"),
        0x3103: Field(Quantity.MEASUREMENT_COUNT_TOTAL, "I", "ultrasonic"),
        # The catalogues name its length, not its meaning.
        0x3104: Field(Quantity.MEASUREMENT_COUNT_TOTAL, "I", "counter_3104", verified=False),
        # Answers to downlinks: what was set.
        0xF101: words("bluetooth_enabled", "B", NO_YES),
        0xF102: attribute.plain_text("device_name", NAME_BYTES),
        0xF108: attribute.plain_text("device_name_1", HALF_NAME_BYTES),
        0xF109: attribute.plain_text("device_name_2", HALF_NAME_BYTES),
        0xF201: words("gps_active", "B", NO_YES),
        0xF202: number("gps_interval_s", "I"),
        0xF203: number("gps_next_s", "I"),
        0xF301: words("message_type", "B", {0: "unconfirmed", 1: "confirmed"}),
        0xF302: number("transmissions", "B"),
        # The second byte, ff in what is published, is not explained.
        0xF303: (words("spreading_factor", "B", {255: "ADR"}), Pad(1)),
        0xF304: words("transmission_active", "B", NO_YES),
        0xF305: number("transmission_interval_s", "I"),
        0xF306: number("next_transmission_s", "I"),
        0xF307: words("downlink_configuration", "B", NO_YES),
        0xF308: words("downlink_acknowledgement", "B", NO_YES),
        0xF309: number("sub_band", "B"),
        0xF401: words("beam_width", "B", BEAMS),
        0xF402: words("burst_length", "B", BURSTS),
        0xF403: words("transmitting_power", "B", POWERS),
        0xF404: words("sensitivity", "B", SENSITIVITIES),
        0xF405: number("full_distance", "H"),
        0xF406: number("empty_distance", "H"),
        0xF407: words("sequence_active", "B", NO_YES),
        0xF408: words("evaluation_method", "B", {1: "average"}),
        0xF409: number("measurements_in_sequence", "B"),
        0xF40A: number("sequence_interval", "H"),
        0xF40B: words("application_filter_active", "B", NO_YES),
        0xF40C: words("application_filter", "B", {1: "container filling"}),
        0xF40D: number("additional_measurements", "B"),
        0xF501: number("part_number", "I"),
        0xF502: _revision("hardware_version"),
        0xF503: _revision("firmware_version"),
    },
    silent={0xF103: "counter_reset", 0xF104: "factory_reset", 0xF105: "password_change"},
)

WILSEN_SONIC = Codec(
    id="pepperl-fuchs/wilsen-sonic",
    vendor="Pepperl+Fuchs",
    model="WILSEN.sonic.level and .distance",
    family=Family.WASTE,
    source="WILSEN.sonic manual; actility/device-catalog vendors/pf/drivers/wilsen",
    ports={1: VALUES},
    any_port=VALUES,
)

CODECS = (WILSEN_SONIC,)
