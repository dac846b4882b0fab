"""Every alert on a real InfluxDB that the whole service has filled: silent while all is well, and firing when not."""

import asyncio
import itertools
import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from ingest.grafana.alerts.build import ALERTS, rule
from ingest.grafana.alerts.spec import Alert
from tests.doubles.influxd import Database
from tests.ingest.grafana.alerts.evaluation import Labels, evaluate, firing
from tests.ingest.grafana.alerts.story import BEGIN, DAY, HEALED, HOUR, ILL, MINUTE, WELL, WEST, Story, tell

pytestmark = [pytest.mark.influxd, pytest.mark.timeout(600), pytest.mark.xdist_group("alerts")]

EXPECTED: dict[str, tuple[set[Labels], int]] = {
    "journal-filling": ({frozenset()}, ILL),
    "dead-letters-rising": ({frozenset()}, ILL),
    "silent-gateway": ({frozenset({("gateway", WEST), ("channel", "network.health")})}, ILL),
    "silent-devices": ({frozenset({("channel", "device.health")})}, ILL),
    "air-quality": ({frozenset({("asset", "station")})}, ILL),
    "heavy-rain": ({frozenset({("asset", "station")})}, ILL),
    "flood": ({frozenset({("asset", "gauge")})}, ILL),
    "database-unreachable": ({frozenset()}, HEALED + HOUR),
}
"""What fires, and when: the last one when nothing is written any more."""


@pytest.fixture(scope="module")
def story(influxdb: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The filled database; its buckets go with the module."""
    numbers = itertools.count()
    with ExitStack() as stack:

        def new_bucket() -> str:
            name = f"stadtfunk_alerts_{os.getpid()}_{next(numbers)}"
            influxdb.create(name)
            stack.callback(influxdb.drop, name)
            return name

        yield asyncio.run(tell(influxdb, new_bucket, tmp_path_factory.mktemp("story")))


def sources(story: Story) -> dict[str, str]:
    """The buckets by the uid of their data source."""
    return {f"stadtfunk-{name}": bucket for name, bucket in story.buckets.items()}


@pytest.mark.parametrize("alert", ALERTS, ids=[alert.name for alert in ALERTS])
@pytest.mark.parametrize("now_ms", [WELL - MINUTE, HEALED - MINUTE], ids=["well", "healed"])
def test_it_is_silent_while_all_is_well(story: Story, alert: Alert, now_ms: int) -> None:
    """Before anything happens, and when it is over; with figures, not for want of them. Maintenance alarms nobody."""
    states = evaluate(story.server, sources(story), rule(alert, "de"), now_ms)
    assert set(states.values()) == {"normal"}


@pytest.mark.parametrize("alert", ALERTS, ids=[alert.name for alert in ALERTS])
def test_it_fires_when_something_is_wrong(story: Story, alert: Alert) -> None:
    """Where it is wrong, and nowhere else."""
    wanted, now_ms = EXPECTED[alert.name]
    assert firing(story.server, sources(story), rule(alert, "de"), now_ms - MINUTE) == wanted


@pytest.mark.parametrize("alert", ALERTS, ids=[alert.name for alert in ALERTS])
def test_it_fires_for_want_of_data(story: Story, alert: Alert) -> None:
    """Of a time of which nothing is known."""
    assert firing(story.server, sources(story), rule(alert, "de"), BEGIN - DAY) == {frozenset()}
