"""The syntax tree of a type-checked expression, read from its serialised form.

That form is the protocol buffer `cel.expr.CheckedExpr` (cel-spec, proto/cel/expr/checked.proto and syntax.proto),
inside a `google.protobuf.Any`. Only the parts that a condition may consist of are told apart.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

Constant: TypeAlias = bool | int | float | str | None
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
CHECKED = 2
EXPRESSION, SOURCE_INFO = 4, 5
POSITIONS = 4
ID, CONSTANT, IDENTIFIER, CALL = 2, 3, 4, 6
TARGET, FUNCTION, ARGUMENTS = 1, 2, 3
BOOL, INT, DOUBLE, STRING = 2, 3, 5, 6


class Node(NamedTuple):
    """A part of an expression; `position` counts characters of the source from 0.

    `kind` is `constant` (its `value`), `identifier` or `call` (its `name`, with arguments), or `other`: whatever else
    the language has (lists, maps, fields, methods, comprehensions).
    """

    kind: str
    position: int
    name: str = ""
    value: Constant = None
    arguments: tuple["Node", ...] = ()


def tree(serialised: bytes) -> Node:
    """The tree of an expression in its serialised form."""
    checked = _message(_message(serialised)[CHECKED][0])
    positions: dict[int, int] = {}
    for entry in _message(_message_of(checked, SOURCE_INFO)).get(POSITIONS, ()):
        numbers = _message(_bytes(entry))
        positions[_first(numbers, 1)] = _first(numbers, 2)
    return _node(_message_of(checked, EXPRESSION), positions)


def _node(data: bytes, positions: dict[int, int]) -> Node:
    parts = _message(data)
    position = positions.get(_first(parts, ID), 0)
    if CONSTANT in parts:
        return Node("constant", position, value=_constant(_message_of(parts, CONSTANT)))
    if IDENTIFIER in parts:
        name = _message(_message_of(parts, IDENTIFIER))[1][0]
        return Node("identifier", position, _bytes(name).decode())
    if CALL in parts:
        call = _message(_message_of(parts, CALL))
        if TARGET not in call:
            arguments = tuple(_node(_bytes(each), positions) for each in call.get(ARGUMENTS, ()))
            return Node("call", position, _message_of(call, FUNCTION).decode(), arguments=arguments)
    return Node("other", position)


def _constant(data: bytes) -> Constant:
    ((kind, (value, *_)),) = _message(data).items()
    if kind == BOOL:
        return bool(value)
    if kind == DOUBLE:
        (number,) = struct.unpack("<d", _bytes(value))
        return float(number)
    if kind == STRING:
        return _bytes(value).decode()
    return value if kind == INT and isinstance(value, int) else None


def _message(data: int | bytes) -> dict[int, list[int | bytes]]:
    """The fields of a message by number."""
    found: dict[int, list[int | bytes]] = {}
    for number, value in _fields(_bytes(data)):
        found.setdefault(number, []).append(value)
    return found


def _message_of(message: dict[int, list[int | bytes]], number: int) -> bytes:
    return _bytes(message[number][0]) if number in message else b""


def _first(message: dict[int, list[int | bytes]], number: int) -> int:
    value = message[number][0] if number in message else 0
    return value if isinstance(value, int) else 0


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise TypeError("a number where a message was expected")
    return value


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        wire = key & 7
        if wire == VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if wire == BYTES:
            length, at = _varint(data, at)
        elif wire in {FIXED64, FIXED32}:
            length = 8 if wire == FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire} at byte {at}")
        yield key >> 3, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return value, at
