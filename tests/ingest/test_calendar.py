"""The city's days, across both changes of the clocks."""

from datetime import UTC, datetime

import pytest

from ingest.calendar import Calendar, iso_day

HOUR_MS = 3_600_000


def ms(text: str) -> int:
    """Milliseconds since 1970 of a time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-28T22:59:59", "2026-03-28"),
        ("2026-03-28T23:00:00", "2026-03-29"),
        ("2026-03-29T21:59:59", "2026-03-29"),
        ("2026-03-29T22:00:00", "2026-03-30"),
        ("2026-10-24T22:00:00", "2026-10-25"),
        ("2026-10-25T22:59:59", "2026-10-25"),
        ("2026-10-25T23:00:00", "2026-10-26"),
    ],
)
def test_an_instant_falls_on_its_local_day(text: str, day: str) -> None:
    """Midnight is at 23:00 UTC in winter, at 22:00 in summer, whatever was asked before."""
    calendar = Calendar("Europe/Berlin")
    for _ in range(2):
        assert iso_day(calendar.day_of(ms(text))) == day
        calendar.day_of(ms("2026-07-01T12:00:00"))


def test_days_have_23_24_or_25_hours() -> None:
    """The days of the clock changes are shorter and longer; each begins where the one before ends."""
    calendar = Calendar("Europe/Berlin")
    lengths = {}
    for text in ("2026-03-29T12:00:00", "2026-07-01T12:00:00", "2026-10-25T12:00:00"):
        day = calendar.day_of(ms(text))
        lengths[text[:10]] = (calendar.begin_ms(day + 1) - calendar.begin_ms(day)) // HOUR_MS
        assert calendar.day_of(calendar.begin_ms(day)) == day
        assert calendar.day_of(calendar.begin_ms(day + 1) - 1) == day
    assert list(lengths.values()) == [23, 24, 25]
