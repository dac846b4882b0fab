"""Teneo IoT filling degree sensor.

Source: TheThingsNetwork/lorawan-devices vendor/teneo-iot filling-degree-sensor-codec.yaml and filling-degree-sensor.js.
A status other than zero says that there is no distance: 4 that nothing was in range, any other that the measurement
failed; the vendor's decoder then gives -1 or 0 cm. Its temperatures are unsigned, which makes -1 °C to 654 °C; here
they are signed. Frames on f_port 3 come while the battery is being charged.
"""

from decoders.choice import Choice
from decoders.codec import Codec
from decoders.error import WrongLength
from decoders.field import Const, Field, Pad, Part
from decoders.layout import Layout
from decoders.quantity import Family, Quantity

STATUS_AT = 3
CODES = {code: code for code in range(1, 0x100)}


def _battery(*, verified: bool = True) -> Field:
    """2 V and tenths."""
    return Field(Quantity.BATTERY_VOLTAGE, "B", offset=20, divisor=10, verified=verified)


# Centimetres; what failed is 0.
DISTANCE = Field(Quantity.DISTANCE, "H", scale=10, invalid=0)
MEASURED: tuple[Part, ...] = (_battery(), DISTANCE)
GOOD: tuple[Part, ...] = (*MEASURED, Const("B", 0, "status"))
FAILED: tuple[Part, ...] = (_battery(), Pad(2), Field(Quantity.HARDWARE_STATUS, "B", values=CODES))
CLIMATE: tuple[Part, ...] = (
    Field(Quantity.AIR_TEMPERATURE, "h", divisor=100, verified=False),
    Field(Quantity.AIR_HUMIDITY, "H", divisor=100, verified=False),
)
FORMS = {
    "distance": Layout(">", *MEASURED),
    "distance, status": Layout(">", *GOOD),
    "no distance": Layout(">", *FAILED),
    "distance, climate": Layout(">", *MEASURED, *CLIMATE),
    "distance, status, climate": Layout(">", *GOOD, *CLIMATE),
    "no distance, climate": Layout(">", *FAILED, *CLIMATE),
}
WITHOUT_STATUS = {3: "distance", 7: "distance, climate"}
WITH_STATUS = {4: ("distance, status", "no distance"), 8: ("distance, status, climate", "no distance, climate")}


def _select(payload: bytes) -> str:
    size = len(payload)
    if size in WITHOUT_STATUS:
        return WITHOUT_STATUS[size]
    if size not in WITH_STATUS:
        raise WrongLength(f"{size} bytes; frames have 3, 4, 7 or 8")
    good, failed = WITH_STATUS[size]
    return failed if payload[STATUS_AT] else good


FILLING_DEGREE = Codec(
    id="teneo/filling-degree",
    vendor="Teneo IoT",
    model="Filling degree sensor",
    family=Family.WASTE,
    source="TheThingsNetwork/lorawan-devices vendor/teneo-iot/filling-degree-sensor-codec.yaml",
    ports={
        1: Choice(FORMS, _select),
        2: Layout(">", _battery(verified=False), Field(Quantity.HARDWARE_STATUS, "B", invalid=0, verified=False)),
        3: Layout(">", _battery(verified=False)),
    },
)

CODECS = (FILLING_DEGREE,)
