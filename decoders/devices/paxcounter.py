"""ESP32 Paxcounter: open firmware that counts radio devices (wifi, Bluetooth) around it; payload format "packed".

Source: cyberman54/ESP32-Paxcounter docs/payloadformat.md and src/TTN/packed_decoder.js; vectors of
TheThingsNetwork/lorawan-devices vendor/opensource. Little-endian, but for the air temperature. Only counts come, never
an address; even those are counts of people's phones, and so personal. The number of a beacon that someone carries is
dropped.
"""

from decoders import attribute
from decoders.choice import by_length
from decoders.codec import Codec
from decoders.field import Field, Pad
from decoders.layout import Layout
from decoders.quantity import Family, Privacy, Quantity

MICRODEGREES = 1_000_000
VERSION_BYTES = 10


def _seen(channel: str, *, verified: bool = True) -> Field:
    return Field(Quantity.RADIO_DEVICE_COUNT, "H", channel, verified=verified)


def _position(*, verified: bool = True) -> tuple[Field, ...]:
    return (
        Field(Quantity.LATITUDE, "i", divisor=MICRODEGREES, verified=verified),
        Field(Quantity.LONGITUDE, "i", divisor=MICRODEGREES, verified=verified),
        Field(Quantity.SATELLITE_COUNT, "B", verified=verified),
        Field(Quantity.DILUTION_OF_PRECISION, "H", divisor=100, verified=verified),
        Field(Quantity.ALTITUDE, "h", verified=verified),
    )


# Zero where the board has no battery probe.
BATTERY = Field(Quantity.BATTERY_VOLTAGE, "H", divisor=1000, invalid=0)
number = attribute.number

COUNTS = by_length(
    {
        "wifi and Bluetooth": Layout("<", _seen("wifi"), _seen("ble")),
        "wifi": Layout("<", _seen("wifi")),
        "wifi and position": Layout("<", _seen("wifi"), *_position(verified=False)),
        "wifi, Bluetooth and position": Layout("<", _seen("wifi"), _seen("ble"), *_position(verified=False)),
    }
)
STATUS = Layout(
    "<",
    BATTERY,
    # Eight bytes on the air; a device does not run the 136 years that the lower four can count.
    Field(Quantity.UPTIME, "I", verified=False),
    Pad(4),
    Field(Quantity.DEVICE_TEMPERATURE, "B"),
    number("free_memory", "I"),
    number("reset_cause", "B"),
    number("restarts", "I"),
)
CONFIGURATION = Layout(
    "<",
    number("data_rate", "B"),
    number("transmitting_power", "B"),
    number("rssi_limit", "h"),
    number("send_cycle", "B"),
    number("wifi_channel_cycle", "B"),
    number("ble_scan_time", "B"),
    number("led_luminosity", "B"),
    attribute.flags(
        "flags",
        "B",
        {
            0: "alarm",
            1: "filter",
            2: "antenna",
            3: "Bluetooth scan",
            4: "counter mode",
            5: "screen",
            6: "screen saver",
            7: "ADR",
        },
    ),
    attribute.flags(
        "payload_mask",
        "B",
        {
            0: "battery",
            1: "sensor 3",
            2: "sensor 2",
            3: "sensor 1",
            4: "counter",
            5: "environment",
            6: "alarm",
            7: "position",
        },
    ),
    attribute.plain_text("firmware_version", VERSION_BYTES),
)
# Big-endian, so that the temperature is; the others say that they are not.
ENVIRONMENT = Layout(
    ">",
    Field(Quantity.AIR_TEMPERATURE, "h", divisor=100),
    Field(Quantity.AIR_PRESSURE, "u16le", divisor=10),
    Field(Quantity.AIR_HUMIDITY, "u16le", divisor=100),
    Field(Quantity.AIR_QUALITY_INDEX, "u16le", divisor=100),
)

PAXCOUNTER = Codec(
    id="opensource/esp32-paxcounter",
    vendor="ESP32 Paxcounter",
    model="ESP32 Paxcounter (payload format packed)",
    family=Family.TRAFFIC,
    source="cyberman54/ESP32-Paxcounter docs/payloadformat.md, src/TTN/packed_decoder.js",
    ports={
        1: COUNTS,
        2: STATUS,
        3: CONFIGURATION,
        4: Layout("<", *_position()),
        5: Layout("<", Field(Quantity.DIGITAL_INPUT, "B", verified=False)),
        6: Layout("<", number("beacon_rssi", "b"), Pad(1)),
        7: ENVIRONMENT,
        8: Layout("<", BATTERY),
        9: Layout("<", number("time_request", "B")),
        10: Layout("<", _seen("exposure_notification")),
    },
    privacy=Privacy.PERSONAL,
)

CODECS = (PAXCOUNTER,)
