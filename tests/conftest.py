"""Brokers and databases for the tests: real ones, on free ports of loopback with a configuration of their own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from ingest.broker import MOSQUITTO_CONFIG, EmbeddedBroker, Mosquitto, mosquitto_program
from tests.doubles.influxd_fixtures import (
    guarded_influxd,
    influxdb,
    new_bucket,
    organisation_2,
    skip_without_influxdb,
    start_influxd,
)

__all__ = ["guarded_influxd", "influxdb", "new_bucket", "organisation_2", "start_influxd"]

# A slow machine is no defect of the example that it was slow at.
settings.register_profile("stadtfunk", deadline=None)
settings.load_profile("stadtfunk")

StartMosquitto = Callable[..., Awaitable[Mosquitto]]
NO_MOSQUITTO = "needs Mosquitto: install the package `mosquitto`"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what needs Mosquitto itself or a real InfluxDB where there is none; keep groups of tests together."""
    if config.getoption("loadgroup", default=False):
        for item in items:
            tell_group(item)
    skip_without_influxdb(items)
    if mosquitto_program() is not None:
        return
    for item in items:
        if item.get_closest_marker("mosquitto"):
            item.add_marker(pytest.mark.skip(reason=NO_MOSQUITTO))


def tell_group(item: pytest.Item) -> None:
    """Put a test's group at the end of its id, by which pytest-xdist's `--dist loadgroup` hands tests out.

    pytest-xdist 3.8 does so by an attribute that pytest 9.2 has no more; without it groups are torn apart.
    """
    mark = item.get_closest_marker("xdist_group")
    suffix = f"@{mark.args[0]}" if mark else ""
    if not item.nodeid.endswith(suffix):
        item._id = type(item.id).parse(f"{item.nodeid}{suffix}")


@pytest.fixture
async def start_mosquitto(tmp_path: Path) -> AsyncIterator[StartMosquitto]:
    """Start Mosquitto with further configuration lines (and `listener_lines` in the place of the default ones)."""
    async with AsyncExitStack() as stack:

        async def start(*lines: str, base: tuple[str, ...] = MOSQUITTO_CONFIG) -> Mosquitto:
            return await stack.enter_async_context(Mosquitto(config=(*base, *lines), directory=tmp_path))

        yield start


@pytest.fixture
async def mosquitto(start_mosquitto: StartMosquitto, tmp_path: Path) -> Mosquitto:
    """Mosquitto that keeps its sessions on disk, so that `stop` and `start` lose nothing."""
    return await start_mosquitto("persistence true", f"persistence_location {tmp_path}/")


@pytest.fixture
async def embedded_broker() -> AsyncIterator[EmbeddedBroker]:
    """The broker of the extra `demo`."""
    async with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture(params=[pytest.param("mosquitto", marks=pytest.mark.mosquitto), "embedded_broker"])
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Mosquitto | EmbeddedBroker]:
    """Each broker in turn."""
    chosen = Mosquitto(directory=tmp_path) if request.param == "mosquitto" else EmbeddedBroker()
    async with chosen:
        yield chosen
