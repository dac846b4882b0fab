"""Whether a container is due, driven through the engine."""

import json
from itertools import pairwise
from typing import cast

import pytest

from decoders.measurement import Reading
from decoders.quantity import Privacy, Quantity
from rules.asset import CityError
from rules.event import EPOCH, MILLISECOND
from rules.event_waste import ContainerDue
from rules.rule import Json, StateRow
from rules.waste.collection_due import RULE, Container, dump, initial, load
from rules.waste.due_config import configure
from rules.waste.forecast import from_model_1
from tests.rules.waste.bins import DAY, HOUR, START, Play, asset


def learned(per_day: float = 10.0, days: int = 28, cycle: int = 7, **properties: object) -> tuple[Play, int]:
    """A container of which four weeks are known; it was emptied on the Monday morning at which it begins again."""
    play = Play(RULE, **{"fraction": "residual", **properties})
    end = play.weeks(per_day, days, cycle)
    play.tilt(end + 9 * HOUR)
    play.level(0.0, end + 10 * HOUR)
    return play, end


def ms(time: object) -> int:
    """A time of an event."""
    return (time - EPOCH) // MILLISECOND  # type: ignore[operator, no-any-return] # times of events are there


# -- without a forecast -----------------------------------------------------------------------------------------------


def test_without_a_forecast_it_is_due_from_the_threshold_until_an_emptying() -> None:
    """80 % makes it due; in between it stays what it was, until two words say that it is empty."""
    play, found = Play(forecast=False), []
    for hour, level in enumerate((79.9, 80, 61, 45, 3, 3.5)):
        play.level(level, START + hour * HOUR)
        found.append((play.said.due, play.said.reason))
    over, no = (True, "over_threshold"), (False, "below_threshold")
    assert found == [no, over, over, over, over, (False, "emptied")]
    assert all(event.data.forecast is None for event in play.events)


def test_the_event_says_since_when_and_on_what() -> None:
    """`since` is when it became due; evidence carries level, limits and device; JSON and back it is equal."""
    play = Play(threshold_percent=70, cleared_percent=20, fraction="paper")
    play.level(75, START)
    data = play.said
    assert (ms(data.since), data.fill_level, data.threshold, data.fraction) == (START, 75.0, 70.0, "paper")
    evidence = data.evidence[0]
    assert (evidence.value, evidence.unit, evidence.threshold, evidence.hysteresis) == (75.0, "%", 70.0, 50.0)
    assert (evidence.sources, evidence.n_samples) == (("d0",), 1)
    assert play.events[-1].topic == "stadtfunk/v1/waste/container/bin-a/due"
    assert ContainerDue.model_validate_json(play.events[-1].payload()) == play.events[-1]


def test_until_enough_is_known_the_threshold_holds() -> None:
    """Two days of levels; from then on the forecast decides."""
    play = Play(fraction="glass")
    for hour in range(72):
        play.level(20 + hour / 24, START + hour * HOUR)
    told = [event.data.forecast is not None for event in play.events]
    assert (told[0], told[-1]) == (False, True)
    assert told == sorted(told)


# -- with a forecast --------------------------------------------------------------------------------------------------


def test_mandatory_when_it_may_be_full_before_the_tour_after_next() -> None:
    """10 % a day; at 86 % on a Tuesday it would overflow by Thursday with more than 5 %: due for Wednesday."""
    play, monday = learned()
    tuesday = monday + DAY + 20 * HOUR
    for hour, level in enumerate((20, 45, 70, 86)):
        play.level(level, tuesday + (hour - 3) * 3 * HOUR)
    data = play.said
    assert (data.due, data.obligation, data.reason) == (True, "mandatory", "forecast_full")
    assert ms(data.next_tour) == monday + 2 * DAY + 6 * HOUR
    assert ms(data.tour_after) == monday + 3 * DAY + 6 * HOUR
    assert data.forecast is not None
    assert ms(data.forecast.full_p05) < monday + 3 * DAY + 15 * HOUR
    assert data.forecast.full_p05 <= data.forecast.full_p50 <= data.forecast.full_p95
    assert (data.forecast.cycles, data.forecast.risk > 0.05) == (4, True)
    assert data.text_de.startswith("Am Mi 14.10. leeren: Füllstand 86 %, rund 1")
    assert data.text_en.startswith("Empty on Wed 14 Oct: fill level 86 %, about 1")
    assert "voraussichtlich voll am Do 15.10.; bis zur übernächsten Tour am Do 15.10. ist er mit" in data.text_de


def test_before_a_weekend_it_is_due_at_a_lower_level() -> None:
    """60 % is no hurry on a Tuesday; on a Friday the tour after is on Monday, and one may come too late."""
    said = []
    for day in (1, 3):
        play, monday = learned(per_day=11)
        for hour, level in enumerate((20, 45, 62)):
            play.level(level, monday + day * DAY + (14 + 3 * hour) * HOUR)
        said.append(play.said.obligation)
    assert said == ["optional", "mandatory"]


def test_optional_with_a_prize_that_grows_with_level_and_risk() -> None:
    """Below 40 % nothing; then euros, more with each step, no longer once it is mandatory."""
    play, monday = learned()
    prizes, seen = [], []
    for step, level in enumerate((10, 30, 45, 55, 65)):
        play.level(level, monday + DAY + (step + 8) * HOUR)
        prizes.append(play.said.prize_eur)
        seen.append(play.said.obligation)
    assert seen == ["none", "none", "optional", "optional", "optional"]
    assert prizes[:2] == [None, None]
    paid = [prize for prize in prizes if prize is not None]
    assert all(one < other for one, other in pairwise(paid))
    assert not play.said.due
    assert "falls es auf dem Weg liegt" in play.said.text_de


def test_noise_around_the_optional_level_says_nothing_new() -> None:
    """Optional from 40 % on, until it falls under 35 %."""
    play, monday = learned()
    seen = []
    for step, level in enumerate((30, 40, 39, 41, 36, 34)):
        play.level(level, monday + DAY + (step + 8) * HOUR)
        seen.append(play.said.obligation)
    assert seen == ["none", "optional", "optional", "optional", "optional", "none"]


def test_above_the_overflow_level_it_is_due_whatever_is_foretold() -> None:
    """95 %: it is as good as full."""
    play, monday = learned(per_day=2, days=35, cycle=28, longest_days=60)
    play.level(30, monday + 12 * HOUR)
    play.level(70, monday + 16 * HOUR)
    play.level(71, monday + 17 * HOUR)
    assert play.said.obligation == "optional"
    play.level(95, monday + 20 * HOUR)
    assert (play.said.reason, play.said.due) == ("over_threshold", True)


def test_once_due_for_a_tour_it_stays_due_for_it() -> None:
    """A level that falls by some points does not take back what the depot was told for that tour."""
    play, monday = learned()
    for hour, level in enumerate((40, 68, 90)):
        play.level(level, monday + 2 * DAY + (hour + 8) * HOUR)
    assert (play.said.due, play.said.reason) == (True, "forecast_full")
    for hour, level in enumerate((86, 80, 70, 60)):
        play.level(level, monday + 2 * DAY + (hour + 11) * HOUR)
    assert (play.said.due, play.said.reason) == (True, "forecast_full")
    assert "Am Mi 14.10. leeren: für diese Tour schon gemeldet, Füllstand" in play.said.text_de
    play.tilt(monday + 2 * DAY + 14 * HOUR + 1)
    play.level(4, monday + 2 * DAY + 14 * HOUR + 60_000)
    assert (play.said.due, play.said.reason, play.said.emptying_confirmed) == (False, "emptied", True)
    assert ms(play.said.next_tour) == monday + 3 * DAY + 6 * HOUR


def test_a_new_tour_is_said_without_any_uplink() -> None:
    """When a tour is over the next one is told, by a tick alone."""
    play = Play(forecast=False, silent_s=20 * 86_400)
    play.level(10, START + 12 * HOUR)
    (event,) = play.ticks(START + 14 * HOUR, START + 16 * HOUR)
    assert isinstance(event, ContainerDue)
    assert (event.time_ms, ms(event.data.next_tour)) == (START + 15 * HOUR, START + DAY + 6 * HOUR)
    brief = Play(forecast=False, silent_s=6 * 3600)
    brief.level(10, START + 12 * HOUR)
    assert [event.time_ms for event in brief.ticks(START + 14 * HOUR, START + 16 * HOUR)] == [START + 15 * HOUR]


# -- other reasons ----------------------------------------------------------------------------------------------------


def test_too_long_since_the_last_emptying() -> None:
    """Three days for this one: on the tour after which a fourth day would come; the heat shortens it."""
    cool = Play(forecast=False, longest_days=4, longest_days_hot=2)
    hot = Play(forecast=False, longest_days=4, longest_days_hot=2)
    reasons = []
    for play, temperature in ((cool, 20.0), (hot, 26.0)):
        for hour in range(72):
            readings = (Reading(Quantity.FILL_LEVEL, 10.0), Reading(Quantity.AIR_TEMPERATURE, temperature))
            play.hear(*readings, at=START + hour * HOUR)
        due = [event for event in play.events if event.data.due]
        reasons.append([(event.data.reason, event.time_ms - START) for event in due[:1]])
    assert reasons == [[("too_long", 63 * HOUR)], [("too_long", 15 * HOUR)]]
    assert "nicht geleert" in hot.said.text_de


def test_a_fixed_day_and_a_place_that_is_never_skipped() -> None:
    """Wednesday's tour is told after Tuesday's; never skipped means each tour."""
    fixed, never = Play(forecast=False, fixed_days=["wed"]), Play(forecast=False, never_skip=True)
    said = []
    for play in (fixed, never):
        for hour in range(12, 96, 6):
            play.level(10, START + hour * HOUR)
        said.append([(event.data.reason, event.data.due) for event in play.events if event.data.due])
    assert set(said[0]) == {("fixed_day", True)}
    assert {ms(event.data.next_tour) for event in fixed.events if event.data.due} == {START + 2 * DAY + 6 * HOUR}
    assert len(said[1]) == len(never.events)


def test_waste_beside_it_makes_it_due_until_it_is_emptied() -> None:
    """A report in the city file counts unless it is older than the newest emptying."""
    play = Play(forecast=False, side_waste_at="2026-09-14T01:30:00+02:00")
    play.level(30, START + HOUR)
    assert not play.said.due
    play.level(31, START + 2 * HOUR)
    assert (play.said.due, play.said.reason) == (True, "side_waste")
    assert "am Mo 14.09. wurde Abfall daneben gemeldet" in play.said.text_de
    play.tilt(START + 7 * HOUR)
    play.level(2, START + 8 * HOUR)
    assert (play.said.due, play.said.reason) == (False, "emptied")


# -- silence ----------------------------------------------------------------------------------------------------------


def test_silence_is_said_and_keeps_what_was_due() -> None:
    """The last known `due` stays, without a level, and is renewed so that it never expires."""
    play = Play(forecast=False)
    play.level(85, START)
    events = [event for event in play.ticks(START, START + 72 * HOUR) if isinstance(event, ContainerDue)]
    silent = [event for event in events if event.data.reason == "silent"]
    assert silent[0].time_ms - START == 48 * HOUR
    assert (silent[0].data.due, silent[0].data.fill_level) == (True, None)
    assert all(after.time_ms <= before.valid_until_ms for before, after in pairwise(play.events))
    play.level(85, START + 73 * HOUR)
    assert (play.said.due, play.said.reason, play.said.fill_level) == (True, "over_threshold", 85.0)


def test_an_unknown_sensor_stays_in_its_fixed_cycle() -> None:
    """Never heard, every seven days from when it is known: due for Monday's tour only, and for the next Monday's."""
    play = Play(cycle_days=7)
    play.ticks(START + 8 * HOUR, START + 15 * DAY)
    due = [event for event in play.events if event.data.due]
    assert {event.data.reason for event in due} == {"fixed_cycle"}
    assert {ms(event.data.next_tour) - START for event in due} == {7 * DAY + 6 * HOUR, 14 * DAY + 6 * HOUR}
    assert play.events[0].data.reason == "silent"
    assert "noch nie ein Füllstand" in play.events[0].data.text_de
    assert all(after.time_ms <= before.valid_until_ms for before, after in pairwise(play.events))


def test_a_silent_container_is_still_emptied_every_cycle() -> None:
    """A sensor that fell silent at 10 % does not keep the truck away."""
    play = Play(cycle_days=3, longest_days=4, forecast=False)
    play.tilt(START)
    play.level(10, START + HOUR)
    play.ticks(START + HOUR, START + 8 * DAY)
    tours = {ms(event.data.next_tour) for event in play.events if event.data.due}
    assert tours == {START + 3 * DAY + 6 * HOUR, START + 7 * DAY + 6 * HOUR}


def test_what_a_forecast_made_due_stays_due_in_silence() -> None:
    """The sensor fell silent at 90 %; nobody knows of an emptying."""
    play, monday = learned()
    for hour, level in enumerate((40, 68, 90)):
        play.level(level, monday + 2 * DAY + (hour + 8) * HOUR)
    assert play.said.reason == "forecast_full"
    play.ticks(monday + 3 * DAY, monday + 6 * DAY, HOUR)
    assert (play.said.due, play.said.reason, play.said.fill_level) == (True, "silent", None)


def test_silence_is_said_where_nothing_else_changes() -> None:
    """A container on every tour: the event must not go on naming a level, and names the next one at once."""
    play = Play(forecast=False, never_skip=True, silent_s=3600)
    play.level(40, START + 16 * HOUR)
    (event,) = play.ticks(START + 16 * HOUR, START + 18 * HOUR)
    assert isinstance(event, ContainerDue)
    assert (event.time_ms, event.data.fill_level, event.data.due) == (START + 17 * HOUR, None, True)
    play.level(41, START + 19 * HOUR)
    assert (play.events[-1].time_ms, play.said.fill_level) == (START + 19 * HOUR, 41.0)


# -- news -------------------------------------------------------------------------------------------------------------


def test_an_event_is_renewed_at_half_its_validity_and_never_outlives_its_news() -> None:
    """Valid 24 h, said again in time while news flow; silence of an hour ends the validity, however long it is."""
    play = Play(forecast=False)
    for hour in range(49):
        play.level(10.0, START + hour * HOUR)
    assert all(before.valid_until_ms - after.time_ms >= 12 * HOUR for before, after in pairwise(play.events))
    assert len(play.events) <= 8
    brief = Play(silent_s=3600)
    brief.level(10, START)
    assert brief.events[0].valid_until_ms == START + HOUR


def test_late_data_reopen_nothing() -> None:
    """A full level measured before the newest one used changes nothing."""
    play = Play()
    play.level(10, START)
    play.level(10, START + HOUR)
    before = play.state
    assert play.hear(Reading(Quantity.FILL_LEVEL, 95.0), at=START + 2 * HOUR, measured=START) == []
    assert play.state == before
    assert len(play.points) == 2


def test_levels_and_what_was_learned_are_derived_points() -> None:
    """Under `asset` at measurement time; with a forecast hours to full, rate, factors, and the model's version."""
    play = Play(depth_mm=1000)
    play.hear(Reading(Quantity.DISTANCE, 250.0), at=START, measured=START - 5)
    (point,) = play.points
    assert (point.measurement, point.time_ms, point.privacy) == ("asset", START - 5, Privacy.OPEN)
    assert dict(point.fields).keys() == {"latitude", "longitude", "fill_level"}
    assert dict(point.fields)["fill_level"] == 75.0
    wise, _ = learned()
    fields = dict(wise.points[-1].fields)
    assert fields["forecast_version"] == 2
    assert fields["fill_rate"] == pytest.approx(10, abs=1)
    times = [float(fields[f"hours_to_full{each}"]) for each in ("_p05", "", "_p95")]
    assert times == sorted(times)
    assert times[1] == pytest.approx(240, rel=0.1)
    assert fields["forecast_cycles"] == 4
    assert {f"weekday_factor_{day}" for day in ("mon", "sun")} <= fields.keys()


def test_a_distance_without_depth_is_a_failure_that_names_the_property() -> None:
    """The rule says what the city file lacks instead of staying silent."""
    play = Play()
    assert play.hear(Reading(Quantity.DISTANCE, 500.0), at=START) == []
    assert "'bin-a': property 'depth_mm' is missing" in play.failures[0].error


def test_an_odd_word_is_told_with_the_level_that_counts() -> None:
    """A jump that waits for its second word is in the next event, in words, too."""
    play = Play(forecast=False, silent_s=20 * 86_400)
    play.level(30, START + 12 * HOUR)
    play.level(90, START + 14 * HOUR)
    play.ticks(START + 14 * HOUR, START + 15 * HOUR)
    assert (play.said.odd, play.said.fill_level) == ("held_rise", 30.0)
    assert "noch nicht bestätigt" in play.said.text_de


# -- parameters and state ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"depth_mm": "deep"}, "'depth_mm' is 'deep', expected a number from 50 to 20000"),
        ({"threshold_percent": 0}, "'threshold_percent' is 0"),
        ({"cleared_percent": 80}, "'cleared_percent' is 80, expected less than threshold_percent (80)"),
        ({"silent_s": 1}, "'silent_s' is 1"),
        ({"fraction": 3}, "'fraction' is 3, expected text"),
        ({"forecast": "no"}, "'forecast' is 'no', expected true or false"),
        ({"service_days": []}, "'service_days' is [], expected at least one day of the week"),
        ({"service_days": ["monday"]}, "'service_days' is ['monday'], expected a list of mon, tue"),
        ({"service_from": "6"}, "'service_from' is '6'"),
        ({"service_from": "15:00"}, "'service_until' is '15:00', expected another time than service_from"),
        ({"longest_days": 3, "longest_days_hot": 4}, "'longest_days_hot' is 4, expected at most longest_days (3)"),
        ({"side_waste_at": "2026-09-14"}, "'side_waste_at' is '2026-09-14', expected a time with its offset"),
        ({"timezone": "Hamm"}, "'timezone' is 'Hamm'"),
    ],
)
def test_wrong_parameters_are_named(properties: dict[str, object], complaint: str) -> None:
    """The error names the feature, the property and what was expected."""
    with pytest.raises(CityError, match="feature 'bin-a'") as caught:
        configure(asset(**properties))
    assert complaint in str(caught.value)


def test_state_survives_being_kept() -> None:
    """Dumped to JSON and loaded it is equal; a later version's state is not taken up; it stays under three kB."""
    play, _ = learned(days=70)
    for state in (play.state, initial(configure(asset()))):
        text = json.dumps(dump(state))
        kept = cast("Json", json.loads(text))
        assert load(configure(asset()), RULE.version, kept) == state
        assert load(configure(asset()), RULE.version + 1, kept) is None
        assert len(text) < 3000


def test_the_state_of_version_1_is_taken_up() -> None:
    """A container that was due stays due, and its level counts; the next word goes on from there."""
    before = {
        "measured_ms": START,
        "fill_level": 70.0,
        "source": "d0",
        "due": True,
        "since_ms": START - HOUR,
        "reason": "over_threshold",
        "shown": {"due": True, "reason": "over_threshold", "valid_until_ms": START + 12 * HOUR},
    }
    body = json.dumps({"config": "00000000", "state": before})
    play = Play()
    assert play.engine.load([StateRow(RULE.id, "bin-a", 1, body)]) == []
    assert play.state == Container(
        fill=play.state.fill, due=True, reason="over_threshold", due_ms=START - HOUR, latched=True
    )
    play.level(71, START + HOUR)
    assert (play.said.due, play.said.reason, ms(play.said.since)) == (True, "over_threshold", START - HOUR)
    never = {**before, "measured_ms": 0, "fill_level": None, "due": False, "reason": "silent", "shown": None}
    assert load(configure(asset()), 1, cast("Json", never)) == Container(
        fill=initial(configure(asset())).fill._replace(source="d0"), reason="silent", due_ms=START - HOUR
    )


@pytest.mark.parametrize("version", [2, 3])
def test_the_state_of_version_3_goes_on_with_what_it_learned_in_pieces(version: int) -> None:
    """Everything else stays; version 4 takes its own as it is."""
    play, _ = learned(days=70)
    kept = cast("Json", json.loads(json.dumps(dump(play.state))))
    history = from_model_1(play.state.history)
    assert history != play.state.history
    assert load(configure(asset()), version, kept) == play.state._replace(history=history)
