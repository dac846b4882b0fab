"""Alerts: hit, missed, false, and how long before the true crossing they came.

True and published levels become episodes at or above a level; episodes less than an hour apart are one. A true episode
is hit when a published one is there within an hour of it, else missed; a published one that is near no true one is
false. One that begins in the last hour of the span is open: nobody could say yet what becomes of it. What hits may be
up far too long: hours published further than an hour from every true episode are counted, too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from simulator.score.course import HOUR_MS, MS_PER_S, Course, Span, middle

NEAR_MS = HOUR_MS


@dataclass(frozen=True, slots=True)
class AlertScore:
    """A kind of alert at a level and above.

    false_h hours published further than an hour from every true episode, of all assets; without the span's last hour
    lead    s from the publication to the true crossing, positive when it came before: median, least; of episodes whose
            alert was not up already for an earlier one
    """

    kind: str
    level: int
    assets: int
    hit: int
    missed: int
    false: int
    false_h: float
    open: int
    lead_median_s: float | None
    lead_least_s: float | None


@dataclass(slots=True)
class Matched:
    """What became of the episodes at one asset, or at all."""

    hit: int = 0
    missed: int = 0
    false: int = 0
    beside_ms: int = 0
    open: int = 0
    leads_s: list[float] = field(default_factory=list)

    def add(self, other: "Matched") -> None:
        """Those of another asset, too."""
        self.hit += other.hit
        self.missed += other.missed
        self.false += other.false
        self.beside_ms += other.beside_ms
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
        round(whole.beside_ms / HOUR_MS, 2),
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
    found, used = Matched(beside_ms=beside_ms(true, said, span)), set[int]()
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


def beside_ms(true: Sequence[Span], said: Sequence[Span], span: Span) -> int:
    """How long was published what is near no true episode; in the last hour of the span nobody could say yet."""
    length_ms = 0
    for other in said:
        begin_ms, end_ms = other.begin_ms, min(other.end_ms, span.end_ms - NEAR_MS)
        for episode in true:
            length_ms += max(0, min(episode.begin_ms - NEAR_MS, end_ms) - begin_ms)
            begin_ms = max(begin_ms, episode.end_ms + NEAR_MS)
        length_ms += max(0, end_ms - begin_ms)
    return length_ms


def _near(one: Span, other: Span) -> bool:
    return other.begin_ms <= one.end_ms + NEAR_MS and one.begin_ms <= other.end_ms + NEAR_MS
