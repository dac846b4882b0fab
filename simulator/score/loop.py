"""A play whose containers are emptied by the tours that the service plans, and beside it the city's fixed rounds."""

from collections import Counter, deque
from dataclasses import replace
from datetime import date, timedelta
from typing import Final
from urllib.parse import unquote

from pydantic import ValidationError

from rules.city import City
from rules.event_route import RoutePlanned
from rules.waste.days import local_date
from rules.waste.route.service_day import ServiceDay
from simulator.depot.collected import Collected
from simulator.depot.drive import Drive
from simulator.depot.report import Stopped, message
from simulator.depot.tour import Habits
from simulator.device import NS_PER_MS
from simulator.error import SimulatorError
from simulator.faults import Message
from simulator.play import Plan, Simulation
from simulator.score.hearing import Said
from simulator.score.rounds import Way
from simulator.score.truth import Truth
from simulator.truth import Row

CONTAINER_FACTS: Final = frozenset({"fill_level", "collections"})
SETTLED_DAYS: Final = 2
"""Days before anything counts, the first one included: the city's rounds begin on the second day with what is full."""


class Loop:
    """A depot that confirms each tour, drives it and tells of each stop; none is skipped by chance.

    `collected` tells the simulated city what was emptied, `fixed` is the truth of the containers of the same city with
    rounds of its own. From `settled_ms` on it is counted what tours took; `skips` are by reason. For each step call
    `until` first, let city and service reach that time, then `take` what the service published.
    """

    def __init__(self, city: City, plan: Plan) -> None:
        self.collected = Collected()
        self.fixed = Truth()
        self.skips: Counter[str] = Counter()
        first = local_date(plan.timezone, plan.start_ns // NS_PER_MS)
        self.settled_ms = ServiceDay(first + timedelta(days=SETTLED_DAYS), plan.timezone).midnight_ms
        self._timezone = plan.timezone
        self._tours: set[tuple[str, date]] = set()
        self._metres_before = 0.0
        self._drive = Drive(city, plan.start_ns, Habits(seed=plan.seed, confirms=True), plan.timezone)
        self._rounds = Simulation(city, replace(plan, own_rounds=True), self._remember)

    def until(self, time_ns: int) -> list[Message]:
        """Drive until then, and let the city with fixed rounds live as long; what the depot says."""
        deque(self._rounds.messages(time_ns), maxlen=0)
        reports = self._drive.due(time_ns)
        if time_ns <= self.settled_ms * NS_PER_MS:
            self._metres_before = self._drive.metres
        said = [message(report) for report in reports]
        for report, each in zip(reports, said, strict=True):
            self.collected.offer(each.topic, each.payload)
            if isinstance(report, Stopped):
                self._count(report)
        return said

    @property
    def way(self) -> Way:
        """What the tours took since it is settled."""
        return Way(len(self._tours), self._drive.metres - self._metres_before)

    def take(self, heard: Said) -> None:
        """What the service published; raises SimulatorError, CityError for a tour that cannot be driven."""
        match heard.topic.split("/")[2:]:
            case ["waste", "vehicle", vehicle, "route"] if not heard.payload:
                self._drive.withdraw(unquote(vehicle))
            case ["waste", "vehicle", _, "route"]:
                self._drive.take(_tour(heard))

    def _count(self, report: Stopped) -> None:
        time_ms = report.time_ns // NS_PER_MS
        if time_ms >= self.settled_ms:
            self._tours.add((report.vehicle, local_date(self._timezone, time_ms)))
            if report.reason is not None:
                self.skips[report.reason] += 1

    def _remember(self, row: Row) -> None:
        if row.quantity in CONTAINER_FACTS:
            self.fixed(row)


def _tour(heard: Said) -> RoutePlanned:
    try:
        return RoutePlanned.model_validate_json(heard.payload)
    except ValidationError as error:
        raise SimulatorError(f"cannot read what the service published on {heard.topic}: {error}") from error
