"""Decentlab DL-*: big-endian words in groups, a flag word says which groups are present.

Source: Decentlab data sheets ("payload format") and decentlab-decoders; vectors of chirpstack-device-profiles.
"""

from collections.abc import Mapping

from decoders import attribute
from decoders.codec import Codec, CodecField
from decoders.error import MalformedPayload, WrongLength
from decoders.field import Const, Field, Given, Part
from decoders.layout import Layout
from decoders.measurement import Measurement
from decoders.quantity import Family, Quantity

PROTOCOL_VERSION = 2
HEADER_BYTES = 5
FLAGS_AT = 3
Group = tuple[Part, ...]


class Groups:
    """Version 2, device id, flags; then the groups whose bit is set, in their order.

    Raises MalformedPayload for flags beyond the model's groups, WrongLength unless all flagged groups are there.
    """

    def __init__(self, *groups: Group) -> None:
        self._groups = tuple(Layout(">", *group) for group in groups)
        self._layouts = {flags: _layout(flags, groups) for flags in range(1 << len(groups))}

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
        """One measurement with the readings of all present groups."""
        if len(payload) < HEADER_BYTES:
            raise WrongLength(f"{len(payload)} bytes; the header alone has {HEADER_BYTES}")
        flags = int.from_bytes(payload[FLAGS_AT:HEADER_BYTES], "big")
        layout = self._layouts.get(flags)
        if layout is None:
            raise MalformedPayload(f"flags {flags:#06x}; the model has {len(self._groups)} groups")
        return layout.decode(payload, time_ms, parameters)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """The frame of those groups that the measurement has readings for."""
        given = Given(measurement)
        present = (1 << number for number, group in enumerate(self._groups) if group.carries(given))
        return self._layouts[sum(present)].encode(measurement, parameters)

    def fields(self) -> tuple[CodecField, ...]:
        """What all groups carry."""
        return tuple(field for group in self._groups for field in group.fields())


def _layout(flags: int, groups: tuple[Group, ...]) -> Layout:
    present = (part for number, group in enumerate(groups) if flags >> number & 1 for part in group)
    header = (
        Const("B", PROTOCOL_VERSION, "protocol version"),
        attribute.number("device_id", "H"),
        Const("H", flags, "flags"),
    )
    return Layout(">", *header, *present)


# Sensirion's formulas T = 175.72 · x / 2^16 - 46.85 °C and RH = 125 · x / 2^16 - 6 %.
TEMPERATURE = Field(Quantity.AIR_TEMPERATURE, "H", scale=175.72, offset=-46.85 * 65536, divisor=65536)
HUMIDITY = Field(Quantity.AIR_HUMIDITY, "H", scale=125, offset=-6 * 65536, divisor=65536)
# x · 2 Pa, in hPa.
PRESSURE = Field(Quantity.AIR_PRESSURE, "H", divisor=50)
PARTICLES = (
    Field(Quantity.PM1, "H", divisor=10),
    Field(Quantity.PM2_5, "H", divisor=10),
    Field(Quantity.PM4, "H", divisor=10),
    Field(Quantity.PM10, "H", divisor=10),
    Field(Quantity.PARTICLE_SIZE, "H"),
    *(
        Field(Quantity.PARTICLE_CONCENTRATION, "H", size, divisor=10)
        for size in ("pm0_5", "pm1", "pm2_5", "pm4", "pm10")
    ),
)

DL_PM = Codec(
    id="decentlab/dl-pm",
    vendor="Decentlab",
    model="DL-PM particulate matter, temperature, humidity, pressure",
    family=Family.ENVIRONMENT,
    source="Decentlab DL-PM data sheet, payload format version 2; decentlab-decoders DL-PM",
    ports={
        1: Groups(
            (Field(Quantity.BATTERY_VOLTAGE, "H", divisor=1000),), PARTICLES, (TEMPERATURE, HUMIDITY), (PRESSURE,)
        )
    },
)
