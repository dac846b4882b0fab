"""What stands in InfluxDB where a replay is going to write, asked in InfluxQL."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

from decoders.quantity import Privacy
from ingest.influxdb.http import HttpAnswer, InfluxHttp, about, done, query, rows
from ingest.influxdb.ql import quoted
from ingest.influxdb.search import ServerFault
from ingest.line_protocol import series
from ingest.replay.read_back import CannotReadBack, Points, ReadBack
from ingest.settings import InfluxSettings

TAGS = ("application", "asset", "channel", "dev_eui", "device", "district", "model")
REFUSALS = {401, 403}
NO_RIGHT = "influxdb.token may not read bucket {}; to count, run it with one that may in STADTFUNK_INFLUXDB__TOKEN"
Found = dict[tuple[str, int], dict[str, float | str]]


@asynccontextmanager
async def from_influx(settings: InfluxSettings) -> AsyncIterator[ReadBack]:
    """Read on one connection; raises ServerFault for a CA file of no use."""
    async with InfluxHttp(settings) as http:
        asked = _Database(http, settings)
        yield asked.points


class _Database:
    """The buckets of the settings, as their InfluxQL databases."""

    def __init__(self, http: InfluxHttp, settings: InfluxSettings) -> None:
        self._http = http
        self._settings = settings
        self._readable: set[str] = set()

    async def points(self, measurements: Sequence[str], dev_eui: str, from_ms: int, to_ms: int) -> Points:
        """The points of a device and span; raises CannotReadBack."""
        names = ", ".join(map(quoted, measurements))
        span = f"dev_eui = {quoted(dev_eui, chr(39))} AND time >= {from_ms}ms AND time < {to_ms}ms"
        statement = f"SELECT * FROM {names} WHERE {span}"  # noqa: S608 - quoted above
        found: Found = {}
        for bucket in dict.fromkeys(self._settings.bucket(privacy) for privacy in Privacy):
            try:
                answer = await self._select(bucket, statement)
            except ServerFault as fault:
                raise self._cannot(f"bucket {bucket} cannot be read: {fault}") from fault
            for key, fields in _points(answer):
                found.setdefault(key, {}).update(fields)
        return found

    async def _select(self, bucket: str, statement: str) -> HttpAnswer:
        database, _, policy = bucket.partition("/")
        where = {"db": database, **({"rp": policy} if policy else {})}
        answer = await self._http.request("POST", "/query", form={"q": statement, "epoch": "ms", **where})
        if answer.status in REFUSALS:
            raise self._cannot(NO_RIGHT.format(bucket))
        try:
            done(answer)
        except ServerFault as fault:
            if "database not found" not in fault.reason:
                raise
            raise self._cannot(f"{NO_RIGHT.format(bucket)} (or there is no such bucket: {fault.reason})") from fault
        if bucket not in self._readable:
            if not any(rows(answer)) and database not in await self._databases():
                raise self._cannot(NO_RIGHT.format(bucket) + " (or there is no such bucket)")
            self._readable.add(bucket)
        return answer

    async def _databases(self) -> set[str]:
        """Those that the token may read: 2.8 answers with nothing, 2.7 with "not found", for one that it may not."""
        return {str(value) for row in await query(self._http, "SHOW DATABASES") for value in row.values()}

    def _cannot(self, why: str) -> CannotReadBack:
        return CannotReadBack(about(self._settings, f": {why}"))


def _points(answer: HttpAnswer) -> Iterator[tuple[tuple[str, int], dict[str, float | str]]]:
    for row in rows(answer):
        tags = [(name, str(row[name])) for name in TAGS if row.get(name)]
        fields = {
            name: value
            for name, value in row.items()
            if name not in {*TAGS, "time", "series"} and isinstance(value, int | float | str)
        }
        time_ms = row["time"]
        if isinstance(time_ms, int):
            yield (series(str(row["series"]), tags), time_ms), fields
