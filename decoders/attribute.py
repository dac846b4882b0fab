"""Attributes of devices: numbers, versions, listed words, hexadecimal and plain text."""

from collections.abc import Mapping
from math import isfinite

from decoders.field import Attribute, Raw


def number(name: str, code: str) -> Attribute:
    """A number as decimal digits."""
    return Attribute(name, code, str, int)


def real(name: str, code: str = "f") -> Attribute:
    """A float; nothing for NaN and infinity."""

    def text(raw: Raw) -> str:
        return f"{raw:g}" if isinstance(raw, float) and isfinite(raw) else ""

    return Attribute(name, code, text, float)


def words(name: str, code: str, listed: Mapping[int, str]) -> Attribute:
    """A number with a meaning each; one that is not listed keeps its digits."""
    numbers = {text: raw for raw, text in listed.items()}

    def text(raw: Raw) -> str:
        return listed.get(_integer(raw), str(raw))

    def parse(text: str) -> int:
        return numbers[text] if text in numbers else int(text)

    return Attribute(name, code, text, parse)


def flags(name: str, code: str, listed: Mapping[int, str]) -> Attribute:
    """The words of all bits that are set, lowest first, and "bit 5" for one that is not listed; "" if none is."""
    numbers = {word: bit for bit, word in listed.items()}

    def text(raw: Raw) -> str:
        bits = _integer(raw)
        return ", ".join(listed.get(bit, f"bit {bit}") for bit in range(bits.bit_length()) if bits >> bit & 1)

    def parse(text: str) -> int:
        words = text.split(", ")
        return sum(1 << (numbers[word] if word in numbers else int(word.removeprefix("bit "))) for word in words)

    return Attribute(name, code, text, parse)


def version(name: str, parts: int = 3) -> Attribute:
    """A version of one byte a part: 2.4.9."""
    return Attribute(name, f"{parts}s", lambda raw: ".".join(map(str, _bytes(raw))), _dotted)


def nibble_version(name: str) -> Attribute:
    """A version of two nibbles and a byte: 11 00 is 1.1.0."""

    def text(raw: Raw) -> str:
        first, patch = _bytes(raw)
        return f"{first >> 4}.{first & 0xF}.{patch}"

    def parse(text: str) -> bytes:
        major, minor, patch = (int(part) for part in text.split("."))
        return bytes(((major << 4) | minor, patch))

    return Attribute(name, "2s", text, parse)


def hexadecimal(name: str, size: int) -> Attribute:
    """Bytes as lower case hexadecimal digits."""
    return Attribute(name, f"{size}s", lambda raw: _bytes(raw).hex(), bytes.fromhex)


def plain_text(name: str, size: int) -> Attribute:
    """ASCII up to the first zero byte; what is not printable is shown as a question mark."""
    return Attribute(name, f"{size}s", lambda raw: printable(_bytes(raw)), lambda text: text.encode("ascii"))


def printable(raw: bytes) -> str:
    """ASCII up to the first zero byte, question marks for all that is not printable."""
    text = raw.split(b"\0", 1)[0].decode("ascii", errors="replace")
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in text)


def _dotted(text: str) -> bytes:
    return bytes(int(part) for part in text.split("."))


def _bytes(raw: Raw) -> bytes:
    if not isinstance(raw, bytes):
        raise TypeError(f"{raw!r} are no bytes")
    return raw


def _integer(raw: Raw) -> int:
    if not isinstance(raw, int):
        raise TypeError(f"{raw!r} is no integer")
    return raw
