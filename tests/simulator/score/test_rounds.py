"""What fixed rounds would take, against ways laid by hand."""

from itertools import pairwise

import pytest

from rules.city import City
from rules.waste.route.distance import way
from simulator.depot.ground import Spot
from simulator.score.rounds import Emptied, way_of
from simulator.score.truth import NotScored
from tests.rules.waste.route.cities import DAY_MS, HOUR_MS, MONDAY, city, container, depot, site, vehicle

ZONE = "Europe/Berlin"
DEPOT, SITE = Spot(7.80, 51.67), Spot(7.86, 51.69)
NEAR, FAR = Spot(7.81, 51.68), Spot(7.85, 51.68)
MORNING = MONDAY + 6 * HOUR_MS
GLASS = {"glass": {"mass_kg": 9000, "volume_l": 30_000}}


def _city(**truck: object) -> City:
    return city(
        depot(),
        site(),
        vehicle(**{"profile": "truck", **truck}),  # type: ignore[arg-type] # properties of the truck
        vehicle("crane", capacity=GLASS, service_days=["sat"]),
        container("near", NEAR),
        container("far", FAR),
        container("glass", FAR, fraction="glass"),
        container("textile", FAR, fraction="textile"),
    )


def _metres(*spots: Spot) -> int:
    return sum(way(one, other)[0] for one, other in pairwise(spots))


def _at(name: str, time_ms: int = MORNING, level: float = 80) -> Emptied:
    return Emptied(time_ms, name, level)


def test_the_containers_of_a_day_are_one_tour() -> None:
    """From the depot by both, in the good order, to the disposal site and home."""
    found = way_of(_city(), [_at("far"), _at("near")], ZONE)
    assert found == (1, _metres(DEPOT, NEAR, FAR, SITE, DEPOT))
    assert way_of(_city(), [], ZONE) == (0, 0)


def test_days_and_fractions_are_tours_of_their_own() -> None:
    """The day is the city's; a vehicle of the fraction drives, on whatever day."""
    night = MONDAY + DAY_MS - HOUR_MS
    once = _metres(DEPOT, FAR, SITE, DEPOT)
    assert way_of(_city(), [_at("far"), _at("far", night)], ZONE) == (1, once)
    assert way_of(_city(), [_at("far"), _at("far", night + 2 * HOUR_MS)], ZONE) == (2, 2 * once)
    assert way_of(_city(), [_at("far"), _at("glass")], ZONE) == (2, 2 * once)


def test_what_a_vehicle_holds_counts() -> None:
    """Two containers that do not fit at once need the site in between; what lies in them is what is loaded."""
    small = _city(capacity={"paper": {"mass_kg": 9000, "volume_l": 3000}})
    by_turns = {_metres(DEPOT, one, SITE, other, SITE, DEPOT) for one, other in ((NEAR, FAR), (FAR, NEAR))}
    found = way_of(small, [_at("far"), _at("near")], ZONE)
    assert (found.tours, found.metres in by_turns) == (1, True)
    assert way_of(small, [_at("far", level=50), _at("near", level=50)], ZONE) == (
        1,
        _metres(DEPOT, NEAR, FAR, SITE, DEPOT),
    )


@pytest.mark.parametrize(
    ("place", "names", "why"),
    [
        (_city(), ("textile",), "2026-09-14, textile: "),
        (_city(capacity={"paper": {"mass_kg": 9000, "volume_l": 300}}), ("far",), "2026-09-14, paper: far"),
        (
            _city(capacity={"paper": {"mass_kg": 9000, "volume_l": 3000}}, max_reloads=0),
            ("far", "near"),
            "2026-09-14, paper: (far|near) is on no tour: ",
        ),
    ],
    ids=["no vehicle", "no room", "no room for both"],
)
def test_what_no_vehicle_can_do(place: City, names: tuple[str, ...], why: str) -> None:
    """It is said of which day and fraction, and why."""
    with pytest.raises(NotScored, match=why):
        way_of(place, [_at(name) for name in names], ZONE)
