"""The service's own canary: a device of no radio, whose uplinks prove that the whole chain works.

No vendor's model, and so not in the catalogue. Source: this file; f_port 1 holds the number of the uplink, big-endian.
"""

from decoders.codec import Codec
from decoders.field import Field
from decoders.layout import Layout
from decoders.quantity import Family, Privacy, Quantity

DEV_EUI = "025354464bffffff"
"""The last of the reserved range, which no simulated device has."""
F_PORT = 1
CODEC = Codec(
    id="stadtfunk/canary",
    vendor="Stadtfunk",
    model="Canary",
    family=Family.METER,
    source="decoders/devices/canary.py",
    ports={F_PORT: Layout(">", Field(Quantity.UPLINK_COUNT_TOTAL, "I"))},
    privacy=Privacy.INTERNAL,
)
