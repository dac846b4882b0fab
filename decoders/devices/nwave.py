"""Nwave parking sensors of the fourth and third generation, and the car counter at entries.

Source: Nwave G4 payload description; TheThingsNetwork/lorawan-devices vendor/nwave nps405-codec.yaml,
nps310sm-codec.yaml and ncc405-codec.yaml. The decoder of the NPS405 counts the occupied bit into the hardware status;
here it is bits 7..1 alone. The battery voltage is unsigned. The car counter starts at zero with every startup frame.
"""

from decoders import attribute
from decoders.choice import by_length
from decoders.codec import Codec
from decoders.field import Bits, Field, Pad
from decoders.layout import Layout
from decoders.quantity import Family, Privacy, Quantity

OVERFLOW = 127
TAG_BYTES = 4
CAUSES = {0: "rejoin", 1: "watchdog", 2: "power on", 3: "user request", 6: "brownout", 7: "other"}
CAUSES_G3 = {1: "watchdog", 2: "power on", 3: "user request", 4: "brownout", 5: "other"}

# Minutes that the state before lasted: exact below 90, then in steps of 5, then of 60, rounded down. 127 says 660 or
# more, which is no measured value: it gives no reading, and is sent where none is given.
DURATIONS = {
    **{code: code for code in range(90)},
    **{code: 90 + (code - 90) * 5 for code in range(90, 120)},
    **{code: 240 + (code - 120) * 60 for code in range(120, OVERFLOW)},
}


def _state(*, verified: bool = True) -> Bits:
    return Bits(
        "B",
        Field(Quantity.OCCUPIED, "0", verified=verified),
        Field(Quantity.STATE_DURATION, "1-7", values=DURATIONS, invalid=OVERFLOW, verified=verified),
    )


def _voltage(channel: str = "") -> Field:
    """(2500 + 4 · x) mV."""
    return Field(Quantity.BATTERY_VOLTAGE, "B", channel, offset=625, divisor=250, verified=False)


def _temperature(channel: str = "") -> Field:
    """Half degrees above 10 °C."""
    return Field(Quantity.DEVICE_TEMPERATURE, "b", channel, offset=20, divisor=2, verified=False)


HEARTBEAT = (
    Bits(
        "B",
        Field(Quantity.OCCUPIED, "0", verified=False),
        # Zero says that nothing is wrong: no reading.
        Field(Quantity.HARDWARE_STATUS, "1-7", invalid=0, verified=False),
    ),
    _voltage(),
    _temperature(),
)
EXTREMES = (
    _temperature("min"),
    _temperature("max"),
    Field(Quantity.SUPPLY_CURRENT, "B", scale=10, verified=False),
)
# A driver's tag id is personal data: stepped over, never kept.
TAG = Pad(TAG_BYTES)
TAG_BATTERY = Field(Quantity.BATTERY_VOLTAGE, "B", "tag", divisor=10)

NPS405 = Codec(
    id="nwave/nps405",
    vendor="Nwave",
    model="NPS405 parking sensor (G4)",
    family=Family.PARKING,
    source="Nwave G4 payload description; TheThingsNetwork/lorawan-devices vendor/nwave/nps405-codec.yaml",
    ports={
        1: Layout(">", _state()),
        2: by_length(
            {
                "short heartbeat": Layout(">", *HEARTBEAT),
                "heartbeat": Layout(">", *HEARTBEAT, *EXTREMES),
            }
        ),
        3: Layout(
            ">",
            attribute.version("firmware_version"),
            attribute.words("reset_cause", "B", CAUSES),
            Bits("B", Field(Quantity.OCCUPIED, "0")),
        ),
        10: by_length(
            {
                "registration with tag battery": Layout(">", _state(), TAG_BATTERY, TAG),
                "registration": Layout(">", _state(verified=False), TAG),
            }
        ),
    },
    privacy=Privacy.INTERNAL,
)

NPS310SM = Codec(
    id="nwave/nps310sm",
    vendor="Nwave",
    model="NPS310SM parking sensor (G3)",
    family=Family.PARKING,
    source="TheThingsNetwork/lorawan-devices vendor/nwave/nps310sm-codec.yaml",
    ports={
        1: Layout(">", Bits("B", Field(Quantity.OCCUPIED, "0"))),
        2: Layout(">", Bits("B", Field(Quantity.OCCUPIED, "0", verified=False))),
        3: Layout(
            ">",
            attribute.version("firmware_version"),
            attribute.words("reset_cause", "B", CAUSES_G3),
            Bits("B", Field(Quantity.OCCUPIED, "0")),
        ),
    },
    privacy=Privacy.INTERNAL,
)
NCC405 = Codec(
    id="nwave/ncc405",
    vendor="Nwave",
    model="NCC405 car counter (G4)",
    family=Family.PARKING,
    source="TheThingsNetwork/lorawan-devices vendor/nwave/ncc405-codec.yaml",
    ports={
        1: Layout(">", Field(Quantity.VEHICLE_COUNT_TOTAL, "H", verified=False)),
        2: Layout(
            ">",
            Bits("B", Field(Quantity.HARDWARE_STATUS, "0-6", invalid=0, verified=False)),
            _voltage(),
            _voltage("mean_24h"),
        ),
        3: Layout(">", attribute.version("firmware_version"), attribute.words("reset_cause", "B", CAUSES)),
    },
)

CODECS = (NCC405, NPS310SM, NPS405)
