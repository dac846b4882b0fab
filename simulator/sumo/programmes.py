"""The signal programmes of the arterial, by Webster and MAXBAND, and what each second of them shows.

Stages of every junction, in their order: the side road with the people who cross the road; the road inbound with its
left turns; both directions of the road; the road outbound with its left turns. All programmes of the day have one
cycle. Those of the peaks give the people who cross the road a second more: a switch stretches a few cycles, and that
shall not be at their expense.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple, TypeAlias

from rules.traffic.maxband import Stop, coordinate
from rules.traffic.plan_config import Side
from rules.traffic.webster import Stage, best_cycle_s, timing
from simulator.sumo.road import LIMIT_KMH, PLACES

YELLOW_S, RED_YELLOW_S = 3, 1
TURN_S = 5
"""From the end of one direction's green to the begin of the other's, between stages of the road."""
SIDE_S = 6
"""Between road and side road."""
WALK_S, PEAK_WALK_S = 9, 10
"""Green of those who cross the road: what half of its 19 m takes at 1.2 m/s (RiLSA), and a second or two more."""
CLEAR_ROAD_S, CLEAR_SIDE_S = 16, 9
"""What the 19 m of the road and the 10 m of a side road take at 1.2 m/s."""
LEAVE_S = 3
"""For how long a side road's crossing stays red after the begin of a stage: vehicles of the last one leave over it."""
LEAST_S = 5
ROAD_VPH, LEFT_VPH, SIDE_VPH = 3600.0, 1700.0, 1100.0
"""Saturation flows: two lanes, some turn right; a pocket; one lane whose left turns give way."""
FACTOR = 0.85
"""Part of the limit at which a platoon drives."""
Window: TypeAlias = tuple[int, int]


class Load(NamedTuple):
    """Vehicles an hour that a programme is made for: on the road by direction, turning left, on a usual side arm."""

    inbound: float
    outbound: float
    left: float
    side: float


class Purpose(NamedTuple):
    """What a programme is for; `cycle_s` is the group's, `weight_out` what a band outbound counts.

    `walk_s` is the green of those who cross the road.
    """

    number: str
    name: str
    level: int
    side: Side
    cycle_s: int
    walk_s: int
    weight_out: float
    load: Load


PURPOSES = (
    Purpose("1", "Nacht", 0, "balanced", 70, WALK_S, 0.5, Load(350, 350, 30, 80)),
    Purpose("2", "Tag", 1, "balanced", 80, WALK_S, 0.5, Load(900, 900, 60, 190)),
    Purpose("3", "Stadteinwärts", 2, "inbound", 80, PEAK_WALK_S, 0.15, Load(1500, 700, 60, 165)),
    Purpose("4", "Stadtauswärts", 2, "outbound", 80, PEAK_WALK_S, 0.85, Load(700, 1500, 60, 165)),
    Purpose("5", "Hochlast", 2, "balanced", 80, PEAK_WALK_S, 0.5, Load(1400, 1400, 60, 165)),
)
"""The second is for the average between 6 and 22 h: who has one plan only has this one."""


class Splits(NamedTuple):
    """Greens in s of a junction's stages: side road, road inbound, both directions, road outbound.

    `walk_s` is the part of the side road's in which people cross the road.
    """

    side_s: int
    inbound_s: int
    both_s: int
    outbound_s: int
    walk_s: int

    @property
    def cycle_s(self) -> int:
        """All of them and what lies between."""
        return self.side_s + self.inbound_s + self.both_s + self.outbound_s + 2 * SIDE_S + 2 * TURN_S


class Programme(NamedTuple):
    """A programme of the group: offsets (begin of the side road's green) and splits by junction."""

    purpose: Purpose
    offsets_s: tuple[int, ...]
    splits: tuple[Splits, ...]

    @property
    def number(self) -> str:
        """What the traffic computer calls it."""
        return self.purpose.number

    @property
    def cycle_s(self) -> int:
        """The group's cycle."""
        return self.purpose.cycle_s


class Greens(NamedTuple):
    """When what is green, in s of the cycle: begin and end; the arms that people cross come last."""

    outbound: Window
    left_out: Window
    inbound: Window
    left_in: Window
    side: Window
    west: Window
    east: Window
    north: Window
    south: Window


def programmes() -> tuple[Programme, ...]:
    """All programmes of the group."""
    return tuple(_programme(purpose) for purpose in PURPOSES)


def needed_s(purpose: Purpose) -> int:
    """The cycle that its busiest junction needs by Webster."""
    return max(best_cycle_s(_stages(purpose, place.side_share)) for place in PLACES)


def least_side_s(walk_s: int) -> int:
    """The least green of the side road: who began to cross the road in the last second of green gets over."""
    return walk_s + CLEAR_ROAD_S - SIDE_S


def splits(purpose: Purpose, side_share: float) -> Splits:
    """Greens in proportion to flow ratios: road against side road, then each direction against the left turns."""
    load = purpose.load
    _, _, side_s = timing(_stages(purpose, side_share), purpose.cycle_s).greens_s
    road_s = purpose.cycle_s - 2 * SIDE_S - side_s
    before_s, after_s = _left_s(load.outbound, load.left, road_s), _left_s(load.inbound, load.left, road_s)
    return Splits(side_s, before_s, road_s - before_s - after_s - 2 * TURN_S, after_s, purpose.walk_s)


def greens(found: Splits) -> Greens:
    """When what is green in a cycle that begins with the side road's green."""
    side, inbound = (0, found.side_s), found.side_s + SIDE_S
    outbound = inbound + found.inbound_s + TURN_S
    left_out = outbound + found.both_s + TURN_S
    cycle_s = found.cycle_s
    return Greens(
        outbound=(outbound, cycle_s - SIDE_S),
        left_out=(left_out, cycle_s - SIDE_S),
        inbound=(inbound, left_out - TURN_S),
        left_in=(inbound, outbound - TURN_S),
        side=side,
        west=(0, found.walk_s),
        east=(0, found.walk_s),
        north=(inbound + LEAVE_S, left_out - CLEAR_SIDE_S),
        south=(outbound + LEAVE_S, cycle_s - CLEAR_SIDE_S),
    )


def states(found: Splits) -> tuple[str, ...]:
    """What each second of the cycle shows on every link, in the order of `network.movements` and the crossings."""
    when = greens(found)
    road = tuple((window, sign) for window, sign in ((when.outbound, "GGgG"), (when.left_out, "G")))
    back = tuple((window, sign) for window, sign in ((when.inbound, "GGgG"), (when.left_in, "G")))
    side = (when.side, "GGgg")
    shown = (*road, *back, side, side)
    walks = (when.west, when.east, when.north, when.south)
    return tuple(
        "".join(_vehicles(window, sign, second, found.cycle_s) for window, sign in shown)
        + "".join("G" if begin <= second < end else "r" for begin, end in walks)
        for second in range(found.cycle_s)
    )


def phases(found: Splits) -> Iterator[tuple[int, str]]:
    """The states of a cycle with how long each lasts, in s."""
    for state, seconds in groupby(states(found)):
        yield len(list(seconds)), state


def _vehicles(window: Window, sign: str, second: int, cycle_s: int) -> str:
    begin, end = window
    if begin <= second < end:
        return sign
    if (second - end) % cycle_s < YELLOW_S:
        return "y" * len(sign)
    return ("u" if (begin - second) % cycle_s <= RED_YELLOW_S else "r") * len(sign)


def _stages(purpose: Purpose, side_share: float) -> tuple[Stage, Stage, Stage]:
    """The stages that follow each other for the busier direction."""
    load = purpose.load
    return (
        Stage("road", max(load.inbound, load.outbound), ROAD_VPH, 3 * LEAST_S, TURN_S, coordinated=True),
        Stage("left", load.left, LEFT_VPH, LEAST_S, SIDE_S),
        Stage("side", load.side * side_share, SIDE_VPH, least_side_s(purpose.walk_s), SIDE_S),
    )


def _left_s(flow_vph: float, left_vph: float, road_s: int) -> int:
    """What the left turns that a direction must let through get of the road's time."""
    through = Stage("road", flow_vph, ROAD_VPH, 3 * LEAST_S, TURN_S)
    return timing((through, Stage("left", left_vph, LEFT_VPH, LEAST_S, 0)), road_s).greens_s[1]


def _programme(purpose: Purpose) -> Programme:
    found = tuple(splits(purpose, place.side_share) for place in PLACES)
    begins = [_band_begin(purpose.side, greens(each)) for each in found]
    stops = [
        Stop(place.name, place.position_m, end - begin, LIMIT_KMH)
        for place, (begin, end) in zip(PLACES, begins, strict=True)
    ]
    road = coordinate(stops, purpose.cycle_s, factor=FACTOR, weight_out=purpose.weight_out)
    offsets = tuple(
        (offset - begin) % purpose.cycle_s for offset, (begin, _) in zip(road.offsets_s, begins, strict=True)
    )
    return Programme(purpose, offsets, found)


def _band_begin(side: Side, when: Greens) -> Window:
    """The green that is coordinated: that of the favoured direction, or what both have."""
    if side == "inbound":
        return when.inbound
    return when.outbound if side == "outbound" else (when.outbound[0], when.inbound[1])
