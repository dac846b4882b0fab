"""What held when: values over time, as steps. Times are ms since 1970 (UTC)."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from math import ceil
from typing import Generic, NamedTuple, TypeVar

V = TypeVar("V")
W = TypeVar("W")
MS_PER_S = 1000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000


class Span(NamedTuple):
    """From a time (included) to another one (excluded)."""

    begin_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        """How long it is."""
        return self.end_ms - self.begin_ms


class Piece(NamedTuple, Generic[V]):
    """A span in which one value held; None where none was known."""

    begin_ms: int
    end_ms: int
    value: V | None

    @property
    def length_ms(self) -> int:
        """How long it is."""
        return self.end_ms - self.begin_ms


class Course(Generic[V]):
    """A value that holds until the next one. A time before the newest one counts as that; the later word wins."""

    __slots__ = ("times", "values")

    def __init__(self, steps: Sequence[tuple[int, V]] = ()) -> None:
        self.times: list[int] = []
        self.values: list[V] = []
        for time_ms, value in steps:
            self.add(time_ms, value)

    def add(self, time_ms: int, value: V) -> None:
        """From this time on it is that."""
        if self.times and time_ms <= self.times[-1]:
            self.values[-1] = value
            return
        self.times.append(time_ms)
        self.values.append(value)

    def at(self, time_ms: int) -> V | None:
        """What holds at a time; None before the first value."""
        place = bisect_right(self.times, time_ms)
        return self.values[place - 1] if place else None

    def within(self, span: Span) -> list[V]:
        """The values that were added in a span."""
        return self.values[bisect_left(self.times, span.begin_ms) : bisect_left(self.times, span.end_ms)]

    def pieces(self, span: Span) -> Iterator[Piece[V]]:
        """The span in pieces, a new one where another value begins."""
        begin_ms, value = span.begin_ms, self.at(span.begin_ms)
        for place in range(bisect_right(self.times, span.begin_ms), bisect_left(self.times, span.end_ms)):
            if self.values[place] != value:
                if begin_ms < self.times[place]:
                    yield Piece(begin_ms, self.times[place], value)
                begin_ms, value = self.times[place], self.values[place]
        if begin_ms < span.end_ms:
            yield Piece(begin_ms, span.end_ms, value)


class Pair(NamedTuple, Generic[V, W]):
    """How long two values held side by side."""

    length_ms: int
    one: V | None
    other: W | None


def side_by_side(one: Course[V], other: Course[W], span: Span) -> Iterator[Pair[V, W]]:
    """The span in pieces in which neither changes."""
    for piece in one.pieces(span):
        for part in other.pieces(Span(piece.begin_ms, piece.end_ms)):
            yield Pair(part.length_ms, piece.value, part.value)


def middle(values: Sequence[float]) -> float | None:
    """The median, of an even number the lower one; None of nothing."""
    return nearest_rank(values, 0.5)


def nearest_rank(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share of them does not exceed; None of nothing."""
    return sorted(values)[max(1, ceil(share * len(values))) - 1] if values else None


def percent(part: float, whole: float) -> float | None:
    """A part in %; None of nothing."""
    return round(100 * part / whole, 2) if whole else None


def mean(total: float, number: float) -> float | None:
    """A mean with two decimals; None of nothing."""
    return round(total / number, 2) if number else None
