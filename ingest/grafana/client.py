"""Annotations in Grafana: one request at a time, in a thread that nobody has to wait for.

Source: Grafana's documentation, HTTP API, "Annotations": GET, POST and PATCH of /api/annotations.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from ingest.grafana.session import session
from ingest.settings import GrafanaSettings
from ingest.sink import SinkUnavailable
from ingest.tls import CertificateError, client_context

T = TypeVar("T")
MAX_REASON = 300
MOST_FOUND = 100
GONE = 404
SERVER_ERROR = 500
DENIED = frozenset({401, 403})
LATER = frozenset({404, 407, 408, 425, 429})
"""Answers that say nothing of the annotation: the address is wrong, or it is the wrong moment."""
WHERE = "set grafana.url to where Grafana answers"
ADVICE = {
    401: "set grafana.token",
    403: "give the service account annotations:read, annotations:create and annotations:write (docs/grafana.md)",
    404: WHERE,
    429: "Grafana asks for fewer requests",
}


class Denied(SinkUnavailable):
    """Grafana does not know the token, or not for this: a person has to see to it."""


class ServerFault(SinkUnavailable):
    """Grafana answered 500 or more: it is in trouble, or gets into it by what it was given."""


class Refused(Exception):
    """Grafana will never take this one; others it may."""


class New(NamedTuple):
    """An annotation of the whole organisation to be added; `time_ms` since 1970 (UTC)."""

    time_ms: int
    text: str
    tags: tuple[str, ...]


class Annotation(BaseModel, frozen=True):
    """An annotation that Grafana has."""

    id: int
    text: str = ""
    tags: tuple[str, ...] | None = None


class Added(BaseModel, frozen=True):
    """What Grafana says of a new one."""

    id: int


FOUND = TypeAdapter(list[Annotation])
ADDED = TypeAdapter(Added)


class GrafanaClient:
    """Annotations of one Grafana. Every method raises SinkUnavailable when it has to be done again.

    What was not answered may have been done all the same: look before it is done again. No request begins while one is
    under way, so that none is overtaken. Raises SettingsError without grafana-client.
    """

    def __init__(self, settings: GrafanaSettings) -> None:
        self._settings = settings
        self._token = settings.token.get_secret_value() if settings.token else ""
        self._session = session(settings)
        self._under_way: Future[object] | None = None

    async def find(self, tag: str) -> list[Annotation]:
        """The annotations with this tag."""
        api = self._session.api
        try:
            answer = await self._ask(lambda: api.get_annotation(ann_type="annotation", tags=[tag], limit=MOST_FOUND))
        except Refused as error:
            raise SinkUnavailable(str(error)) from error
        return self._read(FOUND, answer)

    async def add(self, new: New) -> int:
        """Add one; returns its id. Raises Refused."""
        api = self._session.api
        answer = await self._ask(lambda: api.add_annotation(time_from=new.time_ms, tags=new.tags, text=new.text))
        return self._read(ADDED, answer).id

    async def change(
        self, number: int, *, end_ms: int | None = None, tags: Sequence[str] | None = None, text: str | None = None
    ) -> None:
        """Change what is given of an annotation, if it is still there. Raises Refused."""
        api = self._session.api
        await self._ask(
            lambda: api.partial_update_annotation(number, time_to=end_ms, tags=tags, text=text), may_be_gone=True
        )

    def close(self) -> None:
        """Close the connections; a request under way is left to itself."""
        self._session.connections.close()

    async def _ask(self, request: Callable[[], object], *, may_be_gone: bool = False) -> object:
        if self._under_way is not None and not self._under_way.done():
            raise self._unavailable("the request before has not ended yet")
        try:
            if self._settings.ca_file is not None:
                client_context(self._settings.ca_file)
            async with asyncio.timeout(2 * self._settings.timeout_s + 1):
                return await asyncio.wrap_future(self._begin(request))
        except CertificateError as error:
            raise self._unavailable(f"grafana.ca_file: {error}") from error
        except self._session.failure as error:
            status = int(getattr(error, "status_code", 0))
            if may_be_gone and status == GONE:
                return None
            raise self._failed(status, str(error)) from error
        except (OSError, ValueError) as error:
            raise self._unanswered(error) from error

    def _begin(self, request: Callable[[], object]) -> Future[object]:
        answer: Future[object] = Future()
        answer.set_running_or_notify_cancel()  # from now on nobody can cancel it

        def work() -> None:
            try:
                answer.set_result(request())
            except Exception as error:  # noqa: BLE001 - handed over
                answer.set_exception(error)

        self._under_way = answer
        Thread(target=work, name="grafana", daemon=True).start()
        return answer

    def _read(self, adapter: TypeAdapter[T], answer: object) -> T:
        try:
            return adapter.validate_python(answer)
        except ValidationError as error:
            raise self._unavailable(f"answered, but not as Grafana does; {WHERE}") from error

    def _failed(self, status: int, said: str) -> Exception:
        """What an answer of 400 or more means."""
        if status in DENIED:
            return self._unavailable(f"{said}; {ADVICE[status]}", Denied)
        if status >= SERVER_ERROR:
            return self._unavailable(said, ServerFault)
        if status in LATER:
            return self._unavailable(f"{said}; {ADVICE.get(status, 'later again')}")
        return Refused(self._about(said))

    def _unanswered(self, error: Exception) -> SinkUnavailable:
        """No answer, or none that is JSON; whoever looks at once may not see yet what is being done."""
        wait_s = self._settings.timeout_s
        causes = list(_causes(error))
        if any(isinstance(cause, TimeoutError) for cause in causes):
            return self._unavailable(f"no answer within {wait_s:g} s", retry_after_s=wait_s)
        redirect = getattr(getattr(error, "response", None), "is_redirect", False)
        if redirect:
            return self._unavailable(f"answered that it is elsewhere; {WHERE}")
        return self._unavailable(f"no connection: {causes[-1] or type(causes[-1]).__name__}")

    def _unavailable(
        self, reason: str, kind: type[SinkUnavailable] = SinkUnavailable, retry_after_s: float | None = None
    ) -> SinkUnavailable:
        return kind(self._about(reason), retry_after_s)

    def _about(self, reason: str) -> str:
        """The reason behind Grafana's address, on one line and without the token."""
        text = reason
        for secret in {self._token, repr(self._token)[1:-1]} - {""}:
            text = text.replace(secret, "***")
        return " ".join(f"Grafana at {self._settings.url}: {text}".split())[:MAX_REASON]


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it, the first cause last."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
