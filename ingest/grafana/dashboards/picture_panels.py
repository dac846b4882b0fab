"""How the kinds of panels are drawn in a picture: figures, lines, rows of states, maps, tables."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import Any, Final, NamedTuple

from ingest.grafana.dashboards.picture_values import coloured, field_of, shown, worded
from rules.svg import Point, circle, line, polygon, polyline, text

PALETTE: Final = ("#1f78c1", "#e24d42", "#508642", "#ef843c", "#6d1f62", "#0a437c", "#bf1b00", "#967302")
SERIES: Final = 8
POINTS: Final = 120
LINE_PX: Final = 16.0
LETTER_PX: Final = 6.6

Model = Mapping[str, Any]


class Colours(NamedTuple):
    """Of a card: its ground, its border, its words, words that matter less."""

    ground: str = "#f7f8fa"
    border: str = "#d8dde3"
    ink: str = "#24292e"
    dim: str = "#6a737d"


CARD: Final = Colours()


class Span(NamedTuple):
    """From when to when, in ms since 1970."""

    from_ms: int
    to_ms: int


class Found(NamedTuple):
    """One series of an answer; `alias` is how its query calls it."""

    tags: Mapping[str, str]
    columns: Sequence[str]
    values: Sequence[Sequence[Any]]
    alias: str = ""

    @property
    def name(self) -> str:
        """What it is called in a legend."""
        called = self.alias.replace("$col", self.columns[-1])
        for tag, value in self.tags.items():
            called = called.replace(f"$tag_{tag}", value)
        return called or " ".join(value for value in self.tags.values() if value) or self.columns[-1]


class Box(NamedTuple):
    """A rectangle on the picture."""

    x: float
    y: float
    width: float
    height: float

    def inner(self) -> "Box":
        """What is left of a card for its data."""
        return Box(self.x + 10, self.y + 26, self.width - 20, self.height - 34)

    def at(self, across: float, down: float) -> Point:
        """A place by shares of width and height."""
        return Point(self.x + across * self.width, self.y + down * self.height)

    def filled(self, colour: str, **looks: str | float) -> str:
        """The rectangle itself."""
        corners = (self.at(0, 0), self.at(1, 0), self.at(1, 1), self.at(0, 1))
        return polygon(corners, fill=colour, **looks)


Drawer = Callable[[Model, Sequence[Sequence[Found]], Box, Span], list[str]]


def card(box: Box, title: str) -> list[str]:
    """The frame of a panel with its title."""
    return [
        box.filled(CARD.ground, stroke=CARD.border),
        text(Point(box.x + 10, box.y + 18), cut(title, box.width - 20), font_weight="bold", fill=CARD.ink),
    ]


def cut(words: str, width: float) -> str:
    """As much of the words as fits."""
    room = max(1, int(width / LETTER_PX))
    return words if len(words) <= room else f"{words[: room - 1]}…"


def _figure(panel: Model, found: Sequence[Sequence[Found]], box: Box, _span: Span) -> list[str]:
    values = [value for series in found[0] for value in series.values[-1][1:] if value is not None]
    if not values:
        return []
    words, colour = (
        shown(values[-1], panel["fieldConfig"]["defaults"]),
        coloured(values[-1], panel["fieldConfig"]["defaults"]),
    )
    return [text(box.at(0.5, 0.65), words, fill=colour, text_anchor="middle", font_size=30, font_weight="bold")]


# -- over time --------------------------------------------------------------------------------------------------------


def _thinned(series: Found) -> list[tuple[int, float]]:
    """At most so many points as a picture can show."""
    known = [(row[0], row[1]) for row in series.values if isinstance(row[1], int | float)]
    return known[:: max(1, len(known) // POINTS)]


def _course(panel: Model, found: Sequence[Sequence[Found]], box: Box, span: Span) -> list[str]:
    series = list(islice((each for query in found for each in query), SERIES))
    points = [_thinned(each) for each in series]
    values = [value for each in points for _, value in each]
    if not values:
        return []
    low, high = min(0.0, *values), max(0.0, *values) or 1.0
    plot = Box(box.x + 60, box.y, box.width - 60, box.height - LINE_PX)
    parts = list(_scale(panel, plot, low, high))
    bars = panel["fieldConfig"]["defaults"]["custom"]["drawStyle"] == "bars"
    for number, each in enumerate(points):
        places = [plot.at(_share(when, span), 1 - (value - low) / (high - low)) for when, value in each]
        colour = PALETTE[number % len(PALETTE)]
        if bars:
            zero = plot.at(0, 1 - (0 - low) / (high - low)).y
            parts += [line(Point(at.x, zero), at, stroke=colour, stroke_width=3) for at in places]
        else:
            parts.append(polyline(places, fill="none", stroke=colour, stroke_width=1.4))
    return [*parts, *_legend((each.name for each in series), Box(plot.x, plot.y + plot.height, plot.width, LINE_PX))]


def _share(when_ms: int, span: Span) -> float:
    return min(1.0, max(0.0, (when_ms - span.from_ms) / max(1, span.to_ms - span.from_ms)))


def _scale(panel: Model, plot: Box, low: float, high: float) -> Iterator[str]:
    for share in (0.0, 0.5, 1.0):
        at = plot.at(0, 1 - share)
        yield line(at, plot.at(1, 1 - share), stroke=CARD.border)
        words = shown(low + share * (high - low), panel["fieldConfig"]["defaults"])
        yield text(Point(at.x - 4, at.y + 4), words, text_anchor="end", font_size=10, fill=CARD.dim)


def _legend(names: Iterable[str], box: Box) -> Iterator[str]:
    x = box.x
    for number, name in enumerate(names):
        width = LETTER_PX * (len(name) + 1)
        if x + width > box.x + box.width:
            return
        yield text(Point(x, box.y + 14), name, font_size=10, fill=PALETTE[number % len(PALETTE)])
        x += width


def _states(panel: Model, found: Sequence[Sequence[Found]], box: Box, span: Span) -> list[str]:
    series = [each for query in found for each in query]
    rows = series[: max(1, int(box.height / LINE_PX))]
    names = min(190.0, box.width / 3)
    height = min(2 * LINE_PX, box.height / max(1, len(rows)))
    parts = []
    for number, each in enumerate(rows):
        row = Box(box.x + names, box.y + number * height, box.width - names, height)
        parts.append(text(Point(box.x, row.y + height / 2 + 4), cut(each.name, names), font_size=11, fill=CARD.ink))
        parts += _stretches(panel, each, row, span)
    return parts


def _stretches(panel: Model, series: Found, row: Box, span: Span) -> Iterator[str]:
    """Each state until the next one."""
    defaults = panel["fieldConfig"]["defaults"]
    known = [(point[0], coloured(point[1], defaults)) for point in series.values if point[1] is not None]
    changes = [known[0], *(later for earlier, later in pairwise(known) if earlier[1] != later[1])] if known else []
    ends = [*(when for when, _ in changes[1:]), span.to_ms]
    for (when, colour), end in zip(changes, ends, strict=True):
        begin = row.x + _share(when, span) * row.width
        width = row.x + _share(end, span) * row.width - begin
        yield Box(begin, row.y + 1, width, row.height - 2).filled(colour)


# -- of now -----------------------------------------------------------------------------------------------------------


def _levels(panel: Model, found: Sequence[Sequence[Found]], box: Box, _span: Span) -> list[str]:
    series = [each for query in found for each in query][: int(box.height / LINE_PX)]
    defaults = panel["fieldConfig"]["defaults"]
    high = defaults.get("max", 1)
    names = box.width / 3
    parts = []
    for number, each in enumerate(series):
        value = each.values[-1][1]
        y = box.y + number * LINE_PX
        share = min(1.0, value / high)
        bar = Box(box.x + names, y + 2, share * (box.width - names), LINE_PX - 4)
        parts.append(bar.filled(coloured(value, defaults)))
        parts.append(text(Point(box.x, y + 12), cut(each.name, names), font_size=11, fill=CARD.ink))
        parts.append(text(Point(bar.x + 4, y + 12), shown(value, defaults), font_size=10, fill=CARD.ink))
    return parts


def _map(panel: Model, found: Sequence[Sequence[Found]], box: Box, _span: Span) -> list[str]:
    marks = []
    for layer, series in zip(panel["options"]["layers"], found, strict=True):
        name = layer["config"]["style"]["color"]["field"]
        for each in series:
            row = dict(zip(each.columns, each.values[-1], strict=True))
            marks.append((row["longitude"], row["latitude"], row[name], name, each.name))
    if not marks:
        return []
    west, east = min(mark[0] for mark in marks), max(mark[0] for mark in marks)
    south, north = min(mark[1] for mark in marks), max(mark[1] for mark in marks)
    plot = Box(box.x + 20, box.y + 10, box.width - 40, box.height - 30)
    parts = [box.filled("#ffffff", stroke=CARD.border)]
    for longitude, latitude, value, name, words in marks:
        across = (longitude - west) / ((east - west) or 1)
        at = plot.at(across, (north - latitude) / ((north - south) or 1))
        colour = coloured(value, field_of(panel, name))
        said = f"<title>{worded(words, value, field_of(panel, name))}</title>"
        parts.append(circle(at, 6, said, fill=colour, stroke="#ffffff"))
    return parts


def _table(panel: Model, found: Sequence[Sequence[Found]], box: Box, _span: Span) -> list[str]:
    rows = [
        {**each.tags, **dict(zip(each.columns, values, strict=True))}
        for query in found
        for each in query
        for values in each.values
    ]
    names = [name for name in rows[0] if name != "time" and any(row.get(name) not in {None, ""} for row in rows)]
    columns = [(name, field_of(panel, name)) for name in sorted(names, key=lambda name: name == "rule")]
    widths = [3.0 if name == "text" else 1.3 if name in {"asset", "district"} else 1.0 for name, _ in columns]
    unit = box.width / sum(widths)
    parts = []
    for number, row in enumerate([None, *rows[: int(box.height / LINE_PX) - 1]]):
        x, y = box.x, box.y + (number + 1) * LINE_PX - 4
        for (name, field), width in zip(columns, widths, strict=True):
            if row is None:
                words, colour = field.get("displayName", name), CARD.dim
            else:
                words, colour = shown(row.get(name), field), coloured(row.get(name), field, CARD.ink)
            parts.append(text(Point(x, y), cut(words, width * unit), font_size=11, fill=colour))
            x += width * unit
    return parts


DRAWN: Final[dict[str, Drawer]] = {
    "stat": _figure,
    "timeseries": _course,
    "state-timeline": _states,
    "status-history": _states,
    "bargauge": _levels,
    "geomap": _map,
    "table": _table,
}
"""By Grafana's type of a panel."""
