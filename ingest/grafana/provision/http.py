"""One organisation of a Grafana over HTTP: requests that wait when they are asked to, and faults of one line.

Sources: Grafana's documentation, HTTP API, "Authentication" and the pages of each endpoint; RFC 9110 §10.2.3.
"""

import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Final, NamedTuple, Self
from urllib.parse import urlsplit

from ingest.settings import GrafanaSettings

MISSING: Final = "the extra `grafana` is not installed: pip install 'stadtfunk[grafana]'"
NOT_FOUND: Final = 404
TOO_MANY: Final = 429
TRIES: Final = 4
LONGEST_WAIT_S: Final = 60.0
USUAL_WAIT_S: Final = 1.0
MAX_REASON: Final = 300
ADVICE: Mapping[int, str] = {
    401: "Grafana does not know this administrator",
    403: "an administrator is needed",
    404: "set grafana.url to where Grafana answers",
    409: "somebody else was faster, or made it another way",
    412: "somebody changed it in the meantime",
    429: "Grafana asks for fewer requests",
}
Body = Mapping[str, Any] | Sequence[Any]


class ProvisionError(Exception):
    """A Grafana that cannot be provisioned, or refused a step; the message is one line and holds no secret."""


class Refused(ProvisionError):
    """Grafana answered with a status of 400 or more."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Administrator(NamedTuple):
    """Who asks: a name with its password, or (without a name) the token of a service account of one organisation."""

    name: str
    secret: str

    @property
    def everywhere(self) -> bool:
        """Whether it may make organisations, and act in all of them."""
        return bool(self.name)


class Grafana:
    """Requests to one organisation, that of the administrator where no number is given; one after another.

    What it returns is JSON as Grafana sent it. Raises ProvisionError, also where grafana-client is not installed.
    """

    def __init__(
        self,
        settings: GrafanaSettings,
        administrator: Administrator,
        organisation: int | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        try:
            from grafana_client import GrafanaApi  # type: ignore[import-untyped]  # noqa: PLC0415 - of an extra
            from grafana_client.client import GrafanaException  # type: ignore[import-untyped]  # noqa: PLC0415 - the same
        except ImportError as error:
            raise ProvisionError(MISSING) from error
        if settings.url is None:
            raise ProvisionError("grafana.url is not set: there is no Grafana to provision")
        self._settings, self._administrator, self._sleep = settings, administrator, sleep
        self.organisation = organisation
        self._failure: type[Exception] = GrafanaException
        url = urlsplit(settings.url)
        host, path = url.hostname or "", url.path.strip("/")
        self._client = GrafanaApi(
            tuple(administrator) if administrator.everywhere else administrator.secret,
            protocol=url.scheme,
            host=f"[{host}]" if ":" in host else host,
            port=url.port,
            url_path_prefix=f"{path}/" if path else "",
            verify=_certificates(settings),
            timeout=settings.timeout_s,
            organization_id=organisation,
        ).client
        self._client.s.trust_env = False
        self._client.s.max_redirects = 0
        self._client.s.hooks["response"].append(self._remember)
        self._retry_after = ""

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._client.s.close()

    def find(self, path: str) -> Any:  # noqa: ANN401 - JSON of any shape
        """What stands at this path below /api; None where nothing does."""
        try:
            return self.ask("GET", path)
        except Refused as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def ask(self, method: str, path: str, body: Body | None = None, headers: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON of any shape
        """One request and its answer; it is put again when Grafana says "later" and names a time that can be waited."""
        for left in reversed(range(TRIES)):
            try:
                return getattr(self._client, method)(path, json=body, headers=headers)
            except self._failure as error:
                status = int(getattr(error, "status_code", 0))
                wait_s = self._wait_s()
                if status != TOO_MANY or not left or wait_s > LONGEST_WAIT_S:
                    raise self._refused(status, error, wait_s) from error
                self._sleep(wait_s)
            except (OSError, ValueError) as error:
                raise ProvisionError(self._about(_unanswered(error, self._settings.timeout_s))) from error
        raise AssertionError("unreachable")  # pragma: no cover - the last try returns or raises

    def _remember(self, response: Any, **_: object) -> None:  # noqa: ANN401 - a response of requests, which is untyped
        self._retry_after = str(response.headers.get("Retry-After", ""))

    def _wait_s(self) -> float:
        """Seconds that the last answer asks to wait: as a number, or as a date."""
        said = self._retry_after
        if said.isdecimal():
            return float(said)
        try:
            return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
        except (TypeError, ValueError):
            return USUAL_WAIT_S

    def _refused(self, status: int, error: Exception, wait_s: float) -> Refused:
        response = getattr(error, "response", None)
        said = response.get("message", "") if isinstance(response, dict) else str(response or "")
        advice = ADVICE.get(status, "")
        if status == TOO_MANY:
            advice = f"{advice}, and to wait {wait_s:g} s"
        told = "; ".join(part for part in (said, advice) if part)
        return Refused(self._about(f"{status} {told}"), status)

    def _about(self, reason: str) -> str:
        """The reason behind Grafana's address, on one line and without the secret."""
        secret = self._administrator.secret
        text = reason.replace(secret, "***") if secret else reason
        return " ".join(f"Grafana at {self._settings.url}: {text}".split())[:MAX_REASON]


def _unanswered(error: Exception, timeout_s: float) -> str:
    """No answer, or none that is JSON."""
    if getattr(getattr(error, "response", None), "is_redirect", False):
        return "answered that it is elsewhere; set grafana.url to where Grafana answers"
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    if any(isinstance(each, TimeoutError) for each in causes):
        return f"no answer within {timeout_s:g} s"
    if isinstance(error, ValueError) and not isinstance(error, OSError):
        return "answered, but not as Grafana does; set grafana.url to where Grafana answers"
    return f"no connection: {causes[-1] or type(causes[-1]).__name__}"


def _certificates(settings: GrafanaSettings) -> str | bool:
    """The file or folder of certificates to trust; True where the system names none."""
    usual = ssl.get_default_verify_paths()
    found = settings.ca_file or usual.cafile or usual.capath
    return True if found is None else str(found)
