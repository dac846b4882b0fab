"""Which InfluxDB answers, and what differs between them.

Source: answers recorded from 1.8.10 and 2.8.0; for 3, its documentation of `GET /ping` (header `X-Influxdb-Version`,
or JSON with `version`; with authorization on, a token is needed even there).
"""

import re
from enum import Enum

from ingest.influxdb.http import HttpAnswer, InfluxHttp
from ingest.influxdb.search import ServerFault
from ingest.settings import InfluxSettings

OLDEST_MINOR = 8
"""1.8 was the first of the 1.x that takes `/api/v2/write`."""
_NUMBER = re.compile(r"v?(\d+)\.(\d+)")


class Version(Enum):
    """The kinds of server. All take line protocol at `/api/v2/write`; 1.8 and 3 pass over the organisation."""

    V1_8 = "1.8"
    V2 = "2"
    V3 = "3"

    @property
    def can_delete(self) -> bool:
        """Whether points of a device and a span can be deleted."""
        return self is not Version.V3

    @property
    def can_provision(self) -> bool:
        """Whether retention, downsampling and rights can be set by its interface."""
        return self is not Version.V3


class UnknownVersion(Exception):
    """A server that does not say which InfluxDB it is; the message says what to set."""


async def detect(settings: InfluxSettings, token: str | None = None) -> Version:
    """The version set, else the one the server names.

    Raises ServerFault when nobody answers, UnknownVersion when the answer names no version that is known here.
    """
    if settings.version != "auto":
        return Version(settings.version)
    async with InfluxHttp(settings, token) as http:
        answer = await http.get("/ping")
        if answer.status >= 500 or answer.status == 429:  # noqa: PLR2004 - a proxy speaks, not InfluxDB
            raise ServerFault(f"/ping answers {answer.status}")
        return version_of(answer)


def version_of(answer: HttpAnswer) -> Version:
    """What an answer to `GET /ping` says; raises UnknownVersion rather than guess."""
    said = str(answer.headers.get("x-influxdb-version") or answer.json().get("version") or "")
    number = _NUMBER.match(said)
    if number is None:
        named = f"version {said!r}" if said else "no version"
        raise UnknownVersion(f"/ping answers {answer.status} with {named}; set influxdb.version to 1.8, 2 or 3")
    major, minor = int(number[1]), int(number[2])
    if (major, minor) < (1, OLDEST_MINOR):
        raise UnknownVersion(f"InfluxDB {said} is too old; 1.8, 2 and 3 can be used")
    found = {1: Version.V1_8, 2: Version.V2, 3: Version.V3}.get(major)
    if found is None:
        raise UnknownVersion(f"InfluxDB {said} is not known; 1.8, 2 and 3 are; influxdb.version can name one of them")
    return found
