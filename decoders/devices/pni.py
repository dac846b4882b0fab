"""PNI PlacePod: parking sensor and, with other firmware, vehicle counter.

Source: PNI PlacePod Sensor Communications Protocol, uplink packet format; ZennerIoT/element-parsers
lib/pni_placepods.ex. A count of 80 (hexadecimal) or above is no count but says that the sensor began anew, after a
reboot or a recalibration. Parts that the protocol keeps to its vendor end what can be read.
"""

from decoders import attribute
from decoders.codec import Codec
from decoders.field import Bits, Field
from decoders.quantity import Family, Privacy, Quantity
from decoders.tlv import ChannelTlv

DONE = {0: "failed", 1: "done"}


def _occupied(*, verified: bool) -> Field:
    return Field(Quantity.OCCUPIED, "B", values={0: 0, 1: 1}, verified=verified)


def _count() -> Bits:
    """Vehicles since the sensor began, seven bits that begin anew."""
    return Bits(
        "B",
        Field(Quantity.VEHICLE_COUNT_TOTAL, "0-7", invalid=tuple(range(0x80, 0x100)), verified=False),
        attribute.words("restarted", "7", {0: "", 1: "yes"}),
    )


VALUES = ChannelTlv(
    ">",
    {
        0x0101: attribute.words("recalibration", "B", DONE),
        0x0267: Field(Quantity.DEVICE_TEMPERATURE, "h", divisor=10, verified=False),
        0x0302: Field(Quantity.BATTERY_VOLTAGE, "h", divisor=100, verified=False),
        0x1566: _occupied(verified=True),
        0x3766: _occupied(verified=True),
        0x1C01: attribute.words("deactivation", "B", DONE),
        0x2100: _count(),
        0x3700: _count(),
        0x3F01: attribute.words("reboot", "B", DONE),
    },
)

PLACEPOD = Codec(
    id="pni/placepod",
    vendor="PNI",
    model="PlacePod parking sensor and vehicle counter",
    family=Family.PARKING,
    source="PNI PlacePod Sensor Communications Protocol, uplink packet format",
    ports={2: VALUES},
    any_port=VALUES,
    privacy=Privacy.INTERNAL,
)

CODECS = (PLACEPOD,)
