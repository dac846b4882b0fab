"""Fuzzed: the city's GeoJSON, and the rules that are set up from it."""

import json
import math
from unicodedata import category

from ingest.line_protocol import line, parse, series
from rules.asset import KINDS
from rules.catalog import RULES
from rules.city import City, CityError
from rules.engine import Engine, Tick
from tests.fuzz import seeds
from tests.fuzz.mutation import mutate_json
from tests.fuzz.target import Target
from tests.ingest.uplinks import CITY, NOW

EACH_KIND = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "id": f"{kind}-1",
            "geometry": {"type": "Polygon", "coordinates": [[[7.8, 51.6], [7.9, 51.6], [7.9, 51.7], [7.8, 51.6]]]},
            "properties": {"kind": kind, "name": kind.title(), "capacity": 12, "depth_mm": 1200.5, "district": ""},
        }
        for kind in sorted(KINDS)
    ],
}
DATED = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "id": "lot-2",
            "geometry": {"type": "MultiPoint", "coordinates": [[7.8, 51.6], [7.9, 51.7, 60.0]]},
            "properties": {
                "kind": "lot",
                "capacity": 4,
                "closed": False,
                "almost_full_percent": 80,
                "almost_full_until_percent": 70,
                "full_free_spaces": 1,
                "validity_s": 300,
                "devices": [
                    {
                        "dev_eui": "70B3D57ED0000001",
                        "model": "bosch/tps110",
                        "valid_from": "2026-01-01T00:00:00+01:00",
                        "valid_to": "2026-07-01T00:00:00Z",
                        "height_mm": 30,
                        "note": {"by": ["someone"]},
                    },
                    {"dev_eui": "70b3d57ed0000001", "valid_from": "2026-07-01T00:00:00Z"},
                ],
            },
        }
    ],
}


def run(data: bytes) -> None:
    """A city with finite places and writable names, whose rules begin without a failure."""
    city = City.parse(data.decode("utf-8", "replace"))
    for asset in city.assets.values():
        assert asset.id
        assert not any(text.encode() and category(letter) == "Cc" for text in (asset.id, asset.name) for letter in text)
        assert asset.kind in KINDS
        assert abs(asset.longitude) <= 180
        assert abs(asset.latitude) <= 90
        written = line(series("asset", asset.tags), asset.position, NOW)
        assert written is not None
        assert parse(written.encode()).tags["kind"] == asset.kind
        assert all(map(math.isfinite, city.parameters("", NOW, asset.id).values()))
        for assignment in asset.devices:
            assert assignment.dev_eui == assignment.dev_eui.lower()
            city.asset_of(assignment.dev_eui, NOW)
    overlay = Engine(city, RULES).overlay()
    overlay.tick(Tick(NOW))
    overlay.dirty()
    assert not overlay.failures
    for event in overlay.events:
        json.loads(event.payload())


def _excerpt() -> dict[str, object]:
    """The shipped city's districts, and the first feature of each other kind."""
    whole = json.loads(seeds.SHIPPED_CITY.read_text(encoding="utf-8"))
    districts = [feature for feature in whole["features"] if feature["properties"]["kind"] == "district"]
    others = {feature["properties"]["kind"]: feature for feature in whole["features"] if feature not in districts}
    return {**whole, "features": [*districts, *others.values()]}


TARGETS = (
    Target(
        name="city",
        run=run,
        refuses=(CityError,),
        seeds=tuple(json.dumps(item).encode() for item in (CITY, EACH_KIND, DATED, _excerpt())),
        mutate=mutate_json,
        weight=3.0,
    ),
)
