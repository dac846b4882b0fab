"""The sink that writes to InfluxDB: 1.8, 2.x and 3 Core, all at `/api/v2/write`."""

import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from typing import cast

import aiohttp
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.client.write_api_async import WriteApiAsync
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException

from decoders.quantity import Privacy
from ingest.influxdb.answer import Answer, read
from ingest.influxdb.delete import Eraser
from ingest.influxdb.http import about
from ingest.influxdb.search import Failing, Search, ServerFault
from ingest.influxdb.version import UnknownVersion, Version, detect
from ingest.settings import InfluxSettings
from ingest.sink import Rejected, SinkUnavailable

MILLISECONDS = cast("WritePrecision", WritePrecision.MS)
"""The client declares the class and takes its strings."""


class InfluxSink:
    """Writes lines into the bucket of their privacy class; lines that InfluxDB refuses are found and handed back.

    `on_state` hears of every change: None when writes are taken, else the reason why not. `clock` counts seconds.
    Lines that the server answers with 500 for `quarantine_after_s` are searched like refused ones; when none of several
    is taken, the server is to blame and all of them wait on.
    """

    name = "influxdb"

    def __init__(
        self,
        settings: InfluxSettings,
        on_state: Callable[[str | None], None] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._on_state = on_state
        self._token = settings.token.get_secret_value() if settings.token else ""
        self._state: str | None = None
        self._failing = Failing(clock)
        self._eraser = Eraser(settings)
        self._client: InfluxDBClientAsync | None = None
        self._asked = False
        self._version: Version | None = None

    @property
    def version(self) -> Version | None:
        """Which InfluxDB the connection leads to; None before the first answer, and when the server does not say."""
        return self._version

    async def write(self, privacy: Privacy, body: bytes) -> list[Rejected]:
        """Store the lines; returns those refused for good, or raises SinkUnavailable: then all must come again."""
        bucket = self._settings.bucket(privacy)
        size = self._settings.batch_lines
        rejected: list[Rejected] = []
        body = body.strip(b"\n")
        try:
            if body:
                await self._ask()
            if body and b"#" not in body and body.count(b"\n") < size:
                rejected += await self._store_whole(bucket, body)
            else:
                lines, rejected = _without_comments(body)
                for start in range(0, len(lines), size):
                    rejected += await self._store(bucket, lines[start : start + size])
        except ServerFault as fault:
            self._asked = False
            await self._eraser.close()
            unavailable = self._unavailable(f", bucket {bucket}", fault)
            self._tell(str(unavailable))
            raise unavailable from fault
        self._tell(None)
        return rejected

    async def delete(self, measurements: Iterable[str], dev_eui: str, from_ms: int, to_ms: int) -> None:
        """Delete a device's points of [from_ms, to_ms) from these Influx measurements, whatever their privacy class.

        All of them on one connection; a bucket that somebody dropped holds nothing to delete. Raises CannotDelete
        (3 Core), UnknownVersion, or SinkUnavailable: then some may be gone, and it must come again.
        """
        try:
            await self._eraser.delete(measurements, dev_eui, from_ms, to_ms)
        except ServerFault as fault:
            raise self._unavailable("", fault) from fault

    async def close(self) -> None:
        """Close the connections; a later write opens new ones."""
        self._asked = False
        await self._eraser.close()
        client, self._client = self._client, None
        if client is not None:
            await client.close()  # type: ignore[no-untyped-call]  # the client leaves it untyped

    async def _ask(self) -> None:
        """Once for each connection; a server that hides its version is written to all the same."""
        if self._asked:
            return
        try:
            self._version = await detect(self._settings)
        except UnknownVersion:
            self._version = None
        self._asked = True

    async def _store_whole(self, bucket: str, body: bytes) -> list[Rejected]:
        """What is nearly always done in one request, without a look at single lines."""
        answer = await self._post(bucket, body)
        if answer is None:
            self._failing.forget(body.partition(b"\n")[0])
            return []
        search = Search([line for line in body.split(b"\n") if line], self._failing, self._settings.quarantine_after_s)
        search.answered(search.pending.pop(), answer)
        return await self._search(bucket, search)

    async def _store(self, bucket: str, lines: Sequence[bytes]) -> list[Rejected]:
        return await self._search(bucket, Search(lines, self._failing, self._settings.quarantine_after_s))

    async def _search(self, bucket: str, search: Search) -> list[Rejected]:
        while search.pending:
            part = search.pending.pop()
            search.answered(part, await self._post(bucket, part.body))
        return search.rejected

    async def _post(self, bucket: str, body: bytes) -> Answer | None:
        """One request: None when everything was stored, else what the answer means."""
        settings = self._settings
        try:
            taken = await self._api().write(bucket, settings.organisation, body, write_precision=MILLISECONDS)
        except ApiException as error:
            return read(int(error.status or 0), error.headers or {}, error.body)
        except TimeoutError as error:
            raise ServerFault(f"no answer within {settings.timeout_s:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ServerFault(f"no connection: {error or type(error).__name__}") from error
        if not taken:
            raise ServerFault("answered, but not as InfluxDB does; set influxdb.url to where InfluxDB answers")
        return None

    def _api(self) -> WriteApiAsync:
        if self._client is None:
            self._client = self._connect()
        return self._client.write_api()

    def _connect(self) -> InfluxDBClientAsync:
        settings = self._settings
        try:
            context = ssl.create_default_context(cafile=settings.ca_file)
        except OSError as error:
            raise ServerFault(f"influxdb.ca_file {settings.ca_file} is not usable: {error}") from error
        return InfluxDBClientAsync(
            settings.url or "",
            self._token,
            settings.organisation,
            timeout=aiohttp.ClientTimeout(total=settings.timeout_s),
            enable_gzip=settings.gzip,
            ssl_context=context,
            allow_redirects=False,
        )

    def _unavailable(self, where: str, fault: ServerFault) -> SinkUnavailable:
        """One line that names url, bucket and what to do, and no secret."""
        return SinkUnavailable(about(self._settings, f"{where}: {fault.reason}"), fault.retry_after_s)

    def _tell(self, state: str | None) -> None:
        if state != self._state:
            self._state = state
            if self._on_state is not None:
                self._on_state(state)


def _without_comments(body: bytes) -> tuple[list[bytes], list[Rejected]]:
    """The lines to send; InfluxDB would pass over a comment in silence, so it is handed back."""
    lines = [line for line in body.split(b"\n") if line]
    if b"#" not in body:
        return lines, []
    comments = [Rejected(line, "a comment is no point") for line in lines if line.lstrip().startswith(b"#")]
    return [line for line in lines if not line.lstrip().startswith(b"#")], comments
