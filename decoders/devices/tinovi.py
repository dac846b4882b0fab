"""Tinovi PM-IO-5-SM, soil moisture with further sensors: flags say which of them follow; big-endian.

Source: TheThingsNetwork/lorawan-devices vendor/tinovi/pm-io-5-sm.js. A pressure of 15536 (65536 Pa, as the sender
counts from 50000 Pa) is no reading. Behind the sensors may stand one byte of further flags, of which bit 1 is a leaf
sensor.
"""

from collections.abc import Mapping

from decoders import attribute
from decoders.codec import Codec, CodecField
from decoders.error import WrongLength
from decoders.field import Bits, Const, Field, Given, Part
from decoders.layout import Layout
from decoders.measurement import Measurement
from decoders.quantity import Family, Quantity

SENSOR_FLAGS = 0x3F
LEAF = 0x02
HEAD_BYTES = 2


def _head(present: int) -> tuple[Part, ...]:
    """Valve, leak, and which sensors follow; the battery."""
    return (
        Bits(
            "B",
            Field(Quantity.DIGITAL_INPUT, "7", "valve"),
            Field(Quantity.WATER_LEAK, "6"),
            Const("0-5", present, "sensors"),
        ),
        Field(Quantity.BATTERY_LEVEL, "B"),
    )


def _soil(channel: str, *, verified: bool) -> tuple[Field, ...]:
    return (
        Field(Quantity.SOIL_PERMITTIVITY, "H", channel, divisor=100, verified=verified),
        # Tenths of mS/m, which are µS/cm.
        Field(Quantity.SOIL_CONDUCTIVITY, "H", channel, verified=verified),
        Field(Quantity.SOIL_TEMPERATURE, "h", channel, divisor=100, verified=verified),
        Field(Quantity.SOIL_MOISTURE, "H", channel, verified=verified),
    )


# In their order on the air, by their flag.
SENSORS: Mapping[int, tuple[Part, ...]] = {
    0x01: _soil("", verified=True),
    0x02: (
        Field(Quantity.AIR_TEMPERATURE, "h", divisor=100, verified=False),
        Field(Quantity.AIR_HUMIDITY, "H", divisor=100, verified=False),
        Field(Quantity.AIR_PRESSURE, "H", offset=50_000, divisor=100, invalid=15_536, verified=False),
    ),
    0x04: (Field(Quantity.ILLUMINANCE, "I", divisor=100, verified=False),),
    0x10: (Field(Quantity.PULSE_COUNT_TOTAL, "I", verified=False),),
    0x08: _soil("second", verified=False),
    # Its unit is not documented.
    0x20: (attribute.number("pressure", "H"),),
}
LEAF_PARTS: tuple[Part, ...] = (
    Field(Quantity.LEAF_WETNESS, "H", divisor=100, verified=False),
    Field(Quantity.EXTERNAL_TEMPERATURE, "h", "leaf", divisor=100, verified=False),
)


class Sensors:
    """Flags, battery, then those sensors whose flag is set."""

    def __init__(self) -> None:
        self._parts = {flag: Layout(">", *parts) for flag, parts in SENSORS.items()}
        self._leaf = Layout(">", *LEAF_PARTS)
        self._plain = [self._layout(present) for present in range(SENSOR_FLAGS + 1)]
        self._with_leaf = [
            self._layout(present, Const("B", LEAF, "further sensors"), *LEAF_PARTS)
            for present in range(SENSOR_FLAGS + 1)
        ]

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
        """One measurement; a byte of further flags without a sensor behind it says nothing."""
        if len(payload) < HEAD_BYTES:
            raise WrongLength(f"{len(payload)} bytes; the head alone has {HEAD_BYTES}")
        present = payload[0] & SENSOR_FLAGS
        plain = self._plain[present]
        rest = payload[plain.size :]
        if len(rest) > 1:
            return self._with_leaf[present].decode(payload, time_ms, parameters)
        if rest and rest[0] & LEAF:
            raise WrongLength("the leaf sensor's values are missing")
        return plain.decode(payload[: plain.size], time_ms, parameters)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """The frame of those sensors that the measurement has readings of."""
        given = Given(measurement)
        present = sum(flag for flag, layout in self._parts.items() if layout.carries(given))
        layouts = self._with_leaf if self._leaf.carries(given) else self._plain
        return layouts[present].encode(measurement, parameters)

    def fields(self) -> tuple[CodecField, ...]:
        """What all sensors give."""
        return self._with_leaf[SENSOR_FLAGS].fields()

    def _layout(self, present: int, *further: Part) -> Layout:
        parts = (part for flag, some in SENSORS.items() if present & flag for part in some)
        return Layout(">", *_head(present), *parts, *further)


SENSORS_FRAME = Sensors()

PM_IO_5_SM = Codec(
    id="tinovi/pm-io-5-sm",
    vendor="Tinovi",
    model="PM-IO-5-SM soil moisture, temperature, conductivity and further sensors",
    family=Family.ENVIRONMENT,
    source="TheThingsNetwork/lorawan-devices vendor/tinovi/pm-io-5-sm.js",
    ports={1: SENSORS_FRAME},
    any_port=SENSORS_FRAME,
)

CODECS = (PM_IO_5_SM,)
