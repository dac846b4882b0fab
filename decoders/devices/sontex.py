"""Sontex Supercal 5 heat meter with a LoRaWAN module: M-Bus records alone.

Source: actility/device-catalog vendors/sontex/drivers/sc5; EN 13757-3. That driver stops before the flow, and so loses
the records behind it. Storage 20 is the reading of the last due date.
"""

from decoders.codec import Codec
from decoders.mbus_frame import Records, tenths, wide
from decoders.quantity import Family, Privacy, Quantity

RECORDS = Records(
    (
        wide(Quantity.ENERGY_TOTAL, "0406"),
        wide(Quantity.ENERGY_TOTAL, "841006", "tariff1"),
        wide(Quantity.ENERGY_TOTAL, "842006", "tariff2", verified=False),
        wide(Quantity.ENERGY_TOTAL, "840a06", "storage20", verified=False),
        wide(Quantity.ENERGY_TOTAL, "841a06", "storage20_tariff1", verified=False),
        wide(Quantity.VOLUME_TOTAL, "0413"),
        wide(Quantity.VOLUME_TOTAL, "840a13", "storage20", verified=False),
        wide(Quantity.POWER, "042b", verified=False),
        wide(Quantity.VOLUME_FLOW, "043b", verified=False),
        tenths(Quantity.FLOW_TEMPERATURE, "025a"),
        tenths(Quantity.RETURN_TEMPERATURE, "025e"),
    )
)

SUPERCAL_5 = Codec(
    id="sontex/supercal-5",
    vendor="Sontex",
    model="Supercal 5 heat meter",
    family=Family.METER,
    source="actility/device-catalog vendors/sontex/drivers/sc5; EN 13757-3",
    ports={2: RECORDS},
    privacy=Privacy.PERSONAL,
)

CODECS = (SUPERCAL_5,)
