"""The tours of a day as GeoJSON (RFC 7946): places as points, tours as lines."""

import json
from collections.abc import Iterator, Mapping

from ingest.routes.output import words
from ingest.routes.output.halts import LeftOut, Spot, Trip, left_out, spot, trips
from ingest.routes.output.words import plain
from rules.waste.route.day_plan import DayPlan

DIGITS = 6
"""Of a degree: a tenth of a metre."""
Feature = dict[str, object]
Position = tuple[float, float]


def geojson(plan: DayPlan) -> str:
    """A FeatureCollection: depots, disposal sites, stops with vehicle, order and reason, and a line for each tour.

    Each feature stands on a line of its own. A tour is `drivable` where a routing engine drew it; else its line joins
    the halts straight. Texts are in both languages.
    """
    title = words.title(plan)
    collection = {
        "type": "FeatureCollection",
        "title_de": title.de,
        "title_en": title.en,
        "plan": plain(plan.id),
        "day": plan.day.isoformat(),
        "fraction": plain(plan.fraction),
        "status": plan.status,
        "drivable": plan.solution.drivable,
    }
    head = _dumped(collection).removesuffix("}")
    features = ",\n".join(map(_dumped, _features(plan)))
    return f'{head},"features":[\n{features}\n]}}\n'


def _dumped(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _features(plan: DayPlan) -> Iterator[Feature]:
    tours = trips(plan)
    for trip in tours:
        yield _tour(trip)
    visits = _visits(tours)
    for depot in plan.problem.depots:
        yield _point(spot(plan, depot), {"kind": "depot", "visits": visits.get(depot.id, [])})
    for site in plan.problem.sites:
        yield _point(spot(plan, site), {"kind": "disposal_site", "visits": visits.get(site.id, [])})
    for start in plan.problem.starts:
        yield _point(spot(plan, start), {"kind": "start", "visits": visits.get(start.id, [])})
    for trip in tours:
        yield from _stops(trip)
    for one in left_out(plan):
        if one.place is not None:
            yield _point(spot(plan, one.place), _missed(one))


def _tour(trip: Trip) -> Feature:
    line = [_position(*point) for point in trip.path]
    properties = {
        "kind": "tour",
        "vehicle": plain(trip.vehicle.id),
        "drivable": bool(trip.line),
        "stops": trip.stops,
        "distance_m": trip.tour.metres,
    }
    return _feature(f"tour/{plain(trip.vehicle.id)}", {"type": "LineString", "coordinates": line}, properties)


def _stops(trip: Trip) -> Iterator[Feature]:
    for halt in trip.halts:
        if halt.kind == "stop":
            properties = {
                "kind": "stop",
                "vehicle": halt.vehicle,
                "order": halt.number,
                "mandatory": halt.mandatory,
                "level_percent": halt.level,
                "why_de": halt.reason("de"),
                "why_en": halt.reason("en"),
            }
            yield _point(halt.spot, properties)


def _missed(one: LeftOut) -> Feature:
    return {
        "kind": "left_out",
        "mandatory": one.place is not None and one.place.prize is None,
        "level_percent": one.level,
        "reason": one.reason,
        "why_de": one.text("de"),
        "why_en": one.text("en"),
    }


def _visits(tours: tuple[Trip, ...]) -> dict[str, list[Mapping[str, object]]]:
    """Which vehicles are when at a depot or disposal site; order 0 is the start."""
    found: dict[str, list[Mapping[str, object]]] = {}
    for trip in tours:
        vehicle = plain(trip.vehicle.id)
        found.setdefault(trip.vehicle.origin, []).append({"vehicle": vehicle, "order": 0})
        for halt in trip.halts:
            found.setdefault(halt.place.id, []).append({"vehicle": vehicle, "order": halt.number})
    return found


def _point(place: Spot, properties: Feature) -> Feature:
    named = {**properties, "id": place.id, "name": place.name, "district": place.district}
    position = _position(place.longitude, place.latitude)
    return _feature(f"place/{place.id}", {"type": "Point", "coordinates": position}, named)


def _feature(name: str, geometry: Mapping[str, object], properties: Mapping[str, object]) -> Feature:
    return {"type": "Feature", "id": name, "geometry": geometry, "properties": properties}


def _position(longitude: float, latitude: float) -> Position:
    return round(longitude, DIGITS), round(latitude, DIGITS)
