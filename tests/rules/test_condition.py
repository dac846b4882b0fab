"""Conditioning: calibration, doubts about values, counters turned into amounts, as pure steps."""

import math
from collections.abc import Iterable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from decoders.codec import CodecField
from decoders.measurement import Measurement, Reading
from decoders.quantity import Privacy, Quantity
from rules import calibration
from rules.condition import Conditioned, Plan, condition
from rules.condition_config import CONTINUOUS, PER_MINUTE, TARGETS, ConditionRules, Limits
from rules.condition_entry import MOST_KEPT, NOTHING, Doubt, Entries
from rules.device import record
from rules.device.config import DeviceRules
from rules.device.hearing import Heard, hear
from rules.device.record import About, Record

Q = Quantity
MINUTE = 60_000
START = 1_800_000_000_000
LATEST = START * 2
T, H, P = Q.AIR_TEMPERATURE, Q.AIR_HUMIDITY, Q.AIR_PRESSURE
PEOPLE, PEOPLE_TOTAL = Q.PEOPLE_COUNT, Q.PEOPLE_COUNT_TOTAL
ABOUT = About("", "", "", "", "", "", Privacy.OPEN)
WORD = (CodecField(PEOPLE_TOTAL, "in", verified=True, low=0, high=65_535, step=1),)


class Device:
    """A device whose uplinks are conditioned one after the other."""

    def __init__(
        self, fields: Iterable[CodecField] | None = (), rules: ConditionRules | None = None, **tags: object
    ) -> None:
        carried = None if fields is None else tuple(fields)
        self.plan = Plan(rules or ConditionRules(), carried, calibration.read(tags).figures)
        self.entries: Entries = NOTHING

    def uplink(self, *measurements: Measurement, latest_ms: int = LATEST) -> Conditioned:
        """The next uplink."""
        found = condition(self.plan, self.entries, measurements, latest_ms)
        self.entries = found.entries
        return found

    def give(self, minute: float, *readings: Reading) -> dict[tuple[Quantity, str], tuple[float, int]]:
        """Value and doubt of each reading of the uplink of this minute."""
        return told(self.uplink(at(minute, *readings)))

    def feed(
        self, quantity: Quantity, minutes: Iterable[float], values: Iterable[float], channel: str = ""
    ) -> list[int]:
        """The doubts about values of one quantity, one an uplink."""
        return [
            self.give(minute, Reading(quantity, value, channel))[quantity, channel][1]
            for minute, value in zip(minutes, values, strict=True)
        ]

    def count(self, minute: float, total: float, quantity: Quantity = PEOPLE_TOTAL, channel: str = "in") -> object:
        """The amount and doubt that a total leads to; None without an amount."""
        found = self.give(minute, Reading(quantity, total, channel))
        return found.get((TARGETS[quantity].quantity, channel))


def at(minute: float, *readings: Reading) -> Measurement:
    """A measurement of that minute."""
    return Measurement(START + int(minute * MINUTE), readings)


def told(found: Conditioned) -> dict[tuple[Quantity, str], tuple[float, int]]:
    """Value and doubt of each reading of the only measurement."""
    (judged,) = found.judged
    doubts = judged.doubts
    return {(q, channel): (value, doubts.get((q, channel), 0)) for q, value, channel in judged.measurement.readings}


# -- calibration ------------------------------------------------------------------------------------------------------


def test_a_value_is_multiplied_and_then_shifted() -> None:
    """The stored value is value · factor + offset, without what floats add."""
    device = Device(factor_air_temperature="2", offset_air_temperature="0.1")
    assert device.give(0, Reading(T, 0.1)) == {(T, ""): (0.3, 0)}
    assert Device(factor_air_temperature=3).give(0, Reading(T, 2.0), Reading(H, 2.0))[T, ""] == (6.0, 0)
    assert Device(offset_air_temperature=3).give(0, Reading(H, 2.0), Reading(T, 2.0))[T, ""] == (5.0, 0)


def test_a_channels_own_figure_comes_before_the_one_for_all() -> None:
    """`__<channel>` is for one channel; figures of the other kind still hold for it."""
    device = Device(offset_soil_moisture=1, offset_soil_moisture__depth_20cm=2, factor_soil_moisture=10)
    found = device.give(0, Reading(Q.SOIL_MOISTURE, 3.0, "depth_10cm"), Reading(Q.SOIL_MOISTURE, 3.0, "depth_20cm"))
    assert [value for value, _ in found.values()] == [31.0, 32.0]


def test_uncalibrated_readings_are_passed_on_as_they_are() -> None:
    """Without figures and counters the measurement is the very same object."""
    measurement = at(0, Reading(T, 20.0), Reading(Q.OCCUPIED, 1.0))
    (judged,) = Device().uplink(measurement).judged
    assert judged.measurement is measurement
    assert judged.sound is measurement


@pytest.mark.parametrize("value", ["0,5", "", "nan", "inf", "1e300", True, None, [1]])
def test_a_figure_that_is_no_number_is_told_and_not_used(value: object) -> None:
    """The rest of the figures still counts."""
    found = calibration.read({"offset_air_temperature": value, "factor_air_humidity": "1.5"})
    assert list(found.figures.values()) == [1.5]
    (problem,) = found.problems
    assert problem.startswith("offset_air_temperature is ")
    assert "expected a number" in problem


@pytest.mark.parametrize("value", ["0", 0, "-0.0"])
def test_a_factor_of_zero_is_told_and_not_used(value: object) -> None:
    """It would make every value the same; an offset of 0 is fine."""
    found = calibration.read({"factor_co2": value, "offset_co2": value})
    assert [figure.kind for figure in found.figures] == ["offset"]
    assert found.problems == (f"factor_co2 is {value!r}, expected a number other than 0; it is not used",)


def test_a_misspelt_quantity_is_told_and_a_foreign_name_is_not() -> None:
    """A junction's `offset_s` is none of ours."""
    found = calibration.read({"offset_air_temprature": 1, "offset_s": 3, "factor_of_safety": 2, "sensor_offset_mm": 7})
    assert found.figures == {}
    assert found.problems == ("offset_air_temprature names no quantity; did you mean offset_air_temperature?",)


# -- range ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [-50.01, 70.01, math.nan, math.inf, -math.inf])
def test_a_value_out_of_its_range_is_doubtful_and_not_sound(value: float) -> None:
    """It is still there to be stored; rules see what is left."""
    (judged,) = Device().uplink(at(0, Reading(T, value), Reading(H, 50.0))).judged
    assert judged.doubts == {(T, ""): Doubt.RANGE}
    assert judged.sound.readings == (Reading(H, 50.0),)
    assert judged.doubtful == judged.measurement.readings[:1]


def test_the_ends_of_the_range_belong_to_it() -> None:
    """-50 and 70 °C are plausible."""
    assert [Device().give(0, Reading(T, value))[T, ""][1] for value in (-50.0, 70.0)] == [0, 0]


@pytest.mark.parametrize("factor", [2, -2])
def test_the_calibrated_value_is_what_must_be_plausible(factor: float) -> None:
    """Also where the factor turns the range round."""
    device = Device(factor_air_temperature=factor, offset_air_temperature=10)
    sign = math.copysign(1, factor)
    assert device.give(0, Reading(T, 29.9 * sign))[T, ""] == (69.8, 0)
    assert device.give(30, Reading(T, 30.1 * sign))[T, ""] == (70.2, Doubt.RANGE)


def test_settings_set_another_range_for_one_quantity() -> None:
    """One end alone may be set; the other stays."""
    rules = ConditionRules(limits={T: Limits(low=-20)})
    assert [Device(rules=rules).give(0, Reading(T, value))[T, ""][1] for value in (-21, -20, 70, 71)] == [1, 0, 0, 1]


def test_a_value_out_of_range_changes_nothing_that_is_remembered() -> None:
    """It is neither good, nor a beginning, nor does it make the next one a jump."""
    device = Device()
    assert device.feed(T, (0, 10, 20), (20, 99, 21)) == [0, Doubt.RANGE, 0]


# -- stuck ------------------------------------------------------------------------------------------------------------


def weather(device: Device, minutes: Iterable[int], temperature: float, *, varied: bool = True) -> list[int]:
    """Doubts about a temperature that stands, beside a humidity that varies or not."""
    return [
        device.give(minute, Reading(H, 50.0 + (minute // 10 % 3 if varied else 0)), Reading(T, temperature))[T, ""][1]
        for minute in minutes
    ]


def test_a_value_that_stands_while_another_varies_is_stuck() -> None:
    """The 24th uplink with the same value is doubtful, and all after it."""
    assert weather(Device(), range(0, 300, 10), 20.5) == [0] * 23 + [Doubt.STUCK] * 7


def test_a_stuck_value_that_moves_is_believed_at_once() -> None:
    """How far it may have come is counted from when it began to stand."""
    device = Device()
    assert weather(device, range(0, 300, 10), 20.5)[-1] == Doubt.STUCK
    assert weather(device, (300, 310), 10.0) == [0, 0]


def test_nothing_is_stuck_in_a_device_where_nothing_varies() -> None:
    """A calm cellar: all values stand, so none is to blame."""
    assert weather(Device(), range(0, 600, 10), 20.5, varied=False) == [0] * 60


def test_a_change_before_the_value_began_to_stand_is_no_proof() -> None:
    """Humidity varied, then both stood."""
    device = Device()
    device.give(0, Reading(H, 40.0), Reading(T, 19.0))
    device.give(10, Reading(H, 50.0), Reading(T, 19.5))
    device.give(20, Reading(H, 50.0), Reading(T, 20.5))
    assert weather(device, range(30, 600, 10), 20.5, varied=False) == [0] * 57


def test_a_quantity_that_came_later_has_not_varied() -> None:
    """The first value of another quantity is no change."""
    device = Device()
    device.feed(T, range(0, 300, 10), [20.5] * 30)
    assert weather(device, range(300, 400, 10), 20.5, varied=False) == [0] * 10


def test_an_end_of_the_range_is_not_stuck() -> None:
    """Fog: 100 % for half a day while it gets warmer."""
    device = Device()
    found = [device.give(minute, Reading(T, minute / 100), Reading(H, 100.0))[H, ""][1] for minute in range(0, 720, 10)]
    assert set(found) == {0}


def test_what_may_stand_is_never_stuck() -> None:
    """A bin that nobody uses; unless the settings name the quantity."""
    for rules, expected in ((ConditionRules(), 0), (ConditionRules(limits={Q.DISTANCE: Limits(stuck_after=5)}), 2)):
        device = Device(rules=rules)
        for minute in range(0, 400, 10):
            found = device.give(minute, Reading(Q.DISTANCE, 900.0), Reading(T, 10 + minute / 100))
        assert found[Q.DISTANCE, ""][1] == expected


def test_what_may_stand_is_no_proof() -> None:
    """Only a continuous quantity that varies shows that another one ought to."""
    device = Device()
    for minute in range(0, 400, 10):
        found = device.give(minute, Reading(Q.DISTANCE, 900.0 + minute), Reading(T, 20.5))
    assert found[T, ""][1] == 0


def test_stuck_can_be_turned_off_for_all() -> None:
    """`stuck_after = 0`."""
    assert set(weather(Device(rules=ConditionRules(stuck_after=0)), range(0, 600, 10), 20.5)) == {0}


# -- spikes -----------------------------------------------------------------------------------------------------------


def test_a_jump_is_doubtful_and_what_was_before_is_not() -> None:
    """20 °C, 45 °C ten minutes later, 20 °C again."""
    assert Device().feed(T, (0, 10, 20, 30), (20, 45, 20.1, 20.2)) == [0, Doubt.SPIKE, 0, 0]


def test_two_values_that_agree_are_believed() -> None:
    """The sensor was really moved into the sun."""
    assert Device().feed(T, (0, 10, 20, 30), (20, 45, 45.5, 46)) == [0, Doubt.SPIKE, 0, 0]


def test_jumps_that_do_not_agree_are_all_doubtful() -> None:
    """Noise is never believed."""
    assert Device().feed(T, (0, 5, 10, 15), (20, 45, -10, 60)) == [0, 3, 3, 3]


def test_the_limit_grows_with_the_time() -> None:
    """1 °C a minute: 9 °C in ten minutes are fine, 11 °C are not; below a minute it does not shrink."""
    assert Device().feed(T, (0, 10), (20, 29)) == [0, 0]
    assert Device().feed(T, (0, 10), (20, 31)) == [0, Doubt.SPIKE]
    assert Device().feed(T, (0, 0.1), (20, 20.9)) == [0, 0]
    assert Device().feed(T, (0, 0.1), (20, 21.1)) == [0, Doubt.SPIKE]


def test_the_limit_counts_from_the_last_good_value() -> None:
    """Half an hour after it, 25 °C more can be; a suspect in between does not shorten that."""
    assert Device().feed(T, (0, 10, 30), (20, 69, 45)) == [0, Doubt.SPIKE, 0]


def test_the_limit_is_of_calibrated_values() -> None:
    """A factor of 10 makes a small raw step a large one."""
    assert Device(factor_air_temperature=10).feed(T, (0, 10), (2.0, 3.5)) == [0, Doubt.SPIKE]


def test_settings_set_the_limit_or_take_it_away() -> None:
    """`per_minute`; 0 lets a quantity jump."""
    slow, free = (ConditionRules(limits={T: Limits(per_minute=limit)}) for limit in (0.1, 0))
    assert Device(rules=slow).feed(T, (0, 10), (20, 22)) == [0, Doubt.SPIKE]
    assert Device(rules=free).feed(T, (0, 10), (20, 69)) == [0, 0]


def test_a_container_may_be_emptied_within_half_an_hour() -> None:
    """A distance of 1.4 m more is believed then, and not at once."""
    assert Device().feed(Q.DISTANCE, (0, 30), (200, 1600)) == [0, 0]
    assert Device().feed(Q.DISTANCE, (0, 5), (200, 1600)) == [0, Doubt.SPIKE]


def test_channels_are_judged_apart() -> None:
    """A jump from one channel's value to another's is none."""
    device = Device()
    readings = [Reading(Q.SOIL_TEMPERATURE, value, channel) for value, channel in ((5.0, "a"), (25.0, "b"))]
    assert [doubt for minute in (0, 10, 20) for _, doubt in device.give(minute, *readings).values()] == [0] * 6


# -- time -------------------------------------------------------------------------------------------------------------


def test_a_late_value_is_judged_by_its_range_alone() -> None:
    """It changes nothing that is remembered, and is no jump."""
    device = Device()
    device.feed(T, (0, 10), (20, 21))
    before = device.entries
    assert device.feed(T, (5, 10, 6, 7), (60, 60, 99, 21.5)) == [0, 0, Doubt.RANGE, 0]
    assert device.entries == before


def test_a_value_from_the_future_is_judged_by_its_range_alone() -> None:
    """A clock that runs ahead would make all that follows late."""
    device = Device()
    found = device.uplink(at(60, Reading(T, 20.0), Reading(PEOPLE_TOTAL, 5.0, "in")), latest_ms=START)
    assert found.entries is NOTHING
    found = device.uplink(at(60, Reading(T, 99.0)), latest_ms=START)
    assert told(found) == {(T, ""): (99.0, Doubt.RANGE)}


def test_history_is_judged_in_the_order_of_its_times() -> None:
    """An uplink brings its newest value first; what comes back has the order of what came in."""
    device = Device(WORD)
    counts = [at(minute, Reading(PEOPLE_TOTAL, float(total), "in")) for minute, total in ((20, 9), (0, 2), (10, 5))]
    found = device.uplink(*counts).judged
    amounts = [[value for q, value, _ in judged.measurement.readings if q is PEOPLE] for judged in found]
    assert amounts == [[4.0], [], [3.0]]
    assert [judged.measurement.time_ms for judged in found] == [measurement.time_ms for measurement in counts]


# -- counters ---------------------------------------------------------------------------------------------------------


def test_a_total_becomes_the_amount_since_the_last_one() -> None:
    """The first gives nothing; a lost frame loses no count; a standing counter gives 0."""
    device = Device(WORD)
    assert [device.count(*given) for given in ((0, 100), (10, 103), (60, 140), (70, 140))] == [
        None,
        (3.0, 0),
        (37.0, 0),
        (0.0, 0),
    ]


def test_a_counter_wraps_where_its_field_ends() -> None:
    """65,530 and then 4 are ten people, also where frames of other widths say the same."""
    long = WORD[0]._replace(high=4_294_967_295)
    for fields in (WORD, (long, *WORD), None):
        device = Device(fields)
        device.count(0, 65_530)
        assert device.count(10, 4) == (10.0, 0)


def test_a_reset_counts_from_zero_and_is_flagged() -> None:
    """A wrap would mean more than half a turn, or more people than can pass in that time."""
    for last in (1000, 40_000):
        device = Device(WORD)
        device.count(0, last)
        assert device.count(10, 7) == (7.0, Doubt.RESET)
        assert device.count(20, 9) == (2.0, 0)


def test_a_counter_does_not_wrap_below_what_it_had() -> None:
    """One that was at 100,000 has not wrapped at 65,536, though shorter frames of its device would."""
    device = Device((*WORD, WORD[0]._replace(high=4_294_967_295)))
    device.count(0, 100_000)
    assert device.count(60, 60_000) is None


def test_a_counter_without_an_end_never_wraps() -> None:
    """Signed and floating fields: a fall is a new beginning."""
    for low, high in ((-65_536, 65_535), (-3e38, 3e38)):
        device = Device((WORD[0]._replace(low=low, high=high),))
        device.count(0, 65_530)
        assert device.count(10, 4) == (4.0, Doubt.RESET)


def test_another_meter_tells_nothing_at_first() -> None:
    """A fall to what cannot have been counted since then is neither wrap nor reset."""
    device = Device((CodecField(Q.VOLUME_TOTAL, "", verified=True, low=0, high=4_294_967_295, step=1),))
    device.count(0, 5_000_000, Q.VOLUME_TOTAL, "")
    assert device.count(10, 3_000_000, Q.VOLUME_TOTAL, "") is None
    assert device.count(20, 3_000_010, Q.VOLUME_TOTAL, "") == (60.0, 0)


def test_a_leap_of_a_counter_is_doubtful() -> None:
    """More than can pass in that time is stored and flagged; what follows is right again."""
    device = Device(WORD)
    device.count(0, 10)
    assert device.count(10, 6011) == (6001.0, Doubt.SPIKE)
    assert device.count(20, 6012) == (1.0, 0)


def test_late_and_repeated_totals_give_nothing() -> None:
    """Not even where the total would fall."""
    device = Device(WORD)
    device.count(0, 10)
    device.count(20, 30)
    assert [device.count(10, 15), device.count(20, 30)] == [None, None]
    assert device.count(30, 31) == (1.0, 0)


def test_a_device_that_tells_its_amounts_is_believed() -> None:
    """From the first time on; what another channel tells is another thing."""
    own = WORD[0]._replace(quantity=PEOPLE)
    for fields in ((*WORD, own), None):
        device = Device(fields)
        device.count(0, 10)
        assert device.count(10, 30) == (20.0, 0)
        device.give(15, Reading(PEOPLE, 1.0, "out"))
        assert device.count(20, 35) == (5.0, 0)
        device.give(30, Reading(PEOPLE, 3.0, "in"))
        assert device.count(40, 50) is None
        found = device.give(50, Reading(PEOPLE_TOTAL, 60.0, "in"), Reading(PEOPLE, 7.0, "in"))
        assert found == {(PEOPLE_TOTAL, "in"): (60.0, 0), (PEOPLE, "in"): (7.0, 0)}


def test_a_device_that_tells_both_is_believed_from_the_beginning() -> None:
    """Whichever comes first in its frame."""
    for turn in (1, -1):
        device = Device((*WORD, WORD[0]._replace(quantity=PEOPLE)))
        for minute in (0, 10, 20):
            both = [Reading(PEOPLE_TOTAL, 10.0 + minute, "in"), Reading(PEOPLE, 7.0, "in")]
            found = device.give(minute, *both[::turn])
            assert found[PEOPLE, "in"] == (7.0, 0)
            assert len(found) == 2


def test_amounts_without_a_counter_are_not_remembered() -> None:
    """A device that has no total needs no note of it."""
    device = Device((WORD[0]._replace(quantity=PEOPLE),))
    device.give(0, Reading(PEOPLE, 3.0, "in"))
    assert device.entries is NOTHING


def test_meters_become_flow_and_power() -> None:
    """Litres in ten minutes as litres an hour, kilowatt-hours as watts."""
    device = Device(None)
    device.give(0, Reading(Q.VOLUME_TOTAL, 100.0), Reading(Q.ENERGY_TOTAL, 7.0, "l1"))
    found = device.give(10, Reading(Q.VOLUME_TOTAL, 105.0), Reading(Q.ENERGY_TOTAL, 7.5, "l1"))
    assert found[Q.VOLUME_FLOW, ""] == (30.0, 0)
    assert found[Q.POWER, "l1"] == (3000.0, 0)


def test_a_flow_that_cannot_be_is_doubtful() -> None:
    """The range of the flow counts, too."""
    device = Device(None, ConditionRules(limits={Q.VOLUME_FLOW: Limits(high=1000)}))
    device.count(0, 0, Q.VOLUME_TOTAL, "")
    assert device.count(10, 200, Q.VOLUME_TOTAL, "") == (1200.0, Doubt.RANGE)


def test_amounts_are_calibrated() -> None:
    """By the total's factor, never its offset, and by their own figures; the total has its own value."""
    device = Device(WORD, factor_people_count_total=2, offset_people_count_total=500, offset_people_count=1)
    device.count(0, 10)
    found = device.give(10, Reading(PEOPLE_TOTAL, 13.0, "in"))
    assert found == {(PEOPLE_TOTAL, "in"): (526.0, 0), (PEOPLE, "in"): (7.0, 0)}


def test_small_tips_add_up_without_what_floats_add() -> None:
    """0.3 - 0.1 mm are 0.2 mm."""
    device = Device(None)
    device.count(0, 0.1, Q.PRECIPITATION_TOTAL, "")
    assert device.count(10, 0.3, Q.PRECIPITATION_TOTAL, "") == (0.2, 0)


@st.composite
def passages(draw: st.DrawFn) -> list[tuple[int, int, bool, bool]]:
    """Minutes and people between frames, whether the device began anew before, whether the frame is lost."""
    one = st.tuples(st.integers(1, 60), st.integers(0, 500), st.sampled_from([False] * 6 + [True]), st.booleans())
    return draw(st.lists(one, min_size=1, max_size=40))


@given(st.integers(0, 65_535), passages())
def test_amounts_add_up_to_what_was_counted(first: int, steps: list[tuple[int, int, bool, bool]]) -> None:
    """Whatever is lost and wherever the counter wraps; after a reset, to what was counted since."""
    device = Device(WORD)
    device.count(0, first)
    raw, last, minute, true, since, began_anew = first, first, 0, 0, 0, False
    told_sum = flagged = resets = 0.0
    for minutes, people, reset, lost in steps:
        minute += minutes
        if reset:
            raw, since, began_anew = 0, 0, True
        raw, since = (raw + people) % 65_536, since + people
        if lost:
            continue
        if began_anew:
            # Decidable: the counter fell, and a wrap would mean more than half a turn.
            assume(since == raw < last < 32_768)
        else:
            assume(since < 32_768)
        amount = device.count(minute, raw)
        assert isinstance(amount, tuple)
        true, resets = true + since, resets + began_anew
        told_sum, flagged = told_sum + amount[0], flagged + (amount[1] == Doubt.RESET)
        last, since, began_anew = raw, 0, False
    assert (told_sum, flagged) == (true, resets)


# -- what is remembered -----------------------------------------------------------------------------------------------

READINGS = st.builds(
    Reading,
    st.sampled_from([T, H, Q.CO2, Q.DISTANCE, PEOPLE_TOTAL, Q.VOLUME_TOTAL, Q.OCCUPIED]),
    st.one_of(st.floats(), st.floats(-60, 80), st.integers(0, 70_000).map(float)),
    st.sampled_from(["", "in"]),
)
UPLINKS = st.lists(
    st.lists(
        st.builds(
            lambda minute, readings: at(minute, *readings), st.integers(-100, 10_000), st.lists(READINGS, max_size=4)
        ),
        min_size=1,
        max_size=3,
    ),
    max_size=12,
)


@given(UPLINKS)
def test_what_is_remembered_can_be_kept_anywhere(uplinks: list[list[Measurement]]) -> None:
    """Any values: no error; after being written and read again between all uplinks the same is said."""
    one, two = (Device(WORD, factor_air_temperature=-1.5) for _ in range(2))
    for measurements in uplinks:
        found = one.uplink(*measurements)
        two.entries = record.load_one(record.dump_one(kept(two.entries))).entries
        assert repr(two.uplink(*measurements).judged) == repr(found.judged)
        assert record.load(record.dump({"d": kept(one.entries)}))["d"].entries == one.entries


def kept(entries: Entries) -> Record:
    """A device's record with these entries."""
    heard = Heard(ABOUT, 0, 0, 0, 0, "", "", None, 0, None, False, None, None, True, True, entries)  # noqa: FBT003 - a row
    return hear(DeviceRules(), None, heard).record


def test_only_what_needs_it_is_remembered() -> None:
    """A parking sensor leaves nothing; a weather station one short entry a quantity."""
    device = Device()
    device.give(0, Reading(Q.OCCUPIED, 1.0), Reading(Q.BATTERY_LEVEL, 90.0), Reading(Q.DEVICE_TEMPERATURE, 20.0))
    assert device.entries is NOTHING
    for minute in (0, 10):
        device.give(minute, Reading(T, 20.0 + minute), Reading(Q.SOIL_TEMPERATURE, 5.0 + minute, "depth"))
    changed_ms = START + 10 * MINUTE
    assert device.entries == {"air_temperature": (30.0, changed_ms), "soil_temperature/depth": (15.0, changed_ms)}


def test_what_is_remembered_of_a_device_is_bounded() -> None:
    """A codec that invents channels fills no disk; what is known goes on being judged."""
    device = Device(None)
    for number in range(MOST_KEPT * 2):
        readings = [Reading(q, 1.0, f"c{number}") for q in (T, PEOPLE_TOTAL)]
        device.give(number, *readings, Reading(PEOPLE, 1.0, f"d{number}"))
    assert len(device.entries) == MOST_KEPT
    assert device.give(1000, Reading(T, 1.5, "c0"), Reading(T, 20.5, "new"))[T, "c0"] == (1.5, 0)
    assert device.feed(T, (1001,), (60,), "c0") == [Doubt.SPIKE]


def test_uplinks_do_not_change_what_was_remembered_before() -> None:
    """A batch that is not committed leaves no trace."""
    device = Device(WORD)
    device.give(0, Reading(T, 20.0), Reading(PEOPLE_TOTAL, 3.0, "in"))
    before, copy = device.entries, dict(device.entries)
    device.give(10, Reading(T, 21.0), Reading(PEOPLE_TOTAL, 9.0, "in"))
    assert before == copy != device.entries


def test_every_limit_is_of_a_known_kind() -> None:
    """Counters with a target have a limit; continuous quantities are no counters; limits lie within the range."""
    assert set(TARGETS) <= set(PER_MINUTE)
    assert not CONTINUOUS & set(TARGETS)
    assert all(0 < limit < quantity.high - quantity.low for quantity, limit in PER_MINUTE.items())
