"""The marks on a map: stops, depots, disposal sites, and what is on no tour."""

from rules.svg import Point, circle, line, polygon, text, titled

RADIUS = 10.0
GREY, BLACK, WHITE = "#767676", "#000000", "#ffffff"
SMALL_FROM = 100
"""Numbers of three digits need smaller ones."""
MANDATORY_PX, OPTIONAL_PX = 3.5, 1.5


def stop(at: Point, number: int, colour: str, *, mandatory: bool, told: str = "") -> str:
    """A numbered circle, its rim thick where the container must be emptied."""
    rim = MANDATORY_PX if mandatory else OPTIONAL_PX
    ring = circle(at, RADIUS, fill=WHITE, stroke=colour, stroke_width=rim)
    if not number:
        return ring
    size = 9 if number >= SMALL_FROM else 11
    label = text(Point(at.x, at.y + size * 0.36), str(number), text_anchor="middle", font_size=size)
    return f"<g>{titled(told)}{ring}{label}</g>"


def missed(at: Point, told: str = "") -> str:
    """A crossed circle."""
    reach = RADIUS / 2
    falling = line(Point(at.x - reach, at.y - reach), Point(at.x + reach, at.y + reach), stroke=GREY, stroke_width=2.5)
    rising = line(Point(at.x - reach, at.y + reach), Point(at.x + reach, at.y - reach), stroke=GREY, stroke_width=2.5)
    ring = circle(at, RADIUS, fill=WHITE, stroke=GREY, stroke_dasharray="2 2")
    return f"<g>{titled(told) if told else ''}{ring}{falling}{rising}</g>"


def depot(at: Point) -> str:
    """A black square."""
    return _filled(at, (-1, -1), (1, -1), (1, 1), (-1, 1))


def site(at: Point) -> str:
    """A black triangle."""
    return _filled(at, (0, -1.2), (1.2, 1), (-1.2, 1))


def under_way(at: Point) -> str:
    """A black rhombus."""
    return _filled(at, (0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0))


def label(at: Point, words: str, **looks: str | float) -> str:
    """Words that can be read on lines."""
    halo: dict[str, str | float] = {"stroke": WHITE, "stroke_width": 3, "paint_order": "stroke", "font_size": 14}
    return text(at, words, **{**halo, **looks})


def _filled(at: Point, *corners: tuple[float, float]) -> str:
    points = (Point(at.x + x * (RADIUS - 1), at.y + y * (RADIUS - 1)) for x, y in corners)
    return polygon(points, fill=BLACK, stroke=WHITE, stroke_width=1.5)
