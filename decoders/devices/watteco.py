"""Watteco VAQAO+ (indoor climate and air quality) and Press'O (current loop, voltage, pulses).

Source: support.watteco.com (VAQA'O, Press'O, clusters 000C, 000F, 0050, 0400 to 0406, 800C); labels of batches as in
Logia556/lorawan-code-api actility/vaqa'o_plus_v4 and actility/device-catalog vendors/watteco/drivers/presso_v1.1. What
the vendor's decoder of VAQAO+ calls TVOC is by its documentation an index of indoor air quality from 0 to 500. The
voltage at a Press'O is sent in millivolts.
"""

from collections.abc import Mapping

from decoders import attribute
from decoders.codec import Codec
from decoders.devices.watteco_batch import Batch, Series
from decoders.devices.watteco_report import Report, answer, frames, power
from decoders.field import Attribute, Field, Raw
from decoders.quantity import Family, Quantity

LABEL_BITS = 3
NO_WORD = 0xFFFF
DISPOSABLE_BATTERY = 2
FIRMWARE_BYTES = 6

TEMPERATURE = Field(Quantity.AIR_TEMPERATURE, "h", divisor=100, invalid=-0x8000)
HUMIDITY = Field(Quantity.AIR_HUMIDITY, "H", divisor=100, invalid=NO_WORD)
PRESSURE = Field(Quantity.AIR_PRESSURE, "h", invalid=-0x8000)
FINE_PRESSURE = Field(Quantity.AIR_PRESSURE, "H", divisor=10, invalid=NO_WORD)
ILLUMINANCE = Field(Quantity.ILLUMINANCE, "H", invalid=NO_WORD)
PRESENCE = Field(Quantity.PRESENCE, "B")
CO2 = Field(Quantity.CO2, "H", invalid=NO_WORD)
AIR_QUALITY = Field(Quantity.AIR_QUALITY_INDEX, "H", "static", invalid=NO_WORD)

VAQAO_REPORTS: Mapping[str, Report] = {
    "violation": Report(0, 0x000F, 0x0055, 0x10, Field(Quantity.ALARM, "B", "violation")),
    "temperature": Report(0, 0x0402, 0, 0x29, TEMPERATURE),
    "humidity": Report(0, 0x0405, 0, 0x21, HUMIDITY),
    "pressure": Report(0, 0x0403, 0, 0x29, PRESSURE),
    "light": Report(0, 0x0400, 0, 0x21, ILLUMINANCE),
    "presence": Report(0, 0x0406, 0, 0x18, PRESENCE),
    "static air quality index": Report(0, 0x800C, 0, 0x21, AIR_QUALITY),
    "CO2": Report(1, 0x800C, 0, 0x21, CO2),
    "air quality index": Report(
        2, 0x800C, 0, 0x21, Field(Quantity.AIR_QUALITY_INDEX, "H", invalid=NO_WORD, verified=False)
    ),
}
VAQAO_BATCH = Batch(
    LABEL_BITS,
    {
        0: Series(PRESENCE, 1),
        1: Series(TEMPERATURE, 10),
        2: Series(HUMIDITY, 100),
        3: Series(CO2, 10),
        4: Series(AIR_QUALITY, 10),
        5: Series(ILLUMINANCE, 10),
        6: Series(FINE_PRESSURE, 10),
    },
)

CURRENT = Field(Quantity.INPUT_CURRENT, "f", digits=3, verified=False)
VOLTAGE = Field(Quantity.INPUT_VOLTAGE, "f", divisor=1000, digits=3, verified=False)
PULSES = Field(Quantity.PULSE_COUNT_TOTAL, "I")
PRESSO_REPORTS: Mapping[str, Report] = {
    "pin": Report(0, 0x000F, 0x0055, 0x10, Field(Quantity.DIGITAL_INPUT, "B")),
    "pulses": Report(0, 0x000F, 0x0402, 0x23, PULSES),
    "current": Report(0, 0x000C, 0x0055, 0x39, CURRENT),
    "voltage": Report(1, 0x000C, 0x0055, 0x39, VOLTAGE),
}
PRESSO_BATCH = Batch(
    LABEL_BITS,
    {
        0: Series(CURRENT, 0.004),
        1: Series(VOLTAGE, 1),
        2: Series(Field(Quantity.BATTERY_VOLTAGE, "H", divisor=1000), 100),
        3: Series(Field(Quantity.SUPPLY_VOLTAGE, "H", "constant", divisor=1000, verified=False), 100),
        4: Series(PULSES, 1),
    },
)


def _firmware() -> Attribute:
    """Three bytes and a build number: 3.5.2.5602."""

    def text(raw: Raw) -> str:
        if not isinstance(raw, bytes):
            raise TypeError(f"{raw!r} are no bytes")
        return ".".join(map(str, (*raw[:3], int.from_bytes(raw[3:], "big"))))

    def parse(text: str) -> bytes:
        *parts, build = (int(part) for part in text.split("."))
        return bytes(parts) + build.to_bytes(3, "big")

    return Attribute("firmware_version", f"{FIRMWARE_BYTES}s", text, parse)


VAQAO_PLUS = Codec(
    id="watteco/vaqao-plus",
    vendor="Watteco",
    model="VAQA'O+ temperature, humidity, CO2, air quality, light, presence, pressure",
    family=Family.ENVIRONMENT,
    source="support.watteco.com VAQA'O and cluster pages; actility/device-catalog vendors/watteco/drivers/batch.js",
    ports={125: frames(VAQAO_REPORTS, power(DISPOSABLE_BATTERY), VAQAO_BATCH)},
)
PRESSO = Codec(
    id="watteco/presso",
    vendor="Watteco",
    model="Press'O 4-20 mA, 0-10 V, pulses",
    family=Family.ENVIRONMENT,
    source="support.watteco.com Press'O and cluster pages; actility/device-catalog vendors/watteco/drivers/presso_v1.1",
    ports={
        125: frames(
            PRESSO_REPORTS,
            power(DISPOSABLE_BATTERY),
            PRESSO_BATCH,
            {
                "firmware": answer(0x0000, 0x0002, 0x0D, _firmware()),
                "message type": answer(
                    0x8004, 0x0000, 0x08, attribute.words("message_type", "B", {0: "unconfirmed", 1: "confirmed"})
                ),
            },
        )
    },
)

CODECS = (PRESSO, VAQAO_PLUS)
