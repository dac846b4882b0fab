"""A score against a committed one: what may be worse, and by how much."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple


class Margin(NamedTuple):
    """Whether more of a figure is better, and by how much it may be worse before a test fails."""

    more_is_better: bool
    worse_by: float


MARGINS: Final[Mapping[str, Margin]] = {
    "accuracy_pct": Margin(more_is_better=True, worse_by=1),
    "right_pct": Margin(more_is_better=True, worse_by=2),
    "followed_pct": Margin(more_is_better=True, worse_by=20),
    "delay_median_s": Margin(more_is_better=False, worse_by=30),
    "delay_p95_s": Margin(more_is_better=False, worse_by=120),
    "free_error": Margin(more_is_better=False, worse_by=0.3),
    "differing_pct": Margin(more_is_better=False, worse_by=3),
    "vehicles_differing_pct": Margin(more_is_better=False, worse_by=3),
    "overload_vehicles": Margin(more_is_better=False, worse_by=10),
    "switches": Margin(more_is_better=False, worse_by=3),
    "hit": Margin(more_is_better=True, worse_by=0),
    "missed": Margin(more_is_better=False, worse_by=0),
    "false": Margin(more_is_better=False, worse_by=0),
    "false_h": Margin(more_is_better=False, worse_by=0.5),
    "lead_median_s": Margin(more_is_better=True, worse_by=300),
    "error_pp": Margin(more_is_better=False, worse_by=1),
    "overflows_unannounced": Margin(more_is_better=False, worse_by=0),
    "warning_median_h": Margin(more_is_better=True, worse_by=3),
    "full_in_interval_pct": Margin(more_is_better=True, worse_by=10),
    "full_error_h": Margin(more_is_better=False, worse_by=3),
    "emptyings_seen": Margin(more_is_better=True, worse_by=0),
    "emptyings_missed": Margin(more_is_better=False, worse_by=0),
    "emptyings_invented": Margin(more_is_better=False, worse_by=0),
    "planned_overflow_days": Margin(more_is_better=False, worse_by=0),
    "planned_full_h": Margin(more_is_better=False, worse_by=2),
    "planned_emptied_at_pct": Margin(more_is_better=True, worse_by=3),
    "planned_km": Margin(more_is_better=False, worse_by=10),
}
"""By the last part of a figure's name. The truth is told every five minutes: a lead is no better known than that."""
FROM_NOTHING: Final = frozenset({"missed", "false", "false_h"})
"""An alert's level has figures only where it was reached or published: before that these were 0."""


def figures(score: Mapping[str, Any]) -> dict[str, float | None]:
    """The figures of a score that are compared, by name, as `alerts.gauge.1.hit`, `lots.accuracy_pct`."""
    return {name: value for name, value in _all(score) if name.rpartition(".")[2] in MARGINS}


def worse(committed: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """What of a score is worse than it was; a figure that could be scored and no longer can is worse."""
    now, old, complaints = figures(found), figures(committed), []
    for name, before in old.items():
        if before is None:
            continue
        value, margin = now.get(name), MARGINS[name.rpartition(".")[2]]
        limit = before - margin.worse_by if margin.more_is_better else before + margin.worse_by
        if value is None:
            complaints.append(f"{name} was {before:g} and can no longer be scored")
        elif (value < limit) if margin.more_is_better else (value > limit):
            complaints.append(f"{name} was {before:g} and is {value:g}, {limit:g} is allowed")
    for name, value in now.items():
        figure = name.rpartition(".")[2]
        if name not in old and figure in FROM_NOTHING and value is not None and value > MARGINS[figure].worse_by:
            complaints.append(f"{name} is {value:g} and was not there before")
    return complaints


def _all(score: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    lots, containers = score["lots_together"], score["containers"]
    if lots is not None:
        yield from ((f"lots.{key}", value) for key, value in lots.items())
        if lots["changes"]:
            yield "lots.followed_pct", 100 * lots["followed"] / lots["changes"]
    for each in (*score["signal_plans"], *score["green_waves"]):
        yield from ((f"{each['asset']}.{key}", value) for key, value in each.items())
    for each in score["alerts"]:
        yield from ((f"alerts.{each['kind']}.{each['level']}.{key}", value) for key, value in each.items())
    if containers is not None:
        yield from ((f"containers.{key}", value) for key, value in containers.items())
        yield "containers.overflows_unannounced", containers["overflows"] - containers["overflows_announced"]
        for each in containers["horizons"]:
            yield from ((f"containers.{each['days']}d.{key}", value) for key, value in each.items())
    collection = score.get("collection")
    if collection is not None:
        planned = collection["planned_tours"]
        yield from ((f"collection.planned_{key}", value) for key, value in planned.items())
