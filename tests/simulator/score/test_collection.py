"""Two ways of collecting, on series made by hand."""

from simulator.score.collection import Known, collection, emptyings, known
from simulator.score.course import DAY_MS, HOUR_MS, Course, Span
from simulator.score.fill import TrueContainer
from simulator.score.rounds import Emptied, Way
from simulator.score.truth import Truth
from simulator.truth import Row
from tests.rules.waste.route.cities import city, container

START = 1_781_474_400_000
"""2026-06-15T00:00+02:00, a Monday."""
SPAN = Span(START, START + 4 * DAY_MS)
ASSETS = tuple(city(container("one"), container("other")).assets.values())[1:]


def _at(hours: float) -> int:
    return START + int(hours * HOUR_MS)


def _container(*levels: tuple[float, float], emptied: tuple[float, ...] = ()) -> Known:
    """Levels by hours after the start, and when it was emptied."""
    fill = Course([(_at(hours), level) for hours, level in levels])
    rounds = Course([(_at(hours), float(number)) for number, hours in enumerate((-100, *emptied))])
    return Known(ASSETS[0], TrueContainer(fill, rounds))


def test_how_often_it_was_full_and_how_full_it_was_when_it_was_emptied() -> None:
    """Full from Monday evening to Tuesday morning are two days and one time; what lies beside it is no level."""
    full = _container((0, 50), (20, 110), (30, 2), (50, 60), (60, 3), emptied=(30, 60))
    other = _container((0, 10), (90, 100))
    found = collection([full, other], Way(3, 45_678.9), {"blocked": 2}, SPAN)
    assert (found.overflow_days, found.overflows, found.full_h) == (3, 2, 16)
    assert (found.emptied, found.emptied_at_pct) == (2, 80)
    assert (found.skipped, found.tours, found.km) == ({"blocked": 2}, 3, 45.7)


def test_what_lies_before_the_span_is_none_of_it() -> None:
    """A container that was full before is full still, but did not become so; an emptying before does not count."""
    early = _container((-90, 100), (-80, 5), (-10, 100), (10, 4), (11, 20), emptied=(-80, 10))
    found = collection([early], None, {}, SPAN)
    assert (found.overflow_days, found.overflows, found.full_h) == (1, 0, 10)
    assert (found.emptied, found.emptied_at_pct) == (1, 100)
    assert (found.tours, found.km) == (None, None)
    assert emptyings([early], SPAN) == [Emptied(_at(10), "one", 100)]


def test_nothing_was_emptied() -> None:
    """Then nobody knows how full they would have been."""
    assert collection([_container((0, 10))], Way(0, 0), {}, SPAN).emptied_at_pct is None


def test_containers_of_which_nothing_is_known() -> None:
    """They are left out: nobody looks into them."""
    truth = Truth()
    for quantity in ("fill_level", "collections"):
        truth(Row(START * 1_000_000, "other", quantity, 1))
    assert [each.asset.id for each in known(ASSETS, truth)] == ["other"]
