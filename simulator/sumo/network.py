"""The arterial as plain SUMO files: five signalled junctions with crossings, cycle lanes, pockets for left turns.

The road runs from the city (west, outbound is east) to its edge; `plain` writes what netconvert makes the network of.
Lanes of every arm from the kerb: footway, cycle lane, lanes for motor vehicles.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from simulator.sumo.programmes import Programme, phases
from simulator.sumo.road import CITY_M, EDGE_M, LIMIT_KMH, PLACES

SIDE_LIMIT_KMH = 50
POCKET_M = 75
SIDE_M = 200
FOOTWAY, CYCLE_LANE, KERB_LANE, INNER_LANE, POCKET = range(5)
WIDTHS_M = (2.0, 1.6, 3.2, 3.2, 3.0)
WALKERS, RIDERS, MOTORS = "pedestrian", "bicycle", "passenger truck bus"


class Movement(NamedTuple):
    """What a signal steers: from an edge's lane to another edge's lane."""

    source: str
    source_lane: int
    target: str
    target_lane: int


class BusStop(NamedTuple):
    """A stop at the kerb: id, edge, and where on it, in m."""

    id: str
    edge: str
    begin_m: int
    end_m: int


class Detector(NamedTuple):
    """Loops in both lanes of an edge, metres from its begin; `asset` is the id in the city file."""

    asset: str
    edge: str
    position_m: int


class LocalLoop(NamedTuple):
    """A loop of local control: id, the stage it is for, edge and lane, and metres before the stop line."""

    id: str
    stage: str
    edge: str
    lane: int
    before_m: int


BUS_STOPS = (
    BusStop("stop-out-2", "out2", 60, 90),
    BusStop("stop-out-4", "out4", 60, 90),
    BusStop("stop-in-4", "in4", 60, 90),
    BusStop("stop-in-2", "in2", 60, 90),
)
DETECTORS = (
    Detector("detector-arterial-out-1", "out1", 220),
    Detector("detector-arterial-out-4", "out4", 20),
    Detector("detector-arterial-in-3", "in3", 20),
    Detector("detector-arterial-in-5", "in5", 220),
)


class Arms(NamedTuple):
    """The edges at a junction: into it and out of it, from and to the west, east, north and south."""

    west: tuple[str, str]
    east: tuple[str, str]
    north: tuple[str, str]
    south: tuple[str, str]


def arms(index: int) -> Arms:
    """The edges at the junction with this index."""
    name = PLACES[index].name
    return Arms(
        (f"out{index + 1}p", f"in{index}"),
        (f"in{index + 1}p", f"out{index + 2}"),
        (f"{name}n", f"{name}N"),
        (f"{name}s", f"{name}S"),
    )


def movements(index: int) -> tuple[Movement, ...]:
    """What is signalled at a junction for vehicles, in the order of the signal's links (`programmes.GROUPS`)."""
    west, east, north, south = arms(index)
    return (
        *_road(west[0], east[1], right=south[1], left=north[1]),
        *_road(east[0], west[1], right=north[1], left=south[1]),
        *_side(north[0], south[1], right=west[1], left=east[1]),
        *_side(south[0], north[1], right=east[1], left=west[1]),
    )


def crossings(index: int) -> tuple[tuple[str, str], ...]:
    """The arms that people cross at a junction, as their edges: west, east, north, south."""
    return tuple(arms(index))


def _road(source: str, ahead: str, *, right: str, left: str) -> Iterator[Movement]:
    yield Movement(source, CYCLE_LANE, ahead, CYCLE_LANE)
    yield Movement(source, KERB_LANE, ahead, KERB_LANE)
    yield Movement(source, KERB_LANE, right, KERB_LANE)
    yield Movement(source, INNER_LANE, ahead, INNER_LANE)
    yield Movement(source, POCKET, left, KERB_LANE)


def _side(source: str, ahead: str, *, right: str, left: str) -> Iterator[Movement]:
    yield Movement(source, CYCLE_LANE, ahead, CYCLE_LANE)
    yield Movement(source, KERB_LANE, ahead, KERB_LANE)
    yield Movement(source, KERB_LANE, right, KERB_LANE)
    yield Movement(source, KERB_LANE, left, INNER_LANE)


def plain(programmes: Sequence[Programme]) -> Mapping[str, str]:
    """The plain files by name, with these programmes at every junction."""
    return {
        "arterial.nod.xml": _document("nodes", _nodes()),
        "arterial.typ.xml": _document("types", _types()),
        "arterial.edg.xml": _document("edges", _edges()),
        "arterial.con.xml": _document("connections", _connections()),
        "arterial.tll.xml": _document("tlLogics", _signals(programmes[:1])),
        "arterial.programmes.xml": _document("additional", _programmes(programmes[1:])),
        "arterial.add.xml": _document("additional", _furniture()),
    }


def _nodes() -> Iterator[str]:
    yield _node("W", CITY_M, 0)
    yield _node("E", EDGE_M, 0)
    for place in PLACES:
        name, x = place.name, place.position_m
        yield _node(name, x, 0, "traffic_light")
        yield _node(f"{name}w", x - POCKET_M, 0)
        yield _node(f"{name}e", x + POCKET_M, 0)
        yield _node(f"{name}n", x, SIDE_M)
        yield _node(f"{name}s", x, -SIDE_M)


def _types() -> Iterator[str]:
    for name, count, limit_kmh, priority in (
        ("road", 4, LIMIT_KMH, 3),
        ("pocket", 5, LIMIT_KMH, 3),
        ("side", 3, SIDE_LIMIT_KMH, 1),
    ):
        yield f'<type id="{name}" numLanes="{count}" speed="{limit_kmh / 3.6:.2f}" priority="{priority}"/>'


def _edges() -> Iterator[str]:
    names = [place.name for place in PLACES]
    for index, (before, after) in enumerate(pairwise(["W", *names])):
        yield _edge(f"out{index + 1}", before, f"{after}w", "road")
        yield _edge(f"out{index + 1}p", f"{after}w", after, "pocket")
    yield _edge(f"out{len(names) + 1}", names[-1], "E", "road")
    yield _edge("in0", names[0], "W", "road")
    for index, (before, after) in enumerate(pairwise([*names, "E"])):
        yield _edge(f"in{index + 1}", after, f"{before}e", "road")
        yield _edge(f"in{index + 1}p", f"{before}e", before, "pocket")
    for name in names:
        for end in "ns":
            yield _edge(f"{name}{end}", f"{name}{end}", name, "side")
            yield _edge(f"{name}{end.upper()}", name, f"{name}{end}", "side")


def _edge(id_: str, source: str, target: str, kind: str) -> str:
    count = {"road": 4, "pocket": 5, "side": 3}[kind]
    allowed = (WALKERS, RIDERS, *(MOTORS,) * (count - 2))
    lanes = "".join(
        f'\n        <lane index="{index}" allow="{classes}" width="{WIDTHS_M[index]}"/>'
        for index, classes in enumerate(allowed)
    )
    return f'<edge id="{id_}" from="{source}" to="{target}" type="{kind}">{lanes}\n    </edge>'


def _connections() -> Iterator[str]:
    for index in range(len(PLACES)):
        for direction in ("out", "in"):
            number = index + 1
            for lane, target in (
                (CYCLE_LANE, CYCLE_LANE),
                (KERB_LANE, KERB_LANE),
                (INNER_LANE, INNER_LANE),
                (INNER_LANE, POCKET),
            ):
                yield _connection(Movement(f"{direction}{number}", lane, f"{direction}{number}p", target))
        for movement in movements(index):
            yield _connection(movement)
        first = len(movements(index))
        for number, edges in enumerate(crossings(index)):
            yield (
                f'<crossing node="{PLACES[index].name}" edges="{" ".join(edges)}" width="4" priority="true" '
                f'linkIndex="{first + number}"/>'
            )


def _signals(programmes: Sequence[Programme]) -> Iterator[str]:
    yield from _programmes(programmes)
    for index, place in enumerate(PLACES):
        for number, movement in enumerate(movements(index)):
            yield _connection(movement, f' tl="{place.name}" linkIndex="{number}"')


def _programmes(programmes: Sequence[Programme]) -> Iterator[str]:
    for index, place in enumerate(PLACES):
        for programme in programmes:
            begin = f'<tlLogic id="{place.name}" type="static" programID="{programme.number}"'
            steps = "".join(
                f'\n        <phase duration="{duration_s}" state="{state}"/>'
                for duration_s, state in phases(programme.splits[index])
            )
            yield f'{begin} offset="{programme.offsets_s[index]}">{steps}\n    </tlLogic>'


def _furniture() -> Iterator[str]:
    """Bus stops, the detectors of the city file, and the loops of local control."""
    for stop in BUS_STOPS:
        lane = f"{stop.edge}_{KERB_LANE}"
        yield f'<busStop id="{stop.id}" lane="{lane}" startPos="{stop.begin_m}" endPos="{stop.end_m}"/>'
    for detector in DETECTORS:
        for number, index in enumerate((KERB_LANE, INNER_LANE), start=1):
            yield _loop(loop_id(detector.asset, number), f"{detector.edge}_{index}", detector.position_m)
    for index in range(len(PLACES)):
        for local in local_loops(index):
            yield _loop(local.id, f"{local.edge}_{local.lane}", -local.before_m)


def local_loops(index: int) -> tuple[LocalLoop, ...]:
    """The loops before the stop lines of a junction that tell whether a stage still has somebody to serve."""
    _, east, north, south = arms(index)
    return tuple(
        LocalLoop(f"{PLACES[index].name}.{stage}.{edge}", stage, edge, lane, before_m)
        for stage, edge, lane, before_m in (
            ("side", north[0], KERB_LANE, 30),
            ("side", south[0], KERB_LANE, 30),
            ("inbound", east[0], POCKET, 20),
        )
    )


def loop_id(asset: str, lane: int) -> str:
    """The name of a detector's loop in a lane, counted from the kerb."""
    return f"{asset}.{lane}"


def _loop(id_: str, lane: str, position_m: float) -> str:
    return f'<inductionLoop id="{id_}" lane="{lane}" pos="{position_m}" period="86400" file="NUL" friendlyPos="true"/>'


def _node(id_: str, x: int, y: int, kind: str = "priority") -> str:
    return f'<node id="{id_}" x="{x}" y="{y}" type="{kind}"/>'


def _connection(movement: Movement, more: str = "") -> str:
    source, source_lane, target, target_lane = movement
    return (
        f"<connection from={quoteattr(source)} to={quoteattr(target)} "
        f'fromLane="{source_lane}" toLane="{target_lane}"{more}/>'
    )


def _document(root: str, lines: Iterator[str]) -> str:
    body = "".join(f"    {line}\n" for line in lines)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>\n{body}</{root}>\n'
