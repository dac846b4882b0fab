"""Recordings: what was published comes out again, byte by byte and in time; a cut one plays to its last whole line."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from ingest.broker import EmbeddedBroker, Mosquitto
from simulator.broker import Broker
from simulator.cli import register
from simulator.error import SimulatorError
from simulator.faults import Message, Outcome
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
    [b'{"a": 1}', b'{"a":1.50}', b'{"a":1}\n', b'{"a":"\xc3\xa4"}', b"", b"\xff\x00", b'{"a":1,"a":2}', b"[1]"],
)
def test_any_payload_comes_back(tmp_path: Path, payload: bytes) -> None:
    """JSON written in other ways, text, nothing, and bytes that are no text."""
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
        ('{"topic":"a","payload":1}', "no key 'after_ms'"),
        ('{"topic":"a","after_ms":1}', "no key 'payload'"),
        ('{"topic":"","after_ms":1,"payload":1}', "topic is ''"),
        ('{"topic":"a","after_ms":-1,"payload":1}', "after_ms is -1"),
        ('{"topic":"a","after_ms":1,"payload_hex":"xy"}', "payload_hex"),
    ],
)
def test_a_broken_line_is_told(tmp_path: Path, text: str, said: str) -> None:
    """With file, line and key."""
    kept = tmp_path / "kept"
    kept.write_text('{"topic":"a","after_ms":0,"payload":1}\n' + text + "\n")
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


@pytest.mark.parametrize("words", [("--seed", "1", "--devices", "3"), ("--faults",), ("--to", "chirpstack")])
def test_a_replay_has_no_city(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Options of the city beside --replay are wrong usage."""
    result = _run("--replay", str(tmp_path / "kept"), *words)
    assert result.exit_code == 2
    assert "of the city" in " ".join(result.stderr.split())


async def test_from_broker_to_broker(broker: Mosquitto | EmbeddedBroker, tmp_path: Path) -> None:
    """`record` keeps all that a simulation publishes, and a replay has as many uplinks."""
    kept, out = tmp_path / "kept", tmp_path / "out"
    with Recorder(kept, 0) as recorder:
        listener = Listener(recorder, Broker("127.0.0.1", broker.port, None, None))
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
