"""Alpha-Omega KLAX: optical reader of electricity meters (SML, IEC 62056-21), payload versions 0 and later.

Source: KLAX payload description; TheThingsNetwork/lorawan-devices vendor/alpha-omega-technology klax.js. Big-endian. A
register's four values are of now and of the intervals before, newest first; the interval is set in the single device.
A value that the device marks as not valid is no reading. A third party reads the header's first byte as the version:
it is its upper six bits, the lower two say SML or Modbus. Modbus readers have registers of any meaning, and are
refused.
"""

from collections.abc import Mapping

from decoders import attribute
from decoders.codec import Codec, CodecField, Frame, HistoryFrame
from decoders.devices.alpha_omega_values import INTERVAL, OLD_SIZES, REGISTERS, SIZES, Values
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.field import Bits, Field, Part
from decoders.layout import Layout
from decoders.measurement import Measurement, Reading
from decoders.quantity import Family, Privacy, Quantity

MOST_LISTED = 16
MODBUS_BITS = 0x03
VERSION_SHIFT = 2
CODE_BYTES = 3
VERSION = "payload_version"
NO_YES = {0: "no", 1: "yes"}
MODES = dict(enumerate(("SML", "IEC 62056-21 mode B", "IEC 62056-21 mode C", "Logarex", "eBZ", "Tritschler VC3")))


def _battery(bits: str, steps: int, *, verified: bool) -> Field:
    """Steps of a full battery; a number beyond is no reading."""
    levels = {step: step * 100 / steps for step in range(steps + 1)}
    return Field(Quantity.BATTERY_LEVEL, bits, values=levels, verified=verified)


def _header(battery: Field, mode: str) -> tuple[Part, ...]:
    return (
        Bits("B", attribute.number(VERSION, "2-7")),
        Bits(
            "B",
            battery,
            attribute.words("reading_mode", mode, MODES),
            attribute.words("registers_configured", "6", NO_YES),
            attribute.words("connection_test", "7", NO_YES),
        ),
    )


def _old_header(*, verified: bool = True) -> tuple[Part, ...]:
    return _header(_battery("0-3", 10, verified=verified), "4-5")


def _later_header(*, verified: bool = True) -> tuple[Part, ...]:
    return _header(_battery("0-2", 5, verified=verified), "3-5")


PARTS = (
    attribute.number("message_index", "B"),
    Bits("B", attribute.number("message_count", "0-3"), attribute.number("message_number", "4-7")),
)


class Versions:
    """Frames of version 0 and of all later ones, which the first byte tells apart; they carry the same.

    What is encoded is of version 1, unless the attribute asks for another.
    """

    __slots__ = ("_later", "_old")

    def __init__(self, old: Frame, later: Frame) -> None:
        self._old = old
        self._later = later

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
        """What the version's frame makes of the payload."""
        if not payload:
            raise WrongLength("the payload is empty")
        kind = payload[0] & MODBUS_BITS
        if kind:
            raise MalformedPayload(f"device type {kind} is no SML reader")
        frame = self._later if payload[0] >> VERSION_SHIFT else self._old
        return frame.decode(payload, time_ms, parameters)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """The frame of the version that the attributes name."""
        version = measurement.attributes.get(VERSION, "1")
        frame = self._old if version == "0" else self._later
        return frame.encode(measurement._replace(attributes={**measurement.attributes, VERSION: version}), parameters)

    def kept(self, measurement: Measurement) -> tuple[Reading, ...]:
        """What later versions keep."""
        return self._later.kept(measurement) if isinstance(self._later, HistoryFrame) else ()

    def encode_history(self, history: tuple[Measurement, ...], time_ms: int, parameters: Mapping[str, float]) -> bytes:
        """The frame of version 1, if it has earlier times."""
        if not isinstance(self._later, HistoryFrame):
            raise EncodeError("the frame has no earlier times")
        now = history[0]._replace(attributes={VERSION: "1", **history[0].attributes})
        return self._later.encode_history((now, *history[1:]), time_ms, parameters)

    def history_fields(self) -> tuple[CodecField, ...]:
        """What later versions keep."""
        return self._later.history_fields() if isinstance(self._later, HistoryFrame) else ()

    def fields(self) -> tuple[CodecField, ...]:
        """What later versions carry."""
        return self._later.fields()


class Registers:
    """Header, message number, then OBIS codes of three bytes each, as many as there are."""

    __slots__ = ("_layouts",)

    def __init__(self, header: tuple[Part, ...]) -> None:
        codes = tuple(attribute.version(f"register{number + 1}") for number in range(MOST_LISTED))
        self._layouts = tuple(Layout(">", *header, *PARTS, *codes[:count]) for count in range(MOST_LISTED + 1))

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
        """One measurement; the codes are attributes."""
        count, rest = divmod(len(payload) - self._layouts[0].size, CODE_BYTES)
        if rest or not 0 <= count <= MOST_LISTED:
            raise WrongLength(
                f"{len(payload)} bytes; the frame has {self._layouts[0].size} and {CODE_BYTES} for a code"
            )
        return self._layouts[count].decode(payload, time_ms, parameters)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """The frame of all codes that are given."""
        count = sum(f"register{number + 1}" in measurement.attributes for number in range(MOST_LISTED))
        return self._layouts[count].encode(measurement, parameters)

    def fields(self) -> tuple[CodecField, ...]:
        """The battery."""
        return self._layouts[0].fields()


FILTERS: tuple[Part, ...] = (
    Bits("B", *(attribute.words(f"filter{number + 1}_active", str(number), NO_YES) for number in range(REGISTERS))),
    *(attribute.version(f"filter{number + 1}") for number in range(REGISTERS)),
)


def _both(*parts: Part, verified: bool = True) -> Versions:
    """Parts behind either header."""
    headers = _old_header(verified=verified), _later_header(verified=verified)
    return Versions(*(Layout(">", *header, *parts) for header in headers))


KLAX = Codec(
    id="alpha-omega/klax",
    vendor="Alpha-Omega Technology",
    model="KLAX electricity meter reader (SML, IEC 62056-21)",
    family=Family.METER,
    source="KLAX payload description; TheThingsNetwork/lorawan-devices vendor/alpha-omega-technology",
    ports={
        3: Versions(
            Values(0, Layout(">", *_old_header(), *PARTS), OLD_SIZES, "i"),
            Values(1, Layout(">", *_later_header(), *PARTS), SIZES, "f"),
        ),
        100: _both(attribute.number("measurement_interval_min", "H")),
        101: _both(attribute.version("app_version", 2), verified=False),
        103: Versions(Registers(_old_header()), Registers(_later_header())),
        104: _both(*FILTERS),
    },
    parameters=(INTERVAL,),
    privacy=Privacy.PERSONAL,
)

CODECS = (KLAX,)
