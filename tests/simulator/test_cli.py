"""`stadtfunk simulate`: into a file, to a broker, ended early, used wrongly."""

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
import typer
from paho.mqtt.enums import CallbackAPIVersion
from typer.testing import CliRunner, Result

from ingest.broker import EmbeddedBroker, Mosquitto
from simulator.cli import register
from simulator.times import duration_s, instant_ns

HOUR = ("--speed", "0", "--from", "2026-06-03T12:00:00+02:00", "--for", "1h")


def _run(*arguments: str) -> Result:
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    register(app)
    return CliRunner().invoke(app, ["simulate", *arguments])


def _kinds(path: Path) -> Counter[str]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert all(("payload" in line) != ("payload_hex" in line) for line in lines)
    return Counter(line["topic"].rpartition("/")[2] for line in lines)


def _expected(counts: dict[str, int]) -> Counter[str]:
    """Events by kind, as a report has them; what is said of frames that came again are logs."""
    kinds = {"up": "published", "join": "joins", "status": "status", "log": "answers"}
    return +Counter({kind: counts[name] for kind, name in kinds.items()})


@pytest.mark.parametrize("encoding", ["json", "protobuf"])
def test_into_a_file(tmp_path: Path, encoding: str) -> None:
    """One line an event, as many as the report says; the report goes to file and standard output."""
    out, report = tmp_path / "events.ndjson", tmp_path / "report.json"
    result = _run(
        *HOUR, "--to", "file", "--out", str(out), "--report", str(report), "--json", "--faults", "--encoding", encoding
    )
    assert result.exit_code == 0, result.output
    counts = json.loads(report.read_text())
    assert json.loads(result.stdout) == counts
    assert _kinds(out) == _expected(counts)
    assert counts["published"] == counts["unique"] + counts["duplicates"] + sum(counts["dead_letters"].values())
    assert counts["unique"] > 100
    assert counts["seed"] == 1


def test_same_bytes(tmp_path: Path) -> None:
    """The same seed and start write the same file; --from-ms is --from in ms."""
    files = [tmp_path / name for name in ("one", "two", "three")]
    for path, start in zip(files, (HOUR, HOUR, (*HOUR[:2], "--from-ms", "1780480800000", *HOUR[4:])), strict=True):
        assert _run(*start, "--to", "file", "--out", str(path), "--faults").exit_code == 0
    assert files[0].read_bytes() == files[1].read_bytes() == files[2].read_bytes()


def test_report_alone_on_standard_output(tmp_path: Path) -> None:
    """`--report -` prints the counts once, with nothing around them."""
    result = _run(*HOUR, "--devices", "3", "--to", "file", "--out", str(tmp_path / "out"), "--report", "-", "--json")
    assert json.loads(result.stdout)["joins"] == 3


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--speed", "0"), "never ends"),
        (("--speed", "inf"), "--speed has to be finite"),
        (("--speed", "nan"), "--speed"),
        ((*HOUR, "--truth", "-"), "--truth needs a file"),
        ((*HOUR, "--record", "-"), "--record needs a file"),
        ((*HOUR, "--to", "file", "--out", "-", "--json"), "--out - and --json would mix"),
        ((*HOUR, "--to", "file", "--out", "-", "--report", "-"), "--out - and --report - would mix"),
        (("--to", "chirpstack", "--speed", "inf", "--for", "1m"), "--speed has to be finite"),
        (("--seed", "-1"), "--seed"),
        (("--key-file", "key.pem"), "--key-file needs --certificate-file"),
        ((*HOUR, "--to", "file"), "--out"),
        ((*HOUR, "--out", "x"), "--to file"),
        ((*HOUR, "--from-ms", "0"), "exclude each other"),
        (("--for", "10 minutes"), "no duration"),
        (("--for", "0s"), "no duration"),
        (("--from", "noon"), "no time"),
        (("--devices", "0"), "--devices"),
        (("--to", "pigeon"), "pigeon"),
        ((*HOUR, "--confirmed", "20"), "--confirmed belongs to"),
        ((*HOUR, "--activation", "abp"), "--activation belongs to"),
        ((*HOUR, "--region-prefix", "x"), "--region-prefix belongs to"),
        ((*HOUR, "--to", "file", "--out", "-", "--host", "a"), "--host belongs to"),
        ((*HOUR, "--to", "file", "--out", "-", "--test-broker"), "--test-broker belongs to"),
        (("--from-ms", "4102444800001"), "--from-ms"),
        (("--from-ms", "4102444800000", "--for", "1h"), "year 2100"),
        (("--for", "9" * 400 + "d"), "longer than 36525 d"),
        (("--from-ms", "4102444799000", "--for", "2h"), "year 2100"),
        (("--from", "2100-01-02"), "not from 1970 to 2100"),
        (("--from", "1969-12-31"), "not from 1970 to 2100"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], named: str) -> None:
    """Wrong usage is exit code 2 and a message that names it."""
    result = _run(*arguments)
    assert result.exit_code == 2
    assert named in result.stderr


def test_failures_in_one_line(tmp_path: Path) -> None:
    """A missing city, a broken one, an unreachable broker, a folder that is not there: exit code 1, one line."""
    broken = tmp_path / "broken.geojson"
    broken.write_text("{}")
    for arguments in (
        ("--city", str(tmp_path / "none.geojson")),
        ("--city", str(broken)),
        ("--port", "1"),
        ("--to", "file", "--out", str(tmp_path / "none" / "out")),
        ("--to", "file", "--out", str(tmp_path / "out"), "--report", str(tmp_path / "none" / "report")),
    ):
        result = _run(*HOUR, *arguments)
        assert result.exit_code == 1
        assert result.stderr.startswith("stadtfunk: error: ")
        assert result.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a file without space")
@pytest.mark.parametrize("option", ["--out", "--truth", "--record"])
def test_no_space_left(tmp_path: Path, option: str) -> None:
    """A file that cannot be written to its end is named in one line."""
    out = ("--out", "/dev/full") if option == "--out" else ("--out", str(tmp_path / "out"), option, "/dev/full")
    result = _run(*HOUR, "--to", "file", *out)
    assert (result.exit_code, result.stderr) == (
        1,
        "stadtfunk: error: cannot write /dev/full: No space left on device\n",
    )


def test_password_is_no_argument() -> None:
    """There is no option for the broker's password: it comes from the environment."""
    result = _run("--help")
    assert "STADTFUNK_MQTT__PASSWORD" in result.output
    assert "--password" not in result.output
    assert "Example:" in result.output


def test_durations_and_instants() -> None:
    """Durations have a unit or are seconds; times without offset are UTC."""
    assert duration_s("36525d") == 36_525 * 86_400
    assert [duration_s(text) for text in ("90", "90s", "10m", "1.5h", "1d")] == [90, 90, 600, 5400, 86_400]
    assert instant_ns("2026-03-14T09:26:53.589") == instant_ns("2026-03-14T10:26:53.589+01:00")
    assert instant_ns("2026-03-14T09:26:53.589793") == 1_773_480_413_589_793_000


@contextlib.contextmanager
def _subscriber(port: int) -> Iterator[Counter[str]]:
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    found: Counter[str] = Counter()
    ready = threading.Event()
    client.on_message = lambda _client, _data, message: found.update([message.topic.rpartition("/")[2]])
    client.on_subscribe = lambda *_: ready.set()
    client.connect("127.0.0.1", port)
    client.subscribe("application/+/device/+/event/+", qos=1)
    client.loop_start()
    try:
        assert ready.wait(10)
        yield found
    finally:
        client.disconnect()
        client.loop_stop()


def _until(condition: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


async def test_to_a_broker(broker: Mosquitto | EmbeddedBroker) -> None:
    """Everything that the report counts has reached a subscriber with QoS 1, on either broker."""
    with _subscriber(broker.port) as found:
        command = (sys.executable, "-m", "simulator", *HOUR, "--port", str(broker.port), "--faults", "--json")
        child = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        output, _ = await asyncio.wait_for(child.communicate(), 60)
        assert child.returncode == 0
        counts = json.loads(output)
        await asyncio.to_thread(_until, lambda: found == _expected(counts))


@pytest.mark.mosquitto
async def test_refused(start_mosquitto: Callable[..., Awaitable[Mosquitto]]) -> None:
    """A broker that wants a password says so in the one line of the error."""
    broker = await start_mosquitto(base=("allow_anonymous false",))
    command = (sys.executable, "-m", "simulator", *HOUR, "--port", str(broker.port))
    child = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
    _, errors = await asyncio.wait_for(child.communicate(), 60)
    assert child.returncode == 1
    assert "refuses the connection: Not authorized" in errors.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_by_signal(tmp_path: Path, number: signal.Signals) -> None:
    """A signal ends the simulation cleanly: exit code 0, all lines whole, the report agrees with them."""
    out, report = tmp_path / "out", tmp_path / "report.json"
    command = [sys.executable, "-m", "simulator", "--speed", "600", "--to", "file", "--report", str(report)]
    child = subprocess.Popen([*command, "--out", str(out)])
    try:
        _until(lambda: out.exists() and out.stat().st_size > 0, 30)
        child.send_signal(number)
        assert child.wait(15) == 0
    finally:
        child.kill()
        child.wait()
    counts = json.loads(report.read_text())
    assert sum(_kinds(out).values()) == sum(_expected(counts).values())


def test_speed(tmp_path: Path) -> None:
    """Ten simulated minutes at 600 simulated seconds a second take one second or more."""
    began = time.monotonic()
    arguments = ("--speed", "600", "--for", "10m", "--devices", "2", "--to", "file", "--out", str(tmp_path / "out"))
    assert _run(*arguments).exit_code == 0
    assert time.monotonic() - began >= 1


def test_options_before_a_command_of_its_own_are_refused() -> None:
    """They would be passed over: those of `depot` stand behind its name."""
    result = _run("--host", "nowhere.invalid", "depot", "--for", "1s")
    assert result.exit_code == 2
    assert "--host does not go with `depot`" in " ".join(result.stderr.split())
