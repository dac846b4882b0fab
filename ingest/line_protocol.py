r"""Line protocol: `measurement,tag=value field=1.5,text="a" 1700000000000`, one point a line, time in ms.

Source: InfluxDB 1.8 documentation, "Line protocol reference" (syntax, data types, special characters), and the 1.8.10
server, whose reading of backslashes is kept: outside strings a backslash escapes a comma, an equals sign or a space and
is itself otherwise; inside strings it escapes a quotation mark or a backslash.

What a line cannot carry is made to fit, always the same way: control characters (newlines first of all) become spaces,
lone surrogates U+FFFD, backslashes in a field key slashes; backslashes at the end of a measurement, tag key or tag
value are left out, and so are a tag without key or value and a field without key. An infinity or NaN is never written.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple, NoReturn

from rules.point import Point

LAST_TIME_MS = 9_223_372_036_854
"""The server keeps time as 64 bits of nanoseconds."""

_SPACED = str.maketrans(dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029], " "))
_SURROGATE = re.compile("[\ud800-\udfff]")
_SAFE = re.compile(r"[\w./:-]*", re.ASCII).fullmatch
_SPECIAL = re.compile(r"[,= ]")
_SPECIAL_IN_MEASUREMENT = re.compile(r"[, ]")
_ESCAPED = re.compile(r"\\([,= ])")
_ESCAPED_IN_MEASUREMENT = re.compile(r"\\([, ])")
_ESCAPED_IN_STRING = re.compile(r'\\(["\\])')

# A name: plain characters, special ones behind a backslash, backslashes before anything else.
_NAME = r"(?:[^,=\\ ]++|\\[,= ]|\\(?![,= ]))++"
_MEASUREMENT = re.compile(r"(?!#)(?:[^,\\ ]++|\\[, ]|\\(?![, ]))++")
_TAG = re.compile(rf",({_NAME})=({_NAME})")
_FIELD = re.compile(rf'({_NAME})=(?:"((?:[^"\\]++|\\.)*+)"|([^", ]++))(?=[, ])')
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|-?\d+[iu]", re.ASCII)
_FLAGS = dict.fromkeys(("t", "T", "true", "True", "TRUE"), 1.0) | dict.fromkeys(
    ("f", "F", "false", "False", "FALSE"), 0.0
)
_TIME = re.compile(r" (-?\d{1,19})", re.ASCII)


class LineError(ValueError):
    """Bytes that are not one line of line protocol; the message says where and what was expected."""


class Line(NamedTuple):
    """One line, read: Influx measurement, tags, fields (numbers and flags as floats) and time in ms."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, float | str]
    time_ms: int


def series(measurement: str, tags: Iterable[tuple[str, str]]) -> str:
    """The escaped measurement and its tags, sorted by key: what `line` begins with. Of equal keys the last wins."""
    kept = {escaped(key): escaped(value) for key, value in tags}
    written = "".join([f",{key}={kept[key]}" for key in sorted(kept) if key and kept[key]])
    return _SPECIAL_IN_MEASUREMENT.sub(r"\\\g<0>", _plain(measurement).rstrip("\\")) + written


def line(series: str, fields: Iterable[tuple[str, float | str]], time_ms: int) -> str | None:
    """One line without its newline, or None when no field is left to write."""
    written = []
    for key, value in fields:
        if not key:
            continue
        if isinstance(value, float):
            if value - value == 0.0:
                written.append(f"{_field_key(key)}={value!r}")
        elif isinstance(value, str):
            written.append(f'{_field_key(key)}="{_string(value)}"')
        else:
            written.append(f"{_field_key(key)}={float(value)!r}")
    return f"{series} {','.join(written)} {time_ms}" if written else None


def encode(point: Point) -> str | None:
    """The line of a point, or None when it has no field to write."""
    return line(_series_of(point.measurement, point.tags), point.fields, point.time_ms)


def parse(line: bytes) -> Line:
    """Read one line; raises LineError. A time is required: without it a repeated line would be a second point."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise LineError(f"not UTF-8 at byte {error.start}") from error
    if "\n" in text:
        raise LineError("more than one line")
    measurement, tags, at = parse_series(text)
    fields, at = _parse_fields(text, at + 1)
    time = _TIME.fullmatch(text, at)
    time_ms = int(time[1]) if time else LAST_TIME_MS + 1
    if abs(time_ms) > LAST_TIME_MS:
        _fail(text, at, "a time in ms")
    return Line(measurement, tags, fields, time_ms)


def parse_series(text: str) -> tuple[str, dict[str, str], int]:
    """Measurement and tags at the beginning of a line, and where they end; raises LineError."""
    measurement = _MEASUREMENT.match(text)
    if measurement is None:
        raise LineError(f"column 1: expected a measurement, got {text[:40]!r}")
    tags: dict[str, str] = {}
    at = measurement.end()
    while tag := _TAG.match(text, at):
        key = _unescape(tag[1])
        if key in tags:
            _fail(text, at, f"no second tag {key!r}")
        tags[key] = _unescape(tag[2])
        at = tag.end()
    if text[at : at + 1] not in {"", " "}:
        _fail(text, at, "a tag `,key=value` or a space")
    return _ESCAPED_IN_MEASUREMENT.sub(r"\1", measurement[0]), tags, at


def _parse_fields(text: str, at: int) -> tuple[dict[str, float | str], int]:
    fields: dict[str, float | str] = {}
    while field := _FIELD.match(text, at):
        key, string, bare = field.groups()
        fields[_unescape(key)] = _ESCAPED_IN_STRING.sub(r"\1", string) if bare is None else _number(text, at, bare)
        at = field.end()
        if text[at] == " ":
            return fields, at
        at += 1
    return _fail(text, at, "a field `key=value` and a time")


def _number(text: str, at: int, bare: str) -> float:
    if bare in _FLAGS:
        return _FLAGS[bare]
    value = float(bare.rstrip("iu")) if _NUMBER.fullmatch(bare) else float("nan")
    return value if value - value == 0.0 else _fail(text, at, "a finite number, a flag or a string")


def _fail(text: str, at: int, expected: str) -> NoReturn:
    raise LineError(f"column {at + 1}: expected {expected}, got {text[at : at + 40]!r}")


def _plain(text: str) -> str:
    return text if text.isprintable() else _SURROGATE.sub("\ufffd", text.translate(_SPACED))


def escaped(text: str) -> str:
    """A tag key, tag value or field key as a line carries it."""
    if _SAFE(text):
        return text
    return _SPECIAL.sub(r"\\\g<0>", _plain(text).rstrip("\\"))


def _string(text: str) -> str:
    return _plain(text).replace("\\", "\\\\").replace('"', '\\"')


def _unescape(text: str) -> str:
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


@lru_cache(4096)
def _field_key(text: str) -> str:
    return escaped(text.replace("\\", "/"))


_series_of = lru_cache(65_536)(series)
