"""The events of a plan."""

from dataclasses import replace
from datetime import UTC, date, datetime

from rules.event_route import RoutePlanned
from rules.waste.route.record import moved, noon_s, record_of
from rules.waste.route.route_event import event_of, events
from rules.waste.route.solution import Unserved
from rules.waste.words import Words
from tests.rules.waste.route.plans import TIMEZONE, TUESDAY, day_plan, evening_ms, plan

TOURS = {"truck-1": ("bin-0", "bin-1", "bin-5")}


def said(*, drivable: bool) -> dict[str, RoutePlanned]:
    """The events by vehicle."""
    return {event.subject: event for event in events(day_plan(TOURS, drivable=drivable))}


def test_every_vehicle_is_told_also_one_that_stays() -> None:
    """One event for each vehicle of the plan, valid until its shift ends; one without tour has no halts."""
    found = said(drivable=True)
    assert found.keys() == {"truck-1", "truck-2"}
    first, second = found["truck-1"].data, found["truck-2"].data
    assert [halt.place for halt in first.halts] == ["bin-0", "bin-1", "bin-5", "site", "depot"]
    assert [halt.mandatory for halt in first.halts] == [True, True, False, False, False]
    assert first.valid_until == datetime(2026, 11, 24, 13, tzinfo=UTC)
    assert (second.halts, second.distance, second.departs) == ((), 0, None)
    assert second.text_de == "truck-2, Di 24.11.2026, Papier: keine Tour. Vorschlag, gilt erst nach Bestätigung."
    assert (first.plan, first.status, first.day, first.fraction) == ("p1", "proposed", TUESDAY, "paper")


def test_a_halt_says_why_and_what_is_on_the_vehicle() -> None:
    """Reasons in both languages, the load when it is left, and the mean of the known levels as evidence."""
    first = said(drivable=True)["truck-1"].data
    assert (first.halts[0].text_de, first.halts[0].text_en) == ("voll bin-0", "bin-0")
    assert [halt.load_mass for halt in first.halts[:3]] == [60, 120, 180]
    (evidence,) = first.evidence
    assert (evidence.quantity, evidence.value, evidence.n_samples, evidence.coverage_pct) == ("fill_level", 80, 3, 100)


def test_what_is_left_out_stands_in_one_event() -> None:
    """In the first vehicle's that has a tour, with its reason in both languages; the others name that vehicle."""
    found = said(drivable=True)
    assert {vehicle: event.data.left_out_in for vehicle, event in found.items()} == dict.fromkeys(found, "truck-1")
    assert found["truck-2"].data.left_out == ()
    left = {one.place: one for one in found["truck-1"].data.left_out}
    assert (left["bin-2"].reason, left["bin-6"].reason) == ("no_room", "not_worth_it")
    assert left["bin-2"].text_de == "Pflicht, aber kein Fahrzeug hat noch Platz oder Zeit dafür"
    assert left["bin-6"].text_de == "der Weg kostet mehr als die 5,00 €, die die Leerung heute wert ist"
    assert left["bin-6"].text_en == "the way costs more than the 5.00 EUR that it is worth today"
    assert {one.text == one.text_en for one in left.values()} == {True}
    second = {event.subject: event for event in events(day_plan({"truck-2": ("bin-0",)}))}
    assert [bool(second[name].data.left_out) for name in ("truck-1", "truck-2")] == [False, True]


def test_a_withdrawn_tour_tells_what_it_leaves_behind() -> None:
    """Though another vehicle tells the rest."""
    record = plan({"truck-1": ("bin-0",), "truck-2": ("bin-1", "bin-3")})
    record = replace(record, unserved=(*record.unserved, Unserved("bin-3", "no_vehicle", Words("Panne", "breakdown"))))
    gone = replace(record.tours[1], status="withdrawn")
    (left,) = event_of(record, gone, evening_ms()).data.left_out
    assert (left.place, left.text_de, left.text_en) == ("bin-3", "Panne", "breakdown")


def test_people_read_the_name_of_the_fraction() -> None:
    """In their language; one of the city's own as it stands in its file."""
    for fraction, german, english in (("residual", "Restabfall", "residual waste"), ("Kork", "Kork", "Kork")):
        record = replace(plan(TOURS), fraction=fraction)
        data = event_of(record, record.tours[0], evening_ms()).data
        assert data.text_de.startswith(f"truck-1, Di 24.11.2026, {german}: 3 Halte")
        assert data.text_en.startswith(f"truck-1, Tue 24 Nov 2026, {english}: 3 stops")


def test_fixed_cycles_stand_beside_the_tour() -> None:
    """Four times the stops make twice the way; where nothing is known of cycles nothing is said."""
    made = day_plan(TOURS, drivable=False)
    cycles = replace(made, fixed_stops=4.0 * len(TOURS["truck-1"]))
    first, second = (event.data for event in events(cycles))
    assert (first.fixed_distance, second.fixed_distance) == (2 * first.distance, 0)
    assert first.distance > 0
    assert {event.data.fixed_distance for event in events(made)} == {None}


def test_times_are_told_only_where_the_streets_are_known() -> None:
    """With a routing engine start, arrivals and duration; without one none of them, and no promise to drive by it."""
    with_times, without = said(drivable=True)["truck-1"].data, said(drivable=False)["truck-1"].data
    assert with_times.departs is not None
    assert with_times.duration
    assert all(halt.arrival is not None for halt in with_times.halts)
    assert "nicht zum Fahren" not in with_times.text_de
    assert (without.departs, without.duration, {halt.arrival for halt in without.halts}) == (None, None, {None})
    assert without.text_de.endswith("Reihenfolge der Halte, nicht zum Fahren.")
    assert without.text_en.endswith("Order of stops, not for driving.")


def test_the_same_plan_gives_the_same_bytes() -> None:
    """Id and payload follow from plan, vehicle, status and time; each of them makes another id."""
    assert [event.payload() for event in events(day_plan(TOURS))] == [
        event.payload() for event in events(day_plan(TOURS))
    ]
    ids = {event.id for name in ("p1", "p2") for now_ms in (1, 2) for event in events(day_plan(TOURS, name), now_ms)}
    assert len(ids) == 8


def test_a_withdrawn_tour_has_no_halts() -> None:
    """It says why, and nothing that somebody could drive by."""
    record = plan(TOURS, drivable=True)
    gone = replace(record.tours[0], status="withdrawn", reason=Words("Panne", "breakdown"))
    event = event_of(record, gone, evening_ms())
    data = event.data
    assert (data.halts, data.departs, data.evidence, data.distance) == ((), None, (), 0)
    assert data.text_de == "truck-1, Di 24.11.2026, Papier: Zurückgezogen: Panne."
    assert data.text_en == "truck-1, Tue 24 Nov 2026, paper: Withdrawn: breakdown."


def test_a_confirmed_tour_goes_on_beside_a_proposal() -> None:
    """The proposal says which event holds until it is confirmed."""
    record = plan(TOURS, drivable=True)
    event = event_of(record, record.tours[0], evening_ms(), "the-confirmed-one")
    assert event.data.in_force == "the-confirmed-one"
    assert "bis zu seiner Bestätigung gilt die bestätigte Tour weiter" in event.data.text_de


def test_a_long_reason_is_cut() -> None:
    """An event holds 600 characters of a text."""
    record = plan(TOURS)
    event = event_of(record, replace(record.tours[0], rejected="x" * 900), evening_ms())
    assert len(event.data.text_de) == 600
    assert event.data.text_de.endswith("…")


def test_a_tour_of_another_day_keeps_its_times_by_the_clock() -> None:
    """Over the change to summer time, when a morning's seconds since midnight are an hour less."""
    winter, summer = date(2027, 3, 23), date(2027, 3, 28)
    assert (noon_s(winter, TIMEZONE), noon_s(summer, TIMEZONE)) == (12 * 3600, 11 * 3600)
    tour = record_of(day_plan(TOURS, day=winter)).tours[0]
    again = moved(tour, winter, summer, TIMEZONE, {"bin-0", "bin-5", "site"})
    assert again.departs_s == tour.departs_s - 3600
    assert again.stops == ("bin-0", "bin-5")
    assert [visit.place for visit in again.visits] == ["bin-0", "bin-5", "site", "depot"]
    assert again.visits[0].arrival_s == tour.visits[0].arrival_s - 3600


def test_one_stop_is_one_stop() -> None:
    """A tour with a single container reads so in both languages."""
    one, two = plan({"truck-1": ("bin-0",)}), plan({"truck-1": ("bin-0", "bin-1")})
    single, more = (event_of(each, each.tours[0], 0).data for each in (one, two))
    assert (": 1 Halt, davon 1 Pflicht" in single.text_de, ": 1 stop, 1 of" in single.text_en) == (True, True)
    assert (": 2 Halte, davon 2 Pflicht" in more.text_de, ": 2 stops, 2 of" in more.text_en) == (True, True)
