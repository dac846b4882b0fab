"""Deleting a device's span, so that a replay can write it anew."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import structlog

from decoders.quantity import Privacy
from ingest.influxdb.answer import read
from ingest.influxdb.http import HttpAnswer, InfluxHttp, done, place
from ingest.influxdb.ql import delete_statement, quoted
from ingest.influxdb.search import ServerFault
from ingest.influxdb.version import Version, detect
from ingest.settings import InfluxSettings

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOTHING = "stadtfunk_probe"
"""An Influx measurement that nobody writes: deleting it asks every bucket whether it is there and we may."""
NOT_FOUND = 404
FORBIDDEN = 403

log = structlog.get_logger(__name__)


class CannotDelete(Exception):
    """The server has no way to delete points."""


class Eraser:
    """Deletes in the buckets of the settings, on one connection that is opened with the first deletion.

    A bucket that somebody dropped holds nothing to delete, which is logged once. After a ServerFault the next deletion
    asks the server's version anew and begins with another connection.
    """

    def __init__(self, settings: InfluxSettings) -> None:
        self._settings = settings
        self._buckets = list(dict.fromkeys(settings.bucket(privacy) for privacy in Privacy))
        self._connection: tuple[InfluxHttp, Version] | None = None
        self._missing: set[str] = set()

    async def delete(self, measurements: Iterable[str], dev_eui: str, from_ms: int, to_ms: int) -> None:
        """Delete a device's points of [from_ms, to_ms), whatever their privacy class.

        Raises CannotDelete (3 Core), UnknownVersion, or ServerFault: then some may be gone, and it must come again.
        """
        await self._delete(measurements, dev_eui, from_ms, to_ms, self._tell_missing)

    async def ask(self) -> None:
        """Raise what `delete` would, and ServerFault for a bucket that is not there; deletes nothing."""
        await self._delete((NOTHING,), "", 0, 1, _refuse_missing)

    async def close(self) -> None:
        """Close the connection; a later deletion opens a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection[0].close()

    async def _delete(
        self, measurements: Iterable[str], dev_eui: str, from_ms: int, to_ms: int, missing: Callable[[str], None]
    ) -> None:
        try:
            http, version = self._connection or await self._connect()
            organisation = self._settings.organisation
            await delete_span(
                http, version, self._buckets, measurements, dev_eui, from_ms, to_ms, organisation, missing=missing
            )
        except ServerFault:
            await self.close()
            raise

    async def _connect(self) -> tuple[InfluxHttp, Version]:
        version = await detect(self._settings)
        http = InfluxHttp(self._settings)
        await http.open()
        self._connection = http, version
        return self._connection

    def _tell_missing(self, bucket: str) -> None:
        if bucket not in self._missing:
            self._missing.add(bucket)
            log.warning("nothing to delete in a bucket that is not there", bucket=bucket, server=place(self._settings))


def _pass_over(_: str) -> None:
    return


def _refuse_missing(bucket: str) -> NoReturn:
    raise ServerFault(f"bucket {bucket} is not there; `stadtfunk provision influxdb` makes it, or correct the setting")


async def delete_span(
    http: InfluxHttp,
    version: Version,
    buckets: Iterable[str],
    measurements: Iterable[str],
    dev_eui: str,
    from_ms: int,
    to_ms: int,
    organisation: str = "",
    *,
    missing: Callable[[str], None] = _pass_over,
) -> None:
    """Delete a device's points of [from_ms, to_ms) in these buckets and Influx measurements.

    1.8 deletes in a whole database, so in all its retention policies. `missing` hears of buckets that are not there,
    in which there is nothing to delete. Raises CannotDelete, or ServerFault when the server did not do it; deleting
    twice is no error.
    """
    if not version.can_delete:
        raise CannotDelete(f"InfluxDB {version.value} cannot delete points")
    if to_ms <= from_ms:
        return
    names = list(measurements)
    if version is Version.V1_8:
        statement = "; ".join(delete_statement(name, dev_eui, from_ms, to_ms) for name in names)
        for database in dict.fromkeys(bucket.partition("/")[0] for bucket in buckets):
            if not await _delete_1(http, database, statement):
                missing(database)
        return
    bodies = [delete_body(name, dev_eui, from_ms, to_ms) for name in names]
    for bucket in dict.fromkeys(buckets):
        if not await _delete_2(http, {"org": organisation, "bucket": bucket}, bodies):
            missing(bucket)


async def _delete_1(http: InfluxHttp, database: str, statement: str) -> bool:
    """Whether the database is there; raises ServerFault.

    A user's rights on a database go with it, and a DELETE is then forbidden; a write looks for the database first.
    """
    answer = await http.request("POST", "/query", form={"db": database, "q": statement, "epoch": "ms"})
    if answer.status == FORBIDDEN or "database not found" in answer.text:
        probe = await http.request("POST", "/write", {"db": database})
        if probe.status == NOT_FOUND and "database not found" in probe.text:
            return False
    done(answer)
    return True


async def _delete_2(http: InfluxHttp, params: dict[str, str], bodies: Iterable[dict[str, str]]) -> bool:
    """Whether the bucket is there; raises ServerFault, so for an organisation that is not."""
    for body in bodies:
        answer = await http.request("POST", "/api/v2/delete", params, body=body)
        if _says_no_bucket(answer):
            return False
        done(answer)
    return True


def _says_no_bucket(answer: HttpAnswer) -> bool:
    if answer.status != NOT_FOUND:
        return False
    message = read(answer.status, answer.headers, answer.text).message
    return message.startswith("bucket ") and message.endswith("not found")


def delete_body(measurement: str, dev_eui: str, from_ms: int, to_ms: int) -> dict[str, str]:
    """The body of `POST /api/v2/delete`; its stop is a nanosecond early, for some releases include it."""
    return {
        "start": _rfc3339(from_ms),
        "stop": _rfc3339(to_ms - 1, 999_999),
        "predicate": f"_measurement={quoted(measurement)} AND dev_eui={quoted(dev_eui)}",
    }


def _rfc3339(time_ms: int, more_ns: int = 0) -> str:
    moment = EPOCH + timedelta(milliseconds=time_ms)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}{more_ns:06d}Z"
