"""Bosch TPS110 parking lot sensor, firmware lines 0.29 and 0.39.

Source: Bosch Parking Lot Sensor interface description; TheThingsNetwork/lorawan-devices tps110-0292-codec.yaml and
tps110-0392-codec.yaml. 0.29 sends debug codes little-endian, 0.39 big-endian; reset causes from 4 on differ.
"""

from decoders import attribute
from decoders.choice import Choice, by_length, by_prefix
from decoders.codec import Codec
from decoders.error import MalformedPayload, WrongLength
from decoders.field import Attribute, Bits, Const, Field, Pad, Raw
from decoders.layout import Layout
from decoders.quantity import Family, Privacy, Quantity

STARTUP_BYTES = 17
FIRMWARE_AT = 12
BIG_ENDIAN_FROM = bytes((0, 39))
CODE_MASK = 0xFFF
CODES = 3
CODE_BYTES = 4
URN_BYTES = 11

OCCUPIED = Bits("B", Field(Quantity.OCCUPIED, "0"))
TEMPERATURE = Field(Quantity.DEVICE_TEMPERATURE, "b")
FIRMWARE = attribute.version("firmware_version")
CAUSES = {1: "watchdog", 2: "power on", 3: "system request"}
CAUSES_029 = {**CAUSES, 4: "other"}
CAUSES_039 = {**CAUSES, 4: "pin", 5: "lockup", 6: "brownout", 7: "other"}


def _debug_codes() -> Attribute:
    """Three words, the lower twelve bits of each a code, little-endian; zero is none."""

    def text(raw: Raw) -> str:
        if not isinstance(raw, bytes):
            raise TypeError(f"{raw!r} are no bytes")
        words = (int.from_bytes(raw[at : at + CODE_BYTES], "little") & CODE_MASK for at in range(0, len(raw), 4))
        return " ".join(str(code) for code in words if code)

    def parse(text: str) -> bytes:
        codes = [int(code) for code in text.split()]
        return b"".join(code.to_bytes(CODE_BYTES, "little") for code in codes)

    return Attribute("debug_codes", f"{CODES * CODE_BYTES}s", text, parse)


def _debug_code() -> Attribute:
    return Attribute("debug_code", "I", lambda raw: str(int(raw) & CODE_MASK), int)


DEBUG = (attribute.number("debug_time", "I"), _debug_code(), attribute.number("debug_sequence", "H"))
HEARTBEAT = by_length({"state": Layout(">", OCCUPIED), "state and temperature": Layout(">", OCCUPIED, TEMPERATURE)})
STARTUP_029 = Layout(">", _debug_codes(), FIRMWARE, attribute.words("reset_cause", "B", CAUSES_029), OCCUPIED)
STARTUP_039 = Layout(">", *DEBUG, Pad(2), FIRMWARE, attribute.words("reset_cause", "B", CAUSES_039), OCCUPIED)


def _startup_form(payload: bytes) -> str:
    """The firmware line, which the frame itself names."""
    if len(payload) != STARTUP_BYTES:
        raise WrongLength(f"{len(payload)} bytes; the frame has {STARTUP_BYTES}")
    return "0.39" if payload[FIRMWARE_AT : FIRMWARE_AT + len(BIG_ENDIAN_FROM)] >= BIG_ENDIAN_FROM else "0.29"


def _debug_form(payload: bytes) -> str:
    """The firmware line by the upper half of the code word, which is zero and stands behind or before the code."""
    if len(payload) != DEBUG_BIG.size:
        raise WrongLength(f"{len(payload)} bytes; the frame has {DEBUG_BIG.size}")
    if not any(payload[4:6]):
        return "0.39"
    if not any(payload[6:8]):
        return "0.29"
    raise MalformedPayload(f"code {payload[4:8].hex()} is neither little-endian nor big-endian")


DEBUG_BIG = Layout(">", *DEBUG)
DEBUG_LITTLE = Layout("<", *DEBUG)


def _total(selector: int, quantity: Quantity, channel: str = "", *, verified: bool = False) -> tuple[bytes, Layout]:
    layout = Layout(">", Const("B", selector, "selector"), Field(quantity, "I", channel, verified=verified))
    return bytes((selector,)), layout


USAGE = by_prefix(
    {
        "state changes": _total(0, Quantity.STATE_CHANGE_COUNT_TOTAL),
        "time occupied": _total(1, Quantity.OCCUPIED_TIME_TOTAL, verified=True),
        "uplinks": (
            b"\x02",
            Layout(
                ">",
                Const("B", 2, "selector"),
                *(Field(Quantity.UPLINK_COUNT_TOTAL, "u24", f"dr{rate}", verified=False) for rate in range(6)),
            ),
        ),
        "radar triggers": _total(3, Quantity.MEASUREMENT_COUNT_TOTAL, "radar"),
        "uptime": _total(4, Quantity.UPTIME),
        "resets": (
            b"\x05",
            Layout(
                ">",
                Const("B", 5, "selector"),
                *(
                    Field(Quantity.RESET_COUNT_TOTAL, "B", cause, verified=False)
                    for cause in ("brownout", "lockup", "pin", "power_on", "watchdog")
                ),
                # Low byte first, unlike everything around it.
                Field(Quantity.RESET_COUNT_TOTAL, "u16le", "system_request", verified=False),
            ),
        ),
        "time installed": _total(6, Quantity.OPERATING_TIME),
    }
)

TPS110 = Codec(
    id="bosch/tps110",
    vendor="Bosch",
    model="TPS110 Parking Lot Sensor (firmware 0.29 and 0.39)",
    family=Family.PARKING,
    source="Bosch Parking Lot Sensor interface description; TheThingsNetwork/lorawan-devices vendor/bosch",
    ports={
        1: Layout(">", OCCUPIED),
        2: HEARTBEAT,
        3: Choice({"0.39": STARTUP_039, "0.29": STARTUP_029}, _startup_form),
        4: by_length(
            {
                "firmware": Layout(">", FIRMWARE),
                "urn": Layout(">", attribute.hexadecimal("urn", URN_BYTES)),
            }
        ),
        5: USAGE,
        6: Choice({"0.39": DEBUG_BIG, "0.29": DEBUG_LITTLE}, _debug_form),
        7: Layout(">", Field(Quantity.DEVICE_TEMPERATURE, "b", verified=False)),
    },
    privacy=Privacy.INTERNAL,
)

CODECS = (TPS110,)
