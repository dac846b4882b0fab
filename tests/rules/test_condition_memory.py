"""Conditioning: what is remembered of a device from one uplink to the next."""

from hypothesis import given
from hypothesis import strategies as st

from decoders.measurement import Measurement, Reading
from decoders.quantity import Quantity
from rules.condition_config import CONTINUOUS, PER_MINUTE, TARGETS
from rules.condition_entry import MOST_KEPT, NOTHING, Doubt
from rules.device import record
from tests.rules.conditioned import MINUTE, PEOPLE, PEOPLE_TOTAL, START, WORD, Device, H, T, at, kept

Q = Quantity


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
    assert not CONTINUOUS.keys() & set(TARGETS)
    assert all(0 < limit < quantity.high - quantity.low for quantity, limit in PER_MINUTE.items())
