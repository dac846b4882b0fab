"""Heavy rain in sliding windows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.measurement import Reading
from decoders.quantity import Quantity
from rules.environment.heavy_rain import BUCKET_MS, KEPT, RULE
from rules.environment.rain_window import Rain, add, fallen, sum_of
from tests.rules.environment.play import HOUR, START, Place

Q = Quantity
AMOUNT, TOTAL = Q.PRECIPITATION, Q.PRECIPITATION_TOTAL


def rain(place: Place, begin: float, *amounts: float, every: int = 10) -> None:
    """Amounts of intervals, one after the other."""
    for index, amount in enumerate(amounts):
        place.hear(begin + index * every, (AMOUNT, amount))


@pytest.mark.parametrize(
    ("amounts", "level"),
    [([14.9], 0), ([15], 2), ([25], 2), ([25.1], 3), ([40], 3), ([40.1], 4),
     ([4] * 5 + [0] * 7, 2), ([0.7] * 28, 0), ([0.7] * 29, 2), ([1.1] * 33, 3), ([1.7] * 36, 4),
     ([0.35] * 72, 2), ([0.21] * 142, 0), ([0.21] * 143, 2)],
)  # fmt: skip
def test_the_levels_of_the_dwd(amounts: list[float], level: int) -> None:
    """Both sides of the limits in 1, 6, 12 and 24 hours."""
    place = Place(RULE)
    rain(place, 0, *amounts)
    assert max((event.data.level for event in place.events), default=0) == level


def test_the_window_slides_by_ticks_alone() -> None:
    """16 mm at once: raised, and over when the hour has passed (but not by silence: an hourly dry message comes)."""
    place = Place(RULE, rain_fresh_s=7200)
    place.hear(0, (AMOUNT, 16.0))
    place.wait(1, 55, 1)
    assert place.told() == [("raised", 2)]
    place.wait(56, 70, 1)
    assert place.told() == [("raised", 2), ("cleared", 0)]
    assert 55 <= (place.now.time_ms - START) / 60_000 <= 65


def test_no_flapping_around_a_limit() -> None:
    """Sums between 13.6 and 15.4 mm neither end nor raise anything after the first alert."""
    place = Place(RULE)
    rain(place, 0, *[2.6, 2.5, 2.5, 2.5, 2.5, 2.5] * 6, 0)
    assert [told for told in place.told() if told[1] in {0, 2}][:1] == [("raised", 2)]
    hourly = [event.data.evidence[0].value for event in place.events]
    assert all(value is not None and value >= 13 for value in hourly)
    assert ("cleared", 0) not in place.told()


def test_a_lost_message_of_a_counter_costs_nothing() -> None:
    """A counter tells what fell in the gap, spread over it: 16 mm in half an hour are 16 mm."""
    place = Place(RULE)
    place.hear(0, (TOTAL, 100.0))
    place.hear(10, (TOTAL, 102.0), (AMOUNT, 2.0))
    place.hear(40, (TOTAL, 118.0), (AMOUNT, 16.0))
    assert place.now.data.level == 2
    assert place.fields("precipitation_1h")[-1] == 18.0


def test_what_fell_in_a_long_gap_is_no_cloudburst() -> None:
    """30 mm over ten silent hours are 3 mm in the last one; the sum of a day counts them whole."""
    place = Place(RULE)
    place.hear(0, (TOTAL, 100.0))
    place.hear(600, (TOTAL, 130.0), (AMOUNT, 30.0))
    assert place.fields("precipitation_1h") == [3.0]
    assert place.fields("precipitation_24h") == [30.0]


def test_a_counter_reset_is_no_rain() -> None:
    """After a restart the counter begins anew: without an amount nothing is added, then it goes on."""
    place = Place(RULE)
    place.hear(0, (TOTAL, 500.0))
    place.hear(10, (TOTAL, 501.0), (AMOUNT, 1.0))
    place.hear(20, (TOTAL, 0.0))
    place.hear(30, (TOTAL, 2.0), (AMOUNT, 2.0))
    assert place.fields("precipitation_1h")[-1] == 3.0
    assert place.events == []


def test_a_jump_that_cannot_be_is_not_used() -> None:
    """500 mm in ten minutes are more than falls anywhere: refused, and the counter goes on from there."""
    place = Place(RULE)
    place.hear(0, (TOTAL, 0.0))
    place.hear(10, (TOTAL, 500.0), (AMOUNT, 500.0))
    place.hear(20, (TOTAL, 501.0), (AMOUNT, 1.0))
    assert place.events == []
    assert place.fields("precipitation_24h")[-1] == 1.0


def test_silence_ends_the_alert_for_want_of_data() -> None:
    """An hour after the newest message, though more may have fallen."""
    place = Place(RULE)
    place.hear(0, (AMOUNT, 60.0))
    found = place.wait(1, 61)
    ended = [event for event in found if event.data.level == 0]
    assert [(event.data.reason, event.time_ms - START) for event in ended] == [("no_data", HOUR)]
    assert "fehlen" in ended[0].data.text_de


def test_late_and_wrongly_timed_rain_raises_nothing_new() -> None:
    """What comes older than the newest, a day old at first, or far ahead is not used; an hour old it is no alert."""
    place = Place(RULE)
    place.hear(0, (AMOUNT, 0.0))
    place.hear(-30, (AMOUNT, 60.0), late=40)
    place.hear(3000, (AMOUNT, 60.0), late=-2980)
    place.hear(-1500, (AMOUNT, 60.0), late=1530, device="e")
    place.hear(-40, (AMOUNT, 60.0), late=100, device="f")
    assert place.events == []


def test_of_two_gauges_the_highest_counts_and_is_flagged() -> None:
    """20 and 1 mm: level 2, contradicting; 20 and 18 mm: not."""
    for other, contradicting in ((1.0, True), (18.0, False)):
        place = Place(RULE)
        place.hear(0, (AMOUNT, other))
        place.hear(1, (AMOUNT, 20.0), device="e")
        assert (place.now.data.level, place.now.data.contradicting) == (2, contradicting)


def test_it_says_that_it_is_no_official_warning() -> None:
    """In both languages, with the sum and its window."""
    place = Place(RULE)
    place.hear(0, (AMOUNT, 26.0))
    data = place.now.data
    assert "26,0 l/m² in 1 Stunde" in data.text_de
    assert "26.0 l/m² in 1 hour" in data.text_en
    assert not data.official_warning
    assert [each.window_s for each in data.evidence] == [3600, 21_600, 43_200, 86_400]
    assert place.now.topic == "stadtfunk/v1/environment/heavy_rain/place-1/alert"


@given(st.lists(st.tuples(st.integers(1, 90), st.floats(0, 30)), min_size=1, max_size=60))
def test_sums_hold_what_fell(heard: list[tuple[int, float]]) -> None:
    """At any intervals: the day's sum is what a counter told within it, to a bucket; longer windows hold no less."""
    device, minute, total, fell = Rain(), 0, 0.0, []
    for gap, amount in [(1, 0.0), *heard]:
        minute += gap
        total += amount
        readings = (Reading(TOTAL, total), Reading(AMOUNT, amount))
        found = fallen(device, readings)
        assert found is not None
        before = device.newest_ms
        time_ms = START + minute * 60_000
        device = add(device, found, time_ms, interval_ms=600_000, bucket_ms=BUCKET_MS, kept=KEPT, gap_ms=900_000)
        fell.append((before, time_ms, amount))
    now = START + minute * 60_000
    sums = [sum_of(device, hours * HOUR, now, BUCKET_MS) for hours in (1, 6, 12, 24)]
    assert sums == sorted(sums)
    edge = now - 24 * HOUR
    inside = sum(amount for begin, _, amount in fell if begin >= edge + BUCKET_MS)
    everything = sum(amount for _, end, amount in fell if end > edge - BUCKET_MS)
    assert inside - 0.1 <= sums[-1] <= everything + 0.1
    assert len(device.amounts) <= KEPT + 1


def test_keeping_changes_nothing() -> None:
    """Restarts after every input give the same events and points."""
    places = [Place(RULE), Place(RULE, kept=True)]
    for place in places:
        rain(place, 0, 0.1, 7.3, 9.9, 0, 20.2, 0, 0, 1.7)
        place.wait(71, 200, 3)
    assert [event.payload() for event in places[0].events] == [event.payload() for event in places[1].events] != []
    assert places[0].points == places[1].points


def test_a_device_that_tells_both_loses_nothing() -> None:
    """Its amounts are of ten minutes, its counter knows what fell while messages were lost."""
    place = Place(RULE)
    place.hear(0, (TOTAL, 100.0), (AMOUNT, 0.0))
    place.hear(40, (TOTAL, 120.0), (AMOUNT, 5.0))
    assert place.fields("precipitation_1h") == [20.0]


def test_a_bucket_that_is_partly_out_counts_in_part() -> None:
    """10 mm of the bucket from 0 to 10 min: at minute 65 half of them are left in the hour."""
    device = Rain(newest_ms=START + 600_000, first=START // BUCKET_MS, amounts=(10.0,))
    found = [sum_of(device, HOUR, START + minute * 60_000, BUCKET_MS) for minute in (10, 60, 65, 70)]
    assert found == [10.0, 10.0, 5.0, 0.0]


@pytest.mark.parametrize(("first", "second", "told"), [(1.2, 13.8, 1), (2.0, 13.0, 2)])
def test_a_level_ends_a_tenth_below_its_limit(first: float, second: float, told: int) -> None:
    """15.0 mm raise; when the first of them are out of the hour 13.8 mm hold the level and 13.0 mm end it."""
    place = Place(RULE)
    place.hear(10, (AMOUNT, first))
    place.hear(60, (AMOUNT, second))
    place.hear(70, (AMOUNT, 0.0))
    assert len(place.told()) == told
