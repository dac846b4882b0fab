"""The job list of a day for the depot's telematics: CSV (RFC 4180) and JSON."""

import csv
import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from ingest.routes.output import words
from ingest.routes.output.halts import Halt, LeftOut, Spot, Trip, left_out, staying, trips
from ingest.routes.output.words import plain
from rules.waste.route.day_plan import DayPlan
from rules.waste.route.model import DAY_S, Stop

VERSION = 1
"""Of both forms; a column or key that goes or changes its meaning raises it."""
COLUMNS = (
    "plan",
    "day",
    "fraction",
    "status",
    "drivable",
    "vehicle",
    "order",
    "kind",
    "place",
    "name",
    "district",
    "longitude",
    "latitude",
    "mandatory",
    "level_percent",
    "pick_up_kg",
    "pick_up_l",
    "window_from",
    "window_until",
    "arrival",
    "distance_m",
    "load_kg",
    "load_l",
    "why_de",
    "why_en",
)
FORMULA: tuple[str, ...] = ("=", "+", "-", "@", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}")
FORMULA += ("\N{FULLWIDTH HYPHEN-MINUS}", "\N{FULLWIDTH COMMERCIAL AT}")
"""With these a spreadsheet begins to compute."""
Job = dict[str, object]


def jobs_csv(plan: DayPlan) -> str:
    """A line for each halt in the order of driving; times in ISO 8601, empty where nothing is known.

    A text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    head = _head(plan)
    for trip in trips(plan):
        for halt in trip.halts:
            job = {**head, "vehicle": halt.vehicle, **_job(plan, halt)}
            writer.writerow([_cell(job[column]) for column in COLUMNS])
    return file.getvalue()


def jobs_json(plan: DayPlan) -> str:
    """Everything that is known of the plan, texts in both languages, times in ISO 8601 or null."""
    title = words.title(plan)
    told = {
        "version": VERSION,
        **_head(plan),
        "title_de": title.de,
        "title_en": title.en,
        "timezone": plan.timezone,
        "created_at": _instant(plan, plan.created_ms),
        "confirmed_at": None if plan.confirmed_ms is None else _instant(plan, plan.confirmed_ms),
        "status_de": plain(plan.status_reason[0]),
        "status_en": plain(plan.status_reason[1]),
        "warnings": [plain(line.en) for line in plan.warnings],
        "warnings_de": [plain(line.de) for line in plan.warnings],
        "tours": [_tour(plan, trip) for trip in trips(plan)],
        "staying": [plain(vehicle) for vehicle in staying(plan)],
        "left_out": [_missed(one) for one in left_out(plan)],
    }
    return json.dumps(told, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _head(plan: DayPlan) -> Job:
    return {
        "plan": plain(plan.id),
        "day": plan.day.isoformat(),
        "fraction": plain(plan.fraction),
        "status": plan.status,
        "drivable": plan.solution.drivable,
    }


def _tour(plan: DayPlan, trip: Trip) -> Job:
    drivable, tour = plan.solution.drivable, trip.tour
    return {
        "vehicle": plain(trip.vehicle.id),
        "start": _where(trip.start),
        "departs": _instant(plan, plan.time_ms(tour.departs_s)) if drivable else None,
        "distance_m": tour.metres,
        "duration_s": tour.seconds if drivable else None,
        "break_s": trip.vehicle.break_s,
        "cost_cents": tour.cost.cents,
        "violations": [plain(line.en) for line in tour.violations],
        "violations_de": [plain(line.de) for line in tour.violations],
        "halts": [_job(plan, halt) for halt in trip.halts],
    }


def _job(plan: DayPlan, halt: Halt) -> Job:
    begin_s, end_s = halt.window
    stop = halt.place if isinstance(halt.place, Stop) else None
    return {
        "order": halt.number,
        "kind": halt.kind,
        **_where(halt.spot),
        "mandatory": halt.mandatory if stop else None,
        "level_percent": halt.level,
        "pick_up_kg": stop.mass_kg if stop else None,
        "pick_up_l": stop.volume_l if stop else None,
        "window_from": _instant(plan, plan.time_ms(begin_s)) if begin_s > 0 else None,
        "window_until": _instant(plan, plan.time_ms(end_s)) if end_s < 2 * DAY_S else None,
        "arrival": None if halt.arrival_s is None else _instant(plan, plan.time_ms(halt.arrival_s)),
        "distance_m": halt.visit.metres,
        "load_kg": halt.visit.load_kg,
        "load_l": halt.visit.load_l,
        "why_de": halt.reason("de"),
        "why_en": halt.reason("en"),
    }


def _where(place: Spot) -> Job:
    return {
        "place": place.id,
        "name": place.name,
        "district": place.district,
        "longitude": round(place.longitude, 6),
        "latitude": round(place.latitude, 6),
    }


def _missed(one: LeftOut) -> Mapping[str, object]:
    return {
        "place": one.id,
        "name": one.name,
        "reason": one.reason,
        "detail": plain(one.detail.en),
        "detail_de": plain(one.detail.de),
        "level_percent": one.level,
        "why_de": one.text("de"),
        "why_en": one.text("en"),
    }


def _instant(plan: DayPlan, time_ms: int) -> str:
    local = datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(ZoneInfo(plan.timezone))
    return local.isoformat(timespec="seconds")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"'{value}" if value.lstrip().startswith(FORMULA) else value
    return str(value)
