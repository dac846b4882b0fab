"""What people decide about plans of tours: propose, confirm, withdraw, ask for another; each in the audit table."""

import sqlite3
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from ingest.audit import Action
from ingest.routes import store
from ingest.routes.before import by_fraction, elsewhere, on_tour
from ingest.routes.board import Board
from rules.waste.route import life
from rules.waste.route.life import Change, LifeError
from rules.waste.route.record import PlanRecord
from rules.waste.words import NO_WORDS

PROPOSE, CONFIRM, WITHDRAW, REPLAN = "routes plan", "routes confirm", "routes withdraw", "routes replan"


class RoutesControl:
    """What was done comes back as JSON; `nudge` is called when there is something to plan."""

    def __init__(self, board: Board, nudge: Callable[[], None] = lambda: None) -> None:
        self._board = board
        self._nudge = nudge

    async def propose(self, plan: PlanRecord, actor: str, reason: str) -> dict[str, Any]:
        """Keep a plan that a person made, and say it; raises LifeError, JournalError."""

        def decide(connection: sqlite3.Connection, now_ms: int) -> Change:
            if store.find(connection, plan.id) is not None:
                raise LifeError(f"plan {plan.id} is known already")
            taken = elsewhere(connection, plan)
            if taken:
                raise LifeError(f"{', '.join(sorted(taken))}: on a tour of another fraction by now, plan again")
            return life.proposed(store.live(connection, plan.day, plan.fraction), _unsaid(plan), now_ms)

        made = await self._board.change(decide, Action(actor, PROPOSE, plan.id, reason))
        kept = next((one for one in made.plans if one.id == plan.id), None)
        return {"id": plan.id, "status": kept.status if kept is not None else "unchanged", "events": len(made.events)}

    async def confirm(self, name: str, vehicles: Sequence[str], actor: str, reason: str) -> dict[str, Any]:
        """Put the plan (or the tours of these vehicles of it) in force; raises LifeError, JournalError.

        Tours between which stops move are confirmed together or not at all.
        """
        detail = ", ".join(vehicles)
        work = partial(_confirmed, name=name, vehicles=frozenset(vehicles) or None)
        made = await self._board.change(work, Action(actor, CONFIRM, name, reason, detail))
        return {"id": name, "status": "confirmed", "vehicles": _told(made)}

    async def withdraw(self, name: str, actor: str, reason: str) -> dict[str, Any]:
        """Take a plan back; raises LifeError, JournalError."""
        work = partial(_withdrawn, name=name, reason=reason)
        made = await self._board.change(work, Action(actor, WITHDRAW, name, reason))
        return {"id": name, "status": "withdrawn", "vehicles": _told(made)}

    async def replan(
        self, day: date, fraction: str | None, without: Sequence[str], actor: str, reason: str
    ) -> dict[str, Any]:
        """Ask for a newer plan of the day, without vehicles that dropped out; raises LifeError, JournalError."""
        asked: list[str] = []

        def decide(connection: sqlite3.Connection, now_ms: int) -> Change:
            plans = store.live(connection, day, fraction)
            change, names = _asked(plans, frozenset(without), now_ms, day)
            asked[:] = names
            return change

        detail = ", ".join(without)
        await self._board.change(decide, Action(actor, REPLAN, day.isoformat(), reason, detail))
        self._nudge()
        return {"day": day.isoformat(), "fractions": asked, "without": list(without), "status": "asked"}


def _unsaid(plan: PlanRecord) -> PlanRecord:
    """The plan with nothing but what can be planned: nobody said anything to it."""
    tours = (
        replace(tour, status="proposed", reason=NO_WORDS, rejected="", confirmed_ms=None, accepted_ms=None, event_id="")
        for tour in plan.tours
    )
    return replace(plan, origin="asked", tours=tuple(tours), asked_ms=0, looked_ms=0, failure=NO_WORDS)


def _told(made: Change) -> list[str]:
    return [event.subject for event in made.events]


def _confirmed(connection: sqlite3.Connection, now_ms: int, name: str, vehicles: Collection[str] | None) -> Change:
    return life.confirmed(store.siblings(connection, name), name, now_ms, vehicles)


def _withdrawn(connection: sqlite3.Connection, now_ms: int, name: str, reason: str) -> Change:
    return life.withdrawn(store.siblings(connection, name), name, reason, now_ms)


def _asked(plans: Sequence[PlanRecord], without: frozenset[str], now_ms: int, day: date) -> tuple[Change, list[str]]:
    """A newer plan for each fraction, or where vehicles drop out for those that they have a tour for."""
    changed: list[PlanRecord] = []
    for group in by_fraction(plans).values():
        if life.newest(group) is not None and (not without or on_tour(group) & without):
            changed += life.asked(group, without, now_ms).plans
    if not changed:
        whom = f" with a tour of {', '.join(sorted(without))}" if without else ""
        raise LifeError(f"no plan{whom} for {day}")
    return Change(tuple(changed)), [plan.fraction for plan in changed]
