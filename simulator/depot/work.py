"""A depot's shift at the command line: from the connection to the counts."""

import json
import re
from datetime import UTC, datetime
from threading import Event
from typing import Final
from zoneinfo import ZoneInfo

import typer

from rules.asset import TIMEZONE
from rules.city import City
from simulator.broker import Broker
from simulator.depot.clock import ServiceClock
from simulator.depot.depot import Depot
from simulator.depot.link import Link
from simulator.depot.report import Confirmed, Report, Stopped
from simulator.depot.tour import Habits
from simulator.device import NS_PER_S
from simulator.progress import progress, signals

BREAKDOWN: Final = re.compile(r"(?P<vehicle>.+)@(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)")


class Work:
    """A depot on a broker; unless it is `quiet` it shows how far it is, and each report in a line."""

    def __init__(self, broker: Broker, city: City, habits: Habits, clock: ServiceClock, *, quiet: bool) -> None:
        self._link = Link(*broker[:3], broker.password, broker.tls, warn=_warn)
        self._depot = Depot(self._link, city, habits, clock, _nothing if quiet else _tell, _warn)
        self._clock = clock
        self._quiet = quiet
        self._seed = habits.seed

    def run(self, span_s: float | None, *, once: bool, as_json: bool) -> None:
        """For so many simulated seconds, `once`, or until a signal; the counts at the end. Raises SimulatorError."""
        stop = Event()
        try:
            with signals(stop), self._link:
                self._link.listen()
                waiting = self._depot.await_clock(stop)
                begin_ns = self._clock.now_ns()
                end_ns = None if span_s is None else begin_ns + round(span_s * NS_PER_S)
                with progress(begin_ns, end_ns, quiet=self._quiet) as watch:
                    self._depot.run(stop, waiting, end_ns, watch.at, once=once)
        finally:
            self._write(as_json=as_json)

    def _write(self, *, as_json: bool) -> None:
        counts = self._depot.as_dict()
        if counts and as_json:
            typer.echo(json.dumps({**counts, "seed": self._seed}))
        elif counts:
            skipped = counts["skipped"]
            total = sum(skipped.values()) if isinstance(skipped, dict) else 0
            typer.echo(", ".join(f"{name} {total if name == 'skipped' else count}" for name, count in counts.items()))


def minutes_of(text: str, city: City) -> tuple[str, int]:
    """The vehicle in `VEHICLE@HH:MM`, and minutes after local midnight; raises typer.BadParameter."""
    found = BREAKDOWN.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is no breakdown, expected for example vehicle-paper-1@09:30")
    known = [asset.id for asset in city.assets.values() if asset.kind == "vehicle"]
    if found["vehicle"] not in known:
        raise typer.BadParameter(f"unknown vehicle {found['vehicle']!r}; known are {', '.join(known) or 'none'}")
    return found["vehicle"], int(found["hour"]) * 60 + int(found["minute"])


def _tell(report: Report) -> None:
    moment = datetime.fromtimestamp(report.time_ns / NS_PER_S, UTC).astimezone(ZoneInfo(TIMEZONE))
    typer.echo(f"{moment:%Y-%m-%d %H:%M:%S} {report.vehicle} {_words(report)}")


def _words(report: Report) -> str:
    if isinstance(report, Stopped):
        return f"served {report.stop}" if report.reason is None else f"skipped {report.stop}: {report.reason}"
    return "tour confirmed" if isinstance(report, Confirmed) else "breaks down"


def _nothing(_report: Report) -> None:
    """Say nothing."""


def _warn(text: str) -> None:
    typer.echo(f"stadtfunk: warning: {' '.join(text.split())}", err=True)
