"""Times and durations as command lines have them."""

import re
from datetime import UTC, datetime

import typer

LONGEST_D = 36_525
UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
LATEST_MS = 4_102_444_800_000
"""The year 2100, in ms since 1970."""
LATEST_NS = LATEST_MS * 1_000_000
US_PER_S = 1_000_000
NS_PER_US = 1000


def duration_s(text: str) -> float:
    """Seconds in `90`, `90s`, `10m`, `2h`, `1d`, up to a hundred years; a usage error for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip())
    if match is None or not float(match[1]):
        raise typer.BadParameter(f"{text!r} is no duration above 0, expected for example 90s, 10m, 2h or 1d")
    found_s = float(match[1]) * UNITS_S[match[2]]
    if found_s > LONGEST_D * UNITS_S["d"]:
        raise typer.BadParameter(f"{text!r} is longer than {LONGEST_D} d")
    return found_s


def instant_ns(text: str) -> int:
    """Ns since 1970 of an ISO 8601 time from 1970 to 2100, UTC unless it says otherwise; a usage error for others."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no time, expected for example 2026-03-14T07:00:00+01:00") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    found_ns = ((since.days * 86_400 + since.seconds) * US_PER_S + since.microseconds) * NS_PER_US
    if not 0 <= found_ns <= LATEST_NS:
        raise typer.BadParameter(f"{text!r} is not from 1970 to 2100")
    return found_ns
