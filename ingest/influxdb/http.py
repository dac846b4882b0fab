"""Requests to InfluxDB that are no writes: asking its version, deleting, InfluxQL, provisioning."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit

import aiohttp

from ingest.influxdb.answer import one_line, read
from ingest.influxdb.search import ServerFault
from ingest.settings import InfluxSettings
from ingest.tls import CertificateError, client_context

Json = Mapping[str, object]
Row = dict[str, object]


class HttpAnswer(NamedTuple):
    """An answer of whatever status; header names in small letters."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def ok(self) -> bool:
        """Whether the server did what it was asked."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP's own range

    def json(self) -> dict[str, object]:
        """The body as a JSON object, empty when it is none."""
        try:
            said = json.loads(self.text)
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}


class InfluxHttp:
    """A session with the server of the settings; `token` in place of the settings' one when given.

    Every request raises ServerFault when there is no answer; an answer of any status is returned.
    """

    def __init__(self, settings: InfluxSettings, token: str | None = None) -> None:
        if token is None:
            token = settings.token.get_secret_value() if settings.token else ""
        self._settings = settings
        self._headers = {"Authorization": f"Token {token}"} if token else {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Begin the session; raises ServerFault for a CA file of no use."""
        settings = self._settings
        try:
            context = client_context(settings.ca_file)
        except CertificateError as error:
            raise ServerFault(f"influxdb.ca_file: {error}") from error
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context),
            timeout=aiohttp.ClientTimeout(total=settings.timeout_s),
            headers=self._headers,
        )

    async def close(self) -> None:
        """End the session; a second time changes nothing."""
        if self._session is not None:
            await self._session.close()

    async def get(self, path: str, **params: str) -> HttpAnswer:
        """GET with these parameters."""
        return await self.request("GET", path, params)

    async def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        body: Json | None = None,
        form: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        """One request; `body` goes as JSON, `form` as a form."""
        async with self._asking(method, path, params or {}, body, form) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return HttpAnswer(answer.status, headers, await answer.text(errors="replace"))

    @asynccontextmanager
    async def _asking(
        self, method: str, path: str, params: Mapping[str, str], body: Json | None, form: Mapping[str, str] | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            raise RuntimeError("the session is not open")
        url = f"{(self._settings.url or '').rstrip('/')}{path}"
        try:
            async with self._session.request(
                method, url, params=params, json=body, data=form, allow_redirects=False
            ) as answer:
                yield answer
        except TimeoutError as error:
            raise ServerFault(f"no answer within {self._settings.timeout_s:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ServerFault(f"no connection: {error or type(error).__name__}") from error


def place(settings: InfluxSettings) -> str:
    """The server's address for messages, without a password."""
    url = urlsplit(settings.url or "")
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"


def about(settings: InfluxSettings, text: str) -> str:
    """What is to be said of the server, behind its name, on one line and without its token."""
    token = settings.token.get_secret_value() if settings.token else ""
    return one_line(f"InfluxDB at {place(settings)}{text.replace(token, '***') if token else text}")


async def query(http: InfluxHttp, statement: str, database: str = "") -> list[Row]:
    """The rows of a statement, each with the name of its series as `series`; raises ServerFault when it was refused."""
    answer = await http.request("POST", "/query", form={"db": database, "q": statement, "epoch": "ms"})
    return list(rows(done(answer)))


def done(answer: HttpAnswer) -> HttpAnswer:
    """The answer when it is good, else ServerFault; InfluxQL says what went wrong in the body of a 200."""
    if not answer.ok:
        raise ServerFault(read(answer.status, answer.headers, answer.text).reason)
    for result in _dicts(answer.json().get("results")):
        if "error" in result:
            raise ServerFault(one_line(str(result["error"])))
    return answer


def rows(answer: HttpAnswer) -> Iterator[Row]:
    """Column → value of each row."""
    for result in _dicts(answer.json().get("results")):
        for series in _dicts(result.get("series")):
            columns, values = series.get("columns"), series.get("values")
            if isinstance(columns, list) and isinstance(values, list):
                for value in values:
                    yield {**dict(zip(map(str, columns), value, strict=True)), "series": series.get("name", "")}


def _dicts(found: object) -> list[dict[str, object]]:
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
