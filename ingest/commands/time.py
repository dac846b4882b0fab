"""Times on the command line: written as people write them, in the city's time zone; kept in ms since 1970 (UTC)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import typer

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
LAST_MS = 9_223_372_036_854
"""The last time that InfluxDB can hold."""
LAST_YEAR = 2261
"""The last that InfluxDB can hold whole."""


def instant_ms(text: str, timezone: str) -> int:
    """Ms since 1970 of an ISO 8601 time or date (its first instant), local unless it says otherwise.

    An hour that the clock change repeats is its first run; one that it leaves out is a usage error.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no time, expected for example 2026-12-01 or 2026-12-01T06:30") from error
    if not EPOCH.year <= moment.year <= LAST_YEAR:
        raise typer.BadParameter(f"{text!r} is out of range, expected a time from {EPOCH.year} to {LAST_YEAR}")
    if moment.tzinfo is None:
        zone = ZoneInfo(timezone)
        local = moment.replace(tzinfo=zone)
        if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
            raise typer.BadParameter(f"{text!r} does not exist in {timezone}: the clock is put forward then")
        moment = local
    return max(0, (moment - EPOCH) // MILLISECOND)


def local_time(time_ms: int, timezone: str) -> str:
    """A time as people in the city read it, to the second, with its offset."""
    moment = EPOCH + timedelta(milliseconds=time_ms)
    return moment.astimezone(ZoneInfo(timezone)).isoformat(sep=" ", timespec="seconds")
