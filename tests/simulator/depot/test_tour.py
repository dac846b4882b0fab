"""One vehicle on its tour: when it is where, what it skips, and why."""

from collections import Counter
from datetime import date

from simulator.depot.drive import Drive
from simulator.depot.tour import BREAK_AFTER_S, LOOK_S, REASONS, Habits
from tests.rules.waste.route.cities import city, container, depot, site, vehicle
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
    stops,
    times,
    tour,
    town,
)


def test_a_tour_is_driven_in_its_order_with_way_service_and_unloading() -> None:
    """Out of the depot with the shift; detours at 30 km/h, 240 s at a crane's container, 20 min to unload."""
    reports = driven(tour("bin-0", "bin-2", "site", "bin-1"))
    assert stops(reports) == [("bin-0", ""), ("bin-2", ""), ("bin-1", "")]
    first = seconds(DEPOT, bin_at(0)) + CRANE_S
    second = first + seconds(bin_at(0), bin_at(2)) + CRANE_S
    third = second + seconds(bin_at(2), SITE) + 20 * 60 + seconds(SITE, bin_at(1)) + CRANE_S
    assert times(list(reports)) == [first, second, third]
    assert {report.vehicle for report in reports} == {TRUCK}


def test_a_drivable_tour_begins_when_it_says_and_a_late_one_now() -> None:
    """`departs` where it is known; a depot that opens at ten begins then."""
    way_s = seconds(DEPOT, bin_at(0)) + CRANE_S
    later = tour("bin-0", drivable=True, departs="2026-09-14T07:00:00+02:00", duration=1)
    assert times(list(driven(later))) == [3600 + way_s]
    drive = Drive(town(), SHIFT + 4 * HOUR, EXACT)
    drive.take(tour("bin-0"))
    assert times(list(drive.due(END))) == [4 * 3600 + way_s]


def test_windows_are_waited_for_and_missed() -> None:
    """Service begins with the window; who comes after its end skips the stop with `out_of_time`."""
    reports = driven(tour("bin-0"), place=town(window_from="07:00", window_until="08:00"))
    assert times(list(reports)) == [3600 + CRANE_S]
    missed = driven(tour("bin-0", "bin-1"), place=town(window_from="05:00", window_until="06:01"))
    assert stops(missed) == [("bin-0", "out_of_time"), ("bin-1", "")]
    assert times(list(missed))[0] == seconds(DEPOT, bin_at(0)) + LOOK_S


def test_a_site_opens_and_closes() -> None:
    """A vehicle waits until it opens; one that comes too late goes on without having unloaded."""
    there_s = seconds(DEPOT, bin_at(0)) + CRANE_S + seconds(bin_at(0), SITE)
    back_s = seconds(SITE, bin_at(1)) + CRANE_S
    bins = container("bin-0"), container("bin-1", (7.82, 51.68))
    late = city(depot(), site(opens="07:00"), vehicle(TRUCK), *bins)
    assert times(list(driven(tour("bin-0", "site", "bin-1"), place=late)))[1] == 3600 + 20 * 60 + back_s
    closed = city(depot(), site(opens="05:00", closes="06:01"), vehicle(TRUCK), *bins)
    assert times(list(driven(tour("bin-0", "site", "bin-1"), place=closed)))[1] == there_s + back_s


def test_an_empty_vehicle_does_not_unload() -> None:
    """After skipped stops, after it has just done so, before its first stop: it drives on."""
    (only,) = times(list(driven(tour("site", "bin-1"))))
    assert only == seconds(DEPOT, bin_at(1)) + CRANE_S
    _, second = times(list(driven(tour("bin-0", "site", "site", "bin-1"))))
    assert second == only + seconds(DEPOT, bin_at(0), SITE, bin_at(1)) - seconds(DEPOT, bin_at(1)) + CRANE_S + 20 * 60
    skipping = Habits(spread=0, skip_share=1)
    _, skipped = times(list(driven(tour("bin-0", "site", "bin-1"), habits=skipping)))
    assert skipped == seconds(DEPOT, bin_at(0), bin_at(1)) + 2 * LOOK_S


def test_the_break_comes_after_four_hours() -> None:
    """Before the next way, once; who is home earlier takes none."""
    bins = (container("bin-0", window_from="10:30"), container("bin-1"), container("bin-2"))
    place = city(depot(), site(), vehicle(TRUCK, break_min=45), *bins)
    first, second, third = times(list(driven(tour(*BINS[:3]), place=place)))
    assert first == 4.5 * 3600 + CRANE_S > BREAK_AFTER_S
    assert (second - first, third - second) == (45 * 60 + CRANE_S, CRANE_S)
    quick = times(list(driven(tour("bin-1", "bin-2", "bin-0"), place=place)))
    assert quick[1] - quick[0] == CRANE_S


def test_a_break_that_is_still_to_come_counts_for_the_shift() -> None:
    """Home at 10:38 without it: five minutes before the shift ends if there is none, half an hour late with it."""
    bins = (container("bin-0", window_from="10:30"),)
    for minutes, reason in ((0, ""), (30, "out_of_time")):
        place = city(depot(), site(), vehicle(TRUCK, shift_until="10:43", break_min=minutes), *bins)
        assert stops(driven(tour("bin-0"), place=place)) == [("bin-0", reason)]


def test_a_break_is_taken_to_its_end() -> None:
    """A newer tour in the middle of it begins after it."""
    bins = (container("bin-0", window_from="10:30"), container("bin-1"), container("bin-2"))
    drive = Drive(city(depot(), site(), vehicle(TRUCK, break_min=45), *bins), NIGHT, EXACT)
    drive.take(tour("bin-0", "bin-1"))
    now_ns = SHIFT + 4 * HOUR + 50 * MINUTE
    drive.due(now_ns)
    drive.take(tour("bin-2", plan="2", at_ns=now_ns))
    assert times(list(drive.due(END))) == [4.5 * 3600 + CRANE_S + 45 * 60 + CRANE_S]


def test_what_does_not_fit_into_the_shift_is_given_up() -> None:
    """Home by the end of the shift, by way of the site where one follows; a nearer stop may still be served."""
    place = city(
        depot(),
        site(),
        vehicle(TRUCK, shift_until="06:40", break_min=0),
        container("far", (7.99, 51.68)),
        container("near"),
        container("last"),
    )
    reports = driven(tour("near", "far", "last"), place=place)
    assert stops(reports) == [("near", ""), ("far", "out_of_time"), ("last", "")]
    assert times(list(reports))[1] == times(list(reports))[0]
    by_the_site = driven(tour("near", "site"), place=place)
    assert stops(by_the_site) == [("near", "out_of_time")]


def test_skips_are_as_many_as_wanted_and_the_same_for_a_seed() -> None:
    """None, all, about a third; reasons are those of the contract, being late is not among them."""
    assert not any(reason for _, reason in stops(driven(tour(*BINS))))
    everything = stops(driven(tour(*BINS), habits=Habits(skip_share=1)))
    assert {reason for _, reason in everything} <= set(REASONS) - {"out_of_time"}
    assert len(everything) == len(BINS)

    def skipped(seed: int) -> list[tuple[str, str]]:
        return stops(driven(tour(*BINS), habits=Habits(seed=seed, skip_share=0.3)))

    many = Counter(reason != "" for seed in range(60) for _, reason in skipped(seed))
    assert 0.2 < many[True] / many.total() < 0.4
    assert skipped(3) == skipped(3)
    assert len({tuple(skipped(seed)) for seed in range(20)}) > 10


def test_steps_of_any_length_give_the_same() -> None:
    """Two vehicles, chance in everything: ten seconds at a time, or the day in one."""
    habits = Habits(seed=5, skip_share=0.3)

    def day(step_ns: int) -> list[object]:
        drive = Drive(town(), NIGHT, habits)
        drive.take(tour(*BINS[:4], "site", BINS[0]))
        drive.take(tour(*BINS[2:], truck=OTHER))
        return [report for time_ns in range(NIGHT, END + 1, step_ns) for report in drive.due(time_ns)]

    whole = day(DAY)
    assert len(whole) >= len(BINS)
    assert day(10 * SECOND) == day(7 * MINUTE) == whole
    assert [report.time_ns for report in whole] == sorted(report.time_ns for report in whole)  # type: ignore[attr-defined] # reports


def test_the_clocks_change() -> None:
    """On 25 October 2026 the shift begins at 06:00 by the clock: seven hours after midnight."""
    day = date(2026, 10, 25)
    drive = Drive(town(), NIGHT, EXACT)
    drive.take(tour("bin-0", day=day))
    (stop,) = drive.due(NIGHT + 60 * DAY)
    midnight_ns = NIGHT + 41 * DAY
    assert (stop.time_ns - midnight_ns) // SECOND == 7 * 3600 + seconds(DEPOT, bin_at(0)) + CRANE_S
