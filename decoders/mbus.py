"""M-Bus records: what they are made of, and what their headers mean.

A record is a data information block (DIF, DIFEs: coding, function, storage number, tariff, subunit), a value
information block (VIF, VIFEs: quantity and power of ten) and the value. Source: EN 13757-3, chapters 6 and 7, annex A.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from struct import Struct
from typing import NamedTuple

from decoders.error import MalformedPayload, WrongLength
from decoders.field import new_tuple
from decoders.quantity import Quantity

EXTENSION = 0x80
CODING = 0x0F
FILLER = 0x2F
MANUFACTURER_DATA = (0x0F, 0x1F)
MAXIMUM, MINIMUM, FAULTY = 1, 2, 3
FUNCTIONS = {MAXIMUM: "max", MINIMUM: "min"}
LONGEST_BLOCK = 10
REMEMBERED = 4096
LARGEST_TEXT = 0xBF
SIZES = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 4, 6: 6, 7: 8, 8: 0, 9: 1, 10: 2, 11: 3, 12: 4, 14: 6}
TEXT = 0x0D
FLOAT = 0x05
DECIMAL = frozenset((9, 10, 11, 12, 14))
DATE_BYTES, MINUTE_BYTES, SECOND_BYTES = 2, 4, 6
REAL = Struct("<f")
DIGITS = 6
J_PER_KWH = 3_600_000
KWH_PER_MCAL_1000 = 1163


class Head(NamedTuple):
    """What stands before a value: where it belongs, what it is (VIF and VIFEs as they were sent), its coding.

    `channel` names function, storage number, tariff and subunit, as far as they are not the common ones; `size` is the
    value's length, -1 where the value itself begins with it. `read` makes a number of the value's bytes; None where it
    is faulty, invalid or no number. `key` is meaning and channel.
    """

    function: int
    storage: int
    channel: str
    meaning: bytes
    coding: int
    size: int
    read: Callable[[bytes], float | None]
    key: tuple[bytes, str]


class Record(NamedTuple):
    """One record: what stands before its value, and the value's bytes."""

    head: Head
    raw: bytes

    @property
    def number(self) -> float | None:
        """The value; None where it is faulty, invalid or no number."""
        return self.head.read(self.raw)


def _reader(function: int, coding: int) -> Callable[[bytes], float | None]:
    """How a value of this coding becomes a number."""
    if function == FAULTY or coding == TEXT or not SIZES.get(coding):
        return _nothing
    if coding in DECIMAL:
        return _decimal
    return _real if coding == FLOAT else _whole


def _nothing(raw: bytes) -> None:
    """No number."""


def _real(raw: bytes) -> float | None:
    real: float = round(REAL.unpack(raw)[0], DIGITS)
    return real if isfinite(real) else None


def _whole(raw: bytes) -> int | None:
    """The least number there is means none."""
    number = int.from_bytes(raw, "little", signed=True)
    return None if number == -1 << 8 * len(raw) - 1 else number


def _decimal(raw: bytes) -> int | None:
    """Binary coded decimals, lowest first; an F in the highest place is a minus, any other letter is no number."""
    digits = raw[::-1].hex()
    if digits.isdecimal():
        return int(digits)
    return -int(digits[1:]) if digits[0] == "f" and digits[1:].isdecimal() else None


def records(payload: bytes, at: int = 0) -> Iterator[Record]:
    """The records from byte `at` on; raises WrongLength for a truncated one, MalformedPayload for a coding of none."""
    end = len(payload)
    while at < end:
        first = payload[at]
        if first & CODING == CODING:
            if first in MANUFACTURER_DATA:
                return
            if first == FILLER:
                at += 1
                continue
        meaning = _block(payload, at) if first & EXTENSION else at + 1
        value = meaning + 1
        if value > end or payload[meaning] & EXTENSION:
            value = _block(payload, meaning)
        head = _head(payload[at:value], meaning - at)
        size = head.size
        if size < 0:
            size, value = _text_size(payload, head.coding, value)
        at = value + size
        if at > end:
            raise WrongLength(f"the value of {head.meaning.hex()} ends at byte {at}; the payload at {end}")
        yield new_tuple(Record, (head, payload[value:at]))


@lru_cache(REMEMBERED)
def _head(block: bytes, meaning: int) -> Head:
    """What the bytes before a value say; the value information block begins at byte `meaning` of them."""
    function, storage, tariff, subunit = _address(block[:meaning])
    words = [FUNCTIONS[function]] if function in FUNCTIONS else []
    numbers = (("storage", storage), ("tariff", tariff), ("input", subunit))
    channel = "_".join(words + [f"{word}{number}" for word, number in numbers if number])
    coding = block[0] & CODING
    size, said = SIZES.get(coding, -1), block[meaning:]
    return Head(function, storage, channel, said, coding, size, _reader(function, coding), (said, channel))


def _block(payload: bytes, at: int) -> int:
    """The byte behind a block of bytes, all of which but the last have the extension bit."""
    start = at
    while at < len(payload) and payload[at] & EXTENSION:
        at += 1
    if at >= len(payload):
        raise WrongLength(f"the block at byte {start} has no end")
    if at - start > LONGEST_BLOCK:
        raise MalformedPayload(f"the block at byte {start} has more than {LONGEST_BLOCK} extensions")
    return at + 1


def _address(block: bytes) -> tuple[int, int, int, int]:
    """Function, storage number, tariff and subunit of a data information block."""
    storage, tariff, subunit = block[0] >> 6 & 1, 0, 0
    for number, extension in enumerate(block[1:]):
        storage |= (extension & 0xF) << 1 + 4 * number
        tariff |= (extension >> 4 & 3) << 2 * number
        subunit |= (extension >> 6 & 1) << number
    return block[0] >> 4 & 3, storage, tariff, subunit


def _text_size(payload: bytes, coding: int, at: int) -> tuple[int, int]:
    """The length of a text and where it begins."""
    if coding != TEXT:
        raise MalformedPayload(f"coding {coding:#x} before byte {at} is none of a record")
    if at >= len(payload):
        raise WrongLength(f"the text at byte {at} has no length")
    if payload[at] > LARGEST_TEXT:
        raise MalformedPayload(f"length {payload[at]:#x} at byte {at} is none of a text")
    return payload[at], at + 1


class Scale(NamedTuple):
    """What a value information block means: value · multiplier / divisor, in the quantity's unit."""

    quantity: Quantity
    multiplier: int
    divisor: int


def _power(quantity: Quantity, exponent: int) -> Scale:
    return Scale(quantity, 10 ** max(exponent, 0), 10 ** max(-exponent, 0))


def _scales() -> Iterator[tuple[bytes, Scale]]:
    for n in range(8):
        yield bytes((n,)), _power(Quantity.ENERGY_TOTAL, n - 6)
        yield bytes((0x08 | n,)), Scale(Quantity.ENERGY_TOTAL, 10**n, J_PER_KWH)
        yield bytes((0x10 | n,)), _power(Quantity.VOLUME_TOTAL, n - 3)
        yield bytes((0x28 | n,)), _power(Quantity.POWER, n - 3)
        yield bytes((0x30 | n,)), Scale(Quantity.POWER, 10**n, 3600)
        yield bytes((0x38 | n,)), _power(Quantity.VOLUME_FLOW, n - 3)
    for n in range(4):
        yield bytes((0x58 | n,)), _power(Quantity.FLOW_TEMPERATURE, n - 3)
        yield bytes((0x5C | n,)), _power(Quantity.RETURN_TEMPERATURE, n - 3)
        yield bytes((0x64 | n,)), _power(Quantity.EXTERNAL_TEMPERATURE, n - 3)
    for n in range(2):
        yield bytes((0xFB, n)), _power(Quantity.ENERGY_TOTAL, n + 2)
        yield bytes((0xFB, 0x08 | n)), Scale(Quantity.ENERGY_TOTAL, 10 ** (n + 8), J_PER_KWH)
    for n in range(3):
        yield bytes((0xFB, 0x0D + n)), Scale(Quantity.ENERGY_TOTAL, KWH_PER_MCAL_1000 * 10**n, 1000)


SCALES: Mapping[bytes, Scale] = dict(_scales())


def moment(raw: bytes) -> datetime | None:
    """Type G (date, 2 bytes), F (minutes, 4 bytes) or I (seconds, 6 bytes), as UTC; None where it is no valid time."""
    second, minute, hour = 0, 0, 0
    if len(raw) == DATE_BYTES:
        day, month = raw
    elif len(raw) == MINUTE_BYTES:
        minute, hour, day, month = raw
    elif len(raw) == SECOND_BYTES:
        second, minute, hour, day, month, _ = raw
    else:
        return None
    year = 2000 + (day >> 5 | month >> 4 << 3)
    try:
        return datetime(year, month & 0xF, day & 0x1F, hour & 0x1F, minute & 0xBF, second & 0x3F, tzinfo=UTC)
    except ValueError:
        return None
