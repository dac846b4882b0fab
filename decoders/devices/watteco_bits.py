"""The bits of Watteco's batches: numbers, code words and times, taken and put one after the other.

Source: as decoders.devices.watteco_batch. Bits are taken lowest first from each byte. A number of more than eight bits
comes as its uppermost, possibly partial byte, then its further bytes. Code word n below 15 is followed by n bits, 15 by
a number that is not coded.
"""

import struct
from collections.abc import Mapping

from decoders.error import MalformedPayload, WrongLength

BYTE = 8
TIME_BITS = 32
CODING_BITS = 2
LARGEST_WORD = 11
WHOLE = 15
TIMES = 1
FORMAT_BITS: Mapping[str, int] = {"B": 8, "b": 8, "H": 16, "h": 16, "I": 32, "i": 32, "f": 32}
REAL = "f"
FLOAT = struct.Struct(">f")
# Size and pattern of the code words 0 to 15, in three tables.
SHORT = ((6, 0x21), (7, 0x41), (8, 0x81), (10, 0x200), *((11, 0x402 + number) for number in range(6)))
WORDS = (
    ((2, 0), (2, 1), (2, 3), (3, 5), (4, 9), (5, 0x11), *SHORT),
    (
        *((7, 0x6F), (5, 0x1A), (4, 0xC), (3, 3), (3, 7), (2, 2), (2, 0), (3, 2)),
        *((6, 0x36), (9, 0x1BB), (9, 0x1B9), (10, 0x375), (10, 0x374), (10, 0x370), (11, 0x6E3), (11, 0x6E2)),
    ),
    ((4, 9), (3, 5), (2, 0), (2, 1), (2, 3), (5, 0x11), *SHORT),
)
CODES = tuple({word: number for number, word in enumerate(table)} for table in WORDS)


class Stream:
    """The bits of a payload, taken one after the other."""

    def __init__(self, payload: bytes) -> None:
        self._bits = int.from_bytes(payload, "little")
        self._end = len(payload) * BYTE
        self._at = 0

    def number(self, bits: int) -> int:
        """A number of so many bits."""
        if self._at + bits > self._end:
            raise WrongLength(f"bit {self._at + bits} is needed; the payload has {self._end}")
        number, size = 0, bits % BYTE or BYTE
        while bits > 0:
            number = number << BYTE | self._bits >> self._at & (1 << size) - 1
            self._at += size
            bits, size = bits - size, BYTE
        return number

    def value(self, code: str) -> float:
        """A raw number of a field's format."""
        bits = FORMAT_BITS[code]
        number = self.number(bits)
        if code == REAL:
            return float(FLOAT.unpack(number.to_bytes(FLOAT.size, "big"))[0])
        return number - (1 << bits) if code.islower() and number >> bits - 1 else number

    def word(self, table: int) -> int:
        """The number of the next code word."""
        codes, pattern = CODES[table], 0
        for size in range(1, LARGEST_WORD + 1):
            pattern = pattern << 1 | self.number(1)
            number = codes.get((size, pattern))
            if number is not None:
                return number
        raise MalformedPayload(f"no code word {pattern:#x} in table {table}")

    def coding(self) -> int:
        """The number of a table."""
        table = self.number(CODING_BITS)
        if table >= len(WORDS):
            raise MalformedPayload(f"no table {table}")
        return table

    def time(self, before_s: int) -> int:
        """A time at or after the one before; in full where there is none."""
        return self.later(before_s, TIMES) if before_s else self.number(TIME_BITS)

    def later(self, before_s: int, table: int) -> int:
        """A time at or after the one before."""
        word = self.word(table)
        if word == WHOLE:
            return self.number(TIME_BITS)
        return before_s + (self.number(word) + (1 << word) - 1 if word else 0)


class Writer:
    """Bits put one after the other."""

    def __init__(self) -> None:
        self._bits = 0
        self._at = 0

    def number(self, number: int, bits: int) -> None:
        """A number of so many bits."""
        size = bits % BYTE or BYTE
        while bits > 0:
            bits -= size
            self._bits |= (number >> bits & (1 << size) - 1) << self._at
            self._at += size
            size = BYTE

    def word(self, table: int, number: int) -> None:
        """A code word, its uppermost bit first."""
        size, pattern = WORDS[table][number]
        for place in reversed(range(size)):
            self.number(pattern >> place & 1, 1)

    def later(self, before_s: int, time_s: int, table: int) -> None:
        """A time at or after the one before."""
        passed = time_s - before_s
        word = (passed + 1).bit_length() - 1
        if word < WHOLE:
            self.word(table, word)
            self.number(passed + 1 - (1 << word), word)
        else:
            self.word(table, WHOLE)
            self.number(time_s, TIME_BITS)

    def payload(self) -> bytes:
        """All bits, the last byte filled up with zeros."""
        return self._bits.to_bytes((self._at + BYTE - 1) // BYTE, "little")
