"""Delay per person, by hand."""

from pathlib import Path

import pytest

from simulator.sumo.person_delay import Outcome, Trip, outcome, read_trips

TRIPS = (
    Trip("car", 100, 30, 20, 1, 400),
    Trip("car", 110, 50, 20, 2, None),
    Trip("truck", 120, 10, 5, 0, 500),
    Trip("bus", 130, 40, 30, 3, 600),
    Trip("bicycle", 140, 20, 15, 5, 700),
    Trip("walk", 150, 8, 6, 0, 300),
    Trip("walk", 160, 12, 11, 0, 300),
    Trip("car", 99, 1000, 900, 9, 400),
)
PERSONS = {"car": 1.5, "bus": 20.0}


def test_people_count_not_vehicles() -> None:
    """A bus weighs as many as sit in it, a car 1.5; who set out before the span is left out."""
    found = outcome(TRIPS, PERSONS, (100, 1900), 3)
    persons = 1.5 * 2 + 1 + 20 + 1 + 2
    assert found.persons == persons
    assert found.person_delay_s == pytest.approx((1.5 * 80 + 10 + 20 * 40 + 20 + 8 + 12) / persons)
    assert found.car_delay_s == pytest.approx(30)
    assert (found.bus_delay_s, found.cyclist_delay_s, found.pedestrian_delay_s) == (40, 20, 10)


def test_stops_throughput_and_switches_are_those_of_motor_vehicles_an_hour() -> None:
    """Cyclists and people on foot stop, too, but are not counted; who never arrived is no throughput."""
    found = outcome(TRIPS, PERSONS, (100, 1900), 3)
    assert found.stops == pytest.approx(6 / 4)
    assert found.throughput_vph == 6
    assert found.switches_per_hour == 6


def test_the_95th_percentile_is_what_19_of_20_do_not_exceed() -> None:
    """Of 1 to 100 s of standing it is 95 s, whatever else was lost on the way."""
    walks = [Trip("walk", 0, 500, wait, 0, 900) for wait in range(100, 0, -1)]
    assert outcome(walks, {}, (0, 3600), 0).pedestrians_p95_wait_s == 95


def test_nobody_is_no_error() -> None:
    """An empty span has no delays."""
    assert outcome((), {}, (0, 3600), 0) == Outcome(0, None, None, None, None, 0, 0, 0, 0, 0)


def test_who_waits_to_enter_and_who_is_under_way_at_the_end_counts(tmp_path: Path) -> None:
    """Waiting before the road is delay; who never got in began when they wanted to."""
    path = tmp_path / "trips.xml"
    path.write_text(
        '<tripinfos><tripinfo id="a" depart="50.00" departDelay="10.00" arrival="90.00" timeLoss="7.50" waitingTime="3"'
        ' waitingCount="2" vType="car@1"/><tripinfo id="b" depart="-1" departDelay="40.00" arrival="-1.00" '
        'timeLoss="-1" waitingTime="-1" waitingCount="0" vType="truck"/><personinfo id="c" depart="5.00"><walk '
        'depart="5.00" arrival="-1.00" timeLoss="30.00" waitingTime="25.00"/></personinfo></tripinfos>'
    )
    assert list(read_trips(path, 100)) == [
        Trip("car", 40, 17.5, 3, 2, 90),
        Trip("truck", 60, 40, 0, 0, None),
        Trip("walk", 5, 30, 25, 0, None),
    ]
