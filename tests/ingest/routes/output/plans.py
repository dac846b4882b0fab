"""Made-up plans for the tests of their outputs."""

from dataclasses import replace
from datetime import date

from rules.waste.route.check import checked
from rules.waste.route.day_plan import DayPlan, Why
from rules.waste.route.evaluate import evaluate
from rules.waste.route.model import Order, Problem, Stop
from rules.waste.route.solution import Solution, Unserved
from rules.waste.route.solve import Limit, solve
from rules.waste.words import Words
from tests.rules.waste.route.instances import HOUR_S, Size, problem, random_problem, stop, vehicle

MIDNIGHT_MS = 1_795_474_800_000
"""24 November 2026 in Berlin."""
DAY = date(2026, 11, 24)
NASTY = "=Käfig & <b>\"Söhne\"</b>, [red]Tor[/] 'A'\x1b\n\ufffe"
"""A name that every form has to defend itself against."""


def why(given: Stop) -> Why:
    """A reason with a level that belongs to the container."""
    must = given.prize is None
    level = round(given.mass_kg % 100, 1)
    return Why(
        obligation="mandatory" if must else "optional",
        reason="over_threshold" if must else "worthwhile",
        level=level,
        text_de=f"Am Di 24.11. leeren: Füllstand {level:.0f} %, Grenze 80 %.",
        text_en=f"Empty on Tue 24 Nov: fill level {level:.0f} %, limit 80 %.",
    )


def made(of: Problem, solution: Solution, **changed: object) -> DayPlan:
    """The plan of this solution, with reasons and names."""
    plan = DayPlan(
        id="2026-11-24-paper-1",
        day=DAY,
        fraction="paper",
        timezone="Europe/Berlin",
        midnight_ms=MIDNIGHT_MS,
        created_ms=MIDNIGHT_MS - 6 * HOUR_S * 1000,
        problem=of,
        solution=solution,
        why={one.id: why(one) for one in of.stops},
        names={"depot": "Betriebshof", "site": "Müllverbrennung", "truck-1": "Wagen 1"},
        districts={"bin-1": "Mitte"},
    )
    return replace(plan, **changed)  # type: ignore[arg-type] # the tests' own shorthand


def small(*, drivable: bool = False, **changed: object) -> DayPlan:
    """Two vehicles of three, an unloading in between, one optional and one refused container, a nasty name."""
    stops = (
        stop("bin-1", window_from_s=7 * HOUR_S, window_until_s=10 * HOUR_S, kerb="right", approach_deg=95),
        stop("bin-2", longitude=7.83, latitude=51.675, prize=9_000_000, max_height_cm=380, max_weight_kg=18_500),
        stop("bin-3", longitude=7.82, latitude=51.69, mass_kg=85),
        stop("bin-4", longitude=7.79, latitude=51.66, prize=1_000_000, mass_kg=42),
    )
    trucks = (vehicle("truck-1"), vehicle("truck-2", break_s=0), vehicle("truck-3"))
    of = problem(stops, trucks, drivable=drivable)
    orders = (Order("truck-1", ("bin-1", "site", "bin-2")), Order("truck-2", ("bin-3",)))
    refused = Unserved("bin-x", "invalid", Words("Volumen unbekannt", "volume is None l, expected more than 0"))
    names = {"depot": "Betriebshof", "site": "Müllverbrennung", "truck-1": "Wagen 1", "bin-2": NASTY, "bin-x": "Alt"}
    return made(of, evaluate(of, orders, (refused,)), **({"names": names} | changed))


def solved(seed: int = 1, size: Size | None = None, **changed: object) -> DayPlan:
    """A day as the solver plans it."""
    of, refused, _ = checked(random_problem(seed, size or Size(stops=12, vehicles=2)), skip_invalid=True)
    return made(of, solve(of, Limit(iterations=30), seed, unserved=refused), **changed)
