"""An asset of the city (lot, container, station …) with its parameters and its devices."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import overload

TIMEZONE = "Europe/Berlin"
KINDS = frozenset(
    {
        "junction",
        "detector",
        "control_group",
        "corridor",
        "lot",
        "space",
        "zone",
        "container",
        "station",
        "gauge",
        "site",
        "road_section",
        "gateway",
        "depot",
        "disposal_site",
        "vehicle",
        "district",
    }
)


class CityError(ValueError):
    """A city file that cannot be used; the message names the feature, the property and what was expected."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A device that belongs to an asset from `valid_from_ms` (included) to `valid_to_ms` (excluded); None is open.

    `model` is a codec id or empty; `properties` hold whatever else the file says of the device.
    """

    dev_eui: str
    model: str = ""
    valid_from_ms: int | None = None
    valid_to_ms: int | None = None
    properties: Mapping[str, object] = field(default_factory=dict)

    @property
    def dated(self) -> bool:
        """Whether the assignment begins or ends."""
        return self.valid_from_ms is not None or self.valid_to_ms is not None

    def covers(self, time_ms: int) -> bool:
        """Whether the device belongs to the asset at that time."""
        return (self.valid_from_ms is None or self.valid_from_ms <= time_ms) and (
            self.valid_to_ms is None or time_ms < self.valid_to_ms
        )

    def overlaps(self, other: "Assignment") -> bool:
        """Whether there is an instant that both cover."""
        return _begins_before_end(self, other) and _begins_before_end(other, self)


def _begins_before_end(one: Assignment, other: Assignment) -> bool:
    return one.valid_from_ms is None or other.valid_to_ms is None or one.valid_from_ms < other.valid_to_ms


@dataclass(frozen=True, slots=True)
class Asset:
    """A place or thing that rules decide about; `district` is the id of its district or empty.

    `timezone` (IANA name) is the city's; what a rule goes by is `rules.local_time.timezone_of`.
    `number`, `whole` and `flag` read a property; missing, of another type or out of range it is a CityError.
    """

    id: str
    kind: str
    name: str
    properties: Mapping[str, object]
    devices: tuple[Assignment, ...]
    longitude: float
    latitude: float
    district: str = ""
    timezone: str = TIMEZONE

    @property
    def tags(self) -> tuple[tuple[str, str], ...]:
        """The tags of points that rules derive for this asset; empty ones are left out."""
        tags = (("asset", self.id), ("district", self.district), ("kind", self.kind))
        return tuple(tag for tag in tags if tag[1])

    @property
    def position(self) -> tuple[tuple[str, float], ...]:
        """The fields of derived points that maps need, in degrees."""
        return (("latitude", self.latitude), ("longitude", self.longitude))

    @overload
    def number(self, name: str, default: float, *, low: float = ..., high: float = ...) -> float: ...

    @overload
    def number(self, name: str, default: None = ..., *, low: float = ..., high: float = ...) -> float | None: ...

    def number(
        self, name: str, default: float | None = None, *, low: float = -math.inf, high: float = math.inf
    ) -> float | None:
        """A number within [low, high], or the default where the property is missing."""
        value = self.properties.get(name, default)
        if value is None and name not in self.properties:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self.error(name, value, f"a number{_range(low, high)}")
        return value

    def whole(self, name: str, default: int | None = None, *, low: int, high: int) -> int:
        """A whole number within [low, high]; without a default the property must be there."""
        value = self.properties.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.error(name, value, f"a whole number{_range(low, high)}")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True or false."""
        value = self.properties.get(name, default)
        if not isinstance(value, bool):
            raise self.error(name, value, "true or false")
        return value

    def error(self, name: str, value: object, expected: str) -> CityError:
        """The error that names this asset, the property, its value and what was expected."""
        got = "missing" if value is None and name not in self.properties else f"{value!r:.80}"
        return CityError(f"feature {self.id!r}: property {name!r} is {got}, expected {expected}")


def _range(low: float, high: float) -> str:
    if low == -math.inf and high == math.inf:
        return ""
    if high == math.inf:
        return f" of at least {low:g}"
    return f" from {low:g} to {high:g}"
