"""A town for vehicles to drive through, and the words of the service about their tours."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

from rules.city import City
from rules.event_route import Halt, HaltKind, RoutePlanned, RouteStatus
from rules.waste.route.distance import way
from simulator.depot.drive import Drive
from simulator.depot.ground import Spot
from simulator.depot.report import Report, Stopped
from simulator.depot.tour import Habits
from tests.rules.waste.route.cities import DAY_MS, HOUR_MS, MONDAY, city, container, depot, site, vehicle

NS = 1_000_000
SECOND = 1_000_000_000
CRANE_S = 240
DEPOT, SITE = Spot(7.80, 51.67), Spot(7.86, 51.69)
MINUTE, HOUR, DAY = 60_000 * NS, HOUR_MS * NS, DAY_MS * NS
NIGHT = MONDAY * NS
SHIFT = NIGHT + 6 * HOUR
END = NIGHT + 24 * HOUR
TODAY = date(2026, 9, 14)
TRUCK, OTHER = "truck-1", "truck-2"
BINS = ("bin-0", "bin-1", "bin-2", "bin-3", "bin-4", "bin-5")
EXACT = Habits(spread=0)
SHORT: dict[HaltKind, str] = {"home": "depot", "unload": "site", "stop": ""}


def town(**first: object) -> City:
    """Two trucks (06:00 to 15:00) and six containers for paper in a row; the first has these properties."""
    bins = (
        container(name, (7.81 + number / 100, 51.68), **(first if number == 0 else {}))
        for number, name in enumerate(BINS)
    )
    return city(depot(), site(), vehicle(TRUCK), vehicle(OTHER), *bins)


def tour(
    *places: str,
    truck: str = TRUCK,
    status: RouteStatus = "confirmed",
    plan: str = "1",
    at_ns: int = NIGHT,
    day: date = TODAY,
    **data: Any,  # noqa: ANN401 - keys of the event
) -> RoutePlanned:
    """What the service says of a vehicle: these places and home, nothing for one that stays."""
    halts = tuple(_halt(place) for place in (*places, "depot")) if places else ()
    ends = datetime(day.year, day.month, day.day, 13, tzinfo=UTC)
    given = {
        "rule": "waste.route_planned",
        "rule_version": 1,
        "valid_until": ends,
        "evidence": (),
        "plan": plan,
        "status": status,
        "day": day,
        "fraction": "paper",
        "drivable": False,
        "halts": halts,
        "distance": 0,
    }
    return RoutePlanned.model_validate(
        {
            "id": f"{truck} {status} {plan} {at_ns}",
            "source": "/stadtfunk/rules/waste.route_planned",
            "subject": truck,
            "time": datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_ns // 1000),
            "data": {**given, **data},
        }
    )


def _halt(place: str) -> Halt:
    kind: HaltKind = "home" if place == "depot" else "unload" if place == "site" else "stop"
    return Halt(place=place, kind=kind, load_mass=0, load_volume=0)


def driven(*events: RoutePlanned, habits: Habits = EXACT, place: City | None = None) -> list[Report]:
    """What is told of a whole day when these words came in the night."""
    drive = Drive(place or town(), NIGHT, habits)
    for event in events:
        drive.take(event)
    return drive.due(END)


def stops(reports: list[Report]) -> list[tuple[str, str]]:
    """Container and reason (empty: served), in order."""
    return [(report.stop, report.reason or "") for report in reports if isinstance(report, Stopped)]


def served(reports: list[Report]) -> list[str]:
    """The containers that were emptied, in order."""
    return [place for place, reason in stops(reports) if not reason]


def seconds(*spots: Spot) -> int:
    """The way along these places."""
    return sum(way(one, other)[1] for one, other in pairwise(spots))


def bin_at(number: int) -> Spot:
    """Where a container is."""
    return Spot(7.81 + number / 100, 51.68)


def times(reports: list[object]) -> list[int]:
    """When stops were done, in s after the shift began."""
    return [(report.time_ns - SHIFT) // SECOND for report in reports if isinstance(report, Stopped)]
