"""Fixed frames as tables.

    STATUS = Layout(
        ">",
        Field(Quantity.BATTERY_VOLTAGE, "H", divisor=1000),
        Field(Quantity.AIR_TEMPERATURE, "h", divisor=10, invalid=-0x8000),
    )

Divide, do not multiply: raw / 10 is the right decimal, raw · 0.1 often is not.
"""

import struct
from collections.abc import Collection, Iterable, Mapping
from itertools import takewhile
from typing import Literal, NamedTuple

from decoders.codec import CodecField, Decode
from decoders.columns import compile_decode
from decoders.compiled import Read, compile_read, order_of
from decoders.compiled_write import Write, compile_write
from decoders.direct import Direct, Values, Words, Written, values_of
from decoders.error import EncodeError, WrongLength
from decoders.field import BYTEWISE, NOTHING, Attribute, Bits, Const, Field, Given, Pad, Part, Raw
from decoders.frame_source import Form
from decoders.measurement import NO_ATTRIBUTES, Measurement, Place, Reading

Order = Literal["<", ">"]
ORDER_NAMES: Mapping[Order, Literal["little", "big"]] = {"<": "little", ">": "big"}


class Places(NamedTuple):
    """Quantities with their channels that a layout cannot do without, all that it has, and names of its attributes."""

    needed: frozenset[Place]
    all: frozenset[Place]
    names: frozenset[str]


class Layout(Direct):
    """A frame (or a value inside one) of fixed length: parts in their order on the air, `>` big-endian, `<` little.

    Decoding raises WrongLength for any other length and MalformedPayload where a constant differs.
    """

    __slots__ = ("_decode", "_order", "_parts", "_places", "_read", "_unpack", "_words", "_write", "size")
    MADE_LATER = frozenset({"_decode", "_places", "_read", "_write"})
    """Made from the parts with the first frame: most of the catalogue is never used in one city."""
    decisive = True

    def __init__(self, order: Order, *parts: Part) -> None:
        self._order = ORDER_NAMES[order]
        self._parts = parts
        self._words = [part for part in parts if not isinstance(part, Pad)]
        compiled = struct.Struct(order + "".join(_code(part) for part in parts))
        self.size = compiled.size
        self._unpack = compiled
        self._read: Read | None = None
        self._decode: Decode | None = None
        self._places: Places | None = None
        self._write: Write | None = None

    def decode(self, payload: bytes, time_ms: int, parameters: Mapping[str, float]) -> tuple[Measurement, ...]:
        """One measurement at the given time."""
        return (self._decode or self.reader())(payload, time_ms, parameters)

    def reader(self) -> Decode:
        """What `decode` does, as a function."""
        if self._decode is None:
            self._decode = compile_decode(self.forms, self._decode_any)
        return self._decode

    @property
    def head(self) -> bytes:
        """The constants with which the frame begins."""
        constants = tuple(takewhile(lambda part: isinstance(part, Const), self._parts))
        code = "".join(_code(part) for part in constants)
        order = ">" if self._order == "big" else "<"
        return struct.pack(order + code, *(self._raw(part, Given(NOTHING)) for part in constants))

    @property
    def forms(self) -> tuple[Form, ...]:
        """What a decoding function is made of; nothing where `read` does more than the parts say."""
        return (Form(self._parts, self._order, self._unpack),) if type(self).read is Layout.read else ()

    def _decode_any(
        self,
        payload: bytes,
        time_ms: int,
        parameters: Mapping[str, float],  # noqa: ARG002 - a Frame's signature
    ) -> tuple[Measurement, ...]:
        """One measurement of a frame as it should not be, or DecodeError."""
        if len(payload) != self.size:
            raise WrongLength(f"{len(payload)} bytes; the frame has {self.size}")
        readings: list[Reading] = []
        attributes: dict[str, str] = {}
        self.read(payload, 0, readings, attributes)
        return (Measurement.of(time_ms, readings, attributes or NO_ATTRIBUTES),)

    def read(self, payload: bytes, at: int, readings: list[Reading], attributes: dict[str, str]) -> None:
        """Append what stands at byte `at`; the caller has checked the length."""
        read = self._read
        if read is None:
            read = self._read = compile_read(self._words, self._order, self._unpack.unpack_from)
        read(payload, at, readings, attributes)

    def encode(self, measurement: Measurement, parameters: Mapping[str, float]) -> bytes:
        """The frame that carries the whole measurement, or EncodeError."""
        found = self.written(values_of(measurement.readings), measurement.attributes, parameters)
        if found is not None:
            return found.payload
        given = Given(measurement)
        payload = self.write(given)
        given.refuse_rest()
        return payload

    def written(self, values: Values, words: Words, parameters: Mapping[str, float]) -> Written | None:  # noqa: ARG002 - a Frame's figures
        """The frame of all these values and words; None where one has no place, is missing, or does not fit."""
        found = self.part(values, words)
        return found if found is not None and found[2] == len(values) + len(words) else None

    def part(self, values: Values, words: Words) -> Written | None:
        """The frame of those values and words that it has places for; None where one is missing or does not fit."""
        write = self._write
        if write is None:
            write = self._write = compile_write(self._words, self._order, self._unpack.pack)
        return write(values, words)

    def has_places(self, places: Collection[Place]) -> bool:
        """Whether readings of just these places could be carried, whatever their values are."""
        mine = self.places
        return mine.needed.issubset(places) and mine.all.issuperset(places)

    def write(self, given: Given) -> bytes:
        """The frame with what it takes out of `given`; raises EncodeError."""
        found = self.part(given.values, given.attributes)
        if found is None:
            return self._packed(given)
        mine = self.places
        for place in mine.all:
            given.values.pop(place, None)
        for name in mine.names:
            given.attributes.pop(name, None)
        return found.payload

    def _packed(self, given: Given) -> bytes:
        """The same word by word, which says what does not fit."""
        try:
            return self._unpack.pack(*(self._raw(word, given) for word in self._words))
        except (struct.error, OverflowError) as error:
            raise EncodeError(f"a value does not fit its place: {error}") from error

    def carries(self, given: Given) -> bool:
        """Whether `given` holds something of this layout, and all that it cannot do without."""
        places = self.places
        values = given.values.keys()
        if not places.needed <= values:
            return False
        return not places.all.isdisjoint(values) or not places.names.isdisjoint(given.attributes)

    @property
    def places(self) -> Places:
        """What the layout has places for."""
        if self._places is None:
            self._places = self._places_of_fields()
        return self._places

    def _places_of_fields(self) -> Places:
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
