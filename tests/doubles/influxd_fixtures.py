"""Fixtures with a real InfluxDB, for every folder of tests; tests that use them carry the marker `influxd`.

`influxd` marks what any real server does, `influxd(process=True)` what needs to start, stop or configure one itself,
`influxd(release="2")` what only 2.x has.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.doubles.influxd import (
    MISSING,
    MISSING_2,
    MISSING_PROCESS,
    Database,
    Influxd,
    Running2,
    elsewhere,
    executable,
    own_organisation,
    running,
)

StartInfluxd = Callable[..., Influxd]
NewBucket = Callable[..., str]
_numbers = itertools.count()


def skip_without_influxdb(items: list[pytest.Item]) -> None:
    """Skip what needs a real InfluxDB where there is none, and say what is missing."""
    program, other = executable(), elsewhere()
    for item in items:
        marker = item.get_closest_marker("influxd")
        if marker is None:
            continue
        if marker.kwargs.get("release") == "2":
            if other is None:
                item.add_marker(pytest.mark.skip(reason=MISSING_2))
        elif program is not None:
            continue
        elif marker.kwargs.get("process"):
            item.add_marker(pytest.mark.skip(reason=MISSING_PROCESS))
        elif other is None:
            item.add_marker(pytest.mark.skip(reason=MISSING))


@pytest.fixture(scope="session")
def influxdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A real server, shared: influxd 1.8.10 if it is here, else the 2.x server that the variables name."""
    program = executable()
    if program is None:
        server = elsewhere()
        assert server is not None, MISSING
        yield server
        return
    with running(program, tmp_path_factory.mktemp("influxd")) as influxd:
        yield influxd


@pytest.fixture
def organisation_2() -> Iterator[Running2]:
    """A running 2.x server, in an organisation of the test's own."""
    server = elsewhere()
    assert server is not None, MISSING_2
    with own_organisation(server, f"stadtfunk_test_{os.getpid()}_{next(_numbers)}") as own:
        yield own


@pytest.fixture
def new_bucket(influxdb: Database) -> Iterator[NewBucket]:
    """Make a bucket (1.8: database) that is gone after the test; `kept_s` seconds of retention."""
    with ExitStack() as stack:

        def make(kept_s: int = 0) -> str:
            name = f"stadtfunk_test_{os.getpid()}_{next(_numbers)}"
            influxdb.create(name, kept_s)
            stack.callback(influxdb.drop, name)
            return name

        yield make


@pytest.fixture(scope="session")
def guarded_influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """A real 1.8.10 with authentication on, shared; its `token` is the administrator's."""
    program = executable()
    assert program is not None, MISSING_PROCESS
    with running(program, tmp_path_factory.mktemp("influxd"), authentication=True) as influxd:
        yield influxd


@pytest.fixture
def start_influxd(tmp_path: Path) -> Iterator[StartInfluxd]:
    """Start influxd 1.8.10 of the test's own, with `authentication` if wanted; `kill` and `start` as the test likes."""
    program = executable()
    assert program is not None, MISSING_PROCESS
    with ExitStack() as stack:

        def start(*, authentication: bool = False) -> Influxd:
            folder = tmp_path / f"influxd-{next(_numbers)}"
            folder.mkdir()
            return stack.enter_context(running(program, folder, authentication=authentication))

        yield start
