"""Landis+Gyr T550 (UH50) heat meters with a LoRaWAN module.

Source: akenza-io/device-type-library types/landisgyr/T550; EN 13757-3. A byte that names the message, then M-Bus
records. That decoder shows the error flags with a byte of their header; here they are the record's value alone.
"""

from decoders import attribute
from decoders.codec import Codec
from decoders.mbus_frame import Records, tenths, wide
from decoders.quantity import Family, Privacy, Quantity

MESSAGES = {0: "standard", 1: "compact", 2: "JSON", 3: "scheduled"}
RECORDS = Records(
    (
        wide(Quantity.ENERGY_TOTAL, "0406"),
        wide(Quantity.ENERGY_TOTAL, "4406", "storage1", verified=False),
        wide(Quantity.VOLUME_TOTAL, "0413"),
        wide(Quantity.POWER, "042b"),
        wide(Quantity.VOLUME_FLOW, "043b"),
        tenths(Quantity.FLOW_TEMPERATURE, "025a"),
        tenths(Quantity.RETURN_TEMPERATURE, "025e"),
    ),
    head=(attribute.words("message", "B", MESSAGES),),
)

T550 = Codec(
    id="landis-gyr/t550",
    vendor="Landis+Gyr",
    model="T550 (UH50) heat meter",
    family=Family.METER,
    source="akenza-io/device-type-library types/landisgyr/T550; EN 13757-3",
    ports={2: RECORDS},
    privacy=Privacy.PERSONAL,
)

CODECS = (T550,)
