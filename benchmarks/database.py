"""The InfluxDB that benchmarks write into: the one given, else a fresh one of the tests' program, else none."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.doubles.influxd import executable, running

DATABASES = ("stadtfunk_open", "stadtfunk_internal", "stadtfunk_personal")


@contextlib.contextmanager
def influxdb(url: str | None) -> Iterator[str | None]:
    """Its url, with the service's databases; None where there is neither."""
    program = executable()
    if url is not None or program is None:
        yield url
        return
    with (
        tempfile.TemporaryDirectory(prefix="stadtfunk-bench-influxd-") as name,
        running(program, Path(name)) as server,
    ):
        for database in DATABASES:
            server.create(database)
        yield server.url
