"""How one vehicle drives its tour: leg by leg, in simulated time; figures without a source are ours.

A leg begins where the one before ended. What is random follows from seed, vehicle, day and place alone, so that it is
the same however time is cut into steps, and whatever becomes of other vehicles.
"""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple

from rules.event_route import Halt
from rules.feedback import SkipReason
from rules.waste.route.distance import DETOUR, SPEED_KMH, way
from rules.waste.route.model import Vehicle
from simulator.depot.ground import Ground, Spot
from simulator.depot.report import Stopped
from simulator.device import NS_PER_S

BREAK_AFTER_S: Final = 4 * 3600
"""The break comes before the first way after so much of the tour: ArbZG § 4 allows six hours without."""
LOOK_S: Final = 45
"""Seconds at a container that is not emptied."""
REASONS: Final[Mapping[SkipReason, int]] = {
    "blocked": 40,
    "not_accessible": 20,
    "not_full": 15,
    "wrong_content": 10,
    "damaged": 10,
    "other": 5,
}
"""Why stops are skipped, by weight; being late has its own word, and is no matter of chance."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How a depot works.

    Ways are the great circle times `detour` at `speed_kmh`; ways and service take their time give or take `spread` of
    it. `skip_share` of the stops is skipped. `breakdowns` are minutes after local midnight by vehicle. With `confirms`
    each tour that is offered is confirmed.
    """

    seed: int = 1
    speed_kmh: float = SPEED_KMH
    detour: float = DETOUR
    spread: float = 0.2
    skip_share: float = 0.0
    breakdowns: Mapping[str, int] = field(default_factory=dict)
    confirms: bool = False


@dataclass(slots=True)
class Done:
    """What the depot knows of a day: emptied containers, and how often a vehicle set out for a place."""

    served: set[str] = field(default_factory=set)
    visits: Counter[str] = field(default_factory=Counter)


class Leg(NamedTuple):
    """The way to a halt and what is done there; with a reason the stop is skipped, perhaps without being `driven` to.

    Times are ns since 1970: it sets out at `begin_ns`, is there at `arrive_ns`, and can go on at `done_ns`, empty where
    it `unloads`.
    """

    halt: Halt
    begin_ns: int
    arrive_ns: int
    done_ns: int
    metres: float = 0
    reason: SkipReason | None = None
    driven: bool = True
    unloads: bool = False


class Trip:
    """A vehicle on its tour of a day, beginning in its depot, empty."""

    def __init__(self, vehicle: Vehicle, ground: Ground, habits: Habits, done: Done) -> None:
        self.vehicle = vehicle
        self.metres = 0.0
        self.leg: Leg | None = None
        self._ground = ground
        self._habits = habits
        self._done = done
        self._position = ground.spot(vehicle.depot)
        self._order: tuple[str, tuple[Halt, ...]] = ("", ())
        self._queue: deque[Halt] = deque()
        self._loaded = False
        self._began_ns = self._free_ns = 0
        self._rested = not vehicle.break_s

    @property
    def next_ns(self) -> int | None:
        """When the leg under way is done; None while it stands."""
        return None if self.leg is None else self.leg.done_ns

    @property
    def way_home(self) -> tuple[Halt, ...]:
        """What is left to drive when its tour is taken back."""
        return (Halt(place=self.vehicle.depot, kind="home", load_mass=0, load_volume=0),)

    def follow(self, plan: str, halts: tuple[Halt, ...], begin_ns: int, now_ns: int) -> None:
        """Drive the halts of a plan: from `begin_ns` on when it stands, else from now, once it is done where it is.

        Said again they change nothing. Containers that are emptied are passed over, as is unloading of nothing.
        """
        if self._order == (plan, halts):
            return
        self._order = plan, halts
        if now_ns <= self._began_ns or self.leg is None:
            self.leg = None
            self._began_ns = self._free_ns = max(begin_ns, now_ns)
        leg = self.leg
        self._queue = deque(halt for halt in halts if halt.kind != "stop" or halt.place not in self._done.served)
        if leg is not None and leg.driven and leg.arrive_ns <= now_ns:
            self._queue = deque(halt for halt in self._queue if halt.kind != "stop" or not _same(halt, leg.halt))
        elif leg is not None and leg.driven and self._queue and _same(self._queue[0], leg.halt):
            self._queue.popleft()
        else:
            self._stop(now_ns)
            self._set_out()

    def strand(self, now_ns: int) -> None:
        """Stand where it is, until there is another plan."""
        self._stop(now_ns)

    def finish(self) -> Stopped | None:
        """The leg is done: what is to be told of it; the next one begins."""
        leg, self.leg = self.leg, None
        if leg is None:
            return None
        if leg.driven:
            self._position = self._ground.spot(leg.halt.place)
            self.metres += leg.metres
        self._free_ns = leg.done_ns
        told = self._tell(leg) if leg.halt.kind == "stop" else None
        self._loaded = (self._loaded or (told is not None and told.reason is None)) and not leg.unloads
        self._set_out()
        return told

    def _tell(self, leg: Leg) -> Stopped | None:
        place = leg.halt.place
        if place in self._done.served:
            return None
        if leg.reason is None:
            self._done.served.add(place)
        return Stopped(leg.done_ns, self.vehicle.id, place, leg.reason)

    def _stop(self, now_ns: int) -> None:
        """Where it is now, on the way to somewhere; a break is taken to its end."""
        leg, self.leg = self.leg, None
        if leg is None:
            self._free_ns = max(self._free_ns, now_ns)
            return
        self._free_ns = max(leg.begin_ns, now_ns)
        if leg.driven and leg.arrive_ns > leg.begin_ns:
            part = min(1.0, max(0.0, (now_ns - leg.begin_ns) / (leg.arrive_ns - leg.begin_ns)))
            self._position = _between(self._position, self._ground.spot(leg.halt.place), part)
            self.metres += leg.metres * part

    def _set_out(self) -> None:
        while self._queue:
            halt = self._queue.popleft()
            if not self._is_over(halt):
                self.leg = self._leg(halt)
                return

    def _is_over(self, halt: Halt) -> bool:
        return halt.place in self._done.served if halt.kind == "stop" else halt.kind == "unload" and not self._loaded

    def _leg(self, halt: Halt) -> Leg:
        self._rest()
        rng = self._chance(halt)
        metres, seconds = self._way(self._position, self._ground.spot(halt.place))
        arrive_ns = self._free_ns + self._lasting(seconds, rng)
        leg = Leg(halt, self._free_ns, arrive_ns, arrive_ns, metres)
        if halt.kind == "unload":
            return self._unloading(leg, rng)
        if halt.kind == "home":
            return leg
        leg = self._serving(leg, rng)
        break_s = self.vehicle.break_s if self._tired(leg.done_ns) else 0
        home_ns = leg.done_ns + (break_s + self._home_s(halt)) * NS_PER_S
        if home_ns <= self._ground.time_ns(self.vehicle.shift_until_s):
            return leg
        now_ns = self._free_ns
        return Leg(halt, now_ns, now_ns, now_ns, reason="out_of_time", driven=False)

    def _rest(self) -> None:
        if self._tired(self._free_ns):
            self._rested = True
            self._free_ns += self.vehicle.break_s * NS_PER_S

    def _tired(self, time_ns: int) -> bool:
        return not self._rested and time_ns - self._began_ns >= BREAK_AFTER_S * NS_PER_S

    def _unloading(self, leg: Leg, rng: Random) -> Leg:
        """A site that is closed for the day is left as it was reached."""
        site = self._ground.site(leg.halt.place)
        start_ns = max(leg.arrive_ns, self._ground.time_ns(site.opens_s))
        if start_ns > self._ground.time_ns(site.closes_s):
            return leg
        return leg._replace(done_ns=start_ns + self._lasting(site.unload_s, rng), unloads=True)

    def _serving(self, leg: Leg, rng: Random) -> Leg:
        stop = self._ground.stop(leg.halt.place)
        start_ns = max(leg.arrive_ns, self._ground.time_ns(stop.window_from_s))
        looked_ns = start_ns + self._lasting(LOOK_S, rng)
        if start_ns > self._ground.time_ns(stop.window_until_s):
            return leg._replace(done_ns=looked_ns, reason="out_of_time")
        if rng.random() < self._habits.skip_share:
            (reason,) = rng.choices(list(REASONS), list(REASONS.values()))
            return leg._replace(done_ns=looked_ns, reason=reason)
        return leg._replace(done_ns=start_ns + self._lasting(stop.service_s, rng))

    def _home_s(self, halt: Halt) -> int:
        """Seconds home from a stop, by the site that comes next where one does."""
        here, home = self._ground.spot(halt.place), self._ground.spot(self.vehicle.depot)
        site = next((each.place for each in self._queue if each.kind == "unload"), None)
        if site is None:
            return self._way(here, home)[1]
        there = self._ground.spot(site)
        return self._way(here, there)[1] + self._ground.site(site).unload_s + self._way(there, home)[1]

    def _way(self, one: Spot, other: Spot) -> tuple[int, int]:
        return way(one, other, self._habits.detour, self._habits.speed_kmh)

    def _chance(self, halt: Halt) -> Random:
        """Of its own for each visit of a place."""
        name = f"{self._habits.seed} {self.vehicle.id} {self._ground.day.date} {halt.kind} {halt.place}"
        self._done.visits[name] += 1
        return Random(f"{name} {self._done.visits[name]}")

    def _lasting(self, seconds: float, rng: Random) -> int:
        spread = self._habits.spread
        return round(seconds * rng.uniform(1 - spread, 1 + spread) * NS_PER_S)


def _same(one: Halt, other: Halt) -> bool:
    return (one.kind, one.place) == (other.kind, other.place)


def _between(one: Spot, other: Spot, part: float) -> Spot:
    return Spot(
        one.longitude + part * (other.longitude - one.longitude), one.latitude + part * (other.latitude - one.latitude)
    )
