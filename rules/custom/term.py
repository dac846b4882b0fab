"""What an expression reads: the newest value of a quantity, or a figure over a window."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from decoders.quantity import Quantity

WINDOW = re.compile(r"([1-9][0-9]{0,5})(s|m|h|d)")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
LEAST_WINDOW_S, MOST_WINDOW_S = 60, 48 * 3600
AGGREGATES = ("avg", "min", "max", "sum", "count", "first", "last", "delta", "rate")
"""Functions of a quantity and a window."""
LATEST, AGE, KNOWN = "value", "age", "known"
SAME_UNIT = frozenset({LATEST, "avg", "min", "max", "sum", "first", "last", "delta"})
"""Functions whose result has the quantity's unit."""
NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]")


class Key(NamedTuple):
    """A quantity, and the channel that is meant; an empty one means any."""

    quantity: Quantity
    channel: str = ""

    @property
    def name(self) -> str:
        """As expressions write it: `fill_level`, `fill_level/line2`."""
        return f"{self.quantity.field}/{self.channel}" if self.channel else self.quantity.field


class Term(NamedTuple):
    """One thing that is read; `window` is as it was written, empty for a single value."""

    function: str
    key: Key
    window: str = ""

    @property
    def window_ms(self) -> int:
        """Length of the window."""
        return window_ms(self.window) if self.window else 0

    @property
    def placeholder(self) -> str:
        """Its name in texts: `pm10`, `avg_pm10_1h`."""
        parts = [] if self.function == LATEST else [self.function]
        parts.append(NOT_IN_NAMES.sub("_", self.key.name))
        return "_".join([*parts, self.window] if self.window else parts)

    @property
    def shown(self) -> str:
        """Its name in evidence: `pm10`, `avg(pm10)`."""
        return self.key.name if self.function == LATEST else f"{self.function}({self.key.name})"

    @property
    def in_quantity(self) -> bool:
        """Whether its value is in the quantity's unit."""
        return self.function in SAME_UNIT

    @property
    def unit(self) -> str:
        """UCUM code of its value."""
        if self.in_quantity:
            return self.key.quantity.ucum
        if self.function == "rate":
            return f"{self.key.quantity.ucum}/s"
        return "s" if self.function == AGE else "1"


def window_ms(text: str) -> int:
    """A window like "10m", "1h", "2d" in ms; raises ValueError."""
    found = WINDOW.fullmatch(text)
    seconds = int(found[1]) * SECONDS[found[2]] if found else 0
    if not LEAST_WINDOW_S <= seconds <= MOST_WINDOW_S:
        raise ValueError(f'window {text!r} is none from "1m" to "48h"')
    return seconds * 1000


def key_of(text: str, quantities: Mapping[str, Quantity]) -> Key:
    """The quantity, and its channel, in `pm10` or `fill_level/line2`; raises ValueError."""
    name, _, channel = text.partition("/")
    if name not in quantities:
        raise ValueError(f"unknown quantity {name!r}")
    return Key(quantities[name], channel)
