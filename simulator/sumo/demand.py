"""Who uses the arterial: seeded departures of motor vehicles, buses, cyclists and people on foot, as SUMO routes.

Occupancies are means: 1.4 persons a car and 18 to 20 % of a bus's places (German averages of the Umweltbundesamt,
TREMOD). All flows are invented; they lie within what a road of two lanes a direction carries in a German city.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from simulator.sumo.network import BUS_STOPS, arms
from simulator.sumo.road import PLACES

ZONE = ZoneInfo("Europe/Berlin")
PERSONS: Mapping[str, float] = {"car": 1.4, "truck": 1.0, "bus": 20.0, "bicycle": 1.0}
TRUCKS = 0.04
TURN_LEFT, TURN_RIGHT = 0.04, 0.04
"""Of those who come along the road, at each junction."""
SIDE_LEFT, SIDE_RIGHT = 0.15, 0.3
BUS_EVERY_S, DWELL_S = 600, 20
CYCLISTS_PER_HOUR, SIDE_CYCLISTS_PER_HOUR = 80, 25
ACROSS_PER_HOUR, ALONG_PER_HOUR = 80, 80
"""People on foot at each of a junction's four crossings: those of the road, those of the side roads."""
WALK_M = 40.0
"""How far they come from and go to, so that the walk is the crossing and little else."""


class Demand(StrEnum):
    """What the day is like."""

    SCHEDULED_PEAK = "scheduled-peak"
    UNSCHEDULED_PEAK = "unscheduled-peak"
    ORDINARY = "ordinary"


class Flow(NamedTuple):
    """Vehicles an hour that set out: inbound and outbound along the road, and on a usual side arm."""

    inbound: float
    outbound: float
    side: float


class Day(NamedTuple):
    """A span of a day: begin (local time of a Tuesday), length, from when on people count, and how much is under way.

    Flows change linearly between `points` (seconds from the begin).
    """

    begin: datetime
    length_s: int
    counted_s: int
    points: tuple[tuple[int, Flow], ...]

    def at(self, second: float) -> Flow:
        """The flows at that second."""
        before = self.points[0]
        for after in self.points:
            if second < after[0]:
                share = (second - before[0]) / (after[0] - before[0])
                return Flow(*(one + share * (other - one) for one, other in zip(before[1], after[1], strict=True)))
            before = after
        return before[1]


USUAL = Flow(850, 850, 180)
OUT_PEAK = Flow(700, 1500, 165)
IN_SURGE = Flow(1550, 700, 165)


def _day(hour: int, minute: int, usual: Flow, peak: Flow) -> Day:
    """Two and a half hours: usual traffic, 75 minutes of a peak from the 40th minute on, usual traffic again."""
    begin = datetime(2026, 9, 15, hour, minute, tzinfo=ZONE)
    points = ((0, usual), (1800, usual), (2400, peak), (6900, peak), (7500, usual))
    return Day(begin, 9000, 1800, points)


DAYS: Mapping[Demand, Day] = {
    Demand.SCHEDULED_PEAK: _day(15, 0, USUAL, OUT_PEAK),
    Demand.UNSCHEDULED_PEAK: _day(10, 30, USUAL, IN_SURGE),
    Demand.ORDINARY: _day(10, 30, USUAL, USUAL),
}


class Start(NamedTuple):
    """Somebody sets out: second, kind, the edges, and the id."""

    second: float
    kind: str
    edges: tuple[str, ...]
    id: str


def starts(demand: Demand, seed: int) -> list[Start]:
    """Everybody of the day in the order of departure; the same seed and demand are the same people."""
    day = DAYS[demand]
    found = [
        *_motor(day, seed),
        *_buses(day),
        *_cyclists(day, seed),
        *_walkers(day, seed),
    ]
    return sorted(found, key=lambda start: (start.second, start.id))


def routes(demand: Demand, seed: int) -> str:
    """The day as a SUMO route file."""
    lines = [_TYPES, *(_line(start) for start in starts(demand, seed))]
    return "<routes>\n" + "\n".join(lines) + "\n</routes>\n"


_TYPES = """\
    <vType id="car" vClass="passenger" tau="1.0" minGap="2.0" sigma="0.3" speedDev="0.1"/>
    <vType id="truck" vClass="truck" length="9" tau="1.2" sigma="0.3" accel="1.3" maxSpeed="22.2" speedDev="0.05"/>
    <vType id="bus" vClass="bus" length="12" tau="1.0" sigma="0.3" accel="1.2"/>
    <vType id="bicycle" vClass="bicycle" maxSpeed="5.0" speedDev="0.15"/>"""
"""Cars are calibrated to 2000 vehicles an hour and lane at steps of 1 s (HBS 2015: 1.8 s each)."""


def _line(start: Start) -> str:
    second, kind, edges, id_ = start
    if kind == "walk":
        return (
            f'    <person id="{id_}" depart="{second:.1f}" departPos="-{WALK_M:g}">'
            f'<walk edges="{" ".join(edges)}" arrivalPos="{WALK_M:g}"/></person>'
        )
    stops = "".join(
        f'<stop busStop="{stop.id}" duration="{DWELL_S}"/>'
        for stop in BUS_STOPS
        if kind == "bus" and stop.edge in edges
    )
    lane = "best" if kind in {"car", "truck"} else "allowed" if kind == "bus" else "first"
    return (
        f'    <vehicle id="{id_}" type="{kind}" depart="{second:.1f}" departLane="{lane}" departSpeed="max">'
        f'<route edges="{" ".join(edges)}"/>{stops}</vehicle>'
    )


def _motor(day: Day, seed: int) -> Iterator[Start]:
    origins = ["W", "E", *(f"{place.name}{arm}" for place in PLACES for arm in "ns")]
    for origin in origins:
        rng = Random(f"{seed} motor {origin}")
        for number, second in enumerate(_times(rng, day.length_s, partial(_per_hour, day, origin))):
            kind = "truck" if rng.random() < TRUCKS else "car"
            yield Start(second, kind, _route(rng, origin), f"{kind}.{origin}.{number}")


def _per_hour(day: Day, origin: str, second: float) -> float:
    """Motor vehicles that come from there."""
    flow = day.at(second)
    if origin in {"W", "E"}:
        return flow.outbound if origin == "W" else flow.inbound
    return flow.side * next(place.side_share for place in PLACES if place.name == origin[:-1])


def _times(rng: Random, length_s: int, rate: Callable[[float], float]) -> Iterator[float]:
    """Poisson arrivals with a rate (an hour) that changes slowly, by thinning."""
    most = max(rate(second) for second in range(0, length_s, 60)) * 1.02
    second = rng.expovariate(most / 3600)
    while second < length_s:
        if rng.random() < rate(second) / most:
            yield second
        second += rng.expovariate(most / 3600)


def _route(rng: Random, origin: str) -> tuple[str, ...]:
    """The edges from where a vehicle comes to where it leaves: it turns, or not, at each junction that it comes to."""
    if origin == "W":
        return ("out1", *_along(rng, 0, 1))
    if origin == "E":
        return (f"in{len(PLACES)}", *_along(rng, len(PLACES) - 1, -1))
    index = next(index for index, place in enumerate(PLACES) if place.name == origin[:-1])
    _, _, north, south = arms(index)
    turn, from_north = rng.random(), origin[-1] == "n"
    if turn >= SIDE_LEFT + SIDE_RIGHT:
        return (origin, (south if from_north else north)[1])
    outwards = (turn < SIDE_LEFT) == from_north
    if outwards:
        return (origin, *_onwards(rng, index, 1))
    return (origin, *_onwards(rng, index, -1))


def _along(rng: Random, index: int, step: int) -> Iterator[str]:
    """From the pocket before a junction on, in the direction of the step."""
    west, east, north, south = arms(index)
    yield (west if step > 0 else east)[0]
    turn = rng.random()
    if turn < TURN_LEFT:
        yield (north if step > 0 else south)[1]
    elif turn < TURN_LEFT + TURN_RIGHT:
        yield (south if step > 0 else north)[1]
    else:
        yield from _onwards(rng, index, step)


def _onwards(rng: Random, index: int, step: int) -> Iterator[str]:
    """Away from a junction along the road."""
    west, east, _, _ = arms(index)
    yield (east if step > 0 else west)[1]
    if 0 <= index + step < len(PLACES):
        yield from _along(rng, index + step, step)


def _buses(day: Day) -> Iterator[Start]:
    outbound, inbound = _through(1), _through(-1)
    for number, second in enumerate(range(120, day.length_s, BUS_EVERY_S)):
        yield Start(second, "bus", outbound, f"bus.out.{number}")
        yield Start(second + BUS_EVERY_S // 2, "bus", inbound, f"bus.in.{number}")


def _through(step: int) -> tuple[str, ...]:
    """All edges along the road in a direction."""
    last = len(PLACES) + 1
    if step > 0:
        return (*(f"out{index}{part}" for index in range(1, last) for part in ("", "p")), f"out{last}")
    return (*(f"in{index}{part}" for index in range(last - 1, 0, -1) for part in ("", "p")), "in0")


def _cyclists(day: Day, seed: int) -> Iterator[Start]:
    ways = [("out", CYCLISTS_PER_HOUR, _through(1)), ("in", CYCLISTS_PER_HOUR, _through(-1))]
    for index, place in enumerate(PLACES):
        _, _, north, south = arms(index)
        ways.append((f"{place.name}n", SIDE_CYCLISTS_PER_HOUR, (north[0], south[1])))
        ways.append((f"{place.name}s", SIDE_CYCLISTS_PER_HOUR, (south[0], north[1])))
    yield from _steady(day, f"{seed} bicycle", "bicycle", ways)


def _walkers(day: Day, seed: int) -> Iterator[Start]:
    """People at every crossing, on the footway that leads over it."""
    ways = []
    for index, place in enumerate(PLACES):
        west, east, north, south = arms(index)
        for name, per_hour, edges in (
            ("west", ACROSS_PER_HOUR, (north[0], south[1])),
            ("east", ACROSS_PER_HOUR, (south[0], north[1])),
            ("south", ALONG_PER_HOUR, (west[0], east[1])),
            ("north", ALONG_PER_HOUR, (east[0], west[1])),
        ):
            ways.append((f"{place.name}{name}", per_hour, edges))
    yield from _steady(day, f"{seed} walk", "walk", ways)


def _steady(day: Day, seed: str, kind: str, ways: Sequence[tuple[str, float, tuple[str, ...]]]) -> Iterator[Start]:
    for name, per_hour, edges in ways:
        rng = Random(f"{seed} {name}")
        for number, second in enumerate(_times(rng, day.length_s, partial(_constant, per_hour))):
            yield Start(second, kind, edges, f"{kind}.{name}.{number}")


def _constant(per_hour: float, _second: float) -> float:
    return per_hour
