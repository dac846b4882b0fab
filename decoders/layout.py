"""Fixed frames as tables.

    STATUS = Layout(
        ">",
        Field(Quantity.BATTERY_VOLTAGE, "H", divisor=1000),
        Field(Quantity.AIR_TEMPERATURE, "h", divisor=10, invalid=-0x8000),
    )

Divide, do not multiply: raw / 10 is the right decimal, raw · 0.1 often is not.
"""

import struct
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from decoders.codec import CodecField
from decoders.compiled import Read, compile_read, order_of
from decoders.error import EncodeError, WrongLength
from decoders.field import BYTEWISE, Attribute, Bits, Const, Field, Given, Pad, Part, Raw, new_tuple
from decoders.measurement import NO_ATTRIBUTES, Measurement, Reading
from decoders.quantity import Quantity

Order = Literal["<", ">"]
ORDER_NAMES: Mapping[Order, Literal["little", "big"]] = {"<": "little", ">": "big"}


class Places(NamedTuple):
    """Quantities with their channels that a layout cannot do without, all that it has, and names of its attributes."""

    needed: frozenset[tuple[Quantity, str]]
    all: frozenset[tuple[Quantity, str]]
    names: frozenset[str]


class Layout:
    """A frame (or a value inside one) of fixed length: parts in their order on the air, `>` big-endian, `<` little.

    Decoding raises WrongLength for any other length and MalformedPayload where a constant differs.
    """

    __slots__ = ("_order", "_parts", "_places", "_read", "_unpack", "_words", "size")
    MADE_LATER = frozenset({"_places", "_read"})
    """Made from the parts with the first frame: most of the catalogue is never used in one city."""

    def __init__(self, order: Order, *parts: Part) -> None:
        self._order = ORDER_NAMES[order]
        self._parts = parts
        self._words = [part for part in parts if not isinstance(part, Pad)]
        compiled = struct.Struct(order + "".join(_code(part) for part in parts))
        self.size = compiled.size
        self._unpack = compiled
        self._read: Read | None = None
        self._places: Places | None = None

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:  # noqa: ARG002 - a Frame's signature
        """One measurement at the given time."""
        if len(payload) != self.size:
            raise WrongLength(f"{len(payload)} bytes; the frame has {self.size}")
        readings: list[Reading] = []
        attributes: dict[str, str] = {}
        self.read(payload, 0, readings, attributes)
        return (new_tuple(Measurement, (time_ms, tuple(readings), attributes or NO_ATTRIBUTES)),)

    def read(self, payload: bytes, at: int, readings: list[Reading], attributes: dict[str, str]) -> None:
        """Append what stands at byte `at`; the caller has checked the length."""
        read = self._read
        if read is None:
            read = self._read = compile_read(self._words, self._order, self._unpack.unpack_from)
        read(payload, at, readings, attributes)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:  # noqa: ARG002 - a Frame's signature
        """The frame that carries the whole measurement, or EncodeError."""
        given = Given(measurement)
        payload = self.write(given)
        given.refuse_rest()
        return payload

    def write(self, given: Given) -> bytes:
        """The frame with what it takes out of `given`; raises EncodeError."""
        try:
            return self._unpack.pack(*(self._raw(word, given) for word in self._words))
        except (struct.error, OverflowError) as error:
            raise EncodeError(f"a value does not fit its place: {error}") from error

    def carries(self, given: Given) -> bool:
        """Whether `given` holds something of this layout, and all that it cannot do without."""
        places = self._places
        if places is None:
            places = self._places = self._places_of_fields()
        values = given.values.keys()
        if not places.needed <= values:
            return False
        return not places.all.isdisjoint(values) or not places.names.isdisjoint(given.attributes)

    def _places_of_fields(self) -> "Places":
        fields = [((field.quantity, field.channel), bool(field.markers)) for field in self.parts()]
        return Places(
            frozenset(place for place, optional in fields if not optional),
            frozenset(place for place, _ in fields),
            frozenset(word.name for word in self._attributes()),
        )

    def fields(self) -> tuple[CodecField, ...]:
        """What the layout carries."""
        return tuple(field.describe() for field in self.parts())

    def parts(self) -> Iterable[Field]:
        """The fields in their order, those inside bits too."""
        for word in self._words:
            if isinstance(word, Field):
                yield word
            elif isinstance(word, Bits):
                yield from word.fields

    def _attributes(self) -> Iterable[Attribute]:
        for word in self._words:
            if isinstance(word, Attribute):
                yield word
            elif isinstance(word, Bits):
                yield from word.attributes

    def _raw(self, word: Part, given: Given) -> Raw:
        if isinstance(word, Const):
            return word.value
        if isinstance(word, Pad):
            return bytes(word.size)
        raw = word.write(given)
        if isinstance(word, Field) and word.format in BYTEWISE and isinstance(raw, int):
            return raw.to_bytes(BYTEWISE[word.format], order_of(word.format, self._order), signed=word.format == "s24")
        return raw


def _code(part: Part) -> str:
    if isinstance(part, Pad):
        return f"{part.size}x"
    if isinstance(part, Field):
        return f"{BYTEWISE[part.format]}s" if part.format in BYTEWISE else part.format
    return part.code
