"""NAS luminaire controllers UL20xx: DALI drivers and a relay, firmware 1.0 and the status of older ones.

Source: NAS Luminaire controller UL20xx, communication protocols (firmware 1.0.x, ports 24 status and legacy status, 25
usage, 50, 60, 61, 99). Little-endian. Channels are DALI addresses: `single0` … `single63`, `group0` … `group15`,
`broadcast`, `analog` (0 to 10 V), `internal` (the controller's own meter). The controller's clock, which starts at 2000
where the network gave none, is not kept: reports are of the moment they are sent.
"""

from decoders import attribute
from decoders.choice import Choice, by_length, by_prefix
from decoders.codec import Codec, Frame
from decoders.devices.nas_blocks import METERS, OUTPUTS, SINGLES, Blocks, Usage
from decoders.field import Attribute, Bits, Const, Field, Pad, Part, Raw
from decoders.layout import Layout
from decoders.quantity import Family, Quantity
from decoders.whole import Whole

CLOCK = Pad(4)
HOUR_S = 3600
NO_LEVEL = tuple(range(101, 256))
PROFILE_BYTES = 5
LEGACY_REST = 1
INTERFACES_AT = 8
THRESHOLD, LIGHT = 0x01, 0x02


def _alarm(bit: int, name: str) -> Field:
    return Field(Quantity.ALARM, str(bit), name, verified=False)


def _input(bit: int, name: str) -> Field:
    return Field(Quantity.DIGITAL_INPUT, str(bit), name, verified=False)


def _switch(bit: int, name: str) -> Field:
    return Field(Quantity.SWITCHED_ON, str(bit), name, verified=False)


STATUS = Bits(
    "B",
    _alarm(0, "dali"),
    _alarm(1, "dali_connection"),
    _input(2, "ldr"),
    _input(3, "thr"),
    _input(4, "dig"),
    _alarm(5, "hardware"),
    _alarm(6, "firmware"),
    _switch(7, "relay"),
)


def _head(interfaces: int, *behind: Part) -> Layout:
    return Layout(
        "<",
        CLOCK,
        STATUS,
        Attribute("downlink_rssi", "B", lambda raw: str(-int(raw)), lambda text: -int(text)),
        attribute.number("downlink_snr", "b"),
        Field(Quantity.DEVICE_TEMPERATURE, "b", verified=False),
        Bits(
            "B",
            Const("0-1", interfaces, "interfaces"),
            _switch(2, "open_drain"),
            _alarm(4, "voltage"),
            _alarm(5, "lamp"),
            _alarm(6, "power"),
            _alarm(7, "power_factor"),
        ),
        *behind,
    )


LIGHT_VALUE = Field(Quantity.LIGHT_RAW, "B", verified=False)
LEGACY = Layout("<", CLOCK, STATUS, attribute.number("downlink_rssi", "b"))


def _report(name: str) -> tuple[Layout, ...]:
    """The values of an address in the order of their bits."""

    def value(quantity: Quantity, code: str, channel: str = name, *, divisor: int = 1, scale: int = 1) -> Layout:
        return Layout("<", Field(quantity, code, channel, divisor=divisor, scale=scale, verified=False))

    return (
        value(Quantity.ENERGY_TOTAL, "I", divisor=1000),
        value(Quantity.POWER, "H"),
        value(Quantity.ENERGY_TOTAL, "I", f"{name}_load", divisor=1000),
        value(Quantity.POWER, "H", f"{name}_load"),
        value(Quantity.POWER_FACTOR, "B", divisor=100),
        value(Quantity.MAINS_VOLTAGE, "B"),
        value(Quantity.OPERATING_TIME, "I"),
        # The controller counts its lamp's time in hours, drivers theirs in seconds.
        value(Quantity.OPERATING_TIME, "I", f"{name}_lamp", scale=HOUR_S if name == "internal" else 1),
    )


LEVELS = {
    address: Layout(
        "<",
        Pad(2),
        Const("B", address, "address"),
        Pad(1),
        Field(Quantity.DIMMING_LEVEL, "B", name, invalid=NO_LEVEL, verified=False),
    )
    for address, name in OUTPUTS.items()
}
DRIVER_STATES = {
    address: Layout(
        "<",
        Const("B", address, "address"),
        Bits(
            "B",
            _alarm(0, f"{name}_gear"),
            _alarm(1, f"{name}_lamp"),
            _switch(2, name),
            _alarm(3, f"{name}_limit"),
        ),
    )
    for address, name in SINGLES.items()
}


def _status_form(payload: bytes) -> str:
    """Blocks have five bytes, so that the rest of the length tells the legacy head of six from later ones."""
    if len(payload) % PROFILE_BYTES == LEGACY_REST or len(payload) <= INTERFACES_AT:
        return "legacy"
    return {0: "plain", THRESHOLD: "threshold", LIGHT: "light"}.get(
        payload[INTERFACES_AT] & (THRESHOLD | LIGHT), "light"
    )


STATUS_FRAME = Choice(
    {
        "light": Blocks(_head(LIGHT, LIGHT_VALUE), LEVELS, 2),
        "plain": Blocks(_head(0), LEVELS, 2),
        # The threshold input is no longer made: its byte is stepped over.
        "threshold": Blocks(_head(THRESHOLD, Pad(1)), LEVELS, 2),
        "legacy": Blocks(LEGACY, LEVELS, 2),
    },
    _status_form,
)
DIG_ALERT, LDR_ALERT, DRIVER_ALERT, METERING_ALERT = 0x80, 0x81, 0x83, 0x84
ALERTS: dict[str, tuple[bytes, Frame]] = {
    "input": (
        bytes((DIG_ALERT,)),
        Layout(
            "<",
            Const("B", DIG_ALERT),
            Const("B", 0x20, "length"),
            Field(Quantity.PULSE_COUNT, "H", "dig", verified=False),
        ),
    ),
    "light": (
        bytes((LDR_ALERT,)),
        Layout("<", Const("B", LDR_ALERT), Const("B", 0x20, "length"), Bits("B", _input(0, "ldr")), LIGHT_VALUE),
    ),
    "drivers": (
        bytes((DRIVER_ALERT,)),
        Blocks(Layout("<", Const("B", DRIVER_ALERT), Pad(1)), DRIVER_STATES, 0),
    ),
    "metering": (
        bytes((METERING_ALERT,)),
        Layout(
            "<",
            Const("B", METERING_ALERT),
            Bits(
                "B",
                _alarm(0, "lamp"),
                _alarm(1, "over_current"),
                _alarm(2, "under_voltage"),
                _alarm(3, "over_voltage"),
                _alarm(4, "power_factor"),
            ),
            Field(Quantity.POWER, "H", "internal", verified=False),
            Field(Quantity.MAINS_VOLTAGE, "H", "internal", verified=False),
            Field(Quantity.POWER_FACTOR, "B", "internal", divisor=100, verified=False),
        ),
    ),
}


def _backwards(raw: Raw) -> str:
    """Digits of a number that came lowest byte first."""
    if not isinstance(raw, bytes):
        raise TypeError(f"{raw!r} are no bytes")
    return raw[::-1].hex()


BOOT: tuple[Part, ...] = (
    Const("B", 0x00, "packet type"),
    Attribute("serial_number", "4s", _backwards, lambda text: bytes.fromhex(text)[::-1]),
    attribute.version("firmware_version"),
    CLOCK,
    attribute.words(
        "device_configuration",
        "B",
        dict(
            enumerate(("DALI", "DALI NC", "DALI NO", "analog NC", "analog NO", "both NC", "both NO", "both NC and NO"))
        ),
    ),
    attribute.flags(
        "features", "B", {1: "thr", 2: "dig", 3: "ldr", 4: "open drain", 5: "metering", 7: "custom request"}
    ),
    Bits(
        "B",
        attribute.number("dali_supply", "0-6"),
        attribute.words("dali_power_source", "7", {0: "internal", 1: "external"}),
    ),
    Bits("B", attribute.number("drivers", "0-6"), attribute.words("driver_without_address", "7", {0: "no", 1: "yes"})),
)
SYSTEM: dict[str, tuple[bytes, Frame]] = {
    "boot": (
        b"\x00",
        by_length(
            {
                "without reason": Layout("<", *BOOT),
                "with reason": Layout("<", *BOOT, attribute.flags("reset_cause", "B", {1: "watchdog", 2: "software"})),
            }
        ),
    ),
    "downlink refused": (
        b"\x13",
        Layout(
            "<",
            Const("B", 0x13, "packet type"),
            attribute.number("refused_port", "B"),
            attribute.number("refused_because", "B"),
        ),
    ),
}

LUMINAIRE = Codec(
    id="nas/luminaire",
    vendor="NAS",
    model="Luminaire controller UL20xx (firmware 1.0, status of older ones)",
    family=Family.LIGHTING,
    source="NAS Luminaire controller UL20xx, communication protocols, firmware 1.0.x",
    ports={
        24: STATUS_FRAME,
        25: Usage({address: _report(name) for address, name in METERS.items()}),
        50: Whole("configuration"),
        60: Whole("command_answer"),
        61: by_prefix(ALERTS),
        99: by_prefix(SYSTEM),
    },
    untested=True,
)

CODECS = (LUMINAIRE,)
