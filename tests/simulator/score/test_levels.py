"""True levels of what can change at any time, on series made by hand."""

from collections.abc import Mapping, Sequence

import pytest

from rules.asset import Asset
from simulator.score import levels
from simulator.score.course import HOUR_MS as H
from simulator.score.course import Course, Span
from simulator.score.truth import NotScored, Truth
from simulator.truth import CITY, Row

Values = Mapping[tuple[str, str], Sequence[tuple[float, float]]]


def _asset(kind: str, **properties: object) -> Asset:
    return Asset("a", kind, "", properties, (), 7.8, 51.7)


def _truth(values: Values) -> Truth:
    """Values by asset and quantity, with the hours since 1970 at which they begin."""
    truth = Truth()
    for (asset, quantity), steps in values.items():
        for hours, value in steps:
            truth(Row(int(hours * H) * 1_000_000, asset, quantity, value))
    return truth


def _steps(course: Course[int]) -> list[tuple[float, int]]:
    """The hours at which another level begins."""
    found: list[tuple[float, int]] = []
    for time_ms, level in zip(course.times, course.values, strict=True):
        if not found or found[-1][1] != level:
            found.append((time_ms / H, level))
    return found


DAY = Span(0, 24 * H)


def test_heavy_rain_in_an_hour() -> None:
    """15 mm in an hour are level 2, more than 25 level 3; before the beginning it did not rain."""
    total = [(0, 0), (0.5, 14.9), (0.75, 15), (2, 15), (2.5, 40.1), (3, 40.2)]
    course = levels.heavy_rain(_asset("station"), _truth({(CITY, "precipitation_total"): total}), DAY)
    assert _steps(course) == [(0, 0), (0.75, 2), (2, 0), (2.5, 3)]


def test_heavy_rain_slides_on() -> None:
    """Six hours later a sum of 20 mm in six is over; 10 % below a limit a level goes on."""
    total = [(0, 0), (1, 10), (2, 20), (7.5, 20), (8, 20), (8.5, 20)]
    course = levels.heavy_rain(_asset("station"), _truth({(CITY, "precipitation_total"): total}), DAY)
    assert _steps(course) == [(0, 0), (2, 2), (7.5, 0)]
    held = [(0, 0), (1, 1.5), (2, 20), (7, 20), (7.9, 20), (8, 20)]
    course = levels.heavy_rain(_asset("station"), _truth({(CITY, "precipitation_total"): held}), DAY)
    assert _steps(course) == [(0, 0), (2, 2), (8, 0)]


def test_rain_of_the_station_wins() -> None:
    """Where the truth knows the rain of the place, the city's does not count."""
    truth = _truth({(CITY, "precipitation_total"): [(0, 0), (1, 50)], ("a", "precipitation_total"): [(0, 0), (1, 1)]})
    assert _steps(levels.heavy_rain(_asset("station"), truth, DAY)) == [(0, 0)]


def test_gauge() -> None:
    """Information values are reached at their figure, and end 5 cm below it; the zero of a pressure sensor counts."""
    mm = [(0, 900), (1, 1499), (2, 1500), (3, 1460), (4, 1449), (5, 2000)]
    values = {"information_value_1_cm": 150, "information_value_2_cm": 200}
    truth = _truth({("a", "water_level"): mm})
    above = _asset("gauge", sensor_height_mm=4000, gauge_zero_mm=700, **values)
    assert _steps(levels.gauge(above, truth, DAY)) == [(0, 0), (1, 1), (4, 0), (5, 2)]
    below = _asset("gauge", gauge_zero_mm=700, **values)
    assert _steps(levels.gauge(below, truth, DAY)) == [(0, 1), (1, 2)]
    with pytest.raises(NotScored, match="information"):
        levels.gauge(_asset("gauge"), truth, DAY)


def test_gust() -> None:
    """The highest of the last hour in km/h: above 50, from 65; without a truth it is not scored."""
    gusts = [(0, 14), (1, 14.1), (1.5, 18.2), (2, 10), (2.4, 10), (2.5, 10), (3, 10)]
    course = levels.gust(_asset("station"), _truth({(CITY, "wind_gust"): gusts}), DAY)
    assert _steps(course) == [(0, 0), (1, 1), (1.5, 2), (2.5, 0)]
    with pytest.raises(NotScored, match="wind_gust"):
        levels.gust(_asset("station"), _truth({}), DAY)


def test_ice() -> None:
    """Inspection from 3 °C; possible and likely where it is moist; rain on frozen ground is the worst."""
    surface = [(0, 3.1), (1, 3), (2, 1), (3, 0), (4, 0), (5, 0.5), (6, 2)]
    film = [(0, 0), (2, 0.1), (6, 0)]
    air: Values = {
        ("a", "surface_temperature"): surface,
        ("a", "water_film"): film,
        (CITY, "air_temperature"): [(0, 5)],
        (CITY, "air_humidity"): [(0, 50)],
        (CITY, "precipitation_rate"): [(0, 0), (4, 0.1), (5, 0)],
    }
    assert _steps(levels.ice(_asset("road_section"), _truth(air), DAY)) == [
        (0, 0),
        (1, 1),
        (2, 2),
        (3, 3),
        (4, 4),
        (5, 2),
        (6, 1),
    ]


def test_ice_from_dew() -> None:
    """A surface within half a kelvin of the dew point is moist without any film."""
    air: Values = {
        ("a", "surface_temperature"): [(0, -1)],
        ("a", "water_film"): [(0, 0)],
        (CITY, "air_temperature"): [(0, -1)],
        (CITY, "air_humidity"): [(0, 99)],
        (CITY, "precipitation_rate"): [(0, 0)],
    }
    assert _steps(levels.ice(_asset("road_section"), _truth(air), DAY)) == [(0, 3)]
    assert _steps(levels.ice(_asset("road_section", ice_dew_margin_kelvin=0), _truth(air), DAY)) == [(0, 1)]


def test_queue() -> None:
    """Below 15 km/h vehicles queue, until they are faster than 30."""
    speeds = [(0, 15), (1, 14.9), (2, 30), (3, 30.1), (4, 20)]
    course = levels.queue(_asset("detector"), _truth({("a", "speed"): speeds}), DAY)
    assert _steps(course) == [(0, 0), (1, 1), (3, 0)]


def test_only_the_span_counts() -> None:
    """Rows at its end or after it lead to no level."""
    speeds = [(0, 10), (24, 50)]
    assert _steps(levels.queue(_asset("detector"), _truth({("a", "speed"): speeds}), DAY)) == [(0, 1)]
