"""Tours of a plan that the depot agreed to come into force, together with those that they share moved stops with."""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from rules.waste.route.book import Book, LifeError
from rules.waste.route.ties import ties, together
from rules.waste.words import Words

REPLACED: Final = Words("durch einen neueren Plan ersetzt", "replaced by a newer plan")
NO_TOUR: Final = Words("im neueren Plan ohne Tour", "without a tour in the newer plan")
MOVES: Final = 3
"""Stops that a refusal names."""


def confirm(book: Book, name: str, vehicles: Collection[str], now_ms: int) -> None:
    """Put the tours of these vehicles in force, with all that belong to them; older ones of theirs end.

    A second word on a tour in force says nothing of a newer proposal.
    """
    driving = {held.tour.vehicle for held in book.others(name) if held.tour.visits}
    group = together(book.plans, book.plan(name), vehicles)
    waiting = [tour for tour in book.plan(name).tours if tour.open and tour.vehicle in group]
    mine = {tour.vehicle for tour in waiting}
    for tour in waiting:
        done = replace(tour, status="confirmed", confirmed_ms=now_ms, accepted_ms=None, rejected="")
        (book.say if tour.visits or tour.vehicle in driving else book.turn)(name, done)
    whole = book.plan(name).status == "confirmed"
    ids = [plan.id for plan in book.plans]
    older = ids[: ids.index(name)]
    for held in book.others(name):
        if held.tour.vehicle in mine:
            book.withdraw(held, REPLACED, aloud=False)
        elif whole and held.plan.id in older and book.plan(name).tour(held.tour.vehicle) is None:
            book.withdraw(held, NO_TOUR, aloud=True)


def missing(book: Book, name: str, vehicles: Collection[str]) -> frozenset[str]:
    """The vehicles to whose tours the depot has still to agree before those of these vehicles can hold."""
    plan = book.plan(name)
    agreed = {tour.vehicle for tour in plan.tours if tour.accepted_ms is not None}
    return together(book.plans, plan, vehicles) - agreed.union(vehicles)


def refuse_apart(book: Book, name: str, vehicles: Collection[str]) -> None:
    """Raise LifeError where stops would be on two tours, or on none, with the first few of them."""
    plan = book.plan(name)
    if missing(book, name, vehicles):
        group = together(book.plans, plan, vehicles)
        moves = [tie for tie in ties(book.plans, plan) if tie.taker in group or tie.giver in group]
        told = [f"{tie.place} from {tie.giver} to {tie.taker}" for tie in moves[:MOVES]]
        told += [f"{len(moves) - MOVES} more"] if len(moves) > MOVES else []
        raise LifeError(
            f"plan {name}: stops move between vehicles ({', '.join(told)}): confirm the tours of "
            f"{', '.join(sorted(group))} together, or the whole plan"
        )
