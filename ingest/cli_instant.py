"""Times on the command line."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import typer

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
LAST_MS = 9_223_372_036_854
"""The last time that InfluxDB can hold."""


def instant_ms(text: str, timezone: str) -> int:
    """Ms since 1970 of an ISO 8601 time, in the city's time zone unless it says otherwise; a usage error for others."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no time, expected for example 2026-03-14, 2026-03-14T07:00 or 2026-03-14T07:00:00+01:00"
        ) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(timezone))
    time_ms = (moment - EPOCH) // MILLISECOND
    if not 0 <= time_ms <= LAST_MS:
        raise typer.BadParameter(f"{text!r} is out of range")
    return time_ms


def shown(time_ms: int) -> str:
    """An instant in UTC, to the second."""
    return (EPOCH + timedelta(milliseconds=time_ms)).strftime("%Y-%m-%d %H:%M:%S")
