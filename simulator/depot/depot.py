"""A depot on a broker: hears tours, drives them, tells of its stops, until it is told to end."""

import time
from collections.abc import Callable, Sequence
from threading import Event
from typing import Final

from pydantic import AwareDatetime, BaseModel, ValidationError

from rules.answer import ENCODED
from rules.city import City, CityError
from rules.event import EPOCH
from rules.event_route import RoutePlanned
from rules.rule import AHEAD_MS
from simulator.depot.clock import ServiceClock
from simulator.depot.drive import Drive
from simulator.depot.link import HEARTBEAT, Heard, Link
from simulator.depot.report import Report, message
from simulator.depot.tour import Habits
from simulator.device import NS_PER_S
from simulator.error import SimulatorError

LONGEST_WAIT_S: Final = 0.5
CLOCK_S: Final = 45.0
"""Seconds until a service is taken for one that tells no time; its heart beats every 30."""
LATE_S: Final = 10.0
"""Real seconds that a heartbeat may be under way before our clock counts as ahead."""
VEHICLE_LEVEL: Final = 4


class Timed(BaseModel):
    """What of an event tells the time."""

    time: AwareDatetime


class Depot:
    """Drives what comes in over `link`; `tell` is told of each report, `warn` of what is wrong.

    Its clock is the service's. `refused` counts messages that are no tours, or tours that cannot be driven.
    """

    def __init__(
        self,
        link: Link,
        city: City,
        habits: Habits,
        clock: ServiceClock,
        tell: Callable[[Report], None],
        warn: Callable[[str], None],
    ) -> None:
        self.refused = 0
        self.drive: Drive | None = None
        self._link = link
        self._city = city
        self._habits = habits
        self._clock = clock
        self._tell = tell
        self._warn = warn
        self._warned = False
        self._said = 0

    def as_dict(self) -> dict[str, object]:
        """The counts as JSON; empty before it has begun."""
        return {**self.drive.as_dict(), "refused": self.refused} if self.drive is not None else {}

    def await_clock(self, stop: Event) -> list[Heard]:
        """Wait until the time is known, or it is stopped; what came until then."""
        waiting: list[Heard] = []
        until_s = time.monotonic() + CLOCK_S
        while not self._clock.known and not stop.is_set():
            heard = self._link.next(LONGEST_WAIT_S)
            if heard is not None:
                waiting.append(heard)
                self._set(heard)
            elif time.monotonic() > until_s:
                self._warn(f"no heartbeat of the service within {CLOCK_S:.0f} s: going by this machine's clock")
                self._clock.hear(time.time_ns())
        return waiting

    def run(
        self,
        stop: Event,
        waiting: Sequence[Heard],
        end_ns: int | None,
        watch: Callable[[int, int], None],
        *,
        once: bool = False,
    ) -> None:
        """Until stopped, until the simulated time `end_ns`, or `once` all vehicles are home from a tour.

        `waiting` came before; `watch` is told the time and how many reports there were. Raises SimulatorError.
        """
        self.drive = drive = Drive(self._city, self._clock.now_ns(), self._habits)
        for heard in waiting:
            self._take(drive, heard)
        while not stop.is_set():
            now_ns = self._now_ns(end_ns)
            self._say(drive.due(now_ns))
            watch(now_ns, self._said)
            if now_ns == end_ns or (once and drive.counts["tours"] and not drive.under_way):
                return
            self._listen(drive, end_ns)

    def _now_ns(self, end_ns: int | None) -> int:
        now_ns = self._clock.now_ns()
        return now_ns if end_ns is None else min(now_ns, end_ns)

    def _listen(self, drive: Drive, end_ns: int | None) -> None:
        """Take what comes until something is due."""
        times = [time_ns for time_ns in (drive.next_ns, end_ns) if time_ns is not None]
        seconds = min((self._clock.left_s(time_ns) for time_ns in times), default=LONGEST_WAIT_S)
        heard = self._link.next(min(seconds, LONGEST_WAIT_S))
        while heard is not None:
            self._set(heard)
            self._say(drive.due(self._now_ns(end_ns)))
            self._take(drive, heard)
            heard = self._link.next(0)

    def _set(self, heard: Heard) -> None:
        """The clock, by what the service says now; a tour that comes late sets it back no more."""
        if heard.retained or not heard.payload:
            return
        try:
            said = Timed.model_validate_json(heard.payload).time
        except ValidationError:
            return
        said_ns = round((said - EPOCH).total_seconds() * 1000) * (NS_PER_S // 1000)
        if heard.topic != HEARTBEAT and self._clock.known and said_ns < self._clock.now_ns():
            return
        ahead_s = self._clock.hear(said_ns)
        if ahead_s > AHEAD_MS / 1000 + LATE_S * self._clock.speed and not self._warned:
            self._warned = True
            self._warn(f"our clock was {ahead_s:.0f} s ahead of the service's: --speed must be its simulation.speed")

    def _take(self, drive: Drive, heard: Heard) -> None:
        if heard.topic == HEARTBEAT:
            return
        if not heard.payload:
            level = heard.topic.split("/")[VEHICLE_LEVEL]
            drive.withdraw(ENCODED.sub(lambda match: chr(int(match[1], 16)), level))
            return
        try:
            drive.take(RoutePlanned.model_validate_json(heard.payload))
        except ValidationError as error:
            self._refuse(f"{heard.topic}: no tour: {error.errors(include_url=False)[0]['msg']}")
        except (SimulatorError, CityError, OverflowError, ValueError) as error:
            self._refuse(f"{heard.topic}: {error}")

    def _refuse(self, why: str) -> None:
        self.refused += 1
        self._warn(why)

    def _say(self, reports: list[Report]) -> None:
        self._said += len(reports)
        for report in reports:
            self._link.publish(message(report))
            self._tell(report)
