"""From GeoJSON text (RFC 7946) to assets; every refusal names the feature, the property and what was expected."""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from rules.asset import KINDS, TIMEZONE, Asset, Assignment, CityError

DEV_EUI = re.compile(r"[0-9a-f]{16}")
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
OWN = frozenset({"kind", "name", "district", "devices"})
OWN_OF_DEVICE = frozenset({"dev_eui", "model", "valid_from", "valid_to"})
DIMENSIONS = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
LONGITUDE, LATITUDE = 180.0, 90.0
MAX_ID = 200
MOVES = "vehicle"
"""The kind that may have no geometry: it is then where its depot is."""
MAX_DIGITS = 18
MAX_DEPTH = 100
TOO_DEEP = "the city file nests too deeply, expected GeoJSON"
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def read_assets(text: str, timezone: str = TIMEZONE) -> list[Asset]:
    """The assets of a FeatureCollection in the order of the file, of a city in that time zone; raises CityError."""
    document = _load(text)
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise CityError("the city file is no GeoJSON FeatureCollection: expected an object with that `type`")
    features = document.get("features")
    if not isinstance(features, list):
        raise CityError(f"property 'features' is {features!r:.80}, expected a list")
    found = [_identified(feature, index) for index, feature in enumerate(features)]
    assets = [_asset(_placed(feature, found), index, timezone) for index, feature in enumerate(found)]
    _check_districts(assets)
    return assets


def _load(text: str) -> object:
    try:
        document = json.loads(
            text, parse_constant=_refuse, parse_float=_real, parse_int=_integer, object_pairs_hook=_once
        )
    except json.JSONDecodeError as error:
        raise CityError(f"line {error.lineno}, column {error.colno}: no JSON: {error.msg}") from error
    except RecursionError as error:
        raise CityError(TOO_DEEP) from error
    _check_depth(document)
    return document


def _check_depth(document: object) -> None:
    """What was read from a shallow stack must not fail later, where it is printed from a deeper one."""
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [part for node in level for part in _parts(node)]
        if not level:
            return
    raise CityError(TOO_DEEP)


def _parts(node: object) -> Iterable[object]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()


def _refuse(literal: str) -> float:
    raise CityError(f"the city file holds the number {literal:.40}, expected a finite one")


def _real(literal: str) -> float:
    value = float(literal)
    return value if math.isfinite(value) else _refuse(literal)


def _integer(literal: str) -> float:
    return int(literal) if len(literal) <= MAX_DIGITS else _refuse(literal)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        owner = f"feature {found['id']!r}: " if "id" in found else ""
        raise CityError(f"{owner}property {twice!r} stands twice in one object, expected once")
    return found


class _Feature:
    """A feature's parts, and the error that names it."""

    def __init__(self, name: str, id_: str, properties: Mapping[str, object], geometry: object) -> None:
        self.name = name
        self.id = id_
        self.properties = properties
        self.geometry = geometry

    def error(self, name: str, value: object, expected: str) -> CityError:
        got = "missing" if value is None else f"{value!r:.80}"
        return CityError(f"{self.name}: property {name!r} is {got}, expected {expected}")

    def text(self, name: str, where: Mapping[str, object], path: str = "") -> str:
        """A property that is text without control characters, or empty when it is missing."""
        value = where.get(name, "")
        if not isinstance(value, str) or CONTROL.search(value):
            raise self.error(path + name, value, "text without control characters")
        return value


def _identified(feature: object, index: int) -> _Feature:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise CityError(f"feature number {index}: expected an object with `type` 'Feature'")
    id_ = feature.get("id")
    if not isinstance(id_, str) or not 0 < len(id_) <= MAX_ID or CONTROL.search(id_):
        raise CityError(
            f"feature number {index}: property 'id' is {id_!r:.80}, expected text of 1 to {MAX_ID} printable characters"
        )
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        raise CityError(f"feature {id_!r}: property 'properties' is {properties!r:.80}, expected an object")
    return _Feature(f"feature {id_!r}", id_, properties, feature.get("geometry"))


def _placed(feature: _Feature, features: Iterable[_Feature]) -> _Feature:
    """The feature with a geometry; a vehicle without one has that of its depot."""
    if feature.properties.get("kind") != MOVES or feature.geometry is not None:
        return feature
    depot = feature.properties.get("depot")
    for other in features:
        if other.properties.get("kind") == "depot" and other.id == depot:
            return _Feature(feature.name, feature.id, feature.properties, other.geometry)
    raise feature.error("depot", depot, "the id of a depot, where a vehicle without `geometry` stands")


def _asset(feature: _Feature, index: int, timezone: str) -> Asset:
    properties = feature.properties
    kind = properties.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise feature.error("kind", kind, f"one of {', '.join(sorted(KINDS))} (feature number {index})")
    longitude, latitude = _centre(feature)
    return Asset(
        id=feature.id,
        kind=kind,
        name=feature.text("name", properties) or feature.id,
        properties={name: value for name, value in properties.items() if name not in OWN},
        devices=tuple(_assignments(feature)),
        longitude=longitude,
        latitude=latitude,
        district=feature.id if kind == "district" else feature.text("district", properties),
        timezone=timezone,
    )


def _assignments(feature: _Feature) -> Iterator[Assignment]:
    devices = feature.properties.get("devices", [])
    if not isinstance(devices, list):
        raise feature.error("devices", devices, "a list")
    for index, device in enumerate(devices):
        path = f"devices[{index}]."
        if not isinstance(device, dict):
            raise feature.error(path[:-1], device, "an object with `dev_eui`")
        dev_eui = device.get("dev_eui")
        if not isinstance(dev_eui, str) or not DEV_EUI.fullmatch(dev_eui.lower()):
            raise feature.error(path + "dev_eui", dev_eui, "16 hex digits")
        begin, end = (_instant(feature, device, name, path) for name in ("valid_from", "valid_to"))
        if begin is not None and end is not None and begin >= end:
            raise feature.error(path + "valid_from", device["valid_from"], f"before valid_to {device['valid_to']!r}")
        rest = {name: value for name, value in device.items() if name not in OWN_OF_DEVICE}
        yield Assignment(dev_eui.lower(), feature.text("model", device, path), begin, end, rest)


def _instant(feature: _Feature, device: Mapping[str, object], name: str, path: str) -> int | None:
    value = device.get(name)
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise feature.error(path + name, value, "a time like 2026-01-31T00:00:00+01:00") from error
    if instant.tzinfo is None:
        raise feature.error(path + name, value, "a time with its offset from UTC, like 2026-01-31T00:00:00+01:00")
    return (instant - EPOCH) // timedelta(milliseconds=1)


def _centre(feature: _Feature) -> tuple[float, float]:
    geometry = feature.geometry
    shape = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(geometry, dict) or not isinstance(shape, str) or shape not in DIMENSIONS:
        raise feature.error("geometry", geometry, f"an object whose `type` is one of {', '.join(DIMENSIONS)}")
    positions = list(_positions(feature, geometry.get("coordinates"), DIMENSIONS[shape]))
    if not positions:
        raise feature.error("geometry.coordinates", [], "at least one position")
    longitudes, latitudes = zip(*positions, strict=True)
    return (min(longitudes) + max(longitudes)) / 2, (min(latitudes) + max(latitudes)) / 2


def _positions(feature: _Feature, coordinates: object, depth: int) -> Iterator[tuple[float, float]]:
    if not isinstance(coordinates, list):
        raise feature.error("geometry.coordinates", coordinates, "a list")
    if depth:
        for part in coordinates:
            yield from _positions(feature, part, depth - 1)
        return
    match coordinates:
        case [int() | float() as longitude, int() | float() as latitude, *_]:
            numbers = not isinstance(longitude, bool) and not isinstance(latitude, bool)
            if numbers and abs(longitude) <= LONGITUDE and abs(latitude) <= LATITUDE:
                yield float(longitude), float(latitude)
                return
    raise feature.error("geometry.coordinates", coordinates, "[longitude, latitude] in degrees")


def _check_districts(assets: list[Asset]) -> None:
    districts = {asset.id for asset in assets if asset.kind == "district"}
    for asset in assets:
        if asset.district and districts and asset.district not in districts:
            raise CityError(
                f"feature {asset.id!r}: property 'district' is {asset.district!r}, "
                f"expected the id of a district: {', '.join(sorted(districts))}"
            )
