"""Deleting a device's span, so that a replay can write it anew."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from ingest.influx_http import InfluxHttp, done, query
from ingest.influx_ql import delete_statement, quoted
from ingest.influx_version import Version

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CannotDelete(Exception):
    """The server has no way to delete points."""


async def delete_span(
    http: InfluxHttp,
    version: Version,
    buckets: Iterable[str],
    measurements: Iterable[str],
    dev_eui: str,
    from_ms: int,
    to_ms: int,
    organisation: str = "",
) -> None:
    """Delete a device's points of [from_ms, to_ms) in these buckets and Influx measurements.

    1.8 deletes in a whole database, so in all its retention policies. Raises CannotDelete, or ServerFault when the
    server did not do it; deleting twice is no error.
    """
    if not version.can_delete:
        raise CannotDelete(f"InfluxDB {version.value} cannot delete points")
    if to_ms <= from_ms:
        return
    if version is Version.V1_8:
        databases = dict.fromkeys(bucket.partition("/")[0] for bucket in buckets)
        statement = "; ".join(delete_statement(name, dev_eui, from_ms, to_ms) for name in measurements)
        for database in databases:
            await query(http, statement, database)
        return
    names = list(measurements)
    for bucket in dict.fromkeys(buckets):
        params = {"org": organisation, "bucket": bucket}
        for name in names:
            body = delete_body(name, dev_eui, from_ms, to_ms)
            done(await http.request("POST", "/api/v2/delete", params, body=body))


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
