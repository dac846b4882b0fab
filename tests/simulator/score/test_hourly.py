"""True levels of what is judged by the hour, on series made by hand."""

from collections.abc import Callable, Mapping

import pytest

from rules.asset import Asset
from rules.environment.sound import energy, level_db
from simulator.score import hourly
from simulator.score.course import HOUR_MS as H
from simulator.score.course import Course, Span
from simulator.score.truth import NotScored, Truth
from simulator.truth import CITY, Row

MIDNIGHT = 1_784_152_800_000
"""2026-07-16T00:00+02:00, which is 22 h UTC."""
STEP_MS = H // 12


def _span(begin: float, end: float) -> Span:
    return Span(MIDNIGHT + int(begin * H), MIDNIGHT + int(end * H))


def _station(**properties: object) -> Asset:
    return Asset("a", "station", "", properties, (), 7.8, 51.7)


def _truth(span: Span, **quantities: Callable[[float], float]) -> Truth:
    """What holds by hours since midnight, told every five minutes; of the city but for what a station has itself."""
    truth = Truth()
    for time_ms in range(span.begin_ms, span.end_ms, STEP_MS):
        for quantity, value in quantities.items():
            asset = "a" if quantity in {"no2", "sound_level_average"} else CITY
            truth(Row(time_ms * 1_000_000, asset, quantity, value((time_ms - MIDNIGHT) / H)))
    return truth


def _steps(course: Course[int]) -> list[tuple[float, int]]:
    """The hours since midnight at which another level begins."""
    found: list[tuple[float, int]] = []
    for time_ms, level in zip(course.times, course.values, strict=True):
        if not found or found[-1][1] != level:
            found.append(((time_ms - MIDNIGHT) / H, level))
    return found


def _weather(temperature: Callable[[float], float]) -> Mapping[str, Callable[[float], float]]:
    return {"air_temperature": temperature, "air_humidity": lambda _: 40, "wind_speed": lambda _: 1}


def test_whole_hours() -> None:
    """Hours that the span holds only in part are left out."""
    assert [(time_ms - MIDNIGHT) / H for time_ms in hourly.hours(_span(0.5, 3.5))] == [1, 2]
    assert [(time_ms - MIDNIGHT) / H for time_ms in hourly.hours(_span(1, 3))] == [1, 2]


def test_heat_holds_from_the_end_of_its_hour() -> None:
    """36 °C at 40 % and 1 m/s feel like 39 °C: level 2 from the end of the first hot hour on."""
    span = _span(8, 18)
    hot = _truth(span, **_weather(lambda hour: 36 if 10 <= hour < 12 else 20))
    assert _steps(hourly.heat(_station(), hot, span)) == [(9, 0), (11, 2), (13, 0)]


def test_heat_wants_a_warm_night() -> None:
    """32 °C felt is a warning after a night that stayed at 20 °C or is not known, none after a cooler one."""
    for lowest, level in ((20.0, 1), (19.9, 0)):
        span = _span(-4, 14)
        truth = _truth(span, **_weather(lambda hour, lowest=lowest: 32.5 if hour >= 10 else lowest))  # type: ignore[misc]
        assert hourly.heat(_station(), truth, span).at(MIDNIGHT + 12 * H) == level
    span = _span(-4, 8)
    early = _truth(span, **_weather(lambda hour: 33 if hour >= 7 else 15))
    assert hourly.heat(_station(), early, span).at(MIDNIGHT + 8 * H) == 0
    short = _span(2, 14)
    unknown = _truth(short, **_weather(lambda hour: 32.5 if hour >= 10 else 15))
    assert hourly.heat(_station(), unknown, short).at(MIDNIGHT + 12 * H) == 1


def test_nights_are_known_as_a_whole() -> None:
    """From 18 to 6 UTC; nine hours of it are enough, eight are not; one that is not over yet is none."""
    for begin, known in ((-1, 1), (0, 0)):
        span = _span(begin, 10)
        found = hourly.nights(_station(), _truth(span, air_temperature=lambda hour: 20 + abs(hour - 3)), span)
        assert len(found) == known
    span = _span(-4, 8)
    (night,) = hourly.nights(_station(), _truth(span, air_temperature=lambda hour: 20 + abs(hour - 3)), span)
    assert (night.begin_ms, night.lowest) == (MIDNIGHT - 4 * H, 20)
    early = _span(-4, 7)
    assert hourly.nights(_station(), _truth(early, air_temperature=lambda _: 20), early) == []


def test_air_quality_by_the_worst_pollutant() -> None:
    """An hourly mean above 30 µg/m³ of PM2.5 is poor, above 50 very poor; a level goes on until 10 % below."""
    span = _span(0, 6)
    values = (10, 31, 28, 51, 46, 10)
    truth = _truth(span, pm2_5=lambda hour: values[int(hour)], pm10=lambda _: 0)
    levels = hourly.air_quality(["pm10", "pm2_5"])(_station(), truth, span)
    assert _steps(levels) == [(1, 0), (2, 1), (4, 2), (6, 0)]


def test_gases_are_converted() -> None:
    """32 ppb of nitrogen dioxide are 61 µg/m³, which is poor; 31 are 59, which is not."""
    span = _span(0, 1)
    for ppb, level in ((31.0, 0), (32.0, 1)):
        truth = _truth(span, no2=lambda _, ppb=ppb: ppb)  # type: ignore[misc]
        assert hourly.air_quality(["no2"])(_station(), truth, span).values == [level]


def test_noise_by_day_and_night() -> None:
    """Day and evening are one mean of energy, judged at 22 h; the night at 6 h; steps of 5 dB are levels."""
    span = _span(6, 30)
    levels = {6: 50.0, 18: 70.0, 22: 51.0}
    truth = _truth(span, sound_level_average=lambda hour: levels[max(each for each in levels if each <= hour)])
    by_day = level_db((12 * energy(50) + 4 * energy(70)) / 16)
    assert 60 < by_day < 65
    course = hourly.noise(_station(noise_area="MK"), truth, span)
    assert _steps(course) == [(22, 1), (30, 2)]


def test_noise_wants_whole_parts() -> None:
    """Half a day is none, and without a reference value nothing is judged."""
    span = _span(13, 21)
    truth = _truth(span, sound_level_average=lambda _: 90)
    with pytest.raises(NotScored, match="no whole part"):
        hourly.noise(_station(noise_area="MK"), truth, span)
    with pytest.raises(NotScored, match="noise_area"):
        hourly.noise(_station(), truth, span)
    night = _span(1, 8)
    with pytest.raises(NotScored, match="no whole part"):
        hourly.noise(_station(noise_area="MK"), _truth(night, sound_level_average=lambda _: 90), night)
    evening = _span(18, 23)
    with pytest.raises(NotScored, match="no whole part"):
        hourly.noise(_station(noise_area="MK"), _truth(evening, sound_level_average=lambda _: 90), evening)


def test_what_the_truth_lacks() -> None:
    """A quantity that nobody knows is named."""
    with pytest.raises(NotScored, match="pm10"):
        hourly.air_quality(["pm10"])(_station(), Truth(), _span(0, 2))
