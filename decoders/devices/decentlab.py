"""Decentlab DL-*: big-endian words in groups, a flag word says which groups are present. Here the air monitors.

Source: Decentlab data sheets ("payload format") and decentlab-decoders; vectors of chirpstack-device-profiles.
Numbers below zero are sent 32768 higher; the raw word 0 would be far out of every sensor's range and is what a missing
sensor sends: no reading.
"""

from collections.abc import Mapping
from dataclasses import replace

from decoders import attribute
from decoders.codec import Codec, CodecField, Decode, Frame, Parameter
from decoders.columns import compile_decode
from decoders.error import MalformedPayload, WrongLength
from decoders.field import Const, Curve, Field, Given, Pad, Part
from decoders.layout import Layout
from decoders.measurement import Measurement
from decoders.quantity import Family, Quantity

PROTOCOL_VERSION = 2
HEADER_BYTES = 5
FLAGS_AT = 3
CENTRE = 0x8000
WORD_BITS = 16
WORD = 0xFFFF
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

    def reader(self) -> Decode:
        """What `decode` does, as a function; frames with all groups are the usual ones."""
        return compile_decode(self._layouts[max(self._layouts)].forms, self.decode)

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


def model(name: str, title: str, frame: Frame, parameters: tuple[Parameter, ...] = ()) -> Codec:
    """The codec of a model of this line."""
    return Codec(
        id=f"decentlab/{name.lower()}",
        vendor="Decentlab",
        model=f"{name} {title}",
        family=Family.ENVIRONMENT,
        source=f"Decentlab {name} data sheet, payload format version 2; decentlab-decoders {name}",
        ports={1: frame},
        parameters=parameters,
    )


def centred(quantity: Quantity, channel: str = "", *, scale: float = 1, divisor: float = 1) -> Field:
    """A number sent 32768 higher than it is."""
    return Field(quantity, "H", channel, scale=scale, offset=-CENTRE * scale, divisor=divisor, invalid=0)


def unverified(*parts: Part) -> Group:
    """The same parts, where no published vector carries them."""
    return tuple(replace(part, verified=False) if isinstance(part, Field) else part for part in parts)


BATTERY: Group = (Field(Quantity.BATTERY_VOLTAGE, "H", divisor=1000),)
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

# Of newer Sensirion sensors: T = 175 · x / 65535 - 45 °C and RH = 100 · x / 65535 %.
FINE_TEMPERATURE = Field(Quantity.AIR_TEMPERATURE, "H", scale=175, offset=-45 * WORD, divisor=WORD)
FINE_HUMIDITY = Field(Quantity.AIR_HUMIDITY, "H", scale=100, divisor=WORD)
LUX_PER_COUNT = 1.5504
# Counts for each one of infrared where both formulas give the same: 0.41 · both = 0.78 · infrared.
SECOND_FORMULA_FROM = 0.59 * 0.78 / 0.41 - 0.86
# Of the last decimal that an illuminance is read with.
HALF_DIGIT = 0.5e-5
CO2_STATUS = attribute.number("co2_sensor_status", "H")
INFRARED = Pad(2)


def _lux(raw: int) -> float:
    """Illuminance from the counts of visible and infrared light together, and of infrared alone."""
    both, infrared = raw >> WORD_BITS, raw & WORD
    counts = max(both - 1.64 * infrared, 0.59 * both - 0.86 * infrared, 0)
    return round(counts * LUX_PER_COUNT, 5)


def _light(lux: float) -> int:
    """The counts whose illuminance is nearest; those with the least infrared where the formula is the same."""
    counts = lux / LUX_PER_COUNT
    plain = round(counts) << WORD_BITS
    if counts <= WORD and abs(_lux(plain) - lux) < HALF_DIGIT:
        return plain
    # The first formula repeats after 25 counts of infrared, the second after 59; it begins where the two are equal.
    begin = int(counts / SECOND_FORMULA_FROM)
    near = [((counts + 1.64 * infrared), infrared) for infrared in range(25)]
    near += [((counts + 0.86 * infrared) / 0.59, infrared) for infrared in range(begin, begin + 61)]
    pairs = [(round(both), infrared) for both, infrared in near]
    raws = [both << WORD_BITS | infrared for both, infrared in pairs if both <= WORD and infrared <= WORD]
    return min(raws, key=lambda raw: abs(_lux(raw) - lux))


ILLUMINANCE = Field(
    Quantity.ILLUMINANCE, "I", curve=Curve(_lux, _light, low=0, high=WORD * LUX_PER_COUNT, step=LUX_PER_COUNT)
)

DL_PM = model(
    "DL-PM",
    "particulate matter, temperature, humidity, pressure",
    Groups(BATTERY, PARTICLES, (TEMPERATURE, HUMIDITY), (PRESSURE,)),
)
DL_IAM = model(
    "DL-IAM",
    "indoor ambience: temperature, humidity, pressure, light, CO2, motion, TVOC",
    Groups(
        BATTERY,
        (FINE_TEMPERATURE, FINE_HUMIDITY),
        (PRESSURE,),
        (ILLUMINANCE,),
        (*unverified(centred(Quantity.CO2)), CO2_STATUS, INFRARED),
        (Field(Quantity.MOTION_COUNT, "H"),),
        (Field(Quantity.TVOC, "H"),),
    ),
)
DL_LP8P = model(
    "DL-LP8P",
    "CO2, temperature, humidity, pressure",
    Groups(
        (TEMPERATURE, HUMIDITY),
        (Field(Quantity.DEVICE_TEMPERATURE, "H", "barometer", offset=-5000, divisor=100), PRESSURE),
        (
            *unverified(
                centred(Quantity.CO2),
                centred(Quantity.CO2, "filtered"),
                centred(Quantity.DEVICE_TEMPERATURE, "co2_sensor", divisor=100),
                Field(Quantity.SUPPLY_VOLTAGE, "H", "capacitor1", divisor=1000),
                Field(Quantity.SUPPLY_VOLTAGE, "H", "capacitor2", divisor=1000),
            ),
            CO2_STATUS,
            INFRARED,
            INFRARED,
        ),
        BATTERY,
    ),
)

CODECS = (DL_IAM, DL_LP8P, DL_PM)
