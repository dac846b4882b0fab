"""A junction's signal, second by second: programmes by a common clock, switched at a safe point, locally actuated.

A programme is followed by its position: the second of its cycle. It moves on by one a second. Seconds that show the
same as the one before can be left out, and two seconds can be repeated; nothing else is ever done, so that intergreens
and the least greens of people on foot hold whatever happens. At the switch point, while both directions of the road are
green, an old programme is left and a new one entered. Its clock is met by leaving out green of the road there, or by
repeating the last second of green of the people who cross the road: they never wait longer for a switch.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from simulator.error import SimulatorError
from simulator.sumo.programmes import LEAST_S, least_side_s

OUTBOUND, INBOUND, LEFT_IN, SIDE, ACROSS = 1, 6, 9, 11, 18
"""Links of a signal, see `network.movements`."""
MOST_HELD_S = 10
"""For how long a cycle is stretched at most, to come to the clock of another programme."""
STAGES = (("side", SIDE), ("inbound", LEFT_IN))
"""Stages that local control may end early, after their least green, and the link that they are for.

Left turns outbound are not among them: the side road's crossing is being cleared meanwhile.
"""


class Cycle(NamedTuple):
    """A programme of one junction: offset, what each second shows, and where it can be left, stretched and cut short.

    `same` tells for each second how many after it show the same; `early` the seconds from which on a stage may end.
    """

    offset_s: int
    states: tuple[str, ...]
    switch_s: int
    stretch_s: int
    same: tuple[int, ...]
    early: Mapping[int, str]

    @property
    def length_s(self) -> int:
        """The cycle."""
        return len(self.states)

    def clock(self, second: int) -> int:
        """Where the programme should be at this second."""
        return (second - self.offset_s) % self.length_s

    def ahead_s(self, position: int, second: int) -> int:
        """How far the position after this one is ahead of the clock; close to a cycle when it is behind."""
        return (position + 1 - self.clock(second)) % self.length_s

    def stretches(self, ahead_s: int) -> bool:
        """Whether stretching leads to the clock in fewer cycles than cutting short."""
        behind_s, spare_s = self.length_s - ahead_s, max(1, self.same[self.switch_s])
        return ahead_s > 0 and -(-ahead_s // MOST_HELD_S) < -(-behind_s // spare_s)


def cycle(offset_s: int, states: Sequence[str]) -> Cycle:
    """A programme from what it shows; the switch point is where both directions have been green for 5 s."""
    count = len(states)
    both = [second for second in range(count) if states[second][OUTBOUND] == states[second][INBOUND] == "G"]
    walk = [second for second in range(count) if states[second][ACROSS] == "G"]
    if not both or not walk:
        raise SimulatorError("a programme never shows green to both directions of the road, or none across it")
    begin = next(second for second in both if (second - 1) % count not in both)
    same = tuple(_same(states, second) for second in range(count))
    early: dict[int, str] = {}
    for name, link in STAGES:
        green = [second for second in range(count) if states[second][link] in "Gg"]
        least_s = least_side_s(len(walk)) if link == SIDE else LEAST_S
        early |= dict.fromkeys(green[least_s - 1 :], name)
    return Cycle(offset_s, tuple(states), begin + LEAST_S, walk[-1], same, early)


def read_cycles(*paths: Path) -> Mapping[str, Mapping[str, Cycle]]:
    """The programmes in SUMO files by junction and number."""
    found: dict[str, dict[str, Cycle]] = {}
    for path in paths:
        for _, element in ET.iterparse(path):  # noqa: S314 - the files are our own
            if element.tag == "tlLogic":
                states = [state for phase in element for state in _seconds(phase)]
                offset_s = round(float(element.attrib["offset"]))
                found.setdefault(element.attrib["id"], {})[element.attrib["programID"]] = cycle(offset_s, states)
    return found


class Signal:
    """The signal of one junction; `plan` is what it follows, `wanted` what it goes over to at its switch point.

    With `actuated`, stages may end early when nobody comes any more, and the time goes to the road.
    """

    def __init__(self, cycles: Mapping[str, Cycle], plan: str, second: int, *, actuated: bool) -> None:
        self._cycles = cycles
        self._actuated = actuated
        self._held_s = 0
        self._gained_s = 0
        self.plan = self.wanted = plan
        self.position = cycles[plan].clock(second)

    @property
    def state(self) -> str:
        """What is shown now."""
        return self._cycles[self.plan].states[self.position]

    def step(self, second: int, idle: Collection[str] = ()) -> str:
        """What is shown in this second; `idle` are the stages that nobody comes to any more."""
        running = self._cycles[self.plan]
        if self.position == running.switch_s:
            self._at_switch_point(second)
        elif self.position == running.stretch_s and self._stretched(running, second):
            self._held_s += 1
        elif self._actuated and running.early.get(self.position) in idle:
            self._gained_s += running.same[self.position]
            self._move(running, 1 + running.same[self.position])
        else:
            self._move(running, 1)
        return self.state

    def _at_switch_point(self, second: int) -> None:
        """Take up another programme; spend what local control gained; come to the clock by less green."""
        self.plan = self.wanted
        running = self._cycles[self.plan]
        self.position = running.switch_s
        ahead_s = running.ahead_s(self.position, second)
        if self._gained_s and ahead_s:
            self._gained_s -= 1
            return
        self._gained_s = 0
        cut_s = 0 if running.stretches(ahead_s) else -ahead_s % running.length_s
        self._move(running, 1 + min(cut_s, running.same[running.switch_s]))

    def _stretched(self, running: Cycle, second: int) -> bool:
        return self._held_s < MOST_HELD_S and running.stretches(running.ahead_s(self.position, second))

    def _move(self, running: Cycle, seconds: int) -> None:
        self.position = (self.position + seconds) % running.length_s
        self._held_s = 0


def _same(states: Sequence[str], second: int) -> int:
    """How many seconds after this one show the same."""
    count = 0
    while count < len(states) and states[(second + count + 1) % len(states)] == states[second]:
        count += 1
    return count


def _seconds(phase: ET.Element) -> Iterator[str]:
    for _ in range(round(float(phase.attrib["duration"]))):
        yield phase.attrib["state"]
