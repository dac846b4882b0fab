"""Lobaro: pressure sensor 26D, and the ultrasonic level sensor Oskar v2 (sold by ZENNER, too).

Source: Lobaro LoRaWAN Pressure manual; Lobaro wiki, Usonic range; ZennerIoT/element-parsers lib/lobaro_pressure26d.ex
and lib/lobaro_oskar_v2.ex. Oskar sends every echo it heard: those that are wide and loud enough count, and of their
distances the median (of two in the middle their mean, rounded down). If none counts there is no distance.
"""

import struct
from collections.abc import Mapping

from decoders import attribute
from decoders.choice import by_length
from decoders.codec import Codec, CodecField
from decoders.error import WrongLength
from decoders.field import Field, Given, Pad
from decoders.layout import Layout
from decoders.measurement import Measurement, Reading
from decoders.quantity import Family, Quantity

ECHO = struct.Struct("<IHBB")
MIN_WIDTH, MIN_AMPLITUDE = 50, 100
SENT_WIDTH, SENT_AMPLITUDE = 100, 200
LARGEST_FLIGHT = 0xFFFF
# There and back, at 20 °C.
SOUND_MM_PER_US = 0.3434 / 2

PRESSURE = (
    Field(Quantity.WATER_PRESSURE, "f", digits=6, verified=False),
    Field(Quantity.WATER_TEMPERATURE, "h", divisor=100, verified=False),
)
STATE = (
    Field(Quantity.BATTERY_VOLTAGE, "H", divisor=1000, verified=False),
    Field(Quantity.AIR_TEMPERATURE, "h", divisor=10, verified=False),
)
DISTANCE = Field(Quantity.DISTANCE, "I", verified=False)


class Echoes:
    """Battery, temperature, a reserved byte, then echoes: distance, time of flight, width, amplitude."""

    __slots__ = ("_state",)

    def __init__(self) -> None:
        self._state = Layout("<", *STATE, Pad(1))

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """One measurement at the given time."""
        size = self._state.size
        if len(payload) < size or (len(payload) - size) % ECHO.size:
            raise WrongLength(f"{len(payload)} bytes; the frame has {size}, and {ECHO.size} for each echo")
        readings: list[Reading] = []
        self._state.read(payload, 0, readings, {})
        distances = sorted(
            distance
            for distance, _, width, amplitude in ECHO.iter_unpack(payload[size:])
            if width >= MIN_WIDTH and amplitude >= MIN_AMPLITUDE
        )
        if distances:
            middle = len(distances) // 2
            median = distances[middle] if len(distances) % 2 else (distances[middle - 1] + distances[middle]) // 2
            readings.append(Reading(Quantity.DISTANCE, float(median)))
        return (Measurement.of(time_ms, tuple(readings)),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """The frame with one echo of the given distance, or with none."""
        given = Given(measurement)
        payload = self._state.write(given)
        if (Quantity.DISTANCE, "") in given.values:
            distance = int(DISTANCE.write(given))
            flight = min(round(distance / SOUND_MM_PER_US), LARGEST_FLIGHT)
            payload += ECHO.pack(distance, flight, SENT_WIDTH, SENT_AMPLITUDE)
        given.refuse_rest()
        return payload

    def fields(self) -> tuple[CodecField, ...]:
        """What the frame carries."""
        return (*self._state.fields(), DISTANCE.describe())


PRESSURE_26D = Codec(
    id="lobaro/pressure-26d",
    vendor="Lobaro",
    model="Pressure sensor 26D (water level)",
    family=Family.ENVIRONMENT,
    source="Lobaro LoRaWAN Pressure manual, firmware 0.1.0",
    ports={
        1: by_length(
            {
                "pressure": Layout("<", *PRESSURE),
                "pressure and battery": Layout(
                    "<", *PRESSURE, Field(Quantity.BATTERY_VOLTAGE, "h", divisor=1000, verified=False)
                ),
            }
        )
    },
    untested=True,
)
OSKAR = Codec(
    id="lobaro/oskar-v2",
    vendor="Lobaro",
    model="Oskar v2 ultrasonic level (bins)",
    family=Family.WASTE,
    source="Lobaro wiki, Usonic range",
    ports={1: Layout("<", attribute.version("firmware_version"), *STATE), 2: Echoes()},
    untested=True,
)

CODECS = (OSKAR, PRESSURE_26D)
