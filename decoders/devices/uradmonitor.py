"""uRADMonitor A3 and Industrial, air quality stations.

Source: payload tables in TheThingsNetwork/lorawan-devices vendor/uradmonitor (a3.js, industrial.js). Signed numbers are
sign and magnitude, not two's complement. The port is set in the device. A position, altitude or speed of zero is what
a station without GPS receiver sends: no reading. The vendor's air quality index is computed by its decoder; the device
sends none.
"""

from collections.abc import Mapping
from math import isfinite

from decoders import attribute
from decoders.codec import Codec, CodecField
from decoders.error import EncodeError, WrongLength
from decoders.field import Curve, Field, Given, Pad, Part
from decoders.layout import Layout
from decoders.measurement import NO_ATTRIBUTES, Measurement, Reading
from decoders.quantity import Family, Quantity

ID_BYTES = 4
GAS_BYTES = 4
GAS_SLOTS = 4
LARGEST_DELTA = 0xFF
# Ranges in which any three values can be sent, since PM1 and PM10 are sent as distances of at most 255 from PM2.5.
PARTICLE_RANGES = ((Quantity.PM1, 0.0, 100.0), (Quantity.PM2_5, 100.0, 200.0), (Quantity.PM10, 200.0, 300.0))
FORMS: Mapping[str, tuple[int, ...]] = {"O3, SO2, NO2, CO": (0x2A, 0x2B, 0x2C, 0x04), "H2S, NH3, Cl2": (3, 2, 0x31)}


def _signed(bits: int, divisor: int) -> Curve:
    """Sign and magnitude. Zero is sent with the sign set, since without it stands for "none" where a frame has that."""
    sign = 1 << bits - 1
    most = (sign - 1) / divisor

    def value(raw: int) -> float:
        magnitude = (raw & sign - 1) / divisor
        return -magnitude if raw & sign and magnitude else magnitude

    def raw(value: float) -> int:
        magnitude = round(abs(value) * divisor)
        return magnitude if value > 0 and magnitude else magnitude | sign

    return Curve(value, raw, low=-most, high=most, step=1 / divisor)


def _gas(quantity: Quantity, *, verified: bool = True) -> Layout:
    """A concentration in thousandths of ppm."""
    return Layout(">", Field(quantity, "u24", curve=_signed(24, 1), verified=verified))


HEAD: tuple[Part, ...] = (
    attribute.hexadecimal("serial_number", ID_BYTES),
    attribute.number("hardware_version", "B"),
    attribute.number("firmware_version", "B"),
    Field(Quantity.UPTIME, "I", verified=False),
)
CLIMATE: tuple[Part, ...] = (
    Field(Quantity.AIR_TEMPERATURE, "H", curve=_signed(16, 100)),
    # 65535 Pa below the pressure.
    Field(Quantity.AIR_PRESSURE, "H", offset=65_535, divisor=100),
    Field(Quantity.AIR_HUMIDITY, "B", divisor=2),
    Field(Quantity.GAS_RESISTANCE, "u24"),
    Field(Quantity.SOUND_LEVEL_AVERAGE, "B", divisor=2),
)
POSITION: tuple[Part, ...] = (
    Field(Quantity.LATITUDE, "u24", curve=_signed(24, 10_000), invalid=0, verified=False),
    Field(Quantity.LONGITUDE, "u24", curve=_signed(24, 10_000), invalid=0, verified=False),
    Field(Quantity.ALTITUDE, "H", curve=_signed(16, 1), invalid=0, verified=False),
    Field(Quantity.SPEED, "H", divisor=10, invalid=0, verified=False),
)
CHECKSUM = Pad(1)
GASES: Mapping[int, Layout] = {
    0x2A: _gas(Quantity.O3),
    0x2B: _gas(Quantity.SO2),
    0x2C: _gas(Quantity.NO2),
    0x04: _gas(Quantity.CO),
    0x03: _gas(Quantity.H2S, verified=False),
    0x02: _gas(Quantity.NH3, verified=False),
    0x31: _gas(Quantity.CL2, verified=False),
}
PARTICLES = Layout(
    ">",
    # PM2.5 - PM1, PM2.5, PM10 - PM2.5.
    Field(Quantity.PM1, "B"),
    Field(Quantity.PM2_5, "H"),
    Field(Quantity.PM10, "B"),
    CHECKSUM,
)
A3_FRAME = Layout(
    ">",
    *HEAD,
    *CLIMATE,
    Field(Quantity.CO2, "H"),
    Field(Quantity.HCHO, "H"),
    Field(Quantity.O3, "H"),
    Field(Quantity.PM1, "H"),
    Field(Quantity.PM2_5, "H"),
    Field(Quantity.PM10, "H"),
    CHECKSUM,
)


class IndustrialFrame:
    """Climate, four gases of which each names itself, particles. A slot with an unknown gas gives no reading."""

    def __init__(self) -> None:
        self._climate = Layout(">", *HEAD, *POSITION, *CLIMATE)
        self._particles_at = self._climate.size + GAS_SLOTS * GAS_BYTES
        self._size = self._particles_at + PARTICLES.size

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """One measurement; of two slots with the same gas the first."""
        if len(payload) != self._size:
            raise WrongLength(f"{len(payload)} bytes; the frame has {self._size}")
        readings: list[Reading] = []
        attributes: dict[str, str] = {}
        self._climate.read(payload, 0, readings, attributes)
        seen = set()
        for at in range(self._climate.size, self._particles_at, GAS_BYTES):
            gas = payload[at]
            if gas in GASES and gas not in seen:
                GASES[gas].read(payload, at + 1, readings, attributes)
                seen.add(gas)
        deltas: list[Reading] = []
        PARTICLES.read(payload, self._particles_at, deltas, attributes)
        readings += _undo(deltas)
        return (Measurement.of(time_ms, tuple(readings), attributes or NO_ATTRIBUTES),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """The frame; slots without gas are zero."""
        given = Given(measurement)
        payload = self._climate.write(given)
        slots = [bytes((gas,)) + layout.write(given) for gas, layout in GASES.items() if layout.carries(given)]
        if len(slots) > GAS_SLOTS:
            raise EncodeError(f"{len(slots)} gases; the frame has {GAS_SLOTS} places")
        payload += b"".join(slots).ljust(GAS_SLOTS * GAS_BYTES, b"\0")
        _take_deltas(given)
        payload += PARTICLES.write(given)
        given.refuse_rest()
        return payload

    def fields(self) -> tuple[CodecField, ...]:
        """What fits into one frame, once for each choice of gases."""
        return tuple(
            item._replace(frame=form)
            for form, gases in FORMS.items()
            for item in (
                *self._climate.fields(),
                *(item for gas in gases for item in GASES[gas].fields()),
                *(
                    CodecField(quantity, "", verified=True, low=low, high=high, step=1.0)
                    for quantity, low, high in PARTICLE_RANGES
                ),
            )
        )


def _undo(deltas: list[Reading]) -> list[Reading]:
    """Concentrations from PM2.5 and the distances from it."""
    below, middle, above = deltas
    return [
        below._replace(value=middle.value - below.value),
        middle,
        above._replace(value=middle.value + above.value),
    ]


def _take_deltas(given: Given) -> None:
    """Put distances in the place of PM1 and PM10."""
    middle = given.values.get((Quantity.PM2_5, ""))
    for quantity, sign in ((Quantity.PM1, -1), (Quantity.PM10, 1)):
        value = given.values.get((quantity, ""))
        if middle is None or value is None:
            raise EncodeError("pm1, pm2_5 and pm10 are needed together")
        if not (isfinite(middle) and isfinite(value)):
            raise EncodeError(f"{quantity.field} = {value} and pm2_5 = {middle} must be numbers")
        distance = sign * (round(value) - round(middle))
        if not 0 <= distance <= LARGEST_DELTA:
            raise EncodeError(f"{quantity.field} = {value} is not within 255 of pm2_5 = {middle}, on its side")
        given.values[quantity, ""] = distance


INDUSTRIAL_FRAME = IndustrialFrame()

A3 = Codec(
    id="uradmonitor/a3",
    vendor="uRADMonitor",
    model="A3 air quality station (hardware 108)",
    family=Family.ENVIRONMENT,
    source="TheThingsNetwork/lorawan-devices vendor/uradmonitor/a3.js",
    ports={1: A3_FRAME},
    any_port=A3_FRAME,
)
INDUSTRIAL = Codec(
    id="uradmonitor/industrial",
    vendor="uRADMonitor",
    model="Industrial air quality station",
    family=Family.ENVIRONMENT,
    source="TheThingsNetwork/lorawan-devices vendor/uradmonitor/industrial.js",
    ports={1: INDUSTRIAL_FRAME},
    any_port=INDUSTRIAL_FRAME,
)

CODECS = (A3, INDUSTRIAL)
