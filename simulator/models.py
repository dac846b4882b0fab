"""What each device model measures in the city, and in which frames it says so.

Values are rounded to what the model's format can carry, so that the decoded readings are the measured ones.
"""

from collections.abc import Callable

from typing_extensions import override

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.city import Asset
from simulator import counters, stations
from simulator.parking import IN_GROUND_DB, Parked, nwave_min
from simulator.sensor import Frame, Regular, Sensor, Surroundings
from simulator.world import Moment

STATUS, HEARTBEAT = 1, 2
WRAP = 65_536


class _Parking(Sensor):
    """A sensor in the ground of one space: a frame with each change, and a heartbeat."""

    extra_loss_db = IN_GROUND_DB

    def __init__(self, around: Surroundings, asset: Asset) -> None:
        self._weather = around.weather
        self._space = Parked(around, asset)

    @override
    def until_change_s(self, now: Moment) -> float | None:
        return self._space.until_change_s(now)

    @override
    def change(self, now: Moment) -> Frame:
        self._space.change(now)
        return self._changed()

    def _changed(self) -> Frame:
        raise NotImplementedError

    def _ground_temperature(self, now: Moment) -> float:
        self._weather.advance(now)
        return self._weather.temperature + 2


class BoschTps110(_Parking):
    """bosch/tps110: status on port 1, heartbeat on port 2."""

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        temperature = round(self._ground_temperature(now))
        occupied = Reading(Quantity.OCCUPIED, float(self._space.occupied))
        return Frame(HEARTBEAT, (occupied, Reading(Quantity.DEVICE_TEMPERATURE, temperature)))

    @override
    def _changed(self) -> Frame:
        return Frame(STATUS, (Reading(Quantity.OCCUPIED, float(self._space.occupied)),))


class NwaveNps405(_Parking):
    """nwave/nps405: status with the duration of the state before on port 1, heartbeat on port 2."""

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        temperature = round(self._ground_temperature(now) * 2) / 2
        readings = (
            Reading(Quantity.OCCUPIED, float(self._space.occupied)),
            Reading(Quantity.BATTERY_VOLTAGE, round((3.0 + 0.5 * battery) * 250) / 250),
            Reading(Quantity.DEVICE_TEMPERATURE, temperature),
        )
        return Frame(HEARTBEAT, readings)

    @override
    def _changed(self) -> Frame:
        occupied = Reading(Quantity.OCCUPIED, float(self._space.occupied))
        lasted = nwave_min(self._space.before_min)
        return Frame(STATUS, (occupied,) if lasted is None else (occupied, Reading(Quantity.STATE_DURATION, lasted)))


class _Container(Regular):
    """A distance sensor under a lid."""

    extra_loss_db = 10.0

    def __init__(self, around: Surroundings, asset: Asset) -> None:
        self._rng = around.rng
        self._weather = around.weather
        self._bin = around.bin(asset)
        self._rounds = 0
        self._depth_mm = asset.number("depth_mm", 1000.0)
        self._offset_mm = asset.number("sensor_offset_mm", 0.0)

    def _look(self, now: Moment) -> tuple[bool, int, float]:
        """Whether it was just tilted over a truck, distance to the waste in mm, temperature inside in °C."""
        self._bin.advance(now)
        emptied, self._rounds = self._bin.rounds != self._rounds, self._bin.rounds
        self._weather.advance(now)
        distance = self._offset_mm + (1 - self._bin.fill) * self._depth_mm + self._rng.gauss(0, 8)
        return emptied, max(0, round(distance)), round(self._weather.temperature + 4, 1)


class MilesightEm400(_Container):
    """milesight/em400-mud on port 85."""

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        tilted, distance, temperature = self._look(now)
        readings = (
            Reading(Quantity.BATTERY_LEVEL, round(battery * 100)),
            Reading(Quantity.AIR_TEMPERATURE, temperature),
            Reading(Quantity.DISTANCE, distance),
            Reading(Quantity.TILTED, float(tilted)),
        )
        return Frame(85, readings)


class MilesightEm310(_Container):
    """milesight/em310-udl on port 85."""

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        tilted, distance, _ = self._look(now)
        readings = (
            Reading(Quantity.BATTERY_LEVEL, round(battery * 100)),
            Reading(Quantity.DISTANCE, distance),
            Reading(Quantity.TILTED, float(tilted)),
        )
        return Frame(85, readings)


class WilsenSonic(_Container):
    """pepperl-fuchs/wilsen-sonic on port 1."""

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        _, distance, temperature = self._look(now)
        readings = (
            Reading(Quantity.DISTANCE, distance),
            Reading(Quantity.AIR_TEMPERATURE, temperature),
            Reading(Quantity.BATTERY_VOLTAGE, round(3.2 + 0.4 * battery, 1)),
        )
        return Frame(1, readings)


class _Station(Regular):
    """A weather or air station with its own small bias."""

    def __init__(self, around: Surroundings, asset: Asset) -> None:
        self._rng = around.rng
        self._weather = around.weather
        around.rain(asset)
        self._warmer = around.rng.gauss(0, 0.6)
        self._dustier = around.rng.uniform(0.8, 1.3)

    def _air(self, now: Moment) -> tuple[float, float]:
        self._weather.advance(now)
        return self._weather.temperature + self._warmer, self._weather.humidity


class Elsys(_Station):
    """elsys/generic on port 5: air, light, sound."""

    def __init__(self, around: Surroundings, asset: Asset) -> None:
        super().__init__(around, asset)
        self._noise = around.noise(asset)

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        temperature, humidity = self._air(now)
        average = round(self._rng.gauss(self._noise(now), 2))
        readings = (
            Reading(Quantity.AIR_TEMPERATURE, round(temperature, 1)),
            Reading(Quantity.AIR_HUMIDITY, round(humidity)),
            Reading(Quantity.ILLUMINANCE, min(WRAP - 1, round(self._weather.illuminance))),
            Reading(Quantity.BATTERY_VOLTAGE, round(3.2 + 0.45 * battery, 3)),
            Reading(Quantity.SOUND_LEVEL_PEAK, average + self._rng.randint(6, 20)),
            Reading(Quantity.SOUND_LEVEL_AVERAGE, average),
        )
        return Frame(5, readings)


class DecentlabPm(_Station):
    """decentlab/dl-pm on port 1: particles, air, pressure."""

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        temperature, humidity = self._air(now)
        fine, coarse = self._weather.pm2_5 * self._dustier, self._weather.pm10 * self._dustier
        masses = (
            (Quantity.PM1, 0.8 * fine),
            (Quantity.PM2_5, fine),
            (Quantity.PM4, (fine + coarse) / 2),
            (Quantity.PM10, coarse),
        )
        shares = (("pm0_5", 5.2), ("pm1", 6.1), ("pm2_5", 6.4), ("pm4", 6.45), ("pm10", 6.5))
        readings = (
            Reading(Quantity.BATTERY_VOLTAGE, round(2.6 + 0.5 * battery, 3)),
            *(Reading(quantity, round(value, 1)) for quantity, value in masses),
            Reading(Quantity.PARTICLE_SIZE, self._rng.randint(450, 800)),
            *(Reading(Quantity.PARTICLE_CONCENTRATION, round(share * fine, 1), size) for size, share in shares),
            Reading(Quantity.AIR_TEMPERATURE, temperature),
            Reading(Quantity.AIR_HUMIDITY, humidity),
            Reading(Quantity.AIR_PRESSURE, round(self._weather.pressure * 50) / 50),
        )
        return Frame(1, readings)


SENSORS: dict[str, Callable[[Surroundings, Asset], Sensor]] = {
    "bosch/tps110": BoschTps110,
    "decentlab/dl-cws2": stations.DecentlabCws2,
    "decentlab/dl-mbx": stations.DecentlabMbx,
    "decentlab/dl-pm": DecentlabPm,
    "elsys/generic": Elsys,
    "milesight/em310-udl": MilesightEm310,
    "milesight/em400-mud": MilesightEm400,
    "milesight/em500-swl": stations.MilesightSwl,
    "nwave/ncc405": counters.NwaveNcc405,
    "nwave/nps405": NwaveNps405,
    "parametric/pcr2": counters.ParametricPcr2,
    "pepperl-fuchs/wilsen-sonic": WilsenSonic,
    "pmx/tcr": counters.PmxTcr,
    "seeed/sensecap-s2120": stations.SensecapS2120,
    "synetica/enlink": stations.SyneticaEnlink,
    "tektelic/agro": stations.TektelicAgro,
}
