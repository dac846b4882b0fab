"""`stadtfunk replay` and `stadtfunk rules replay` as their users meet them."""

import asyncio
import fcntl
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, Any

import pytest
from fastapi import FastAPI
from typer.testing import CliRunner, Result

from decoders.quantity import Privacy
from ingest import http, journal_schema
from ingest.api.replay import PartBody, router
from ingest.cli import app
from ingest.commands.error import CommandError
from ingest.journal_records import RawMessage, SeenUplink, Stay
from ingest.replay.correction import JournalKeeper, Keeper, Part, Waiting
from ingest.replay.erasure import Erasure
from ingest.token_file import write_token
from tests.doubles.influxd import Influxd
from tests.ingest.bench import Bench, running
from tests.ingest.replays import drained, new_store, note_codecs, points, replay_settings
from tests.ingest.test_replay import BEGIN, lots
from tests.ingest.uplinks import CITY, LOT_DEVICES, PROFILES, message

FROM, TO = "2027-01-15T00:00:00+00:00", "2027-01-16T00:00:00+00:00"
SPAN = ("--from", FROM, "--to", TO)
Command = Callable[..., Result]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The settings of the bench, as a file."""
    (tmp_path / "city.geojson").write_text(json.dumps(CITY))
    path = tmp_path / "stadtfunk.toml"
    profiles = "\n".join(f'"{name}" = "{codec}"' for name, codec in PROFILES.items())
    path.write_text(
        f'[city]\nfile = "{tmp_path}/city.geojson"\n[journal]\npath = "{tmp_path}/journal.db"\nraw_days = 400\n'
        f'[store]\npath = "{tmp_path}/store.db"\nretention_days = 36500\n[codecs.profiles]\n{profiles}\n'
    )
    return path


@pytest.fixture
def run(config: Path) -> Command:
    """Run a command with these settings."""

    def command(*words: str) -> Result:
        return CliRunner().invoke(app, [*words, "-c", str(config)])

    return command


async def filled(tmp_path: Path) -> None:
    """A journal and a store with ten uplinks; the service has stopped."""
    async with running(replay_settings(tmp_path), BEGIN) as bench:
        note_codecs(bench)
        store = new_store(bench)
        await lots(bench, 0, 5)
        await drained(bench, store)
        await bench.service.journal.flush(BEGIN)
        await store.close()


@asynccontextmanager
async def served(bench: Bench, keeper: Keeper | None = None) -> AsyncIterator[None]:
    """The corrections' HTTP interface of a running bench, with its token file."""
    settings = bench.service.settings
    service = FastAPI()
    taking = keeper or JournalKeeper(bench.service.journal, bench.service.clock)
    service.include_router(router(lambda: taking, lambda: None))
    listener = http.listener("127.0.0.1", 0)
    server = http.server(service)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    write_token(settings.journal.path, f"http://127.0.0.1:{listener.getsockname()[1]}", "token")
    try:
        yield
    finally:
        server.should_exit = True
        await task


def said(result: Result) -> Any:  # noqa: ANN401 - whatever the command printed
    """The JSON that a command printed."""
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def test_without_a_service_the_command_opens_the_journal(tmp_path: Path, run: Command) -> None:
    """Points, a record and audit rows; the lines wait for the next start of the service."""
    asyncio.run(filled(tmp_path))
    result = said(run("replay", *SPAN, "--reason", "codec fixed", "--json"))
    assert result["counts"]["points_before"] == result["counts"]["points_after"] == 10
    assert result["counts"]["messages"] == 10
    (listed,) = said(run("replay", "--list", "--json"))
    assert (listed["state"], listed["reason"], listed["from_ms"]) == ("done", "codec fixed", BEGIN)
    assert "codec fixed" in run("replay", "--list").stdout
    assert "goes out when one is started" in run("replay", *SPAN).stdout


def test_a_dry_run_changes_nothing(tmp_path: Path, run: Command) -> None:
    """The same counts, and no record."""
    asyncio.run(filled(tmp_path))
    assert said(run("replay", *SPAN, "--dry-run", "--json"))["counts"]["points_after"] == 10
    assert said(run("replay", "--list", "--json")) == []


def test_into_another_file_writes_a_copy(tmp_path: Path, run: Command) -> None:
    """Another store gets readings and radio side; the journal has no record and the store is as it was."""
    asyncio.run(filled(tmp_path))
    before = points(tmp_path / "store.db")
    assert said(run("replay", *SPAN, "--into", str(tmp_path / "copy.db"), "--json"))["counts"]["lines"] == 20
    assert points(tmp_path / "copy.db", "parking", "link") == points(tmp_path / "store.db", "parking", "link")
    assert points(tmp_path / "store.db") == before
    assert said(run("replay", "--list", "--json")) == []
    own = run("replay", *SPAN, "--into", str(tmp_path / "store.db"))
    assert isinstance(own.exception, CommandError)


def test_devices_and_models_are_chosen(tmp_path: Path, run: Command) -> None:
    """Only what was asked for is read; what does not exist is wrong usage."""
    asyncio.run(filled(tmp_path))
    one = said(run("replay", *SPAN, "--device", LOT_DEVICES[0].upper(), "--json"))
    assert one["counts"]["messages"] == 5
    assert said(run("replay", *SPAN, "--model", "elsys/generic", "--json"))["counts"]["messages"] == 0
    assert said(run("replay", *SPAN, "--application", "city", "--json"))["counts"]["messages"] == 10
    assert said(run("replay", *SPAN, "--application", "town", "--json"))["counts"]["messages"] == 0
    wrong = [("--device", "12"), ("--model", "no/codec"), ("--from", "yesterday"), ("--to", FROM)]
    assert [run("replay", *SPAN, *words).exit_code for words in wrong] == [2, 2, 2, 2]
    assert run("replay").exit_code == 2


def test_a_recorded_file_is_added_once(tmp_path: Path, run: Command) -> None:
    """History from a file is stored once, by however many runs."""
    asyncio.run(filled(tmp_path))
    lines = []
    for number in range(6):
        sent = message(dev_eui=LOT_DEVICES[0], f_cnt=100 + number, time_ms=BEGIN - 3_600_000 + number * 60_000)
        lines.append(json.dumps({"topic": sent.topic, "payload": json.loads(sent.payload)}))
    path = tmp_path / "record.ndjson"
    path.write_text("\n".join([*lines, "no line"]))
    first, second = (said(run("replay", "--source", str(path), "--json")) for _ in range(2))
    assert (first["counts"]["stored"], second["counts"]["stored"], second["counts"]["duplicates"]) == (6, 0, 6)
    assert "line 7" in first["problems"][0]
    assert [item["kind"] for item in said(run("replay", "--list", "--json"))] == ["backfill", "backfill"]
    assert isinstance(run("replay", "--source", str(tmp_path / "nothing")).exception, CommandError)


async def test_with_a_service_the_command_goes_through_it(tmp_path: Path, run: Command) -> None:
    """Replay and backfill over HTTP: the service's journal gets the parts, its store the points, while it runs."""
    settings = replay_settings(tmp_path)
    async with running(settings, BEGIN) as bench:
        note_codecs(bench)
        store = new_store(bench)
        await lots(bench, 0, 5)
        await drained(bench, store)
        before = points(tmp_path / "store.db")
        sent = message(dev_eui=LOT_DEVICES[0], f_cnt=100, time_ms=BEGIN - 3_600_000)
        record = tmp_path / "record.ndjson"
        record.write_text(json.dumps({"topic": sent.topic, "payload": json.loads(sent.payload)}))
        async with served(bench):
            result = said(await asyncio.to_thread(run, "replay", *SPAN, "--json"))
            history = said(await asyncio.to_thread(run, "replay", "--source", str(record), "--json"))
        assert bench.service.journal.cursor(store.name) > 0
        await drained(bench, store)
        await store.close()
    assert (result["counts"]["points_before"], history["counts"]["stored"]) == (10, 1)
    after = points(tmp_path / "store.db")
    assert [point for point in after if point[1] >= BEGIN] == [point for point in before if point[1] >= BEGIN]
    assert [point[1] for point in points(tmp_path / "store.db", "parking")][:1] == [BEGIN - 3_600_000]


def test_an_interrupted_replay_is_resumed(tmp_path: Path, run: Command) -> None:
    """A record without a result is done again with its choice and closed; one that is done is refused."""
    asyncio.run(filled(tmp_path))
    said(run("replay", *SPAN, "--device", LOT_DEVICES[0], "--json"))
    assert isinstance(run("replay", "--resume", "1").exception, CommandError)
    assert isinstance(run("replay", "--resume", "9").exception, CommandError)
    asyncio.run(interrupted(tmp_path))
    result = said(run("replay", "--resume", "2", "--json"))
    assert result["counts"]["messages"] == 5
    states = {item["id"]: item["state"] for item in said(run("replay", "--list", "--json"))}
    assert states == {1: "done", 2: "stopped", 3: "done"}


async def interrupted(tmp_path: Path) -> None:
    """A correction like the first one, without a result."""
    async with running(replay_settings(tmp_path), BEGIN) as bench:
        query = (
            "INSERT INTO correction (time_ms, body) SELECT time_ms, json_set(body, '$.result', NULL) FROM correction"
        )
        journal = bench.service.journal
        await journal._write(lambda: journal._writer.execute(query).rowcount)
        update = "UPDATE correction SET crc = checksum(id, time_ms, body)"
        await journal._write(lambda: journal._writer.execute(update).rowcount)


def test_the_rules_say_the_same_again(tmp_path: Path, run: Command) -> None:
    """`rules replay` finds every event of the journal, and with another city others."""
    asyncio.run(filled(tmp_path))
    same = said(run("rules", "replay", *SPAN, "--json"))
    assert set(same["counts"]) == {"same"}
    assert same["events"] == []
    assert len(said(run("rules", "replay", *SPAN, "--all", "--json"))["events"]) == same["counts"]["same"]
    smaller = json.loads(json.dumps(CITY))
    smaller["features"][0]["properties"]["capacity"] = 40
    (tmp_path / "other.geojson").write_text(json.dumps(smaller))
    other = said(run("rules", "replay", *SPAN, "--city", str(tmp_path / "other.geojson"), "--json"))
    assert set(other["counts"]) != {"same"}
    assert "messages" in run("rules", "replay", *SPAN).stdout
    assert run("rules", "replay", *SPAN, "--rule", "no.rule").exit_code == 2


async def test_uplinks_that_come_while_the_command_works_are_read_by_it(tmp_path: Path, run: Command) -> None:
    """The service sends a part back that would erase newer points; the command reads on and sends a better one."""

    class Late(JournalKeeper):
        """Lets an uplink in before the first part."""

        async def keep(self, number: int, part: Part) -> Waiting:
            if not answers:
                times = {"f_cnt": 50, "time_ms": BEGIN + 90_000}
                await bench.send(*(message(dev_eui=name, **times) for name in LOT_DEVICES[:2]))
            answers.append(await super().keep(number, part))
            return answers[-1]

    answers: list[Waiting] = []
    async with running(replay_settings(tmp_path), BEGIN) as bench:
        note_codecs(bench)
        store = new_store(bench)
        await lots(bench, 0, 5)
        await drained(bench, store)
        async with served(bench, Late(bench.service.journal, bench.service.clock)):
            result = said(await asyncio.to_thread(run, "replay", *SPAN, "--json"))
        await drained(bench, store)
        await store.close()
    assert [answer.unread for answer in answers] == [True, False, False]
    assert (result["counts"]["messages"], result["counts"]["lines"]) == (12, 12)
    assert len(points(tmp_path / "store.db", "parking")) == 12


def test_a_part_survives_the_wire() -> None:
    """Every field of a part arrives as it was sent."""
    part = Part(
        {Privacy.INTERNAL: ["m a=1 1", "n b=2 2"]},
        (Erasure("70b3d57ed0000001", ("parking", "device"), 1, 2),),
        (SeenUplink(3, b"\x00\xff", b"\x01"),),
        (RawMessage("a/b", b"\x00{", 4, Privacy.PERSONAL, (Stay(0, "lot", "north"),)),),
        7,
    )
    sent = PartBody.of(part).model_dump(mode="json")
    assert PartBody.model_validate(json.loads(json.dumps(sent))).part() == part


def test_resuming_takes_over_the_choice_and_not_the_person(
    tmp_path: Path, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Span and devices are those of the interrupted replay; who resumes it stands in the record and the audit table."""
    asyncio.run(filled(tmp_path))
    said(run("replay", *SPAN, "--device", LOT_DEVICES[0], "--reason", "codec fixed", "--json"))
    asyncio.run(interrupted(tmp_path))
    first = said(run("replay", "--list", "--json"))[-1]
    monkeypatch.setattr("ingest.commands.replay.operating_system_user", lambda: "os:bea")
    said(run("replay", "--resume", "2", "--json"))
    again, stopped, _ = said(run("replay", "--list", "--json"))
    assert (again["actor"], again["reason"]) == ("os:bea", "resumes 2: codec fixed")
    assert {name: again[name] for name in ("devices", "from_ms", "to_ms", "models", "application")} == {
        name: first[name] for name in ("devices", "from_ms", "to_ms", "models", "application")
    }
    assert (stopped["state"], stopped["actor"]) == ("stopped", first["actor"])
    rows = said(run("audit", "list", "--json"))
    assert {(row["actor"], row["action"]) for row in rows} >= {("os:bea", "replay"), ("os:bea", "replay done")}
    assert [row["subject"] for row in rows if row["action"] == "replay stopped"] == ["correction 2"]


def test_resuming_as_a_dry_run_changes_nothing(tmp_path: Path, run: Command) -> None:
    """It counts what the interrupted replay would come to, and that one is still to be resumed."""
    asyncio.run(filled(tmp_path))
    said(run("replay", *SPAN, "--device", LOT_DEVICES[0], "--json"))
    asyncio.run(interrupted(tmp_path))
    before = (said(run("replay", "--list", "--json")), said(run("audit", "list", "--json")))
    counts = said(run("replay", "--resume", "2", "--dry-run", "--json"))["counts"]
    assert (counts["messages"], counts["points_before"], counts["points_after"]) == (5, 5, 5)
    assert (said(run("replay", "--list", "--json")), said(run("audit", "list", "--json"))) == before
    assert said(run("replay", "--resume", "2", "--json"))["counts"]["messages"] == 5


def test_resuming_with_another_choice_is_refused(tmp_path: Path, run: Command) -> None:
    """With another span, device, model, application or source it is not the same replay: wrong usage, nothing done."""
    asyncio.run(filled(tmp_path))
    said(run("replay", *SPAN, "--json"))
    asyncio.run(interrupted(tmp_path))
    choices = [
        ("--from", FROM),
        ("--to", TO),
        ("--device", LOT_DEVICES[0]),
        ("--model", "elsys/generic"),
        ("--application", "city"),
        ("--source", "record.ndjson"),
    ]
    assert [run("replay", "--resume", "2", *choice).exit_code for choice in choices] == [2] * len(choices)
    assert [item["state"] for item in said(run("replay", "--list", "--json"))] == ["running", "done"]


def test_a_copy_has_no_dry_run(tmp_path: Path, run: Command) -> None:
    """`--into` would write its copy: together with `--dry-run` it is wrong usage, and nothing is written."""
    asyncio.run(filled(tmp_path))
    answer = run("replay", *SPAN, "--into", "copy", "--dry-run")
    assert answer.exit_code == 2
    assert "has no dry run" in answer.output


def test_somebody_who_only_looks_at_the_lock_is_waited_for(
    tmp_path: Path, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`status` and its like hold the lock for moments; a replay without a service outlasts them."""
    asyncio.run(filled(tmp_path))
    monkeypatch.setattr(journal_schema, "LOCK_S", 60.0)
    with held(tmp_path) as lock:
        monkeypatch.setattr("ingest.journal_schema.time.sleep", lambda _: lock.close())
        assert said(run("replay", *SPAN, "--json"))["counts"]["points_after"] == 10
        assert lock.closed


def test_somebody_who_keeps_the_lock_ends_the_patience(
    tmp_path: Path, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After that it is told who is in the way, before anything was changed."""
    asyncio.run(filled(tmp_path))
    monkeypatch.setattr(journal_schema, "LOCK_S", 0.1)
    with held(tmp_path):
        refused = run("replay", *SPAN)
    assert isinstance(refused.exception, CommandError)
    assert "in use by another service or command" in str(refused.exception)
    assert said(run("replay", "--list", "--json")) == []


@contextmanager
def held(tmp_path: Path) -> Iterator[IO[bytes]]:
    """The lock of the journal as one holds it who looks whether it is locked."""
    with journal_schema.lock_path(tmp_path / "journal.db").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield lock


@pytest.mark.influxd(process=True)
def test_a_dry_run_that_may_not_read_says_why(
    tmp_path: Path, run: Command, guarded_influxd: Influxd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the service's own least rights counts are not known, and one line says which right is missing."""
    asyncio.run(filled(tmp_path))
    guarded_influxd.create("stadtfunk_open")
    guarded_influxd.query("CREATE USER dry WITH PASSWORD 's3cret'")
    guarded_influxd.query("GRANT WRITE ON stadtfunk_open TO dry")
    monkeypatch.setenv("STADTFUNK_INFLUXDB__URL", guarded_influxd.url)
    monkeypatch.setenv("STADTFUNK_INFLUXDB__TOKEN", "dry:s3cret")
    try:
        shown = run("replay", *SPAN, "--dry-run").stdout.splitlines()
    finally:
        guarded_influxd.query("DROP USER dry")
        guarded_influxd.drop("stadtfunk_open")
    assert [line.split()[-2:] for line in shown if line.startswith("points before")] == [["not", "known"]]
    told = [line for line in shown if line.startswith("problem") and "may not read bucket stadtfunk_open" in line]
    assert len(told) == 1
    assert shown.index(told[0]) == min(place for place, line in enumerate(shown) if line.startswith("problem"))
    assert "s3cret" not in "".join(shown)
