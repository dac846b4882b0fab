"""The service's task for tours: plans them when it is time, hears what the depot says, changes them during the day.

What was done stands in the journal alone: a service that starts anew goes on where the one before ended.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import structlog

from ingest.clock import Clock
from ingest.decisions.modes import Modes
from ingest.journal import Journal
from ingest.journal_schema import JournalError
from ingest.routes import store
from ingest.routes.before import Wanted, by_fraction, on_tour
from ingest.routes.board import Board
from ingest.routes.control import RoutesControl
from ingest.routes.day import plan_day
from ingest.routes.feedback import done
from ingest.routes.hearing import Hearing
from ingest.routes.making import Maker, Planner
from ingest.routes.matrix_cache import NAME
from ingest.routes.outlook import Outlook, outlook
from ingest.settings import Settings
from ingest.settings_routes import RoutesSettings
from ingest.telemetry import Telemetry
from rules.city import City, CityError
from rules.waste.collection_due import RULE
from rules.waste.route import agenda, life
from rules.waste.route.agenda import News, Step
from rules.waste.route.fleet import vehicles_in
from rules.waste.route.life import Change
from rules.waste.route.record import Origin, PlanRecord
from rules.waste.route.service_day import ServiceDay
from rules.waste.route.stops import DueList, due_on

log = structlog.get_logger(__name__)

LOOK_S: Final = 10.0
"""Seconds between looks at what is due."""
NEWS_MS: Final = 60_000
"""Between looks whether containers became mandatory."""
RETRY_S: Final = 5.0
Groups: TypeAlias = Mapping[str, Sequence[PlanRecord]]
"""The plans of a day by fraction."""
ORIGINS: Final[dict[Step, Origin]] = {"freeze": "frozen", "refresh": "refreshed", "replan": "replanned"}


class Tours:
    """Runs until cancelled; settings and city are asked for anew each time, for they can change."""

    def __init__(
        self,
        journal: Journal,
        modes: Modes,
        settings: Callable[[], Settings],
        city: Callable[[], City],
        clock: Clock,
        telemetry: Telemetry,
        planner: Planner = plan_day,
    ) -> None:
        self._journal = journal
        self._settings = settings
        self._city = city
        self._clock = clock
        self._board = board = Board(journal, modes, lambda: city().assets, clock)
        self._hearing = Hearing(journal, board, clock, telemetry)
        self._maker = Maker(journal, board, clock, telemetry, planner, journal.settings.path.with_name(NAME))
        self._nudged = asyncio.Event()
        self._looking = asyncio.Lock()
        self._news_ms = 0
        self._warnings: dict[str, str] = {}
        self.control = RoutesControl(board, self._nudged.set)

    async def run(self) -> None:
        """Hear answers and look after the day's tours, side by side: the depot is heard while a plan is made."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._always(self.hear, self._journal.new_route_answers))
            group.create_task(self._always(self.look, self._nudged))

    def today(self) -> date:
        """The day in the city."""
        zone = ZoneInfo(self._settings().city.timezone)
        return datetime.fromtimestamp(self._clock() / 1000, UTC).astimezone(zone).date()

    def warnings(self) -> dict[str, str]:
        """For which tours nothing could be planned, and why."""
        return dict(self._warnings)

    async def hear(self) -> None:
        """Do what the depot said; raises JournalError."""
        if await self._hearing.hear():
            self._nudged.set()

    async def heard(self) -> bool:
        """Whether nothing that the depot said waits; raises JournalError."""
        return not await self._journal.query(store.answers)

    async def look(self) -> None:
        """Do what is due by now, one at a time; raises JournalError."""
        if vehicles_in(self._city()):
            async with self._looking:
                await self._look()

    async def _look(self) -> None:
        settings, city = self._settings(), self._city()
        found: dict[str, str] = {}
        try:
            routes, timezone = _hurried(settings), settings.city.timezone
            days = agenda.days(city, self.today(), timezone, routes.freeze_min, self._clock())
            news = routes.automatic and self._news_due()
            for day in [*days, *await self._asked(days, timezone)]:
                found |= await self._look_at(day, routes, city, news=news)
        except CityError as error:
            found["routes"] = str(error)
            if found != self._warnings:
                log.exception("tours cannot be planned", error=str(error))
        self._warnings = found

    async def _asked(self, days: Collection[ServiceDay], timezone: str) -> list[ServiceDay]:
        """The other days for which a person wants a newer plan."""
        first = self.today() - timedelta(days=1)
        asked = await self._journal.query(lambda connection: store.asked_days(connection, first))
        return [day for one in asked if (day := ServiceDay(one, timezone)) not in days]

    async def _look_at(self, day: ServiceDay, routes: RoutesSettings, city: City, *, news: bool) -> dict[str, str]:
        """Do what is due for a day; why there are fractions without a plan."""
        plans = by_fraction(await self._plans(day))
        called = {name: on_tour(group) for name, group in plans.items()}
        seen = await asyncio.to_thread(outlook, city, day, routes, called)
        steps = await self._steps(seen, plans, routes)
        if news:
            steps |= await self._disturbed(seen, plans, city)
        if len(steps) > 1:
            urgent = (await self._due(seen, city)).fractions
            steps = dict(sorted(steps.items(), key=lambda item: (*urgent, item[0]).index(item[0])))
        for fraction, step in steps.items():
            wanted = Wanted(day, fraction, seen.vehicles[fraction], city, routes)
            if step == "late":
                await self._maker.miss(wanted)
            else:
                await self._maker.make(wanted, ORIGINS[step])
        for fraction, times in seen.times.items():
            if times.freeze_ms <= self._clock() < times.end_ms:
                await self._say_again(day, fraction)
        newest = map(life.newest, by_fraction(await self._plans(day)).values())
        failed = (one for one in newest if one is not None and one.failure.en)
        return {f"routes {one.day} {one.fraction}": one.failure.en for one in failed}

    async def _steps(self, seen: Outlook, plans: Groups, routes: RoutesSettings) -> dict[str, Step]:
        """What is due by the clock, or asked for."""
        made = await self._journal.query(lambda connection: store.made(connection, seen.day.date))
        found: dict[str, Step] = {}
        for fraction, times in seen.times.items():
            made_ms = made.get(fraction, 0)
            ever = made_ms > 0 or await self._had_plans(seen.day.date, fraction)
            step = agenda.step(plans.get(fraction, ()), times, self._clock(), made_ms, ever=ever)
            if step is not None and (routes.automatic or step == "replan"):
                found[fraction] = step
        return found

    async def _say_again(self, day: ServiceDay, fraction: str) -> None:
        """A vehicle has one topic: what was said of a later day must not stand there in the place of this one's."""

        def decide(connection: sqlite3.Connection, now_ms: int) -> Change:
            plans = store.live(connection, day.date, fraction)
            return life.again(plans, store.overtaken(connection, plans, now_ms), now_ms)

        now_ms = self._clock()
        plans = await self._journal.query(lambda connection: store.live(connection, day.date, fraction))
        if await self._journal.query(lambda connection: store.overtaken(connection, plans, now_ms)):
            await self._board.change(decide)

    def _news_due(self) -> bool:
        now_ms = self._clock()
        if abs(now_ms - self._news_ms) < NEWS_MS:
            return False
        self._news_ms = now_ms
        return True

    async def _disturbed(self, seen: Outlook, plans: Groups, city: City) -> dict[str, Step]:
        """The fractions whose tours have to change during the day."""
        now_ms, midnight_ms = self._clock(), seen.day.midnight_ms
        under_way = [name for name, times in seen.times.items() if times.begin_ms <= now_ms < times.end_ms]
        if not plans or not under_way:
            return {}
        due = await self._due(seen, city)
        vehicles = [asset.id for asset in vehicles_in(city)]
        emptied = await self._journal.query(lambda connection: done(connection, midnight_ms, now_ms + 1))
        found: dict[str, Step] = {}
        for fraction in under_way:
            must = [stop.id for stop in due.stops if stop.fraction == fraction and stop.prize is None]
            news = News(must, emptied, vehicles)
            if agenda.disturbed(plans.get(fraction, ()), seen.times[fraction], news, now_ms):
                found[fraction] = "replan"
        return found

    async def _plans(self, day: ServiceDay) -> list[PlanRecord]:
        return await self._journal.query(lambda connection: store.live(connection, day.date))

    async def _due(self, seen: Outlook, city: City) -> DueList:
        rows = await self._journal.query(lambda connection: store.states(connection, RULE.id))
        return await asyncio.to_thread(due_on, city, rows, seen.day, self._clock())

    async def _had_plans(self, day: date, fraction: str) -> bool:
        return await self._journal.query(lambda connection: store.had_plans(connection, day, fraction))

    async def _always(self, work: Callable[[], Awaitable[None]], nudged: asyncio.Event) -> None:
        """Again and again, at once when nudged; what goes wrong is told and tried again."""
        while True:
            nudged.clear()
            try:
                await work()
            except JournalError as error:
                log.warning("tours wait for the journal", error=str(error))
                await asyncio.sleep(RETRY_S)
            except Exception:  # the outermost boundary of the task: tours must not end the service
                log.exception("tours: not done, tried again")
                await asyncio.sleep(RETRY_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S / self._settings().simulation.speed):
                    await nudged.wait()


def _hurried(settings: Settings) -> RoutesSettings:
    """The settings of tours; where time runs faster the search is as much shorter, down to a second."""
    routes, speed = settings.routes, settings.simulation.speed
    return routes if speed == 1 else routes.model_copy(update={"seconds": max(1.0, routes.seconds / speed)})
