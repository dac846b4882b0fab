"""What the demo shows: one table of the city's pulse."""

import asyncio
import json
import sqlite3
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table

from ingest.app import Service
from ingest.store_schema import StoreError, latest
from ingest.telemetry import Totals
from rules.point import Point

LAST_EVENTS = 5
SHOWN = 8
NEWEST_POINTS = 500
PLACES = ("station", "gauge", "road_section", "site")
VALUES = {
    "air_quality_index": "air quality index",
    "pm10_hour": "PM10 (hour) µg/m³",
    "apparent_temperature": "felt °C",
    "precipitation_1h": "rain 1 h mm",
    "gust_kmh": "gust km/h",
    "l_day": "L_day dB",
    "gauge_level_cm": "level cm",
    "ice_level": "ice level",
    "soil_water_tension": "soil kPa",
}
"""Derived fields that are shown, with the words for them."""
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
    places: dict[str, dict[str, float]]

    def line(self) -> str:
        """One line for logs."""
        return (
            f"{self.uplinks} uplinks ({self.uplinks_per_s:.0f}/s), {self.stored} stored, {self.duplicates} duplicates,"
            f" {self.dead_letters} dead letters, {len(self.newest)} topics with events: {self._kinds()}"
        )

    def _kinds(self) -> str:
        """How many topics there are of each type."""
        counts = Counter(event["type"].removeprefix("city.stadtfunk.").removesuffix(".v1") for event in self.newest)
        return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "none"


async def snapshot(service: Service, before: Snapshot | None) -> Snapshot:
    """Look at the service; rates are since the snapshot before."""
    totals: Totals = service.telemetry.totals
    now = time.monotonic()
    rate = (totals.uplinks - before.uplinks) / max(now - before.at_s, 0.001) if before else 0.0
    newest, last = await service.journal.query(_events)
    size = await service.journal.size()
    return Snapshot(
        now,
        totals.uplinks,
        rate,
        totals.stored,
        totals.duplicates,
        totals.dead_letters,
        size.lines,
        newest,
        last,
        await asyncio.to_thread(_places, service.settings.store.path),
    )


def _events(connection: sqlite3.Connection) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The newest event of each topic and the last ones of all, each with what became of it as `status`."""
    newest = connection.execute(
        "SELECT payload, status FROM event WHERE seq IN (SELECT max(seq) FROM event GROUP BY topic) ORDER BY topic"
    )
    last = connection.execute("SELECT payload, status FROM event ORDER BY seq DESC LIMIT ?", (LAST_EVENTS,))
    return [_event(*row) for row in newest], [_event(*row) for row in last]


def _event(payload: bytes, status: str) -> dict[str, Any]:
    return {**json.loads(payload), "status": status}


def _places(store: Path | None) -> dict[str, dict[str, float]]:
    """The newest derived values of each station, gauge, road and tree site."""
    try:
        points = latest(store, "asset", NEWEST_POINTS) if store else []
    except StoreError:
        return {}
    found: dict[str, dict[str, float]] = {}
    for point in points:
        _note(found, point)
    return found


def _note(found: dict[str, dict[str, float]], point: Point) -> None:
    tags = dict(point.tags)
    if tags.get("kind") not in PLACES:
        return
    values = found.setdefault(tags["asset"], {})
    for name, value in point.fields:
        if name in VALUES and isinstance(value, int | float):
            values.setdefault(name, value)


def view(now: Snapshot) -> RenderableType:
    """The tables for a terminal."""
    return Group(_pulse(now), _lots(now), _traffic(now), _air(now), _containers(now), _last(now))


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


def _traffic(now: Snapshot) -> RenderableType:
    table = Table("traffic", "vehicles/h", "km/h", "plan", "why", "goes out", box=None)
    for event in now.newest:
        data, kind = event["data"], event["type"].removeprefix("city.stadtfunk.traffic.")
        if kind == "measured.v1":
            table.add_row(event["subject"], _figure(data["flow"]), _figure(data["speed"]), "", data["quality"], "")
        elif kind == "signal_plan_requested.v1":
            plan = f"{data['plan']} {data['plan_name']}"
            table.add_row(f"[bold]{event['subject']}[/]", "", "", plan, data["reason"], event["status"])
    return Panel(table, title="traffic")


def _air(now: Snapshot) -> RenderableType:
    table = Table("place", "values", box=None)
    for place, values in sorted(now.places.items()):
        words = (f"{VALUES[name]} {value:g}" for name, value in values.items())
        table.add_row(place, ", ".join(words))
    return Panel(table, title="environment")


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


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
