"""Figures that correct a single device: `offset_<quantity>`, `factor_<quantity>`, with `__<channel>` for one channel.

They stand among the device's tags, or among the properties of device and asset in the city's file.
"""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from math import isfinite
from typing import Literal, NamedTuple

from decoders.codec import CodecField
from decoders.quantity import Quantity
from rules.condition_config import SOURCES

BY_FIELD = {quantity.field: quantity for quantity in Quantity}
KINDS: tuple[Literal["factor"], Literal["offset"]] = ("factor", "offset")
ALIKE = 0.8
LARGEST = 1e12


class Figure(NamedTuple):
    """One correction; channel None is for all channels that have none of their own."""

    kind: str
    quantity: Quantity
    channel: str | None


class Line(NamedTuple):
    """What is true of a value: value · factor + offset."""

    factor: float
    offset: float


NEUTRAL = Line(1.0, 0.0)
Figures = Mapping[Figure, float]


class Calibration(NamedTuple):
    """The figures that can be used, and a line for each that cannot."""

    figures: Figures
    problems: tuple[str, ...]


def read(given: Mapping[str, object]) -> Calibration:
    """The corrections among tags or properties; other names are none of ours."""
    figures: dict[Figure, float] = {}
    problems: list[str] = []
    for name, value in given.items():
        if not name.startswith(("factor_", "offset_")):
            continue
        figure = _figure(name)
        if figure is None:
            problems += _misspelt(name)
            continue
        number = _number(value)
        if number is None or (number == 0 and figure.kind == "factor"):
            expected = "a number other than 0" if figure.kind == "factor" else "a number"
            problems.append(f"{name} is {value!r:.60}, expected {expected}; it is not used")
        else:
            figures[figure] = number
    return Calibration(figures, tuple(problems))


def line(figures: Figures, quantity: Quantity, channel: str) -> Line:
    """The correction of a reading; a channel's own figures come first."""
    found = [
        figures.get(Figure(kind, quantity, channel), figures.get(Figure(kind, quantity, None), neutral))
        for kind, neutral in zip(KINDS, NEUTRAL, strict=True)
    ]
    return Line(*found)


def unfit(figures: Figures, carried: Sequence[CodecField]) -> Iterator[str]:
    """A line for each figure that corrects nothing of what a codec can tell, or of what its counters become."""
    for figure in figures:
        kind, quantity, channel = figure
        told = {quantity, SOURCES.get(quantity, quantity)}
        channels = sorted({each.channel for each in carried if each.quantity in told})
        name = f"{kind}_{quantity.field}" + ("" if channel is None else f"__{channel}")
        if not channels:
            yield f"{name}: the device does not tell {quantity.field}; it is not used"
        elif channel is not None and channel not in channels:
            known = ", ".join(each or "none" for each in channels)
            yield f"{name}: {quantity.field} has no channel {channel!r}, known: {known}; it is not used"


def _figure(name: str) -> Figure | None:
    kind, _, rest = name.partition("_")
    field, separator, channel = rest.partition("__")
    quantity = BY_FIELD.get(field)
    return None if quantity is None else Figure(kind, quantity, channel if separator else None)


def _misspelt(name: str) -> list[str]:
    """A word on a name that looks like a quantity's and is none; `offset_s` of a junction does not."""
    kind, _, rest = name.partition("_")
    near = get_close_matches(rest.partition("__")[0], BY_FIELD, n=1, cutoff=ALIKE)
    return [f"{name} names no quantity; did you mean {kind}_{near[0]}?"] if near else []


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) and abs(number) <= LARGEST else None
