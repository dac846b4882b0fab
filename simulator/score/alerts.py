"""Alerts: hit, missed, false, and how long before the true crossing they came.

True and published levels become episodes at or above a level; episodes less than an hour apart are one. A true episode
is hit when a published one is there within an hour of it, else missed; a published one that is near no true one is
false. One that begins in the last hour of the span is open: nobody could say yet what becomes of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from simulator.score.course import HOUR_MS, MS_PER_S, Course, Span, middle

NEAR_MS = HOUR_MS


@dataclass(frozen=True, slots=True)
class AlertScore:
    """A kind of alert at a level and above.

    lead    s from the publication to the true crossing, positive when it came before: median, least; of episodes whose
            alert was not up already for an earlier one
    """

    kind: str
    level: int
    assets: int
    hit: int
    missed: int
    false: int
    open: int
    lead_median_s: float | None
    lead_least_s: float | None


@dataclass(slots=True)
class Matched:
    """What became of the episodes at one asset, or at all."""

    hit: int = 0
    missed: int = 0
    false: int = 0
    open: int = 0
    leads_s: list[float] = field(default_factory=list)

    def add(self, other: "Matched") -> None:
        """Those of another asset, too."""
        self.hit += other.hit
        self.missed += other.missed
        self.false += other.false
        self.open += other.open
        self.leads_s += other.leads_s


def score(kind: str, level: int, found: Iterable[tuple[Course[int], Course[int]]], span: Span) -> AlertScore:
    """A kind at a level: of each asset the true levels and the published ones."""
    whole, assets = Matched(), 0
    for true, said in found:
        whole.add(match(episodes(true, level, span), episodes(said, level, span), span))
        assets += 1
    return AlertScore(
        kind,
        level,
        assets,
        whole.hit,
        whole.missed,
        whole.false,
        whole.open,
        middle(whole.leads_s),
        min(whole.leads_s, default=None),
    )


def episodes(levels: Course[int], level: int, span: Span) -> list[Span]:
    """When a level was reached or passed; what is less than an hour apart is one."""
    found: list[Span] = []
    for begin_ms, end_ms, value in levels.pieces(span):
        if value is None or value < level:
            continue
        if found and begin_ms - found[-1].end_ms < NEAR_MS:
            found[-1] = found[-1]._replace(end_ms=end_ms)
        else:
            found.append(Span(begin_ms, end_ms))
    return found


def match(true: Sequence[Span], said: Sequence[Span], span: Span) -> Matched:
    """True episodes against published ones, each in the order of time."""
    found, used = Matched(), set[int]()
    for episode in true:
        near = [number for number, other in enumerate(said) if _near(episode, other)]
        if not near:
            late = episode.begin_ms >= span.end_ms - NEAR_MS
            found.open += late
            found.missed += not late
            continue
        found.hit += 1
        if near[0] not in used:
            found.leads_s.append((episode.begin_ms - said[near[0]].begin_ms) / MS_PER_S)
        used.update(near)
    for number, other in enumerate(said):
        if number not in used:
            late = other.begin_ms >= span.end_ms - NEAR_MS
            found.open += late
            found.false += not late
    return found


def _near(one: Span, other: Span) -> bool:
    return other.begin_ms <= one.end_ms + NEAR_MS and one.begin_ms <= other.end_ms + NEAR_MS
