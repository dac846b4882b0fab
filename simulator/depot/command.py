"""The command `simulate depot`."""

from pathlib import Path
from typing import Annotated, Final

import typer

from rules.waste.route.distance import DETOUR, SPEED_KMH
from simulator.broker import Broker, CaFile, CertificateFile, Host, KeyFile, Port, TestBroker, Username, WithTls
from simulator.files import read_city, speaking_plainly
from simulator.guard import Guard
from simulator.publish import Tls
from simulator.times import duration_s, instant_ns

EXAMPLE: Final = (
    "Example: stadtfunk simulate depot --confirm --speed 60 --skip-percent 5 --breakdown vehicle-paper-1@09:30"
)


def depot(
    city: Annotated[
        Path | None, typer.Option(help="City file of the service.", show_default="the example city")
    ] = None,
    host: Host = "127.0.0.1",
    port: Port = 1883,
    username: Username = None,
    tls: WithTls = False,
    ca_file: CaFile = None,
    certificate_file: CertificateFile = None,
    key_file: KeyFile = None,
    test_broker: TestBroker = False,
    confirm: Annotated[bool, typer.Option("--confirm", help="Confirm each tour that is offered.")] = False,
    speed: Annotated[
        float, typer.Option(min=0.001, max=1_000_000, help="Simulated seconds in a second: the service's.")
    ] = 1,
    begin: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Simulated start, ISO 8601.", show_default="the service's clock"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed and the same tours give the same stops.")] = 1,
    skip_percent: Annotated[float, typer.Option(min=0, max=100, help="Percent of the stops that are skipped.")] = 0,
    kmh: Annotated[float, typer.Option(min=1, max=130, help="Speed of vehicles.")] = SPEED_KMH,
    detour: Annotated[
        float, typer.Option(min=1, max=10, help="How much longer than straight lines ways are.")
    ] = DETOUR,
    breakdown: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VEHICLE@HH:MM", help="Breaks down then, on its first tour that lasts so long; repeatable."
        ),
    ] = None,
    span: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="Simulated time: 90s, 10m, 2h, 1d.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End when all vehicles are home from a tour.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON, and no line for reports.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar, and no line for reports.")] = False,
) -> None:
    """Play the depot: drive the tours that the service plans, and tell it what becomes of each stop.

    Its clock is the service's, by its heartbeat, and runs at --speed in between. Only confirmed tours are driven.
    Without --for and --once it waits for the next tour until Ctrl-C; the counts are written in any case.
    """
    from simulator.depot.clock import ServiceClock  # noqa: PLC0415 - the rules of tours are slow to import
    from simulator.depot.tour import Habits  # noqa: PLC0415 - the same
    from simulator.depot.work import Work, minutes_of  # noqa: PLC0415 - the same

    span_s = None if span is None else duration_s(span)
    clock = ServiceClock(speed, None if begin is None else instant_ns(begin))
    broker = Broker.of(host, port, username, Tls(ca_file, certificate_file, key_file), tls=tls)
    with speaking_plainly():
        place = read_city(city)
        habits = Habits(
            seed=seed,
            speed_kmh=kmh,
            detour=detour,
            skip_share=skip_percent / 100,
            breakdowns=dict(minutes_of(text, place) for text in breakdown or ()),
            confirms=confirm,
        )
        if not test_broker:
            Guard(*broker[:3], broker.password, broker.tls).listen()
        Work(broker, place, habits, clock, quiet=quiet or as_json).run(span_s, once=once, as_json=as_json)
