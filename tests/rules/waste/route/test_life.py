"""From proposal to tour."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import pytest

from rules.event_route import RoutePlanned
from rules.waste.route import life
from rules.waste.route.life import Change, LifeError
from rules.waste.route.record import PlanRecord
from rules.waste.route.solution import Unserved
from rules.waste.words import Words
from tests.rules.waste.route.plans import evening_ms, plan

NOW = evening_ms()
LATER = NOW + 11 * 3_600_000
OVER = NOW + 24 * 3_600_000
BOTH = {"truck-1": ("bin-0", "bin-1", "bin-2"), "truck-2": ("bin-3", "bin-4")}
SWAPPED = {"truck-1": ("bin-0", "bin-1"), "truck-2": ("bin-3", "bin-2", "bin-4")}
SECOND_CHANGED = {**BOTH, "truck-2": ("bin-3", "bin-4", "bin-5")}


def after(plans: Sequence[PlanRecord], change: Change) -> list[PlanRecord]:
    """The plans as they are after a change."""
    found = {one.id: one for one in plans} | {one.id: one for one in change.plans}
    return list(found.values())


def started(tours: dict[str, tuple[str, ...]] = BOTH) -> list[PlanRecord]:
    """A day with its first plan."""
    return after([], life.proposed([], plan(tours), NOW))


def confirmed() -> list[PlanRecord]:
    """The same, confirmed."""
    plans = started()
    return after(plans, life.confirmed(plans, "p1", NOW + 1))


def words(change: Change) -> dict[str, tuple[str, str]]:
    """Status and plan by vehicle of what is said; each vehicle once."""
    assert len({event.subject for event in change.events}) == len(change.events)
    return {event.subject: (event.data.status, event.data.plan) for event in change.events}


def of(change: Change, vehicle: str) -> RoutePlanned:
    """What is said to a vehicle."""
    return next(event for event in change.events if event.subject == vehicle)


def in_force(plans: Sequence[PlanRecord]) -> dict[str, tuple[str, str]]:
    """Plan and status of the tours in force."""
    return {vehicle: (held.plan.id, held.tour.status) for vehicle, held in life.standing(plans).items()}


def test_the_first_plan_is_proposed_to_every_vehicle() -> None:
    """All are told, and the plan waits for the depot."""
    change = life.proposed([], plan({"truck-1": ("bin-0",)}), NOW)
    assert words(change) == {"truck-1": ("proposed", "p1"), "truck-2": ("proposed", "p1")}
    assert change.plans[0].status == "proposed"
    assert [tour.event_id for tour in change.plans[0].tours] == [event.id for event in change.events]


def test_an_identical_plan_says_nothing() -> None:
    """Proposed or confirmed: nothing is written, nothing is said."""
    for plans in (started(), confirmed()):
        assert life.proposed(plans, plan(BOTH, "p2"), LATER) == life.NOTHING


def test_only_changed_tours_are_said_again() -> None:
    """The other one is the new plan's with the word it had; the older plan is gone."""
    plans = started()
    change = life.proposed(plans, plan(SECOND_CHANGED, "p2"), LATER)
    assert words(change) == {"truck-2": ("proposed", "p2")}
    plans = after(plans, change)
    assert [one.status for one in plans] == ["withdrawn", "proposed"]
    assert in_force(plans) == {"truck-1": ("p2", "proposed"), "truck-2": ("p2", "proposed")}


def test_a_confirmed_tour_holds_until_the_newer_one_is_confirmed() -> None:
    """The proposal names the event in force and says so; what did not change stays confirmed without a word."""
    plans = confirmed()
    before = life.standing(plans)["truck-2"].tour.event_id
    change = life.proposed(plans, plan(SECOND_CHANGED, "p2"), LATER)
    assert words(change) == {"truck-2": ("proposed", "p2")}
    assert of(change, "truck-2").data.in_force == before
    assert "gilt die bestätigte Tour weiter" in of(change, "truck-2").data.text_de
    plans = after(plans, change)
    assert in_force(plans) == {"truck-1": ("p2", "confirmed"), "truck-2": ("p1", "confirmed")}
    change = life.confirmed(plans, "p2", LATER + 1)
    assert words(change) == {"truck-2": ("confirmed", "p2")}
    plans = after(plans, change)
    assert in_force(plans) == {"truck-1": ("p2", "confirmed"), "truck-2": ("p2", "confirmed")}
    assert [one.status for one in plans] == ["withdrawn", "confirmed"]


def test_a_proposal_is_replaced_by_the_next_one() -> None:
    """Two proposals beside a confirmed tour: the older of them is gone, the confirmed one still holds."""
    plans = confirmed()
    plans = after(plans, life.proposed(plans, plan(SECOND_CHANGED, "p2"), LATER))
    plans = after(plans, life.proposed(plans, plan(SWAPPED, "p3"), LATER + 1))
    assert [tour.status for tour in plans[1].tours] == ["confirmed", "withdrawn"]
    assert in_force(plans) == {"truck-1": ("p2", "confirmed"), "truck-2": ("p1", "confirmed")}
    with pytest.raises(LifeError, match=r"p2: the tour of truck-2 is withdrawn: replaced by a newer plan"):
        life.confirmed(plans, "p2", LATER + 2)


def test_one_tour_of_a_plan_can_be_confirmed() -> None:
    """The plan waits for the others; a second word changes nothing."""
    plans = started()
    change = life.confirmed(plans, "p1", LATER, {"truck-1"})
    assert words(change) == {"truck-1": ("confirmed", "p1")}
    plans = after(plans, change)
    assert plans[0].status == "proposed"
    again = life.confirmed(plans, "p1", LATER + 5, {"truck-1"})
    assert again.events == ()
    assert plans[0].tours[0].confirmed_ms == LATER


def test_a_vehicle_without_a_tour_in_the_confirmed_plan_is_told() -> None:
    """A plan for one vehicle only: the other one's confirmed tour ends when the whole plan is confirmed."""
    plans = confirmed()
    only = plan({"truck-1": ("bin-3", "bin-4")}, "p2")
    only = replace(only, tours=only.tours[:1])
    plans = after(plans, life.proposed(plans, only, LATER))
    assert in_force(plans) == {"truck-1": ("p1", "confirmed"), "truck-2": ("p1", "confirmed")}
    assert words(life.confirmed(plans, "p2", LATER + 1)) == {
        "truck-1": ("confirmed", "p2"),
        "truck-2": ("withdrawn", "p1"),
    }


def test_a_rejected_tour_stays_a_proposal_and_says_so() -> None:
    """With the depot's reason; it can still be confirmed."""
    plans = started()
    change = life.rejected(plans, "p1", "truck-1", "Baustelle", LATER)
    assert words(change) == {"truck-1": ("proposed", "p1")}
    assert "abgelehnt: Baustelle" in of(change, "truck-1").data.text_de
    plans = after(plans, change)
    assert "abgelehnt" not in of(life.confirmed(plans, "p1", LATER + 1), "truck-1").data.text_de


def test_a_rejected_proposal_leaves_the_confirmed_tour_on_the_topic() -> None:
    """What holds is said again, with why."""
    plans = confirmed()
    plans = after(plans, life.proposed(plans, plan(SECOND_CHANGED, "p2"), LATER))
    change = life.rejected(plans, "p2", "truck-2", "zu spät", LATER + 1)
    assert words(change) == {"truck-2": ("confirmed", "p1")}
    assert "neuerer Vorschlag abgelehnt: zu spät" in of(change, "truck-2").data.text_de


def test_a_withdrawn_plan_gives_way_to_what_held_before() -> None:
    """The confirmed tour is said again; without one the vehicle is told that there is none."""
    plans = confirmed()
    plans = after(plans, life.proposed(plans, plan(SWAPPED, "p2"), LATER))
    change = life.withdrawn(plans, "p2", "Irrtum", LATER + 1)
    assert words(change) == {"truck-1": ("confirmed", "p1"), "truck-2": ("confirmed", "p1")}
    plans = after(plans, change)
    change = life.withdrawn(plans, "p1", "Streik", LATER + 2)
    assert words(change) == {"truck-1": ("withdrawn", "p1"), "truck-2": ("withdrawn", "p1")}
    assert of(change, "truck-1").data.text_de.endswith("Zurückgezogen: Streik.")
    assert life.newest(after(plans, change)) is None


def test_a_vehicle_that_dropped_out_is_withdrawn_at_once() -> None:
    """Its confirmed tour, too; its stops are on the other's, which waits for the depot."""
    plans = confirmed()
    fresh = plan({"truck-2": ("bin-3", "bin-4", "bin-0", "bin-1", "bin-2")}, "p2", unavailable=("truck-1",))
    change = life.proposed(plans, fresh, LATER)
    assert words(change) == {"truck-1": ("withdrawn", "p1"), "truck-2": ("proposed", "p2")}
    assert in_force(after(plans, change)) == {"truck-2": ("p1", "confirmed")}


def test_where_nobody_takes_over_the_stops_are_left_out() -> None:
    """The vehicle is told why, and what it leaves behind; the others go on."""
    plans = confirmed()
    change = life.dropped(plans, {"truck-1"}, LATER, Words("kein Plan", "no plan"))
    assert words(change) == {"truck-1": ("withdrawn", "p1")}
    data = of(change, "truck-1").data
    left = {one.place: (one.text_de, one.text_en) for one in data.left_out}
    assert left.keys() >= {"bin-0", "bin-1", "bin-2"}
    assert left["bin-0"] == ("Fahrzeug fällt aus; kein Plan", "the vehicle dropped out; no plan")
    assert "Fahrzeug fällt aus; kein Plan" in data.text_de
    assert in_force(after(plans, change)) == {"truck-2": ("p1", "confirmed")}


def test_what_is_served_is_no_change() -> None:
    """Tours that only lost what is emptied already are as before; a stop less that was not is a change."""
    plans = confirmed()
    rest = {"truck-1": ("bin-1", "bin-2"), "truck-2": ("bin-4",)}
    fresh = replace(plan(rest, "p2"), unserved=plans[0].unserved)
    assert life.proposed(plans, fresh, LATER, {"bin-0", "bin-3"}) == life.NOTHING
    assert words(life.proposed(plans, fresh, LATER, {"bin-0"})) == {"truck-2": ("proposed", "p2")}


def test_unloading_before_the_first_stop_is_no_change() -> None:
    """It is over; in between it is."""
    plans = started({"truck-1": ("bin-0", "site", "bin-1"), "truck-2": ()})
    rest = replace(plan({"truck-1": ("bin-1",)}, "p2"), unserved=plans[0].unserved)
    assert life.proposed(plans, rest, LATER, {"bin-0"}) == life.NOTHING
    other = replace(plan({"truck-1": ("bin-0", "bin-1")}, "p2"), unserved=plans[0].unserved)
    assert words(life.proposed(plans, other, LATER)) == {"truck-1": ("proposed", "p2")}


def test_a_mandatory_container_that_finds_no_place_is_told() -> None:
    """Also when no tour changes by it; once, by one vehicle."""
    plans = confirmed()
    fresh = plan(BOTH, "p2")
    fresh = replace(fresh, unserved=(*fresh.unserved, Unserved("bin-9", "no_room", Words("voll", "full"))))
    change = life.proposed(plans, fresh, LATER)
    assert words(change) == {"truck-1": ("confirmed", "p2")}
    data = of(change, "truck-1").data
    assert ("bin-9", "voll", "full") in {(one.place, one.text_de, one.text_en) for one in data.left_out}
    plans = after(plans, change)
    assert life.proposed(plans, replace(fresh, id="p3"), LATER + 1) == life.NOTHING


def test_that_a_vehicle_stays_is_said_once() -> None:
    """It may have a tour of another fraction on the same topic: neither confirming nor withdrawing speaks over that."""
    plans = started({"truck-1": ("bin-0",)})
    assert words(life.confirmed(plans, "p1", LATER)) == {"truck-1": ("confirmed", "p1")}
    assert words(life.withdrawn(plans, "p1", "x", LATER)) == {"truck-1": ("withdrawn", "p1")}
    other = replace(plan({"truck-1": ("bin-0", "bin-1")}, "p2"), tours=plan({"truck-1": ("bin-0", "bin-1")}).tours[:1])
    assert words(life.proposed(plans, other, LATER)) == {"truck-1": ("proposed", "p2")}


def test_a_vehicle_whose_confirmed_tour_is_dropped_is_told_that_it_stays() -> None:
    """When the depot confirms that, too."""
    plans = confirmed()
    change = life.proposed(plans, plan({"truck-1": ("bin-0", "bin-1", "bin-2")}, "p2"), LATER)
    assert words(change)["truck-2"] == ("proposed", "p2")
    plans = after(plans, change)
    assert in_force(plans)["truck-2"] == ("p1", "confirmed")
    assert words(life.confirmed(plans, "p2", LATER + 1))["truck-2"] == ("confirmed", "p2")


@pytest.mark.parametrize(
    ("name", "vehicles", "now_ms", "message"),
    [
        ("p9", None, LATER, "no plan p9"),
        ("p1", {"truck-9"}, LATER, "has no vehicle truck-9"),
        ("p1", None, OVER, "the day is over"),
    ],
)
def test_what_cannot_be_confirmed(name: str, vehicles: set[str] | None, now_ms: int, message: str) -> None:
    """Another plan, another vehicle, another day: each with its reason."""
    with pytest.raises(LifeError, match=message):
        life.confirmed(started(), name, now_ms, vehicles)


def test_a_person_asks_for_another_plan() -> None:
    """Kept in the newest plan with the vehicles that are gone, until that was looked at; not without a plan."""
    plans = started()
    (asked,) = life.asked(plans, {"truck-2"}, LATER).plans
    assert (asked.asked_ms, asked.unavailable) == (LATER, ("truck-2",))
    (looked,) = life.settled([asked], LATER + 1, Words("kein Weg", "no way")).plans
    assert (looked.asked_ms, looked.looked_ms, looked.failure.en) == (0, LATER + 1, "no way")
    assert life.settled([], LATER) == life.NOTHING
    with pytest.raises(LifeError, match="no plan"):
        life.asked([], (), LATER)
    with pytest.raises(LifeError, match="over"):
        life.asked(plans, (), OVER)


def test_a_tour_of_another_fraction_is_not_spoken_over() -> None:
    """A vehicle that has another tour by now loses this one without a word on the topic that both share."""
    plans = started()
    fresh = plan({"truck-1": ("bin-0", "bin-1", "bin-2")}, "p2")
    fresh = replace(fresh, tours=fresh.tours[:1], unserved=plans[0].unserved)
    assert words(life.proposed(plans, fresh, LATER)) == {"truck-2": ("withdrawn", "p1")}
    change = life.proposed(plans, fresh, LATER, elsewhere={"truck-2"})
    assert change.events == ()
    assert in_force(after(plans, change)) == {"truck-1": ("p2", "proposed")}


def test_times_of_straight_lines_are_never_taken_for_real_ones() -> None:
    """The same order, but now by streets: it is proposed again, with its times; and the other way round."""
    guessed, known = plan(BOTH), plan(BOTH, "p2", drivable=True)
    for first, second in ((guessed, known), (replace(known, id="p1"), replace(guessed, id="p2"))):
        change = life.proposed(after([], life.proposed([], first, NOW)), second, LATER)
        assert words(change) == {"truck-1": ("proposed", "p2"), "truck-2": ("proposed", "p2")}
        assert (of(change, "truck-1").data.departs is not None) == second.drivable


def test_a_tour_that_goes_on_keeps_the_reasons_of_what_is_done() -> None:
    """What is emptied stands in no newer plan, but on the tour: it is told with why it was on it."""
    plans = started()
    fresh = plan({"truck-1": ("bin-1", "bin-2"), "truck-2": ("bin-3", "bin-4", "bin-5")}, "p2")
    lean = {place: why for place, why in fresh.why.items() if place != "bin-0"}
    fresh = replace(fresh, why=lean, mandatory=tuple(name for name in fresh.mandatory if name != "bin-0"))
    plans = after(plans, life.proposed(plans, fresh, LATER, {"bin-0"}))
    halt = of(life.confirmed(plans, "p2", LATER + 1), "truck-1").data.halts[0]
    assert (halt.place, halt.text_en, halt.mandatory) == ("bin-0", "bin-0", True)


def test_what_a_lost_vehicle_emptied_is_not_left_behind() -> None:
    """Only what still lies there."""
    change = life.dropped(confirmed(), {"truck-1"}, LATER, served={"bin-0"})
    left = {one.place for one in of(change, "truck-1").data.left_out}
    assert "bin-0" not in left
    assert "bin-1" in left


def test_another_order_of_the_same_stops_is_no_change() -> None:
    """As long as the tours in force can still be driven; where they cannot, it is one; another unloading always is."""
    plans = confirmed()
    turned = plan({**BOTH, "truck-1": ("bin-2", "bin-1", "bin-0")}, "p2")
    assert life.proposed(plans, turned, LATER, still_drivable=True) == life.NOTHING
    assert words(life.proposed(plans, turned, LATER)) == {"truck-1": ("proposed", "p2")}
    unloading = plan({**BOTH, "truck-1": ("bin-0", "site", "bin-1", "bin-2")}, "p2")
    assert words(life.proposed(plans, unloading, LATER, still_drivable=True)) == {"truck-1": ("proposed", "p2")}


def moved() -> list[PlanRecord]:
    """A confirmed day, and a newer plan that takes bin-2 from truck-1 and gives it to truck-2."""
    plans = confirmed()
    return after(plans, life.proposed(plans, plan(SWAPPED, "p2"), LATER))


def driven(plans: Sequence[PlanRecord]) -> list[str]:
    """The containers of all confirmed tours in force, each as often as somebody drives to it."""
    held = life.standing(plans).values()
    return sorted(place for one in held if one.tour.status == "confirmed" for place in one.tour.stops)


@pytest.mark.parametrize(("one", "other"), [("truck-1", "truck-2"), ("truck-2", "truck-1")])
def test_a_moved_stop_is_never_on_two_tours_or_on_none(one: str, other: str) -> None:
    """One of the two tours alone is refused, with the stop and the other vehicle; both of them, or all, are not."""
    plans = moved()
    message = (
        f"p2: stops move .*bin-2 from truck-1 to truck-2.*: confirm the tours of {min(one, other)}, {max(one, other)}"
    )
    with pytest.raises(LifeError, match=message):
        life.confirmed(plans, "p2", LATER + 1, {one})
    for vehicles in ({one, other}, None):
        change = life.confirmed(plans, "p2", LATER + 1, vehicles)
        assert words(change) == {"truck-1": ("confirmed", "p2"), "truck-2": ("confirmed", "p2")}
        assert driven(after(plans, change)) == ["bin-0", "bin-1", "bin-2", "bin-3", "bin-4"]


def test_a_tour_without_moved_stops_is_confirmed_alone() -> None:
    """Its proposal names nobody."""
    plans = confirmed()
    change = life.proposed(plans, plan(SECOND_CHANGED, "p2"), LATER)
    assert of(change, "truck-2").data.confirm_with == ()
    plans = after(plans, change)
    assert words(life.confirmed(plans, "p2", LATER + 1, {"truck-2"})) == {"truck-2": ("confirmed", "p2")}


def test_a_proposal_names_the_vehicles_to_confirm_with_it() -> None:
    """For programs and for people."""
    plans = confirmed()
    data = of(life.proposed(plans, plan(SWAPPED, "p2"), LATER), "truck-1").data
    assert data.confirm_with == ("truck-2",)
    assert "gilt die bestätigte Tour weiter; nur zusammen mit truck-2 zu bestätigen." in data.text_de
    assert "the confirmed tour holds; to be confirmed only together with truck-2." in data.text_en


@pytest.mark.parametrize("order", list(permutations(["truck-1", "truck-2"])), ids=" ".join)
def test_the_depot_accepts_one_tour_after_the_other(order: tuple[str, str]) -> None:
    """The first waits without a word, with the second both are in force; whatever is asked in between."""
    plans = moved()
    change = life.accepted(plans, "p2", order[0], LATER + 1)
    assert change.events == ()
    plans = after(plans, change)
    assert in_force(plans) == {"truck-1": ("p1", "confirmed"), "truck-2": ("p1", "confirmed")}
    assert life.accepted(plans, "p2", order[0], LATER + 2) == Change((plans[1],))
    change = life.accepted(plans, "p2", order[1], LATER + 3)
    assert words(change) == {"truck-1": ("confirmed", "p2"), "truck-2": ("confirmed", "p2")}
    plans = after(plans, change)
    assert driven(plans) == ["bin-0", "bin-1", "bin-2", "bin-3", "bin-4"]
    assert {tour.accepted_ms for tour in plans[1].tours} == {None}


def test_a_person_confirms_what_the_accepted_tour_waits_for() -> None:
    """Both are told."""
    plans = moved()
    plans = after(plans, life.accepted(plans, "p2", "truck-2", LATER + 1))
    change = life.confirmed(plans, "p2", LATER + 2, {"truck-1"})
    assert words(change) == {"truck-1": ("confirmed", "p2"), "truck-2": ("confirmed", "p2")}


def test_a_rejection_takes_an_acceptance_back() -> None:
    """The confirmed tours hold whatever the other vehicle says; accepted after all, it is said as a proposal again."""
    plans = moved()
    plans = after(plans, life.accepted(plans, "p2", "truck-2", LATER + 1))
    plans = after(plans, life.rejected(plans, "p2", "truck-2", "zu weit", LATER + 2))
    change = life.accepted(plans, "p2", "truck-1", LATER + 3)
    assert change.events == ()
    plans = after(plans, change)
    assert driven(plans) == ["bin-0", "bin-1", "bin-2", "bin-3", "bin-4"]
    plans = after(plans, life.rejected(plans, "p2", "truck-1", "zu spät", LATER + 4))
    change = life.accepted(plans, "p2", "truck-2", LATER + 5)
    data = of(change, "truck-2").data
    assert (data.status, data.plan, data.confirm_with) == ("proposed", "p2", ("truck-1",))
    assert data.in_force == life.standing(plans)["truck-2"].tour.event_id
    assert "abgelehnt" not in data.text_de


def test_a_tour_that_waited_for_a_vehicle_that_drops_out_holds() -> None:
    """The depot had accepted it, and nobody else drives to the stop any more."""
    plans = moved()
    plans = after(plans, life.accepted(plans, "p2", "truck-2", LATER + 1))
    change = life.dropped(plans, {"truck-1"}, LATER + 2)
    assert words(change) == {"truck-1": ("withdrawn", "p1"), "truck-2": ("confirmed", "p2")}
    assert driven(after(plans, change)) == ["bin-2", "bin-3", "bin-4"]
    unheard = life.dropped(moved(), {"truck-1"}, LATER + 2)
    assert words(unheard) == {"truck-1": ("withdrawn", "p1")}


def test_the_same_vehicle_goes_on_saying_what_is_left_out() -> None:
    """As long as it has a tour, though another one comes before it: its newest word is the list."""
    plans = started({"truck-2": ("bin-0",)})
    assert plans[0].speaker == "truck-2"
    change = life.proposed(plans, plan({"truck-1": ("bin-1",), "truck-2": ("bin-0",)}, "p2"), LATER)
    assert words(change) == {"truck-1": ("proposed", "p2"), "truck-2": ("proposed", "p2")}
    assert of(change, "truck-1").data.left_out == ()
    assert {event.data.left_out_in for event in change.events} == {"truck-2"}
    assert {one.place for one in of(change, "truck-2").data.left_out} >= {"bin-2", "bin-3", "bin-4"}
    assert "bin-1" not in {one.place for one in of(change, "truck-2").data.left_out}


def test_without_its_tour_another_vehicle_says_what_is_left_out() -> None:
    """The first one that drives."""
    plans = started({"truck-1": ("bin-0",)})
    change = life.proposed(plans, plan({"truck-2": ("bin-0",)}, "p2"), LATER)
    assert {event.data.left_out_in for event in change.events} == {"truck-2"}
    assert [bool(of(change, vehicle).data.left_out) for vehicle in ("truck-1", "truck-2")] == [False, True]


@pytest.mark.parametrize("vehicles", [None, {"truck-1", "truck-2"}, {"truck-2"}], ids=["all", "both", "one"])
def test_a_second_word_on_a_tour_in_force_leaves_the_newer_proposal(vehicles: set[str] | None) -> None:
    """A driver who sets out on the confirmed tour says nothing of what is proposed meanwhile."""
    plans = moved()
    assert life.confirmed(plans, "p1", LATER + 1, vehicles) == life.NOTHING
    assert words(life.confirmed(plans, "p2", LATER + 2)).keys() == {"truck-1", "truck-2"}


def test_confirming_again_ends_no_tour_of_a_newer_plan() -> None:
    """Nor that of a vehicle that the older one does not know."""
    only = plan({"truck-1": ("bin-0",)}, "p1")
    plans = after([], life.proposed([], replace(only, tours=only.tours[:1]), NOW))
    plans = after(plans, life.confirmed(plans, "p1", NOW + 1))
    fresh = plan({"truck-1": ("bin-0", "bin-2"), "truck-2": ("bin-1",)}, "p2")
    plans = after(plans, life.proposed(plans, fresh, LATER))
    assert life.confirmed(plans, "p1", LATER + 1) == life.NOTHING
    assert in_force(plans) == {"truck-1": ("p1", "confirmed"), "truck-2": ("p2", "proposed")}
