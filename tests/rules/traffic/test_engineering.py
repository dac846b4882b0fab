"""Cycle, splits, offsets and their picture."""

import re
from itertools import product
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.traffic.maxband import Stop, _Search, band, coordinate, travel_times_s
from rules.traffic.proposal import Junction, propose
from rules.traffic.time_space import diagram
from rules.traffic.webster import SignalError, Stage, best_cycle_s, timing

MAIN, SIDE = Stage("main", 800, 2000, coordinated=True), Stage("side", 400, 2000)


def test_websters_cycle() -> None:
    """(1.5 · 12 + 5) / (1 − 0.6) = 57.5 s."""
    assert best_cycle_s([MAIN, SIDE]) == 58


def test_splits_follow_flow_ratios() -> None:
    """72 s less 12 s lost: 40 to 20; degrees of saturation are equal, delay by hand for the main stage."""
    found = timing([MAIN, SIDE], 72)
    assert (found.greens_s, found.begins_s) == ((40, 20), (0, 46))
    assert list(found.saturation) == pytest.approx([0.72, 0.72])
    uniform = 72 * (1 - 40 / 72) ** 2 / (2 * (1 - 40 / 72 * 0.72))
    random = 0.72**2 / (2 * 800 / 3600 * (1 - 0.72))
    assert found.delays_s[0] == pytest.approx(0.9 * (uniform + random))
    assert found.level == "B"


def test_a_least_green_comes_first() -> None:
    """The others share what is left."""
    found = timing([MAIN, Stage("side", 20, 2000, min_green_s=15)], 72)
    assert found.greens_s == (45, 15)


def test_a_saturated_stage_is_level_f() -> None:
    """No delay can be told."""
    found = timing([Stage("main", 1500, 2000), Stage("side", 1000, 2000)], 60)
    assert found.delays_s == (None, None)
    assert found.level == "F"


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([], "without stages"),
        ([Stage("a", 1000, 2000), Stage("b", 900, 2000)], "0.95"),
        ([Stage("a", 100, 2000, min_green_s=70), Stage("b", 100, 2000, min_green_s=70)], "152 s"),
    ],
)
def test_figures_without_a_cycle_are_refused(stages: list[Stage], message: str) -> None:
    """The message names them."""
    with pytest.raises(SignalError, match=message):
        best_cycle_s(stages)


STAGES = st.lists(
    st.builds(Stage, st.just("s"), st.floats(0, 400), st.just(2000.0), st.integers(5, 12), st.integers(2, 8)),
    min_size=2,
    max_size=4,
)


@given(STAGES, st.integers(90, 120))
def test_greens_and_lost_times_fill_the_cycle(stages: list[Stage], cycle_s: int) -> None:
    """To the second, and no green is below its least."""
    found = timing(stages, cycle_s)
    assert sum(found.greens_s) + sum(stage.lost_s for stage in stages) == cycle_s
    assert all(green_s >= stage.min_green_s for stage, green_s in zip(stages, found.greens_s, strict=True))


@pytest.mark.parametrize("weight", [0.5, 0.7, 1.0])
def test_the_search_finds_what_trying_everything_finds(weight: float) -> None:
    """Four junctions with unequal greens, all offsets of a cycle of 24 s."""
    places = ((0, 12), (170, 10), (300, 14), (520, 11))
    stops = [Stop(str(number), position, green, 50) for number, (position, green) in enumerate(places)]
    found = coordinate(stops, 24, weight_out=weight)
    search = _Search(stops, 24, found.travel_s, weight)
    best = max(search.value([0, *rest]) for rest in product(range(24), repeat=3))
    assert search.value(found.offsets_s) == pytest.approx(best)


def test_one_direction_alone_keeps_its_whole_green() -> None:
    """Offsets that follow the travel times lose nothing but rounding."""
    stops = [Stop(str(number), number * 333, 30, 50) for number in range(6)]
    assert coordinate(stops, 80, weight_out=1).outbound.length_s == pytest.approx(30, abs=1)
    assert coordinate(stops, 80, weight_out=0).inbound.length_s == pytest.approx(30, abs=1)


def test_the_classic_double_alternate() -> None:
    """A quarter of a cycle between junctions: a quarter of the cycle wide in both directions."""
    stops = [Stop(str(number), number * 312.5, 45, 50) for number in range(5)]
    found = coordinate(stops, 90)
    assert (found.outbound.length_s, found.inbound.length_s) == (22.5, 22.5)
    assert found.efficiency == 0.25


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(80, 600), st.integers(10, 40)), min_size=1, max_size=5), st.integers(50, 100))
def test_a_vehicle_in_the_band_meets_green_everywhere(sections: list[tuple[int, int]], cycle_s: int) -> None:
    """At both ends of both bands."""
    stops, position = [], 0
    for number, (length, green_s) in enumerate(sections):
        position += length
        stops.append(Stop(str(number), position, green_s, 50))
    found = coordinate(stops, cycle_s)
    for found_band, sign in ((found.outbound, 1), (found.inbound, -1)):
        ends = (found_band.begin_s + 1e-6, found_band.begin_s + found_band.length_s - 1e-6)
        for start in ends if found_band.length_s > 0.001 else ():
            for stop, offset_s, travel_s in zip(stops, found.offsets_s, found.travel_s, strict=True):
                assert (start + sign * travel_s - offset_s) % cycle_s < stop.green_s
    again = coordinate(stops, cycle_s)
    assert again == found


def test_progression_is_never_faster_than_the_limit() -> None:
    """Travel times of sections with limits of their own; a factor above one is refused."""
    stops = [Stop("a", 0, 20, 50), Stop("b", 500, 20, 50), Stop("c", 800, 20, 30)]
    assert list(travel_times_s(stops, 1)) == pytest.approx([0, 36, 72])
    with pytest.raises(SignalError, match="1 at most"):
        travel_times_s(stops, 1.1)
    with pytest.raises(SignalError, match="expected more than 800"):
        travel_times_s([*stops, Stop("d", 800, 20, 50)], 1)


def test_no_common_green_is_no_band() -> None:
    """Greens that exclude each other."""
    assert band([0, 45], [20, 20], [0, 0], 90).length_s == 0


ROAD = tuple(Junction(name, position, 50, (MAIN, SIDE)) for name, position in (("A & B", 0), ("C", 400), ("D", 850)))


def test_a_proposal_chooses_cycle_and_speed() -> None:
    """A common cycle that every junction can live with, and no speed below 80 % of the limit."""
    found = propose(ROAD)
    assert 58 <= found.coordination.cycle_s <= 70
    assert 0.8 <= found.coordination.factor <= 1
    assert {timing.cycle_s for timing in found.timings} == {found.coordination.cycle_s}
    assert propose(ROAD, cycle_s=90).coordination.cycle_s == 90


def test_proposals_that_cannot_be_are_refused() -> None:
    """The junction is named."""
    with pytest.raises(SignalError, match="58 s at least"):
        propose(ROAD, cycle_s=40)
    with pytest.raises(SignalError, match="junction X: expected one coordinated stage"):
        propose([Junction("X", 0, 50, (SIDE,))])
    with pytest.raises(SignalError, match="greens"):
        propose([])


def test_the_picture_shows_every_junction_green_and_band() -> None:
    """Well-formed SVG that loads nothing; band edges lie on the greens' bars."""
    found = propose(ROAD)
    text = diagram("Straße <1>", found.stops, found.coordination)
    root = ET.fromstring(text)  # noqa: S314 - our own text
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Straße <1>", "A & B", "C", "D"} <= set(texts)
    assert not re.findall(r"href|url\((?!#)|<script|http://(?!www.w3.org/2000/svg)", text)
    polygons = [element.get("points") or "" for element in root.iter("{http://www.w3.org/2000/svg}polygon")]
    assert len(polygons) == 12
    y_of = {element.text: element.get("y") for element in root.iter("{http://www.w3.org/2000/svg}text")}
    heights = {float(point.split(",")[1]) for point in polygons[0].split()}
    assert heights == {float(y_of[name] or 0) - 4 for name in ("A & B", "C", "D")}
    edge = [float(point.split(",")[0]) for point in polygons[0].split()]
    seconds = (edge[-1] - edge[0]) * 3 * found.coordination.cycle_s / 690
    assert seconds == pytest.approx(found.coordination.outbound.length_s, abs=0.1)
