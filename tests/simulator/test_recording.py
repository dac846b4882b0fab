"""Recordings: what was published comes out again, byte by byte and in time; a cut one plays to its last whole line."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from ingest.broker import EmbeddedBroker, Mosquitto
from simulator.broker import Broker
from simulator.cli import register
from simulator.error import SimulatorError
from simulator.faults import Message, Outcome
from simulator.publish import MqttPublisher, line
from simulator.record import Listener
from simulator.recording import Recorder, Recording

HOUR = ("--speed", "0", "--from", "2026-06-03T12:00:00+02:00", "--for", "30m", "--devices", "30", "--faults")
TOPIC = "application/1/device/025354464b000001/event/up"


def _run(*arguments: str) -> Result:
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    register(app)
    return CliRunner().invoke(app, ["simulate", *arguments])


@pytest.mark.parametrize("encoding", ["json", "protobuf"])
def test_a_recording_plays_the_same_bytes(tmp_path: Path, encoding: str) -> None:
    """The file of a replay is the file of the simulation, broken messages included; the recording is private."""
    first, again, kept = tmp_path / "first", tmp_path / "again", tmp_path / "kept"
    words = ("--to", "file", "--out", str(first), "--record", str(kept), "--encoding", encoding)
    assert _run(*HOUR, *words).exit_code == 0
    result = _run("--replay", str(kept), "--speed", "0", "--to", "file", "--out", str(again), "--json")
    assert result.exit_code == 0, result.output
    lines = first.read_text().splitlines()
    assert len(lines) > 100
    assert again.read_text().splitlines() == lines
    counts = json.loads(result.stdout)
    assert (counts["events"], counts["cut_at_line"]) == (len(lines), None)
    assert kept.stat().st_mode & 0o077 == 0
    times = [json.loads(line)["after_ms"] for line in kept.read_text().splitlines()]
    assert times == sorted(times)
    assert 1_600_000 < times[-1] < 1_800_000


@pytest.mark.parametrize(
    "payload",
    [
        b'{"a": 1}',
        b'{"a":1.50}',
        b'{"a":1}\n',
        b'{"a":"\xc3\xa4"}',
        b"",
        b"\xff\x00",
        b'{"a":1,"a":2}',
        b"[1]",
        pytest.param(b"[" * 60_000, id="nested"),
    ],
)
def test_any_payload_comes_back(tmp_path: Path, payload: bytes) -> None:
    """JSON written in other ways, text, nothing, bytes that are no text, and nesting that nobody reads."""
    with Recorder(tmp_path / "kept", 500) as recorder:
        recorder.add(Message(1_000_500, TOPIC, payload, Outcome.UNIQUE))
    assert list(Recording(tmp_path / "kept")) == [Message(1_000_000, TOPIC, payload, Outcome.UNIQUE)]


def test_a_cut_recording_plays_to_its_last_whole_line(tmp_path: Path) -> None:
    """It says so, and ends with 0."""
    kept, out = tmp_path / "kept", tmp_path / "out"
    with Recorder(kept, 0) as recorder:
        for number in range(3):
            recorder.add(Message(number * 1_000_000, TOPIC, b'{"a":1}', Outcome.UNIQUE))
    kept.write_text(kept.read_text()[:-10])
    result = _run("--replay", str(kept), "--speed", "0", "--to", "file", "--out", str(out), "--json")
    assert result.exit_code == 0
    assert "line 3 is not whole" in result.stderr
    assert json.loads(result.stdout) == {"events": 2, "uplinks": 2, "cut_at_line": 3}
    assert len(out.read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "Expecting value"),
        ("[]", "no object"),
        (f'{{"topic":"{TOPIC}","payload":1}}', "no key 'after_ms'"),
        (f'{{"topic":"{TOPIC}","after_ms":1}}', "no key 'payload'"),
        ('{"topic":"","after_ms":1,"payload":1}', "topic '' is no event"),
        (f'{{"topic":"{TOPIC}","after_ms":-1,"payload":1}}', "after_ms is -1"),
        (f'{{"topic":"{TOPIC}","after_ms":1,"payload_hex":"xy"}}', "payload_hex"),
        pytest.param("[" * 60_000, "recursion", id="nested"),
        ('{"topic":"stadtfunk/v1/traffic/group/g1/signal-plan","after_ms":1,"payload":1}', "is no event of ChirpStack"),
        ('{"topic":"application/1/device/a/event/#","after_ms":1,"payload":1}', "is no event of ChirpStack"),
        ('{"topic":"application/+/device/a/event/up","after_ms":1,"payload":1}', "is no event of ChirpStack"),
        ('{"topic":"application/1/device/a/command/down","after_ms":1,"payload":1}', "is no event of ChirpStack"),
    ],
)
def test_a_broken_line_is_told(tmp_path: Path, text: str, said: str) -> None:
    """With file, line and key."""
    kept = tmp_path / "kept"
    kept.write_text(f'{{"topic":"{TOPIC}","after_ms":0,"payload":1}}\n{text}\n')
    with pytest.raises(SimulatorError) as caught:
        list(Recording(kept))
    assert str(caught.value).startswith(f"recording {kept}, line 2: ")
    assert said in str(caught.value)


def test_missing_and_unwritable(tmp_path: Path) -> None:
    """No such file, no such folder: one line, exit code 1."""
    nowhere = str(tmp_path / "none" / "file")
    for words in (("--replay", nowhere), (*HOUR, "--record", nowhere)):
        result = _run(*words, "--to", "file", "--out", str(tmp_path / "out"))
        assert result.exit_code == 1
        assert result.stderr.count("\n") == 1


def test_a_file_that_is_there_becomes_private(tmp_path: Path) -> None:
    """Nobody else may read it any more, and nothing of what it held is left."""
    kept = tmp_path / "kept"
    kept.write_text("before\n" * 100)
    kept.chmod(0o644)
    with Recorder(kept, 0) as recorder:
        recorder.add(Message(0, TOPIC, b"{}", Outcome.UNIQUE))
    assert kept.stat().st_mode & 0o777 == 0o600
    assert [message.payload for message in Recording(kept)] == [b"{}"]


def test_a_recording_that_never_began_leaves_the_one_before(tmp_path: Path) -> None:
    """No broker: what was recorded is still there. Nothing heard until the end is an empty recording."""
    kept = tmp_path / "kept"
    kept.write_text("before\n")
    with pytest.raises(SimulatorError), Recorder(kept, 0):
        raise SimulatorError("no broker")
    assert kept.read_text() == "before\n"
    with Recorder(kept, 0):
        pass
    assert kept.read_text() == ""


@pytest.mark.mosquitto
async def test_a_lost_connection_is_told(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Once, and again when the broker is back: what came between is missing."""
    told: list[str] = []
    with Recorder(tmp_path / "kept", 0) as recorder:
        listener = Listener(recorder, Broker("127.0.0.1", mosquitto.port, None, None), told.append)
        listening = asyncio.create_task(asyncio.to_thread(listener.listen, 60))
        assert await asyncio.to_thread(listener.answered.wait, 20)
        try:
            await mosquitto.kill()
            await _until(lambda: len(told) == 1)
            await mosquitto.start()
            await _until(lambda: len(told) == 2)
        finally:
            listener.stop.set()
            await listening
    where = f"broker 127.0.0.1:{mosquitto.port}: "
    assert told[0].startswith(f"{where}the connection is lost (")
    assert told[1] == f"{where}connected again; what was published meanwhile is missing"


async def _until(true: Callable[[], bool]) -> None:
    for _ in range(400):
        if true():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come true")


@pytest.mark.parametrize(
    "words",
    [
        ("--devices", "3"),
        ("--faults",),
        ("--to", "chirpstack"),
        ("--models", "all"),
        ("--seed", "7"),
        ("--encoding", "protobuf"),
        ("--collected",),
        ("--confirmed", "30"),
    ],
)
def test_a_replay_has_no_city(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Options of the city beside --replay are wrong usage."""
    result = _run("--replay", str(tmp_path / "kept"), *words)
    assert result.exit_code == 2
    assert words[0] in result.stderr
    assert "not go with" in " ".join(result.stderr.split())


@pytest.mark.parametrize("one", ["replay", "truth", "record", "report", "city", "scenario"])
def test_one_file_has_one_use(tmp_path: Path, one: str) -> None:
    """What is read or written besides is not the file of --out, under whatever name; its contents stay."""
    kept = tmp_path / "kept"
    kept.write_text("precious")
    result = _run(f"--{one}", str(kept), "--to", "file", "--out", str(tmp_path / "." / ".." / tmp_path.name / "kept"))
    assert result.exit_code == 2
    assert "are the same file" in " ".join(result.stderr.split())
    assert kept.read_text() == "precious"


async def test_a_real_recording_stays_away_from_a_broker(broker: Mosquitto | EmbeddedBroker, tmp_path: Path) -> None:
    """Nothing of a real device is published unless it is a test broker; every event of ChirpStack can be."""
    kept, real = tmp_path / "kept", TOPIC.replace("025354464b000001", "a84041ffff000001")
    with Recorder(kept, 0) as recorder:
        for topic in (TOPIC.replace("/up", "/location"), TOPIC, real):
            recorder.add(Message(0, topic, b"{}", Outcome.UNIQUE))
    words = ("--replay", str(kept), "--speed", "0", "--json")
    refused, said, errors = await _outside(*words, "--port", str(broker.port))
    assert (refused, json.loads(said)["events"]) == (1, 2)
    assert b"line 3: device a84041ffff000001 is not simulated; --test-broker" in errors
    for told in (("--port", str(broker.port), "--test-broker"), ("--to", "file", "--out", str(tmp_path / "out"))):
        code, said, _ = await _outside(*words, *told)
        assert (code, json.loads(said)["uplinks"]) == (0, 2)


async def _outside(*words: str) -> tuple[int | None, bytes, bytes]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulator", *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    said, errors = await asyncio.wait_for(child.communicate(), 60)
    return child.returncode, said, errors


async def test_from_broker_to_broker(broker: Mosquitto | EmbeddedBroker, tmp_path: Path) -> None:
    """`record` keeps all that a simulation publishes, and a replay has as many uplinks."""
    kept, out = tmp_path / "kept", tmp_path / "out"
    with Recorder(kept, 0) as recorder:
        listener = Listener(recorder, Broker("127.0.0.1", broker.port, None, None), pytest.fail)
        listening = asyncio.create_task(asyncio.to_thread(listener.listen, 100))
        assert await asyncio.to_thread(listener.answered.wait, 20)
        playing = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "simulator", *HOUR, "--port", str(broker.port), "--test-broker", "--json",
            stdout=subprocess.PIPE,
        )  # fmt: skip
        output, _ = await asyncio.wait_for(playing.communicate(), 60)
        counts = json.loads(output)
        total = counts["published"] + counts["joins"] + counts["status"]
        for _ in range(400):
            if recorder.count >= total:
                break
            await asyncio.sleep(0.05)
        listener.stop.set()
        await listening
    assert recorder.count == total
    result = _run("--replay", str(kept), "--speed", "0", "--to", "file", "--out", str(out), "--json")
    assert json.loads(result.stdout)["uplinks"] == counts["published"]


async def test_a_hostile_message_ends_no_recording(broker: Mosquitto | EmbeddedBroker, tmp_path: Path) -> None:
    """Nested deeper than anybody reads, it is kept as it came, and so is what follows."""
    payloads = [b'{"a":1}', b"[" * 60_000, b'{"a":2}']
    with Recorder(tmp_path / "kept", 0) as recorder:
        listener = Listener(recorder, Broker("127.0.0.1", broker.port, None, None), pytest.fail)
        listening = asyncio.create_task(asyncio.to_thread(listener.listen, 20))
        assert await asyncio.to_thread(listener.answered.wait, 20)
        with MqttPublisher("127.0.0.1", broker.port) as publisher:
            for payload in payloads:
                await asyncio.to_thread(publisher.publish, Message(0, TOPIC, payload, Outcome.UNIQUE))
        for _ in range(200):
            if recorder.count == len(payloads):
                break
            await asyncio.sleep(0.05)
        listener.stop.set()
        await listening
    assert [message.payload for message in Recording(tmp_path / "kept")] == payloads


async def test_a_recorder_that_fails_ends_the_recording(broker: Mosquitto | EmbeddedBroker, tmp_path: Path) -> None:
    """Whatever the error is, it is told and nobody waits on."""
    listener = Listener(Recorder(tmp_path / "closed", 0), Broker("127.0.0.1", broker.port, None, None), pytest.fail)
    listening = asyncio.create_task(asyncio.to_thread(listener.listen, 100))
    assert await asyncio.to_thread(listener.answered.wait, 20)
    with MqttPublisher("127.0.0.1", broker.port) as publisher:
        await asyncio.to_thread(publisher.publish, Message(0, TOPIC, b"{}", Outcome.UNIQUE))
        with pytest.raises(SimulatorError, match="cannot write the recording: the recording is not open"):
            await asyncio.wait_for(listening, 20)


def test_an_event_file_takes_any_payload() -> None:
    """What cannot be read as JSON stands in hexadecimal digits."""
    assert json.loads(line(Message(0, TOPIC, b"[" * 60_000, Outcome.UNIQUE)))["payload_hex"] == "5b" * 60_000


async def test_the_command_record_ends_in_time(broker: Mosquitto | EmbeddedBroker, tmp_path: Path) -> None:
    """With `--for` it ends by itself and says how much came; without a broker it fails in one line."""
    code = "from simulator.cli import register; import typer; app = typer.Typer(); register(app); app()"
    for port, expected in ((broker.port, 0), (1, 1)):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, "record", str(tmp_path / "kept"), "--port", str(port), "--for", "1s", "--json",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        said, errors = await asyncio.wait_for(child.communicate(), 60)
        assert child.returncode == expected
        assert said == (b"" if expected else b'{"recorded": 0}\n')
        assert errors.count(b"\n") == expected
