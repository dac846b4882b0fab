"""What Dragino devices share: big-endian frames, a battery word, the frame that says what the device is.

Source: Dragino user manuals; TheThingsNetwork/lorawan-devices vendor/dragino.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter

from decoders import attribute
from decoders.codec import Codec, CodecField, Frame, Parameter
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.field import Attribute, Bits, Field, Raw
from decoders.history import kept_in
from decoders.layout import Layout
from decoders.measurement import Measurement, Reading
from decoders.quantity import Family, Privacy, Quantity

F_PORT = 2
CONFIGURATION_PORT, INFORMATION_PORT = 4, 5
ENTRY_BYTES, TIME_AT, UNIX_BYTES = 11, 7, 4
MS_PER_S = 1000
NO_TEMPERATURE = 0x7FFF
"""What a probe that is not there reads as: 327.67 or 3276.7 °C."""
BANDS = dict(
    enumerate(
        (
            *("EU868", "US915", "IN865", "AU915", "KZ865", "RU864", "AS923", "AS923-1", "AS923-2", "AS923-3"),
            *("CN470", "EU433", "KR920", "MA869"),
        ),
        start=1,
    )
)


def firmware() -> Attribute:
    """Two bytes: 01 23 is 1.2.3."""

    def text(raw: Raw) -> str:
        value = int(raw)
        return f"{value >> 8}.{value >> 4 & 0xF}.{value & 0xF}"

    def parse(text: str) -> int:
        major, minor, patch = (int(part) for part in text.split("."))
        return major << 8 | minor << 4 | patch

    return Attribute("firmware_version", "H", text, parse)


def seconds(name: str) -> Attribute:
    """Three bytes."""

    def text(raw: Raw) -> str:
        if not isinstance(raw, bytes):
            raise TypeError(f"{raw!r} are no bytes")
        return str(int.from_bytes(raw, "big"))

    return Attribute(name, "3s", text, lambda text: int(text).to_bytes(3, "big"))


def battery(*, verified: bool = True) -> Bits:
    """Millivolts in the lower fourteen bits."""
    return Bits("H", Field(Quantity.BATTERY_VOLTAGE, "0-13", divisor=1000, verified=verified))


def probe(divisor: int, *, verified: bool = True) -> Field:
    """A wired DS18B20."""
    return Field(Quantity.EXTERNAL_TEMPERATURE, "h", divisor=divisor, invalid=NO_TEMPERATURE, verified=verified)


INFORMATION = Layout(
    ">",
    attribute.number("sensor_model", "B"),
    firmware(),
    attribute.words("frequency_band", "B", BANDS),
    attribute.number("sub_band", "B"),
    Field(Quantity.BATTERY_VOLTAGE, "H", divisor=1000, verified=False),
)


class Entries:
    """Entries of eleven bytes, each ending with its own Unix time (zero is now), newest first; zeros alone are none.

    `kind` tells an entry's layout.
    """

    def __init__(self, layouts: Mapping[int, Layout], kind: Callable[[bytes], int]) -> None:
        self._layouts = layouts
        self._kind = kind

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
        """A measurement for each entry; one without readings if there is no entry."""
        if not payload or len(payload) % ENTRY_BYTES:
            raise WrongLength(f"{len(payload)} bytes; entries have {ENTRY_BYTES} each")
        found: list[Measurement] = []
        for at in range(0, len(payload), ENTRY_BYTES):
            entry = payload[at : at + ENTRY_BYTES]
            if any(entry):
                layout = self._layouts.get(self._kind(entry))
                if layout is None:
                    raise MalformedPayload(f"unknown kind {self._kind(entry)} of the entry at byte {at}")
                then_ms = int.from_bytes(entry[TIME_AT:], "big") * MS_PER_S
                found += layout.decode(entry, then_ms or time_ms, parameters)
        return tuple(sorted(found, key=attrgetter("time_ms"), reverse=True)) or (Measurement.of(time_ms, ()),)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """One entry of now; if it would be nothing but zeros, of the first second that is not."""
        reasons = []
        for layout in self._layouts.values():
            try:
                entry = layout.encode(measurement, parameters)
                return entry if any(entry) else entry[:-1] + b"\x01"
            except EncodeError as error:
                reasons.append(str(error))
        raise EncodeError("; ".join(reasons))

    def kept(self, measurement: Measurement) -> tuple[Reading, ...]:
        """What the kind of entry keeps that keeps most of its readings."""
        return max((kept_in([(kind, layout)], measurement) for kind, layout in self._layouts.items()), key=len)

    def encode_history(self, history: tuple[Measurement, ...], time_ms: int, parameters: Mapping[str, float]) -> bytes:
        """An entry for each measurement; that of now has no time."""
        payload = b""
        for measurement in history:
            unix = 0 if measurement.time_ms == time_ms else measurement.time_ms // MS_PER_S
            try:
                payload += self.encode(measurement, parameters)[:TIME_AT] + unix.to_bytes(UNIX_BYTES, "big")
            except OverflowError as error:
                raise EncodeError(f"the time {unix} s cannot be sent") from error
        return payload

    def history_fields(self) -> tuple[CodecField, ...]:
        """What all kinds of entries carry."""
        return tuple(field for layout in self._layouts.values() for field in layout.fields())

    def fields(self) -> tuple[CodecField, ...]:
        """What entries carry, by their kind."""
        return tuple(
            field._replace(frame=f"entry {kind}") for kind, layout in self._layouts.items() for field in layout.fields()
        )


def model(
    name: str,
    kind: str,
    family: Family,
    ports: Mapping[int, Frame],
    *,
    file: str = "",
    parameters: tuple[Parameter, ...] = (),
    privacy: Privacy = Privacy.OPEN,
    untested: bool = False,
) -> Codec:
    """The codec of a model; `file` is its decoder in lorawan-devices where it has another name."""
    return Codec(
        id=f"dragino/{name.lower().replace(' ', '-')}",
        vendor="Dragino",
        model=f"{name} {kind}",
        family=family,
        source=f"Dragino {name} user manual; TheThingsNetwork/lorawan-devices vendor/dragino/{file or name.lower()}.js",
        ports=ports,
        parameters=parameters,
        privacy=privacy,
        untested=untested,
    )
