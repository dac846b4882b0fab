"""What a routing engine is told of a day's places: where they are, and how a stop is to be approached."""

from ingest.routes.engines import Spot
from rules.waste.route.model import Problem, Stop


def spots_of(problem: Problem) -> tuple[Spot, ...]:
    """The places in the order of the matrix."""
    return tuple(
        Spot(place.longitude, place.latitude, place.approach_deg, place.kerb)
        if isinstance(place, Stop)
        else Spot(place.longitude, place.latitude)
        for place in problem.places
    )
