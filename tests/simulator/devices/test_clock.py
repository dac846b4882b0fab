"""A device's own clock: it goes wrong by a few seconds a day, and intervals have a random part."""

from random import Random
from statistics import fmean, pstdev

import pytest
from typing_extensions import override

from decoders.measurement import Reading
from decoders.quantity import Quantity
from simulator.device import NS_PER_S
from simulator.devices.clock import COLD, JITTER_S, TOLERANCE, Clock, tells_time
from simulator.sensor import Frame, Regular
from simulator.world import Calendar, Moment
from tests.simulator.devices.single import START_NS, device

DAY_S = 86_400


def test_rates_are_those_of_crystals() -> None:
    """Clocks of many devices lie within the tolerance around the cold's share, and use all of it."""
    rates = [Clock(Random(seed)).rate for seed in range(500)]
    assert -TOLERANCE - COLD <= min(rates) < -TOLERANCE - COLD + 2e-6
    assert TOLERANCE - COLD - 2e-6 < max(rates) <= TOLERANCE - COLD
    assert fmean(rates) == pytest.approx(-COLD, abs=3e-6)


def test_it_goes_wrong_from_when_it_was_set() -> None:
    """Right at the time at which it was set, wrong by its rate times what has passed since."""
    clock = Clock(Random(1))
    clock.set(START_NS)
    assert clock.shows_ns(START_NS) == START_NS
    wrong_s = (clock.shows_ns(START_NS + 10 * DAY_S * NS_PER_S) - START_NS) / NS_PER_S - 10 * DAY_S
    assert wrong_s == pytest.approx(10 * DAY_S * clock.rate, rel=1e-6)
    assert 0.1 < abs(wrong_s) < 30


def test_it_shows_the_time_that_it_is_told() -> None:
    """Where the network has another time than the city, it goes by that one, and goes wrong in it."""
    clock = Clock(Random(1))
    clock.right_ns = lambda time_ns: (time_ns - START_NS) // 4 + 5 * DAY_S * NS_PER_S
    clock.set(START_NS)
    assert clock.shows_ns(START_NS) == 5 * DAY_S * NS_PER_S
    day_ns = DAY_S * NS_PER_S
    assert clock.shows_ns(START_NS + 4 * day_ns) == 6 * day_ns + round(day_ns * clock.rate)


def test_intervals_drift_and_scatter() -> None:
    """Intervals scatter by a second to both sides around the nominal one, as fast as the clock goes; never at once."""
    clock, rng = Clock(Random(3)), Random(4)
    found = [clock.lasts_s(600, rng) for _ in range(20_000)]
    assert fmean(found) == pytest.approx(600 / (1 + clock.rate), abs=0.02)
    assert 599 - 0.1 < min(found) < 599.1
    assert 600.9 < max(found) < 601 + 0.1
    assert pstdev(found) == pytest.approx(JITTER_S / 3**0.5, rel=0.05)
    assert all(0.5 <= clock.lasts_s(1.0, rng) <= 1.3 for _ in range(1000))


class _Watch(Regular):
    """A radar that says what time of day it is."""

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        minute = float(int(now.hour * 60) % 1440)
        clock = Reading(Quantity.DEVICE_CLOCK, minute)
        counts = tuple(Reading(Quantity.VEHICLE_COUNT, 1.0, way) for way in ("ltr", "rtl"))
        speeds = tuple(Reading(Quantity.VEHICLE_SPEED, 40.0, way) for way in ("ltr", "rtl"))
        return Frame(13, (clock, *counts, *speeds, Reading(Quantity.SUPPLY_VOLTAGE, 3.7)))


def test_a_device_tells_the_time_of_its_own_clock() -> None:
    """A year after it was set a radar's time of day is minutes off, by just as much as its clock is."""
    made = device("pmx/tcr", sensor=_Watch())
    assert tells_time("pmx/tcr")
    assert not tells_time("bosch/tps110")
    for days in (0, 365):
        now_ns = START_NS + days * DAY_S * NS_PER_S + 30 * NS_PER_S
        up = made.report(now_ns)
        assert up is not None
        (found,) = made.codec.decode(up.f_port, up.data, 0)
        told = next(reading.value for reading in found.readings if reading.quantity is Quantity.DEVICE_CLOCK)
        shown = Calendar("Europe/Berlin").at(made.clock.shows_ns(now_ns) // 1_000_000)
        true = Calendar("Europe/Berlin").at(now_ns // 1_000_000)
        assert told == int(shown.hour * 60)
        assert (told != int(true.hour * 60)) is (days > 0)
