"""Lots: how often the published state was the true one, how late it followed, and how wrong the free spaces were.

The true state is what the lot's own thresholds, with their hysteresis, make of the true occupancy.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from rules.parking.lot_config import LotConfig
from simulator.score.course import MS_PER_S, Course, Piece, Span, mean, middle, nearest_rank, percent, side_by_side
from simulator.score.hearing import SaidOfLot

UNKNOWN = "unknown"
CLOSED = "closed"
LATE = 0.95


@dataclass(frozen=True, slots=True)
class LotScore:
    """A lot, or all lots together.

    right, wrong, unknown   % of the time: the published state was the true one, another one, none was published
    accuracy                right of right and wrong, in %
    changes, followed       changes of the true state, and those that were published while they lasted
    delay                   s from a change to its publication: median, and what 95 % do not exceed
    free_error              spaces by which the published free ones were wrong, a mean over the time
    """

    lot: str
    right_pct: float | None
    wrong_pct: float | None
    unknown_pct: float | None
    accuracy_pct: float | None
    changes: int
    followed: int
    delay_median_s: float | None
    delay_p95_s: float | None
    free_error: float | None


@dataclass(slots=True)
class Tally:
    """What a lot's score is made of; times in ms, `misplaced` are spaces times ms."""

    right: int = 0
    wrong: int = 0
    unknown: int = 0
    changes: int = 0
    delays_s: list[float] = field(default_factory=list)
    misplaced: float = 0.0
    counted: int = 0

    def score(self, lot: str) -> LotScore:
        """As figures."""
        whole = self.right + self.wrong + self.unknown
        return LotScore(
            lot,
            percent(self.right, whole),
            percent(self.wrong, whole),
            percent(self.unknown, whole),
            percent(self.right, self.right + self.wrong),
            self.changes,
            len(self.delays_s),
            middle(self.delays_s),
            nearest_rank(self.delays_s, LATE),
            mean(self.misplaced, self.counted),
        )


def together(tallies: Iterable[Tally]) -> Tally:
    """All lots as one."""
    whole = Tally()
    for tally in tallies:
        whole.right += tally.right
        whole.wrong += tally.wrong
        whole.unknown += tally.unknown
        whole.changes += tally.changes
        whole.delays_s += tally.delays_s
        whole.misplaced += tally.misplaced
        whole.counted += tally.counted
    return whole


def tally(config: LotConfig, occupied: Course[float], said: Course[SaidOfLot | None], span: Span) -> Tally:
    """Hold what was said of a lot against its true occupancy in spaces."""
    true = true_states(config, occupied)
    states = Course([(time_ms, _state(each)) for time_ms, each in zip(said.times, said.values, strict=True)])
    found = Tally()
    for length_ms, state, published in side_by_side(true, states, span):
        if state is None:
            continue
        if published in {None, UNKNOWN}:
            found.unknown += length_ms
        elif published == state:
            found.right += length_ms
        else:
            found.wrong += length_ms
    for length_ms, taken, saying in side_by_side(occupied, said, span):
        if taken is not None and saying is not None and saying.free is not None and not config.closed:
            found.misplaced += abs(config.capacity - taken - saying.free) * length_ms
            found.counted += length_ms
    for change in [piece for piece in true.pieces(span) if piece.value is not None][1:]:
        found.changes += 1
        delay_ms = _delay_ms(change, states)
        if delay_ms is not None:
            found.delays_s.append(delay_ms / MS_PER_S)
    return found


def true_states(config: LotConfig, occupied: Course[float]) -> Course[str]:
    """The states that the true occupancy has by the lot's thresholds."""
    course: Course[str] = Course()
    state = "free"
    for time_ms, taken in zip(occupied.times, occupied.values, strict=True):
        state = CLOSED if config.closed else _next(config, state, taken)
        course.add(time_ms, state)
    return course


def _next(config: LotConfig, before: str, taken: float) -> str:
    free = config.capacity - taken
    if free <= config.full_in or (before == "full" and free < config.full_out):
        return "full"
    if taken >= config.almost_in or (before != "free" and taken > config.almost_out):
        return "almostFull"
    return "free"


def _state(said: SaidOfLot | None) -> str:
    return UNKNOWN if said is None else said.state


def _delay_ms(change: Piece[str], states: Course[str]) -> int | None:
    """How long a true state was not published; None where it never was while it lasted."""
    for piece in states.pieces(Span(change.begin_ms, change.end_ms)):
        if piece.value == change.value:
            return piece.begin_ms - change.begin_ms
    return None
