"""Axioma Qalcosonic W1: times of the meter, the log, frames that no meter sends."""

from datetime import UTC, datetime, timedelta

import pytest

from decoders.devices.axioma import QALCOSONIC_W1
from decoders.error import MalformedPayload, WrongLength
from decoders.quantity import Quantity

NOW_MS = 1_800_000_000_000
PUBLISHED = bytes.fromhex(
    "bfc7e7600028950100c0e8e660f79301001e0004000f000b00200005001d0054002d000f000a000a00000003000300"
)


def ms(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


def test_each_logged_volume_has_its_own_hour() -> None:
    """The published frame: now at 03:51:27, then full hours back to noon of the day before, newest first."""
    measurements = QALCOSONIC_W1.decode(100, PUBLISHED, NOW_MS)
    first = datetime(2021, 7, 8, 12, tzinfo=UTC)
    hours = [first + timedelta(hours=hour) for hour in range(15, -1, -1)]
    assert [item.time_ms for item in measurements] == [
        ms(datetime(2021, 7, 9, 3, 51, 27, tzinfo=UTC)),
        *(ms(hour) for hour in hours),
    ]
    assert [item.readings[0].value for item in measurements][:3] == [103720, 103711, 103708]
    assert all(item.readings[0].quantity is Quantity.VOLUME_TOTAL for item in measurements)


def test_an_alarm_has_the_meters_time() -> None:
    """The published alarm happened when the meter says so, not when it arrived."""
    (measurement,) = QALCOSONIC_W1.decode(103, bytes.fromhex("dd48ae6010"), NOW_MS)
    assert measurement.time_ms == ms(datetime(2021, 5, 26, 13, 10, 53, tzinfo=UTC))


def test_a_clock_that_is_not_set_means_now() -> None:
    """Zero as the meter's time: the moment of receipt; a log without a beginning is left out."""
    for hours in (0, 15):
        (measurement,) = QALCOSONIC_W1.decode(100, bytes(17 + 2 * hours), NOW_MS)
        assert measurement.time_ms == NOW_MS


def test_a_log_that_ends_after_now_is_refused() -> None:
    """One hour more than has passed since the log's beginning."""
    with pytest.raises(MalformedPayload, match="ends after"):
        QALCOSONIC_W1.decode(100, PUBLISHED + b"\x01\x00", NOW_MS)


@pytest.mark.parametrize("status", [0x01, 0x02, 0x71])
def test_reserved_status_bits_are_refused(status: int) -> None:
    """The two lowest bits of the status are always zero."""
    with pytest.raises(MalformedPayload, match="reserved"):
        QALCOSONIC_W1.decode(103, bytes((0, 0, 0, 0, status)), NOW_MS)


@pytest.mark.parametrize("length", [0, 8, 16, 18, 46])
def test_a_truncated_frame_is_refused(length: int) -> None:
    """Less than the head, or half an hour's difference."""
    with pytest.raises(WrongLength):
        QALCOSONIC_W1.decode(100, PUBLISHED[:length], NOW_MS)


def test_an_unknown_kind_of_error_keeps_its_number() -> None:
    """A kind that the document does not list is no reason to refuse the frame."""
    (measurement,) = QALCOSONIC_W1.decode(103, bytes.fromhex("00000000f0"), NOW_MS)
    assert measurement.attributes == {"temporary_error": "7"}
