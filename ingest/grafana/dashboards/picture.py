"""A dashboard as an SVG picture of what its own queries find, for documentation: no browser and no Grafana needed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from ingest.grafana.dashboards.picture_panels import CARD, DRAWN, Box, Found, Span, card
from rules.svg import Point, Size, picture, text

COLUMN_PX: Final = 50.0
ROW_PX: Final = 30.0
HEAD_PX: Final = 48.0
GAP_PX: Final = 4.0
DAILY: Final = "30d"
DAY_MS: Final = 86_400_000

Ask = Callable[[str, str], Sequence[Found]]
"""What a query finds, given InfluxQL and the uid of a data source."""


def drawn(board: Mapping[str, Any], ask: Ask, from_ms: int, to_ms: int) -> str:
    """The picture of a dashboard's model over [from_ms, to_ms], everything chosen."""
    places = [panel["gridPos"] for panel in board["panels"]]
    height = HEAD_PX + ROW_PX * max(place["y"] + place["h"] for place in places)
    size = Size(24 * COLUMN_PX, height)
    head = text(Point(12, 30), board["title"], font_size=20, font_weight="bold", fill=CARD.ink)
    times = " – ".join(datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M") for at in (from_ms, to_ms))
    parts = [head, text(Point(size.width - 12, 30), f"{times} UTC", text_anchor="end", fill=CARD.dim)]
    for panel in board["panels"]:
        parts += _panel(panel, ask, Span(from_ms, to_ms))
    return picture(size, board["title"], parts, board["description"])


def asked(panel: Mapping[str, Any], target: Mapping[str, Any], span: Span) -> str:
    """The query as Grafana sends it, everything chosen."""
    query: str = target["query"]
    query = query.replace("$timeFilter", f"time >= {span.from_ms}ms AND time <= {span.to_ms}ms")
    query = query.replace("$__interval", panel["interval"])
    for variable in ("district", "asset", "device"):
        query = query.replace(f"${variable}", ".*")
    return query


def _panel(panel: Mapping[str, Any], ask: Ask, span: Span) -> list[str]:
    if panel.get("timeFrom") == DAILY:
        span = Span(span.to_ms - 30 * DAY_MS, span.to_ms)
    place = panel["gridPos"]
    box = Box(
        place["x"] * COLUMN_PX + GAP_PX,
        HEAD_PX + place["y"] * ROW_PX + GAP_PX,
        place["w"] * COLUMN_PX - 2 * GAP_PX,
        place["h"] * ROW_PX - 2 * GAP_PX,
    )
    found = [_found(ask, panel, target, span) for target in panel["targets"]]
    inner = DRAWN[panel["type"]](panel, found, box.inner(), span) if any(found) else [_nothing(panel, box)]
    return [*card(box, panel["title"]), *inner]


def _found(ask: Ask, panel: Mapping[str, Any], target: Mapping[str, Any], span: Span) -> list[Found]:
    alias = target.get("alias", "")
    return [each._replace(alias=alias) for each in ask(asked(panel, target, span), target["datasource"]["uid"])]


def _nothing(panel: Mapping[str, Any], box: Box) -> str:
    words = panel["fieldConfig"]["defaults"].get("noValue", "–")
    return text(Point(box.x + box.width / 2, box.y + box.height / 2 + 8), words, text_anchor="middle", fill=CARD.dim)
