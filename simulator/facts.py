"""What is true of the parts of the world, by the names of the file of truths."""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from simulator.sky import Rainfall, Sky
from simulator.truth import CITY, Fact
from simulator.world import Bin, Moment, Path, River, Road, RoadSurface, Soil, Weather


class _Moves(Protocol):
    def advance(self, now: Moment) -> object: ...


_Part = TypeVar("_Part", bound=_Moves)


def _moved(part: _Part, now: Moment) -> _Part:
    """The part of the world at a time."""
    part.advance(now)
    return part


def of_the_air(weather: Weather, sky: Sky) -> Iterator[Fact]:
    """The city's air; rain is the mean of the city."""
    yield Fact(CITY, "air_temperature", lambda now: _moved(weather, now).temperature)
    yield Fact(CITY, "air_humidity", lambda _: weather.humidity)
    yield Fact(CITY, "air_pressure", lambda _: weather.pressure)
    yield Fact(CITY, "illuminance", lambda _: weather.illuminance)
    yield Fact(CITY, "pm2_5", lambda _: weather.pm2_5)
    yield Fact(CITY, "pm10", lambda _: weather.pm10)
    yield Fact(CITY, "wind_speed", lambda _: sky.wind)
    yield Fact(CITY, "wind_gust", lambda _: sky.gust)
    yield Fact(CITY, "wind_direction", lambda _: sky.direction)
    yield Fact(CITY, "precipitation_rate", lambda _: sky.rate)
    yield Fact(CITY, "precipitation_total", lambda _: sky.rain_mm)


def of_rain(asset_id: str, rain: Rainfall) -> Iterator[Fact]:
    """The rain at one place."""
    yield Fact(asset_id, "precipitation_rate", lambda now: _moved(rain, now).rate)
    yield Fact(asset_id, "precipitation_total", lambda now: _moved(rain, now).rain_mm)


def of_bin(asset_id: str, container: Bin) -> Iterator[Fact]:
    """A container, with what lies beside it."""
    yield Fact(asset_id, "fill_level", lambda now: _moved(container, now).waste * 100)
    yield Fact(asset_id, "collections", lambda now: _moved(container, now).rounds)
    yield Fact(asset_id, "overflow", lambda now: float(_moved(container, now).overflows))


def of_river(asset_id: str, river: River) -> Iterator[Fact]:
    """The water that a gauge measures."""
    yield Fact(asset_id, "water_level", lambda now: _moved(river, now).level_mm)


def of_soil(asset_id: str, channel: str, soil: Soil) -> Iterator[Fact]:
    """Soil at one depth."""
    yield Fact(asset_id, f"soil_water_tension.{channel}", lambda now: _moved(soil, now).tension)


def of_surface(asset_id: str, surface: RoadSurface) -> Iterator[Fact]:
    """The surface of a road."""
    yield Fact(asset_id, "surface_temperature", lambda now: _moved(surface, now).temperature)
    yield Fact(asset_id, "water_film", lambda now: _moved(surface, now).film_mm)
    yield Fact(asset_id, "ice", lambda now: float(_moved(surface, now).icy))


def of_road(asset_id: str, road: Road) -> Iterator[Fact]:
    """Who comes, who gets past, and who waits before a closed lane."""
    yield Fact(asset_id, "demand_ltr", lambda now: road.demand(now).ltr)
    yield Fact(asset_id, "demand_rtl", lambda now: road.demand(now).rtl)
    yield Fact(asset_id, "speed", lambda now: road.passing(now).speed)
    yield Fact(asset_id, "flow_ltr", lambda now: road.passing(now).ltr)
    yield Fact(asset_id, "flow_rtl", lambda now: road.passing(now).rtl)
    yield Fact(asset_id, "speed_ltr", lambda now: road.passing(now).speed_ltr)
    yield Fact(asset_id, "speed_rtl", lambda now: road.passing(now).speed_rtl)
    yield Fact(asset_id, "queue_ltr", lambda now: road.passing(now).queue_ltr)
    yield Fact(asset_id, "queue_rtl", lambda now: road.passing(now).queue_rtl)
    yield Fact(asset_id, "incident", lambda now: float(road.closed(now)))


def of_path(asset_id: str, path: Path) -> Iterator[Fact]:
    """Who rides and walks in an hour, together and each: fewer in bad weather."""
    yield Fact(asset_id, "demand_ltr", lambda now: path.demand(now).ltr)
    yield Fact(asset_id, "demand_rtl", lambda now: path.demand(now).rtl)
    yield Fact(asset_id, "bicycles_ltr", lambda now: path.demand(now).bicycles_ltr)
    yield Fact(asset_id, "bicycles_rtl", lambda now: path.demand(now).bicycles_rtl)
    yield Fact(asset_id, "pedestrians_ltr", lambda now: path.demand(now).pedestrians_ltr)
    yield Fact(asset_id, "pedestrians_rtl", lambda now: path.demand(now).pedestrians_rtl)


def of_place(asset_id: str, quantity: str, value: Callable[[Moment], float]) -> Iterator[Fact]:
    """One more thing that is true of an asset."""
    yield Fact(asset_id, quantity, value)
