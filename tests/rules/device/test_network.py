"""Whether a gateway is heard, in doubt or silent."""

import pytest

from rules.device.config import DAY_MS, HOUR_MS, DeviceRules
from rules.device.network import NETWORK, Standing, Station, conclude, hear_all, standing

RULES = DeviceRules()
MINUTE = 60_000
T0 = 1_800_000_000_000
LAST = T0 + 2 * HOUR_MS


def learned(gap_ms: int = 2 * MINUTE) -> Station:
    """A gateway with three devices, heard for two hours."""
    return hear_all(RULES, Station(devices=3), range(T0, LAST + 1, gap_ms))


@pytest.mark.parametrize(
    ("quiet_ms", "expected"),
    [(2 * MINUTE, "heard"), (2 * MINUTE + 1, "doubtful"), (5 * MINUTE - 1, "doubtful"), (5 * MINUTE, "silent")],
)
def test_one_usual_gap_is_doubt_and_two_and_a_half_are_silence(quiet_ms: int, expected: Standing) -> None:
    """With a usual gap of two minutes."""
    assert standing(RULES, learned(), MINUTE, LAST + quiet_ms) == expected


def test_a_busy_gateway_is_given_the_least_time() -> None:
    """Seconds between uplinks make no alarm within the configured least time."""
    station = learned(2000)
    assert standing(RULES, station, 5 * MINUTE, LAST + 5 * MINUTE - 1) == "doubtful"
    assert standing(RULES, station, 5 * MINUTE, LAST + 5 * MINUTE) == "silent"


def test_a_station_is_believed_after_an_hour_and_with_two_devices() -> None:
    """Before that nothing can be said of it."""
    young = hear_all(RULES, Station(devices=3), range(T0, T0 + HOUR_MS, 10_000))
    assert standing(RULES, young, MINUTE, T0 + DAY_MS) == "heard"
    assert standing(RULES, learned()._replace(devices=1), MINUTE, T0 + DAY_MS) == "heard"


def test_a_usual_gap_fades_by_half_a_day_after_a_day() -> None:
    """An hour of quiet once is expected again, but less so every day."""
    station = hear_all(RULES, learned(), [LAST + HOUR_MS])
    assert station.gap_ms == HOUR_MS
    later = hear_all(RULES, station, range(LAST + HOUR_MS, LAST + HOUR_MS + DAY_MS + 1, MINUTE))
    assert later.gap_ms == pytest.approx(HOUR_MS / 2)


def test_an_outage_is_learned_a_little() -> None:
    """The gap of a silence counts up to where it was said, so that nights are learned; its end is noted."""
    silent, event = conclude(RULES, "g", learned(), LAST + HOUR_MS, "1", silent=True)
    assert event is not None
    assert event.data.state == "silent"
    back = hear_all(RULES, silent, [LAST + DAY_MS, LAST + DAY_MS + MINUTE])
    assert 4 * MINUTE < back.gap_ms <= 5 * MINUTE
    assert back.back_ms == LAST + DAY_MS
    assert back.outages == ((LAST, LAST + DAY_MS),)
    again, event = conclude(RULES, "g", back, LAST + DAY_MS + 2 * MINUTE, "2", silent=False)
    assert event is not None
    assert event.data.state == "ok"
    assert conclude(RULES, "g", again, LAST + DAY_MS + 3 * MINUTE, "3", silent=False) == (again, None)


def test_a_silence_is_said_again_before_the_word_expires() -> None:
    """A quarter of its validity before the end, not earlier; the network's word is on `all`."""
    silent, first = conclude(RULES, NETWORK, learned(), LAST, "1", silent=True)
    assert first is not None
    assert first.topic == "stadtfunk/v1/network/all/health"
    due_ms = LAST + RULES.validity_ms - RULES.renewal_ms
    assert conclude(RULES, NETWORK, silent, due_ms - 1, "2", silent=True)[1] is None
    renewed = conclude(RULES, NETWORK, silent, due_ms, "3", silent=True)[1]
    assert renewed is not None
    assert renewed.valid_until_ms == due_ms + RULES.validity_ms
    assert renewed.id != first.id
