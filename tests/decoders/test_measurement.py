"""A measurement: its columns, its readings, and what it equals."""

import pickle

import pytest

from decoders.measurement import NO_ATTRIBUTES, Measurement, Reading, same, same_places
from decoders.quantity import Quantity

WARM = Reading(Quantity.AIR_TEMPERATURE, 21.5)
LEFT = Reading(Quantity.VEHICLE_COUNT, 3.0, "ltr")
FOUND = Measurement.of(7, [WARM, LEFT], {"serial": "12"})


def test_readings_become_columns_and_back() -> None:
    """Places and values stand in the order of the readings; the readings come back as they were."""
    assert FOUND.time_ms == 7
    assert FOUND.places == ((Quantity.AIR_TEMPERATURE, ""), (Quantity.VEHICLE_COUNT, "ltr"))
    assert FOUND.values == (21.5, 3.0)
    assert FOUND.attributes == {"serial": "12"}
    assert FOUND.readings == (WARM, LEFT)
    assert all(type(reading) is Reading for reading in FOUND.readings)
    assert list(FOUND.pairs()) == list(zip(FOUND.places, FOUND.values, strict=True))


def test_columns_and_readings_make_the_same_measurement() -> None:
    """However it was made, a measurement equals one with the same readings, and no other."""
    columns = Measurement((7, FOUND.places, (21.5, 3.0), {"serial": "12"}))
    assert columns == FOUND
    assert columns != Measurement.of(7, [WARM], {"serial": "12"})
    assert columns != Measurement.of(7, [WARM, LEFT._replace(value=4.0)], {"serial": "12"})
    assert columns != Measurement.of(7, [WARM, LEFT._replace(channel="rtl")], {"serial": "12"})
    assert columns != Measurement.of(8, [WARM, LEFT], {"serial": "12"})
    assert columns != Measurement.of(7, [WARM, LEFT])


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_it_can_be_sent_to_another_process(protocol: int) -> None:
    """Pickled and read back it is an equal measurement."""
    back = pickle.loads(pickle.dumps(FOUND, protocol))  # noqa: S301 - our own
    assert type(back) is Measurement
    assert back == FOUND


def test_parts_can_be_replaced() -> None:
    """Each part alone; the others stay."""
    assert FOUND._replace(time_ms=0) == Measurement.of(0, [WARM, LEFT], {"serial": "12"})
    assert FOUND._replace(readings=[LEFT]) == Measurement.of(7, [LEFT], {"serial": "12"})
    assert FOUND._replace(readings=()) == Measurement.of(7, (), {"serial": "12"})
    assert FOUND._replace(attributes={}) == Measurement.of(7, [WARM, LEFT])


def test_it_shows_its_readings() -> None:
    """For people who debug: time, readings, attributes."""
    shown = repr(FOUND)
    assert shown == f"Measurement(time_ms=7, readings={(WARM, LEFT)}, attributes={{'serial': '12'}})"


def test_comparison_with_what_is_wanted() -> None:
    """The order of readings is of no matter, nor are more attributes; another value, place or number of them is."""
    wanted = Measurement.of(0, [LEFT, WARM], NO_ATTRIBUTES)
    assert same([FOUND], wanted)
    assert not same([FOUND, FOUND], wanted)
    assert not same([FOUND], wanted._replace(attributes={"serial": "13"}))
    assert not same([FOUND], Measurement.of(0, [LEFT, WARM._replace(value=0.0)]))
    assert same_places([FOUND], Measurement.of(0, [LEFT, WARM._replace(value=0.0)]))
    assert not same_places([FOUND], Measurement.of(0, [LEFT]))
    assert not same_places([], wanted)
