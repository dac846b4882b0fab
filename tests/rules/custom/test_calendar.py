"""When a rule is in force: days, hours, holidays of North Rhine-Westphalia, clock changes."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rules.custom.calendar import Hours, in_force
from rules.custom.definition import Schedule

ZONE = "Europe/Berlin"


def hours(**table: Any) -> Hours:  # noqa: ANN401 - keys of a table
    """A schedule in Hamm."""
    return Hours.of(Schedule.model_validate(table), ZONE)


def ms(text: str) -> int:
    """A local time in ms."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("table", "now", "expected", "until"),
    [
        ({"days": ["Mo-Fr"], "from": "07:00", "to": "18:00"}, "2026-03-13T07:00", True, "2026-03-13T18:00"),
        ({"days": ["Mo-Fr"], "from": "07:00", "to": "18:00"}, "2026-03-13T06:59", False, "2026-03-13T07:00"),
        ({"days": ["Mo-Fr"], "from": "07:00", "to": "18:00"}, "2026-03-13T18:00", False, "2026-03-16T07:00"),
        ({"days": ["Fr"], "from": "22:00", "to": "06:00"}, "2026-03-14T05:00", True, "2026-03-14T06:00"),
        ({"days": ["Fr"], "from": "22:00", "to": "06:00"}, "2026-03-13T05:00", False, "2026-03-13T22:00"),
        ({"days": ["Sa-Mo"]}, "2026-03-16T23:59", True, "2026-03-17T00:00"),
        ({"days": ["Sa-Mo"]}, "2026-03-17T00:00", False, "2026-03-21T00:00"),
        ({"holidays": "never"}, "2026-06-04T12:00", False, "2026-06-05T00:00"),
        ({"holidays": "only"}, "2026-06-04T12:00", True, "2026-06-05T00:00"),
        ({"holidays": "only"}, "2026-06-05T12:00", False, "2026-10-03T00:00"),
        ({"days": ["Su"], "holidays": "like_sunday"}, "2026-06-04T12:00", True, "2026-06-05T00:00"),
        ({"days": ["Mo-Sa"], "holidays": "like_sunday"}, "2026-06-04T12:00", False, "2026-06-05T00:00"),
        ({"days": ["Su"]}, "2026-06-04T12:00", False, "2026-06-07T00:00"),
        ({"days": ["Su"], "from": "01:00", "to": "05:00"}, "2026-03-29T04:59", True, "2026-03-29T05:00"),
        ({"days": ["Su"], "from": "01:00", "to": "05:00"}, "2026-10-25T00:59", False, "2026-10-25T01:00"),
    ],
)
def test_days_hours_and_holidays_decide(table: dict[str, Any], now: str, expected: bool, until: str) -> None:
    """Corpus Christi is a holiday in Hamm; a night belongs to the day it begins on; clock changes move nothing."""
    assert in_force(hours(**table), ms(now)) == (expected, ms(until))


def test_a_schedule_without_days_left_never_begins() -> None:
    """Holidays that fall on a Tuesday alone come round within years; within one there may be none."""
    found, again = in_force(
        hours(days=["Su"], holidays="only", **{"from": "12:00", "to": "13:00"}), ms("2026-11-02T00:00")
    )
    assert not found
    assert again == ms("2027-10-03T12:00")
    assert in_force(hours(days=["Tu"], holidays="only"), ms("2026-11-02T00:00")) == (False, None)


def test_every_minute_of_a_day_of_25_hours_is_inside() -> None:
    """A schedule of whole days has no gap where the clock is set back or forward."""
    whole = hours()
    for day in ("2026-03-29T00:00", "2026-10-25T00:00"):
        begin = ms(day)
        assert all(in_force(whole, begin + minute * 60_000)[0] for minute in range(26 * 60))
