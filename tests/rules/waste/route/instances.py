"""Made-up days of collection for the tests of route planning."""

import random
from array import array
from dataclasses import dataclass, replace

from rules.waste.route.distance import straight_matrix
from rules.waste.route.model import Capacity, Depot, DisposalSite, Load, Matrix, Problem, Start, Stop, Vehicle

HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Size:
    """How large a day is, and how tight."""

    stops: int = 30
    vehicles: int = 3
    optional: float = 0.5
    mass_kg: int = 2_000
    volume_l: int = 12_000


DEPOT = Depot("depot", 7.80, 51.67)
SITE = DisposalSite("site", 7.86, 51.69, frozenset({"paper", "glass"}), unload_s=1200, opens_s=6 * HOUR_S)


def vehicle(name: str = "truck-1", **changed: object) -> Vehicle:
    """A truck of the depot."""
    given: dict[str, object] = {
        "depot": DEPOT.id,
        "shift_from_s": 6 * HOUR_S,
        "shift_until_s": 14 * HOUR_S,
        "capacity": {"paper": Capacity(2_000, 12_000)},
        "disposal_sites": (SITE.id,),
        "break_s": 1800,
        "max_reloads": 3,
        "cost_fixed": 40_000_000,
        "cost_per_m": 700,
        "cost_per_s": 12_500,
    }
    return Vehicle(name, **(given | changed))  # type: ignore[arg-type] # the tests' own shorthand


def stop(name: str = "bin-1", **changed: object) -> Stop:
    """A container of paper near the depot."""
    given: dict[str, object] = {
        "longitude": 7.81,
        "latitude": 51.68,
        "fraction": "paper",
        "volume_l": 1_000,
        "mass_kg": 60,
        "service_s": 240,
    }
    return Stop(name, **(given | changed))  # type: ignore[arg-type] # the tests' own shorthand


def flat(size: int, metres: int = 1000, seconds: int = 100) -> Matrix:
    """Every way is as long as every other."""
    rows = [[0 if row == column else 1 for column in range(size)] for row in range(size)]
    return Matrix(
        tuple(array("q", (metres * one for one in row)) for row in rows),
        tuple(array("q", (seconds * one for one in row)) for row in rows),
    )


def problem(stops: tuple[Stop, ...], vehicles: tuple[Vehicle, ...], **changed: object) -> Problem:
    """A day with one depot, one site and straight distances."""
    given: dict[str, object] = {"matrices": {"": straight_matrix((DEPOT, SITE, *stops))}}
    return Problem((DEPOT,), (SITE,), stops, vehicles, **(given | changed))  # type: ignore[arg-type] # the same


def random_problem(seed: int, size: Size | None = None) -> Problem:
    """A day with windows, both fractions, breaks and reloads."""
    size, chance = size or Size(), random.Random(seed)
    stops = tuple(_stop(chance, number, size) for number in range(size.stops))
    capacity = {name: Capacity(size.mass_kg, size.volume_l) for name in ("paper", "glass")}
    vehicles = tuple(
        vehicle(
            f"truck-{number}",
            capacity=capacity if number % 2 == 0 else {"paper": capacity["paper"]},
            payload_kg=chance.choice((None, 2_500)),
            break_s=chance.choice((0, 1800)),
            loader=chance.choice(("rear", "left")),
        )
        for number in range(size.vehicles)
    )
    return problem(stops, vehicles)


def with_second_site(day: Problem, seed: int) -> Problem:
    """The day with another disposal site, which some of its vehicles may use as well."""
    chance = random.Random(seed)
    other = DisposalSite(
        "other-site",
        chance.uniform(7.70, 7.90),
        chance.uniform(51.63, 51.73),
        SITE.fractions,
        unload_s=chance.choice((300, 2400)),
        opens_s=chance.choice((0, 12, 13)) * HOUR_S // 2,
        closes_s=chance.choice((11, 13, 48)) * HOUR_S,
    )
    vehicles = tuple(
        replace(each, disposal_sites=chance.choice((("site",), ("site", "other-site"), ("other-site", "site"))))
        for each in day.vehicles
    )
    return rebuilt(replace(day, sites=(*day.sites, other), vehicles=vehicles))


def under_way(day: Problem, seed: int, now_s: int = 9 * HOUR_S) -> Problem:
    """The day at nine: about half of the vehicles are somewhere, with something on board or nothing."""
    chance = random.Random(seed)
    starts, vehicles = [], []
    for each in day.vehicles:
        now = replace(each, shift_from_s=now_s)
        if chance.random() < 0.6:
            starts.append(Start(f"here-{each.id}", chance.uniform(7.70, 7.90), chance.uniform(51.63, 51.73)))
            held = {
                fraction: Load(chance.randrange(0, 2 * room.mass_kg), chance.randrange(0, 2 * room.volume_l))
                for fraction, room in each.capacity.items()
                if chance.random() < 0.6
            }
            now = replace(now, start=starts[-1].id, on_board=held, break_s=chance.choice((0, each.break_s)))
        vehicles.append(now)
    return rebuilt(replace(day, vehicles=tuple(vehicles), starts=tuple(starts)))


def rebuilt(day: Problem) -> Problem:
    """The day with straight distances between all of its places."""
    return replace(day, matrices={"": straight_matrix(day.places)})


def _stop(chance: random.Random, number: int, size: Size) -> Stop:
    early = chance.random() < 0.2
    return stop(
        f"bin-{number}",
        longitude=chance.uniform(7.70, 7.90),
        latitude=chance.uniform(51.63, 51.73),
        fraction=chance.choice(("paper", "paper", "glass")),
        volume_l=chance.randrange(100, 3_000),
        mass_kg=chance.randrange(10, 600),
        service_s=chance.randrange(60, 400),
        prize=chance.randrange(1_000_000, 30_000_000) if chance.random() < size.optional else None,
        window_from_s=chance.choice((0, 7 * HOUR_S)),
        window_until_s=10 * HOUR_S if early else 2 * 24 * HOUR_S,
        kerb=chance.choice(("any", "any", "any", "right")),
    )
