"""A depot's day: tours come in, vehicles drive them, and what is to be told comes out, in simulated time."""

from collections import Counter
from datetime import date
from typing import Final, NamedTuple

from rules.asset import TIMEZONE
from rules.city import City
from rules.event_route import RoutePlanned
from rules.waste.route.service_day import ServiceDay
from simulator.depot.ground import MS_PER_S, Ground
from simulator.depot.report import BrokeDown, Confirmed, Report, Stopped
from simulator.depot.tour import Done, Habits, Trip
from simulator.device import NS_PER_MS

OFFERED: Final = frozenset({"proposed", "fallback"})
KEPT_DAYS: Final = 3


class Due(NamedTuple):
    """What happens next: to a vehicle on the tour of a day."""

    time_ns: int
    vehicle: str
    day: date
    breaks_down: bool


class Drive:
    """All vehicles of a depot from `start_ns` on. Tours of before are begun then, and what is over is passed over.

    Ask first what is due, then hand over what was heard: a tour changes what its vehicle does from the newest time on
    for which `due` was asked. The same seed, times and events give the same reports.
    """

    def __init__(self, city: City, start_ns: int, habits: Habits | None = None, timezone: str = TIMEZONE) -> None:
        self.counts: Counter[str] = Counter()
        self.skips: Counter[str] = Counter()
        self._city = city
        self._now_ns = start_ns
        self._habits = habits or Habits()
        self._timezone = timezone
        self._trips: dict[tuple[str, date], Trip] = {}
        self._done: dict[date, Done] = {}
        self._words: dict[tuple[str, date], RoutePlanned] = {}
        self._newest: dict[str, RoutePlanned] = {}
        self._breaking = dict(self._habits.breakdowns)
        self._breakdowns: dict[tuple[str, date], int] = {}
        self._said: list[Report] = []
        self._confirmed: dict[str, None] = {}

    def take(self, event: RoutePlanned) -> None:
        """A tour was offered, confirmed or withdrawn; raises SimulatorError, CityError for one that cannot be driven.

        One that is older than the newest word about the vehicle, or came already, changes nothing; nor does one whose
        time is over.
        """
        newest = self._newest.get(event.subject)
        if newest is not None and (event.time < newest.time or event.id == newest.id):
            return
        self._newest[event.subject] = event
        if event.valid_until_ms * NS_PER_MS <= self._now_ns:
            return
        if event.data.status in OFFERED:
            self._offered(event)
        elif event.data.status == "confirmed":
            self._in_force(event)
        else:
            self._send_home(event)

    def withdraw(self, vehicle: str) -> None:
        """The newest word about the vehicle is taken back: its topic was emptied."""
        newest = self._newest.get(vehicle)
        if newest is not None:
            self._send_home(newest)

    def due(self, time_ns: int) -> list[Report]:
        """What is to be told until then, in the order of time."""
        while (due := self._next()) is not None and due.time_ns <= time_ns:
            self._now_ns = max(self._now_ns, due.time_ns)
            if due.breaks_down:
                self._break_down(due)
            else:
                self._go_on(self._trips[due.vehicle, due.day])
        self._now_ns = max(self._now_ns, time_ns)
        said, self._said = self._said, []
        return said

    @property
    def next_ns(self) -> int | None:
        """When something happens next; None while nothing is under way."""
        due = self._next()
        return self._now_ns if self._said else None if due is None else due.time_ns

    @property
    def under_way(self) -> int:
        """Vehicles that have something before them."""
        return sum(trip.next_ns is not None for trip in self._trips.values())

    @property
    def metres(self) -> float:
        """What all vehicles drove."""
        return self.counts["metres"] + sum(trip.metres for trip in self._trips.values())

    def as_dict(self) -> dict[str, object]:
        """The counts as JSON; `km` are those that were driven."""
        return {
            "confirmed": self.counts["confirmed"],
            "tours": self.counts["tours"],
            "served": self.counts["served"],
            "skipped": dict(sorted(self.skips.items())),
            "breakdowns": self.counts["breakdowns"],
            "km": round(self.metres / 1000, 3),
        }

    def _offered(self, event: RoutePlanned) -> None:
        if event.data.halts:
            self._remember(event)
        if self._habits.confirms and event.id not in self._confirmed:
            self._confirmed[event.id] = None
            self.counts["confirmed"] += 1
            self._said.append(Confirmed(self._now_ns, event.subject, event.id))

    def _in_force(self, event: RoutePlanned) -> None:
        data, key = event.data, (event.subject, event.data.day)
        trip = self._trips.get(key)
        if not data.halts:
            self._send_home(event)
            return
        ground = self._ground(data.day)
        ground.check(data.halts)
        self._remember(event)
        if trip is None:
            trip = Trip(ground.vehicle(event.subject), ground, self._habits, self._of(data.day))
            self._trips[key] = trip
            self.counts["tours"] += 1
        trip.follow(data.plan, data.halts, self._begin_ns(event, trip, ground), self._now_ns)

    def _begin_ns(self, event: RoutePlanned, trip: Trip, ground: Ground) -> int:
        """When the tour begins; where no streets are known nobody said so: with the shift."""
        if event.data.departs is None:
            return ground.time_ns(trip.vehicle.shift_from_s)
        return round(event.data.departs.timestamp() * MS_PER_S) * NS_PER_MS

    def _send_home(self, event: RoutePlanned) -> None:
        """Its tour of the day is no more; a word about another fraction is about another tour."""
        key = event.subject, event.data.day
        word, trip = self._words.get(key), self._trips.get(key)
        if word is None or word.data.fraction != event.data.fraction:
            return
        del self._words[key]
        if trip is not None and trip.next_ns is not None:
            trip.follow(event.data.plan, trip.way_home, self._now_ns, self._now_ns)

    def _remember(self, event: RoutePlanned) -> None:
        """The newest word about a tour, on which its vehicle may break down; days that are over are forgotten."""
        vehicle, today = event.subject, event.data.day
        self._words[vehicle, today] = event
        if vehicle in self._breaking:
            second = ServiceDay(today, self._timezone).second(self._breaking[vehicle])
            time_ns = self._ground(today).time_ns(second)
            if time_ns > self._now_ns:
                self._breakdowns[vehicle, today] = time_ns
        for key in [key for key in self._words.keys() | self._trips.keys() if (today - key[1]).days >= KEPT_DAYS]:
            self._words.pop(key, None)
            trip = self._trips.pop(key, None)
            self.counts["metres"] += round(trip.metres) if trip is not None else 0
            self._done.pop(key[1], None)

    def _next(self) -> Due | None:
        """The first thing to happen."""
        legs = (
            Due(trip.next_ns, *key, breaks_down=False) for key, trip in self._trips.items() if trip.next_ns is not None
        )
        breakdowns = (Due(time_ns, *key, breaks_down=True) for key, time_ns in self._breakdowns.items())
        return min((*legs, *breakdowns), default=None)

    def _break_down(self, due: Due) -> None:
        """Once, on the first day on which the vehicle has a tour then and is not home from it."""
        key = due.vehicle, due.day
        del self._breakdowns[key]
        word, trip = self._words.get(key), self._trips.get(key)
        if word is None or due.vehicle not in self._breaking or (trip is not None and trip.next_ns is None):
            return
        if trip is not None:
            trip.strand(due.time_ns)
        del self._breaking[due.vehicle]
        self.counts["breakdowns"] += 1
        self._said.append(BrokeDown(due.time_ns, due.vehicle, word.id))

    def _go_on(self, trip: Trip) -> None:
        told = trip.finish()
        if told is not None:
            self._said.append(told)
            self._count(told)

    def _count(self, told: Stopped) -> None:
        if told.reason is None:
            self.counts["served"] += 1
        else:
            self.skips[told.reason] += 1

    def _of(self, day: date) -> Done:
        return self._done.setdefault(day, Done())

    def _ground(self, day: date) -> Ground:
        return Ground(self._city, ServiceDay(day, self._timezone))
