"""Brokers and databases for the tests: real ones, on free ports of loopback with a configuration of their own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from ingest.broker import MOSQUITTO_CONFIG, EmbeddedBroker, Mosquitto, mosquitto_program
from tests.doubles.influxd_fixtures import (
    guarded_influxd,
    influxdb,
    new_bucket,
    skip_without_influxdb,
    start_influxd,
)

__all__ = ["guarded_influxd", "influxdb", "new_bucket", "start_influxd"]

StartMosquitto = Callable[..., Awaitable[Mosquitto]]
NO_MOSQUITTO = "needs Mosquitto: install the package `mosquitto`"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs Mosquitto itself or a real InfluxDB where there is none."""
    skip_without_influxdb(items)
    if mosquitto_program() is not None:
        return
    for item in items:
        if item.get_closest_marker("mosquitto"):
            item.add_marker(pytest.mark.skip(reason=NO_MOSQUITTO))


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
