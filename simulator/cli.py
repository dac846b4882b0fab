"""The command `simulate`."""

import contextlib
import importlib.resources
import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from rules.city import City, CityError
from simulator.device import NS_PER_MS, NS_PER_S
from simulator.error import SimulatorError
from simulator.faults import Message
from simulator.pace import Pace
from simulator.play import Plan, Report, Simulation
from simulator.publish import FilePublisher, MqttPublisher, Publisher, Tls

EXAMPLE = "Example: stadtfunk simulate --devices 500 --speed 60 --for 2h --faults --report report.json"
PASSWORD_VARIABLE = "STADTFUNK_MQTT__PASSWORD"  # noqa: S105 - the variable's name, not a password
UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
US_PER_S = 1_000_000
NS_PER_US = 1000
STANDARD_STREAM = "-"


class Target(StrEnum):
    """Where events go."""

    MQTT = "mqtt"
    FILE = "file"


class EncodingChoice(StrEnum):
    """How events are written."""

    JSON = "json"
    PROTOBUF = "protobuf"


def duration_s(text: str) -> float:
    """Seconds in `90`, `90s`, `10m`, `2h`, `1d`; a usage error for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip())
    if match is None or not float(match[1]):
        raise typer.BadParameter(f"{text!r} is no duration above 0, expected for example 90s, 10m, 2h or 1d")
    return float(match[1]) * UNITS_S[match[2]]


def instant_ns(text: str) -> int:
    """Ns since 1970 of an ISO 8601 time, UTC unless it says otherwise; a usage error for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no time, expected for example 2026-03-14T07:00:00+01:00") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * US_PER_S + since.microseconds) * NS_PER_US


def simulate(
    city: Annotated[Path | None, typer.Option(help="City file (GeoJSON).", show_default="the example city")] = None,
    seed: Annotated[int, typer.Option(help="The same seed and --from give the same messages.")] = 1,
    devices: Annotated[
        int | None, typer.Option(min=1, help="Devices: the first of the city, then copies.", show_default="the city's")
    ] = None,
    speed: Annotated[float, typer.Option(min=0, help="Simulated seconds in a second; 0: as fast as possible.")] = 1,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Simulated start, ISO 8601.", show_default="now")
    ] = None,
    begin_ms: Annotated[
        int | None, typer.Option("--from-ms", min=0, max=253_402_300_799_000, help="The same in ms since 1970.")
    ] = None,
    span: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="Simulated time: 90s, 10m, 2h, 1d.")
    ] = None,
    to: Annotated[Target, typer.Option(help="Where events go.")] = Target.MQTT,
    out: Annotated[Path | None, typer.Option(help="File of --to file, one event a line; - is standard output.")] = None,
    host: Annotated[str, typer.Option(help="Broker's host.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Broker's port.")] = 1883,
    username: Annotated[str | None, typer.Option(help=f"Broker account; its password is ${PASSWORD_VARIABLE}.")] = None,
    tls: Annotated[bool, typer.Option("--tls", help="Encrypt; implied by each of the three files.")] = False,
    ca_file: Annotated[Path | None, typer.Option(help="Certificates to trust (PEM).")] = None,
    certificate_file: Annotated[Path | None, typer.Option(help="Client certificate (PEM).")] = None,
    key_file: Annotated[Path | None, typer.Option(help="Client key (PEM).")] = None,
    encoding: Annotated[EncodingChoice, typer.Option(help="ChirpStack's event encoding.")] = EncodingChoice.JSON,
    faults: Annotated[bool, typer.Option("--faults/--no-faults", help="Let things go wrong, all counted.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write the counts as JSON to a file; - is standard output.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Play the devices of a city as ChirpStack events, to a broker or into a file.

    --for is simulated time: `--speed 60 --for 10m` takes ten seconds. Without it the city lives until Ctrl-C; the
    counts are written in any case. Simulated devices have DevEUIs 025354464b… and the tag simulated=true.
    """
    seconds = None if span is None else duration_s(span)
    start_ns = _start_ns(begin, begin_ms)
    end_ns = None if seconds is None else start_ns + int(seconds * NS_PER_S)
    if end_ns is None and speed == 0:
        raise typer.BadParameter("--speed 0 never ends without --for")
    files = Tls(ca_file, certificate_file, key_file)
    with _one_line():
        publisher = _publisher(to, out, host, port, username, files if tls or any(files) else None)
        simulation = Simulation(
            _city(city),
            Plan(seed=seed, start_ns=start_ns, devices=devices, encoding=encoding.value, faults=faults),
        )
        pace = Pace(start_ns, speed)
        try:
            with _signals(pace), publisher, _progress(start_ns, end_ns, quiet=quiet) as watch:
                _play(pace.follow(watch(simulation.messages(end_ns)), end_ns), publisher, simulation.report)
        finally:
            _write(simulation.report, report, as_json=as_json)


def _play(messages: Iterable[Message], publisher: Publisher, report: Report) -> None:
    for message in messages:
        publisher.publish(message)
        report.count(message)


def _start_ns(begin: str | None, begin_ms: int | None) -> int:
    if begin is not None and begin_ms is not None:
        raise typer.BadParameter("--from and --from-ms exclude each other")
    if begin_ms is not None:
        return begin_ms * NS_PER_MS
    return time.time_ns() if begin is None else instant_ns(begin)


def _publisher(to: Target, out: Path | None, host: str, port: int, username: str | None, tls: Tls | None) -> Publisher:
    if to is Target.MQTT:
        if out is not None:
            raise typer.BadParameter("--out belongs to --to file")
        return MqttPublisher(host, port, username, os.environ.get(PASSWORD_VARIABLE), tls)
    if out is None:
        raise typer.BadParameter("--to file needs --out")
    return FilePublisher(sys.stdout if str(out) == STANDARD_STREAM else out)


def _city(path: Path | None) -> City:
    example = importlib.resources.files("deploy") / "city" / "hamm.geojson"
    try:
        return City.parse((path or example).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SimulatorError(f"cannot read city file {path or example}: {error}") from error
    except CityError as error:
        raise SimulatorError(f"city file {path or example}: {error}") from error


@contextlib.contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except (SimulatorError, CityError) as error:
        _fail(str(error))


def _fail(text: str) -> NoReturn:
    typer.echo(f"stadtfunk: error: {' '.join(text.split())}", err=True)
    raise typer.Exit(1)


@contextlib.contextmanager
def _signals(pace: Pace) -> Iterator[None]:
    """SIGINT and SIGTERM end the simulation, not the program."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        pace.stop.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Watch:
    """Shows how far the simulated time is."""

    def __init__(self, progress: Progress | None, start_ns: int, end_ns: int | None) -> None:
        self._progress = progress
        self._start_ns = start_ns
        if progress is not None:
            total = None if end_ns is None else (end_ns - start_ns) / NS_PER_S
            self._task = progress.add_task("simulating", total=total, messages=0)

    def __call__(self, messages: Iterable[Message]) -> Iterator[Message]:
        for number, message in enumerate(messages, start=1):
            yield message
            if self._progress is not None:
                done = (message.time_ns - self._start_ns) / NS_PER_S
                self._progress.update(self._task, completed=done, messages=number)


@contextlib.contextmanager
def _progress(start_ns: int, end_ns: int | None, *, quiet: bool) -> Iterator[_Watch]:
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield _Watch(None, start_ns, end_ns)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[messages]} messages"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield _Watch(progress, start_ns, end_ns)


def _write(report: Report, path: Path | None, *, as_json: bool) -> None:
    text = json.dumps(report.as_dict())
    if path is not None and str(path) != STANDARD_STREAM:
        try:
            path.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise SimulatorError(f"cannot write report {path}: {error.strerror}") from error
    if as_json or str(path) == STANDARD_STREAM:
        typer.echo(text)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("simulate", epilog=EXAMPLE)(simulate)
