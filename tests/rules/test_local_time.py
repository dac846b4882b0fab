"""Days and nightly windows in the city's time, across both clock changes."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.asset import TIMEZONE, Asset, CityError
from rules.local_time import day_of, minutes_of, timezone_of, window_after

HOUR = 3_600_000
SPRING, AUTUMN = "2026-03-29", "2026-10-25"


def ms(text: str) -> int:
    """A time in UTC as ms since 1970."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize(
    ("at", "begin", "hours"),
    [
        ("2026-07-01T12:00", "2026-06-30T22:00", 24),
        ("2026-07-01T21:59:59", "2026-06-30T22:00", 24),
        ("2026-07-01T22:00", "2026-07-01T22:00", 24),
        (f"{SPRING}T12:00", "2026-03-28T23:00", 23),
        (f"{SPRING}T21:59", "2026-03-28T23:00", 23),
        (f"{AUTUMN}T00:30", "2026-10-24T22:00", 25),
        (f"{AUTUMN}T22:30", "2026-10-24T22:00", 25),
    ],
)
def test_a_day_begins_at_local_midnight(at: str, begin: str, hours: int) -> None:
    """It has 24 hours, 23 when the clocks go forward, 25 when they go back."""
    begin_ms, end_ms = day_of(TIMEZONE, ms(at))
    assert begin_ms == ms(begin)
    assert end_ms - begin_ms == hours * HOUR


@pytest.mark.parametrize(
    ("zone", "at", "begin", "hours"),
    [
        ("Europe/Lisbon", f"{SPRING}T12:00", f"{SPRING}T00:00", 23),
        ("Europe/Lisbon", f"{AUTUMN}T12:00", "2026-10-24T23:00", 25),
        ("America/St_Johns", "2026-03-08T12:00", "2026-03-08T03:30", 23),
        ("Australia/Lord_Howe", "2026-10-03T20:00", "2026-10-03T13:30", 23.5),
        ("Asia/Kolkata", f"{SPRING}T12:00", "2026-03-28T18:30", 24),
    ],
)
def test_other_zones_have_their_own_midnights(zone: str, at: str, begin: str, hours: float) -> None:
    """And their own changes of clocks, by half an hour in one place."""
    begin_ms, end_ms = day_of(zone, ms(at))
    assert begin_ms == ms(begin)
    assert end_ms - begin_ms == hours * HOUR


@pytest.mark.parametrize(
    ("after", "begin", "hours"),
    [
        ("2026-07-01T02:59", "2026-07-01T01:00", 2),
        ("2026-07-01T03:00", "2026-07-02T01:00", 2),
        (f"{SPRING}T00:00", f"{SPRING}T01:00", 2),
        (f"{AUTUMN}T00:00", f"{AUTUMN}T02:00", 2),
    ],
)
def test_the_window_of_the_night_follows_the_clock(after: str, begin: str, hours: int) -> None:
    """Three to five in the morning, before and after both changes."""
    begin_ms, end_ms = window_after(TIMEZONE, ms(after), 180, 300)
    assert begin_ms == ms(begin)
    assert end_ms - begin_ms == hours * HOUR


def test_a_window_may_go_over_midnight() -> None:
    """From eleven in the evening to one in the morning it began yesterday."""
    assert window_after(TIMEZONE, ms("2026-07-01T22:30"), 23 * 60, 60) == (
        ms("2026-07-01T21:00"),
        ms("2026-07-01T23:00"),
    )


@given(st.integers(1_700_000_000_000, 1_900_000_000_000), st.integers(0, 1440), st.integers(0, 1440))
def test_windows_follow_one_another(time_ms: int, begin_min: int, end_min: int) -> None:
    """The first one that ends after a time, and it is not over; days join without a gap."""
    begin_ms, end_ms = window_after(TIMEZONE, time_ms, begin_min, end_min)
    assert end_ms > time_ms
    assert begin_ms <= time_ms + 26 * HOUR
    first, last = day_of(TIMEZONE, time_ms)
    assert first <= time_ms < last
    assert day_of(TIMEZONE, last)[0] == last


@pytest.mark.parametrize("value", ["24:01", "3", "03:60", "-1:00", "03:00:00", 3, None, "a:b"])
def test_times_of_day_that_are_none_are_refused(value: object) -> None:
    """The error names the property and what was expected."""
    lot = Asset("lot", "lot", "Lot", {"night_from": value}, (), 7.8, 51.6)
    with pytest.raises(CityError, match="'night_from'"):
        minutes_of(lot, "night_from", "03:00")


def test_times_of_day_and_zones_have_defaults() -> None:
    """Three o'clock where nothing is said, Germany where no zone is."""
    lot = Asset("lot", "lot", "Lot", {"night_until": "04:30"}, (), 7.8, 51.6)
    assert (minutes_of(lot, "night_from", "03:00"), minutes_of(lot, "night_until", "05:00")) == (180, 270)
    assert timezone_of(lot) == "Europe/Berlin"


def test_an_assets_own_zone_goes_before_the_citys() -> None:
    """Without one the city's holds."""
    lot = Asset("lot", "lot", "Lot", {}, (), 7.8, 51.6, timezone="Europe/Lisbon")
    assert timezone_of(lot) == "Europe/Lisbon"
    assert timezone_of(replace(lot, properties={"timezone": "Asia/Tokyo"})) == "Asia/Tokyo"


@pytest.mark.parametrize("value", ["Europe/Hamm", "Europe", "", "../etc/passwd", 5, None, []])
def test_zones_that_are_none_are_refused(value: object) -> None:
    """The error names the property, the value and what was expected."""
    lot = Asset("lot", "lot", "Lot", {"timezone": value}, (), 7.8, 51.6)
    with pytest.raises(
        CityError, match=r"'lot': property 'timezone' is .*, expected a time zone .* like Europe/Berlin"
    ):
        timezone_of(lot)
