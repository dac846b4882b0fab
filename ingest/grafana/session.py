"""A session of grafana-client with the Grafana of the settings.

Beside what grafana-client does by itself: no redirects (a POST would arrive as a GET), no proxies from the environment,
the certificates of the system where none are set, and a path in the url.
"""

import ssl
from collections.abc import Sequence
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from ingest.settings import GrafanaSettings, SettingsError

MISSING = (
    "grafana.url: the extra `grafana` is not installed: pip install 'stadtfunk[grafana]', or leave grafana.url unset"
)
VERIFY = True
"""What requests takes for: check certificates, by those that it brings along."""


class Api(Protocol):
    """What is used of grafana-client, which leaves it untyped; each returns JSON as Grafana sent it."""

    def get_annotation(self, *, ann_type: str, tags: Sequence[str], limit: int) -> object:
        """GET /api/annotations."""
        ...

    def add_annotation(self, *, time_from: int, tags: Sequence[str], text: str) -> object:
        """POST /api/annotations."""
        ...

    def partial_update_annotation(
        self, annotations_id: int, *, time_to: int | None, tags: Sequence[str] | None, text: str | None
    ) -> object:
        """PATCH /api/annotations/{id}: what is None stays as it is."""
        ...


class Connections(Protocol):
    """The connections beneath."""

    def close(self) -> None:
        """Close those that are idle."""
        ...


class Answered(Protocol):
    """What an exception of grafana-client says of an answer of 400 or more."""

    status_code: int
    message: str


class Session(NamedTuple):
    """The API, its connections, and the exception that it raises for an answer of 400 or more."""

    api: Api
    connections: Connections
    failure: type[Exception]


def session(settings: GrafanaSettings) -> Session:
    """A session that has not begun yet; raises SettingsError without grafana-client."""
    try:
        from grafana_client import GrafanaApi  # type: ignore[import-untyped]  # noqa: PLC0415 - of an extra
        from grafana_client.client import GrafanaException  # type: ignore[import-untyped]  # noqa: PLC0415 - the same
    except ImportError as error:
        raise SettingsError(MISSING) from error
    url = urlsplit(settings.url or "")
    host, path = url.hostname or "", url.path.strip("/")
    made = GrafanaApi(
        settings.token.get_secret_value() if settings.token else None,
        protocol=url.scheme,
        host=f"[{host}]" if ":" in host else host,
        port=url.port,
        url_path_prefix=f"{path}/" if path else "",
        verify=_certificates(settings),
        timeout=settings.timeout_s,
        organization_id=settings.organisation,
    )
    made.client.s.trust_env = False
    made.client.s.max_redirects = 0
    return Session(made.annotations, made.client.s, GrafanaException)


def _certificates(settings: GrafanaSettings) -> str | bool:
    """The file or folder of certificates to trust."""
    usual = ssl.get_default_verify_paths()
    found = settings.ca_file or usual.cafile or usual.capath
    return VERIFY if found is None else str(found)
