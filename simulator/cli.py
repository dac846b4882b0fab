"""The command `simulate`."""

import math
import time
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from simulator.broker import Broker, CaFile, CertificateFile, Host, KeyFile, Port, TestBroker, Username, WithTls
from simulator.depot.collected import Collected
from simulator.depot.command import EXAMPLE as DEPOT_EXAMPLE
from simulator.depot.command import depot
from simulator.device import NS_PER_MS, NS_PER_S
from simulator.devices.downlinks import Downlinks
from simulator.devices.fleet import models as catalog_models
from simulator.error import SimulatorError
from simulator.files import read_city, speaking_plainly
from simulator.guard import DEVICES, Guard, Watch, gateways
from simulator.lorawan.keys import Activation
from simulator.lorawan.play import DEFAULT_PREFIX, AirPlan
from simulator.play import Plan
from simulator.playing import Heard, Show, Target, city_of_events, on_air, publisher_to, recorded
from simulator.provision.command import EXAMPLE as PROVISION_EXAMPLE
from simulator.provision.command import provision
from simulator.publish import Tls
from simulator.record import EXAMPLE as RECORD_EXAMPLE
from simulator.record import record as record_command
from simulator.recording import Recording
from simulator.scenario.model import Scenario
from simulator.scenario.option import chosen, only_the_world, print_list
from simulator.times import LATEST_MS, LATEST_NS, duration_s, instant_ns
from simulator.usage import SCORE, SUMO, apart, belongs_to, fits, given, goes_with, streams

EXAMPLE = "Example: stadtfunk simulate --devices 500 --speed 60 --for 2h --faults --report report.json"


class EncodingChoice(StrEnum):
    """How events are written."""

    JSON = "json"
    PROTOBUF = "protobuf"


def simulate(
    context: typer.Context,
    city: Annotated[Path | None, typer.Option(help="City file (GeoJSON).", show_default="the example city")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed and --from give the same messages.")] = 1,
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
        int | None, typer.Option("--from-ms", min=0, max=LATEST_MS, help="The same in ms since 1970.")
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
    host: Host = "127.0.0.1",
    port: Port = 1883,
    username: Username = None,
    tls: WithTls = False,
    ca_file: CaFile = None,
    certificate_file: CertificateFile = None,
    key_file: KeyFile = None,
    test_broker: TestBroker = False,
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
    collected: Annotated[
        bool,
        typer.Option(
            "--collected", help="Containers are emptied by vehicles that say so alone (`simulate depot`, --score)."
        ),
    ] = False,
    faults: Annotated[bool, typer.Option("--faults/--no-faults", help="Let things go wrong, all counted.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write the counts as JSON to a file; - is standard output.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
    score: Annotated[
        bool, typer.Option("--score", help="Play through the real service, and score its decisions by the truth.")
    ] = False,
    sumo: Annotated[
        bool, typer.Option("--sumo", help="Compare signal control without and with Stadtfunk in SUMO (extra `sumo`).")
    ] = False,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Seeds of --sumo: --seed and those that follow.")] = 5,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the comparison of --sumo (SVG).")] = None,
) -> None:
    """Play the devices of a city as ChirpStack events, to a broker or into a file.

    --for is simulated time: `--speed 60 --for 10m` takes ten seconds. Without it the city lives until Ctrl-C; the
    counts are written in any case. Simulated devices have DevEUIs 025354464b… and the tag simulated=true.
    With --to chirpstack they join, with test keys that `simulate provision` has entered, and then send frames.
    --score and --sumo start a service and a broker of their own.
    """
    if context.invoked_subcommand is not None:
        goes_with(context, f"`{context.invoked_subcommand}`, whose options stand behind its name", frozenset())
        return
    if not math.isfinite(speed):
        raise typer.BadParameter("--speed has to be finite; 0 is as fast as possible")
    lasts_s = None if span is None else duration_s(span)
    told = None if scenario is None else Path(scenario)
    apart(city=city, scenario=told, replay=replay, out=out, truth=truth, record=record, report=report, plot=plot)
    streams(out, report, as_json=as_json, truth=truth, record=record, plot=plot)
    if sumo:
        from simulator.sumo import command as closed_loop  # noqa: PLC0415 - slow to load, needed here only

        goes_with(context, "--sumo", SUMO)
        study = closed_loop.Study(range(seed, seed + seeds), span_s=lasts_s, city=city)
        with speaking_plainly():
            closed_loop.run(study, picture=plot, as_json=as_json, quiet=quiet)
        return
    belongs_to(context, "--sumo", "seeds", "plot")
    fits(context, to, replayed=replay is not None)
    begin_ms = begin_ms if replay is None else 0
    story = chosen(scenario, city)
    start_ns = _start_ns(begin, begin_ms, story.begin)
    end_ns = _end_ns(start_ns, story.lasts_s if lasts_s is None else lasts_s)
    plan = Plan(
        seed=seed,
        start_ns=start_ns,
        devices=devices,
        encoding=encoding.value,
        faults=faults,
        scenario=story,
        models=_models(models, faults=faults),
        own_rounds=not collected,
    )
    if score:
        from simulator.score import command as scoring  # noqa: PLC0415 - the same

        goes_with(context, "--score", SCORE)
        with speaking_plainly():
            scoring.run(city, plan, end_ns, as_json=as_json, quiet=quiet)
        return
    if end_ns is None and speed == 0 and replay is None:
        raise typer.BadParameter("--speed 0 never ends without --for")
    broker = Broker.of(host, port, username, Tls(ca_file, certificate_file, key_file), tls=tls)
    show = Show(plan, speed, end_ns, report, as_json, quiet)
    with speaking_plainly():
        if to is Target.CHIRPSTACK:
            if given(context, "out", "faults", "truth", "record", "collected") or speed == 0:
                raise typer.BadParameter(
                    "--to chirpstack has no --out, --faults, --truth, --record, --collected, and needs --speed above 0"
                )
            air = _air(story, AirPlan(encoding.value, region_prefix, speed, confirmed, activation))
            _guarded(broker, gateways(region_prefix), test_broker=test_broker)
            on_air(broker, read_city(city), air, show, test_broker=test_broker)
            return
        heard = Heard(Downlinks(), Collected() if collected else None)
        publisher = publisher_to(to, out, broker, heard, test_broker=test_broker)
        _guarded(broker, DEVICES, test_broker=test_broker or to is not Target.MQTT)
        if replay is not None:
            recorded(publisher, Recording(replay, simulated=to is Target.MQTT and not test_broker), show)
            return
        city_of_events(publisher, heard, read_city(city), record, truth, show)


def _guarded(broker: Broker, watch: Watch, *, test_broker: bool) -> None:
    """Look first whether real devices or gateways are there, unless it is known to be a broker for tests."""
    if not test_broker:
        Guard(*broker[:3], broker.password, broker.tls, watch).listen()


def _end_ns(start_ns: int, seconds: float | None) -> int | None:
    if seconds is None:
        return None
    if seconds * NS_PER_S > LATEST_NS - start_ns:
        raise typer.BadParameter("--for ends after the year 2100")
    return start_ns + int(seconds * NS_PER_S)


def _air(story: Scenario, air: AirPlan) -> AirPlan:
    """What frames can play; raises typer.BadParameter."""
    only_the_world(story)
    if not air.prefix or set(air.prefix) & set("+#\0"):
        raise typer.BadParameter(f"--region-prefix {air.prefix!r} begins no topic, expected for example eu868")
    return air


def _models(text: str | None, *, faults: bool) -> tuple[str, ...]:
    if text is None:
        return ()
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


def group() -> typer.Typer:
    """The command, with the one below it."""
    made = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    made.callback(invoke_without_command=True, epilog=EXAMPLE)(simulate)
    made.command(epilog=PROVISION_EXAMPLE)(provision)
    made.command(epilog=DEPOT_EXAMPLE)(depot)
    return made


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group(), name="simulate")
    app.command("record", epilog=RECORD_EXAMPLE)(record_command)
