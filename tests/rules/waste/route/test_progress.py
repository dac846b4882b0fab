"""How far a tour has come."""

from dataclasses import replace

from rules.waste.route.crew import UnderWay
from rules.waste.route.model import Load
from rules.waste.route.progress import ahead, under_way
from tests.rules.waste.route.plans import plan

TOUR = plan({"truck-1": ("bin-0", "bin-1", "site", "bin-2", "bin-3")}).tours[0]
NOON_S = 12 * 3600


def test_what_lies_ahead_is_what_is_not_emptied() -> None:
    """Unloading before the next stop is over or comes by itself; in between it stays."""
    assert ahead(TOUR, ()) == ("bin-0", "bin-1", "site", "bin-2", "bin-3")
    assert ahead(TOUR, {"bin-0"}) == ("bin-1", "site", "bin-2", "bin-3")
    assert ahead(TOUR, {"bin-0", "bin-1"}) == ("bin-2", "bin-3")
    assert ahead(TOUR, {"bin-0", "bin-1", "bin-2", "bin-3"}) == ()


def test_a_vehicle_is_where_it_emptied_last() -> None:
    """With the load that its plan has there, and the reloads that are left."""
    assert under_way(TOUR, {"bin-0"}, NOON_S, 3) == UnderWay("bin-0", Load(60, 1000), max_reloads=3)
    assert under_way(TOUR, {"bin-0", "bin-1"}, NOON_S, 3) == UnderWay("bin-1", Load(120, 2000), max_reloads=3)
    assert under_way(TOUR, {"bin-1", "bin-2"}, NOON_S, 3) == UnderWay("bin-2", Load(60, 1000), max_reloads=2)
    assert under_way(TOUR, {"bin-2"}, NOON_S, 0) == UnderWay("bin-2", Load(60, 1000), max_reloads=0)


def test_a_vehicle_that_emptied_nothing_is_in_the_depot() -> None:
    """Also when somebody else emptied a container of its tour before it left."""
    assert under_way(TOUR, (), NOON_S, 3) is None
    assert under_way(TOUR, {"bin-7"}, NOON_S, 3) is None
    assert under_way(TOUR, {"bin-0"}, TOUR.departs_s - 1, 3) is None


def test_a_tour_that_was_planned_under_way_goes_on_from_there() -> None:
    """Nothing emptied since: it is where it was; what it had left then is what it has."""
    began = UnderWay("bin-9", Load(40, 500), max_reloads=1)
    later = replace(TOUR, began=began)
    assert under_way(later, (), NOON_S, 3) == began
    assert under_way(later, {"bin-2"}, NOON_S, 3) == UnderWay("bin-2", Load(60, 1000), max_reloads=0)
