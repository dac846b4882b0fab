"""Browan Tabs, told apart by their port (door, motion, climate, light, sound, water), and MerryIoT; little-endian.

Source: Browan Tabs reference manuals; TheThingsNetwork/lorawan-devices vendor/browan (tbdw100.js, tbms100.js,
tbhh100.js, tbhv110.js, tbam100.js, tbsl100.js, tbwl100.js). Temperatures and humidities of 127 (of seven bits) are
sensing errors and no reading, FFFF a sensor that the model lacks; chirpstack-device-profiles makes 0 ppm of the
latter. Organic compounds come in ppm. Of the MerryIoT CD10 two lengths are published: the older firmware sends whole
degrees.
"""

from collections.abc import Mapping

from decoders import attribute
from decoders.choice import Choice, by_length
from decoders.codec import Codec
from decoders.error import MalformedPayload, WrongLength
from decoders.field import Attribute, Bits, Field, Part
from decoders.layout import Layout
from decoders.quantity import Family, Quantity

ERROR = 0x7F
NO_SENSOR = 0xFFFF
NO_YES = {0: "no", 1: "yes"}
PPM_TO_PPB = 1000
HUMIDITY_AT = 3
HUMIDITIES = range(4, 101)

BATTERY = Bits("B", Field(Quantity.BATTERY_VOLTAGE, "0-3", offset=25, divisor=10))


def _temperature(quantity: Quantity, *, verified: bool = True) -> Bits:
    """Seven bits, 32 °C higher."""
    return Bits("B", Field(quantity, "0-6", offset=-32, invalid=ERROR, verified=verified))


def _why(**bits: int) -> tuple[Attribute, ...]:
    """Why the frame was sent, a bit each."""
    return tuple(attribute.words(name, str(bit), NO_YES) for name, bit in bits.items())


def _events(status: Quantity, *, verified: bool) -> Layout:
    """A state, how long it has lasted, how often it has changed."""
    return Layout(
        "<",
        Bits("B", Field(status, "0", verified=verified)),
        Bits("B", Field(Quantity.BATTERY_VOLTAGE, "0-3", offset=25, divisor=10, verified=verified)),
        _temperature(Quantity.DEVICE_TEMPERATURE, verified=verified),
        Field(Quantity.STATE_DURATION, "H", verified=verified),
        Field(Quantity.STATE_CHANGE_COUNT_TOTAL, "u24", verified=verified),
    )


HUMIDITY = Bits("B", Field(Quantity.AIR_HUMIDITY, "0-6", invalid=ERROR))
CLIMATE: Mapping[str, Layout] = {
    "air quality": Layout(
        "<",
        Bits("B", *_why(triggered=0, climate_changed=4, air_quality_changed=5)),
        BATTERY,
        _temperature(Quantity.DEVICE_TEMPERATURE),
        HUMIDITY,
        Field(Quantity.CO2, "H", "equivalent", invalid=NO_SENSOR),
        Field(Quantity.TVOC, "H", scale=PPM_TO_PPB, invalid=NO_SENSOR),
        Field(Quantity.AIR_QUALITY_INDEX, "H", invalid=NO_SENSOR),
        _temperature(Quantity.AIR_TEMPERATURE),
    ),
    "temperature and humidity": Layout(
        "<",
        Bits("B", attribute.number("status", "3-7")),
        BATTERY,
        _temperature(Quantity.AIR_TEMPERATURE),
        HUMIDITY,
        Field(Quantity.CO2, "H", "equivalent", invalid=NO_SENSOR),
        Field(Quantity.TVOC, "H", scale=PPM_TO_PPB, invalid=NO_SENSOR),
    ),
}
LIGHT: tuple[Part, ...] = (
    Bits("B", *_why(darker=0, lighter=1, status_changed=4, keep_alive=5)),
    Bits("B", Field(Quantity.BATTERY_VOLTAGE, "0-3", offset=25, divisor=10, verified=False)),
    _temperature(Quantity.DEVICE_TEMPERATURE, verified=False),
    Field(Quantity.ILLUMINANCE, "u24", divisor=100, verified=False),
)
SOUND: tuple[Part, ...] = (
    Bits("B", *_why(triggered=0)),
    BATTERY,
    _temperature(Quantity.DEVICE_TEMPERATURE),
    Field(Quantity.SOUND_LEVEL_AVERAGE, "B", invalid=0xFF),
)
WATER: tuple[Part, ...] = (
    Bits("B", Field(Quantity.WATER_LEAK, "0"), *_why(temperature_changed=5, humidity_changed=6)),
    BATTERY,
    _temperature(Quantity.DEVICE_TEMPERATURE),
    HUMIDITY,
    _temperature(Quantity.AIR_TEMPERATURE),
)


MERRY_HEAD: tuple[Part, ...] = (
    Bits("B", *_why(triggered=0, button=1, co2_threshold=4, co2_calibration=5)),
    Bits("B", Field(Quantity.BATTERY_VOLTAGE, "0-3", offset=21, divisor=10)),
)
MERRY_TAIL: tuple[Part, ...] = (Field(Quantity.AIR_HUMIDITY, "B"), Field(Quantity.CO2, "H"))

TABS = Codec(
    id="browan/tabs",
    vendor="Browan",
    model="Tabs TBDW100, TBMS100, TBHH100, TBHV110, TBAM100, TBSL100, TBWL100",
    family=Family.ENVIRONMENT,
    source="Browan Tabs reference manuals; TheThingsNetwork/lorawan-devices vendor/browan",
    ports={
        100: _events(Quantity.OPEN, verified=True),
        102: _events(Quantity.PRESENCE, verified=False),
        103: by_length(CLIMATE),
        104: Layout("<", *LIGHT),
        105: Layout("<", *SOUND),
        106: Layout("<", *WATER),
    },
)
TENTHS = Layout("<", *MERRY_HEAD, Field(Quantity.AIR_TEMPERATURE, "h", divisor=10), *MERRY_TAIL)
WHOLE_DEGREES = Layout("<", *MERRY_HEAD, Field(Quantity.AIR_TEMPERATURE, "b"), *MERRY_TAIL)


def _merry_form(payload: bytes) -> str:
    """By length; a truncated longer frame shows in its humidity, which would be the upper byte of a temperature."""
    if len(payload) == TENTHS.size:
        return "tenths"
    if len(payload) != WHOLE_DEGREES.size:
        raise WrongLength(f"{len(payload)} bytes; frames have {WHOLE_DEGREES.size}, {TENTHS.size}")
    if payload[HUMIDITY_AT] not in HUMIDITIES:
        raise MalformedPayload(f"a humidity of {payload[HUMIDITY_AT]} %")
    return "whole degrees"


MERRYIOT_CD10 = Codec(
    id="browan/merryiot-cd10",
    vendor="Browan",
    model="MerryIoT CD10 CO2, temperature, humidity",
    family=Family.ENVIRONMENT,
    source="chirpstack-device-profiles vendors/browan; TheThingsNetwork/lorawan-devices vendor/browan/cd10.js",
    ports={
        127: Choice({"tenths": TENTHS, "whole degrees": WHOLE_DEGREES}, _merry_form),
    },
)

CODECS = (MERRYIOT_CD10, TABS)
