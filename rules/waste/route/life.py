"""From proposal to tour: what becomes of the plans of a day and a fraction; plans come in the order of their making.

A vehicle's tour in force is the newest one that was confirmed, before there is one the newest that was proposed or
stands in for a plan. A newer proposal takes the place of older ones at once, that of a confirmed tour when it is
confirmed itself. That a vehicle stays is said once: it may have a tour for another fraction, on the same topic.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from rules.event_route import RouteStatus
from rules.waste.route.book import NOTHING, Book, Change, Held, LifeError
from rules.waste.route.progress import same
from rules.waste.route.record import NO_WORDS, PlanRecord, TourRecord, Words
from rules.waste.route.solution import Unserved

__all__ = [
    "NOTHING",
    "Change",
    "Held",
    "LifeError",
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

REPLACED = Words("durch einen neueren Plan ersetzt", "replaced by a newer plan")
NO_TOUR = Words("im neueren Plan ohne Tour", "without a tour in the newer plan")
DROPPED = Words("Fahrzeug fällt aus", "the vehicle dropped out")


def standing(plans: Iterable[PlanRecord]) -> dict[str, Held]:
    """The tours in force, by vehicle."""
    found: dict[str, Held] = {}
    for plan in plans:
        for tour in plan.tours:
            before = found.get(tour.vehicle)
            if tour.status == "confirmed" or (tour.open and (before is None or before.tour.open)):
                found[tour.vehicle] = Held(plan, tour)
    return found


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
    `still_drivable`, another order of the same stops is no change. Nothing changes where all of it is as before.
    """
    base, book = standing(plans), Book(plans, now_ms)
    kept = {
        tour.vehicle: held
        for tour in fresh.tours
        if (held := base.get(tour.vehicle)) is not None
        and held.tour.status in {"proposed", "confirmed"}
        and held.plan.drivable == fresh.drivable  # else the times of one are worth less than those of the other
        and same(held.tour, tour, served, in_any_order=still_drivable)
    }
    news = left_out(fresh, served) - {one for plan in _plans_of(base) for one in left_out(plan, served)}
    dropped = [held for vehicle, held in base.items() if vehicle in fresh.unavailable]
    gone = [one for name, one in base.items() if fresh.tour(name) is None and one.tour.open and one.tour.visits]
    if len(kept) == len(fresh.tours) and not (news or dropped or gone):
        return NOTHING
    book.add(_with_kept(fresh, kept))
    for held in book.others(fresh.id):
        vehicle, out = held.tour.vehicle, held.tour.vehicle in fresh.unavailable
        if out or held.tour.open or vehicle in kept:
            alone = fresh.tour(vehicle) is None and _in_force(base, held)
            why = DROPPED if out else NO_TOUR if alone else REPLACED
            book.withdraw(held, why, aloud=alone and vehicle not in elsewhere)
    for tour in book.plan(fresh.id).tours:
        if tour.vehicle not in kept or news:
            before = base.get(tour.vehicle)
            confirmed = before is not None and before.tour.status == "confirmed" and tour.vehicle not in kept
            book.say(fresh.id, tour, before.tour.event_id if before is not None and confirmed else None)
    return book.change()


def confirmed(plans: Sequence[PlanRecord], name: str, now_ms: int, vehicles: Collection[str] | None = None) -> Change:
    """The depot confirms the plan, or the tours of these vehicles of it; raises LifeError."""
    book = Book(plans, now_ms)
    tours = _tours(book.plan(name), vehicles, now_ms)
    _refuse_replaced(book.plan(name))
    driving = {held.tour.vehicle for held in book.others(name) if held.tour.visits}
    for tour in tours:
        if tour.open:
            done = replace(tour, status="confirmed", confirmed_ms=now_ms, rejected="")
            (book.say if tour.visits or tour.vehicle in driving else book.turn)(name, done)
    whole = book.plan(name).status == "confirmed"
    mine = {tour.vehicle for tour in tours}
    for held in book.others(name):
        if held.tour.vehicle in mine:
            book.withdraw(held, REPLACED, aloud=False)
        elif whole and book.plan(name).tour(held.tour.vehicle) is None:
            book.withdraw(held, NO_TOUR, aloud=True)
    return book.change()


def rejected(plans: Sequence[PlanRecord], name: str, vehicle: str, reason: str, now_ms: int) -> Change:
    """The depot does not want this tour: it stays a proposal, and who looks for it is told; raises LifeError.

    Where an older tour of the vehicle is confirmed, that one is said again: it holds.
    """
    book = Book(plans, now_ms)
    (tour,) = _tours(book.plan(name), {vehicle}, now_ms)
    status: RouteStatus = "fallback" if tour.status == "fallback" else "proposed"
    refused = replace(tour, status=status, confirmed_ms=None, rejected=reason or "?")
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
    """These vehicles drop out and nobody takes over: withdrawn aloud, with the reason and what they leave behind."""
    book = Book(plans, now_ms)
    base = standing(plans)
    for plan in book.plans:
        for tour in plan.tours:
            if tour.vehicle in vehicles and tour.status != "withdrawn":
                held = Held(plan, tour)
                words = Words(_both(DROPPED.de, why.de), _both(DROPPED.en, why.en))
                behind = [place for place in tour.stops if place in plan.mandatory and place not in served]
                left = tuple(Unserved(place, "no_vehicle", words.en) for place in behind)
                book.add(replace(book.plan(plan.id), unserved=(*book.plan(plan.id).unserved, *left)))
                book.withdraw(held, words, aloud=_in_force(base, held))
    return book.change()


def settled(plans: Sequence[PlanRecord], now_ms: int, failure: str = "") -> Change:
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
