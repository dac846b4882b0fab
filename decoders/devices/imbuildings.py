"""IMBuildings people counter: infrared light barrier with two counters, A and B by direction.

Source: IMBUILDINGS payload parser (IMBUILDINGS/PayloadParser, TheThingsNetwork/lorawan-devices vendor/imbuildings);
meaning of the status bits from akenza-io/device-type-library types/IMBuildings/PeopleCounter. A frame has a header of
type, variant and device id, or none and then a port of its own for each variant. Totals wrap at 65535.
"""

from decoders import attribute
from decoders.choice import by_length
from decoders.codec import Codec
from decoders.field import Const, Field, Part
from decoders.layout import Layout
from decoders.quantity import Family, Quantity

PEOPLE_COUNTER = 0x02
ID_BYTES = 8

DEVICE_STATUS = attribute.flags(
    "device_status", "B", {0: "startup", 1: "reconnect", 2: "settings changed", 3: "battery not full"}
)
SENSOR_STATUS = attribute.flags(
    "sensor_status",
    "B",
    {
        1: "infrared signal not at full strength",
        2: "sensor power up",
        5: "receiver low battery",
        6: "receiver disturbance",
        7: "infrared blocked",
    },
)


def _counter(quantity: Quantity, *, verified: bool = True) -> tuple[Field, Field]:
    return Field(quantity, "H", "a", verified=verified), Field(quantity, "H", "b", verified=verified)


def _battery(*, verified: bool = True) -> Field:
    return Field(Quantity.BATTERY_VOLTAGE, "H", divisor=100, verified=verified)


def _counts(*, verified: bool = True) -> tuple[Part, ...]:
    return (
        DEVICE_STATUS,
        _battery(verified=verified),
        *_counter(Quantity.PEOPLE_COUNT, verified=verified),
        SENSOR_STATUS,
        *_counter(Quantity.PEOPLE_COUNT_TOTAL, verified=verified),
        Field(Quantity.UPLINK_COUNT_TOTAL, "B", verified=verified),
    )


def _with_header(variant: int, *parts: Part) -> Layout:
    header = (
        Const("B", PEOPLE_COUNTER, "payload type"),
        Const("B", variant, "payload variant"),
        attribute.hexadecimal("device_id", ID_BYTES),
    )
    return Layout(">", *header, *parts)


def _totals() -> tuple[Part, ...]:
    return SENSOR_STATUS, *_counter(Quantity.PEOPLE_COUNT_TOTAL, verified=False)


def _states() -> tuple[Part, ...]:
    return DEVICE_STATUS, _battery(verified=False), SENSOR_STATUS


EARLY_COUNTS = (
    DEVICE_STATUS,
    _battery(),
    *_counter(Quantity.PEOPLE_COUNT),
    SENSOR_STATUS,
    Field(Quantity.UPLINK_COUNT_TOTAL, "B"),
)
WITH_HEADER = by_length(
    {
        "variant 6": _with_header(6, *_counts()),
        "variant 5": _with_header(5, *EARLY_COUNTS),
        "variant 7": _with_header(7, *_totals()),
        "variant 8": _with_header(8, *_states()),
    }
)

PEOPLE = Codec(
    id="imbuildings/people-counter",
    vendor="IMBuildings",
    model="People counter (payload type 2, variants 5 to 8)",
    family=Family.TRAFFIC,
    source="IMBUILDINGS/PayloadParser peoplecounter-decode.js; TheThingsNetwork/lorawan-devices vendor/imbuildings",
    ports={
        1: WITH_HEADER,
        26: Layout(">", *_counts(verified=False)),
        27: Layout(">", *_totals()),
        28: Layout(">", *_states()),
    },
    any_port=WITH_HEADER,
)

CODECS = (PEOPLE,)
