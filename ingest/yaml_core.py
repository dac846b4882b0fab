"""YAML by the core schema of YAML 1.2 (yaml.org/spec/1.2.2, §10.3), as JavaScript and Go read it.

PyYAML reads by 1.1, where `off` is a flag, 12:30 a number and 2020-01-01 a date; here these are texts.
"""

import re
from typing import Any

import yaml

TAG = "tag:yaml.org,2002:"


class _Loader(yaml.CSafeLoader):
    """A safe loader with other rules for what plain text means."""

    yaml_implicit_resolvers: dict[str | None, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own place


def _integer(_: _Loader, node: Any) -> int:  # noqa: ANN401 - PyYAML's nodes
    text = str(node.value)
    sign, digits = (-1 if text.startswith("-") else 1), text.lstrip("+-")
    base = {"0x": 16, "0o": 8}.get(digits[:2], 10)
    return sign * int(digits[2:] if base != 10 else digits, base)  # noqa: PLR2004 - without a prefix


for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    ("float", r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)$", list("-+0123456789.")),
    ("float", r"^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$", list("-+.")),
    ("merge", r"^(?:<<)$", ["<"]),
):
    _Loader.add_implicit_resolver(TAG + _tag, re.compile(_pattern), _first)
_Loader.add_constructor(f"{TAG}int", _integer)


def load(text: str) -> object:
    """The value of a text; raises yaml.YAMLError or ValueError."""
    found: object = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe one
    return found
