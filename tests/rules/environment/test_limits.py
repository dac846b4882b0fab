"""Day means and year counters of pollutants."""

import pytest

from decoders.quantity import Quantity
from rules.environment.gas import factor
from rules.environment.limits import RULE
from rules.environment.limits_table import TABLE, YEAR_MEANS
from tests.rules.environment.play import HOUR, MINUTE, START, Place, at

Q = Quantity


def run(place: Place, begin_h: int, hours: int, step: int = 30, **values: float) -> None:
    """Hours of readings each half hour, in µg/m³."""
    quantities = {"pm10": Q.PM10, "pm2_5": Q.PM2_5, "no2": Q.NO2, "o3": Q.O3}
    found = [
        (quantities[name], value if name.startswith("pm") else value / factor(quantities[name]))
        for name, value in values.items()
    ]
    for minute in range(begin_h * 60 + step, (begin_h + hours) * 60 + 1, step):
        place.hear(minute, *found)


def close(place: Place, hour: int) -> None:
    """Time passes over the end of an hour."""
    place.wait(hour * 60 + 4, hour * 60 + 6)


def test_a_day_is_counted_when_it_is_over() -> None:
    """46 µg/m³ all day: the day mean, one day over 45 for the EU and the WHO, none over 50; stored at its midnight."""
    place = Place(RULE)
    run(place, 0, 24, pm10=46)
    assert place.points == []
    close(place, 24)
    (point,) = place.points
    assert point.time_ms == START
    assert place.fields("pm10_day") == [46]
    assert place.fields("eu2030_pm10_day_count") == place.fields("who2021_pm10_day_count") == [1]
    assert place.fields("de2010_pm10_day_count") == [0]
    assert place.fields("eu2030_pm10_day_count_left") == [17]
    assert place.fields("eu2030_pm10_year_percent") == [230]


def test_means_are_rounded_before_they_are_compared() -> None:
    """45.4 is no passing of 45, 45.6 is one."""
    place = Place(RULE)
    run(place, 0, 24, pm10=45.4)
    run(place, 24, 24, pm10=45.6)
    close(place, 48)
    assert place.fields("eu2030_pm10_day_count") == [0, 1]


def test_a_day_wants_eighteen_hours() -> None:
    """With seventeen there is no day mean and nothing is counted, with eighteen there is."""
    for hours, means in ((17, []), (18, [60])):
        place = Place(RULE)
        run(place, 0, hours, pm10=60)
        place.wait(hours * 60, 24 * 60 + 10, 10)
        assert place.fields("pm10_day") == means


def test_a_silent_evening_does_not_keep_the_day_open() -> None:
    """The day ends by the clock alone."""
    place = Place(RULE)
    run(place, 0, 20, pm10=60)
    place.wait(20 * 60, 24 * 60 + 4, 10)
    assert place.points == []
    place.wait(24 * 60 + 5, 24 * 60 + 6)
    assert place.fields("pm10_day") == [60]


def test_hours_are_counted_one_by_one() -> None:
    """Three hours of NO₂ above 200 are three of the EU's three and of today's eighteen."""
    place = Place(RULE)
    run(place, 0, 21, no2=20)
    run(place, 21, 3, no2=201)
    close(place, 24)
    assert place.fields("eu2030_no2_hour_count") == [3]
    assert place.fields("eu2030_no2_hour_count_left") == [0]
    assert place.fields("de2010_no2_hour_count_left") == [15]


def test_ozone_counts_by_the_highest_eight_hour_mean() -> None:
    """Eight hours of 130 among 40: highest 130, one day over 120 and 100; six hours of 130 give 107.5 and only one."""
    for hours, highest, counts in ((8, 130, (1, 1)), (6, 107.5, (0, 1))):
        place = Place(RULE)
        run(place, 0, 10, o3=40)
        run(place, 10, hours, o3=130)
        run(place, 10 + hours, 14 - hours, o3=40)
        close(place, 24)
        assert place.fields("o3_eight_hours") == [pytest.approx(highest, abs=0.1)]
        found = (place.fields("eu2030_o3_eight_hours_count"), place.fields("who2021_o3_eight_hours_count"))
        assert found == ([counts[0]], [counts[1]])


def test_an_eight_hour_mean_goes_over_midnight() -> None:
    """What ends on the new day counts there: 130 from 20 to 4 o'clock is the second day's highest."""
    place = Place(RULE)
    run(place, 0, 20, o3=40)
    run(place, 20, 8, o3=130)
    run(place, 28, 20, o3=40)
    close(place, 48)
    assert place.fields("o3_eight_hours") == [pytest.approx(85, abs=0.1), pytest.approx(130, abs=0.1)]


@pytest.mark.parametrize(("start", "hours"), [("2026-03-29T00:00:00+01:00", 23), ("2026-10-25T00:00:00+02:00", 25)])
def test_days_of_23_and_25_hours(start: str, hours: int) -> None:
    """On both clock changes the day ends at the local midnight."""
    place = Place(RULE, start=at(start))
    run(place, 0, hours, pm10=50)
    place.wait(hours * 60 + 4, hours * 60 + 4)
    assert place.points == []
    place.wait(hours * 60 + 5, hours * 60 + 5)
    assert [point.time_ms for point in place.points] == [at(start)]
    assert place.fields("pm10_year_coverage")[0] < 1


def test_the_year_turns_at_the_local_midnight() -> None:
    """Counters begin anew on 1 January in Hamm, an hour before the UTC year; New Year's Eve keeps the old ones."""
    place = Place(RULE, start=at("2026-12-30T00:00:00+01:00"))
    run(place, 0, 72, pm10=60)
    close(place, 72)
    assert place.fields("eu2030_pm10_day_count") == [1, 2, 1]
    assert place.fields("pm10_year_coverage")[2] == 1.0


def test_two_devices_are_joined_by_their_middle() -> None:
    """20 and 80: a day mean of 50, counted once."""
    place = Place(RULE)
    for minute in range(30, 24 * 60 + 1, 30):
        place.hear(minute, (Q.PM10, 20.0))
        place.hear(minute, (Q.PM10, 80.0), device="e")
    close(place, 24)
    assert (place.fields("pm10_day"), place.fields("eu2030_pm10_day_count")) == ([50], [1])


def test_late_and_wrongly_timed_readings_count_nothing() -> None:
    """An hour late, or two days ahead: no point ever."""
    place = Place(RULE)
    for minute in range(0, 1440, 30):
        place.hear(minute, (Q.PM10, 80.0), late=70)
        place.hear(minute + 2880, (Q.PM10, 80.0), late=-2880, device="e")
    place.wait(1520, 1600, 10)
    assert place.points == []


def test_keeping_changes_nothing() -> None:
    """Restarts after every input give the same points."""
    places = [Place(RULE), Place(RULE, kept=True)]
    for place in places:
        run(place, 0, 49, step=20, pm10=47, o3=125)
        close(place, 49)
    assert places[0].points == places[1].points != []


def test_the_table_is_consistent() -> None:
    """Every counter has a name of its own; what the new directive and the WHO ask is never laxer than today."""
    assert len({row.field for row in TABLE}) == len(TABLE)
    limits = {(row.scheme, row.pollutant, row.statistic): row.limit for row in TABLE}
    assert limits["eu2030", "pm10", "day"] < limits["de2010", "pm10", "day"]
    for pollutant in ("pm2_5", "pm10", "no2"):
        assert YEAR_MEANS["who2021", pollutant] < YEAR_MEANS["eu2030", pollutant] < YEAR_MEANS["de2010", pollutant]


def test_it_never_speaks_to_people() -> None:
    """Counters are derived points; there is no event in whatever is measured."""
    place = Place(RULE)
    run(place, 0, 24, pm10=900, no2=900)
    close(place, 24)
    assert place.events == []
    assert place.points[0].time_ms + 24 * HOUR == START + 1440 * MINUTE


def test_a_highest_eight_hour_mean_wants_eighteen_of_them() -> None:
    """Twenty hours give a day mean but only fifteen eight-hour means."""
    place = Place(RULE)
    run(place, 0, 20, o3=130)
    place.wait(20 * 60, 24 * 60 + 6, 10)
    assert place.fields("o3_day") == [pytest.approx(130, abs=0.1)]
    assert place.fields("o3_eight_hours") == []
