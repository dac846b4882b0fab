"""The programmes of the arterial: intergreens, least greens, and the figures that the city file repeats."""

import json
from importlib.resources import files
from itertools import pairwise

import pytest

from simulator.sumo.build import without_comments
from simulator.sumo.network import crossings, movements, plain
from simulator.sumo.programmes import (
    CLEAR_ROAD_S,
    CLEAR_SIDE_S,
    LEAST_S,
    PEAK_WALK_S,
    PURPOSES,
    WALK_S,
    YELLOW_S,
    Programme,
    greens,
    needed_s,
    programmes,
    states,
)
from simulator.sumo.road import PLACES
from simulator.sumo.signals import Signal, cycle

FOLDER = files("deploy") / "sumo"
ALL = programmes()
NUMBERS = [programme.number for programme in ALL]
SIDE_LINKS = range(10, 18)
ROAD_LINKS = (*range(5), *range(5, 10))
WEST, EAST, NORTH, SOUTH = 18, 19, 20, 21
CONFLICTS = (
    *((one, other) for one in ROAD_LINKS for other in (*SIDE_LINKS, WEST, EAST)),
    *((4, other) for other in (5, 6, 7, 8, NORTH)),
    *((9, other) for other in (0, 1, 2, 3, SOUTH)),
    *((one, other) for one in SIDE_LINKS for other in (NORTH, SOUTH)),
)
"""Links that must never be green together (turns that only give way are left out)."""


CLEAR_S = {WEST: CLEAR_ROAD_S, EAST: CLEAR_ROAD_S, NORTH: CLEAR_SIDE_S, SOUTH: CLEAR_SIDE_S}
"""After the green of a crossing; after that of vehicles 5 s."""


def shown(programme: Programme, index: int) -> tuple[str, ...]:
    """The seconds of a programme at a junction."""
    return states(programme.splits[index])


@pytest.mark.parametrize("programme", ALL, ids=NUMBERS)
def test_conflicting_movements_are_never_green_together_nor_soon_after_each_other(programme: Programme) -> None:
    """At least 5 s between vehicles, and what a crossing takes at 1.2 m/s between people on foot and vehicles."""
    for index in range(len(PLACES)):
        seconds = shown(programme, index)
        for one, other in CONFLICTS:
            for first, second in ((one, other), (other, one)):
                clear_s = CLEAR_S.get(first, 5)
                assert _gap_s(seconds, first, second) >= clear_s, (programme.number, index, first, second)


def _gap_s(seconds: tuple[str, ...], first: int, second: int) -> int:
    """The least time from an end of green of the first link to a begin of green of the second; 0 if they overlap."""
    count = len(seconds)
    green = [[state[link] in "Gg" for state in seconds] for link in (first, second)]
    if any(one and other for one, other in zip(*green, strict=True)):
        return 0
    ends = [at for at in range(count) if green[0][at - 1] and not green[0][at]]
    begins = [at for at in range(count) if green[1][at] and not green[1][at - 1]]
    return min((begin - end) % count for end in ends for begin in begins)


@pytest.mark.parametrize("programme", ALL, ids=NUMBERS)
def test_each_green_lasts_and_each_vehicle_sees_yellow_and_red_yellow(programme: Programme) -> None:
    """5 s of green at least, 3 s of yellow after it, 1 s of red and yellow before it (VwV-StVO)."""
    for index in range(len(PLACES)):
        seconds = shown(programme, index)
        for link in range(len(movements(index))):
            track = "".join(state[link] for state in seconds).replace("g", "G")
            turned = track[track.index("r") :] + track[: track.index("r")]
            green = turned.count("G")
            assert green >= LEAST_S
            assert "u" + "G" * green + "y" * YELLOW_S + "r" in turned + "r", (programme.number, index, link)


@pytest.mark.parametrize("programme", ALL, ids=NUMBERS)
def test_people_on_foot_have_their_least_green(programme: Programme) -> None:
    """Half of a crossing at 1.2 m/s and never below 5 s; those who cross the road have more in peaks."""
    for index in range(len(PLACES)):
        found = greens(programme.splits[index])
        walk_s = PEAK_WALK_S if programme.number in "345" else WALK_S
        assert [end - begin for begin, end in (found.west, found.east)] == [walk_s, walk_s]
        assert all(end - begin >= LEAST_S for begin, end in (found.north, found.south))
        assert WALK_S >= 19 / 2 / 1.2


def test_the_day_has_one_cycle_that_the_average_day_needs_and_coordination_allows() -> None:
    """Programme 2 gets by with less by Webster, the peaks could do with more: the common cycle lies between."""
    day = [purpose for purpose in PURPOSES if purpose.number != "1"]
    assert {purpose.cycle_s for purpose in day} == {80}
    assert needed_s(PURPOSES[1]) <= 80 <= max(needed_s(purpose) for purpose in day)


def test_splits_follow_the_flows() -> None:
    """Programmes for one direction give it the longest green, the balanced one gives both the same."""
    by_number = {programme.number: [greens(each) for each in programme.splits] for programme in ALL}
    for inwards, outwards, balanced in zip(by_number["3"], by_number["4"], by_number["2"], strict=True):
        for one, other in ((inwards.inbound, inwards.outbound), (outwards.outbound, outwards.inbound)):
            assert one[1] - one[0] > other[1] - other[0]
            assert one[1] - one[0] > balanced.inbound[1] - balanced.inbound[0]
        assert balanced.inbound[1] - balanced.inbound[0] == balanced.outbound[1] - balanced.outbound[0]


def test_the_files_are_those_of_the_programmes() -> None:
    """What is committed is what the build writes."""
    for name, text in plain(ALL).items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, name


def test_the_network_has_what_the_plain_files_say() -> None:
    """The night's programme, and for every link and crossing the number that programmes count by; no comment."""
    text = (FOLDER / "arterial.net.xml").read_text(encoding="utf-8")
    assert text == without_comments(text)
    for index, place in enumerate(PLACES):
        assert f'<tlLogic id="{place.name}" type="static" programID="1"' in text
        for number, movement in enumerate(movements(index)):
            start = text.index(
                f'<connection from="{movement.source}" to="{movement.target}" fromLane="{movement.source_lane}" '
                f'toLane="{movement.target_lane}"'
            )
            assert f'tl="{place.name}" linkIndex="{number}"' in text[start : text.index("/>", start)]
        for number, edges in enumerate(crossings(index), start=len(movements(index))):
            start = next(
                text.index(f'crossingEdges="{one} {other}"')
                for one, other in (edges, edges[::-1])
                if f'"{one} {other}"' in text
            )
            lane = text.rindex('<edge id="', 0, start)
            id_ = text[lane:start].split('"')[1]
            link = text.index(f'to="{id_}"')
            assert f'tl="{place.name}" linkIndex="{number}"' in text[link : text.index("/>", link)]


def test_the_city_file_repeats_the_plans() -> None:
    """Number, name, level, direction, cycle, and the least green of all junctions."""
    features = json.loads((FOLDER / "arterial.geojson").read_text(encoding="utf-8"))["features"]
    group = next(each["properties"] for each in features if each["properties"]["kind"] == "control_group")
    for programme, plan in zip(ALL, group["plans"], strict=True):
        found = [greens(each) for each in programme.splits]
        purpose = programme.purpose
        assert (str(plan["number"]), plan["name"], plan["level"], plan.get("favours", "balanced"), plan["cycle_s"]) == (
            purpose.number,
            purpose.name,
            purpose.level,
            purpose.side,
            purpose.cycle_s,
        )
        assert plan["green_inbound_s"] == min(end - begin for each in found for begin, end in [each.inbound])
        assert plan["green_outbound_s"] == min(end - begin for each in found for begin, end in [each.outbound])


def test_all_programmes_show_the_same_at_their_switch_points() -> None:
    """So that going over from one to another is invisible at that moment."""
    for index in range(len(PLACES)):
        cycles = [cycle(programme.offsets_s[index], shown(programme, index)) for programme in ALL]
        assert len({each.states[each.switch_s] for each in cycles}) == 1


@pytest.mark.parametrize(("before", "after"), [("2", "3"), ("3", "4"), ("4", "2"), ("2", "1"), ("1", "5")])
@pytest.mark.parametrize("actuated", [False, True], ids=["fixed", "actuated"])
def test_a_switch_keeps_intergreens_and_ends_in_step(before: str, after: str, *, actuated: bool) -> None:
    """From one programme to another, at any time: nothing unsafe is shown, and the new one's clock is met at last.

    Nobody who wants to cross the road waits longer than in one of the programmes.
    """
    cycles = {programme.number: cycle(programme.offsets_s[1], shown(programme, 1)) for programme in ALL}
    for begin in range(0, 80, 13):
        signal = Signal(cycles, before, begin, actuated=actuated)
        told = [signal.step(begin + 1)]
        signal.wanted = after
        told += [signal.step(second, ("side",) if second % 3 else ()) for second in range(begin + 2, begin + 900)]
        assert_safe(told)
        assert max(map(len, "".join(state[WEST] for state in told).split("G"))) <= 80 - WALK_S
        assert signal.plan == after
        if not actuated:
            assert signal.position == cycles[after].clock(begin + 899)


def assert_safe(told: list[str]) -> None:
    """Every end of green is followed by a conflicting begin no sooner than its clearance asks for; greens last."""
    for link in range(SOUTH + 1):
        track = "".join("G" if state[link] in "Gg" else "r" for state in told)
        assert all(len(green) >= LEAST_S for green in track.strip("G").split("r") if green), link
    ended: dict[int, int] = {}
    for at, (before, state) in enumerate(pairwise(told)):
        if before == state:
            continue
        for link, (was, now) in enumerate(zip(before, state, strict=True)):
            if was in "Gg" and now not in "Gg":
                ended[link] = at
        for one, other in CONFLICTS:
            for first, second in ((one, other), (other, one)):
                if state[second] in "Gg" and before[second] not in "Gg":
                    clear_s = CLEAR_S.get(first, 5)
                    assert state[first] not in "Gg", (at, first, second)
                    assert at - ended.get(first, -100) >= clear_s, (at, first, second)


def test_local_control_gives_what_nobody_uses_to_the_road() -> None:
    """A side road that nobody comes from any more ends early, after its least green; the road gets the time."""
    programme = ALL[1]
    cycles = {programme.number: cycle(programme.offsets_s[0], shown(programme, 0))}
    plain_, early = (Signal(cycles, programme.number, 0, actuated=actuated) for actuated in (False, True))
    fixed = [plain_.step(second, ("side",)) for second in range(1, 801)]
    local = [early.step(second, ("side",)) for second in range(1, 801)]
    side, road = 11, 1
    assert sum(state[side] in "Gg" for state in fixed) == pytest.approx(250, abs=5)
    assert sum(state[side] in "Gg" for state in local) == pytest.approx(190, abs=5)
    assert sum(state[road] == "G" for state in local) > sum(state[road] == "G" for state in fixed) + 50
    assert_safe(local)


@pytest.mark.parametrize("programme", ALL, ids=NUMBERS)
def test_local_control_is_safe_whatever_stays_away(programme: Programme) -> None:
    """Left turns and side roads that end early, alone or together, keep all clearances and the walk across the road."""
    for index in range(len(PLACES)):
        cycles = {programme.number: cycle(programme.offsets_s[index], shown(programme, index))}
        for idle in (("outbound",), ("inbound",), ("side", "inbound"), ("side", "inbound", "outbound")):
            signal = Signal(cycles, programme.number, 0, actuated=True)
            told = [signal.step(second, idle) for second in range(1, 401)]
            assert_safe(told)
            walks = [len(green) for green in "".join(state[WEST] for state in told).split("r") if green]
            assert set(walks[1:-1]) == {programme.splits[index].walk_s}
