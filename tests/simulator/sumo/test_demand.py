"""Who uses the arterial."""

from collections import Counter
from xml.etree import ElementTree as ET

import pytest

from simulator.sumo.demand import DAYS, IN_SURGE, USUAL, Demand, Flow, routes, starts


def per_hour(demand: Demand, begin_s: int, end_s: int, *, origin: str) -> float:
    """Motor vehicles an hour that come from there."""
    found = [start for start in starts(demand, 1) if start.id.split(".")[:2] in (["car", origin], ["truck", origin])]
    return sum(begin_s <= start.second < end_s for start in found) * 3600 / (end_s - begin_s)


def test_the_same_seed_is_the_same_people() -> None:
    """Bit for bit; another seed is other people."""
    assert routes(Demand.SCHEDULED_PEAK, 3) == routes(Demand.SCHEDULED_PEAK, 3)
    assert routes(Demand.SCHEDULED_PEAK, 3) != routes(Demand.SCHEDULED_PEAK, 4)


def test_an_unscheduled_peak_comes_into_the_city_while_the_other_direction_gets_less() -> None:
    """Usual traffic before it, within what chance does to a Poisson count."""
    day = Demand.UNSCHEDULED_PEAK
    assert per_hour(day, 0, 1800, origin="E") == pytest.approx(USUAL.inbound, rel=0.12)
    assert per_hour(day, 2400, 6900, origin="E") == pytest.approx(IN_SURGE.inbound, rel=0.07)
    assert per_hour(day, 2400, 6900, origin="W") == pytest.approx(IN_SURGE.outbound, rel=0.1)


def test_flows_change_linearly() -> None:
    """Half way between two points it is half of both."""
    assert DAYS[Demand.UNSCHEDULED_PEAK].at(2100) == Flow(
        *((one + other) / 2 for one, other in zip(USUAL, IN_SURGE, strict=True))
    )


def test_all_kinds_of_people_are_there() -> None:
    """Buses each ten minutes in both directions with two stops each, cyclists, people at each of the 20 crossings."""
    found = starts(Demand.ORDINARY, 1)
    kinds = Counter(start.kind for start in found)
    assert kinds["bus"] == 30
    assert min(kinds["bicycle"], kinds["walk"], kinds["truck"]) > 200
    assert len({start.id.split(".")[1] for start in found if start.kind == "walk"}) == 20
    text = ET.fromstring(routes(Demand.ORDINARY, 1))  # noqa: S314 - our own
    assert all(len(each.findall("stop")) == 2 for each in text.iter("vehicle") if each.attrib["type"] == "bus")


def test_sumo_gets_departures_in_their_order() -> None:
    """It drops what comes late in a file."""
    for demand in Demand:
        seconds = [start.second for start in starts(demand, 2)]
        assert seconds == sorted(seconds)
        assert seconds[-1] < DAYS[demand].length_s + 600
