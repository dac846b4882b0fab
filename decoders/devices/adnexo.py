"""Adnexo ax-dist: distance by time of flight, for containers.

Source: akenza-io/device-type-library types/adnexo/ax-dist (decoder and its tests). f_ports 100, 101 and 102 are
regular, event and manual measurements. On 104 the distance varied too much to be one: it is dropped. That decoder reads
the code of an error from the byte of the f_port it was about; here it is the byte behind.
"""

from decoders import attribute
from decoders.codec import Codec
from decoders.field import Attribute, Field, Pad, Part, Raw
from decoders.layout import Layout
from decoders.quantity import Family, Quantity
from decoders.tlv import ChannelTlv

NONE = 0xFFFF
TENTHS = 10
NO_YES = {0: "no", 1: "yes"}
SUBJECTS = {2: "restart", 3: "configuration", 4: "query"}
ERRORS = {1: "unknown parameter", 2: "parameter cannot be set", 4: "parameter cannot be read", 8: "malformed command"}
number, words = attribute.number, attribute.words


def _state(*, verified: bool) -> tuple[Part, ...]:
    return (
        Field(Quantity.AIR_TEMPERATURE, "h", divisor=10, invalid=-0x8000, verified=verified),
        Field(Quantity.BATTERY_VOLTAGE, "H", divisor=1000, verified=verified),
    )


def _measurement(*, verified: bool = False) -> Layout:
    # Tenths of a centimetre are millimetres.
    return Layout("<", Field(Quantity.DISTANCE, "H", invalid=NONE, verified=verified), *_state(verified=verified))


def _variance() -> Attribute:
    """Tenths of a centimetre, as the device says it."""

    def text(raw: Raw) -> str:
        return "" if raw == NONE else str(int(raw) / TENTHS)

    return Attribute("measurement_variance_cm", "H", text, lambda text: round(float(text) * TENTHS))


AX_DIST = Codec(
    id="adnexo/ax-dist",
    vendor="Adnexo",
    model="ax-dist distance sensor",
    family=Family.WASTE,
    source="akenza-io/device-type-library types/adnexo/ax-dist",
    ports={
        4: ChannelTlv(
            "<",
            {
                0x04: number("measurement_interval_s", "I"),
                0x05: number("send_interval", "B"),
                0x06: number("join_interval_s", "I"),
                0x07: words("reed_active", "B", NO_YES),
                0x52: number("distance_threshold", "h"),
            },
            type_bytes=1,
        ),
        5: Layout("<", words("error_about", "B", SUBJECTS), words("error", "B", ERRORS)),
        100: _measurement(verified=True),
        101: _measurement(),
        102: _measurement(),
        104: Layout("<", Pad(2), _variance(), *_state(verified=False)),
    },
)

CODECS = (AX_DIST,)
