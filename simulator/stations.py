"""What the models of stations, gauges, roads and tree sites measure, and in which frames they say so."""

from typing_extensions import override

from decoders import catalog
from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.city import Asset
from simulator.sensor import Frame, Regular, Surroundings
from simulator.sky import dew_point
from simulator.world import Moment

WATER_MM = 900.0
SENSOR_MM = 4000.0
O3_PPB = 24.0


class SensecapS2120(Regular):
    """seeed/sensecap-s2120 on port 3: weather with rain and gusts."""

    def __init__(self, around: Surroundings, asset: Asset) -> None:
        self._weather = around.weather
        self._sky = around.sky
        self._rain = around.rain(asset)
        self._collected_mm = around.rng.uniform(0, 400)

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        weather, sky = self._weather, self._sky
        weather.advance(now)
        sky.advance(now)
        self._rain.advance(now)
        readings = (
            Reading(Quantity.AIR_TEMPERATURE, round(weather.temperature, 1)),
            Reading(Quantity.AIR_HUMIDITY, round(weather.humidity)),
            Reading(Quantity.ILLUMINANCE, round(weather.illuminance)),
            Reading(Quantity.UV_INDEX, round(weather.illuminance / 12_000, 1)),
            Reading(Quantity.WIND_SPEED, round(sky.wind, 1)),
            Reading(Quantity.WIND_DIRECTION, round(sky.direction) % 360),
            Reading(Quantity.PRECIPITATION_RATE, round(self._rain.rate, 1)),
            Reading(Quantity.AIR_PRESSURE, round(weather.pressure, 1)),
            Reading(Quantity.WIND_GUST, round(max(sky.gust, sky.wind), 1)),
            Reading(Quantity.PRECIPITATION_TOTAL, round(self._collected_mm + self._rain.rain_mm, 1)),
        )
        return Frame(3, readings)


class SyneticaEnlink(Regular):
    """synetica/enlink on port 1: ozone and nitrogen dioxide."""

    def __init__(self, around: Surroundings, asset: Asset) -> None:
        self._rng = around.rng
        self._weather = around.weather
        self._no2 = around.no2(asset)

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        self._weather.advance(now)
        sun = min(1.0, self._weather.illuminance / 40_000)
        readings = (
            Reading(Quantity.O3, round(max(0.5, O3_PPB * (0.5 + sun) + self._rng.gauss(0, 2)), 1)),
            Reading(Quantity.NO2, round(max(0.5, self._no2(now) + self._rng.gauss(0, 1.5)), 1)),
            Reading(Quantity.BATTERY_VOLTAGE, round(3.2 + 0.4 * battery, 3)),
        )
        return Frame(1, readings)


class DecentlabCws2(Regular):
    """decentlab/dl-cws2 on port 1: a road's surface, the air above it, its dew point."""

    def __init__(self, around: Surroundings, asset: Asset) -> None:
        self._weather = around.weather
        self._surface = around.surface(asset)

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        weather = self._weather
        self._surface.advance(now)
        air, humidity = round(weather.temperature, 2), round(weather.humidity, 2)
        readings = (
            Reading(Quantity.AIR_TEMPERATURE, air, "radiation_shield"),
            Reading(Quantity.AIR_HUMIDITY, humidity, "radiation_shield"),
            Reading(Quantity.SURFACE_TEMPERATURE, round(self._surface.temperature, 2)),
            Reading(Quantity.AIR_TEMPERATURE, air),
            Reading(Quantity.AIR_HUMIDITY, humidity),
            Reading(Quantity.DEW_POINT, round(dew_point(weather), 2)),
            Reading(Quantity.TILT_ANGLE, 3),
            Reading(Quantity.DEVICE_TEMPERATURE, round(air + 1, 2)),
            Reading(Quantity.BATTERY_VOLTAGE, round(2.6 + 0.5 * battery, 3)),
        )
        return Frame(1, readings)


class _Gauge(Regular):
    """A sensor that looks at a river whose usual level is the asset's `usual_level_mm`."""

    def __init__(self, around: Surroundings, asset: Asset) -> None:
        self._rng = around.rng
        self._height_mm = asset.number("sensor_height_mm", SENSOR_MM)
        usual_mm = asset.number("usual_level_mm", WATER_MM, low=0)
        self._river = around.river(asset, usual_mm)

    def _level_mm(self, now: Moment) -> float:
        self._river.advance(now)
        return self._river.level_mm + self._rng.gauss(0, 5)


class MilesightSwl(_Gauge):
    """milesight/em500-swl on port 85: water above a submerged sensor, in cm."""

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        level = max(0, round(self._level_mm(now) / 10) * 10)
        return Frame(85, (Reading(Quantity.BATTERY_LEVEL, round(battery * 100)), Reading(Quantity.WATER_LEVEL, level)))


class DecentlabMbx(_Gauge):
    """decentlab/dl-mbx on port 1: the distance from a bridge to the water."""

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        readings = (
            Reading(Quantity.DISTANCE, max(300, round(self._height_mm - self._level_mm(now)))),
            Reading(Quantity.SAMPLE_COUNT, 10),
            Reading(Quantity.BATTERY_VOLTAGE, round(2.6 + 0.5 * battery, 3)),
        )
        return Frame(1, readings)


class TektelicAgro(Regular):
    """tektelic/agro on port 10: soil water tension by two Watermarks, one for each depth."""

    def __init__(self, around: Surroundings, asset: Asset) -> None:
        self._weather = around.weather
        self._soils = [around.soil(asset, channel) for channel in ("watermark1", "watermark2")]

    @override
    def report(self, now: Moment, span_s: float, battery: float) -> Frame:
        self._weather.advance(now)
        for soil in self._soils:
            soil.advance(now)
        readings = (
            Reading(Quantity.SOIL_WATER_TENSION, self._soils[0].tension, "watermark1"),
            Reading(Quantity.SOIL_WATER_TENSION, self._soils[1].tension, "watermark2"),
            Reading(Quantity.AIR_TEMPERATURE, round(self._weather.temperature, 1)),
            Reading(Quantity.AIR_HUMIDITY, round(self._weather.humidity * 2) / 2),
        )
        return carried("tektelic/agro", Frame(10, readings))


def carried(model: str, frame: Frame) -> Frame:
    """The frame with the values that the model's format can carry, where its steps are not even."""
    codec = catalog.codec(model)
    (measurement,) = codec.decode(frame.f_port, codec.encode(frame.f_port, frame.readings), 0)
    return Frame(frame.f_port, measurement.readings)
