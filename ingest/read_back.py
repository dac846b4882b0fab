"""The points of a device as they stand now, so that a correction can say what it changed."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from decoders.quantity import Privacy
from ingest import store_schema
from ingest.line_protocol import parse, series
from ingest.settings import InfluxSettings

TAGS = ("application", "asset", "channel", "dev_eui", "device", "district", "model")
Points = Mapping[tuple[str, int], Mapping[str, float | str]]
"""Fields by escaped series and time in ms."""
ReadBack = Callable[[Sequence[str], str, int, int], Awaitable[Points | None]]
"""The points of these Influx measurements, of a device, of [from_ms, to_ms); None where they cannot be read."""


class Difference(NamedTuple):
    """Points before and after, and how many single readings changed, came or went."""

    before: int
    after: int
    readings: int


def difference(before: Points, lines: Iterable[str]) -> Difference:
    """What becomes of points when these lines take their place."""
    after: dict[tuple[str, int], dict[str, float | str]] = {}
    for line in lines:
        measurement, tags, fields, time_ms = parse(line.encode())
        after.setdefault((series(measurement, tags.items()), time_ms), {}).update(fields)
    changed = 0
    for key in {*before, *after}:
        old, new = before.get(key, {}), after.get(key, {})
        changed += sum(old.get(name) != new.get(name) for name in {*old, *new})
    return Difference(len(before), len(after), changed)


def from_store(path: Path) -> ReadBack:
    """Read the embedded store; a store that is not there has no points."""
    exists = path.exists()

    async def read(measurements: Sequence[str], dev_eui: str, from_ms: int, to_ms: int) -> Points | None:
        return store_schema.span(path, measurements, dev_eui, from_ms, to_ms) if exists else {}

    return read


def from_influx(settings: InfluxSettings) -> ReadBack:
    """Ask InfluxDB in InfluxQL; None when it refuses (2.x without a mapping of its buckets)."""
    from ingest.influx_http import InfluxHttp  # noqa: PLC0415 - half a second to import, where it is needed only
    from ingest.influx_ql import quoted  # noqa: PLC0415 - the same
    from ingest.influx_search import ServerFault  # noqa: PLC0415 - the same

    async def read(measurements: Sequence[str], dev_eui: str, from_ms: int, to_ms: int) -> Points | None:
        span = f"dev_eui = {quoted(dev_eui, chr(39))} AND time >= {from_ms}ms AND time < {to_ms}ms"
        names = ", ".join(quoted(name) for name in measurements)
        form = {"q": f"SELECT * FROM {names} WHERE {span}", "epoch": "ms"}  # noqa: S608 - quoted above
        found: dict[tuple[str, int], dict[str, float | str]] = {}
        try:
            async with InfluxHttp(settings) as http:
                for bucket in dict.fromkeys(settings.bucket(privacy) for privacy in Privacy):
                    database, _, policy = bucket.partition("/")
                    place = {"db": database, **({"rp": policy} if policy else {})}
                    answer = await http.request("POST", "/query", form={**form, **place})
                    results = answer.json().get("results")
                    if not answer.ok or not isinstance(results, list) or any("error" in result for result in results):
                        return None
                    for key, fields in _points(results):
                        found.setdefault(key, {}).update(fields)
        except ServerFault:
            return None
        return found

    return read


def _points(results: list[dict[str, list[dict[str, Any]]]]) -> Iterator[tuple[tuple[str, int], dict[str, float | str]]]:
    for result in results:
        for table in result.get("series", ()):
            for values in table["values"]:
                row = dict(zip(table["columns"], values, strict=True))
                tags = [(name, str(row[name])) for name in TAGS if row.get(name)]
                fields = {
                    name: value
                    for name, value in row.items()
                    if name not in {*TAGS, "time"} and isinstance(value, int | float | str)
                }
                yield (series(table["name"], tags), row["time"]), fields
