"""The city: what stands where, with which devices and parameters; read from one GeoJSON text (RFC 7946)."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from rules.asset import KINDS, TIMEZONE, Asset, Assignment, CityError
from rules.geojson import read_assets
from rules.traffic.link import link

__all__ = ["KINDS", "Asset", "Assignment", "City", "CityError", "Difference"]

NO_PARAMETERS: Mapping[str, float] = {}


class Difference(NamedTuple):
    """A device that city file and network server place differently: asset ids, empty where one of them has none."""

    dev_eui: str
    file: str
    tag: str
    known: bool
    """Whether the tag names an asset of the file."""


class _Stay(NamedTuple):
    assignment: Assignment
    asset: Asset
    parameters: Mapping[str, float]


class City:
    """The assets by id and by device.

    A device that the file names belongs where the file says, and outside its dates nowhere; the tag `asset` counts for
    devices that the file does not name. Raises CityError when two assets have one id, or a device two places at once.
    """

    def __init__(self, assets: Iterable[Asset] = ()) -> None:
        self.assets: dict[str, Asset] = {}
        self._stays: dict[str, tuple[_Stay, ...]] = {}
        for asset in link(assets):
            if asset.id in self.assets:
                raise CityError(f"feature {asset.id!r}: this id occurs twice, expected a unique one")
            self.assets[asset.id] = asset
            for assignment in asset.devices:
                self._settle(asset, assignment)
        self._by_tag = {asset.id: numbers(asset.properties) for asset in self.assets.values()}

    @classmethod
    def parse(cls, text: str, timezone: str = TIMEZONE) -> "City":
        """The city in a GeoJSON text; `timezone` holds for each asset without one of its own; raises CityError."""
        return cls(read_assets(text, timezone))

    def asset_of(self, dev_eui: str, time_ms: int, tag: str | None = None) -> Asset | None:
        """Where the device is at that time (ms since 1970, UTC); `tag` is its ChirpStack tag `asset`."""
        stays = self._stays.get(dev_eui)
        if stays is None:
            return self.assets.get(tag) if tag else None
        stay = _at(stays, time_ms)
        return stay.asset if stay else None

    def parameters(self, dev_eui: str, time_ms: int, tag: str | None = None) -> Mapping[str, float]:
        """The numbers that asset and assignment hold for the device's codec; the assignment's win."""
        stays = self._stays.get(dev_eui)
        if stays is None:
            return self._by_tag.get(tag, NO_PARAMETERS) if tag else NO_PARAMETERS
        stay = _at(stays, time_ms)
        return stay.parameters if stay else NO_PARAMETERS

    def differences(self, tags_by_device: Mapping[str, str], time_ms: int | None = None) -> tuple[Difference, ...]:
        """Devices whose tag differs from the file at that time (without one: their newest place), by dev_eui."""
        found = []
        for dev_eui in sorted(tags_by_device):
            tag = tags_by_device[dev_eui]
            stays = self._stays.get(dev_eui)
            if stays is None:
                place = tag if tag in self.assets else ""
            else:
                stay = stays[-1] if time_ms is None else _at(stays, time_ms)
                place = stay.asset.id if stay else ""
            if place != tag:
                found.append(Difference(dev_eui, place, tag, tag in self.assets))
        return tuple(found)

    def _settle(self, asset: Asset, assignment: Assignment) -> None:
        others = self._stays.get(assignment.dev_eui, ())
        for other in others:
            if assignment.overlaps(other.assignment):
                raise CityError(
                    f"feature {asset.id!r}: device {assignment.dev_eui} belongs to feature {other.asset.id!r} "
                    "at the same time, expected one place at a time (valid_from, valid_to)"
                )
        stay = _Stay(assignment, asset, {**numbers(asset.properties), **numbers(assignment.properties)})
        self._stays[assignment.dev_eui] = tuple(sorted((*others, stay), key=_begin))


def numbers(properties: Mapping[str, object]) -> dict[str, float]:
    """The properties that are numbers."""
    return {
        name: float(value)
        for name, value in properties.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _begin(stay: _Stay) -> float:
    begin = stay.assignment.valid_from_ms
    return float("-inf") if begin is None else begin


def _at(stays: tuple[_Stay, ...], time_ms: int) -> _Stay | None:
    for stay in stays:
        if stay.assignment.covers(time_ms):
            return stay
    return None
