"""One plan for a day and a fraction: planned from what is in force, and where that fails the last confirmed tours."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

import structlog

from ingest.clock import Clock
from ingest.journal import Journal
from ingest.journal_schema import JournalError
from ingest.routes import store
from ingest.routes.before import Before, Wanted, elsewhere, look_before, request_of
from ingest.routes.board import Board
from ingest.routes.day import Request
from ingest.settings_routes import RoutesSettings
from ingest.telemetry import Telemetry
from rules.city import City, CityError
from rules.rule import StateRow
from rules.waste.collection_due import RULE
from rules.waste.route import life
from rules.waste.route.day_plan import DayPlan, Why
from rules.waste.route.fallback import Gap, fallback, last_confirmed
from rules.waste.route.life import Change
from rules.waste.route.model import RouteError
from rules.waste.route.record import Origin, PlanRecord, record_of
from rules.waste.route.stops import due_on
from rules.waste.words import NO_WORDS, Words

log = structlog.get_logger(__name__)

PATIENCE_S: Final = 120
"""Seconds for whatever is neither asking for ways nor searching."""
LONGEST: Final = 300
"""Characters of a reason."""
NOBODY: Final = Words("alle Fahrzeuge haben andere Touren oder fallen aus", "all vehicles have other tours or are out")
LATE: Final = Words("die Planung lief nicht, als sie fällig war", "planning did not run when it was due")
EXPECTED: Final = (RouteError, CityError, OSError, TimeoutError)


class Planner(Protocol):
    """Plans a day, as `ingest.routes.day.plan_day`."""

    def __call__(
        self,
        city: City,
        rows: Sequence[StateRow],
        settings: RoutesSettings,
        request: Request,
        now_ms: int,
        ways: Path | None,
    ) -> Awaitable[DayPlan]:
        """The plan; raises RouteError, CityError."""
        ...


class Maker:
    """Makes plans with this planner; `ways` is the file of known ways."""

    def __init__(
        self, journal: Journal, board: Board, clock: Clock, telemetry: Telemetry, planner: Planner, ways: Path | None
    ) -> None:
        self._journal = journal
        self._board = board
        self._clock = clock
        self._telemetry = telemetry
        self._planner = planner
        self._ways = ways

    async def make(self, wanted: Wanted, origin: Origin) -> None:
        """A newer plan, or what holds in its place; raises JournalError."""
        began_s, now_ms = time.monotonic(), self._clock()
        before = await look_before(self._journal, wanted, now_ms)
        if not before.there(wanted):
            await self._without(wanted, before, NOBODY)
            return
        request = request_of(wanted, before, now_ms, await self._newcomers(wanted, before))
        try:
            async with asyncio.timeout(wanted.settings.total_s + 3 * wanted.settings.seconds + PATIENCE_S):
                plan = await self._plan(wanted, request, now_ms)
        except EXPECTED as error:
            await self._failed(wanted, before, str(error) or "it took too long")
            return
        except JournalError:
            raise
        except Exception as error:  # the outermost boundary of planning: tours come out whatever happens
            log.exception("planning failed", day=str(wanted.day.date), fraction=wanted.fraction)
            await self._failed(wanted, before, f"{type(error).__name__}: {error}")
            return
        record = record_of(plan, origin, before.gone, request.under_way)
        drivable = plan.solution.previous_cost is not None
        said = await self._take(record, before, now_ms, still_drivable=drivable)
        self._telemetry.planned(origin if said else "unchanged", time.monotonic() - began_s)

    async def miss(self, wanted: Wanted) -> None:
        """Nobody planned this day, and its shifts have begun; raises JournalError."""
        await self._fall_back(wanted, await look_before(self._journal, wanted, self._clock()), LATE)

    async def _plan(self, wanted: Wanted, request: Request, now_ms: int) -> DayPlan:
        rows = await self._journal.query(lambda connection: store.states(connection, RULE.id))
        return await self._planner(wanted.city, rows, wanted.settings, request, now_ms, self._ways)

    async def _take(self, record: PlanRecord, before: Before, began_ms: int, *, still_drivable: bool) -> bool:
        """Propose it, unless another one is needed by now; whether there was anything new in it.

        That is where somebody asked for one meanwhile, or a vehicle got a tour of another fraction.
        """

        def decide(connection: sqlite3.Connection, now_ms: int) -> Change:
            plans = store.live(connection, record.day, record.fraction)
            last = life.newest(plans)
            if (last is not None and last.asked_ms > began_ms) or elsewhere(connection, record):
                return life.NOTHING
            fresh = replace(record, created_ms=now_ms)
            change = life.proposed(plans, fresh, now_ms, before.served, before.taken, still_drivable=still_drivable)
            return change if change.plans else life.settled(plans, now_ms)

        made = await self._board.change(decide)
        log.info("tours planned", plan=record.id, origin=record.origin, events=len(made.events))
        return bool(made.events)

    async def _failed(self, wanted: Wanted, before: Before, why: str) -> None:
        line = "; ".join(why.splitlines())
        short = line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
        log.error("no plan", day=str(wanted.day.date), fraction=wanted.fraction, error=line)
        self._telemetry.planned("failed")
        await self._without(wanted, before, Words(f"Planung fehlgeschlagen: {short}", f"planning failed: {short}"))

    async def _without(self, wanted: Wanted, before: Before, why: Words) -> None:
        """There is no new plan: the tours in force stay, without any the last confirmed ones come out."""
        if not before.held:
            await self._fall_back(wanted, before, why)
            return
        await self._board.change(lambda connection, now_ms: _stayed(connection, wanted, before, why, now_ms))

    async def _fall_back(self, wanted: Wanted, before: Before, why: Words) -> None:
        """The last confirmed tours come out; without any, an event for each vehicle says so."""
        day, fraction = wanted.day, wanted.fraction
        history = await self._journal.query(lambda connection: store.before(connection, day.date, fraction))
        due = await self._due(wanted)
        there = before.there(wanted)
        gap = Gap(
            day=day.date,
            fraction=fraction,
            timezone=day.timezone,
            midnight_ms=day.midnight_ms,
            shifts={vehicle.id: vehicle.shift_until_s for vehicle in there},
            known=wanted.city.assets.keys(),
            why=why if there or due else NO_WORDS,
            due=due,
        )
        last = {one.id: held for one in there if (held := last_confirmed(history, one.id, day.date)) is not None}
        record = fallback(gap, last, self._clock())
        await self._board.change(lambda connection, now_ms: _instead(connection, record, now_ms))
        if record.failure.en:
            log.error("the last confirmed tours come out", plan=record.id, vehicles=sorted(last), error=why.en)
            self._telemetry.planned("fallback")

    async def _newcomers(self, wanted: Wanted, before: Before) -> frozenset[str]:
        """Containers that may be emptied and are on no tour in force: they are no reason to change one."""
        planned = [held.tour for held in before.held.values() if held.tour.status in {"proposed", "confirmed"}]
        if not planned:
            return frozenset()
        known = {place for tour in planned for place in tour.stops}
        due = await self._due(wanted)
        return frozenset(place for place, why in due.items() if why.obligation == "optional" and place not in known)

    async def _due(self, wanted: Wanted) -> Mapping[str, Why]:
        """What is on the day's list, as far as that is known."""
        rows = await self._journal.query(lambda connection: store.states(connection, RULE.id))
        try:
            due = await asyncio.to_thread(due_on, wanted.city, rows, wanted.day, self._clock())
        except (CityError, RouteError):
            return {}
        return {stop.id: due.why[stop.id] for stop in due.stops if stop.fraction == wanted.fraction}


def _instead(connection: sqlite3.Connection, record: PlanRecord, now_ms: int) -> Change:
    """In the place of a plan, if there is none by now; it is kept also where there is nobody to be told."""
    plans = store.live(connection, record.day, record.fraction)
    if life.standing(plans):
        return life.settled(plans, now_ms, record.failure)
    change = life.proposed(plans, record, now_ms)
    return change if change.plans else Change((record,))


def _stayed(connection: sqlite3.Connection, wanted: Wanted, before: Before, words: Words, now_ms: int) -> Change:
    """The tours in force go on; those of vehicles that are gone are withdrawn."""
    plans = store.live(connection, wanted.day.date, wanted.fraction)
    change = life.dropped(plans, before.gone, now_ms, words, before.served)
    changed = {plan.id: plan for plan in change.plans}
    settled = life.settled([changed.get(plan.id, plan) for plan in plans], now_ms, words)
    changed |= {plan.id: plan for plan in settled.plans}
    return Change(tuple(changed.values()), change.events)
