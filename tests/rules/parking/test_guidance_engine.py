"""Guidance driven by the engine: observations of lots lead to requests of their zone."""

from datetime import timedelta
from itertools import pairwise
from typing import cast

import pytest

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import Asset, Assignment, CityError
from rules.city import City
from rules.engine import Engine
from rules.event_parking import ParkingGuidance
from rules.parking import guidance, lot_state
from rules.rule import Observation, Tick

START = 1_790_000_000_000
MINUTE = 60_000


def lot(id_: str) -> Asset:
    """A lot of ten spaces."""
    devices = tuple(Assignment(f"{id_}{index}") for index in range(10))
    return Asset(id_, "lot", id_, {"capacity": 10}, devices, 7.8, 51.6)


def city(*lots: str) -> City:
    """Two lots and a zone of the given ones; in the order of ids the zone comes first."""
    zone = Asset("a-zone", "zone", "Zone", {"lots": list(lots)}, (), 7.8, 51.6)
    return City([zone, lot("b"), lot("c")])


class Play:
    """An engine with lots and zone; every input is committed at once."""

    def __init__(self) -> None:
        self.engine = Engine(city("b", "c"), [guidance.RULE, lot_state.RULE])
        self.requests: list[ParkingGuidance] = []

    def give(self, given: Observation | Tick) -> None:
        """An input."""
        overlay = self.engine.overlay()
        if isinstance(given, Tick):
            overlay.tick(given)
        else:
            overlay.observe(given)
        overlay.dirty()
        assert overlay.failures == []
        self.engine.merge(overlay)
        self.requests += [cast("ParkingGuidance", event) for event in overlay.events if event.acting]

    def fill(self, id_: str, taken: int, at: int) -> None:
        """All sensors of a lot speak."""
        for index in range(10):
            reading = (Reading(Quantity.OCCUPIED, float(index < taken)),)
            self.give(Observation(f"{id_}{index}", "d", id_, at, at, reading, f"{id_}{index}{at}"))


def test_what_a_lot_concludes_reaches_its_zone_in_the_same_step() -> None:
    """Numbered requests, each the successor of the last; silence is said once by ticks."""
    play = Play()
    play.fill("b", 3, START)
    play.fill("c", 10, START + MINUTE)
    data = play.requests[-1].data
    assert (data.recommend, data.divert_from) == (("b",), ("c",))
    assert all(one.data.sequence < other.data.sequence for one, other in pairwise(play.requests))
    assert data.supersedes == play.requests[-2].id
    for at in range(START + 2 * MINUTE, START + 60 * MINUTE, 10_000):
        play.give(Tick(at))
    assert play.requests[-1].data.reason == "no_news"
    assert play.requests[-1].time <= play.requests[0].time + timedelta(minutes=16)
    assert all(each.data.valid_until <= each.time + timedelta(minutes=15) for each in play.requests)


def test_a_zone_that_names_a_lot_which_is_not_there_is_refused() -> None:
    """The error names zone and lot."""
    with pytest.raises(CityError, match="'a-zone' names 'x'"):
        Engine(city("b", "x"), [guidance.RULE, lot_state.RULE])
