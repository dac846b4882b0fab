"""Sentinum Febris CO2, humidity, pressure, dew point; big-endian, with parts by version and length.

Source: akenza-io/device-type-library types/sentinum/febrisCO2/uplink.js. Models without CO2 sensor send zeros in its
place and in that of pressure: no reading. Earlier values (seven bytes each) come without a documented layout and are
stepped over. The battery's percentage is akenza's own guess from the voltage.
"""

from collections.abc import Mapping

from decoders import attribute
from decoders.choice import Choice
from decoders.codec import Codec, CodecField, Frame
from decoders.error import WrongLength
from decoders.field import Bits, Field, Pad, Part
from decoders.layout import Layout
from decoders.measurement import Measurement
from decoders.quantity import Family, Quantity

EARLIER_AT = 13
EARLIER_BYTES = 7
HEAD: tuple[Part, ...] = (
    Bits("B", attribute.number("base_id", "4-7"), attribute.number("major_version", "0-3")),
    Bits("B", attribute.number("minor_version", "4-7"), attribute.number("product_version", "0-3")),
    attribute.number("uplink_counter", "B"),
    Field(Quantity.BATTERY_VOLTAGE, "H", divisor=1000),
    Field(Quantity.DEVICE_TEMPERATURE, "H", offset=-1000, divisor=10),
    Field(Quantity.AIR_HUMIDITY, "B"),
    Field(Quantity.AIR_PRESSURE, "H", invalid=0),
    Field(Quantity.CO2, "H", invalid=0),
    # Green, yellow, red.
    Field(Quantity.ALARM, "B", "co2", values={0: 0, 1: 1, 2: 2}),
    # The number of earlier values.
    Pad(1),
    attribute.number("earlier_period", "B"),
)
HEAD_BYTES = Layout(">", *HEAD).size


def _celsius(quantity: Quantity, channel: str = "", *, verified: bool = False) -> Field:
    return Field(quantity, "B", channel, offset=-100, invalid=0, verified=verified)


DEW_POINT = (_celsius(Quantity.DEW_POINT, verified=True),)
WALL = (
    _celsius(Quantity.SURFACE_TEMPERATURE, "wall"),
    _celsius(Quantity.SURFACE_TEMPERATURE, "thermistor"),
    Field(Quantity.AIR_HUMIDITY, "B", "wall", verified=False),
)


class Telemetry:
    """A frame of which the earlier values are left out."""

    def __init__(self, *parts: Part) -> None:
        self._layout = Layout(">", *HEAD, *parts)

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
        """The measurement of now."""
        behind = HEAD_BYTES + payload[EARLIER_AT] * EARLIER_BYTES
        return self._layout.decode(payload[:HEAD_BYTES] + payload[behind:], time_ms, parameters)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """A frame without earlier values."""
        return self._layout.encode(measurement, parameters)

    def fields(self) -> tuple[CodecField, ...]:
        """What the frame carries."""
        return self._layout.fields()


FORMS: Mapping[int, tuple[str, Frame]] = {
    len(parts): (name, Telemetry(*parts))
    for name, parts in (
        ("plain", ()),
        ("dew point", DEW_POINT),
        ("wall", WALL),
        ("dew point and wall", (*DEW_POINT, *WALL)),
    )
}


def _form(payload: bytes) -> str:
    """By what is left behind the earlier values."""
    if len(payload) < HEAD_BYTES:
        raise WrongLength(f"{len(payload)} bytes; the head alone has {HEAD_BYTES}")
    rest = len(payload) - HEAD_BYTES - payload[EARLIER_AT] * EARLIER_BYTES
    if rest not in FORMS:
        raise WrongLength(f"{rest} bytes behind the earlier values; frames have {', '.join(map(str, FORMS))}")
    return FORMS[rest][0]


FEBRIS_CO2 = Codec(
    id="sentinum/febris-co2",
    vendor="Sentinum",
    model="Febris CO2, humidity, pressure, dew point",
    family=Family.ENVIRONMENT,
    source="akenza-io/device-type-library types/sentinum/febrisCO2/uplink.js",
    ports={1: Choice(dict(FORMS.values()), _form)},
)

CODECS = (FEBRIS_CO2,)
