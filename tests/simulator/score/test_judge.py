"""Which truth a lot is held against, on a city made by hand."""

from rules.asset import Asset, Assignment
from rules.city import City
from simulator.score.case import Case
from simulator.score.course import Span
from simulator.score.hearing import Hearing, SaidOfLot
from simulator.score.judge import judge
from simulator.score.report import Played
from simulator.score.truth import Truth
from simulator.truth import OCCUPIED_SPACES, Row

SPAN = Span(0, 60_000)
PLAYED = Played("a test", 1, "", "", 4, 0, 0)
SENSOR, COUNTER = "acme/space", "acme/gate"


def _devices(*counts: str) -> tuple[Assignment, ...]:
    ways = [Assignment(f"{number:016x}", COUNTER, properties={"counts": way}) for number, way in enumerate(counts, 8)]
    return (*(Assignment(f"{number:016x}", SENSOR) for number in (1, 2)), *ways)


def _case(*models: str) -> Case:
    """A lot of four with two sensors and two counters; one space of those that are simulated is taken."""
    lot = Asset("lot", "lot", "", {"capacity": 4}, _devices("in", "out"), 7.8, 51.7)
    other = Asset("other", "lot", "", {"capacity": 4}, (), 7.8, 51.7)
    truth, hearing = Truth(), Hearing()
    truth(Row(0, "lot", OCCUPIED_SPACES, 1))
    hearing.lots["lot"].add(0, SaidOfLot("free", 2))
    return Case(City((lot, other)), {"lot": models}, truth, hearing, SPAN)


def test_spaces_without_a_sensor_are_like_the_others() -> None:
    """One of two is taken, so two of four are; counters sense no space."""
    score = judge(_case(SENSOR, SENSOR, COUNTER, COUNTER), PLAYED)
    (lot,) = score.lots
    assert (lot.lot, lot.right_pct, lot.free_error) == ("lot", 100, 0)
    (why,) = [each.why for each in score.unscored if each.what == "lot: the rest of its spaces"]
    assert why.startswith("only 2 of 4")


def test_a_kind_that_is_measured_has_its_own_reasons() -> None:
    """A station that measures noise is named with what it lacks, gust that no station measures as a whole."""
    station = Asset("station", "station", "", {}, (), 7.8, 51.7)
    case = Case(City((station,)), {"station": ["elsys/generic"]}, Truth(), Hearing(), SPAN)
    named = {each.what for each in judge(case, PLAYED).unscored}
    assert {"noise of station", "gust alerts"} <= named
    assert not {"noise alerts", "gust of station"} & named


def test_what_takes_no_part_is_not_missed() -> None:
    """A lot without simulated devices is neither scored nor listed; one with counters only has no truth."""
    named = {each.what for each in judge(_case(SENSOR, SENSOR), PLAYED).unscored}
    assert not {each for each in named if each.startswith("other")}
    none = Case(_case().city, {"lot": [COUNTER]}, Truth(), Hearing(), SPAN)
    score = judge(none, PLAYED)
    assert (score.lots, score.lots_together) == ((), None)
    assert ("lot", "the truth has no occupied_spaces of lot") in {(each.what, each.why) for each in score.unscored}
