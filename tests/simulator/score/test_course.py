"""Courses: what held when."""

from simulator.score.course import Course, Pair, Piece, Span, mean, middle, nearest_rank, percent, side_by_side


def test_a_value_holds_until_the_next_one() -> None:
    """Before the first one nothing is known; at its own time a value holds already."""
    course = Course([(10, "a"), (20, "b")])
    assert [course.at(time_ms) for time_ms in (9, 10, 19, 20, 99)] == [None, "a", "a", "b", "b"]


def test_the_later_word_wins() -> None:
    """A value at the time of the last one, or before it, takes its place."""
    course = Course([(10, "a"), (20, "b")])
    course.add(20, "c")
    course.add(15, "d")
    assert (course.times, course.values) == ([10, 20], ["a", "d"])


def test_pieces_are_as_long_as_a_value_holds() -> None:
    """Equal values in a row are one piece; a span is covered from its begin to its end."""
    course = Course([(10, "a"), (20, "a"), (30, "b"), (40, "c")])
    assert list(course.pieces(Span(5, 40))) == [Piece(5, 10, None), Piece(10, 30, "a"), Piece(30, 40, "b")]
    assert list(course.pieces(Span(10, 11))) == [Piece(10, 11, "a")]
    assert list(course.pieces(Span(10, 10))) == []


def test_values_within_a_span() -> None:
    """Values count that were added in it, its begin included, its end not."""
    course = Course([(10, 1.0), (20, 2.0), (30, 3.0)])
    assert course.within(Span(10, 30)) == [1.0, 2.0]


def test_two_courses_side_by_side() -> None:
    """A piece ends where either changes."""
    one, other = Course([(0, "a"), (10, "b")]), Course([(4, 1)])
    assert list(side_by_side(one, other, Span(0, 12))) == [Pair(4, "a", None), Pair(6, "a", 1), Pair(2, "b", 1)]


def test_figures() -> None:
    """Quantiles are values that were there; of nothing there is no figure, not 0."""
    assert nearest_rank([5, 1, 3, 2, 4], 0.95) == 5
    assert nearest_rank(list(range(1, 21)), 0.95) == 19
    assert middle([4, 1, 3, 2]) == 2
    assert middle([]) is nearest_rank([], 0.5) is percent(0, 0) is mean(0, 0) is None
    assert (percent(1, 3), mean(2, 3)) == (33.33, 0.67)
