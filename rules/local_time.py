"""The city's calendar for rules: local midnights and daily windows, across both clock changes."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from rules.asset import TIMEZONE, Asset

MINUTES_AN_HOUR, HOURS = 60, 24
DAY = timedelta(days=1)


def timezone_of(asset: Asset) -> str:
    """The asset's property `timezone` (IANA name), the city's where it has none; raises CityError."""
    name = asset.properties.get("timezone", asset.timezone)
    try:
        return ZoneInfo(str(name)).key
    except (KeyError, ValueError, OSError) as error:
        raise asset.error("timezone", name, f"a time zone (IANA name) like {TIMEZONE}") from error


def minutes_of(asset: Asset, name: str, default: str) -> int:
    """A property like "03:00" as minutes after midnight; raises CityError."""
    value = asset.properties.get(name, default)
    hours, colon, minutes = str(value).partition(":")
    if colon and hours.isdecimal() and minutes.isdecimal():
        found = int(hours) * MINUTES_AN_HOUR + int(minutes)
        if int(minutes) < MINUTES_AN_HOUR and found <= HOURS * MINUTES_AN_HOUR:
            return found
    raise asset.error(name, value, 'a time of day like "03:00"')


@lru_cache(maxsize=256)
def window_after(timezone: str, time_ms: int, begin_min: int, end_min: int) -> tuple[int, int]:
    """The first daily window that ends after a time: begin and end in ms since 1970 (UTC).

    The window is given in minutes after local midnight; one that ends before it begins goes over midnight.
    """
    zone = ZoneInfo(timezone)
    length = DAY if end_min <= begin_min else timedelta()
    day = (
        datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    )
    day -= DAY
    while True:
        begin, end = _at(day, begin_min), _at(day + length, end_min)
        if end > time_ms:
            return begin, end
        day += DAY


@lru_cache(maxsize=256)
def day_of(timezone: str, time_ms: int) -> tuple[int, int]:
    """The local day of a time: its first ms and the first ms of the next one, since 1970 (UTC)."""
    local = datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(ZoneInfo(timezone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return _at(midnight, 0), _at(midnight + DAY, 0)


def _at(midnight: datetime, minutes: int) -> int:
    wall = midnight + timedelta(minutes=minutes)
    return int(wall.astimezone(UTC).timestamp()) * 1000
