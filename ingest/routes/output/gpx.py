"""A vehicle's tour as GPX 1.1 for navigation devices.

Source: GPX 1.1 schema, https://www.topografix.com/GPX/1/1/gpx.xsd (elements in this order).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from ingest.routes.output import words
from ingest.routes.output.halts import Spot, Trip, trips
from ingest.routes.output.remarks import concerns, notes, remarks
from ingest.routes.output.words import Language, plain, said
from rules.waste.route.day_plan import DayPlan

NAMESPACE = "http://www.topografix.com/GPX/1/1"
SCHEMA = f"{NAMESPACE} {NAMESPACE}/gpx.xsd"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"

ROOT = (
    f'<gpx version="1.1" creator="Stadtfunk" xmlns="{NAMESPACE}" xmlns:xsi="{INSTANCE}" xsi:schemaLocation="{SCHEMA}">'
)


def gpx(plan: DayPlan, language: Language) -> dict[str, str]:
    """A document for each vehicle that goes out, by its id: its halts in order as waypoints.

    A route and a track are in it only where a routing engine knows the streets: devices lead along both.
    """
    return {trip.vehicle.id: _document(plan, trip, language) for trip in trips(plan)}


def keywords(plan: DayPlan) -> str:
    """The element that tells which day and fraction a document is of."""
    return f"<keywords>{plan.day.isoformat()},{escape(plain(plan.fraction))}</keywords>"


def _document(plan: DayPlan, trip: Trip, language: Language) -> str:
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        ROOT,
        *_metadata(plan, trip, language),
        *_points("wpt", plan, trip, language),
        *(_route(plan, trip, language) if plan.solution.drivable else ()),
        *(_track(plan, trip, language) if trip.line else ()),
        "</gpx>",
    ]
    return "\n".join(lines) + "\n"


def _metadata(plan: DayPlan, trip: Trip, language: Language) -> Iterator[str]:
    told = " ".join(f"{line}." for line in notes(plan, trip, language))
    made = datetime.fromtimestamp(plan.created_ms / 1000, UTC)
    yield "<metadata>"
    yield _element("name", _name(plan, trip, language))
    yield _element("desc", " ".join([*concerns(plan, language), told]))
    yield f"<time>{made:%Y-%m-%dT%H:%M:%SZ}</time>"
    yield keywords(plan)
    yield "</metadata>"


def _route(plan: DayPlan, trip: Trip, language: Language) -> Iterator[str]:
    yield "<rte>"
    yield _element("name", _name(plan, trip, language))
    yield from _points("rtept", plan, trip, language)
    yield "</rte>"


def _track(plan: DayPlan, trip: Trip, language: Language) -> Iterator[str]:
    yield "<trk>"
    yield _element("name", _name(plan, trip, language))
    yield "<trkseg>"
    for longitude, latitude in trip.line:
        yield f'<trkpt lat="{latitude:.6f}" lon="{longitude:.6f}"/>'
    yield "</trkseg>"
    yield "</trk>"


def _points(element: str, plan: DayPlan, trip: Trip, language: Language) -> Iterator[str]:
    width = len(str(len(trip.halts)))
    start = said(words.START, language)
    yield _point(element, trip.start, f"{0:0{width}} {start}: {trip.start.name}", "", "start")
    for halt in trip.halts:
        told = [halt.reason(language), *remarks(plan, halt, language)]
        if halt.arrival_s is not None:
            told.append(f"{said(words.ARRIVAL, language)} {words.clock(plan, halt.arrival_s)}")
        yield _point(
            element,
            halt.spot,
            f"{halt.number:0{width}} {halt.spot.name}",
            "; ".join(line.rstrip(".") for line in told),
            halt.kind,
        )


def _point(element: str, place: Spot, name: str, told: str, kind: str) -> str:
    inner = _element("name", name) + _element("cmt", place.id)
    inner += _element("desc", told) if told else ""
    where = f'lat="{place.latitude:.6f}" lon="{place.longitude:.6f}"'
    return f"<{element} {where}>{inner}{_element('type', kind)}</{element}>"


def _name(plan: DayPlan, trip: Trip, language: Language) -> str:
    return f"{trip.name}, {words.heading(plan, language)}"


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"
