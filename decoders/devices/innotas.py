"""Innotas wireless water meter module.

Source: actility/device-catalog vendors/innotas/drivers/lora-wireless-water-meter. Big-endian; the count is in cubic
metres. The reference reading is that of the due date, which the month names.
"""

from decoders import attribute
from decoders.codec import Codec
from decoders.field import Attribute, Bits, Field, Pad, Part
from decoders.layout import Layout
from decoders.quantity import Family, Privacy, Quantity

LITRES = 1000
INTERVALS = {0: "normal", 1: "1 day", 2: "7 days", 3: "14 days", **dict.fromkeys((7, 6, 5, 4), "2 min")}
SPREADING_FACTORS = range(7, 13)
HOURS = range(1, 5)


def _volume(channel: str = "", *, verified: bool = True) -> Field:
    return Field(Quantity.VOLUME_TOTAL, "I", channel, scale=LITRES, verified=verified)


def _flow(channel: str) -> Field:
    return Field(Quantity.VOLUME_FLOW, "H", channel, verified=False)


def _status(*, verified: bool) -> tuple[Part, ...]:
    def alarm(bit: int, channel: str) -> Field:
        return Field(Quantity.ALARM, str(bit), channel, verified=verified)

    return (
        Bits(
            "B",
            alarm(0, "measurement"),
            alarm(1, "tamper"),
            alarm(2, "battery"),
            alarm(3, "checksum"),
            alarm(4, "radio"),
            alarm(5, "reset"),
        ),
        Bits(
            "B",
            attribute.words("interval", "0-2", INTERVALS),
            attribute.number("status_type", "3"),
            alarm(7, "leak"),
        ),
    )


STANDSTILL = Attribute("standstill_percent", "B", lambda raw: str(int(raw) / 2), lambda text: round(float(text) * 2))

WATER_METER = Codec(
    id="innotas/water-meter",
    vendor="Innotas",
    model="LoRaWAN wireless water meter",
    family=Family.METER,
    source="actility/device-catalog vendors/innotas/drivers/lora-wireless-water-meter",
    ports={
        1: Layout(">", _volume()),
        2: Layout(">", _volume(), _volume("due_date"), *_status(verified=True), attribute.number("due_month", "B")),
        3: Layout(
            ">",
            _volume(verified=False),
            _flow("max"),
            STANDSTILL,
            attribute.number("most_starts_a_day", "H"),
            _flow("min"),
        ),
        4: Layout(">", _volume(verified=False), *(_flow(f"hour{hour}") for hour in HOURS)),
        9: Layout(
            ">",
            *(Field(Quantity.UPLINK_COUNT_TOTAL, "I", f"sf{factor}", verified=False) for factor in SPREADING_FACTORS),
        ),
        10: Layout(">", Pad(2), *_status(verified=False)),
    },
    privacy=Privacy.PERSONAL,
)

CODECS = (WATER_METER,)
