"""Small cities for the tests of the evaluation."""

from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

from rules.asset import TIMEZONE
from rules.waste.evaluation.chance import Chance, Draw
from rules.waste.evaluation.town import Place, Town, place, town
from rules.waste.evaluation.truth import STEPS, Truth

MONDAY_MS = int(datetime(2026, 9, 7, 6, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()) * 1000


def drawn(seed: int) -> Draw:
    """Streams of a seed."""

    def draw(name: str) -> Chance:
        return Random(f"{seed}/{name}")

    return draw


def small(containers: int = 12, seed: int = 1) -> Town:
    """A city of a few containers."""
    return town(drawn(seed), containers)


def one(id_: str = "bin", at: tuple[float, float] = (7.8195, 51.6785), **properties: object) -> Place:
    """A container, in the middle of the city unless it stands elsewhere."""
    return place(id_, at, "residual", 3000, TIMEZONE, properties)


def steady(per_day: float, days: int, *ids: str, silent_from: int | None = None) -> Truth:
    """Containers that fill by so many % every day, with exact sensors that fall silent on a day."""
    words = tuple(
        None if silent_from is not None and day >= silent_from else 0.0 for day in range(days) for _ in range(STEPS)
    )
    names = ids or ("bin",)
    return Truth(
        MONDAY_MS, days, dict.fromkeys(names, (per_day / STEPS,) * (days * STEPS)), dict.fromkeys(names, words)
    )
