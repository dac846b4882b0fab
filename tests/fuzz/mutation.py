"""Damage: bytes flipped, cut and spliced; JSON trees with wrong types, numbers and depths."""

import json
from collections.abc import Sequence
from random import Random
from typing import NamedTuple, TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"
MOST_CHANGES = 4
LONGEST_CUT = 24
INTERESTING = tuple(bytes((byte,)) for byte in b'\0\n\x7f\x80\xed\xff\\ ",={[')
DEPTHS = (3, 60, 150, 240, 330, 600, 950, 1200)
WORDS = (
    *("", "\0", "\x1b[31m", "\u2028", "ä😀", " ", "/", "+", "#", "\\", "x" * 5000, "NaN", "inf", "1e400", "-0"),
    *("a\nb", "\ud800", "temperature", "°C", "value", "0001-01-01T00:00:00+14:00", "2026-03-14T09:26:53+24:00"),
    *("9999-12-31T23:59:59.999999999-23:59", "1677-09-21T00:12:43Z", "2026-03-14", "2026-03-14T09:26:60Z"),
    *("2262-04-11T23:47:17Z", "1969-12-31T23:59:59.9999Z", "0000-01-01T00:00:00Z", "9" * 400),
    *("codec", "elsys/generic", "AAAA", "AQ=A", "70b3d57ed0000001", "7" * 16),
)
NUMBERS = (
    *("0", "1", "2", "5", "10", "50", "90", "100", "500", "1000", "-0", "-1", "1.5", "255", "256", "65536"),
    *("2147483648", "4294967296", "9223372036854775808", "-9223372036854775809", "18446744073709551616"),
    *("1e15", "1e18", "1e308", "-1e308", "5e-324", "1e400", "-1e400", "1e-400"),
    *("1" + "0" * 400, "9" * 4299, "9" * 5000, "0." + "1" * 2000),
)
OTHERS = (
    *("null", "true", "false", "[]", "{}", "NaN", "Infinity", "-Infinity", "[null]", '{"":0}', '{"a":1,"a":2}'),
    *('"\\ud800"', '"\\udfff\\ud800x"', '"\\u0000"', "'", "01", "+1", "[1,]"),
)
TOKENS = (*NUMBERS, *OTHERS, *(json.dumps(word) for word in WORDS))


def mutate_bytes(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """A few changes anywhere."""
    for _ in range(_changes(random)):
        data = _change(random, data, others)
    return data


def _changes(random: Random) -> int:
    return random.choice((1, 1, 1, 2, MOST_CHANGES))


def _change(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    at = random.randint(0, len(data))
    behind = data[min(len(data), at + random.randint(0, LONGEST_CUT)) :]
    match random.randint(0, 9):
        case 0:
            middle, behind = b"", b""
        case 1:
            middle = b""
        case 2:
            middle, behind = data[at : at + random.randint(1, LONGEST_CUT)], data[at:]
        case 3:
            middle, behind = random.randbytes(random.randint(1, 8)), data[at:]
        case 4:
            middle = random.choice(INTERESTING)
        case 5:
            middle = _excerpt(random, random.choice(others))
        case 6 | 7:
            middle, behind = random.randbytes(len(data[at : at + 1])), data[at + 1 :]
        case _:
            middle, behind = bytes(byte ^ 1 << random.randint(0, 7) for byte in data[at : at + 1]), data[at + 1 :]
    return data[:at] + middle + behind


def _excerpt(random: Random, other: bytes) -> bytes:
    begin = random.randint(0, len(other))
    return other[begin : begin + random.randint(1, 4 * LONGEST_CUT)]


def mutate_json(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """A few changes in the tree; now and then, and in what is no JSON, of the bytes."""
    tree = read_json(data)
    if tree is None or not random.randint(0, 7):
        return mutate_bytes(random, data, others)
    for _ in range(_changes(random)):
        slots = _slots(tree)
        if slots:
            _change_slot(random, random.choice(slots), read_json(random.choice(others)))
    return write_json(tree).encode("utf-8", "surrogatepass")


def read_json(data: bytes) -> Json:
    """The tree, or None for what is no JSON."""
    try:
        tree: Json = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return tree


class Slot(NamedTuple):
    """A place in a tree and what stands there."""

    node: "dict[str, Json] | list[Json]"
    key: str | int
    value: Json


class Raw(str):
    """Text that goes into the JSON as it is."""

    __slots__ = ()


def write_json(tree: Json) -> str:
    """JSON text; a tree too deep, or with a number too long to be written, becomes null."""
    try:
        return _write(tree)
    except (RecursionError, ValueError):
        return "null"


def _write(tree: Json) -> str:
    if isinstance(tree, Raw):
        return tree
    if isinstance(tree, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_write(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(_write(value) for value in tree) + "]"
    return json.dumps(tree)


def _slots(tree: Json) -> list[Slot]:
    """Every place of a value in the tree."""
    found: list[Slot] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            found += [Slot(node, key, value) for key, value in node.items()]
            waiting += node.values()
        elif isinstance(node, list):
            found += [Slot(node, index, value) for index, value in enumerate(node)]
            waiting += node
    return found


def _change_slot(random: Random, slot: Slot, other: Json) -> None:
    node, value = slot.node, _new_value(random, slot.value, other)
    if isinstance(node, list):
        node[int(slot.key)] = value
        return
    key = str(slot.key)
    if key not in node:
        return
    match random.randint(0, 9):
        case 0:
            del node[key]
        case 1:
            node[key] = Raw(f"{write_json(node[key])},{json.dumps(key)}:{write_json(value)}")
        case 2:
            node[random.choice(WORDS)] = value
        case _:
            node[key] = value


def _new_value(random: Random, old: Json, other: Json) -> Json:
    if isinstance(old, int | float) and random.randint(0, 1):
        return random.choice((old + 1, old - 1, old * 2, -old))
    match random.randint(0, 7):
        case 0:
            depth = random.choice(DEPTHS)
            opening, closing = random.choice((("[", "]"), ('{"a":', "}"), ('[{"b":', "}]")))
            return Raw(opening * depth + "1" + closing * depth)
        case 1 if slots := _slots(other):
            return Raw(write_json(random.choice(slots).value))
        case _:
            return Raw(random.choice(TOKENS))
