"""Playing: a city as ChirpStack's events, a recording, or frames in front of a network server; and the counts of it."""

import contextlib
import json
import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from threading import Event
from typing import NamedTuple

import typer

from rules.city import City
from simulator.broker import Broker
from simulator.depot.collected import Collected, Offer, both
from simulator.devices.command import COMMANDS
from simulator.devices.downlinks import Downlinks
from simulator.devices.listener import ListeningPublisher
from simulator.error import SimulatorError
from simulator.faults import Message, Outcome
from simulator.guard import DEVICES, gateways
from simulator.lorawan.bridge import Topics
from simulator.lorawan.link import BridgeLink
from simulator.lorawan.play import AirPlan, LorawanSimulation
from simulator.pace import Pace
from simulator.play import Plan, Report, Simulation
from simulator.progress import Watch, progress, signals
from simulator.publish import FilePublisher, Publisher
from simulator.recording import Recorded, Recorder, Recording
from simulator.truth import TruthFile

STANDARD_STREAM = "-"


class Target(StrEnum):
    """Where events go."""

    MQTT = "mqtt"
    FILE = "file"
    CHIRPSTACK = "chirpstack"


class Show(NamedTuple):
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


class Heard(NamedTuple):
    """What the city hears: downlinks, and where they empty containers what vehicles say."""

    downlinks: Downlinks
    collected: Collected | None

    @property
    def topics(self) -> tuple[str, ...]:
        """Where it is said."""
        return (COMMANDS,) if self.collected is None else (COMMANDS, self.collected.topic_filter)

    @property
    def offer(self) -> Offer:
        """Who takes it."""
        return self.downlinks.offer if self.collected is None else both(self.collected, self.downlinks.offer)


def city_of_events(
    publisher: Publisher, heard: Heard, city: City, record: Path | None, truth: Path | None, show: Show
) -> None:
    """Play as ChirpStack's events, with a recording and the truth where they are wanted."""
    if record is not None:
        publisher = Recorded(publisher, Recorder(record, show.plan.start_ns))
    with TruthFile(truth) if truth else contextlib.nullcontext() as witness:
        _events(publisher, Simulation(city, show.plan, witness, *heard), heard.collected, show)


def _events(publisher: Publisher, simulation: Simulation, collected: Collected | None, show: Show) -> None:
    """Play as ChirpStack's events."""
    pace = Pace(show.plan.start_ns, show.speed)
    try:
        with signals(pace.stop), publisher, show.watch() as watch:
            messages = watch(simulation.messages(show.end_ns))
            _play(pace.follow(messages, show.end_ns), publisher, simulation.report)
    finally:
        show.write(simulation.report.as_dict() | ({} if collected is None else collected.as_dict()))


def recorded(publisher: Publisher, recording: Recording, show: Show) -> None:
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


def on_air(broker: Broker, city: City, air: AirPlan, show: Show, *, test_broker: bool) -> None:
    """Play as frames in front of a network server; raises RealCity unless it is a test broker."""
    stop = Event()
    link = BridgeLink(
        broker.host, broker.port, Topics(air.prefix).commands(), broker.username, broker.password, broker.tls
    )
    if not test_broker:
        gateways(air.prefix).stay(link, f"broker {broker.host}:{broker.port}")
    simulation = LorawanSimulation(city, show.plan, air, link)
    try:
        with signals(stop), link, show.watch() as watch:
            for time_ns in simulation.run(show.end_ns, stop):
                watch.at(time_ns, simulation.tally.frames)
    finally:
        show.write(simulation.as_dict())


def publisher_to(to: Target, out: Path | None, broker: Broker, heard: Heard, *, test_broker: bool) -> Publisher:
    """Where events go; raises typer.BadParameter where `out` does not fit, and where nobody can be heard.

    Publishing raises RealCity unless it is a test broker.
    """
    if to is Target.MQTT:
        if out is not None:
            raise typer.BadParameter("--out belongs to --to file")
        publisher = ListeningPublisher(*broker[:3], broker.password, broker.tls, heard.offer, heard.topics)
        if not test_broker:
            DEVICES.stay(publisher, f"broker {broker.host}:{broker.port}")
        return publisher
    if heard.collected is not None:
        raise typer.BadParameter("--collected belongs to --to mqtt")
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
