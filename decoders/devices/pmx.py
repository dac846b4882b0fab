"""PMX TCR radar traffic counter, firmware of 2024 and later.

Source: PMX TCR payload description; actility/device-catalog vendors/pmx/drivers/pmx-tcr. Which sizes and speeds a
category means is set in the single device. The clock of a frame (end of its interval, hour and minute, time zone as
set in the device) is a reading about the device, not the time of the measurement.
"""

from collections.abc import Mapping

from decoders import attribute
from decoders.codec import Codec, CodecField
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.field import Const, Field
from decoders.layout import Layout
from decoders.measurement import Measurement
from decoders.quantity import Family, Quantity

UNSET_CLOCK = 0xFFFF
COUNTER = 0xA2
IDENTITY = 0xD2
MARKER = b"\xc2"
LARGEST_BYTE = 0xFF
LARGEST_SETTING = 0xFFFF
CLOCK = {hour << 8 | minute: hour * 60 + minute for hour in range(24) for minute in range(60)}
TYPES = dict(
    enumerate(
        f"TCR-{kind}"
        for kind in ("LS", "LSS", "HS", "HSS", "LSA", "LSB", "HSA", "HSB", "LSBS", "HSBS", "DLI", "DLE", "SLI", "SLE")
    )
)
LEVELS = {0: "BASIC", 1: "ADVANCED", 2: "PRO"}
SPEED_CLASSES = {0: "P", 1: "LS", 2: "HS"}


def _counter(prefix: str = "", *, verified: bool = True) -> Layout:
    """Counts and mean speeds of one interval, left to right and right to left; without vehicles no mean speed."""

    def direction(channel: str) -> tuple[Field, Field]:
        return (
            Field(Quantity.VEHICLE_COUNT, "H", prefix + channel, verified=verified),
            Field(Quantity.VEHICLE_SPEED, "B", prefix + channel, invalid=0, verified=verified),
        )

    return Layout(
        ">",
        Const("B", COUNTER),
        Field(Quantity.DEVICE_CLOCK, "H", values=CLOCK, invalid=UNSET_CLOCK, verified=verified),
        *direction("ltr"),
        *direction("rtl"),
        Field(Quantity.SUPPLY_VOLTAGE, "B", divisor=10, verified=verified),
    )


IDENTITY_FRAME = Layout(
    ">",
    Const("B", IDENTITY),
    attribute.words("device_type", "B", TYPES),
    attribute.words("feature_level", "B", LEVELS),
    attribute.words("speed_class", "B", SPEED_CLASSES),
    attribute.nibble_version("firmware_version"),
    attribute.nibble_version("sbx_version"),
)

# Settings by their key in a configuration reply. The licence key (51) is not among them: it is no one's business.
SETTINGS: Mapping[int, str] = {
    **{
        category << 4 | number: f"cat{category}_{name}"
        for category in range(5)
        for number, name in enumerate(("enabled", "min_size", "max_size", "min_speed", "max_speed"), start=1)
    },
    0x52: "feature_level",
    0x53: "speed_class",
    0x54: "measurement_interval",
    0x61: "radar_enabled",
    0x62: "radar_channel",
    0x63: "radar_sensitivity",
    0x64: "radar_autosensitivity",
    0x71: "confirmed_uplinks",
}
LICENCE_KEY = 0x51
REPLY_BYTES = (3, 4)


class Reply:
    """What a device answers to a configuration downlink: marker, key, value of one or two bytes."""

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """A measurement without readings; the setting is its attribute."""
        if not payload.startswith(MARKER):
            raise MalformedPayload(f"the payload begins with {payload[:1].hex() or 'nothing'}; expected {MARKER.hex()}")
        if len(payload) < REPLY_BYTES[0]:
            raise WrongLength(f"{len(payload)} bytes; a reply has 3 or 4")
        key = payload[1]
        if key == LICENCE_KEY:
            return (Measurement.of(time_ms, ()),)
        if key not in SETTINGS:
            raise MalformedPayload(f"unknown setting {key:#04x}")
        if len(payload) not in REPLY_BYTES:
            raise WrongLength(f"{len(payload)} bytes; a reply has 3 or 4")
        return (Measurement.of(time_ms, (), {SETTINGS[key]: str(int.from_bytes(payload[2:], "big"))}),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """The reply that names the one setting given as an attribute, in one byte if it fits."""
        if measurement.readings or len(measurement.attributes) != 1:
            raise EncodeError("a reply carries one attribute and no reading")
        ((name, value),) = measurement.attributes.items()
        keys = [key for key, known in SETTINGS.items() if known == name]
        if not keys or not value.isdecimal() or int(value) > LARGEST_SETTING:
            raise EncodeError(f"{name} = {value!r} is no setting that can be sent")
        return MARKER + bytes(keys) + int(value).to_bytes(1 if int(value) <= LARGEST_BYTE else 2, "big")

    def fields(self) -> tuple[CodecField, ...]:
        """Nothing: settings are attributes."""
        return ()


TCR = Codec(
    id="pmx/tcr",
    vendor="PMX",
    model="TCR radar traffic counter (firmware of 2024 and later)",
    family=Family.TRAFFIC,
    source="PMX TCR payload description; actility/device-catalog vendors/pmx/drivers/pmx-tcr",
    ports={
        1: Reply(),
        13: _counter(),
        14: _counter("cat1_", verified=False),
        15: _counter("cat2_", verified=False),
        16: _counter("cat3_"),
        17: _counter("cat4_"),
        190: IDENTITY_FRAME,
    },
)

CODECS = (TCR,)
