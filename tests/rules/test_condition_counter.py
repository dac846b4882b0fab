"""Conditioning: counters turned into amounts."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from decoders.codec import CodecField
from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.condition_config import ConditionRules, Limits
from rules.condition_entry import NOTHING, Doubt
from tests.rules.conditioned import MINUTE, PEOPLE, PEOPLE_TOTAL, START, WORD, Device

Q = Quantity


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
            # Decidable: the counter fell by more than a tenth, and a wrap would mean more than half a turn.
            assume(since == raw < last * 0.9 and last < 32_768)
        else:
            assume(since <= 2048)
        amount = device.count(minute, raw)
        assert isinstance(amount, tuple)
        true, resets = true + since, resets + began_anew
        told_sum, flagged = told_sum + amount[0], flagged + (amount[1] == Doubt.RESET)
        last, since, began_anew = raw, 0, False
    assert (told_sum, flagged) == (true, resets)


# -- falls ------------------------------------------------------------------------------------------------------------


def test_a_new_battery_is_no_wrap() -> None:
    """At 40,000 it counted 200 an hour; 25,636 in the next hour are no wrap, however many might pass."""
    device = Device(WORD)
    assert [device.count(60 * hour, total) for hour, total in enumerate((39_600, 39_800, 40_000, 100, 300))] == [
        None,
        (200.0, 0),
        (200.0, 0),
        (100.0, Doubt.RESET),
        (200.0, 0),
    ]


def test_a_counter_at_its_usual_pace_may_wrap_by_more() -> None:
    """Four times its fastest hour so far, or a thirty-second of a turn."""
    for pace, room, expected in (
        (4000, 16_000, (16_000.0, 0)),
        (4000, 16_001, (10_000.0, Doubt.RESET)),
        (100, 2048, (2048.0, 0)),
        (100, 2049, (1049.0, Doubt.RESET)),
    ):
        device = Device(WORD)
        after = expected[0] if expected[1] else min(room, 1000.0)
        before = after + 65_536 - room
        assert device.count(0, before - pace) is None
        assert device.count(60, before) == (float(pace), 0)
        assert device.count(120, after) == expected


def test_a_fall_after_a_long_silence_is_not_decided() -> None:
    """In a week at its pace it may have gone round more than once: what it shows is the least, and flagged."""
    device = Device(WORD)
    assert device.count(0, 39_800) is None
    assert device.count(10, 40_000) == (200.0, 0)
    assert device.count(10 + 7 * 1440, 100) == (100.0, Doubt.RESET)


@pytest.mark.parametrize(("total", "told"), [(4999, None), (4500, None), (4499, (26_994.0, 4)), (10, (60.0, 4))])
def test_a_little_less_is_a_correction(total: float, told: tuple[float, int] | None) -> None:
    """Water that flowed back, a frame sent once more: no flow; counting goes on from there."""
    device = Device((CodecField(Q.VOLUME_TOTAL, "", verified=True, low=0, high=4_294_967_295, step=1),))
    device.count(0, 5000, Q.VOLUME_TOTAL, "")
    assert device.count(10, total, Q.VOLUME_TOTAL, "") == told
    assert device.count(20, total + 2, Q.VOLUME_TOTAL, "") == (12.0, 0)


def test_a_rain_gauge_that_begins_at_midnight_loses_nothing() -> None:
    """Its total of the day falls once a day; the amount is what fell since, and flagged."""
    device = Device(None)
    totals = (12.4, 12.4, 0.0, 0.2, 0.6)
    assert [device.count(10 * place, total, Q.PRECIPITATION_TOTAL, "") for place, total in enumerate(totals)] == [
        None,
        (0.0, 0),
        (0.0, Doubt.RESET),
        (0.2, 0),
        (0.4, 0),
    ]


@pytest.mark.parametrize("bits", [7, 8, 16, 24, 32])
def test_wraps_at_every_width(bits: int) -> None:
    """As the codec says."""
    device = Device((WORD[0]._replace(high=2**bits - 1),))
    device.count(0, 2**bits - 2)
    assert device.count(10, 1) == (3.0, 0)


def test_entries_without_a_pace_are_read() -> None:
    """What was kept before a counter's pace was."""
    device = Device(WORD)
    device.entries = {"people_count_total/in": (65_530.0, START)}
    assert device.count(10, 4) == (10.0, 0)
    assert device.entries == {"people_count_total/in": (4.0, 60.0, START + 10 * MINUTE)}


def test_a_leap_sets_no_pace() -> None:
    """What is doubtful is no measure of what may follow."""
    device = Device(WORD)
    device.count(0, 10)
    assert device.count(10, 60_011) == (60_001.0, Doubt.SPIKE)
    assert device.count(20, 100) == (100.0, Doubt.RESET)
    assert device.entries["people_count_total/in"][1] == 0.0


def test_the_pace_is_that_of_the_fastest_hour() -> None:
    """A slow hour does not lower it, and two uplinks within a minute do not raise it beyond that of a minute."""
    device = Device(WORD)
    for minute, total in ((0, 0), (60, 500), (120, 510), (120.01, 515), (180, 515)):
        device.count(minute, total)
    assert device.entries["people_count_total/in"][:2] == (515.0, 500.0)
