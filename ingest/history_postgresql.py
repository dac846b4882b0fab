"""History from the table `event_up` that ChirpStack's PostgreSQL integration writes.

Source: ChirpStack 4, `chirpstack/src/integration/postgresql` (migration 00000000000000_initial and mod.rs): one row an
uplink, device_info and the uplink's fields as columns; `tags`, `object`, `rx_info` and `tx_info` are the JSON of the
event. There is no index on `time`: the server reads the whole table once.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.history import HistoryError, Recorded, topic_of

try:
    import psycopg
    from psycopg.rows import dict_row
except ImportError as error:
    raise HistoryError(
        "history from PostgreSQL needs the extra `postgresql`: pip install 'stadtfunk[postgresql]'"
    ) from error

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 1, 1, tzinfo=UTC)
SLACK = timedelta(days=1)
"""How far an uplink's own time may lie from the network server's."""
ROWS = 500
"""Rows in one fetch."""
CONNECT_S = 10
COLUMNS = (
    "deduplication_id, time, tenant_id, tenant_name, application_id, application_name, device_profile_id,"
    " device_profile_name, device_name, dev_eui, tags, dev_addr, adr, dr, f_cnt, f_port, confirmed, data, object,"
    " rx_info, tx_info"
)
QUERY = (
    f"SELECT {COLUMNS} FROM event_up WHERE time >= %s AND time < %s"  # noqa: S608 - own constants
    " AND (%s::text[] IS NULL OR dev_eui = ANY(%s)) ORDER BY time, deduplication_id"
)

Row = Mapping[str, Any]
"""Column → value, as the driver converts them."""


def from_postgresql(
    dsn: str, from_ms: int | None, to_ms: int | None, devices: Sequence[str], event_topic: str
) -> Iterator[Recorded]:
    """The uplinks of a span (a day more on either side) in the order of their time, fetched a few hundred at a time.

    The DSN is libpq's; what it leaves out comes from libpq's environment (PGPASSFILE, PGHOST, …). The transaction is
    read-only. Raises HistoryError.
    """
    begin = EPOCH if from_ms is None else max(EPOCH, _moment(from_ms) - SLACK)
    end = LAST if to_ms is None else min(LAST, _moment(to_ms) + SLACK)
    chosen = list(devices) or None
    with _speaking(), psycopg.connect(dsn, connect_timeout=CONNECT_S, application_name="stadtfunk") as connection:
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with connection.cursor("stadtfunk", row_factory=dict_row) as cursor:
            cursor.itersize = ROWS
            cursor.execute(QUERY, (begin, end, chosen, chosen))
            for row in cursor:
                yield recorded(row, event_topic)


def place(dsn: str) -> str:
    """The database for messages and records, without a password."""
    with _speaking():
        parts = psycopg.conninfo.conninfo_to_dict(dsn)
    return f"postgresql://{parts.get('host') or ''}/{parts.get('dbname') or ''}"


def recorded(row: Row, event_topic: str) -> Recorded:
    """A row as the JSON event that ChirpStack published for the same uplink."""
    dev_eui = str(row["dev_eui"]).strip()
    event = {
        "deduplicationId": str(row["deduplication_id"]),
        "time": row["time"].astimezone(UTC).isoformat(),
        "deviceInfo": {
            "tenantId": str(row["tenant_id"]),
            "tenantName": row["tenant_name"],
            "applicationId": str(row["application_id"]),
            "applicationName": row["application_name"],
            "deviceProfileId": str(row["device_profile_id"]),
            "deviceProfileName": row["device_profile_name"],
            "deviceName": row["device_name"],
            "devEui": dev_eui,
            "tags": row["tags"] or {},
        },
        "devAddr": str(row["dev_addr"]).strip(),
        "adr": row["adr"],
        "dr": row["dr"],
        "fCnt": row["f_cnt"],
        "fPort": row["f_port"],
        "confirmed": row["confirmed"],
        "data": base64.b64encode(bytes(row["data"])).decode(),
        "rxInfo": row["rx_info"] or [],
        "txInfo": row["tx_info"],
    }
    if row["object"] is not None:
        event["object"] = row["object"]
    topic = topic_of(event_topic, str(row["application_id"]), dev_eui, "up")
    return Recorded(topic, json.dumps(event, ensure_ascii=False).encode())


def _moment(time_ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=time_ms)


@contextmanager
def _speaking() -> Iterator[None]:
    """One line for whatever the driver says; it leaves passwords out."""
    try:
        yield
    except psycopg.errors.UndefinedTable as error:
        raise HistoryError("this database has no table event_up: is it the one of ChirpStack's integration?") from error
    except psycopg.Error as error:
        raise HistoryError(f"PostgreSQL: {' '.join(str(error).split()) or type(error).__name__}") from error
