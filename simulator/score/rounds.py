"""What the city's fixed rounds would take: each day's emptied containers, in the order in which a solver drives them.

The simulated city empties containers without driving. So that its rounds can stand beside tours that were driven, each
day and fraction gets tours by the city's own vehicles on whatever day, every stop mandatory, along straight lines times
the detour factor. The order is as good as the solver's, which flatters the rounds.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from rules.city import City
from rules.waste.days import local_date
from rules.waste.due_config import configure
from rules.waste.route.check import checked
from rules.waste.route.crew import able
from rules.waste.route.distance import straight_matrix
from rules.waste.route.fleet import fleet_of
from rules.waste.route.model import Problem, RouteError
from rules.waste.route.service_day import ServiceDay
from rules.waste.route.solution import Solution
from rules.waste.route.stops import stop_of
from simulator.score.truth import NotScored

ITERATIONS: Final = 300


class Emptied(NamedTuple):
    """A container was emptied then (ms since 1970), from a level in %."""

    time_ms: int
    container: str
    level: float


class Way(NamedTuple):
    """What tours took: vehicles that went out, by day, and metres."""

    tours: int
    metres: float


def way_of(city: City, emptied: Iterable[Emptied], timezone: str) -> Way:
    """The tours by which these containers could have been emptied; raises NotScored where the vehicles cannot."""
    rounds: dict[tuple[ServiceDay, str], list[Emptied]] = defaultdict(list)
    for each in emptied:
        day = ServiceDay(local_date(timezone, each.time_ms), timezone)
        rounds[day, configure(city.assets[each.container]).fraction].append(each)
    plans = [_planned(city, day, fraction, found) for (day, fraction), found in sorted(rounds.items())]
    tours = [tour for plan in plans for tour in plan.tours]
    return Way(len(tours), sum(tour.metres for tour in tours))


def _planned(city: City, day: ServiceDay, fraction: str, emptied: Sequence[Emptied]) -> Solution:
    from rules.waste.route.solve import Limit, solve  # noqa: PLC0415 - an extra, and slow to import

    where = f"{day.date}, {fraction or 'without a fraction'}"
    try:
        plan = solve(checked(_problem(city, day, fraction, emptied)).problem, Limit(ITERATIONS))
    except RouteError as error:
        raise NotScored(f"{where}: {'; '.join(str(error).splitlines())}") from error
    if plan.unserved:
        raise NotScored(f"{where}: {plan.unserved[0].stop} is on no tour: {plan.unserved[0].detail}")
    return plan


def _problem(city: City, day: ServiceDay, fraction: str, emptied: Sequence[Emptied]) -> Problem:
    fleet = able(fleet_of(city, day), fraction)
    problem = Problem(
        depots=fleet.depots,
        sites=fleet.sites,
        stops=tuple(
            stop_of(city.assets[place], fraction, level, None, day)
            for place, level in {each.container: each.level for each in emptied}.items()
        ),
        vehicles=tuple(replace(vehicle, profile="") for vehicle in fleet.vehicles),
        matrices={},
    )
    return replace(problem, matrices={"": straight_matrix(problem.places)})
