"""Kamstrup telegrams: logged values with their own times, profiles, headers, what is refused."""

from datetime import UTC, datetime, timedelta

import pytest

from decoders.devices.kamstrup import WATER
from decoders.error import EncodeError, MalformedPayload, WrongLength
from decoders.measurement import Reading
from decoders.quantity import Quantity

NOW_MS = 1_800_000_000_000
HOURLY = bytes.fromhex("7a08000000446d002cfd284413c1aa77004d9313186201270122012201260122012201210127012201220127012f")
HALF_YEARLY = bytes.fromhex(
    "7a08000000446d0020fa284413c1aa77004d931318d2fe270122012293260122012201210127012201220127012f"
)
INVALID = bytes.fromhex(
    "78446d003318374413030000004d93132261010000ff0300000000000000000000000000000000000000000000000000000000"
)


def ms(year: int, month: int, day: int, hour: int = 0) -> int:
    """Milliseconds since 1970."""
    return round(datetime(year, month, day, hour, tzinfo=UTC).timestamp() * 1000)


def test_a_profile_goes_back_hour_by_hour() -> None:
    """The vendor's own example: noon, then eleven hours before it, each less than the one after."""
    measurements = WATER.decode(1, HOURLY, NOW_MS)
    noon = datetime(2023, 8, 29, 12, tzinfo=UTC)
    assert [item.time_ms for item in measurements] == [
        round((noon - timedelta(hours=hour)).timestamp() * 1000) for hour in range(12)
    ]
    volumes = [item.readings[0].value for item in measurements]
    assert volumes[:3] == [7_842_497, 7_842_202, 7_841_912]
    assert volumes == sorted(volumes, reverse=True)


def test_a_profile_may_go_back_half_a_year_at_a_time() -> None:
    """Months have no length of their own: always the 26th; signed differences may rise."""
    measurements = WATER.decode(1, HALF_YEARLY, NOW_MS)
    assert [item.time_ms for item in measurements[:4]] == [
        ms(2023, 8, 26), ms(2023, 2, 26), ms(2022, 8, 26), ms(2022, 2, 26)
    ]  # fmt: skip
    assert measurements[3].readings[0].value > measurements[2].readings[0].value


@pytest.mark.parametrize(("mode", "volumes"), [("61", [100, 98, 93]), ("a1", [100, 102, 107]), ("e1", [100, 98, 93])])
def test_differences_have_a_direction(mode: str, volumes: list[float]) -> None:
    """Increments, decrements, differences with a sign: what the hour after it has more, or less."""
    payload = bytes.fromhex("78" + "446d002cfd28" + "441364000000" + "4d931304" + mode + "010205")
    assert [item.readings[0].value for item in WATER.decode(1, payload, NOW_MS)] == volumes


def test_months_of_other_lengths_end_earlier() -> None:
    """From the 31st back by a month each: the last day of a shorter one, the 31st again of a longer one."""
    payload = bytes.fromhex("78" + "446d00005f35" + "441364000000" + "4d931305" + "71fe" + "000000")
    days = [datetime.fromtimestamp(item.time_ms / 1000, UTC) for item in WATER.decode(1, payload, NOW_MS)]
    assert [(day.month, day.day) for day in days] == [(5, 31), (4, 30), (3, 31), (2, 28)]


def test_an_invalid_element_ends_a_profile() -> None:
    """What came before it holds."""
    measurements = WATER.decode(1, INVALID, NOW_MS)
    assert [item.time_ms for item in measurements] == [ms(2024, 7, 24, 19), ms(2024, 7, 24, 18), ms(2024, 7, 24, 17)]


def test_values_without_a_date_are_of_now() -> None:
    """Storage 0 has none here, storage 1 has one."""
    payload = bytes.fromhex("78" + "041364000000" + "446d0020f32a" + "441350000000")
    newest, earlier = WATER.decode(1, payload, NOW_MS)
    assert (newest.time_ms, newest.readings) == (NOW_MS, (Reading(Quantity.VOLUME_TOTAL, 100.0),))
    assert (earlier.time_ms, earlier.readings) == (ms(2023, 10, 19), (Reading(Quantity.VOLUME_TOTAL, 80.0),))


def test_a_date_of_each_kind() -> None:
    """Storage 1 by a date of two bytes, storage 2 by one of six."""
    payload = bytes.fromhex("784c16443322e14c164433221191015bef426c058286016d050607018355")
    newest, oldest = WATER.decode(1, payload, NOW_MS)
    assert newest.time_ms == round(datetime(2064, 3, 1, 7, 6, 5, tzinfo=UTC).timestamp() * 1000)
    assert newest.readings == (Reading(Quantity.FLOW_TEMPERATURE, -17.0, "max"),)
    assert oldest.time_ms == ms(2064, 2, 5)


def test_a_date_that_is_none_is_no_time() -> None:
    """A day of zero: the value is of now."""
    (measurement,) = WATER.decode(1, bytes.fromhex("78" + "446d00000000" + "441350000000"), NOW_MS)
    assert measurement.time_ms == NOW_MS


def test_leak_detection_without_a_value_is_none() -> None:
    """All twelve bits set."""
    for value, attributes in (("0500", {"leak_detection_last_day": "5"}), ("ff0f", {}), ("ffff", {})):
        (measurement,) = WATER.decode(1, bytes.fromhex("7802ff1c" + value), NOW_MS)
        assert measurement.attributes == attributes


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "79041364000000",
        "7a080000ff0a041364000000"[:10] + "05" + "041364000000",
        "78446d00331837" + "4d93130461010000",
        "78" + "441303000000" + "4d93130461010000",
        "78446d00331837" + "441303000000" + "4d93130401010000",
        "78446d00331837" + "441303000000" + "4d9313056201000000",
    ],
    ids=["empty", "header", "encrypted", "no base", "no date", "no mode", "half an element"],
)
def test_what_cannot_be_read_is_refused(payload: str) -> None:
    """Headers, encryption, profiles that hang in the air."""
    with pytest.raises(MalformedPayload):
        WATER.decode(1, bytes.fromhex(payload), NOW_MS)


@pytest.mark.parametrize("length", [1, 2, 4, 6, 10, 40])
def test_a_truncated_telegram_is_refused(length: int) -> None:
    """In the header, in a record, in a profile."""
    with pytest.raises(WrongLength):
        WATER.decode(1, HOURLY[:length], NOW_MS)


def test_alarms_are_encoded_together() -> None:
    """All eight bits alone, or none; half of them are no info code."""
    alarms = WATER.decode(1, bytes.fromhex("7802ff258100"), NOW_MS)[0].readings
    assert WATER.encode(1, alarms) == bytes.fromhex("7802ff258100")
    with pytest.raises(EncodeError):
        WATER.encode(1, alarms[:3])


def test_volumes_in_other_units_are_sent_exactly() -> None:
    """A reverse volume in millilitres, of which whole litres would be a rounding."""
    readings = WATER.decode(1, bytes.fromhex("780490" + "3c01000000" + "041005000000"), NOW_MS)[0].readings
    assert [reading.value for reading in readings] == [0.001, 0.005]
    payload = WATER.encode(1, readings)
    assert set(WATER.decode(1, payload, NOW_MS)[0].readings) == set(readings)
