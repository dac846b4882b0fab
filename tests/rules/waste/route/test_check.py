"""Bad input is refused by name before the solver starts."""

import re
from array import array
from collections.abc import Callable
from dataclasses import replace

import pytest

from rules.waste.route.check import check, checked
from rules.waste.route.distance import straight_matrix
from rules.waste.route.model import Capacity, Matrix, Problem, RouteError
from tests.rules.waste.route.instances import DEPOT, HOUR_S, SITE, problem, stop, vehicle


def with_stop(**changed: object) -> Callable[[], Problem]:
    """A day with one good container and one that is changed."""
    return lambda: problem((stop("good"), stop("bad", **changed)), (vehicle(),))


def with_vehicle(**changed: object) -> Callable[[], Problem]:
    """A day with one good vehicle and one that is changed."""
    return lambda: problem((stop("good"),), (vehicle(), vehicle("bad", **changed)))


def figures(text: str) -> set[str]:
    """The numbers in a text that say something: 0 is a limit in one language and `unbekannt` in the other."""
    return set(re.findall(r"\d+", text)) - {"0"}


def hole(way: str) -> Problem:
    """A day whose matrix knows no way to a container, or none from it."""
    day = problem((stop("good"), stop("bad")), (vehicle(),))
    for other in range(3):
        row, column = (other, 3) if way == "to" else (3, other)
        day.matrices[""].metres[row][column] = -1
    return day


STOPS = [
    (with_stop(volume_l=None), "volume is None l, expected more than 0: set `volume_l`"),
    (with_stop(volume_l=0), "volume is 0 l"),
    (with_stop(mass_kg=-1), "-1 kg"),
    (with_stop(prize=-1), "prize is -1"),
    (with_stop(window_from_s=9 * HOUR_S, window_until_s=8 * HOUR_S), "window from 09:00 to 08:00"),
    (with_stop(window_until_s=6 * HOUR_S), "after its window at best"),
    (with_stop(window_from_s=14 * HOUR_S), "ends its work 30 min before its window: widen the window"),
    (with_stop(service_s=8 * HOUR_S), "min late: lengthen it or shorten the break"),
    (with_stop(volume_l=12_001), "holds 2000 kg, 12000 l, the container 60 kg, 12001 l"),
    (with_stop(fraction="glass"), "takes no glass"),
    (lambda: hole("to"), "finds no way to it: the matrix has a hole"),
    (lambda: hole("from"), "finds no way from it: the matrix has a hole"),
    (
        lambda: replace(
            problem((stop("good"), stop("bad", service_s=3 * HOUR_S)), (vehicle(),)),
            sites=(replace(SITE, closes_s=8 * HOUR_S),),
        ),
        "after it closes",
    ),
]
VEHICLES = [
    (with_vehicle(break_s=9 * HOUR_S), "a break of 32400 s"),
    (with_vehicle(shift_until_s=5 * HOUR_S), "shift from 06:00 to 05:00"),
    (with_vehicle(shift_until_s=6 * HOUR_S + 1800, break_s=0), "min late"),
    (with_vehicle(capacity={}), "takes no fraction"),
    (with_vehicle(capacity={"paper": Capacity(0, 100)}), "0 kg, 100 l"),
    (with_vehicle(capacity={"organic": Capacity(9, 9)}), "disposal site 'site' takes no organic"),
    (with_vehicle(cost_per_m=-1), "negative"),
]


@pytest.mark.parametrize(("day", "says"), [*STOPS, *VEHICLES])
def test_a_fault_names_its_asset_and_what_to_change(day: Callable[[], Problem], says: str) -> None:
    """Every fault is refused by one line that begins with the asset, and only with that."""
    faults = check(day())
    assert [fault.asset for fault in faults] == ["bad"]
    with pytest.raises(RouteError) as refused:
        checked(day())
    assert str(refused.value).startswith("bad: ")
    assert says in str(refused.value)


@pytest.mark.parametrize("day", [day for day, _ in [*STOPS, *VEHICLES]])
def test_a_fault_is_said_in_both_languages(day: Callable[[], Problem]) -> None:
    """Each in its own words, with the same figures; errors and logs have the English ones."""
    (fault,) = check(day())
    german, english = fault.message
    assert german != english
    assert figures(german) == figures(english)
    assert str(fault) == f"bad: {english}"


@pytest.mark.parametrize("day", [day for day, _ in STOPS])
def test_the_rest_can_be_planned(day: Callable[[], Problem]) -> None:
    """With `skip_invalid` the faulty container stays out with its reason and its row of the matrix goes."""
    rest, left, _ = checked(day(), skip_invalid=True)
    assert [each.id for each in rest.stops] == ["good"]
    assert [each.stop for each in left] == ["bad"]
    assert all(left[0].detail)
    assert [len(row) for row in rest.matrices[""].seconds] == [3, 3, 3]
    assert check(rest) == ()


def test_the_right_row_is_cut() -> None:
    """What is left keeps its own distances."""
    stops = (stop("bad", volume_l=None, longitude=7.7), stop("good", longitude=7.9))
    rest, _, _ = checked(problem(stops, (vehicle(),)), skip_invalid=True)
    assert rest.matrices[""] == straight_matrix((DEPOT, SITE, stops[1]))


def test_a_faulty_vehicle_stays_in_the_depot() -> None:
    """The plan for the rest does without the vehicle, and containers that only it could serve stay out, too."""
    stops = (stop("good"), stop("large", volume_l=20_000))
    large = vehicle("large-truck", capacity={"paper": Capacity(9_000, 30_000)}, break_s=9 * HOUR_S)
    rest, left, grounded = checked(problem(stops, (vehicle(), large)), skip_invalid=True)
    assert [each.id for each in rest.vehicles] == ["truck-1"]
    assert [(each.stop, each.reason) for each in left] == [("large", "no_vehicle")]
    assert [str(fault) for fault in grounded] == [
        "large-truck: a break of 32400 s in a shift of 28800 s, expected a shorter one"
    ]


def _structural() -> list[tuple[Problem, str]]:
    day = problem((stop("bin-1"), stop("bin-2")), (vehicle(),))
    matrix = day.matrices[""]
    negative = straight_matrix(day.places)
    negative.seconds[2][3] = -7
    return [
        (replace(day, stops=(stop("bin-1"), stop("bin-1"))), "bin-1: stands twice"),
        (replace(day, vehicles=()), "vehicles: there are none"),
        (replace(day, vehicles=(vehicle(depot="elsewhere"),)), "truck-1: depot 'elsewhere' is unknown"),
        (replace(day, vehicles=(vehicle(disposal_sites=("tip",)),)), "truck-1: disposal site 'tip' is unknown"),
        (replace(day, vehicles=(vehicle(profile="lorry"),)), "truck-1: profile 'lorry' has no matrix"),
        (replace(day, matrices={"": Matrix(matrix.metres[1:], matrix.seconds)}), "metres: 3 rows of [4], expected 4"),
        (
            replace(day, matrices={"": Matrix(matrix.metres, (array("q", [0]), *matrix.seconds[1:]))}),
            "seconds: 4 rows of [1, 4]",
        ),
        (replace(day, matrices={"": negative}), "bin-1: seconds of a way from it are -7"),
        (replace(day, sites=(replace(SITE, opens_s=9, closes_s=8),)), "site: opens at"),
        (
            replace(day, vehicles=(vehicle(cost_per_m=0),), cost_per_change=1),
            "truck-1: costs nothing per metre",
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(("day", "says"), _structural())
def test_what_cannot_be_planned_around_is_always_refused(day: Problem, says: str) -> None:
    """Doubled ids, unknown names and matrices of another size are refused with and without `skip_invalid`."""
    for skip in (False, True):
        with pytest.raises(RouteError) as refused:
            checked(day, skip_invalid=skip)
        assert says in str(refused.value)


def test_every_faulty_container_is_named_at_once() -> None:
    """Three faults are three lines, not three attempts."""
    stops = tuple(stop(f"bin-{n}", volume_l=None) for n in range(3))
    with pytest.raises(RouteError) as refused:
        checked(problem(stops, (vehicle(),)))
    assert len(str(refused.value).splitlines()) == 3


def test_without_any_vehicle_nothing_is_planned() -> None:
    """When every vehicle has a fault there is no rest."""
    with pytest.raises(RouteError, match="truck-1: a break"):
        checked(problem((stop(),), (vehicle(break_s=9 * HOUR_S),)), skip_invalid=True)
