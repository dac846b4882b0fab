"""History from a real PostgreSQL: the rows of ChirpStack's integration are the uplinks that the broker delivered."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from decoders.uplink import Uplink
from ingest import chirpstack
from ingest.chirpstack import UplinkEvent
from ingest.cli import app
from ingest.history import HistoryError, Recorded, from_file
from tests.doubles import postgresql
from tests.doubles.postgresql import Postgresql
from tests.ingest.uplinks import LOT_DEVICES, NOW, event, topic

psycopg = pytest.importorskip("psycopg", reason="needs the extra `postgresql`")
from ingest.history_postgresql import from_postgresql, place  # noqa: E402 - only where its extra is

TEMPLATE = "application/{application_id}/device/{dev_eui}/event/{event}"
SAMPLES = Path(__file__).parents[1] / "samples" / "chirpstack-4.20-events-json.ndjson"
pytestmark = pytest.mark.skipif(postgresql.programs() is None, reason=postgresql.MISSING)


@pytest.fixture(scope="module")
def database() -> Iterator[Postgresql]:
    """One server for all tests."""
    with postgresql.running() as server:
        yield server


@pytest.fixture
def server(database: Postgresql) -> Postgresql:
    """The server with an empty table."""
    with psycopg.connect(database.dsn) as connection:
        connection.execute("TRUNCATE event_up")
    return database


def samples() -> list[tuple[str, bytes, dict[str, Any]]]:
    """Topic, payload and content of the recorded uplinks."""
    found = [(item.topic, item.payload) for item in from_file(SAMPLES, print) if item.topic.endswith("/up")]
    assert len(found) > 20
    return [(name, payload, json.loads(payload)) for name, payload in found]


def read(server: Postgresql, *devices: str, from_ms: int | None = None, to_ms: int | None = None) -> list[Any]:
    """What the table holds, as messages."""
    return list(from_postgresql(server.dsn, from_ms, to_ms, devices, TEMPLATE))


def test_rows_are_the_uplinks_that_were_published(server: Postgresql) -> None:
    """Recorded uplinks that went through the table parse to exactly what the broker's messages parse to."""
    sent = samples()
    postgresql.insert(server, [content for _, _, content in sent])
    assert sorted(map(_uplink, read(server))) == sorted(_uplink(Recorded(name, payload)) for name, payload, _ in sent)


def _uplink(item: Recorded) -> tuple[str, Uplink]:
    event = chirpstack.parse("up", item.payload)
    assert isinstance(event, UplinkEvent)
    return item.topic, chirpstack.uplink(event)


def test_a_span_and_devices_are_chosen_by_the_server(server: Postgresql) -> None:
    """Rows further than a day from the span, and of other devices, are not even sent."""
    day_ms = 86_400_000
    events = [event(LOT_DEVICES[number % 2], f_cnt=number, time_ms=NOW + number * day_ms) for number in range(8)]
    postgresql.insert(server, events)
    assert len(read(server)) == 8
    assert len(read(server, LOT_DEVICES[0])) == 4
    found = read(server, LOT_DEVICES[0], from_ms=NOW + 3 * day_ms, to_ms=NOW + 4 * day_ms)
    assert [item.topic for item in found] == [topic(LOT_DEVICES[0])] * 2


def test_thousands_of_rows_come_in_order(server: Postgresql) -> None:
    """More rows than one fetch holds come in the order of their time."""
    with psycopg.connect(server.dsn) as connection:
        postgresql.insert(server, [event(f_cnt=0)])
        connection.execute(
            "INSERT INTO event_up SELECT gen_random_uuid(), time + n * interval '1 s', tenant_id, application_id,"
            " device_profile_id, tenant_name, application_name, device_profile_name, device_name, dev_eui, tags,"
            " dev_addr, adr, confirmed, dr, f_port, n, data, object, rx_info, tx_info"
            " FROM event_up, generate_series(2400, 1, -1) AS n"
        )
    counts = [json.loads(item.payload)["fCnt"] for item in read(server)]
    assert counts == list(range(2401))


def test_reading_cannot_write(server: Postgresql) -> None:
    """A table that is a view with a writing function behind it is refused: the transaction is read-only."""
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE trap")
    trap = server.dsn.replace("/postgres?", "/trap?")
    columns = ", ".join(f"NULL::{kind.split()[0]} AS {name}" for name, kind in postgresql.EVENT_UP.items())
    columns = columns.replace("NULL::timestamptz AS time", "now() AS time")
    with psycopg.connect(trap, autocommit=True) as connection:
        connection.execute("CREATE TABLE written (n int)")
        insertion = "INSERT INTO written VALUES (1) RETURNING true"
        connection.execute(f"CREATE FUNCTION touch() RETURNS boolean LANGUAGE sql AS $$ {insertion} $$".encode())
        connection.execute(f"CREATE VIEW event_up AS SELECT {columns} WHERE touch()".encode())
        assert len(connection.execute("SELECT * FROM event_up").fetchall()) == 1
        with pytest.raises(HistoryError, match="read-only"):
            list(from_postgresql(trap, None, None, (), TEMPLATE))
        assert connection.execute("SELECT count(*) FROM written").fetchone() == (1,)


def test_another_database_is_named(server: Postgresql) -> None:
    """Without the table the error says so; without a server it says what libpq says, and no password."""
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE empty")
    with pytest.raises(HistoryError, match="event_up"):
        list(from_postgresql(server.dsn.replace("/postgres?", "/empty?"), None, None, (), TEMPLATE))
    with pytest.raises(HistoryError, match="PostgreSQL") as caught:
        list(from_postgresql("postgresql://me:secret@127.0.0.1:1/nothing", None, None, (), TEMPLATE))
    assert "secret" not in str(caught.value)
    assert place("postgresql://me:secret@db.example/chirpstack") == "postgresql://db.example/chirpstack"


def test_the_command_reads_the_database_and_keeps_no_password(server: Postgresql, tmp_path: Path) -> None:
    """`replay --source postgresql://…` stores the span once; the record names the database without its password."""
    postgresql.insert(
        server, [event(LOT_DEVICES[0], f_cnt=number, time_ms=NOW + number * 60_000) for number in range(9)]
    )
    config = tmp_path / "stadtfunk.toml"
    profiles = '[codecs.profiles]\n"Bosch TPS110" = "bosch/tps110"\n'
    config.write_text(f'[journal]\npath = "{tmp_path}/journal.db"\n[store]\npath = "{tmp_path}/store.db"\n{profiles}')
    source = server.dsn.replace("chirpstack@", "chirpstack:secret@")
    span = ("--from", "2027-01-15T08:02:00Z", "--to", "2027-01-15T08:06:00Z")
    words = ["replay", "--source", source, *span, "-c", str(config), "--json"]
    first, second = (CliRunner().invoke(app, words) for _ in range(2))
    assert [json.loads(result.stdout)["counts"]["stored"] for result in (first, second)] == [4, 0]
    listed = CliRunner().invoke(app, ["replay", "--list", "-c", str(config)]).stdout
    assert "backfill" in listed
    assert b"secret" not in (tmp_path / "journal.db").read_bytes()
