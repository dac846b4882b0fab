"""What crews and people tell of a container, driven through the engine; and what is taken as feedback at all."""

import json
from itertools import permutations
from typing import Any, cast, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.city import City
from rules.engine import Engine
from rules.event_waste import ContainerDue
from rules.feedback import MAX_BYTES, FeedbackError, SkipReason, parse, vehicle_of
from rules.rule import Json, StateRow, Tick, TourFeedback
from rules.waste.collection_due import RULE, Container, dump, load
from rules.waste.due_config import configure
from rules.waste.due_text import SKIPPED
from rules.waste.fill import Fill
from rules.waste.told import Told, hear
from tests.rules.waste.bins import DAY, HOUR, START, Play, asset

MINUTE = 60_000
MONDAY_7 = START + 7 * HOUR
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "stop-1",
    "source": "/telematics",
    "type": "de.example.stop",
    "time": "2026-09-14T09:00:05+02:00",
    "data": {"stop": "bin-a", "result": "served", "time": "2026-09-14T09:00:00+02:00", "mass_kg": 41.5},
}


def full(level: float = 90.0, **properties: object) -> Play:
    """A container that is over the threshold on Monday at six, and therefore due that day."""
    play = Play(RULE, **{"forecast": False, "fraction": "glass", **properties})
    play.level(level, START + 6 * HOUR)
    return play


def reported(play: Play, at: int) -> None:
    """A person reports waste beside the container."""
    play.give(TourFeedback("bin-a", "reported", at, side_waste=True, cause=f"report {at}"))


# -- served -----------------------------------------------------------------------------------------------------------


def test_a_stop_served_empties_the_container_until_its_sensor_speaks() -> None:
    """Due no longer, at the time the crew says, by which vehicle; the next word of the sensor counts again."""
    play = full()
    assert (play.said.due, play.said.reason) == (True, "over_threshold")
    play.give(Tick(MONDAY_7 + HOUR))
    play.serve(MONDAY_7)
    said = play.said
    assert (said.due, said.reason, said.fill_level, said.emptying_confirmed) == (False, "emptied", 0.0, True)
    assert said.last_emptied is not None
    assert said.last_emptied.timestamp() * 1000 == MONDAY_7
    assert said.evidence[0].sources == ("truck-1",)
    assert "am Mo 14.09. geleert" in said.text_de
    play.level(12, MONDAY_7 + 2 * HOUR)
    assert play.said.fill_level == 12


def test_an_emptying_that_the_sensor_saw_is_confirmed_not_repeated() -> None:
    """Level and what was learned stay as the sensor has them; a report an hour apart is of the same emptying."""
    play = full()
    play.tilt(MONDAY_7)
    play.level(4, MONDAY_7 + 10 * MINUTE)
    before = play.state
    play.serve(MONDAY_7 + HOUR)
    assert play.state == before._replace(
        fill=before.fill._replace(confirmed=True),
        told=Told(served_ms=MONDAY_7 + HOUR),
        shown=play.state.shown,
    )


def test_a_second_emptying_on_the_same_morning_is_one() -> None:
    """A container that filled again within the hours in which reports confirm what was seen."""
    play = full()
    play.tilt(MONDAY_7)
    play.level(4, MONDAY_7)
    play.level(95, MONDAY_7 + 30 * MINUTE)
    play.level(95, MONDAY_7 + HOUR)
    assert play.said.due
    play.serve(MONDAY_7 + 2 * HOUR)
    assert (play.state.fill.level, play.state.fill.emptied_ms) == (0.0, MONDAY_7 + 2 * HOUR)
    assert not play.said.due


def test_late_words_of_before_the_emptying_do_not_fill_it_again() -> None:
    """A word measured before the crew came and heard after its report decides nothing."""
    play = full()
    play.serve(MONDAY_7)
    play.hear(*full_word(93), at=MONDAY_7 + HOUR, measured=MONDAY_7 - MINUTE)
    assert (play.state.fill.level, play.said.due) == (0.0, False)


def full_word(level: float) -> tuple[Any, ...]:
    """A level as a reading."""
    return (Reading(Quantity.FILL_LEVEL, level),)


def test_a_stop_served_teaches_the_forecast_a_cycle() -> None:
    """Like an emptying that the sensor saw: the open cycle is closed, and what the crew left is no filling."""
    play = Play(RULE, fraction="residual")
    for hour in range(6 * 24):
        play.level(hour / 2, START + hour * HOUR)
    assert play.state.history.rates == ()
    play.serve(START + 6 * DAY)
    assert len(play.state.history.rates) == 1
    assert play.state.history.rates[0] == pytest.approx(12, rel=0.02)
    play.level(5, START + 6 * DAY + HOUR)
    play.level(6, START + 6 * DAY + 2 * HOUR)
    assert play.state.history.rise == pytest.approx(1)


def test_a_container_without_a_sensor_follows_its_reports() -> None:
    """Of a container that says nothing, the fixed cycle is counted from the crew's report."""
    play = Play(RULE, cycle_days=7, fraction="glass")
    play.give(Tick(START))
    play.serve(START + 2 * DAY + 8 * HOUR)
    found = {}
    for day in range(3, 14):
        play.give(Tick(START + day * DAY + 5 * HOUR))
        found[day] = (play.said.due, play.said.reason)
    assert found[6] == (False, "silent")
    assert found[9] == (True, "fixed_cycle")


# -- skipped ----------------------------------------------------------------------------------------------------------


def test_a_stop_skipped_stays_due_and_says_why_and_when() -> None:
    """Until it is emptied, whatever made it due before; in both languages."""
    play = Play(RULE, fraction="glass", fixed_days=["mon"], forecast=False)
    play.level(20, START + 6 * HOUR)
    assert play.said.reason == "fixed_day"
    play.skip(MONDAY_7, "not_accessible")
    said = play.said
    assert (said.due, said.reason, said.obligation) == (True, "skipped", "mandatory")
    assert said.skipped is not None
    assert (said.skipped.reason, said.skipped.time.timestamp() * 1000) == ("not_accessible", MONDAY_7)
    assert "am Mo 14.09. nicht geleert: nicht zugänglich, Füllstand 20 %" in said.text_de
    assert "not emptied on Mon 14 Sep: not accessible, fill level 20 %" in said.text_en
    assert play.level(21, MONDAY_7 + HOUR) == []
    play.ticks(START + 15 * HOUR, START + 2 * DAY, HOUR)
    play.level(22, START + 2 * DAY)
    assert (play.said.due, play.said.reason) == (True, "skipped")
    play.serve(START + 2 * DAY + 8 * HOUR)
    assert (play.said.due, play.said.skipped) == (False, None)


@pytest.mark.parametrize("how", ["told", "seen"])
def test_an_emptying_ends_what_was_left_out(how: str) -> None:
    """Told by a vehicle, be it in the same millisecond, or seen by the sensor alone."""
    play = full()
    play.skip(MONDAY_7)
    assert play.said.reason == "skipped"
    if how == "told":
        play.serve(MONDAY_7)
    else:
        play.tilt(MONDAY_7 + HOUR)
        play.level(3, MONDAY_7 + HOUR)
    assert (play.said.due, play.said.reason, play.said.skipped) == (False, "emptied", None)


@pytest.mark.parametrize("late", [False, True])
def test_a_crew_that_comes_again_ends_what_it_left_out(late: bool) -> None:
    """Also within the hours of an emptying that was seen before, and if the first report comes last."""
    play = full()
    play.tilt(MONDAY_7)
    play.level(3, MONDAY_7)
    if not late:
        play.skip(MONDAY_7 + 30 * MINUTE)
        assert play.said.due
    play.serve(MONDAY_7 + HOUR)
    if late:
        play.skip(MONDAY_7 + 30 * MINUTE)
    assert (play.said.due, play.said.skipped) == (False, None)


def test_a_stop_taken_back_is_due_again() -> None:
    """Served by mistake and then left out: it had to be emptied that day, and still has to."""
    play = full()
    play.serve(MONDAY_7)
    assert not play.said.due
    play.skip(MONDAY_7 + MINUTE)
    assert (play.said.due, play.said.reason) == (True, "skipped")


def test_a_skip_told_at_the_depot_after_the_tour_counts_for_that_day() -> None:
    """It had to be emptied on that day, and was not: due on the next tour, though nothing else makes it so."""
    play = Play(RULE, fraction="glass", fixed_days=["mon"], forecast=False)
    play.level(20, START + 6 * HOUR)
    play.give(Tick(START + 16 * HOUR))
    assert not play.said.due
    play.skip(MONDAY_7, "out_of_time")
    assert (play.said.due, play.said.reason) == (True, "skipped")
    other = Play(RULE, fraction="glass", fixed_days=["mon"], forecast=False)
    other.level(20, START + 6 * HOUR)
    other.give(Tick(START + DAY + 16 * HOUR))
    other.skip(START + DAY + 8 * HOUR, "out_of_time")
    assert (other.said.due, other.said.reason) == (False, "below_threshold")


def test_a_container_that_was_not_full_owes_nothing_and_says_so() -> None:
    """What made it due goes on deciding; the note stands in the text."""
    play = Play(RULE, fraction="glass", fixed_days=["mon"], forecast=False)
    play.level(20, START + 6 * HOUR)
    play.skip(MONDAY_7, "not_full")
    assert (play.said.reason, play.said.text_de[-42:]) == ("fixed_day", " (am Mo 14.09. nicht geleert: nicht voll).")
    play.give(Tick(START + 15 * HOUR))
    assert (play.said.due, play.said.reason) == (False, "below_threshold")


def test_an_optional_stop_left_out_becomes_no_duty() -> None:
    """Nothing had to be done: it stays what its level makes of it."""
    play = full(50)
    assert not play.said.due
    play.skip(MONDAY_7, "out_of_time")
    assert (play.said.due, play.said.skipped is not None) == (False, True)


@pytest.mark.parametrize("emptied", ["told", "seen"])
def test_a_late_skip_reopens_nothing(emptied: str) -> None:
    """A report older than the newest emptying changes neither the state nor what was said."""
    play = full()
    if emptied == "told":
        play.serve(MONDAY_7)
    else:
        play.tilt(MONDAY_7)
        play.level(3, MONDAY_7)
    before = play.state
    assert play.skip(MONDAY_7 - MINUTE) == []
    assert play.state is before


# -- waste beside it --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["served", "skipped", "reported"])
def test_waste_beside_it_makes_it_due_until_an_emptying_after_it(how: str) -> None:
    """Whoever says so, with whatever result; the emptying that left it there does not count."""
    play = full(10)
    if how == "served":
        play.serve(MONDAY_7, side_waste=True)
    elif how == "skipped":
        play.skip(MONDAY_7, "not_full", side_waste=True)
    else:
        reported(play, MONDAY_7)
    assert (play.said.due, play.said.reason) == (True, "side_waste")
    assert "am Mo 14.09. wurde Abfall daneben gemeldet" in play.said.text_de
    play.level(12, MONDAY_7 + 20 * MINUTE)
    play.level(30, START + DAY)
    assert play.said.reason == "side_waste"
    play.serve(START + DAY + 8 * HOUR)
    assert (play.said.due, play.said.reason) == (False, "emptied")


def test_an_emptying_seen_minutes_after_a_report_that_left_waste_is_the_same() -> None:
    """Vehicle and sensor have clocks of their own; the second visit on the same day ends it."""
    play = full()
    play.tilt(MONDAY_7 + 4 * MINUTE)
    play.level(3, MONDAY_7 + 5 * MINUTE)
    play.serve(MONDAY_7, side_waste=True)
    assert (play.said.due, play.said.reason) == (True, "side_waste")
    play.serve(MONDAY_7 + HOUR)
    assert (play.said.due, play.said.reason) == (False, "emptied")


@pytest.mark.parametrize("how", ["skipped", "reported"])
def test_an_emptying_minutes_after_any_other_report_takes_the_waste_along(how: str) -> None:
    """Only the report of an emptying can be about the very emptying that left it there."""
    play = full()
    if how == "skipped":
        play.skip(MONDAY_7, side_waste=True)
    else:
        reported(play, MONDAY_7)
    play.tilt(MONDAY_7 + 5 * MINUTE)
    play.level(3, MONDAY_7 + 5 * MINUTE)
    assert (play.said.due, play.said.reason) == (False, "emptied")


def test_a_persons_report_between_two_words_of_the_sensor_stays() -> None:
    """It was full at six, empty at ten: who reports waste beside it at nine may have come after the crew."""
    play = full(hold_s=0)
    reported(play, START + 9 * HOUR)
    play.level(3, START + 10 * HOUR)
    play.level(4, START + 11 * HOUR)
    assert play.state.fill.emptied_ms == START + 10 * HOUR
    assert play.said.reason == "side_waste"
    play.level(5, START + 12 * HOUR)
    assert play.said.reason == "side_waste"
    play.level(60, START + 30 * HOUR)
    play.level(60, START + 31 * HOUR)
    play.level(3, START + 32 * HOUR)
    play.level(4, START + 33 * HOUR)
    assert not play.said.due


def test_a_crew_that_left_it_out_saw_it_before_the_emptying() -> None:
    """Waste that it reported goes with the emptying that the sensor finds later, though no word lies in between."""
    play = full()
    play.skip(START + 9 * HOUR, side_waste=True)
    play.level(3, START + 10 * HOUR)
    play.level(4, START + 11 * HOUR)
    assert not play.said.due


def test_where_nothing_confirms_the_emptying_of_the_report_is_no_later_one() -> None:
    """With `tilt_confirms_s` 0 the waste that a crew left beside stays told."""
    play = full(tilt_confirms_s=0)
    play.serve(MONDAY_7, side_waste=True)
    assert (play.said.due, play.said.reason) == (True, "side_waste")


def test_a_container_never_heard_of_is_due_for_waste_beside_it() -> None:
    """The first thing that is known of it."""
    play = Play(RULE, cycle_days=7)
    play.give(Tick(START + 8 * HOUR))
    reported(play, START + 7 * HOUR)
    assert (play.said.due, play.said.reason) == (True, "side_waste")


# -- once, in any order -----------------------------------------------------------------------------------------------


def test_a_report_twice_changes_nothing() -> None:
    """Neither state nor events; its points are the same points."""
    for tell in (Play.serve, Play.skip):
        for beside in (False, True):
            play = full()
            tell(play, MONDAY_7, side_waste=beside)
            state, points = play.state, len(play.points)
            play.give(Tick(MONDAY_7 + HOUR))
            assert tell(play, MONDAY_7, side_waste=beside) == []
            assert play.state.told == state.told
            assert play.state.fill == state.fill
            assert play.points[-1] in play.points[:points]


@given(
    st.lists(
        st.tuples(st.sampled_from(["served", "skipped", "reported"]), st.integers(0, 40), st.booleans()),
        min_size=1,
        max_size=4,
        unique_by=lambda each: each[1],
    )
)
def test_reports_in_any_order_and_twice_lead_to_the_same(reports: list[tuple[str, int, bool]]) -> None:
    """What holds in the end does not depend on which came first."""
    ends = set()
    for order in permutations([*reports, reports[0]]):
        told, emptied_ms = Told(), 0
        for result, hour, beside in order:
            time_ms = START + hour * HOUR
            if result == "served":
                emptied_ms = max(emptied_ms, time_ms)
            said = TourFeedback(
                "bin-a",
                cast("Any", result),
                time_ms,
                reason="blocked" if result == "skipped" else None,
                side_waste=beside or result == "reported",
            )
            told = hear(told, said, emptied_ms, 3 * HOUR, owed=True)
        ends.add(told)
    assert len(ends) == 1


def test_the_vehicles_clock_may_be_ahead_of_rule_time() -> None:
    """In a backlog rule time stands behind: the report counts at its own time, and words until then are older."""
    play = full()
    play.serve(MONDAY_7)
    assert (play.state.fill.emptied_ms, play.said.due) == (MONDAY_7, False)
    play.level(95, MONDAY_7 - MINUTE)
    assert not play.said.due


# -- what is stored ---------------------------------------------------------------------------------------------------


def test_estimates_and_masses_are_points_and_decide_nothing() -> None:
    """Under `asset`, at the time of the stop; which vehicle it was stays out."""
    play = full()
    play.serve(MONDAY_7, fill_level=70.0, mass=41.5)
    point = next(each for each in play.points if ("stop_served", 1.0) in each.fields)
    assert point.time_ms == MONDAY_7
    assert {("fill_level_reported", 70.0), ("collected_mass", 41.5), ("side_waste", 0.0)} <= set(point.fields)
    assert "truck" not in str(point)
    play.skip(MONDAY_7 + HOUR, "damaged", fill_level=0.0)
    assert {("stop_served", 0.0), ("fill_level_reported", 0.0)} <= set(play.points[-1].fields)
    assert "collected_mass" not in dict(play.points[-1].fields)
    play.serve(MONDAY_7 + 3 * HOUR, mass=0.0)
    assert any(("collected_mass", 0.0) in point.fields for point in play.points)
    assert play.state.fill.level == 0.0


def test_the_event_names_no_vehicle_beside_its_evidence_and_goes_over_the_wire() -> None:
    """What is retained for everybody says when and why."""
    play = full()
    play.skip(MONDAY_7, "wrong_content")
    body = play.events[-1].payload()
    assert b"truck" not in body
    assert ContainerDue.model_validate_json(body) == play.events[-1]


def test_state_survives_being_kept() -> None:
    """With what was told; the rows of version 2, which knew nothing of that, are taken up."""
    play = full()
    play.skip(MONDAY_7, side_waste=True)
    kept = json.loads(json.dumps(dump(play.state)))
    setting = configure(asset(forecast=False, fraction="glass"))
    assert load(setting, RULE.version, kept) == play.state
    before = [*kept[:9], kept[9][:6]]
    taken = load(setting, 2, cast("Json", before))
    assert taken is not None
    assert taken.told == Told()
    assert (taken.fill, taken.due) == (play.state.fill, True)
    engine = Engine(City([asset(forecast=False, fraction="glass")]), [RULE])
    row = StateRow(RULE.id, "bin-a", 2, json.dumps({"config": "", "state": before}))
    assert engine.load([row]) == []
    assert cast("Container", engine.state(0)).fill == play.state.fill != Fill()


def test_every_reason_has_its_words() -> None:
    """In both languages."""
    assert set(SKIPPED) == set(get_args(SkipReason))


def test_nobody_hears_of_a_stop_that_is_not_there() -> None:
    """Neither of an unknown one nor by a rule that does not ask."""
    play = full()
    overlay = play.engine.overlay()
    assert not overlay.stop(TourFeedback("bin-b", "served", MONDAY_7))
    deaf = Engine(City([asset()]), [])
    assert not deaf.overlay().stop(TourFeedback("bin-a", "served", MONDAY_7))


# -- on the wire ------------------------------------------------------------------------------------------------------


def wire(**data: object) -> bytes:
    """Feedback with other data."""
    return json.dumps({**EVENT, "data": {**EVENT["data"], **data}}).encode()


def test_feedback_is_read_with_all_it_says() -> None:
    """Times with their offset, the optional parts; the topic names the vehicle, percent-encoded."""
    said = parse(wire(fill_level_estimate=80, side_waste=True), "truck-1").data
    assert (said.stop, said.result, said.reason, said.time_ms) == ("bin-a", "served", None, START + 9 * HOUR)
    assert (said.fill_level_estimate, said.mass_kg, said.side_waste) == (80.0, 41.5, True)
    assert vehicle_of("stadtfunk/v1/waste/vehicle/HAM%2FAS 12/stop") == "HAM/AS 12"
    assert vehicle_of("stadtfunk/v1/waste/vehicle/truck-1/route") is None


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        (b"{", "feedback: Invalid JSON"),
        (b"x" * (MAX_BYTES + 1), "65537 bytes, expected 65536 at most"),
        (wire(result="done"), "data.result: Input should be 'served' or 'skipped'"),
        (wire(result="skipped", mass_kg=None), "result is skipped and reason None"),
        (wire(reason="blocked"), "result is served and reason blocked"),
        (wire(result="skipped", reason="blocked"), "result is skipped and mass_kg a number"),
        (wire(result="skipped", reason="no wish", mass_kg=None), "data.reason: Input should be"),
        (wire(time="2026-09-14T09:00:00"), "data.time: Input should have timezone info"),
        (wire(fill_level_estimate=101), "data.fill_level_estimate"),
        (wire(mass_kg=-1), "data.mass_kg"),
        (wire(stop=""), "data.stop"),
        (wire(fill_level_estimate=float("nan")), "data.fill_level_estimate"),
    ],
)
def test_what_is_no_feedback_is_named(payload: bytes, complaint: str) -> None:
    """Field and fault, in one line."""
    with pytest.raises(FeedbackError) as refused:
        parse(payload, "truck-1")
    assert str(refused.value).startswith(complaint) or complaint in str(refused.value)
    assert not refused.value.surplus


@pytest.mark.parametrize("payload", [wire(driver="A. Muster"), json.dumps({**EVENT, "driver": "A. Muster"}).encode()])
def test_what_nobody_asked_for_is_refused_and_not_repeated(payload: bytes) -> None:
    """A name that a vehicle's computer adds: neither taken nor in the complaint."""
    with pytest.raises(FeedbackError, match="driver: Extra inputs are not permitted") as refused:
        parse(payload, "truck-1")
    assert refused.value.surplus
    assert "Muster" not in str(refused.value)


def test_a_subject_is_the_vehicle_or_the_stop() -> None:
    """Anything else may be whoever drives."""
    for subject in (None, "truck-1", "bin-a"):
        assert parse(json.dumps({**EVENT, "subject": subject}).encode(), "truck-1").subject == subject
    with pytest.raises(FeedbackError, match="neither the vehicle of the topic nor the stop") as refused:
        parse(json.dumps({**EVENT, "subject": "A. Muster"}).encode(), "truck-1")
    assert refused.value.surplus
