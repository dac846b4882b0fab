"""A vendor's codec against the tests that come with it."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from decoders.error import DecodeError
from decoders.javascript import ScriptCodec
from ingest.codecs.repository import Case, Kind, Script

RELATIVE, ABSOLUTE = 1e-6, 1e-9
SHOWN = 80


class Failure(NamedTuple):
    """A test that failed, and why."""

    kind: Kind
    name: str
    reason: str


class Trial(NamedTuple):
    """How a codec fared: tests passed by kind, and those that failed."""

    codec: str
    passed: Mapping[Kind, int]
    failed: tuple[Failure, ...]

    @property
    def tests(self) -> int:
        """All that were run."""
        return sum(self.passed.values()) + len(self.failed)


def run(script: Script, codec: ScriptCodec) -> Trial:
    """All tests of a script; one that cannot be loaded fails as a whole."""
    try:
        codec.learn()
    except DecodeError as error:
        return Trial(script.key, {}, (Failure("decode", "load", str(error)),))
    passed: dict[Kind, int] = {}
    failed: list[Failure] = []
    for case in script.cases:
        reason = _failing(codec, case)
        if reason:
            failed.append(Failure(case.kind, case.name, reason))
        else:
            passed[case.kind] = passed.get(case.kind, 0) + 1
    return Trial(script.key, passed, tuple(failed))


def _failing(codec: ScriptCodec, case: Case) -> str:
    try:
        found = _decoded(codec, case.given) if case.kind == "decode" else _encoded(codec, case.given)
    except (DecodeError, ValueError, TypeError, OverflowError) as error:
        return str(error)
    for key in ("data", "bytes", "fPort", "errors", "warnings"):
        if key in case.expected:
            empty: object = [] if key in {"errors", "warnings"} else None
            reason = difference(case.expected[key] or empty, found.get(key) or empty, key)
            if reason:
                return reason
    if not case.expected.keys() & found.keys():
        return difference(case.expected, found.get("data", found.get("bytes")), "result")
    return ""


def _decoded(codec: ScriptCodec, given: Mapping[str, object]) -> Mapping[str, object]:
    result = codec.call(_port(given), _payload(given.get("bytes")), _variables(given), _time_ms(given.get("recvTime")))
    value = result.value
    return value if isinstance(value, dict) and (result.form == "u" or "data" in value) else {"data": value}


def _encoded(codec: ScriptCodec, given: Mapping[str, object]) -> Mapping[str, object]:
    data = given.get("data")
    value = codec.encode_call(data if isinstance(data, dict) else {}, _port(given), _variables(given)).value
    return value if isinstance(value, dict) else {"bytes": value}


def difference(expected: object, found: object, where: str) -> str:
    """Where two JSON values differ, or nothing; numbers may differ by a millionth."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in {**expected, **found}:
            reason = difference(expected.get(key), found.get(key), f"{where}.{key}")
            if reason:
                return reason
        return ""
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        reasons = (
            difference(*pair, f"{where}.{index}") for index, pair in enumerate(zip(expected, found, strict=True))
        )
        return next(filter(None, reasons), "")
    if _is_number(expected) and _is_number(found):
        same = math.isclose(float(str(expected)), float(str(found)), rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    else:
        same = type(expected) is type(found) and expected == found
    return "" if same else f"{where}: expected {_short(expected)}, got {_short(found)}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _port(given: Mapping[str, object]) -> int:
    port = given.get("fPort", given.get("f_port", 1))
    if not isinstance(port, int):
        raise TypeError(f"input.fPort: expected a number, got {_short(port)}")
    return port


def _payload(found: object) -> bytes:
    if isinstance(found, str):
        return bytes.fromhex(found)
    if not isinstance(found, list) or not all(isinstance(item, int) and -128 <= item <= 255 for item in found):  # noqa: PLR2004 - of a byte
        raise TypeError(f"input.bytes: expected a list of bytes, got {_short(found)}")
    return bytes(item & 255 for item in found)


def _variables(given: Mapping[str, object]) -> dict[str, float | str]:
    found = given.get("variables")
    return {key: str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _time_ms(found: object) -> int:
    if isinstance(found, datetime):
        return int(found.timestamp() * 1000)
    if not isinstance(found, str):
        return 0
    return int(datetime.fromisoformat(found).timestamp() * 1000)
