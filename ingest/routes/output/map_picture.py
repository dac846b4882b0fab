"""The tours of a day as a map picture in SVG: north up, without a background from anybody's server."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from ingest.routes.output import marks, words
from ingest.routes.output.halts import Trip, left_out, name, trips
from ingest.routes.output.projection import Projection, fitted
from ingest.routes.output.remarks import summary
from ingest.routes.output.spread import spread
from ingest.routes.output.words import Language, said
from rules.svg import Looks, Point, Size, line, picture, polyline, text
from rules.waste.route.day_plan import DayPlan
from rules.waste.words import Words

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's palette without its yellow, which is lost on white: told apart by colour-blind people, too."""
DASHES = ("", "12 4", "3 3", "14 4 3 4", "7 7")
"""As many as share no divisor with the colours: 35 tours before two look alike."""
SMALLEST_PX, LARGEST_PX, SPACE_PX = 1200.0, 4000.0, 100.0
TOP, MARGIN, ROW, SAMPLE = 72.0, 48.0, 26.0, 60.0
KEY_PX = 230.0
LEAST_PX = 0.5
Symbol = Callable[[Point], str]


def map_picture(plan: DayPlan, language: Language) -> str:
    """Depots, disposal sites, numbered stops and a line for each vehicle, with scale and legend."""
    tours = trips(plan)
    frame = _frame(plan, tours)
    heading = words.heading(plan, language)
    streets = said(_streets(tours), language)
    parts = [
        text(Point(MARGIN, 34), heading, font_size=20),
        text(Point(MARGIN, 58), streets, font_size=14),
        *_lines(tours, frame),
        *_stops(plan, tours, frame, language),
        *_places(plan, frame, tours),
        *_scale(frame, language),
        *_legend(plan, tours, frame, language),
    ]
    told = [summary(trip, language, drivable=plan.solution.drivable) for trip in tours]
    told.append(f"{said(words.NOT_SERVED, language)}: {len(left_out(plan))}")
    description = f"{said(words.MAP_NORTH, language)} {streets} {'; '.join(told)}."
    size = Size(frame.width, TOP + frame.height + ROW * (len(tours) + 2))
    return picture(size, said(words.MAP, language).format(heading), parts, description)


def _streets(tours: Sequence[Trip]) -> Words:
    """What the lines are."""
    drawn = sum(bool(trip.line) for trip in tours)
    if not drawn:
        return words.MAP_STRAIGHT
    return words.MAP_STREETS if drawn == len(tours) else words.MAP_MIXED


def _frame(plan: DayPlan, tours: Sequence[Trip]) -> Projection:
    """Room for all that is to be seen: the more stops, the larger."""
    places = [(place.longitude, place.latitude) for place in plan.problem.places]
    places += [point for trip in tours for point in trip.line]
    side = min(LARGEST_PX, max(SMALLEST_PX, SPACE_PX * math.sqrt(len(plan.problem.stops))))
    return fitted(places, Point(0, TOP), side, MARGIN)


def _looks(number: int) -> Looks:
    """Colour and dashes of a tour's line."""
    dash = DASHES[number % len(DASHES)]
    looks: Looks = {"fill": "none", "stroke": _colour(number), "stroke_width": 3}
    return {**looks, "stroke_dasharray": dash} if dash else looks


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _lines(tours: Sequence[Trip], frame: Projection) -> Iterator[str]:
    for number, trip in enumerate(tours):
        points = _thinned(frame(*point) for point in trip.path)
        yield polyline(points, stroke_linejoin="round", stroke_opacity=0.75, **_looks(number))


def _thinned(points: Iterable[Point]) -> Iterator[Point]:
    """A line without the points that nobody could tell from the one before."""
    last = None
    for point in points:
        if last is None or math.dist(point, last) >= LEAST_PX:
            last = point
            yield point


def _stops(plan: DayPlan, tours: Sequence[Trip], frame: Projection, language: Language) -> Iterator[str]:
    """The marks of all stops, moved apart where they lie on one another, a depot or a disposal site."""
    fixed = [frame(place.longitude, place.latitude) for place in plan.problem.depots]
    fixed += [frame(place.longitude, place.latitude) for place in plan.problem.sites]
    served = [(number, halt) for number, trip in enumerate(tours) for halt in trip.halts if halt.kind == "stop"]
    missed = [(one, one.place) for one in left_out(plan) if one.place is not None]
    places = [halt.place for _, halt in served] + [place for _, place in missed]
    own = [frame(place.longitude, place.latitude) for place in places]
    shown = spread([*fixed, *own], marks.RADIUS + 1)[len(fixed) :]
    for begin, end in zip(own, shown, strict=True):
        if begin != end:
            yield line(begin, end, stroke=marks.GREY)
    for (number, halt), at in zip(served, shown, strict=False):
        told = f"{tours[number].name}, {halt.number}: {halt.spot.name}. {halt.reason(language)}"
        yield marks.stop(at, halt.number, _colour(number), mandatory=halt.mandatory, told=told)
    for (one, _), at in zip(missed, shown[len(served) :], strict=True):
        yield marks.missed(at, f"{one.name}: {one.text(language)}")


def _places(plan: DayPlan, frame: Projection, tours: Sequence[Trip]) -> Iterator[str]:
    """Depots, disposal sites and where vehicles under way are, with their names."""
    used = {trip.vehicle.origin for trip in tours}
    problem = plan.problem
    symbols = [(place.id, frame(place.longitude, place.latitude), marks.depot) for place in problem.depots]
    symbols += [(place.id, frame(place.longitude, place.latitude), marks.site) for place in problem.sites]
    symbols += [
        (place.id, frame(place.longitude, place.latitude), marks.under_way)
        for place in problem.starts
        if place.id in used
    ]
    for place, at, symbol in symbols:
        yield symbol(at)
        right = at.x > frame.width / 2
        beside = Point(at.x + (-14 if right else 14), at.y + 5)
        yield marks.label(beside, name(plan, place), text_anchor="end" if right else "start")


def _scale(frame: Projection, language: Language) -> Iterator[str]:
    """A bar of a round length, and where north is."""
    bar_m, y = frame.bar_m, TOP + frame.height - 14
    begin, end = Point(MARGIN, y), Point(MARGIN + bar_m * frame.px_per_m, y)
    yield line(begin, end, stroke=marks.BLACK, stroke_width=3)
    for at in (begin, end):
        yield line(Point(at.x, y - 5), Point(at.x, y + 5), stroke=marks.BLACK, stroke_width=1.5)
    length = f"{bar_m // 1000} km" if bar_m >= 1000 else f"{bar_m} m"  # noqa: PLR2004 - metres of a kilometre
    yield marks.label(Point(end.x + 10, y + 5), length)
    x = frame.width - MARGIN
    yield line(Point(x, 58), Point(x, 22), stroke=marks.BLACK, stroke_width=2)
    yield polyline([Point(x - 6, 32), Point(x, 20), Point(x + 6, 32)], fill="none", stroke=marks.BLACK, stroke_width=2)
    yield text(Point(x - 12, 50), said(words.NORTH, language), text_anchor="end", font_size=16)


def _legend(plan: DayPlan, tours: Sequence[Trip], frame: Projection, language: Language) -> Iterator[str]:
    y = TOP + frame.height + ROW
    for number, trip in enumerate(tours):
        yield line(Point(MARGIN, y), Point(MARGIN + SAMPLE, y), **_looks(number))
        yield marks.stop(Point(MARGIN + SAMPLE / 2, y), 0, _colour(number), mandatory=True)
        told = summary(trip, language, drivable=plan.solution.drivable)
        yield text(Point(MARGIN + SAMPLE + 12, y + 5), told, font_size=14)
        y += ROW
    keys = list(_keys(plan))
    wide = min(KEY_PX, (frame.width - 2 * MARGIN) / len(keys))
    for column, (symbol, meaning) in enumerate(keys):
        at = Point(MARGIN + marks.RADIUS + column * wide, y)
        yield symbol(at)
        yield text(Point(at.x + 18, y + 5), said(meaning, language), font_size=14)


def _keys(plan: DayPlan) -> Iterator[tuple[Symbol, Words]]:
    """The marks that are on the map, and what they mean."""
    yield lambda at: marks.stop(at, 0, marks.BLACK, mandatory=True), words.MANDATORY_STOP
    yield lambda at: marks.stop(at, 0, marks.BLACK, mandatory=False), words.OPTIONAL_STOP
    if left_out(plan):
        yield marks.missed, words.NOT_SERVED
    yield marks.depot, words.DEPOT
    if plan.problem.sites:
        yield marks.site, words.SITE
    if plan.problem.starts:
        yield marks.under_way, words.UNDER_WAY
