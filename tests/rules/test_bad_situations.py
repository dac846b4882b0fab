"""What bad situations get, in every domain: where each is tested, and the tests that no single rule owns."""

import ast
from itertools import product
from pathlib import Path

import pytest

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.asset import Asset, Assignment, CityError
from rules.catalog import RULES
from rules.city import City
from rules.engine import Engine
from rules.event import LotState
from rules.event_parking import ParkingGuidance
from rules.parking import guidance, lot_state
from rules.rule import AnyRule, Observation
from rules.traffic import bus_priority, green_wave, signal_plan
from rules.traffic.link import link
from tests.rules.test_fresh_requests import city
from tests.rules.traffic.town import MINUTE, TOTAL, Play, town

HERE = Path(__file__).parent
DOMAINS = ("traffic", "parking", "environment", "waste")
SITUATIONS = ("stuck", "silent", "jumping", "delayed", "reset", "clock", "contradicting", "city_file")
OWN = "test_bad_situations.py"
WHERE: dict[tuple[str, str], tuple[str, ...]] = {
    ("traffic", "stuck"): (
        "traffic/test_signal_plan.py::test_a_stuck_detector_stops_the_choice",
        "traffic/test_measured.py::test_a_count_that_stands_still_is_stuck",
        "traffic/test_measured.py::test_nothing_for_hours_is_stuck",
        f"{OWN}::test_detectors_that_cannot_be_trusted_ask_for_nothing",
    ),
    ("traffic", "silent"): (
        "traffic/test_signal_plan.py::test_two_silent_detectors_end_all_requests",
        "traffic/test_signal_plan.py::test_one_silent_direction_is_enough_to_stop",
        "traffic/test_green_wave.py::test_silence_ends_all_requests",
        "traffic/test_bus_priority.py::test_old_news_ask_for_nothing",
        "traffic/test_queue_warning.py::test_a_warning_without_news_is_taken_back",
    ),
    ("traffic", "jumping"): (
        "traffic/test_signal_plan.py::test_a_jump_beyond_what_lanes_carry_is_passed_over",
        "traffic/test_measured.py::test_doubtful_and_impossible_counts_are_said_so",
        f"{OWN}::test_detectors_that_cannot_be_trusted_ask_for_nothing",
    ),
    ("traffic", "delayed"): (
        "traffic/test_signal_plan.py::test_counts_delayed_by_an_hour_ask_for_nothing",
        "traffic/test_measured.py::test_news_delayed_by_an_hour_are_stored_and_not_said",
        f"{OWN}::test_detectors_that_cannot_be_trusted_ask_for_nothing",
    ),
    ("traffic", "reset"): (
        "traffic/test_signal_plan.py::test_a_counter_reset_in_the_middle_is_no_traffic",
        "traffic/test_measured.py::test_after_a_reset_the_next_interval_counts_again",
        f"{OWN}::test_a_counter_that_begins_again_asks_for_nothing",
    ),
    ("traffic", "clock"): (
        "traffic/test_measured.py::test_late_and_early_clocks_change_nothing",
        f"{OWN}::test_detectors_that_cannot_be_trusted_ask_for_nothing",
    ),
    ("traffic", "contradicting"): (
        "traffic/test_signal_plan.py::test_two_devices_that_contradict_each_other_stop_the_choice",
        "traffic/test_measured.py::test_two_devices_that_contradict_each_other_are_said_so",
        f"{OWN}::test_detectors_that_cannot_be_trusted_ask_for_nothing",
    ),
    ("traffic", "city_file"): (
        "traffic/test_signal_plan.py::test_groups_that_cannot_be_trusted_are_refused",
        "traffic/test_signal_plan.py::test_a_junction_without_the_plan_refuses_its_group",
        "traffic/test_green_wave.py::test_a_programme_that_a_member_lacks_is_not_asked_for",
        "traffic/test_bus_priority.py::test_without_a_timetable_the_rule_is_off_and_says_so",
    ),
    ("parking", "stuck"): (
        "parking/test_space_days.py::test_a_space_that_stays_taken_while_its_neighbours_change_is_suspected",
        "parking/test_counters.py::test_a_stuck_counter_ends_as_unknown_not_as_free",
        f"{OWN}::test_a_stuck_sensor_of_a_space_goes_on_counting",
    ),
    ("parking", "silent"): (
        "parking/test_lot_state.py::test_fifteen_minutes_without_news_make_it_unknown_by_ticks_alone",
        "parking/test_counters.py::test_one_silent_counter_of_two_makes_it_unknown",
        "parking/test_guidance.py::test_silence_ends_recommendations_after_a_quarter_of_an_hour",
    ),
    ("parking", "jumping"): (
        "parking/test_counters.py::test_a_count_that_jumps_is_not_believed",
        f"{OWN}::test_a_lot_that_jumps_is_guided_by_its_newest_word",
    ),
    ("parking", "delayed"): (
        "parking/test_lot_state.py::test_late_data_reopen_nothing",
        "parking/test_counters.py::test_counts_delayed_by_an_hour_make_nothing_known",
        "parking/test_guidance.py::test_delayed_news_recommend_nothing",
    ),
    ("parking", "reset"): (
        "parking/test_counters.py::test_a_counter_reset_in_the_middle_counts_from_zero_and_widens_the_uncertainty",
        f"{OWN}::test_a_counter_reset_leaves_guidance_to_the_sensors",
    ),
    ("parking", "clock"): (
        "parking/test_lot_state.py::test_a_clock_far_ahead_moves_nothing",
        "parking/test_counters.py::test_a_clock_far_ahead_moves_nothing",
        f"{OWN}::test_wrong_clocks_of_a_lot_guide_nobody",
    ),
    ("parking", "contradicting"): (
        "parking/test_counters.py::test_sensors_and_counters_that_contradict_each_other_are_taken_at_the_fuller_figure",
        "parking/test_space_days.py::test_a_sensor_that_contradicts_the_counters_is_suspected",
        "parking/test_guidance.py::test_it_reads_the_news_of_a_lot_with_counters_by_the_older_of_both",
    ),
    ("parking", "city_file"): (
        "parking/test_guidance_engine.py::test_a_zone_that_names_a_lot_which_is_not_there_is_refused",
        "parking/test_guidance.py::test_wrong_parameters_are_named",
    ),
    ("environment", "stuck"): (
        "environment/test_air_quality.py::test_a_stuck_sensor_is_left_out",
        "environment/test_ice.py::test_a_stuck_sensor_is_left_out",
    ),
    ("environment", "silent"): (
        "environment/test_gauge.py::test_silence_ends_the_alert",
        "environment/test_gust.py::test_silence_ends_the_alert",
        "environment/test_heat.py::test_silence_ends_the_alert",
        "environment/test_heavy_rain.py::test_silence_ends_the_alert_for_want_of_data",
        "environment/test_ice.py::test_silence_ends_the_alert",
        "environment/test_noise.py::test_silence_ends_the_alert",
        "environment/test_tree_watering.py::test_silence_breaks_the_day_and_ends_the_alert",
    ),
    ("environment", "jumping"): (
        "environment/test_air_quality.py::test_a_single_jump_does_not_make_an_hour",
        "environment/test_gauge.py::test_a_single_wrong_echo_raises_nothing",
        "environment/test_heavy_rain.py::test_a_jump_that_cannot_be_is_not_used",
        "environment/test_gust.py::test_a_gust_must_fit_its_wind",
        "environment/test_tree_watering.py::test_a_jump_decides_nothing",
    ),
    ("environment", "delayed"): (
        "environment/test_air_quality.py::test_readings_delayed_by_an_hour_decide_nothing",
        "environment/test_gauge.py::test_late_and_wrongly_timed_levels_are_not_used",
        "environment/test_heavy_rain.py::test_late_and_wrongly_timed_rain_raises_nothing_new",
    ),
    ("environment", "reset"): ("environment/test_heavy_rain.py::test_a_counter_reset_is_no_rain",),
    ("environment", "clock"): (
        "environment/test_air_quality.py::test_a_wrong_clock_decides_nothing",
        "environment/test_ice.py::test_late_and_wrongly_timed_readings_are_not_used",
        "environment/test_gust.py::test_late_and_wrongly_timed_gusts_are_not_used",
        "environment/test_noise.py::test_late_and_wrongly_timed_readings_are_not_used",
        "environment/test_limits.py::test_late_and_wrongly_timed_readings_count_nothing",
    ),
    ("environment", "contradicting"): (
        "environment/test_gauge.py::test_devices_that_contradict_are_flagged",
        "environment/test_heavy_rain.py::test_of_two_gauges_the_highest_counts_and_is_flagged",
        "environment/test_ice.py::test_the_coldest_of_two_counts_and_is_flagged",
        "environment/test_noise.py::test_devices_that_contradict_are_flagged",
        "environment/test_tree_watering.py::test_devices_at_one_depth_that_contradict_are_flagged",
    ),
    ("environment", "city_file"): (
        "environment/test_gauge.py::test_without_information_values_there_are_only_points",
        "environment/test_noise.py::test_without_an_area_there_is_no_comparison",
        f"{OWN}::test_places_that_name_what_is_not_there_are_refused",
    ),
    ("waste", "stuck"): (
        "waste/test_bad_sensors.py::test_a_level_that_stands_still_is_emptied_when_it_has_been_too_long",
        "waste/test_bad_sensors.py::test_levels_that_are_doubted_are_no_levels",
        "waste/test_bad_sensors.py::test_a_warm_thermometer_that_stands_still_is_no_fire",
    ),
    ("waste", "silent"): (
        "waste/test_collection_due.py::test_silence_is_said_and_keeps_what_was_due",
        "waste/test_collection_due.py::test_an_unknown_sensor_stays_in_its_fixed_cycle",
        "waste/test_feedback.py::test_a_container_without_a_sensor_follows_its_reports",
        "waste/test_fire.py::test_silence_ends_it_and_says_what_that_means",
    ),
    ("waste", "jumping"): (
        "waste/test_fill.py::test_a_bag_before_the_sensor_moves_nothing",
        "waste/test_bad_sensors.py::test_a_level_that_jumps_is_neither_full_nor_empty",
        "waste/test_fire.py::test_a_doubtful_heat_is_heard",
    ),
    ("waste", "delayed"): (
        "waste/test_collection_due.py::test_late_data_reopen_nothing",
        "waste/test_bad_sensors.py::test_levels_delayed_by_an_hour_decide_in_the_order_of_their_measurement",
        "waste/test_feedback.py::test_a_late_skip_reopens_nothing",
        "waste/test_fire.py::test_wrong_clocks_and_late_words_change_nothing",
    ),
    ("waste", "reset"): (
        "waste/test_fill.py::test_one_echo_from_below_is_no_emptying",
        "waste/test_bad_sensors.py::test_a_sensor_that_begins_again_at_zero_is_emptied_when_it_has_been_too_long",
    ),
    ("waste", "clock"): (
        "waste/test_bad_sensors.py::test_a_clock_that_is_ahead_decides_nothing",
        "waste/test_feedback.py::test_the_vehicles_clock_may_be_ahead_of_rule_time",
        "waste/test_fire.py::test_wrong_clocks_and_late_words_change_nothing",
    ),
    ("waste", "contradicting"): (
        "waste/test_bad_sensors.py::test_two_sensors_that_contradict_each_other_are_told_of",
        "waste/test_bad_sensors.py::test_a_crew_that_contradicts_the_sensor_is_believed_until_two_words_say_otherwise",
        "waste/test_bad_sensors.py::test_of_two_thermometers_the_hotter_one_raises_the_alert",
    ),
    ("waste", "city_file"): (
        "waste/test_collection_due.py::test_wrong_parameters_are_named",
        "waste/test_collection_due.py::test_a_distance_without_depth_is_a_failure_that_names_the_property",
        "waste/test_fire.py::test_wrong_parameters_are_named",
    ),
}
"""Where it is said what a situation gets; old data in general: test_fresh_requests.py."""


@pytest.mark.parametrize("situation", list(product(DOMAINS, SITUATIONS)), ids=" ".join)
def test_every_situation_of_every_domain_is_tested(situation: tuple[str, str]) -> None:
    """The table names tests that are there, at least one for each."""
    assert WHERE[situation]
    for place in WHERE[situation]:
        file, _, name = place.partition("::")
        tree = ast.parse((HERE / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, place


TRAFFIC: list[AnyRule] = [signal_plan.RULE, green_wave.RULE, bus_priority.RULE]


def calm(rule: AnyRule) -> Play:
    """A town in which nothing is asked for: little traffic, or a policy that was asked for and answered long ago."""
    play = city(rule)
    play.flow(35, 70, 70)
    play.tick(30)
    play.events.clear()
    return play


@pytest.mark.parametrize("rule", TRAFFIC, ids=lambda rule: rule.id)
@pytest.mark.parametrize("situation", ["sound", "stuck", "jumping", "late", "ahead", "behind", "contradicting"])
def test_detectors_that_cannot_be_trusted_ask_for_nothing(rule: AnyRule, situation: str) -> None:
    """A peak by sound detectors is answered; by one that is stuck, jumps, is late or contradicts another it is not."""
    play = calm(rule)
    for number in range(20):
        inbound, measured = 95.0 + number % 3, play.now
        if situation == "stuck":
            inbound = 95.0
        elif situation == "jumping":
            inbound = 9000.0
        elif situation == "late":
            measured -= 60 * MINUTE
        elif situation == "ahead":
            measured += 10 * MINUTE
        elif situation == "behind":
            measured -= 11 * MINUTE
        elif situation == "contradicting":
            play.hear("in", 10.0 + number % 2, device="second")
        play.hear("in", inbound, measured=measured)
        play.hear("out", 20.0 + number % 4)
        play.tick(5)
        if situation == "stuck" and number == 12:
            play.events.clear()
    asked = [event for event in play.events if event.acting]
    assert bool(asked) == (situation == "sound"), (situation, asked)


@pytest.mark.parametrize("rule", TRAFFIC, ids=lambda rule: rule.id)
def test_a_counter_that_begins_again_asks_for_nothing(rule: AnyRule) -> None:
    """A running count that falls to a small number is neither a wrap nor a flood of vehicles."""
    play = calm(rule)
    total = 30_000.0
    for number in range(14):
        total = 3.0 if number == 8 else total + 6
        play.hear("in", total, quantity=TOTAL)
        play.hear("out", 6.0 + number % 2)
        play.tick(5)
    plans = [event for event in play.events if event.acting]
    assert all(getattr(event.data, "level", None) in {"full", "conditional"} for event in plans), plans


class Lots:
    """A lot of ten spaces with sensors and counters at its gate, and the zone that guides to it."""

    def __init__(self) -> None:
        gate = [Assignment(way, properties={"counts": way}) for way in ("in", "out")]
        devices = (*(Assignment(f"s{number}") for number in range(10)), *gate)
        lot = Asset("lot", "lot", "Lot", {"capacity": 10}, devices, 7.8, 51.6)
        zone = Asset("zone", "zone", "Zone", {"lots": ["lot"]}, (), 7.8, 51.6)
        self.play = Play([lot, zone], guidance.RULE, lot_state.RULE)
        self._inputs = 0

    def fill(self, *taken: int, skew_min: int = 0) -> None:
        """Every sensor says its word, these ones that a car stands there."""
        for number in range(10):
            self._say(f"s{number}", Reading(Quantity.OCCUPIED, float(number in taken)), skew_min)

    def count(self, into: float, out: float) -> None:
        """Both counters say their totals."""
        self._say("in", Reading(Quantity.VEHICLE_COUNT_TOTAL, into), 0)
        self._say("out", Reading(Quantity.VEHICLE_COUNT_TOTAL, out), 0)

    def _say(self, device: str, reading: Reading, skew_min: int) -> None:
        self._inputs += 1
        now = self.play.now
        time_ms = now + skew_min * MINUTE
        self.play.give(Observation(device, device, "lot", time_ms, now, (reading,), f"o{self._inputs}"))

    @property
    def guided(self) -> list[ParkingGuidance]:
        """What the signs were asked to show."""
        return self.play.of(ParkingGuidance)


def test_a_stuck_sensor_of_a_space_goes_on_counting() -> None:
    """Its space counts as taken, so nobody is sent to it; who looks at it is told by the daily suspicion."""
    lots = Lots()
    for round_ in range(12):
        lots.fill(0, *range(1, 1 + round_ % 4))
        lots.play.tick(5)
    assert [event.data.lots[0].free for event in lots.guided][-1] == 10 - 1 - 3


def test_a_lot_that_jumps_is_guided_by_its_newest_word() -> None:
    """Empty and full in turns, each minute: never recommended while its newest word is full."""
    lots = Lots()
    for minute in range(20):
        full = minute % 2 == 1
        lots.fill(*(range(10) if full else ()))
        newest = lots.guided[-1].data
        assert newest.recommend == (() if full else ("lot",))
        assert newest.lots[0].free in ({0} if full else {9, 10})
        lots.play.tick(1)


def test_a_counter_reset_leaves_guidance_to_the_sensors() -> None:
    """The counter at the gate begins again in the middle: the lot stays known, its figure that of its spaces."""
    lots = Lots()
    for minute in range(30):
        lots.fill(0, 1, 2)
        into = 1000.0 + minute if minute < 15 else float(minute - 15)
        lots.count(into, 997.0 + minute)
        lots.play.tick(1)
    states = lots.play.of(LotState)
    assert states[-1].data.reason == "counted"
    assert lots.guided[-1].data.lots[0].free == 7
    assert all(event.data.reason == "guided" for event in lots.guided)


@pytest.mark.parametrize("skew_min", [10, -20, -24 * 60])
def test_wrong_clocks_of_a_lot_guide_nobody(skew_min: int) -> None:
    """Sensors ten minutes ahead or far behind free no space."""
    lots = Lots()
    for _ in range(10):
        lots.fill(skew_min=skew_min)
        lots.play.tick(3)
    assert lots.guided == []


@pytest.mark.parametrize(
    ("assets", "expected"),
    [
        ([Asset("site", "site", "Trees", {"rain_station": "nowhere"}, (), 7.8, 51.6)], "nowhere"),
        ([Asset("site", "site", "Trees", {"rain_station": 5}, (), 7.8, 51.6)], "rain_station"),
        ([Asset("zone", "zone", "Zone", {"lots": ["nowhere"]}, (), 7.8, 51.6)], "nowhere"),
    ],
)
def test_places_that_name_what_is_not_there_are_refused(assets: list[Asset], expected: str) -> None:
    """A tree site its rain station, a zone its lot: an error that names it, when the city is read."""
    with pytest.raises(CityError, match=expected):
        Engine(City(assets), RULES)


def test_a_group_whose_schedule_names_no_plan_never_asks() -> None:
    """Whatever the traffic: it is refused as a whole, and says nothing."""
    schedule = [{"days": "Mo-Su", "from": "00:00", "plan": 9}]
    play = Play(link(town(schedule=schedule)), signal_plan.RULE)
    play.flow(60, 1200, 300)
    assert play.events == []
