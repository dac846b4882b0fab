"""Maps: markers at the positions that derived points carry, on nothing, or on the operator's own tiles.

Grafana's own ground layer comes from a foreign host, and no layer at all cannot be said, so the ground is one
transparent pixel that stands in the dashboard itself.
"""

from string import ascii_uppercase
from typing import Final

from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import geomap as model

from ingest.grafana.dashboards.spec import Language, Panel, said

NO_TILES: Final = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR42mNgAAIAAAUAAen63NgAAAAASUVORK5CYII="
)
CLOSEST_ZOOM: Final = 16
MARKER_SIZE: Final = 9


def ground(tiles: str | None) -> dict[str, object]:
    """The ground layer, for a map or for all of Grafana's (`GF_GEOMAP_DEFAULT_BASELAYER_CONFIG`)."""
    return {"type": "xyz", "name": "ground", "config": {"url": tiles or NO_TILES, "attribution": ""}}


def geomap(spec: Panel, language: Language, tiles: str | None) -> model.Options:
    """A layer for each query, coloured by its field in `spec.values`."""
    base = ground(tiles)
    layers = [
        _markers(letter, said(query.alias or field, language), field)
        for letter, query, field in zip(ascii_uppercase, spec.queries, spec.values, strict=False)
    ]
    return model.Options(
        view=model.MapViewConfig("fit", all_layers=True, max_zoom=CLOSEST_ZOOM, padding=10),
        controls=model.ControlsOptions(
            show_zoom=True, mouse_wheel_zoom=True, show_attribution=bool(tiles), show_scale=True
        ),
        basemap=common.MapLayerOptions("xyz", "ground", base["config"]),
        layers=layers,
        tooltip=model.TooltipOptions(model.TooltipMode.DETAILS),
    )


def _markers(letter: str, name: str, field: str) -> common.MapLayerOptions:
    style = {
        "color": {"field": field, "fixed": "blue"},
        "opacity": 0.8,
        "size": {"fixed": MARKER_SIZE, "min": 2, "max": 15},
        "symbol": {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
        "text": {"mode": "field", "field": "asset", "fixed": ""},
        "textConfig": {"fontSize": 10, "offsetX": 0, "offsetY": 14, "textAlign": "center", "textBaseline": "middle"},
    }
    return common.MapLayerOptions(
        "markers",
        name,
        {"style": style, "showLegend": True},
        common.FrameGeometrySource(common.FrameGeometrySourceMode.COORDS, latitude="latitude", longitude="longitude"),
        {"id": "byRefId", "options": letter},
        tooltip=True,
    )
