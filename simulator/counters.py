"""What the models that count vehicles and people measure, and in which frames they say so."""

from typing_extensions import override

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.city import Asset
from simulator.sensor import Frame, Regular, Surroundings
from simulator.world import Moment, Path, Road

WRAP = 65_536
VEHICLES_PER_DAY = 9_000
BICYCLES, PEOPLE = "bicycles", "people"
PER_DAY = {BICYCLES: (1_900, 600), PEOPLE: (150, 2_350)}
"""Bicycles and people on foot, by what an asset `counts` above all."""


class PmxTcr(Regular):
    """pmx/tcr: all vehicles on port 13.

    A detector's `direction` and `channel` say which way its traffic goes, `vehicles_per_day` how much there is.
    """

    def __init__(self, around: Surroundings, asset: Asset) -> None:
        per_day = asset.number("vehicles_per_day", low=0, high=200_000)
        direction, channel = asset.properties.get("direction"), asset.properties.get("channel")
        known = direction is not None and channel in {"ltr", "rtl"}
        road = Road(
            around.rng,
            VEHICLES_PER_DAY if per_day is None else per_day,
            48,
            spread=0.5 if per_day is None else 0,
            inbound_ltr=(direction == "inbound") == (channel == "ltr") if known else None,
            script=around.script,
            asset_id=asset.id,
        )
        self._road = around.road(asset, road)

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        count = self._road.count(now, span_s)
        minute = int(now.hour * 60) % 1440
        readings = [Reading(Quantity.DEVICE_CLOCK, minute)]
        for channel, number, speed in (("ltr", count.ltr, count.speed_ltr), ("rtl", count.rtl, count.speed_rtl)):
            readings.append(Reading(Quantity.VEHICLE_COUNT, number, channel))
            if number:
                readings.append(Reading(Quantity.VEHICLE_SPEED, round(speed), channel))
        readings.append(Reading(Quantity.SUPPLY_VOLTAGE, round(3.6 + 0.6 * battery, 1)))
        return Frame(13, tuple(readings))


class NwaveNcc405(Regular):
    """nwave/ncc405: the cars that passed a lot's gate one way, a running count on port 1."""

    def __init__(self, around: Surroundings, asset: Asset) -> None:
        self._gate = around.gate(asset)
        self._out = asset.properties.get("counts") == "out"
        self._before = around.rng.randrange(WRAP)

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        passed = self._gate.left if self._out else self._gate.came
        return Frame(1, (Reading(Quantity.VEHICLE_COUNT_TOTAL, (self._before + passed) % WRAP),))


class ParametricPcr2(Regular):
    """parametric/pcr2: people on foot and on bicycles, whom its format does not tell apart, with totals, on port 14.

    Where the detector `counts` bicycles most of them ride, elsewhere most walk.
    """

    def __init__(self, around: Surroundings, asset: Asset) -> None:
        self._weather = around.weather
        riding, walking = PER_DAY[BICYCLES if asset.properties.get("counts") == BICYCLES else PEOPLE]
        path = Path(around.rng, around.out(asset), riding, walking, script=around.script, asset_id=asset.id)
        self._counted = around.path(asset, path)
        self._totals = [around.rng.randrange(WRAP), around.rng.randrange(WRAP)]

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        self._weather.advance(now)
        count = self._counted(now, span_s)
        self._totals = [(self._totals[0] + count.ltr) % WRAP, (self._totals[1] + count.rtl) % WRAP]
        readings = (
            Reading(Quantity.PEOPLE_COUNT, count.ltr, "ltr"),
            Reading(Quantity.PEOPLE_COUNT, count.rtl, "rtl"),
            Reading(Quantity.PEOPLE_COUNT_TOTAL, self._totals[0], "ltr"),
            Reading(Quantity.PEOPLE_COUNT_TOTAL, self._totals[1], "rtl"),
            Reading(Quantity.BATTERY_VOLTAGE, round(3.5 + 0.7 * battery, 3)),
            Reading(Quantity.SOLAR_POWER, min(WRAP - 1, round(self._weather.illuminance / 20))),
            Reading(Quantity.DEVICE_TEMPERATURE, round(self._weather.temperature + 3, 1)),
        )
        return Frame(14, readings)
