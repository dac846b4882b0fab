"""A depot's day without a broker: which words change what vehicles do, and when."""

from datetime import date
from itertools import pairwise

import pytest

from rules.city import CityError
from rules.waste.route.distance import way
from simulator.depot.drive import Drive
from simulator.depot.ground import Spot
from simulator.depot.report import BrokeDown, Confirmed, Stopped
from simulator.depot.tour import LOOK_S, Habits
from simulator.error import SimulatorError
from tests.simulator.depot.driving import (
    BINS,
    CRANE_S,
    DAY,
    DEPOT,
    END,
    EXACT,
    HOUR,
    MINUTE,
    NIGHT,
    OTHER,
    SECOND,
    SHIFT,
    SITE,
    TRUCK,
    bin_at,
    driven,
    seconds,
    served,
    stops,
    times,
    tour,
    town,
)

NEXT_DAY = date(2026, 9, 15)


def test_only_confirmed_tours_are_driven() -> None:
    """A proposal, a fallback, a vehicle that stays: nothing moves, and nothing is said."""
    assert (
        driven(tour(*BINS, status="proposed"), tour(truck=OTHER), tour("bin-0", truck=OTHER, status="fallback")) == []
    )


def test_a_depot_that_confirms_answers_each_offer_once() -> None:
    """Proposals, fallbacks and vehicles that stay, by the id of the event; not what came again, or is over."""
    drive = Drive(town(), NIGHT, Habits(confirms=True))
    offers = [tour("bin-0", status="proposed"), tour(truck=OTHER, status="proposed")]
    for event in (*offers, *offers, tour("bin-0", status="fallback", plan="2", at_ns=NIGHT + MINUTE)):
        drive.take(event)
    said = drive.due(NIGHT + HOUR)
    assert [(each.vehicle, each.request_id) for each in said if isinstance(each, Confirmed)] == [
        (TRUCK, offers[0].id),
        (OTHER, offers[1].id),
        (TRUCK, f"{TRUCK} fallback 2 {NIGHT + MINUTE}"),
    ]
    at_once = [tour("bin-0", status="proposed", plan=plan, at_ns=NIGHT + HOUR) for plan in ("3", "4", "3")]
    for event in at_once:
        drive.take(event)
    assert len(drive.due(NIGHT + HOUR)) == 2
    late = Drive(town(), SHIFT + 9 * HOUR, Habits(confirms=True))
    late.take(offers[0])
    assert late.due(END) == []


def test_what_is_said_again_changes_nothing() -> None:
    """The same tour under a new id every two minutes: the same stops at the same times, unloading included."""
    halts, habits = (*BINS[:3], "site", *BINS[3:], "site"), Habits(seed=4, skip_share=0.3)
    expected = driven(tour(*halts), habits=habits)
    drive = Drive(town(), NIGHT, habits)
    drive.take(tour(*halts))
    found = []
    for now_ns in range(SHIFT - HOUR, SHIFT + 3 * HOUR, 2 * MINUTE):
        found += drive.due(now_ns)
        drive.take(tour(*halts, at_ns=now_ns))
    assert [*found, *drive.due(END)] == expected
    assert any(reason for _, reason in stops(expected))


def test_what_is_being_done_is_done_once() -> None:
    """Unloading, or a stop being skipped: not again by the newer tour; a later unloading is another one."""
    drive = Drive(town(), NIGHT, EXACT)
    drive.take(tour("bin-0", "site", "bin-3"))
    there_s = seconds(DEPOT, bin_at(0)) + CRANE_S + seconds(bin_at(0), SITE)
    now_ns = SHIFT + (there_s + 60) * SECOND
    drive.due(now_ns)
    drive.take(tour("site", "bin-1", "site", "bin-2", plan="2", at_ns=now_ns))
    first_s = there_s + 20 * 60 + seconds(SITE, bin_at(1)) + CRANE_S
    second_s = first_s + seconds(bin_at(1), SITE) + 20 * 60 + seconds(SITE, bin_at(2)) + CRANE_S
    assert times(list(drive.due(END))) == [first_s, second_s]
    looking = Drive(town(), NIGHT, Habits(spread=0, skip_share=1))
    looking.take(tour("bin-0"))
    now_ns = SHIFT + (seconds(DEPOT, bin_at(0)) + LOOK_S // 2) * SECOND
    looking.due(now_ns)
    looking.take(tour("bin-0", "bin-1", plan="2", at_ns=now_ns))
    assert [stop for stop, _ in stops(looking.due(END))] == ["bin-0", "bin-1"]


def test_a_newer_tour_with_the_same_next_stop_disturbs_nothing() -> None:
    """On the way there, with the stops before it in the tour or without: it arrives and ends as it would have."""
    habits = Habits(seed=8)
    second = driven(tour("bin-0", "bin-5"), habits=habits)[1]
    for newer in (("bin-5", "bin-3"), ("bin-0", "bin-5", "bin-3")):
        drive = Drive(town(), NIGHT, habits)
        drive.take(tour("bin-0", "bin-5"))
        now_ns = second.time_ns - CRANE_S * SECOND - 2 * MINUTE
        assert served(drive.due(now_ns)) == ["bin-0"]
        drive.take(tour(*newer, plan="2", at_ns=now_ns))
        after = drive.due(END)
        assert (after[0], served(after)) == (second, ["bin-5", "bin-3"])


def test_a_second_tour_of_the_day_begins_in_the_depot_when_it_says() -> None:
    """Not at once, though the vehicle has nothing to do."""
    drive = Drive(town(), NIGHT, EXACT)
    drive.take(tour("bin-0"))
    drive.due(SHIFT + HOUR)
    later = tour("bin-1", plan="2", at_ns=SHIFT + HOUR, drivable=True, departs="2026-09-14T10:00:00+02:00", duration=1)
    drive.take(later)
    assert times(list(drive.due(END))) == [4 * 3600 + seconds(DEPOT, bin_at(1)) + CRANE_S]


def test_a_newer_tour_is_taken_over_under_way() -> None:
    """Served stops stay served, the one being served is finished, and from there the new order is driven."""
    drive = Drive(town(), NIGHT, EXACT)
    drive.take(tour(*BINS[:5]))
    there_s = seconds(DEPOT, bin_at(0)) + CRANE_S + seconds(bin_at(0), bin_at(1))
    now_ns = SHIFT + (there_s + 60) * SECOND
    before = drive.due(now_ns)
    drive.take(tour("bin-4", "bin-0", "bin-1", "bin-5", "bin-3", plan="2", at_ns=now_ns))
    after = drive.due(END)
    assert served(before) == ["bin-0"]
    assert served(after) == ["bin-1", "bin-4", "bin-5", "bin-3"]
    assert times(list(after))[:2] == [there_s + CRANE_S, there_s + 2 * CRANE_S + seconds(bin_at(1), bin_at(4))]


def test_a_vehicle_on_its_way_turns_where_it_is() -> None:
    """Half of the way to one container, then back to another: no jump, neither in time nor in kilometres."""
    drive = Drive(town(), NIGHT, EXACT)
    drive.take(tour("bin-0", "bin-5"))
    first_s, way_s = seconds(DEPOT, bin_at(0)) + CRANE_S, seconds(bin_at(0), bin_at(5))
    now_ns = SHIFT + (first_s + way_s // 2) * SECOND
    drive.due(now_ns)
    drive.take(tour("bin-1", plan="2", at_ns=now_ns))
    (stop,) = times(list(drive.due(END)))
    turned = Spot((bin_at(0).longitude + bin_at(5).longitude) / 2, 51.68)
    assert stop == pytest.approx(first_s + way_s // 2 + seconds(turned, bin_at(1)) + CRANE_S, abs=2)
    spots = (DEPOT, bin_at(0), turned, bin_at(1), DEPOT)
    km = sum(way(one, other)[0] for one, other in pairwise(spots)) / 1000
    assert drive.as_dict()["km"] == pytest.approx(km, abs=0.01)


def test_before_it_begins_a_newer_tour_replaces_it() -> None:
    """It begins when the newer one says."""
    first = tour("bin-0", drivable=True, departs="2026-09-14T09:00:00+02:00", duration=1)
    second = tour("bin-1", plan="2", at_ns=NIGHT + 1)
    assert times(list(driven(first, second))) == [seconds(DEPOT, bin_at(1)) + CRANE_S]


def test_a_skipped_stop_is_visited_again_by_a_newer_plan_only() -> None:
    """The same plan said again does not bring the vehicle back."""
    drive = Drive(town(), NIGHT, Habits(spread=0, skip_share=1))
    drive.take(tour("bin-0", "bin-5"))
    now_ns = SHIFT + 10 * MINUTE
    assert [stop for stop, _ in stops(drive.due(now_ns))] == ["bin-0"]
    drive.take(tour("bin-0", "bin-5", at_ns=now_ns))
    assert [stop for stop, _ in stops(drive.due(now_ns + HOUR))] == ["bin-5"]
    drive.take(tour("bin-0", plan="2", at_ns=now_ns + HOUR))
    assert [stop for stop, _ in stops(drive.due(END))] == ["bin-0"]


def test_a_stop_on_two_tours_is_served_once() -> None:
    """As between two confirmations of one plan: who comes later finds nothing to do, and says nothing."""
    reports = driven(tour(*BINS), tour(*reversed(BINS), truck=OTHER))
    assert sorted(served(reports)) == sorted(BINS)
    assert {report.vehicle for report in reports} == {TRUCK, OTHER}
    one, other = tour("bin-0"), tour("bin-5", "bin-0", "bin-4", truck=OTHER)
    expected = driven(one, tour("bin-5", "bin-4", truck=OTHER))
    assert driven(one, other) == expected


@pytest.mark.parametrize("how", ["withdrawn", "emptied", "stays"])
def test_a_tour_that_is_taken_back_ends(how: str) -> None:
    """By its event, by an empty topic, by a newer plan without it: the vehicle drives home."""
    drive = Drive(town(), NIGHT, EXACT)
    drive.take(tour(*BINS))
    now_ns = SHIFT + 8 * MINUTE
    before = drive.due(now_ns)
    if how == "emptied":
        drive.withdraw(TRUCK)
    else:
        drive.take(tour(status="withdrawn" if how == "withdrawn" else "confirmed", plan="2", at_ns=now_ns))
    assert (served(before), drive.due(now_ns + HOUR), drive.under_way) == (["bin-0"], [], 0)
    drive.take(tour(*BINS))
    assert drive.due(END) == []


def test_words_about_something_else_do_not_matter() -> None:
    """Another fraction in which the vehicle stays, an older word, another day, one without a tour to take back."""
    drive = Drive(town(), NIGHT + 2 * MINUTE, EXACT)
    drive.withdraw(TRUCK)
    drive.take(tour("bin-0", at_ns=NIGHT + MINUTE))
    drive.take(tour("bin-3", at_ns=NIGHT, plan="0"))
    drive.take(tour(fraction="glass", at_ns=NIGHT + 2 * MINUTE))
    drive.take(tour(status="withdrawn", fraction="glass", at_ns=NIGHT + 3 * MINUTE))
    drive.take(tour("bin-1", day=NEXT_DAY, at_ns=NIGHT + 4 * MINUTE))
    drive.take(tour(status="withdrawn", day=date(2026, 9, 16), at_ns=NIGHT + 5 * MINUTE))
    reports = drive.due(END + DAY)
    assert served(reports) == ["bin-0", "bin-1"]
    assert times(list(reports))[1] == DAY // SECOND + seconds(DEPOT, bin_at(1)) + CRANE_S


def test_a_vehicle_breaks_down_once_and_stands_until_a_newer_plan() -> None:
    """It names the newest event about its tour; the same plan said again does not mend it."""
    habits = Habits(spread=0, breakdowns={TRUCK: 6 * 60 + 8})
    drive = Drive(town(), NIGHT, habits)
    event = tour(*BINS)
    drive.take(event)
    now_ns = SHIFT + HOUR
    reports = drive.due(now_ns)
    broken = SHIFT + 8 * MINUTE
    assert reports[-1] == BrokeDown(broken, TRUCK, event.id)
    assert served(reports) == ["bin-0"]
    drive.take(tour(*BINS, at_ns=now_ns))
    assert drive.due(now_ns + HOUR) == []
    drive.take(tour(*BINS[1:], plan="2", at_ns=now_ns + HOUR))
    drive.take(tour(*BINS[1:3], plan="2", at_ns=now_ns + HOUR + 1))
    assert served(drive.due(END)) == list(BINS[1:3])
    drive.take(tour("bin-0", day=NEXT_DAY, plan="3", at_ns=END))
    assert [type(report) for report in drive.due(END + DAY)] == [Stopped]


def test_a_vehicle_that_was_mended_in_the_depot_begins_when_its_newer_tour_says() -> None:
    """It broke down before it began, and the newer plan came after that."""
    drive = Drive(town(), NIGHT, Habits(spread=0, breakdowns={TRUCK: 5 * 60}))
    drive.take(tour(*BINS))
    assert [type(report) for report in drive.due(SHIFT + HOUR)] == [BrokeDown]
    later = tour("bin-1", plan="2", at_ns=SHIFT + HOUR, drivable=True, departs="2026-09-14T08:00:00+02:00", duration=1)
    drive.take(later)
    assert times(list(drive.due(END))) == [2 * 3600 + seconds(DEPOT, bin_at(1)) + CRANE_S]


def test_a_breakdown_waits_for_a_day_with_a_tour() -> None:
    """Not on a day on which the vehicle is home, or past that time; in the depot before the tour begins it is one."""
    habits = Habits(spread=0, breakdowns={TRUCK: 12 * 60})
    drive = Drive(town(), NIGHT, habits)
    drive.take(tour("bin-0"))
    assert [type(report) for report in drive.due(END)] == [Stopped]
    offered = tour("bin-0", status="proposed", day=NEXT_DAY, plan="2", at_ns=END)
    drive.take(offered)
    assert drive.due(END + DAY) == [BrokeDown(NIGHT + DAY + 12 * HOUR, TRUCK, offered.id)]
    nothing = Drive(town(), NIGHT, habits)
    nothing.take(tour("bin-0", status="proposed"))
    nothing.take(tour(status="withdrawn", at_ns=NIGHT + 1))
    assert nothing.due(END) == []
    late = Drive(town(), SHIFT + 7 * HOUR, habits)
    late.take(tour("bin-0"))
    assert [type(report) for report in late.due(END)] == [Stopped]


def test_tours_of_another_city_are_refused() -> None:
    """A place, a kind, a vehicle that the file does not have, a property of no use: an error that names it."""
    drive = Drive(town(), NIGHT, EXACT)
    for number, (event, named) in enumerate(
        (
            (tour("bin-9"), "'bin-9' is no container"),
            (tour("bin-0", truck="truck-9"), "'truck-9' is no vehicle"),
            (
                tour("bin-0", halts=[{"place": "bin-0", "kind": "home", "load_mass": 0, "load_volume": 0}]),
                "is no depot",
            ),
        )
    ):
        with pytest.raises(SimulatorError, match=named):
            drive.take(event.model_copy(update={"id": str(number)}))
    with pytest.raises(CityError, match="service_s"):
        Drive(town(service_s=-1), NIGHT).take(tour("bin-0"))
    assert drive.due(END) == []


def test_counts() -> None:
    """What was confirmed, driven, served, skipped by reason, broken down; kilometres of days that are forgotten too."""
    drive = Drive(town(), NIGHT, Habits(spread=0, confirms=True, breakdowns={OTHER: 6 * 60 + 1}))
    drive.take(tour("bin-0", status="proposed"))
    drive.take(tour("bin-0", at_ns=NIGHT + 1))
    drive.take(tour("bin-1", truck=OTHER))
    drive.due(END)
    counts = drive.as_dict()
    assert counts["km"] == pytest.approx(2 * way(DEPOT, bin_at(0))[0] / 1000 + 60 * 30 / 3600, abs=0.01)
    assert {**counts, "km": 0} == {
        "confirmed": 1,
        "tours": 2,
        "served": 1,
        "skipped": {},
        "breakdowns": 1,
        "km": 0,
    }
    drive.take(tour("bin-0", day=date(2026, 9, 20), plan="2", at_ns=END))
    assert drive.as_dict()["km"] == pytest.approx(counts["km"], abs=0.01)
