"""Two ways of collecting, side by side: how often containers were full, and what it took to empty them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rules.city import Asset
from rules.local_time import timezone_of
from rules.waste.forecast import FULL
from simulator.score import fill
from simulator.score.course import HOUR_MS, Span, mean
from simulator.score.fill import TrueContainer
from simulator.score.rounds import Emptied, Way
from simulator.score.truth import NotScored, Truth

METRES_PER_KM = 1000


@dataclass(frozen=True, slots=True)
class Collection:
    """One way of collecting.

    overflow_days   days on which a container was full, by container
    overflows       times that one became full
    full            hours that containers were full, of all
    emptied         emptyings; `emptied_at` how full the containers were then in %, a mean
    skipped         stops of tours that were not served, by reason; fixed rounds skip none
    tours, km       vehicles that went out, by day, and what they drove; None where that is not known
    """

    overflow_days: int
    overflows: int
    full_h: float
    emptied: int
    emptied_at_pct: float | None
    skipped: Mapping[str, int]
    tours: int | None
    km: float | None


@dataclass(frozen=True, slots=True)
class CollectionScore:
    """The city's fixed rounds, and the tours that the service planned, from the same containers on."""

    fixed_rounds: Collection
    planned_tours: Collection


class Known(NamedTuple):
    """A container and what is true of it."""

    asset: Asset
    true: TrueContainer


def known(assets: Sequence[Asset], truth: Truth) -> list[Known]:
    """What is true of these containers; those of which nothing is are left out."""
    found = []
    for asset in assets:
        try:
            courses = [truth.of(asset.id, name) for name in ("fill_level", "collections")]
        except NotScored:
            continue
        found.append(Known(asset, TrueContainer(*courses)))
    return found


def emptyings(containers: Sequence[Known], span: Span) -> list[Emptied]:
    """All emptyings, container by container; what lies beside a container counts as no level."""
    return [
        Emptied(time_ms, each.asset.id, min(FULL, each.true.fill.at(time_ms - 1) or 0.0))
        for each in containers
        for time_ms in each.true.emptied_ms(span)
    ]


def collection(containers: Sequence[Known], way: Way | None, skipped: Mapping[str, int], span: Span) -> Collection:
    """The figures of one way of collecting, that took so much."""
    tally, full_ms = fill.Tally(), 0
    for each in containers:
        fill.add(tally, each.true, (), timezone_of(each.asset), span)
        full_ms += sum(episode.length_ms for episode in each.true.full(span))
    emptied = emptyings(containers, span)
    return Collection(
        tally.overflow_days,
        tally.overflows,
        round(full_ms / HOUR_MS, 1),
        len(emptied),
        mean(sum(each.level for each in emptied), len(emptied)),
        dict(skipped),
        None if way is None else way.tours,
        None if way is None else round(way.metres / METRES_PER_KM, 1),
    )
