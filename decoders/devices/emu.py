"""EMU Professional II three-phase electricity meter.

Source: TheThingsNetwork/lorawan-devices vendor/emu profii-lp-codec_generic.js. Little-endian: the meter's time, values
of one type byte each, a checksum (CRC-8, polynomial 7). That decoder only warns of a wrong checksum and cannot read 64
bits; here a wrong one is refused, and all bits count. Which port sends what is set in the meter.
"""

from collections.abc import Iterator, Mapping

from decoders import attribute
from decoders.codec import Codec, CodecField
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.field import Attribute, Field, Part, Raw
from decoders.measurement import Measurement, Reading
from decoders.quantity import Family, Privacy, Quantity
from decoders.tlv import ChannelTlv
from decoders.typed import Item

MS_PER_S = 1000
TIME_BYTES = 4
STATUS_BYTES = 2
CRC_POLYNOMIAL = 0x07
PHASES = ("l1", "l2", "l3")
TARIFFS = ("import_tariff1", "import_tariff2", "export_tariff1", "export_tariff2")
ERRORS = {
    0: "time changed",
    1: "current transformer changed",
    2: "voltage transformer changed",
    3: "pulse width changed",
    4: "pulse ratio changed",
    5: "power failed",
    7: "log book full",
}


def _crc_table() -> Iterator[int]:
    for byte in range(256):
        rest = byte
        for _ in range(8):
            rest = (rest << 1 ^ CRC_POLYNOMIAL) & 0xFF if rest & 0x80 else rest << 1
        yield rest


CRC = tuple(_crc_table())


def checksum(payload: bytes) -> int:
    """CRC-8 over all bytes, beginning with zero."""
    rest = 0
    for byte in payload:
        rest = CRC[rest ^ byte]
    return rest


class Readout:
    """Time, values, checksum; two bytes or fewer only say that the meter is there."""

    __slots__ = ("_values",)

    def __init__(self, table: Mapping[int, Item]) -> None:
        self._values = ChannelTlv("<", table, type_bytes=1)

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
        """One measurement at the meter's time, at that of receipt where its clock is not set."""
        if 0 < len(payload) <= STATUS_BYTES:
            return (Measurement.of(time_ms, ()),)
        if len(payload) <= TIME_BYTES + 1:
            raise WrongLength(f"{len(payload)} bytes hold no value")
        body, crc = payload[:-1], payload[-1]
        if checksum(body) != crc:
            raise MalformedPayload(f"checksum {crc:#04x}; expected {checksum(body):#04x}")
        unix = int.from_bytes(body[:TIME_BYTES], "little")
        return self._values.decode(body[TIME_BYTES:], unix * MS_PER_S or time_ms, parameters)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """The values without a clock."""
        return self._at(0, measurement, parameters)

    def kept(self, measurement: Measurement) -> tuple[Reading, ...]:
        """All of them: the frame has the meter's time."""
        return measurement.readings

    def encode_history(self, history: tuple[Measurement, ...], time_ms: int, parameters: Mapping[str, float]) -> bytes:
        """One measurement with its time; EncodeError for several."""
        if len(history) != 1:
            raise EncodeError(f"{len(history)} measurements; the frame has one")
        unix = 0 if history[0].time_ms == time_ms else history[0].time_ms // MS_PER_S
        return self._at(unix, history[0], parameters)

    def history_fields(self) -> tuple[CodecField, ...]:
        """What the values carry."""
        return self.fields()

    def _at(self, unix: int, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        body = unix.to_bytes(TIME_BYTES, "little") + self._values.encode(measurement, parameters)
        return body + bytes((checksum(body),))

    def fields(self) -> tuple[CodecField, ...]:
        """What the values carry."""
        return self._values.fields()


def _serial(name: str) -> Attribute:
    """Eight digits, lowest byte first."""

    def text(raw: Raw) -> str:
        if not isinstance(raw, bytes):
            raise TypeError(f"{raw!r} are no bytes")
        return raw[::-1].hex()

    return Attribute(name, "4s", text, lambda text: bytes.fromhex(text)[::-1])


def _digits(name: str) -> Attribute:
    """Four decimal digits of a byte each."""

    def text(raw: Raw) -> str:
        if not isinstance(raw, bytes):
            raise TypeError(f"{raw!r} are no bytes")
        return "".join(str(digit) for digit in raw)

    return Attribute(name, "4s", text, lambda text: bytes(int(digit) for digit in text))


def _values(*, info: bool) -> dict[int, Item]:
    """The table of types; `info` is the frame after joining, whose published payload has no reading."""

    def one(quantity: Quantity, code: str, channel: str, divisor: int) -> Field:
        seen = not info and code == "I" and channel == TARIFFS[0] and divisor != 1 and quantity is Quantity.ENERGY_TOTAL
        return Field(quantity, code, channel, divisor=divisor, verified=seen)

    def each(first: int, quantity: Quantity, code: str, channels: tuple[str, ...], divisor: int = 1) -> dict[int, Item]:
        return {first + number: one(quantity, code, name, divisor) for number, name in enumerate(channels)}

    active, reactive = Quantity.ENERGY_TOTAL, Quantity.REACTIVE_ENERGY_TOTAL
    energies: dict[int, Item] = {
        **each(0x03, active, "I", TARIFFS, 1000),
        **each(0x07, reactive, "I", TARIFFS, 1000),
        **each(0x24, active, "Q", TARIFFS, 1000),
        **each(0x28, reactive, "Q", TARIFFS, 1000),
        **each(0x1C, active, "I", TARIFFS),
        **each(0x20, reactive, "I", TARIFFS),
    }
    number: dict[int, Part] = {
        0x00: attribute.number("log_index", "I"),
        0x01: attribute.number("time", "I"),
        0x02: attribute.number("previous_time", "I"),
        0xF0: attribute.flags("errors", "B", ERRORS),
        0xF1: _serial("serial_number"),
        0xF2: _serial("factory_number"),
        0xF3: attribute.number("current_transformer_primary", "H"),
        0xF4: attribute.number("current_transformer_secondary", "H"),
        0xF5: attribute.number("voltage_transformer_primary", "H"),
        0xF6: attribute.number("voltage_transformer_secondary", "H"),
        0xF7: attribute.number("meter_type", "B"),
        0xF8: _digits("mid_year"),
        0xF9: _digits("factory_year"),
        0xFA: attribute.plain_text("firmware_version", 4),
        0xFB: attribute.plain_text("mid_version", 4),
        0xFC: attribute.plain_text("manufacturer", 4),
        0xFD: attribute.plain_text("hardware_index", 4),
        0xFE: attribute.number("system_time", "I"),
    }
    return {
        **energies,
        **each(0x0B, Quantity.POWER, "i", ("", *PHASES)),
        **each(0x0F, Quantity.MAINS_CURRENT, "i", ("", *PHASES, "n"), 1000),
        **each(0x14, Quantity.MAINS_VOLTAGE, "i", PHASES, 10),
        **each(0x17, Quantity.POWER_FACTOR, "b", PHASES, 100),
        **each(0x1A, Quantity.MAINS_FREQUENCY, "h", ("",), 10),
        **each(0x1B, Quantity.POWER, "i", ("average",)),
        **number,
    }


READOUT = Readout(_values(info=False))

PROFESSIONAL_II = Codec(
    id="emu/professional-ii",
    vendor="EMU",
    model="Professional II electricity meter",
    family=Family.METER,
    source="TheThingsNetwork/lorawan-devices vendor/emu profii-lp-codec_generic.js",
    ports={1: READOUT, 100: Readout(_values(info=True))},
    any_port=READOUT,
    privacy=Privacy.PERSONAL,
)

CODECS = (PROFESSIONAL_II,)
