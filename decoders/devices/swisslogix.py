"""Swisslogix (Ymatron, EMZ) SLX-1307: fill level sensor that sends lines of ASCII.

Source: Swisslogix DOC_1074 interface of the LoRa fill level sensor SLX-1307, V1.1, uplink telegrams; ZennerIoT/element-
parsers swisslogix_ymatron_fill-level-sensor_slx-1307. A battery line comes once a day, the others after a restart.
"""

from decoders.choice import by_prefix
from decoders.codec import Codec
from decoders.field import Field
from decoders.quantity import Family, Quantity
from decoders.text_frame import Number, TextFrame, Words

DIGITS = (4, 5)

LINES = by_prefix(
    {
        "distance": (b"C0:", TextFrame("C0:", Number(Field(Quantity.DISTANCE, "H", verified=False), DIGITS))),
        "battery": (
            b"?B:",
            TextFrame("?B:", Number(Field(Quantity.BATTERY_VOLTAGE, "H", divisor=1000, verified=False), DIGITS)),
        ),
        "device type": (b"?D:", TextFrame("?D:", Words("device_type"))),
        "interval": (b"?I:", TextFrame("?I:", Words("interval_min"))),
        "serial number": (b"?S:", TextFrame("?S:", Words("serial_number"))),
        "firmware type": (b"?T:", TextFrame("?T:", Words("firmware_type"))),
        "firmware version": (b"?V:", TextFrame("?V:", Words("firmware_version"))),
    }
)

SLX_1307 = Codec(
    id="swisslogix/slx-1307",
    vendor="Swisslogix",
    model="SLX-1307 fill level sensor",
    family=Family.WASTE,
    source="Swisslogix DOC_1074 interface of the LoRa fill level sensor SLX-1307, V1.1",
    ports={3: LINES},
    any_port=LINES,
    untested=True,
)

CODECS = (SLX_1307,)
