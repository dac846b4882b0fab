"""Simulated levels for the backtest: gamma increments with a rhythm of the week, emptied on a fixed day of the week."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from rules.waste.backtest import Level

BEGIN: Final = datetime(2026, 1, 5, tzinfo=UTC)
WEEKDAYS: Final = (1.1, 0.95, 0.9, 0.95, 1.1, 1.35, 0.65)
"""Of the filling, Monday first; as the city's simulator has them."""
DAYS_TO_FULL: Final = 7.7
SHAPE_PER_DAY: Final = 3.0
EVERY: Final = timedelta(hours=3)
NOISE: Final = 0.8
"""Standard deviation of a reading in % of the volume."""
COLLECTED_HOUR: Final = 9
FULL: Final = 100.0


def simulated(containers: int, days: int, seed: int, timezone: str) -> dict[str, list[Level]]:
    """So many containers over so many days; the same seed gives the same levels."""
    found = {}
    for number in range(1, containers + 1):
        name = f"container-{number:04}"
        found[name] = _container(Random(f"{seed}/{name}"), days, ZoneInfo(timezone))  # noqa: S311 - a simulation
    return found


def _container(rng: Random, days: int, zone: ZoneInfo) -> list[Level]:
    per_day = FULL / DAYS_TO_FULL * rng.uniform(0.6, 1.6)
    round_day, cycle_days = rng.randrange(5), max(2, round(0.75 * FULL / per_day))
    level, emptied, emptied_on = rng.uniform(0, 60), False, BEGIN.date() - timedelta(days=rng.randrange(cycle_days))
    found = []
    for step in range(days * (timedelta(days=1) // EVERY)):
        time = BEGIN + step * EVERY
        local = time.astimezone(zone)
        due = (local.date() - emptied_on).days >= cycle_days and (local.weekday() - round_day) % 7 < 5  # noqa: PLR2004
        if due and local.hour >= COLLECTED_HOUR:
            level, emptied, emptied_on = rng.uniform(0, 5), True, local.date()
        read = min(FULL, max(0.0, level + rng.gauss(0, NOISE)))
        found.append(Level(int(time.timestamp()) * 1000, round(read, 1), emptied))
        emptied = False
        shape = SHAPE_PER_DAY * (EVERY / timedelta(days=1))
        level = min(FULL, level + rng.gammavariate(shape, per_day * WEEKDAYS[local.weekday()] / SHAPE_PER_DAY))
    return found
