"""The files of a plan in a folder, each written whole or not at all."""

import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from ingest.routes.output.geojson import geojson
from ingest.routes.output.gpx import gpx, keywords
from ingest.routes.output.jobs import jobs_csv, jobs_json
from ingest.routes.output.map_picture import map_picture
from ingest.routes.output.sheet import sheet
from ingest.routes.output.words import Language
from rules.waste.route.day_plan import DayPlan
from rules.waste.route.route_event import events

LONGEST = 80
"""Letters of a vehicle in the name of its file."""
HEAD = 20_000
"""Bytes in which a GPX file tells what it is of."""


def write_all(plan: DayPlan, directory: Path, language: Language) -> list[Path]:
    """Write all forms of the plan and return their files; raises OSError.

    The folder is made where it is not there. GPX files of the same day and fraction that this plan has no tour for are
    removed, so that nobody drives an old one.
    """
    texts = dict(_texts(plan, language))
    directory.mkdir(parents=True, exist_ok=True)
    written = [_write(directory / name, text) for name, text in texts.items()]
    for path in _outdated(plan, directory):
        if path not in written:
            path.unlink(missing_ok=True)
    return written


def _texts(plan: DayPlan, language: Language) -> Iterator[tuple[str, str]]:
    """The name and text of each file."""
    stem = _stem(plan)
    yield f"{stem}.html", sheet(plan, language)
    yield f"{stem}.svg", map_picture(plan, language)
    yield f"{stem}.geojson", geojson(plan)
    yield f"{stem}.csv", jobs_csv(plan)
    yield f"{stem}.json", jobs_json(plan)
    told = ",\n".join(event.payload().decode() for event in events(plan))
    yield f"{stem}-events.json", f"[{told}]\n"
    taken: set[str] = set()
    for vehicle, text in gpx(plan, language).items():
        yield f"{stem}-{_free(_safe(vehicle), taken)}.gpx", text


def _stem(plan: DayPlan) -> str:
    return f"{plan.day.isoformat()}-{_safe(plan.fraction)}"


def _safe(text: str) -> str:
    """Letters, digits and signs that every file system takes and that mean nothing in a path."""
    return re.sub(r"[^\w-]+", "_", text, flags=re.ASCII)[:LONGEST] or "_"


def _free(name: str, taken: set[str]) -> str:
    """The name, with a number where another vehicle has it."""
    number, free = 1, name
    while free.casefold() in taken:
        number += 1
        free = f"{name}-{number}"
    taken.add(free.casefold())
    return free


def _outdated(plan: DayPlan, directory: Path) -> Iterator[Path]:
    """The GPX files in the folder that say they are of this day and fraction."""
    mark = keywords(plan).encode()
    for path in sorted(directory.glob(f"{_stem(plan)}-*.gpx")):
        with path.open("rb") as file:
            if mark in file.read(HEAD):
                yield path


def _write(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        with draft.open("xb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return path
