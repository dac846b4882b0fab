"""What the demo shows: one table of the city's pulse."""

import json
import sqlite3
import time
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table

from ingest.app import Service
from ingest.telemetry import Totals

LAST_EVENTS = 5
SHOWN = 12
COLOURS = {"free": "green", "almostFull": "yellow", "full": "red", "closed": "blue", "unknown": "magenta"}


class Snapshot(NamedTuple):
    """The service at one moment, and the newest event on each topic."""

    at_s: float
    uplinks: int
    uplinks_per_s: float
    stored: int
    duplicates: int
    dead_letters: int
    lines_waiting: int
    newest: list[dict[str, Any]]
    last: list[dict[str, Any]]

    def line(self) -> str:
        """One line for logs."""
        return (
            f"{self.uplinks} uplinks ({self.uplinks_per_s:.0f}/s), {self.stored} stored, {self.duplicates} duplicates,"
            f" {self.dead_letters} dead letters, {len(self.newest)} topics with events"
        )


async def snapshot(service: Service, before: Snapshot | None) -> Snapshot:
    """Look at the service; rates are since the snapshot before."""
    totals: Totals = service.telemetry.totals
    now = time.monotonic()
    rate = (totals.uplinks - before.uplinks) / max(now - before.at_s, 0.001) if before else 0.0
    newest, last = await service.journal.query(_events)
    size = await service.journal.size()
    return Snapshot(
        now, totals.uplinks, rate, totals.stored, totals.duplicates, totals.dead_letters, size.lines, newest, last
    )


def _events(connection: sqlite3.Connection) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    newest = connection.execute(
        "SELECT payload FROM event WHERE seq IN (SELECT max(seq) FROM event GROUP BY topic) ORDER BY topic"
    )
    last = connection.execute("SELECT payload FROM event ORDER BY seq DESC LIMIT ?", (LAST_EVENTS,))
    return [json.loads(row[0]) for row in newest], [json.loads(row[0]) for row in last]


def view(now: Snapshot) -> RenderableType:
    """The tables for a terminal."""
    return Group(_pulse(now), _lots(now), _containers(now), _last(now))


def _pulse(now: Snapshot) -> RenderableType:
    pulse = Table("uplinks", "per second", "stored", "duplicates", "dead letters", "lines waiting", box=None)
    pulse.add_row(
        str(now.uplinks),
        f"{now.uplinks_per_s:.0f}",
        str(now.stored),
        str(now.duplicates),
        str(now.dead_letters),
        str(now.lines_waiting),
    )
    return Panel(pulse, title="Stadtfunk demo: a simulated Hamm (Ctrl-C ends it)")


def _lots(now: Snapshot) -> RenderableType:
    table = Table("parking lot", "state", "free", "occupied", "of", box=None)
    for event in now.newest:
        if event["type"].startswith("city.stadtfunk.parking.lot_state"):
            data = event["data"]
            state = data["state"]
            colour = COLOURS.get(state, "white")
            table.add_row(
                event["subject"],
                f"[{colour}]{state}[/]",
                _figure(data["free"]),
                _figure(data["occupied"]),
                str(data["capacity"]),
            )
    return Panel(table, title="parking")


def _containers(now: Snapshot) -> RenderableType:
    table = Table("container", "due", "fill level", "why", box=None)
    containers = [e for e in now.newest if e["type"].startswith("city.stadtfunk.waste.container_due")]
    containers.sort(key=lambda event: -(event["data"]["fill_level"] or 0))
    for event in containers[:SHOWN]:
        data = event["data"]
        level = "-" if data["fill_level"] is None else f"{data['fill_level']:.0f} %"
        due = "[red]yes[/]" if data["due"] else "no"
        table.add_row(event["subject"], due, level, data["reason"])
    return Panel(table, title="waste containers, fullest first")


def _last(now: Snapshot) -> RenderableType:
    table = Table("time (UTC)", "event", "subject", box=None)
    for event in now.last:
        table.add_row(event["time"][11:19], event["type"].removeprefix("city.stadtfunk."), event["subject"])
    return Panel(table, title="last events")


def _figure(value: int | None) -> str:
    return "-" if value is None else str(value)
