"""The time-space diagram of a coordinated road, as SVG text without anything from outside."""

from collections.abc import Iterator, Sequence

from rules.svg import Point, Size, picture, polygon, text
from rules.traffic.maxband import Band, Coordination, Stop

WIDTH, HEIGHT = 900.0, 560.0
LEFT, RIGHT, TOP, BOTTOM = 190.0, 20.0, 60.0, 60.0
CYCLES = 3
RED, GREEN, OUT, BACK = "#b3261e", "#2e7d32", "#1f6feb", "#e08a00"
LIGHT = 4.0
"""Half the height of a junction's bar."""


def diagram(title: str, stops: Sequence[Stop], found: Coordination) -> str:
    """Distance upwards, three cycles of time to the right; outbound bands rise, inbound ones fall."""
    frame = _Frame(stops, found)
    parts = [
        text(Point(LEFT, 24), title, font_size=16),
        text(Point(LEFT, 44), _summary(found)),
        *frame.bands(),
        *frame.lights(),
        *frame.axis(),
    ]
    return picture(Size(WIDTH, HEIGHT), title, parts, _summary(found))


def _summary(found: Coordination) -> str:
    return (
        f"cycle {found.cycle_s} s, progression at {found.factor * 100:.0f} % of the limit, "
        f"bands {found.outbound.length_s:.1f} s outbound, {found.inbound.length_s:.1f} s inbound, "
        f"efficiency {found.efficiency:.2f}"
    )


class _Frame:
    """Where seconds and metres are on the picture."""

    def __init__(self, stops: Sequence[Stop], found: Coordination) -> None:
        self.stops = stops
        self.found = found
        self.end_s = CYCLES * found.cycle_s
        first, last = stops[0].position_m, stops[-1].position_m
        self.first_m, self.span_m = first, max(1.0, last - first)

    def x(self, time_s: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * time_s / self.end_s

    def y(self, position_m: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (position_m - self.first_m) / self.span_m

    def bands(self) -> Iterator[str]:
        width = self.x(self.end_s) - LEFT
        yield f'<clipPath id="times"><rect x="{LEFT:g}" width="{width:g}" height="{HEIGHT:g}"/></clipPath>'
        yield '<g clip-path="url(#times)" fill-opacity="0.25">'
        for number in range(-CYCLES, CYCLES):
            yield from self._band(self.found.outbound, number, 1, OUT)
            yield from self._band(self.found.inbound, number, -1, BACK)
        yield "</g>"

    def _band(self, band: Band, number: int, sign: int, colour: str) -> Iterator[str]:
        if band.length_s <= 0:
            return
        begin_s = band.begin_s + number * self.found.cycle_s
        points = list(zip(self.stops, self.found.travel_s, strict=True))
        edge = [(begin_s + sign * time_s, stop.position_m) for stop, time_s in points]
        edge += [(begin_s + band.length_s + sign * time_s, stop.position_m) for stop, time_s in reversed(points)]
        yield polygon((Point(self.x(time_s), self.y(position_m)) for time_s, position_m in edge), fill=colour)

    def lights(self) -> Iterator[str]:
        for stop, offset_s in zip(self.stops, self.found.offsets_s, strict=True):
            y = self.y(stop.position_m)
            yield text(Point(10, y + 4), stop.name)
            yield text(Point(LEFT - 10, y + 4), f"{offset_s} s", text_anchor="end")
            yield self._bar(0, self.end_s, y, RED)
            for number in range(-1, CYCLES):
                begin_s = offset_s + number * self.found.cycle_s
                end_s = min(self.end_s, begin_s + stop.green_s)
                if end_s > 0:
                    yield self._bar(max(0, begin_s), end_s, y, GREEN)

    def _bar(self, begin_s: float, end_s: float, y: float, colour: str) -> str:
        width = self.x(end_s) - self.x(begin_s)
        return (
            f'<rect x="{self.x(begin_s):.1f}" y="{y - LIGHT:.1f}" width="{width:.1f}" height="{2 * LIGHT:g}" '
            f'fill="{colour}"/>'
        )

    def axis(self) -> Iterator[str]:
        y = HEIGHT - BOTTOM + 20
        for time_s in range(0, self.end_s + 1, 30):
            yield text(Point(self.x(time_s), y), str(time_s), text_anchor="middle")
        yield text(Point(LEFT, y + 24), "seconds; blue: outbound, orange: inbound, offsets on the left")
