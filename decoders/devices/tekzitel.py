"""Tekzitel TekziPark: parking sensor with magnetometer, radar and Bluetooth receiver.

Source: TheThingsNetwork/lorawan-devices vendor/tekzitel tekzipark-codec.yaml and tekzipark.js. The numbers of Bluetooth
beacons in range, which permit holders carry, are personal data: dropped, and with them how strongly they came in.
"""

from decoders import attribute
from decoders.codec import Codec
from decoders.field import Bits, Field, Part
from decoders.layout import Layout
from decoders.leading import Leading
from decoders.quantity import Family, Privacy, Quantity

# Nothing, or a signal strength and two bytes for each beacon.
BEACONS = (0, *range(1, 242, 2))
NO_YES = {0: "no", 1: "yes"}


def _status(*, verified: bool) -> tuple[Part, ...]:
    return (
        Bits(
            "B",
            Field(Quantity.OCCUPIED, "7", verified=verified),
            # The bit says that the battery is good.
            Field(Quantity.ALARM, "5", "battery", values={0: 1, 1: 0}, verified=verified),
            Field(Quantity.ALARM, "4", "obstruction", verified=verified),
            attribute.words("keep_alive", "0", NO_YES),
            attribute.words("reset", "1", NO_YES),
            attribute.words("no_beacon", "2", NO_YES),
            attribute.words("radar_used", "3", NO_YES),
        ),
        Field(Quantity.DEVICE_TEMPERATURE, "b", verified=verified),
        attribute.number("parking_id", "B"),
    )


def _axes(channel: str) -> tuple[Field, ...]:
    return tuple(Field(Quantity.MAGNETIC_FIELD, "b", f"{channel}_{axis}", verified=False) for axis in "xyz")


STATUS = Layout(">", *_status(verified=True))

TEKZIPARK = Codec(
    id="tekzitel/tekzipark",
    vendor="Tekzitel",
    model="TekziPark parking sensor",
    family=Family.PARKING,
    source="TheThingsNetwork/lorawan-devices vendor/tekzitel/tekzipark-codec.yaml",
    ports={
        1: Leading(STATUS, STATUS.size, BEACONS),
        2: Layout(
            ">",
            *_status(verified=False),
            *_axes("deflection"),
            *_axes("baseline"),
            attribute.number("fault_code", "B"),
            Field(Quantity.ECHO_AMPLITUDE, "B", "obstruction", verified=False),
            Field(Quantity.ECHO_AMPLITUDE, "B", "reflection", verified=False),
        ),
    },
    privacy=Privacy.INTERNAL,
)

CODECS = (TEKZIPARK,)
