"""From proposal to tour: what becomes of the plans of a day and a fraction; plans come in the order of their making.

A vehicle's tour in force is the newest one that was confirmed, before there is one the newest that was proposed or
stands in for a plan. A newer proposal takes the place of older ones at once, that of a confirmed tour when it is
confirmed itself; tours between which it moves stops are confirmed together. That a vehicle stays is said once: it may
have a tour for another fraction, on the same topic.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from rules.event_route import RouteStatus
from rules.waste.route.agreed import NO_TOUR, REPLACED, confirm, missing, refuse_apart
from rules.waste.route.book import NOTHING, Book, Change, LifeError
from rules.waste.route.in_force import Held, standing
from rules.waste.route.progress import same
from rules.waste.route.record import PlanRecord, TourRecord
from rules.waste.route.solution import Unserved
from rules.waste.words import NO_WORDS, Words

__all__ = [
    "NOTHING",
    "Change",
    "Held",
    "LifeError",
    "accepted",
    "again",
    "asked",
    "confirmed",
    "dropped",
    "left_out",
    "newest",
    "proposed",
    "rejected",
    "settled",
    "standing",
    "withdrawn",
]

DROPPED = Words("Fahrzeug fällt aus", "the vehicle dropped out")


def newest(plans: Sequence[PlanRecord]) -> PlanRecord | None:
    """The newest plan that is not withdrawn."""
    return next((plan for plan in reversed(plans) if plan.status != "withdrawn"), None)


def proposed(
    plans: Sequence[PlanRecord],
    fresh: PlanRecord,
    now_ms: int,
    served: Collection[str] = frozenset(),
    elsewhere: Collection[str] = frozenset(),
    *,
    still_drivable: bool = False,
) -> Change:
    """A newer plan comes in; containers in `served` are emptied already, vehicles `elsewhere` have another tour.

    Tours that it leaves as they are stay what they were and are not said again. Where those in force are
    `still_drivable`, another order of the same stops is no change. Nothing changes where all of it is as before. What
    must be emptied and is on no tour is said by one vehicle, anew when it is no longer the same.
    """
    base, book, last = standing(plans), Book(plans, now_ms), newest(plans)
    fresh = replace(fresh, told_by=last.speaker if last is not None else "")
    kept = {
        tour.vehicle: held
        for tour in fresh.tours
        if (held := base.get(tour.vehicle)) is not None
        and held.tour.status in {"proposed", "confirmed"}
        and held.plan.drivable == fresh.drivable  # else the times of one are worth less than those of the other
        and same(held.tour, tour, served, in_any_order=still_drivable)
    }
    left, known = left_out(fresh, served), {one for plan in _plans_of(base) for one in left_out(plan, served)}
    dropped = [held for vehicle, held in base.items() if vehicle in fresh.unavailable]
    gone = [one for name, one in base.items() if fresh.tour(name) is None and one.tour.open and one.tour.visits]
    if len(kept) == len(fresh.tours) and not (left - known or dropped or gone):
        return NOTHING
    book.add(_with_kept(fresh, kept))
    for held in book.others(fresh.id):
        vehicle, out = held.tour.vehicle, held.tour.vehicle in fresh.unavailable
        if out or held.tour.open or vehicle in kept:
            alone = fresh.tour(vehicle) is None and _in_force(base, held)
            why = DROPPED if out else NO_TOUR if alone else REPLACED
            book.withdraw(held, why, aloud=alone and vehicle not in elsewhere)
    speaker = book.plan(fresh.id).speaker
    for tour in book.plan(fresh.id).tours:
        if tour.vehicle not in kept or (tour.vehicle == speaker and left != known):
            before = base.get(tour.vehicle)
            confirmed = before is not None and before.tour.status == "confirmed" and tour.vehicle not in kept
            book.say(fresh.id, tour, before.tour.event_id if before is not None and confirmed else None)
    return book.change()


def confirmed(plans: Sequence[PlanRecord], name: str, now_ms: int, vehicles: Collection[str] | None = None) -> Change:
    """The depot confirms the plan, or the tours of these vehicles of it, and with them those that it accepted before.

    Raises LifeError, also for tours that hold only together with others.
    """
    book = Book(plans, now_ms)
    mine = {tour.vehicle for tour in _tours(book.plan(name), vehicles, now_ms)}
    _refuse_replaced(book.plan(name))
    refuse_apart(book, name, mine)
    confirm(book, name, mine, now_ms)
    return book.change()


def accepted(plans: Sequence[PlanRecord], name: str, vehicle: str, now_ms: int) -> Change:
    """The depot agrees to a vehicle's tour, as it does to one after the other; raises LifeError.

    One that holds only together with others waits, without a word, until it agreed to all of them.
    """
    book = Book(plans, now_ms)
    (tour,) = _tours(book.plan(name), {vehicle}, now_ms)
    if not missing(book, name, {vehicle}):
        return confirmed(plans, name, now_ms, {vehicle})
    waits = replace(tour, accepted_ms=tour.accepted_ms or now_ms, rejected="")
    held = standing(book.plans).get(vehicle)
    if tour.rejected:
        book.say(name, waits, held.tour.event_id if held is not None and held.tour.status == "confirmed" else None)
    else:
        book.turn(name, waits)
    return book.change()


def rejected(plans: Sequence[PlanRecord], name: str, vehicle: str, reason: str, now_ms: int) -> Change:
    """The depot does not want this tour: it stays a proposal, and who looks for it is told; raises LifeError.

    Where an older tour of the vehicle is confirmed, that one is said again: it holds.
    """
    book = Book(plans, now_ms)
    (tour,) = _tours(book.plan(name), {vehicle}, now_ms)
    status: RouteStatus = "fallback" if tour.status == "fallback" else "proposed"
    refused = replace(tour, status=status, confirmed_ms=None, accepted_ms=None, rejected=reason or "?")
    book.turn(name, refused)
    held = standing(book.plans).get(vehicle)
    if held is not None and held.tour.status == "confirmed":
        why = Words(f"neuerer Vorschlag abgelehnt: {reason or '?'}", f"newer proposal rejected: {reason or '?'}")
        book.say(held.plan.id, replace(held.tour, reason=why))
    else:
        book.say(name, refused)
    return book.change()


def withdrawn(plans: Sequence[PlanRecord], name: str, reason: str, now_ms: int) -> Change:
    """A person takes a plan back; confirmed tours of before hold again and are said again. Raises LifeError."""
    book = Book(plans, now_ms)
    tours = _tours(book.plan(name), None, now_ms)
    for tour in tours:
        if tour.status == "withdrawn":
            continue
        held = standing(plan for plan in book.plans if plan.id != name).get(tour.vehicle)
        book.withdraw(Held(book.plan(name), tour), Words(reason, reason), aloud=held is None)
        if held is not None and (held.tour.visits or tour.visits):
            book.say(held.plan.id, held.tour)
    return book.change()


def dropped(
    plans: Sequence[PlanRecord],
    vehicles: Collection[str],
    now_ms: int,
    why: Words = NO_WORDS,
    served: Collection[str] = frozenset(),
) -> Change:
    """These vehicles drop out and nobody takes over: withdrawn aloud, with the reason and what they leave behind.

    Tours that only waited for theirs are confirmed.
    """
    book = Book(plans, now_ms)
    base = standing(plans)
    for plan in book.plans:
        for tour in plan.tours:
            if tour.vehicle in vehicles and tour.status != "withdrawn":
                held = Held(plan, tour)
                words = Words(_both(DROPPED.de, why.de), _both(DROPPED.en, why.en))
                behind = [place for place in tour.stops if place in plan.mandatory and place not in served]
                left = tuple(Unserved(place, "no_vehicle", words) for place in behind)
                book.add(replace(book.plan(plan.id), unserved=(*book.plan(plan.id).unserved, *left)))
                book.withdraw(held, words, aloud=_in_force(base, held))
    for plan in book.plans:
        for tour in plan.tours:
            if tour.accepted_ms is not None and tour.open and not missing(book, plan.id, {tour.vehicle}):
                confirm(book, plan.id, {tour.vehicle}, now_ms)
    return book.change()


def settled(plans: Sequence[PlanRecord], now_ms: int, failure: Words = NO_WORDS) -> Change:
    """The newest plan was looked at: there is no better one, or (`failure`) none could be made."""
    last = newest(plans)
    if last is None:
        return NOTHING
    return Change((replace(last, looked_ms=now_ms, asked_ms=0, failure=failure),))


def again(plans: Sequence[PlanRecord], vehicles: Collection[str], now_ms: int) -> Change:
    """The tours in force of these vehicles are said once more."""
    book = Book(plans, now_ms)
    for vehicle, held in standing(plans).items():
        if vehicle in vehicles and held.tour.visits:
            book.say(held.plan.id, held.tour)
    return book.change()


def asked(plans: Sequence[PlanRecord], without: Collection[str], now_ms: int) -> Change:
    """A person wants a newer plan, without these vehicles; raises LifeError where there is none to begin with."""
    last = newest(plans)
    if last is None:
        raise LifeError("no plan to change")
    if last.ends_ms <= now_ms:
        raise LifeError(f"plan {last.id}: the day is over")
    unavailable = tuple(sorted({*last.unavailable, *without}))
    return Change((replace(last, asked_ms=now_ms, unavailable=unavailable),))


def _both(first: str, second: str) -> str:
    return f"{first}; {second}" if second else first


def _in_force(base: Mapping[str, Held], held: Held) -> bool:
    found = base.get(held.tour.vehicle)
    return found is not None and found.plan.id == held.plan.id


def _plans_of(base: Mapping[str, Held]) -> list[PlanRecord]:
    return list({held.plan.id: held.plan for held in base.values()}.values())


def _with_kept(fresh: PlanRecord, kept: Mapping[str, Held]) -> PlanRecord:
    """The newer plan with tours that go on as they were, and what was known of their containers."""
    why, names, mandatory = dict(fresh.why), dict(fresh.names), dict.fromkeys(fresh.mandatory)
    for held in kept.values():
        for place in held.tour.stops:
            if place not in why and place in held.plan.why:
                why[place] = held.plan.why[place]
                mandatory |= dict.fromkeys({place}.intersection(held.plan.mandatory))
        names = dict(held.plan.names) | names
    known = replace(fresh, why=why, names=names, mandatory=tuple(mandatory))
    return known.with_tours({vehicle: held.tour for vehicle, held in kept.items()})


def left_out(plan: PlanRecord, served: Collection[str] = frozenset()) -> set[str]:
    """The containers that must be emptied, and are on no tour of the plan."""
    return {one.stop for one in plan.unserved if one.reason != "not_worth_it" and one.stop not in served}


def _refuse_replaced(plan: PlanRecord) -> None:
    """Raise LifeError for a plan of which nothing waits any more and a part is withdrawn."""
    gone = next((tour for tour in plan.tours if tour.status == "withdrawn"), None)
    if gone is not None and not any(tour.open for tour in plan.tours):
        raise LifeError(f"plan {plan.id}: the tour of {gone.vehicle} is withdrawn: {gone.reason.en}")


def _tours(plan: PlanRecord, vehicles: Collection[str] | None, now_ms: int) -> list[TourRecord]:
    """The tours that are meant; raises LifeError for one that nobody can say anything to any more."""
    if plan.ends_ms <= now_ms:
        raise LifeError(f"plan {plan.id}: the day is over")
    if plan.status == "withdrawn":
        why = next((tour.reason.en for tour in plan.tours if tour.reason.en), "withdrawn")
        raise LifeError(f"plan {plan.id} is withdrawn: {why}")
    tours = [tour for tour in plan.tours if vehicles is None or tour.vehicle in vehicles]
    missing = set(vehicles or ()) - {tour.vehicle for tour in tours}
    if missing:
        raise LifeError(f"plan {plan.id} has no vehicle {', '.join(sorted(missing))}")
    over = [tour for tour in tours if vehicles is not None and tour.status == "withdrawn"]
    if over:
        raise LifeError(f"plan {plan.id}: the tour of {over[0].vehicle} is withdrawn: {over[0].reason.en}")
    return [tour for tour in tours if tour.status != "withdrawn"]
