"""The command `simulate`."""

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from threading import Event
from typing import Annotated, NamedTuple

import typer

from rules.city import City
from simulator.device import NS_PER_MS, NS_PER_S
from simulator.devices.downlinks import Downlinks
from simulator.devices.fleet import models as catalog_models
from simulator.devices.listener import ListeningPublisher
from simulator.error import SimulatorError
from simulator.faults import Message, Outcome
from simulator.files import read_city, speaking_plainly
from simulator.guard import Guard
from simulator.lorawan.bridge import Topics
from simulator.lorawan.keys import Activation
from simulator.lorawan.link import BridgeLink
from simulator.lorawan.play import DEFAULT_PREFIX, AirPlan, LorawanSimulation
from simulator.pace import Pace
from simulator.play import Plan, Report, Simulation
from simulator.progress import Watch, progress, signals
from simulator.provision.command import EXAMPLE as PROVISION_EXAMPLE
from simulator.provision.command import provision
from simulator.publish import FilePublisher, Publisher, Tls
from simulator.record import EXAMPLE as RECORD_EXAMPLE
from simulator.record import record as record_command
from simulator.recording import Recorded, Recorder, Recording
from simulator.scenario.option import chosen, only_the_world, print_list
from simulator.times import duration_s, instant_ns
from simulator.truth import TruthFile

EXAMPLE = "Example: stadtfunk simulate --devices 500 --speed 60 --for 2h --faults --report report.json"
PASSWORD_VARIABLE = "STADTFUNK_MQTT__PASSWORD"  # noqa: S105 - the variable's name, not a password
STANDARD_STREAM = "-"


class Target(StrEnum):
    """Where events go."""

    MQTT = "mqtt"
    FILE = "file"
    CHIRPSTACK = "chirpstack"


class EncodingChoice(StrEnum):
    """How events are written."""

    JSON = "json"
    PROTOBUF = "protobuf"


def simulate(
    context: typer.Context,
    city: Annotated[Path | None, typer.Option(help="City file (GeoJSON).", show_default="the example city")] = None,
    seed: Annotated[int, typer.Option(help="The same seed and --from give the same messages.")] = 1,
    devices: Annotated[
        int | None, typer.Option(min=1, help="Devices: the first of the city, then copies.", show_default="the city's")
    ] = None,
    models: Annotated[
        str | None, typer.Option(metavar="all|ID,…", help="Devices of these codecs in place of the city's own.")
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
    scenario: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="What happens; gives --from and --for unless they are set.")
    ] = None,
    _list: Annotated[
        bool, typer.Option("--list", is_eager=True, callback=print_list, help="Print the scenarios and end.")
    ] = False,
    truth: Annotated[Path | None, typer.Option(help="Write what is true into a file (CSV).")] = None,
    record: Annotated[
        Path | None, typer.Option(help="Write what is published into a file, with its times, for --replay.")
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(help="Publish a recording instead of simulating; byte by byte, at --speed.")
    ] = None,
    to: Annotated[
        Target, typer.Option(help="Where events go; chirpstack: LoRaWAN frames of gateways, to its gateways' broker.")
    ] = Target.MQTT,
    out: Annotated[Path | None, typer.Option(help="File of --to file, one event a line; - is standard output.")] = None,
    host: Annotated[str, typer.Option(help="Broker's host.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Broker's port.")] = 1883,
    username: Annotated[str | None, typer.Option(help=f"Broker account; its password is ${PASSWORD_VARIABLE}.")] = None,
    tls: Annotated[bool, typer.Option("--tls", help="Encrypt; implied by each of the three files.")] = False,
    ca_file: Annotated[Path | None, typer.Option(help="Certificates to trust (PEM).")] = None,
    certificate_file: Annotated[Path | None, typer.Option(help="Client certificate (PEM).")] = None,
    key_file: Annotated[Path | None, typer.Option(help="Client key (PEM).")] = None,
    test_broker: Annotated[
        bool, typer.Option("--test-broker", help="Do not look first whether the broker has uplinks of real devices.")
    ] = False,
    encoding: Annotated[EncodingChoice, typer.Option(help="Encoding of events or frames.")] = EncodingChoice.JSON,
    region_prefix: Annotated[
        str, typer.Option(help="Topics of --to chirpstack begin with it.", metavar="PREFIX")
    ] = DEFAULT_PREFIX,
    confirmed: Annotated[
        int, typer.Option(min=0, max=100, help="Percent of the uplinks of --to chirpstack that ask for an answer.")
    ] = 0,
    activation: Annotated[Activation, typer.Option(help="How devices of --to chirpstack get their keys.")] = (
        Activation.OTAA
    ),
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
    With --to chirpstack they join, with test keys that `simulate provision` has entered, and then send frames.
    """
    if context.invoked_subcommand is not None:
        return
    if replay is not None:
        _nothing_of_a_city(city, devices, begin, begin_ms, scenario, truth, record, faults, to is Target.CHIRPSTACK)
        begin_ms = 0
    story = chosen(scenario, city)
    seconds = story.lasts_s if span is None else duration_s(span)
    start_ns = _start_ns(begin, begin_ms, story.begin)
    end_ns = None if seconds is None else start_ns + int(seconds * NS_PER_S)
    if end_ns is None and speed == 0 and replay is None:
        raise typer.BadParameter("--speed 0 never ends without --for")
    files = Tls(ca_file, certificate_file, key_file)
    broker = _Broker(host, port, username, files if tls or any(files) else None)
    plan = Plan(seed=seed, start_ns=start_ns, devices=devices, encoding=encoding.value, faults=faults, scenario=story)
    if models is not None:
        plan = replace(plan, models=_models(models, faults=faults))
    show = _Show(plan, speed, end_ns, report, as_json, quiet)
    with speaking_plainly():
        if to is Target.CHIRPSTACK:
            if out is not None or faults or truth is not None or record is not None or speed == 0:
                raise typer.BadParameter(
                    "--to chirpstack has no --out, --faults, --truth, --record, and needs --speed above 0"
                )
            only_the_world(story)
            if not region_prefix or set(region_prefix) & set("+#\0"):
                raise typer.BadParameter(
                    f"--region-prefix {region_prefix!r} begins no topic, expected for example eu868"
                )
            air = AirPlan(encoding.value, region_prefix, speed, confirmed, activation)
            _on_air(broker, read_city(city), air, show)
        else:
            downlinks = Downlinks()
            publisher = _publisher(to, out, broker, downlinks)
            if to is Target.MQTT and not test_broker:
                Guard(*broker[:3], os.environ.get(PASSWORD_VARIABLE), broker.tls).listen()
            if replay is not None:
                _recorded(publisher, Recording(replay), show)
            else:
                _city_of_events(publisher, downlinks, read_city(city), record, truth, show)


class _Broker(NamedTuple):
    """Where a broker is, and who asks."""

    host: str
    port: int
    username: str | None
    tls: Tls | None


class _Show(NamedTuple):
    """What is played, how fast, until when, and where the counts go."""

    plan: Plan
    speed: float
    end_ns: int | None
    report: Path | None
    as_json: bool
    quiet: bool

    def watch(self) -> contextlib.AbstractContextManager[Watch]:
        """The progress bar."""
        return progress(self.plan.start_ns, self.end_ns, quiet=self.quiet)

    def write(self, counts: dict[str, object]) -> None:
        """The counts."""
        _write(counts, self.report, as_json=self.as_json)


def _nothing_of_a_city(*given: object) -> None:
    if any(each is not None and each is not False for each in given):
        raise typer.BadParameter("--replay publishes a recording: of the city it takes no option")


def _city_of_events(
    publisher: Publisher, downlinks: Downlinks, city: City, record: Path | None, truth: Path | None, show: _Show
) -> None:
    """Play as ChirpStack's events, with a recording and the truth where they are wanted."""
    if record is not None:
        publisher = Recorded(publisher, Recorder(record, show.plan.start_ns))
    with TruthFile(truth) if truth else contextlib.nullcontext() as witness:
        _events(publisher, Simulation(city, show.plan, witness, downlinks), show)


def _events(publisher: Publisher, simulation: Simulation, show: _Show) -> None:
    """Play as ChirpStack's events."""
    pace = Pace(show.plan.start_ns, show.speed)
    try:
        with signals(pace.stop), publisher, show.watch() as watch:
            messages = watch(simulation.messages(show.end_ns))
            _play(pace.follow(messages, show.end_ns), publisher, simulation.report)
    finally:
        show.write(simulation.report.as_dict())


def _recorded(publisher: Publisher, recording: Recording, show: _Show) -> None:
    """Play a recording; one that was cut plays to its last whole line, which is said."""
    pace = Pace(0, show.speed)
    counts = dict.fromkeys(("events", "uplinks"), 0)
    try:
        with signals(pace.stop), publisher, show.watch() as watch:
            for message in watch(pace.follow(recording, None)):
                if show.end_ns is not None and message.time_ns >= show.end_ns:
                    break
                publisher.publish(message)
                counts["events"] += 1
                counts["uplinks"] += message.outcome is Outcome.UNIQUE
    finally:
        show.write({**counts, "cut_at_line": recording.cut})
    if recording.cut is not None:
        typer.echo(f"{recording.path}: line {recording.cut} is not whole, played up to the one before", err=True)


def _play(messages: Iterable[Message], publisher: Publisher, report: Report) -> None:
    for message in messages:
        publisher.publish(message)
        report.count(message)


def _on_air(broker: _Broker, city: City, air: AirPlan, show: _Show) -> None:
    """Play as frames in front of a network server."""
    stop = Event()
    password = os.environ.get(PASSWORD_VARIABLE)
    link = BridgeLink(broker.host, broker.port, Topics(air.prefix).commands(), broker.username, password, broker.tls)
    simulation = LorawanSimulation(city, show.plan, air, link)
    try:
        with signals(stop), link, show.watch() as watch:
            for time_ns in simulation.run(show.end_ns, stop):
                watch.at(time_ns, simulation.tally.frames)
    finally:
        show.write(simulation.as_dict())


def _models(text: str, *, faults: bool) -> tuple[str, ...]:
    if faults:
        raise typer.BadParameter("--models has no --faults")
    try:
        return catalog_models(text)
    except SimulatorError as error:
        raise typer.BadParameter(str(error)) from error


def _start_ns(begin: str | None, begin_ms: int | None, usual: datetime | None) -> int:
    if begin is not None and begin_ms is not None:
        raise typer.BadParameter("--from and --from-ms exclude each other")
    if begin_ms is not None:
        return begin_ms * NS_PER_MS
    if begin is not None:
        return instant_ns(begin)
    return time.time_ns() if usual is None else instant_ns(usual.isoformat())


def _publisher(to: Target, out: Path | None, broker: _Broker, downlinks: Downlinks) -> Publisher:
    if to is Target.MQTT:
        if out is not None:
            raise typer.BadParameter("--out belongs to --to file")
        password = os.environ.get(PASSWORD_VARIABLE)
        return ListeningPublisher(*broker[:3], password, broker.tls, downlinks.offer)
    if out is None:
        raise typer.BadParameter("--to file needs --out")
    return FilePublisher(sys.stdout if str(out) == STANDARD_STREAM else out)


def _write(counts: dict[str, object], path: Path | None, *, as_json: bool) -> None:
    text = json.dumps(counts)
    if path is not None and str(path) != STANDARD_STREAM:
        try:
            path.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise SimulatorError(f"cannot write report {path}: {error.strerror}") from error
    if as_json or str(path) == STANDARD_STREAM:
        typer.echo(text)


def group() -> typer.Typer:
    """The command, with the one below it."""
    made = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    made.callback(invoke_without_command=True, epilog=EXAMPLE)(simulate)
    made.command(epilog=PROVISION_EXAMPLE)(provision)
    return made


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group(), name="simulate")
    app.command("record", epilog=RECORD_EXAMPLE)(record_command)
