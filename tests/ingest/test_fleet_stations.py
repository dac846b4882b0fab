"""When a device counts as silent, given what its gateway, the network and the service itself went through."""

import pytest

from decoders.quantity import Privacy
from ingest.calendar import Calendar
from ingest.fleet.fleet import Fleet
from rules.device.config import HOUR_MS, DeviceRules
from rules.device.network import MAX_OUTAGES, NETWORK, Station
from rules.device.record import About, Day, Record

T0 = 1_800_000_000_000
INTERVAL_MS = 10 * HOUR_MS
AFTER_MS = 25 * HOUR_MS
"""Two and a half intervals."""
ABOUT = About("device 1", "bosch/tps110", "city", "lot-1", "", "", Privacy.OPEN)
DEVICE = Record(
    ABOUT,
    first_ms=T0 - 100 * INTERVAL_MS,
    last_ms=T0,
    interval_ms=INTERVAL_MS,
    intervals=100,
    f_cnt=100,
    dev_addr="01020304",
    joined_ms=0,
    reset_ms=0,
    gateway="g1",
    margin_db=10.0,
    margins=100,
    offset_ms=0,
    hour=0,
    battery=None,
    day=Day(1),
    silent=False,
    problems=0,
    shown_until_ms=0,
    deadline_ms=None,
)


def expected_h(now_h: float, gateway: Station | None = None, network: Station | None = None) -> float:
    """Hours after it was heard last at which the device counts as silent, as seen then."""
    fleet = Fleet(DeviceRules(), Calendar("Europe/Berlin"), lambda *_: True)
    fleet.stations = {"g1": gateway or Station(), NETWORK: network or Station()}
    now_ms = T0 + int(now_h * HOUR_MS)
    return (fleet.overlay({}).stations.expected_ms(DEVICE, now_ms) - T0) / HOUR_MS


def away(*hours: tuple[float, float]) -> Station:
    """A station with these outages, heard again since."""
    outages = tuple((T0 + int(begin * HOUR_MS), T0 + int(end * HOUR_MS)) for begin, end in hours)
    return Station(back_ms=outages[-1][1], outages=outages)


def test_a_device_has_two_and_a_half_intervals() -> None:
    """Nothing else happened."""
    assert expected_h(1) == AFTER_MS / HOUR_MS


@pytest.mark.parametrize(("begin", "end"), [(1, 5), (20, 24), (24, 200)])
def test_after_an_outage_a_device_gets_its_time_again(begin: float, end: float) -> None:
    """Whether the outage was short or long, early or late."""
    assert expected_h(end + 1, gateway=away((begin, end))) == end + 25
    assert expected_h(end + 1, network=away((begin, end))) == end + 25


def test_outages_that_come_back_hide_no_dead_device() -> None:
    """An hour without its gateway every twenty: silent once others were heard for fifty hours in all."""
    outages = [(20.0 * n, 20.0 * n + 1) for n in range(1, 10)]
    for station in ("gateway", "network"):
        at = {n: expected_h(20 * n + 1, **{station: away(*outages[:n])}) for n in range(1, 4)}
        assert at == {1: 46, 2: 52, 3: 53}
    assert expected_h(181, gateway=away(*outages)) <= 181


def test_an_outage_of_gateway_and_network_counts_once() -> None:
    """Of two that overlap the time in which either was away."""
    gateway, network = away((10, 30), (40, 44)), away((20, 40), (41, 43), (70, 71))
    assert expected_h(72, gateway=gateway, network=network) == 50 + (44 - 10) + 1


def test_the_oldest_outages_are_forgotten() -> None:
    """What a station remembers is bounded; time of which nothing is known counts as heard."""
    outages = [(2.0 * n, 2.0 * n + 1) for n in range(1, 40)][-MAX_OUTAGES:]
    assert expected_h(80, gateway=away(*outages)) == 50 + MAX_OUTAGES
